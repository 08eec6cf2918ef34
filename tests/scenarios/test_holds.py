"""Stories of a credit manager about orders: held and why, released and how far, and who comes first when money comes in.

Everything happens through the jobs that the night, the systems and the command line use. The policy is the shipped one
unless a story says otherwise; today is Friday, 2026-11-20.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.credit.reason import Reason
from connector.errors import ConfigError
from connector.model import Customer
from connector.policy import load
from connector.store import audit, customers, dunning, order_credit
from connector.store.db import Store
from jobs.dun import dun
from jobs.exclusion import exclude
from jobs.frame import frame
from jobs.judge import judge
from jobs.order_desk import the_order
from jobs.order_remedy import remedies_of
from tests.jobs.conftest import pg_server as pg_server
from tests.jobs.conftest import pg_store as pg_store
from tests.jobs.conftest import pg_url as pg_url
from tests.jobs.shop import Shop, config
from tests.store.conftest import store as store

DAY = dt.date.fromisoformat


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    """Huadong has a limit of 500,000. The group Hengtong (1,000,000) has two members with 600,000 each."""
    made = Shop(store, config(tmp_path))
    made.customers(
        Customer(id="C1", name="华东机械", currency="CNY", terms="net:30", segment="key", owner="u7"),
        Customer(id="G", name="恒通集团", currency="CNY"),
        Customer(id="A", name="恒通一厂", currency="CNY", parent_id="G"),
        Customer(id="B", name="恒通二厂", currency="CNY", parent_id="G"),
        limits={"C1": 500_000, "G": 1_000_000, "A": 600_000, "B": 600_000},
    )
    return made


def en(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.text.en for reason in reasons]


def zh(reasons: tuple[Reason, ...]) -> list[str]:
    return [reason.text.zh for reason in reasons]


def ways(shop: Shop, ref: str, language: str = "en") -> list[str]:
    """What would release an order, in words."""
    with shop.store.reading() as tx:
        order = the_order(tx, ref)
        base = frame(tx, shop.config, shop.policy, shop.clock, shop.today)
        judged = next(j for j in judge(tx, base, [order.debtor or 0]) if j.debtor == order.debtor)
        row = next(row for row, _ in judged.orders if row.key == order.key)
        found = remedies_of(tx, base, judged, row)
    return [way.text.zh if language == "zh" else way.text.en for way in found]


def test_an_order_too_large_and_the_ways_out(shop: Shop) -> None:
    """Huadong owes 329,100 and orders for 180,800: 9,900 too much. Four ways lead out; half of it ships today."""
    shop.invoice("D1", "C1", 329_100, DAY("2026-12-10"))
    shop.order("S1", "C1", 180_800)
    held = shop.check("S1")
    assert en(held.decision.reasons) == [
        "with this order exposure is CNY 509,900.00 and exceeds the limit of CNY 500,000.00 by CNY 9,900.00 "
        "(101.98% used)"
    ]
    assert zh(held.decision.reasons) == [
        "含本单信用占用 CNY 509,900.00，超过信用额度 CNY 500,000.00，超出 CNY 9,900.00（使用率 101.98%）"
    ]
    assert ways(shop, "S1") == [
        "the customer pays D1, CNY 329,100.00 in all",
        "the customer pays CNY 9,900.00, counted against the oldest items first",
        "only a part of the order is confirmed, up to CNY 170,900.00",
        "a temporary limit or a guarantee covers CNY 9,900.00 more",
    ]
    assert ways(shop, "S1", "zh") == [
        "客户付清 D1，合计 CNY 329,100.00",
        "客户支付 CNY 9,900.00，按最早到期的款项依次冲抵",
        "仅确认部分订单，金额不超过 CNY 170,900.00",
        "增加 CNY 9,900.00 的临时额度或担保",
    ]
    shop.order("S1", "C1", 170_900)
    assert not shop.check("S1", "change").hold


def test_money_comes_in_and_the_oldest_ship_date_goes_first(shop: Shop) -> None:
    """Three orders of 200,000 wait behind 480,000 of invoices. 300,000 are paid: one fits, the one that ships first."""
    shop.invoice("D1", "C1", 300_000, DAY("2026-12-10"))
    shop.invoice("D2", "C1", 180_000, DAY("2026-12-15"))
    for ref, ships in (("S1", "2026-12-05"), ("S2", "2026-12-01"), ("S3", "2026-12-03")):
        shop.order(ref, "C1", 200_000, ship_on=DAY(ships))
    shop.run()
    assert shop.states() == {"S1": "held", "S2": "held", "S3": "held"}
    shop.invoice("D1", "C1", 0, DAY("2026-12-10"))
    shop.days()
    shop.run()
    assert shop.states() == {"S1": "held", "S2": "passed", "S3": "held"}
    assert shop.happened("S2") == ["held", "auto_released"]
    # An urgent order comes in: S2 keeps its room.
    shop.order("S4", "C1", 200_000, ship_on=DAY("2026-11-22"))
    urgent = shop.check("S4")
    assert urgent.hold
    assert shop.states()["S2"] == "passed"


def test_the_salesman_asks_and_another_releases(shop: Shop) -> None:
    """Chen Jie, who sells to Huadong, asks for a release; he cannot give it. Li Wei can: an excess of 50,000."""
    shop.invoice("D1", "C1", 450_000, DAY("2026-12-10"))
    shop.order("S1", "C1", 100_000, owner="u7", terms="net:30")
    shop.check("S1")
    with pytest.raises(ConfigError) as refused:
        shop.release("S1", "chen.jie", "my best customer")
    assert refused.value.user.en == "Chen Jie is the salesperson in charge: somebody else has to approve it."
    assert refused.value.user.zh == "Chen Jie 是该业务的负责销售，须由他人审批。"
    state, people = shop.request("S1", "chen.jie")
    assert (state.state, [p.id for p in people]) == ("requested", ["wang.fang", "li.wei", "zhao.min", "he.ping"])
    given = shop.release("S1", "li.wei", "200,000 arrive on Monday", valid_until=DAY("2026-11-30"))
    assert given.release is not None
    assert (str(given.release.max_total), given.release.valid_until) == ("105000.00", DAY("2026-11-30"))
    with shop.store.reading() as tx:
        entry = next(line.entry for line in audit.listing(tx, action="order.released"))
    assert (entry.actor, entry.why) == ("person:li.wei", "200,000 arrive on Monday")
    assert entry.after["position"]["exposure"]["total"] == "550000.00"
    # The goods do not leave before the day is over, nor at 105,000.01, nor on longer terms.
    shop.order("S1", "C1", "105000.01", owner="u7", terms="net:60")
    again = shop.check("S1", "delivery")
    assert en(again.decision.reasons)[1:] == [
        "the order has grown to CNY 105,000.01; Li Wei released it up to CNY 105,000.00",
        "the terms are now net:60; Li Wei released it with net:30",
    ]
    assert zh(again.decision.reasons)[1:] == [
        "订单金额已增至 CNY 105,000.01，超过 Li Wei 放行的上限 CNY 105,000.00",
        "账期现为 net:60，Li Wei 放行时为 net:30",
    ]
    assert shop.states() == {"S1": "expired"}


def test_a_release_is_over_when_the_customer_turns_red(shop: Shop) -> None:
    """Released on Friday; a month later the invoice is 61 days late, the level red: the hold is back."""
    shop.invoice("D1", "C1", 100_000, DAY("2026-10-20"))
    shop.order("S1", "C1", 50_000)
    held = shop.check("S1")
    assert en(held.decision.reasons) == [
        "the oldest undisputed item is 31 days overdue, 30 are allowed; CNY 100,000.00 is overdue in all"
    ]
    shop.policy = load("[warning.overdue_ratio_percent]\non = false\n")
    shop.release("S1", "li.wei", "the bank has confirmed", valid_until=DAY("2027-01-31"))
    shop.days(28)
    shop.run()
    assert shop.states() == {"S1": "released"}
    shop.days(2)
    again = shop.check("S1", "delivery")
    assert shop.states() == {"S1": "expired"}
    assert en(again.decision.reasons)[-1] == (
        "the warning level has turned red since the release by Li Wei on 2026-11-20"
    )
    assert zh(again.decision.reasons)[-1] == "Li Wei 于 2026-11-20 放行之后，客户预警等级已转为红色"


def test_a_hold_by_hand_outlives_every_payment(shop: Shop) -> None:
    """The contract is not signed. Nothing that happens to the account lifts the hold; Wang Fang does."""
    shop.order("S1", "C1", 10_000)
    assert not shop.check("S1").hold
    shop.hold("S1", "wang.fang", "合同未签回")
    held = shop.check("S1", "release")
    assert en(held.decision.reasons) == ["held by hand: 合同未签回"]
    assert zh(held.decision.reasons) == ["人工冻结：合同未签回"]
    assert ways(shop, "S1") == [], "no money helps"
    for _ in range(3):
        shop.days()
        shop.run()
    assert shop.states() == {"S1": "held"}
    with pytest.raises(ConfigError) as refused:
        shop.hold("S1", "chen.jie", "signed", lift=True)
    assert refused.value.user.zh == "Chen Jie 不是信用专员或审批人，无权执行此操作。"
    shop.hold("S1", "wang.fang", "合同已签回", lift=True)
    assert shop.states() == {"S1": "passed"}
    assert shop.happened("S1")[-2:] == ["lifted", "auto_released"]


def test_two_factories_of_one_group(shop: Shop) -> None:
    """Each has room of its own; together they have not."""
    shop.order("A1", "A", 550_000)
    shop.order("B1", "B", 500_000)
    shop.run()
    assert shop.states() == {"A1": "passed", "B1": "held"}
    held = shop.check("B1")
    assert en(held.decision.reasons) == [
        "with this order exposure of the group 恒通集团 is CNY 1,050,000.00 and exceeds its limit of CNY 1,000,000.00 "
        "by CNY 50,000.00"
    ]
    assert zh(held.decision.reasons) == [
        "含本单集团“恒通集团”信用占用 CNY 1,050,000.00，超过其额度 CNY 1,000,000.00，超出 CNY 50,000.00"
    ]
    assert ways(shop, "B1") == [
        "only a part of the order is confirmed, up to CNY 450,000.00",
        "a temporary limit or a guarantee covers CNY 50,000.00 more",
    ]
    shop.order("A1", "A", 550_000, status="cancelled")
    shop.run()
    assert shop.states() == {"A1": "(passed)", "B1": "passed"}


def test_an_exclusion_and_what_it_does_not_reach(shop: Shop) -> None:
    """A key customer negotiates about old items: for a month the overdue rule does not apply to it, the limit does."""
    shop.invoice("D1", "C1", 400_000, DAY("2026-09-20"))
    shop.order("S1", "C1", 50_000)
    shop.order("S2", "C1", 80_000)
    shop.run()
    assert shop.states() == {"S1": "held", "S2": "held"}
    with shop.store.reading() as tx:
        debtor = next(row.debtor for row in customers.customers(tx) if row.ref == "C1")
    exclude(
        shop.store, shop.config, shop.policy, shop.clock, shop.person("li.wei"), effect="exclude", scope="customer",
        debtor=debtor, rules=("oldest_overdue",), valid_to=DAY("2026-12-20"), why="a payment plan is agreed",
    )  # fmt: skip
    assert shop.states() == {"S1": "passed", "S2": "held"}
    second = shop.check("S2")
    assert [r.rule for r in second.decision.reasons] == ["limit_exceeded"]
    assert [r.rule for r in second.decision.set_aside] == ["oldest_overdue"]
    shop.days(31)
    shop.run()
    assert shop.states() == {"S1": "held", "S2": "held"}, "the month is over"


def test_who_may_set_rules_aside_is_who_may_release_anything(shop: Shop) -> None:
    """An exclusion is no way around the matrix: not for a credit controller, and not for who sells to the customer."""
    with shop.store.reading() as tx:
        debtor = next(row.debtor for row in customers.customers(tx) if row.ref == "C1")
    told: dict[str, tuple[str, str]] = {}
    for who in ("wang.fang", "chen.jie", "li.wei"):
        try:
            exclude(
                shop.store, shop.config, shop.policy, shop.clock, shop.person(who), effect="release", scope="customer",
                debtor=debtor, why="an old friend",
            )  # fmt: skip
        except ConfigError as wrong:
            told[who] = (wrong.user.en, wrong.user.zh)
    assert set(told) == {"wang.fang", "chen.jie"}
    assert told["wang.fang"][0].startswith("This needs two different people")
    # To hold more than the rules do is in every decider's hands.
    exclude(
        shop.store, shop.config, shop.policy, shop.clock, shop.person("wang.fang"), effect="hold", scope="customer",
        debtor=debtor, why="wait for the contract",
    )  # fmt: skip


def test_dunning_stops_credit(shop: Shop) -> None:
    """Sixty days late the ladder says: cash only. Paying that invoice is the way out."""
    shop.invoice("D1", "C1", 20_000, DAY("2026-11-19"))
    shop.policy = load("[hold.oldest_overdue]\non = false\n")
    shop.order("S1", "C1", 1_000)
    shop.run()
    assert shop.states() == {"S1": "passed"}
    for _ in range(70):
        shop.days()
        dun(shop.store, shop.config, shop.policy, shop.clock)
    shop.run()
    held = shop.check("S1", "release")
    assert en(held.decision.reasons) == [
        "dunning has reached level 5; orders are held from level 3",
        "credit is stopped at dunning level 5: cash only",
    ]
    assert zh(held.decision.reasons) == [
        "催收已到第 5 级，达到第 3 级即冻结订单",
        "催收第 5 级已停止授信：仅限现款",
    ]
    assert ways(shop, "S1", "zh") == ["客户付清 D1，合计 CNY 20,000.00"]
    shop.invoice("D1", "C1", 0, DAY("2026-11-19"))
    with shop.store.reading() as tx:
        assert dunning.levels(tx) == {}
    shop.run()
    assert shop.states() == {"S1": "passed"}


def test_longer_terms_than_agreed(shop: Shop) -> None:
    """The customer has 30 days; the order says 60."""
    shop.policy = load("[hold.terms_worsened]\non = true\nlonger_by_days = 5\n")
    shop.order("S1", "C1", 1_000, terms="net:60")
    held = shop.check("S1")
    assert en(held.decision.reasons) == [
        "the order's terms net:60 give 30.0 days more than the customer's net:30; 5 are allowed"
    ]
    assert zh(held.decision.reasons) == ["本单账期 net:60 比客户约定的 net:30 长 30.0 天，允许多出 5 天"]
    shop.order("S1", "C1", 1_000, terms="net:35")
    assert not shop.check("S1", "change").hold


def test_a_refusal_is_final_until_something_changes(shop: Shop) -> None:
    """Li Wei refuses; the night does not ask again. When the invoice is paid, the order passes by itself."""
    shop.invoice("D1", "C1", 490_000, DAY("2026-12-10"))
    shop.order("S1", "C1", 30_000)
    shop.check("S1")
    shop.request("S1", "chen.jie", "urgent")
    shop.refuse("S1", "li.wei", "first the 490,000")
    shop.days()
    shop.run()
    assert shop.states() == {"S1": "refused"}
    shop.invoice("D1", "C1", 0, DAY("2026-12-10"))
    shop.run()
    assert shop.states() == {"S1": "passed"}
    with shop.store.reading() as tx:
        (found,) = order_credit.find(tx, "S1")
        told = [(line.what, line.actor, line.why) for line in order_credit.history(tx, orders=[found.key])]
    assert told == [
        ("held", "system:books", ""),
        ("requested", "person:chen.jie", "urgent"),
        ("refused", "person:li.wei", "first the 490,000"),
        ("auto_released", "job:evaluate", ""),
    ]
