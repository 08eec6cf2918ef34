"""Stories of limits: how one is proposed, who may approve it, what counts on which day.

The day is 2 March 2026 unless a story says otherwise. Policy: the shipped one. The people: 李伟 is a credit controller (up
to CNY 100,000), 王芳 an approver, 赵敏 an approver who may go up to CNY 800,000, 陈洁 sells.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connector.credit.granting import standing
from connector.errors import ConfigError
from connector.model import Application, Document, Payment
from connector.policy import load
from connector.store import audit
from connector.store.db import Store
from tests.jobs.limit_desk import LimitDesk

DAY = dt.date.fromisoformat


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LimitDesk]:
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield LimitDesk(store)
    store.close()


def paying(desk: LimitDesk, customer: str = "C1", yuan: int = 100_000, months: int = 12) -> None:
    """An invoice a month for so many months, each paid on the day it falls due."""
    for month in range(months, 0, -1):
        name, days = f"{customer}-{month}", 30 * (month - 1) + 3
        desk.invoice(name, customer, days, yuan)
        due_on = desk.today - dt.timedelta(days=days)
        paid = {"customer_id": customer, "received_on": due_on, "currency": "CNY", "amount": yuan * 100}
        desk.say("payments", Payment(id=name, **paid))
        desk.say(
            "applications", Application(id=name, from_id=name, to_id=name, amount=Decimal(yuan), applied_on=due_on)
        )


def refusal(desk: LimitDesk, number: int, who: str, yuan: int | None = None) -> tuple[str, str]:
    with pytest.raises(ConfigError) as wrong:
        desk.approve(number, who, yuan)
    return wrong.value.user.en, wrong.value.user.zh


def test_a_first_limit_for_a_new_customer_comes_in_three_parts(desk: LimitDesk) -> None:
    """华东机械 ordered for the first time in February. Nothing is known of it. Of CNY 50,000 it gets 20,000 at once."""
    desk.customer(name="华东机械有限公司")
    desk.invoice("F-1", "C1", -20, 8_000)
    desk.evaluate()
    assert desk.propose().counts["proposals"] == 1
    (asked,) = desk.requests()
    assert asked.request.kind == "stage"
    assert asked.body["text"] == [
        "proposed: a first limit of CNY 50,000.00; what binds: the starter limit",
        "建议首次授信 CNY 50,000.00；约束因素：起步额度",
    ]
    assert asked.body["person_needed"] == ["nothing is approved without a person", "政策未启用自动批准"]
    done = desk.approve(asked.number, "li.wei", why="试销")
    assert done.text.en == "Request 1 is approved and in force: a limit in stages of CNY 50,000.00."
    assert done.text.zh == "申请 1 已批准并生效：分期额度 CNY 50,000.00。"
    now = desk.effective()
    assert now.amount == 20_000
    assert [s.en for s in now.steps] == [
        "tranche 1: CNY 20,000.00 released",
        "tranche 2: CNY 15,000.00 not yet released (from:2026-05-01 paid>=80% late<=15 suspend:late>30)",
        "tranche 3: CNY 15,000.00 not yet released (from:2026-06-30 paid>=80% late<=15 suspend:late>30)",
    ]
    assert now.steps[0].zh == "第 1 期额度 CNY 20,000.00 已释放"


def test_the_second_part_is_released_by_good_behaviour_and_suspended_by_bad(desk: LimitDesk) -> None:
    """Two months later the first invoice is paid: part two counts. Then one falls 31 days late, and it does not."""
    desk.invoice("F-1", "C1", -20, 8_000)
    desk.evaluate()
    desk.propose()
    desk.approve(1, "li.wei")
    desk.evaluate()
    sold = {"customer_id": "C1", "kind": "invoice", "issued_on": desk.today, "currency": "CNY"}
    desk.say("documents", Document(id="F-2", due_on=DAY("2026-04-01"), amount=1_000_000, **sold))
    desk.days(49)
    desk.pay("P-2", 1_000_000, "F-2")
    desk.pay("P-1", 800_000, "F-1")
    desk.days(10)
    desk.evaluate()
    assert desk.decided() == 20_000, "one day before the sixtieth"
    desk.days(1)
    desk.evaluate()
    assert desk.decided() == 35_000
    desk.invoice("F-3", "C1", -1, 2_000)
    desk.days(32)
    desk.evaluate()
    assert desk.decided() == 20_000, "31 days late: suspended"
    desk.pay("P-3", 200_000, "F-3")
    desk.evaluate()
    assert desk.decided() == 35_000, "a release stays"


def test_who_may_approve_half_a_million(desk: LimitDesk) -> None:
    """陈洁 asks for CNY 500,000 for her customer. She may not approve it, 李伟 neither; 王芳 may."""
    desk.customer(owner="S7")
    desk.evaluate()
    number = desk.ask("base", 500_000, "chen.jie", valid_to=DAY("2027-03-01"))
    assert refusal(desk, number, "chen.jie") == (
        "陈洁 is the salesperson in charge: somebody else has to approve it.",
        "陈洁 是该业务的负责销售，须由他人审批。",
    )
    assert refusal(desk, number, "li.wei") == (
        "This needs one approver; 李伟 is a credit controller.",
        "须由一名审批人批准；李伟 的角色为信用专员。",
    )
    assert desk.effective().kind == "none"
    assert desk.approve(number, "wang.fang").stands.state == "in_force"
    assert desk.effective().amount == 500_000
    assert desk.effective(DAY("2027-03-01")).amount == 500_000
    assert desk.effective(DAY("2027-03-02")).expired
    told = [(line.entry.action, line.entry.actor) for line in desk.trail()]
    assert told == [("limit.propose", "person:chen.jie"), ("limit.approve", "person:wang.fang")]


def test_above_a_million_two_different_people(desk: LimitDesk) -> None:
    """CNY 1,200,000: 王芳 alone is not enough, twice 王芳 neither, and 赵敏's own bound is 800,000."""
    desk.evaluate()
    number = desk.ask("base", 1_200_000)
    first = desk.approve(number, "wang.fang")
    assert first.stands.state == "open"
    assert first.text.en == (
        "Request 1, a limit of CNY 1,200,000.00, has one approval and waits for a second person (-)."
    )
    assert first.text.zh == "申请 1（额度 CNY 1,200,000.00）已有一人批准，待第二人批准（-）。"
    assert refusal(desk, number, "wang.fang")[1] == "王芳 已批准过，还需另一人批准。"
    assert refusal(desk, number, "zhao.min") == (
        "赵敏 may approve up to 800,000; this is 1,200,000.00.",
        "赵敏 的审批权限为 800,000 以内，本项为 1,200,000.00。",
    )
    assert desk.effective().kind == "none"
    lower = desk.approve(number, "zhao.min", 800_000, why="先给八十万")
    assert lower.stands.state == "in_force"
    assert desk.effective().amount == 800_000
    assert desk.states() == [(1, "in_force", Decimal(800_000))]


