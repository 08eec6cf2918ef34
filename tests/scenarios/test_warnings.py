"""Stories of early warning: what is noticed of a customer, how high it stands, and how it comes to rest again.

The day is 2 March 2026 unless a story says otherwise. Policy: the shipped one. C1 is 华东机械, C2 another customer; nobody
owes anything at first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.policy import load
from connector.store.db import Store
from tests.jobs.warning_desk import DAY0, WarningDesk

DAY = dt.date.fromisoformat


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[WarningDesk]:
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield WarningDesk(store)
    store.close()


def test_an_invoice_grows_old_and_is_paid(desk: WarningDesk) -> None:
    """Of CNY 100,000 open, 12,000 are 14 days late. A day later that is noticed twice; it is paid; three days later green."""
    desk.invoice("F-1", "C1", 14, 12_000)
    desk.invoice("F-2", "C1", -40, 88_000)
    desk.run()
    assert desk.stands() == {"overdue_ratio": "yellow"}
    desk.next_day()
    assert desk.sentences() == [
        (
            "yellow",
            "12.00% of all open items is overdue (yellow from 10%)",
            "逾期金额占未清项的 12.00%（达到 10% 为黄色）",
        ),
        (
            "yellow",
            "the oldest undisputed item is 15 days overdue (yellow from 15)",
            "最早的无争议未清项已逾期 15 天（达到 15 天为黄色）",
        ),
    ]
    desk.pay("P-1", 1_200_000, "F-1")
    desk.run()
    assert set(desk.stands().values()) == {"yellow"}, "paid at noon: this day is no day without the trouble"
    desk.next_day(2)
    assert desk.stands() == {"overdue_ratio": "yellow", "oldest_overdue": "yellow"}
    assert desk.alert("oldest_overdue").state.clear == 2
    desk.next_day()
    assert desk.stands() == {}
    assert desk.body()["warning_level"] == "green"
    assert [(one.indicator, str(one.state.opened_on), str(one.closed_on)) for one in desk.ended()] == [
        ("oldest_overdue", "2026-03-03", "2026-03-06"),
        ("overdue_ratio", "2026-03-02", "2026-03-06"),
    ]


def test_a_debtor_of_the_court(desk: WarningDesk) -> None:
    """被执行人: orange at once, with its case. The list forgets it; nobody asks again, and it stays. Then somebody asks."""
    desk.event("E-1", "court_executed", on=DAY("2026-02-25"), text="(2026)沪0115执1234号")
    desk.run()
    assert desk.sentences() == [
        ("orange", "courts: enforcement, on 2026-02-25 (qichacha)", "司法信息：被执行人，2026-02-25（来源：qichacha）")
    ]
    assert desk.body()["actions"] == ["task", "review"]
    # The provider takes the entry back without a word: that is not known to be good news.
    del desk.seen["events"]["E-1"]
    desk.next_day(5)
    assert desk.stands() == {"court": "orange", "data_quality": "yellow"}
    assert desk.sentences() == [
        (
            "orange",
            "courts: not known; still orange: today's value is not known or old",
            "司法信息：未知；仍为橙色：当前数值未知或过期，不降级",
        ),
        (
            "yellow",
            "data are missing or old, so that a warning cannot be looked at again: courts",
            "数据缺失或过期，以下预警无法复核，等级暂不下调：司法信息",
        ),
    ]
    desk.clock.sleep(86_400)
    desk.event("E-2", "court_checked", source="zxgk_manual")
    desk.run()
    assert desk.stands() == {"court": "orange"}
    desk.next_day(2)
    assert desk.stands() == {"court": "yellow"}, "one level in three days"
    desk.next_day(3)
    assert desk.stands() == {}


def test_promises_are_not_kept(desk: WarningDesk) -> None:
    """Twice CNY 5,000 were promised and did not come: yellow for the first, orange for the second, both with the grace."""
    desk.invoice("F-1", "C1", -200, 50_000)
    desk.promise("V-1", DAY("2026-03-04"), 5_000)
    desk.promise("V-2", DAY("2026-03-09"), 5_000)
    desk.run()
    course = []
    for _ in range(12):
        course.append((desk.today, desk.stands().get("broken_promises")))
        desk.next_day()
    turned = [
        (str(day), level)
        for (day, level), before in zip(course, [(None, "-"), *course], strict=False)
        if level != before[1]
    ]
    assert turned == [("2026-03-02", None), ("2026-03-08", "yellow"), ("2026-03-13", "orange")]
    (told,) = desk.sentences()
    assert told == (
        "orange",
        "promises to pay not kept in the last 90 days: 2 (orange from 2)",
        "近 90 天有 2 次付款承诺未兑现（达到 2 次为橙色）",
    )


def test_the_insurer_withdraws_its_cover(tmp_path: Path) -> None:
    """First it cuts, then it withdraws: orange, red. This company stops credit at red: new orders are held, cash only."""
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = WarningDesk(store, load('[warning.actions]\nred = ["task", "freeze_increases", "stop_credit"]'))
    desk.event("E-1", "insurer_cut", source="insurer")
    desk.run()
    assert (desk.stands(), desk.body()["hold"]) == ({"insurer": "orange"}, False)
    desk.clock.sleep(86_400)
    desk.event("E-2", "insurer_withdrawn", source="insurer")
    desk.run()
    assert desk.sentences() == [
        ("red", "the credit insurer withdrew its cover on 2026-03-03", "保险公司于 2026-03-03 撤销承保")
    ]
    body = desk.body()
    assert (body["hold"], body["actions"]) == (True, ["task", "freeze_increases", "stop_credit"])
    assert [(r["rule"], r["en"], r["zh"]) for r in body["reasons"]] == [
        (
            "stop_credit",
            "credit is stopped at the warning level red: cash only",
            "预警等级为红色，已停止授信：仅限现款",
        )
    ]
    assert desk.trail() == [("warning.open", "insurer", "orange"), ("warning.raise", "insurer", "red")]
    store.close()


def test_a_limit_comes_to_its_end_and_is_renewed(desk: WarningDesk) -> None:
    """The limit ends on 10 April: yellow 30 days before, orange 7 days before, red once it has ended."""
    desk.limit(100_000, valid_to=DAY("2026-04-10"))
    desk.run()
    seen = {}
    while desk.today < DAY("2026-04-11"):
        desk.next_day()
        level = desk.stands().get("limit_expiry", "green")
        if level not in seen:
            seen[level] = (str(desk.today), *[(s[1], s[2]) for s in desk.sentences() if "limit" in s[1]])
    assert seen == {
        "green": ("2026-03-03",),
        "yellow": (
            "2026-03-11",
            (
                "the credit limit ends on 2026-04-10, in 30 days (yellow from 30 days before)",
                "信用额度将于 2026-04-10 到期，还有 30 天（提前 30 天起为黄色）",
            ),
        ),
        "orange": (
            "2026-04-03",
            (
                "the credit limit ends on 2026-04-10, in 7 days (orange from 7 days before)",
                "信用额度将于 2026-04-10 到期，还有 7 天（提前 7 天起为橙色）",
            ),
        ),
        "red": ("2026-04-11", ("the credit limit ended on 2026-04-10", "信用额度已于 2026-04-10 到期")),
    }
    desk.limit(100_000, valid_from=DAY("2026-04-12"), valid_to=DAY("2027-04-11"))
    levels = []
    for _ in range(9):
        desk.next_day()
        levels.append(desk.stands().get("limit_expiry", "green"))
    assert levels == ["red"] * 2 + ["orange"] * 3 + ["yellow"] * 3 + ["green"]


def test_a_payment_bounces(desk: WarningDesk) -> None:
    """One bounced payment is red, for a year."""
    desk.event("E-1", "bounced_payment", source="bank")
    desk.run()
    assert desk.sentences() == [
        (
            "red",
            "bills dishonoured or payments bounced in the last 365 days: 1, the last on 2026-03-02 (red from 1)",
            "近 365 天发生票据拒付或付款退回 1 次，最近一次在 2026-03-02（达到 1 次为红色）",
        )
    ]
    assert desk.body()["actions"] == ["task", "review", "freeze_increases"]
    desk.next_day(30)
    assert desk.stands() == {"dishonoured": "red"}
    desk.clock.at += dt.timedelta(days=336)
    desk.run()
    assert desk.today == DAY("2027-03-03")
    desk.next_day(2)
    assert desk.stands() == {}, "there is nothing between red and green here"


def test_more_is_ordered_than_ever_while_items_are_overdue(desk: WarningDesk) -> None:
    """CNY 10,000 a month for half a year, and now 55,000 in a month: red only because something is overdue."""
    for month in range(6):
        desk.order(f"O-{month}", 40 + 30 * month, 10_000)
    desk.order("O-now", 10, 55_000)
    desk.run()
    assert desk.sentences() == [
        (
            "orange",
            "orders of the last 30 days are 5.5 times the monthly average of the 6 months before (orange from 3)",
            "近 30 天订单金额为此前 6 个月月均的 5.5 倍（达到 3 倍为橙色）",
        )
    ]
    desk.invoice("F-1", "C1", 3, 100)
    desk.invoice("F-2", "C1", -30, 100_000)
    desk.next_day()
    assert desk.stands() == {"order_spike": "red"}


def test_a_ledger_that_is_not_read_lets_nobody_off(desk: WarningDesk) -> None:
    """Red with a paid invoice, but the ledger is not read for a week: those days do not count, and that is told."""
    desk.invoice("F-1", "C1", 70, 10_000)
    desk.invoice("F-2", "C1", -90, 90_000)
    desk.run()
    assert desk.stands() == {"overdue_ratio": "yellow", "oldest_overdue": "red", "last_payment": "orange"}
    desk.pay("P-1", 1_000_000, "F-1")
    desk.next_day()
    assert desk.alert("oldest_overdue").state.clear == 1
    desk.next_day(7, pull=False)  # the first of these days is within the hours that data may be old
    stuck = {"overdue_ratio": "yellow", "oldest_overdue": "red", "last_payment": "orange", "data_quality": "yellow"}
    assert desk.stands() == stuck
    assert desk.alert("oldest_overdue").state.clear == 2
    assert (
        "yellow",
        "data are missing or old, so that a warning cannot be looked at again: "
        "share of overdue in open items, days overdue of the oldest undisputed item, "
        "days since the last payment, with anything overdue",
        "数据缺失或过期，以下预警无法复核，等级暂不下调："
        "逾期金额占未清项比例、最早无争议未清项逾期天数、有逾期时距最近回款的天数",
    ) in desk.sentences()
    desk.next_day()
    assert desk.stands() == {"oldest_overdue": "orange", "last_payment": "yellow"}, (
        "read again: the third day without the trouble"
    )


def test_every_run_of_a_day_is_the_same_run(desk: WarningDesk) -> None:
    """Four runs a day and one run a day come to the same, and only the first of each is written."""
    desk.invoice("F-1", "C1", 35, 10_000)
    desk.run()
    desk.pay("P-1", 1_000_000, "F-1")
    for _ in range(7):
        desk.next_day()
        before = (desk.stands(), desk.trail(), desk.everything())
        for _ in range(3):
            desk.clock.sleep(3600)
            desk.run(full=True)
            assert (desk.stands(), desk.trail(), desk.everything()) == before
        desk.clock.sleep(-3 * 3600)
    assert desk.trail() == [
        ("warning.open", "overdue_ratio", "red"),
        ("warning.open", "oldest_overdue", "orange"),
        ("warning.lower", "overdue_ratio", "orange"),
        ("warning.lower", "oldest_overdue", "yellow"),
        ("warning.lower", "overdue_ratio", "yellow"),
        ("warning.close", "oldest_overdue", "green"),
    ]
    assert desk.alert("overdue_ratio").state.opened_on == DAY0
