"""Notices: who is told of what, once; as tasks in a CRM, as mails; one by one, or many as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.config_mail import MailSettings, is_address
from connector.credit.authority import Person
from connector.errors import Missing
from connector.store import audit, mails, notices
from connector.store.db import Store
from connector.store.mails import Mail
from jobs import mailing
from tests.jobs.notice_desk import NoticeDesk
from tests.jobs.smtp_server import MailServer, certificate, mail_server
from tests.store.conftest import store as store

DAY = dt.date.fromisoformat


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


def settings(server: MailServer, **more: object) -> MailSettings:
    return MailSettings.model_validate(
        {"host": "127.0.0.1", "port": server.port, "security": "none", "sender": "credit@example.com",
         "timeout_seconds": 1, **more}
    )  # fmt: skip


@pytest.fixture
def desk(store: Store, tmp_path: Path, server: MailServer) -> NoticeDesk:
    return NoticeDesk.make(store, tmp_path, settings(server))


def held(desk: NoticeDesk, *refs: str) -> None:
    """Orders of Huadong that are too large; owned by Chen Jie."""
    desk.invoice("D1", "C1", 450_000, DAY("2026-12-10"))
    for ref in refs or ("S1",):
        desk.order(ref, "C1", 100_000, number=f"SO-{ref}", owner="u7")
    desk.run()


# --- who is told -------------------------------------------------------------------------------------------------------
def test_the_owner_hears_once_in_his_language_with_the_way_out(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    told = desk.tell()
    assert (told.counts["told"], told.counts["mails"], told.counts["tasks"]) == (1, 1, 1)
    desk.deliver()
    (mail,) = server.taken
    assert mail["To"] == "陈洁 <chen@example.com>"
    assert mail["From"] == "Holdfast <credit@example.com>"
    assert mail["Subject"] == "订单 SO-S1 已冻结：华东机械，CNY 100,000.00"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == (
        "冻结原因：\n"
        "• 含本单信用占用 CNY 550,000.00，超过信用额度 CNY 500,000.00，超出 CNY 50,000.00（使用率 110.00%）\n"
        "\n"
        "以下任一措施即可解除冻结：\n"
        "• 客户付清 D1，合计 CNY 450,000.00\n"
        "• 客户支付 CNY 50,000.00，按最早到期的款项依次冲抵\n"
        "• 仅确认部分订单，金额不超过 CNY 50,000.00\n"
        "• 增加 CNY 50,000.00 的临时额度或担保\n"
        "\n"
        "放行须由一名信用专员批准。目前可放行的人员：王芳、Li Wei、Zhao Min。\n"
        "\n"
        "信用占用 CNY 550,000.00，额度 CNY 500,000.00，逾期 CNY 0.00（0 天），截至 2026-11-20。\n"
        "\n-- \n"
        "本邮件由 Holdfast 自动发送，因您负责该订单或有权审批。请勿回复。\n"
    )
    (task,) = desk.tasks()
    assert (task.target, task.values["Owner"], task.values["Subject"]) == (
        "A1", "57", "订单 SO-S1 已冻结：华东机械，CNY 100,000.00",
    )  # fmt: skip
    assert "仅确认部分订单" in task.values["Description"]
    # Nothing is told a second time, whatever runs.
    for _ in range(2):
        desk.run()
        assert desk.notify() == []
    assert len(server.taken) == 1


def test_an_owner_whom_only_the_crm_knows(desk: NoticeDesk, server: MailServer) -> None:
    desk.order("S2", "C2", 150_000)
    desk.run()
    desk.notify()
    (mail,) = server.taken
    assert (mail["To"], mail["Subject"]) == (
        "Zhou Yan <zhou@example.com>", "Order S2 is held: Crane Ltd, CNY 150,000.00",
    )  # fmt: skip
    (task,) = desk.tasks()
    assert (task.target, task.values["Owner"]) == ("A2", "u-zhou")


def test_whoever_has_left_is_told_nothing(desk: NoticeDesk, server: MailServer) -> None:
    from connector.model import Person as User

    desk.crm_says("users", User(id="u-zhou", name="Zhou Yan", email="zhou@example.com", active=False))
    desk.order("S2", "C2", 150_000)
    desk.run()
    desk.notify()
    assert (server.taken, desk.tasks()) == ([], [])


def test_a_request_is_a_task_for_each_who_may_and_goes_when_it_is_decided(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    desk.notify()
    desk.asks("S1", "chen.jie", "老客户，周一付款")
    desk.notify()
    mine = [t for t in desk.tasks("owed") if t.key.startswith("release:")]
    # Zhao Min is known in the CRM by his address.
    assert [(t.key.rpartition(":")[2], t.values["Owner"]) for t in mine] == [
        ("wang.fang", "51"), ("li.wei", "52"), ("zhao.min", "53"),
    ]  # fmt: skip
    assert mine[0].values["Subject"] == "待审批放行：订单 SO-S1，华东机械，CNY 100,000.00"
    assert mine[1].values["Subject"] == "Release wanted: order SO-S1, 华东机械, CNY 100,000.00"
    assert (
        mine[1]
        .values["Description"]
        .startswith("陈洁 asks for its release: 老客户，周一付款\n\nWhat holds it:\n• with")
    )
    assert mine[1].values["Description"].count("holdfast order release books/S1 --why …") == 1
    assert [m["To"].addresses[0].username for m in server.taken[1:]] == ["wang", "li", "zhao"]
    desk.release("S1", "li.wei", "the bank has confirmed")
    desk.notify()
    assert {t.state for t in desk.tasks() if t.key.startswith("release:")} == {"superseded"}
    last = server.taken[-1]
    assert (last["To"].addresses[0].username, last["Subject"]) == (
        "chen", "订单 SO-S1 已放行：华东机械，CNY 100,000.00",
    )  # fmt: skip
    assert "Li Wei 已放行，上限 CNY 105,000.00，有效期至 " in last.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert len(server.taken) == 5, "who released it needs no mail about it"


def test_a_refusal_goes_to_who_asked_and_to_the_owner(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    desk.asks("S1", "wang.fang", "she is in a hurry")
    desk.refuse("S1", "li.wei", "first the 450,000")
    desk.notify()
    assert sorted(
        (m["To"].addresses[0].username, m["Subject"]) for m in server.taken if "放行被拒" in m["Subject"]
    ) == [
        ("chen", "放行被拒：订单 SO-S1，华东机械，CNY 100,000.00"),
        ("wang", "放行被拒：订单 SO-S1，华东机械，CNY 100,000.00"),
    ]


def test_free_again_is_told_to_whom_the_hold_was_told(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    desk.notify()
    assert [t.state for t in desk.tasks()] == ["owed"]
    desk.invoice("D1", "C1", 0, DAY("2026-12-10"))
    desk.run()
    desk.notify()
    assert server.subjects()[1:] == ["订单 SO-S1 可继续执行：华东机械，CNY 100,000.00"]
    assert [t.state for t in desk.tasks()] == ["superseded"], "the task that was not made yet is not made"
    # A hold that came and went before anybody was told is no news.
    desk.invoice("D2", "C1", 490_000, DAY("2026-12-10"))
    desk.run()
    desk.invoice("D2", "C1", 0, DAY("2026-12-10"))
    desk.run()
    assert [run.counts["told"] for run in desk.notify() if run.job == "notices"] == [1], (
        "he heard of it once, so he hears that it is over"
    )


def test_a_night_that_holds_many_is_one_mail_with_a_table(desk: NoticeDesk, server: MailServer) -> None:
    held(desk, *(f"S{number:03}" for number in range(500)))
    told = desk.tell()
    assert (told.counts["told"], told.counts["mails"], told.counts["tasks"]) == (500, 1, 1)
    desk.deliver()
    (mail,) = server.taken
    assert mail["Subject"] == "500 张订单有变化"
    plain, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert plain.count("• SO-S") == page.count("<tr><td>SO-S") == 500
    assert "• SO-S007  华东机械  CNY 100,000.00  冻结: 超过信用额度" in plain
    (task,) = desk.tasks()
    assert task.values["Subject"] == "华东机械 的 500 张订单已冻结"


def test_a_table_has_an_end(desk: NoticeDesk, server: MailServer) -> None:
    held(desk, *(f"S{number:03}" for number in range(503)))
    desk.notify()
    (mail,) = server.taken
    plain, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert plain.count("• SO-S") == page.count("<tr><td>SO-S") == 500
    assert "另有 3 张：holdfast order list。" in plain
    assert "另有 3 张：holdfast order list。" in page


def test_several_at_once_tell_each_thing_once(desk: NoticeDesk) -> None:
    desk.invoice("D1", "C1", 450_000, DAY("2026-12-10"))
    for number in range(3):
        desk.crm_order(f"Q{number}", "A1", 100_000, owner="57")
    desk.run()
    with ThreadPoolExecutor(6) as pool:
        runs = list(pool.map(lambda _: desk.tell(), range(6)))
    assert sum(run.counts["told"] for run in runs) == 3
    with desk.store.reading() as tx:
        assert not notices.waits(tx)
        assert len(mails.listing(tx, states=None)) == 3
    assert len(desk.tasks()) == 3


def test_who_is_reached_by_nothing_is_counted(store: Store, tmp_path: Path) -> None:
    desk = NoticeDesk.make(store, tmp_path)
    desk.order("S1", "C1", 600_000, owner="u99")
    desk.run()
    told = desk.tell()
    assert (told.counts["told"], told.counts["not_reached"], told.counts["mails"]) == (1, 1, 0)


def test_without_mail_and_without_a_crm_nothing_piles_up(store: Store, tmp_path: Path) -> None:
    desk = NoticeDesk.make(store, tmp_path)
    held(desk)
    from jobs.notices import tell

    tell(desk.store, desk.config, desk.policy, desk.clock, systems=[])
    with store.reading() as tx:
        assert not notices.waits(tx)


def test_names_from_outside_write_no_header_and_no_tag(desk: NoticeDesk, server: MailServer) -> None:
    from connector.model import Customer

    evil = "Evil\r\nBcc: all@example.com <b>&{0}{name}"
    desk.say("customers", Customer(id="C1", name=evil, currency="CNY", owner="u7"))
    held(desk)
    desk.notify()
    (mail,) = server.taken
    assert mail["Bcc"] is None
    assert mail["Subject"] == f"订单 SO-S1 已冻结：{' '.join(evil.split())}，CNY 100,000.00"
    assert "<b>" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="not an e-mail address"):
        MailSettings.model_validate({"host": "h", "sender": "a@b.cn\nBcc: x@y.cn"})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("li.wei@example.com", True),
        ("a+b@mail.sub-1.example.cn", True),
        ("li@localhost", True),
        ("", False),
        ("li@", False),
        ("@example.com", False),
        ("li@example..com", False),
        ("li wei@example.com", False),
        ("li@example.com,all@example.com", False),
        ("li@example.com\nBcc: all@example.com", False),
        ("<li@example.com>", False),
        ("li@" + "a" * 240 + "!", False),
        ("a" * 65 + "@example.com", False),
    ],
)
def test_what_is_one_address_and_nothing_else(text: str, right: bool) -> None:
    assert is_address(text) is right


# --- what becomes of a mail ------------------------------------------------------------------------------------------------
def states(desk: NoticeDesk) -> list[tuple[str, str | None]]:
    with desk.store.reading() as tx:
        return [(m.state, m.code) for m in reversed(mails.listing(tx, states=None))]


def test_a_recipient_that_is_refused_for_good(desk: NoticeDesk, server: MailServer) -> None:
    server.faults.refuse["chen@example.com"] = "550 no such user"
    held(desk)
    desk.order("S2", "C2", 150_000)
    desk.run()
    desk.tell()
    done = desk.deliver()
    assert states(desk) == [("refused", "550"), ("sent", None)], "the others go on"
    (problem,) = done.problems
    assert problem.code == "mail_refused"
    assert problem.what.en == (
        "The mail “订单 SO-S1 已冻结：华东机械，CNY 100,000.00” does not reach 陈洁. The mail server says: 550 no such user"
    )
    number = problem.where.removeprefix("mail/")
    assert problem.fix.zh == (
        f"请核实并处理后执行 `holdfast notice resend {number}`，或 `holdfast notice drop {number}`。"
    )


def test_a_server_that_is_busy_is_asked_again_later(desk: NoticeDesk, server: MailServer) -> None:
    server.faults.refuse["chen@example.com"] = "451 try later"
    held(desk)
    desk.notify()
    assert states(desk) == [("owed", None)]
    assert desk.deliver().id == 0, "not yet"
    server.faults.refuse.clear()
    desk.clock.at += dt.timedelta(minutes=3)
    desk.deliver()
    assert (states(desk), len(server.taken)) == ([("sent", None)], 1)


@pytest.mark.parametrize("answer", ["cut", "silent"])
def test_without_the_last_word_nobody_knows_and_nothing_is_sent_twice(
    desk: NoticeDesk, server: MailServer, answer: str
) -> None:
    server.faults.answers = [answer]
    held(desk)
    desk.order("S2", "C2", 150_000)
    desk.run()
    desk.tell()
    done = desk.deliver()
    assert states(desk) == [("unknown", "no_answer"), ("sent", None)]
    assert [p.code for p in done.problems] == ["mail_unknown"]
    desk.clock.at += dt.timedelta(days=1)
    desk.deliver()
    assert len(server.taken) == 2, "one for each order"
    with desk.store.reading() as tx:
        (first,) = mails.listing(tx, states=("unknown",))
    mailing.resend(desk.store, desk.clock, first.id, desk.person("li.wei"), "she has not got it")
    desk.deliver()
    assert states(desk) == [("sent", None), ("sent", None)]
    assert [m["Message-ID"] for m in server.taken].count(first.message_id) == 2, "known as one and the same"
    with desk.store.reading() as tx:
        (entry,) = [line.entry for line in audit.listing(tx, action="notice")]
    assert (entry.action, entry.subject, entry.actor) == ("notice.resend", f"mail:{first.id}", "person:li.wei")


def test_a_connection_that_breaks_within_the_text_is_no_doubt(desk: NoticeDesk, server: MailServer) -> None:
    server.faults.answers = ["cut_in_text"]
    desk.config = desk.config.model_copy(update={"mail": settings(server, timeout_seconds=20)})
    with desk.store.writing() as tx:
        # Larger than what the system takes ahead of a broken connection.
        mails.add(tx, [Mail("<a@b>", "x", "X", "x@example.com", "en", "large", "x" * 3_000_000, "")], desk.clock.now())
    desk.deliver()
    assert (states(desk), server.taken) == ([("owed", None)], [])
    desk.clock.at += dt.timedelta(minutes=3)
    desk.deliver()
    assert (states(desk), len(server.taken)) == ([("sent", None)], 1)


def test_a_process_that_died_while_sending_leaves_a_doubt(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    desk.tell()
    with desk.store.writing() as tx:
        mine = mails.claim(tx, desk.clock.now(), seconds=10)
    assert mine is not None
    assert desk.deliver().id == 0, "it may still be at it"
    desk.clock.at += dt.timedelta(seconds=11)
    done = desk.deliver()
    assert (states(desk), server.taken) == ([("unknown", None)], [])
    assert [p.code for p in done.problems] == ["mail_unknown"]
    mailing.drop(desk.store, desk.clock, mine.id, Person("me", alone=True))
    assert (states(desk), desk.deliver().id) == ([("dropped", None)], 0)
    with pytest.raises(Missing):
        mailing.drop(desk.store, desk.clock, mine.id, Person("me", alone=True))


def test_a_server_that_is_away_parks_nothing(desk: NoticeDesk, server: MailServer) -> None:
    held(desk)
    desk.tell()
    desk.config = desk.config.model_copy(update={"mail": settings(server, port=1)})
    for _ in range(12):
        failed = desk.deliver()
        assert failed.failed is not None
        assert failed.failed.en == "The mail server 127.0.0.1 cannot be reached (ConnectionRefusedError)."
        desk.clock.at += dt.timedelta(hours=1)
    assert states(desk) == [("owed", None)]


# --- the way there ------------------------------------------------------------------------------------------------------
def test_signed_in_only_over_tls(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path)
    monkeypatch.setenv("MAIL_WORD", "s3cret-word")
    with mail_server(pem) as server:
        more = {"security": "starttls", "user": "credit", "password": "env:MAIL_WORD"}
        desk = NoticeDesk.make(store, tmp_path, settings(server, **more))
        held(desk)
        desk.tell()
        untrusted = desk.deliver()
        assert untrusted.failed is not None
        assert untrusted.failed.en.startswith("The certificate of the mail server 127.0.0.1 is not valid: ")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        server.faults.starttls = False
        open_only = desk.deliver()
        assert open_only.failed is not None
        assert open_only.failed.zh == (
            "邮件服务器 127.0.0.1 不支持 [mail] 所要求的方式（starttls 或登录）：不会以明文发送。"
        )
        assert (server.signed_in, server.taken) == ([], [])
        server.faults.starttls = True
        done = desk.deliver()
        assert (done.failed, len(server.taken), len(server.signed_in)) == (None, 1, 1)
        with store.reading() as tx:
            kept = repr(mails.listing(tx, states=None))
        assert "s3cret-word" not in kept + repr(done) + repr(untrusted)


def test_a_password_never_travels_open() -> None:
    with pytest.raises(ValueError, match="a password never travels unsecured"):
        MailSettings.model_validate(
            {"host": "mail.example.com", "security": "none", "sender": "a@b.cn", "user": "a", "password": "env:X"}
        )