def test_whoever_raises_an_amount_has_asked_for_it_himself(desk: LimitDesk) -> None:
    """王芳 thinks 300,000 is too little and makes it 400,000. That is her own request now: 赵敏 has to approve it."""
    desk.evaluate()
    number = desk.ask("base", 300_000)
    raised = desk.approve(number, "wang.fang", 400_000)
    assert raised.text.en == "Request 1, a limit of CNY 400,000.00, waits for one approver (赵敏)."
    assert raised.text.zh == "申请 1（额度 CNY 400,000.00）待一名审批人批准（赵敏）。"
    assert refusal(desk, number, "wang.fang") == (
        "王芳 asked for it: somebody else has to approve it.",
        "该申请由 王芳 提出，须由他人批准。",
    )
    assert desk.approve(number, "zhao.min").stands.state == "in_force"
    assert desk.effective().amount == 400_000


def test_a_rejected_request_changes_nothing_and_is_not_proposed_again(desk: LimitDesk) -> None:
    """李伟 rejects what the formula proposed. The next night it is silent; a better grade makes it speak again."""
    paying(desk, months=12)
    desk.customer(first_sold_on=DAY("2020-01-01"))
    desk.limit_said(50_000)
    desk.evaluate()
    key = desk.row().debtor
    assert desk.propose([key]).counts["proposals"] == 1
    rejected = desk.reject(1, "li.wei", "等年报")
    assert rejected.text.zh.startswith("申请 1 已否决：额度 CNY ")
    assert desk.propose([key]).counts["proposals"] == 0
    assert desk.effective().amount == 50_000
    with pytest.raises(ConfigError, match="Request 1 is rejected"):
        desk.approve(1, "wang.fang")
    with pytest.raises(ConfigError, match="Say why"):
        desk.reject(desk.ask("base", 1), "li.wei", " ")


def test_an_uplift_for_the_autumn_on_a_limit_that_the_ledger_gave(desk: LimitDesk) -> None:
    """The ledger says 300,000. From the day on which an uplift is approved here, the limit is kept here: 320,000 while the
    uplift lasts, 300,000 after it, and what the ledger says later is not heard any more."""
    desk.limit_said(300_000)
    desk.evaluate()
    number = desk.ask("additive", 20_000, valid_from=DAY("2026-03-10"), valid_to=DAY("2026-04-10"))
    desk.approve(number, "wang.fang")
    assert [desk.effective(DAY(d)).amount for d in ("2026-03-02", "2026-03-09", "2026-03-10", "2026-04-10", "2026-04-11")] == [
        300_000, 300_000, 320_000, 320_000, 300_000,
    ]  # fmt: skip
    # The ledger was told 320,000 and says so now: nothing is added to it once more.
    desk.limit_said(320_000)
    desk.pull()
    assert desk.effective(DAY("2026-03-10")).amount == 320_000
    assert desk.effective(DAY("2026-03-01")).amount == 320_000, "before that day the ledger's word counts"
    assert [line.entry.action for line in desk.trail()] == ["limit.propose", "limit.adopt", "limit.approve"]


def test_nothing_rises_while_dunning_has_reached_the_final_demand(desk: LimitDesk) -> None:
    """An invoice is 50 days late. The lawyer's letter is out: no rise, whoever would approve it; a cut is possible. What
    was asked for before waits; who asks now is told at once, with the way out."""
    desk.limit_said(300_000)
    desk.evaluate()
    more = desk.ask("base", 310_000)
    desk.invoice("F-1", "C1", 1, 20_000)
    for _ in range(50):
        desk.pull()
        desk.dun(policy=load(""))
        desk.days(1)
    desk.evaluate()
    en, zh = refusal(desk, more, "wang.fang")
    assert en in (
        "No limit can be raised now: dunning has reached level 4.",
        "No limit can be raised now: the warning level is red.",
    )
    assert zh in ("目前不得提高额度：催收已达 4 级。", "目前不得提高额度：预警等级为红色。")
    with pytest.raises(ConfigError) as at_once:
        desk.ask("base", 320_000)
    assert at_once.value.user.en == (
        "The limit cannot rise now: the warning level is red. It can be asked for again when that has cleared; until then "
        "the release of a single held order can be asked for."
    )
    assert at_once.value.user.zh == (
        "目前不得申请提高额度：预警等级为红色。待情况消除后可再次申请；在此之前可就单笔被冻结的订单申请放行。"
    )
    less = desk.ask("base", 200_000)
    assert desk.approve(less, "wang.fang").stands.state == "in_force"
    assert desk.states() == [(1, "superseded", Decimal(310_000)), (2, "in_force", Decimal(200_000))]
    assert desk.effective().amount == 200_000


def test_what_the_policy_lets_pass_needs_nobody(tmp_path: Path) -> None:
    """Grade A, green, a quarter up and below 100,000: approved in the night, with the reckoning in the trail."""
    policy = load(
        "[data]\nstale_after_hours = 8784\n[limit.automatic]\non = true\nup_to_band = 'C'\nup_to_rise_percent = 50\n"
    )
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = LimitDesk(store, policy)
    paying(desk, yuan=50_000)
    desk.customer(first_sold_on=DAY("2015-01-01"))
    desk.limit_said(40_000, valid_to=DAY("2026-03-20"))
    desk.evaluate()
    done = desk.propose()
    assert (done.counts["proposals"], done.counts["approved"]) == (1, 1), desk.requests()[0].body
    (asked,) = desk.requests()
    # Grade A: all of 59,178.08, down to tens of thousands.
    assert asked.request.amount == 50_000
    assert asked.body["steps"][0][1] == (
        "need: credit sales of CNY 600,000.00 a year ÷ 365 × (30 days of terms + 0 days late) × peak factor 1.2 = "
        "CNY 59,178.08"
    )
    stands = standing(asked.request, asked.events)
    assert (stands.state, stands.approvers) == ("in_force", ("job:limit",))
    assert desk.effective().amount == desk.effective(DAY("2027-03-02")).amount == asked.request.amount
    with store.reading() as tx:
        assert audit.verify(tx) == []
    assert desk.propose().counts["proposals"] == 0, "nothing is due any more"
    store.close()


def test_on_old_data_nothing_passes_by_itself(tmp_path: Path) -> None:
    """The same customer, but the ledger was last read three days ago: 李伟 has to look at it."""
    policy = load("[limit.automatic]\non = true\nup_to_band = 'C'\nup_to_rise_percent = 50\n")
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = LimitDesk(store, policy)
    paying(desk, yuan=50_000)
    desk.customer(first_sold_on=DAY("2015-01-01"))
    desk.limit_said(40_000, valid_to=DAY("2026-03-20"))
    desk.evaluate()
    desk.days(3)
    done = desk.propose()
    assert (done.counts["proposals"], done.counts["approved"]) == (1, 0)
    assert desk.requests()[0].body["person_needed"] == ["its figures are too old or not clear", "数据过期或不明确"]
    assert desk.approve(1, "li.wei").stands.state == "in_force"
    store.close()


def test_where_the_erp_keeps_limits_an_approval_counts_when_it_is_read_back(tmp_path: Path) -> None:
    """Limits are kept in the ERP, which cannot be written to: somebody has to enter it there."""
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = LimitDesk(store, master=None)
    desk.limit_said(100_000)
    desk.evaluate()
    number = desk.ask("base", 150_000)
    done = desk.approve(number, "wang.fang")
    assert done.text.en == (
        "Request 1 is approved: a limit of CNY 150,000.00. Nothing can be written to books: enter it there; it counts when "
        "it is read back."
    )
    assert done.text.zh == "申请 1 已批准：额度 CNY 150,000.00。无法写入 books，请在该系统中录入；读回后生效。"
    assert desk.effective().amount == 100_000
    desk.propose([])
    assert desk.states() == [(1, "granted", Decimal(150_000))]
    desk.limit_said(150_000)
    desk.evaluate()
    assert desk.propose([]).counts["in_force"] == 1
    assert desk.states() == [(1, "in_force", Decimal(150_000))]
    with pytest.raises(ConfigError) as wrong:
        desk.ask("additive", 10_000)
    assert wrong.value.user.zh == (
        'books 中每个客户只有一个额度：临时、季节或分期额度须在 config.toml 的 [limits] 中设置 master = "here"。'
    )
    store.close()


def test_alone_at_the_machine_one_person_does_everything(tmp_path: Path) -> None:
    """Nobody is configured: whoever sits there asks and approves."""
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    desk = LimitDesk(store, people=())
    desk.evaluate()
    number = desk.ask("base", 5_000_000, "anna")
    assert desk.approve(number, "anna").stands.state == "in_force"
    assert desk.trail("limit.approve")[0].entry.actor == "person:anna"
    store.close()
