"""Decisions: every hold rule at its threshold, and every sentence a person will act on, in both languages."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.decide import Decision, Node, OrderAmounts, Reason, check_order, decide, order_without_rate
from connector.credit.hold import stale_data
from connector.credit.limit import NO_LIMIT, Effective
from connector.credit.position import Exposure, Position
from connector.credit.rates import Rates
from connector.model import Rate
from connector.policy import Policy, default_policy, load
from connector.text import same

AS_OF = dt.date(2026, 11, 23)
ZERO = Decimal(0)
DEFAULT = default_policy()


def pos(exposure: int | str = 0, limit: int | str | None = None, **more: object) -> Position:
    """A position that is calm but for what a test says."""
    total = Decimal(exposure)
    amount = None if limit is None else Decimal(limit)
    fields: dict[str, object] = {
        "customer": 1,
        "currency": "CNY",
        "as_of": AS_OF,
        "buckets": {},
        "unapplied": ZERO,
        "balance": total,
        "overdue": ZERO,
        "overdue_days": 0,
        "undisputed_overdue": ZERO,
        "undisputed_overdue_days": 0,
        "disputed": ZERO,
        "exposure": Exposure(open_receivables=total, total=total),
        "limit": NO_LIMIT if amount is None else Effective("amount", amount, "CNY"),
        "limit_amount": amount,
        "available": None if amount is None else amount - total,
        "utilisation": total / amount if amount else None,
        "open_total": total,
    }
    return Position(**(fields | more))  # type: ignore[arg-type]


def late(days: int, amount: int | str = 100, **more: object) -> Position:
    return pos(1000, undisputed_overdue_days=days, undisputed_overdue=Decimal(amount), **more)


def rules(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


def only(decision: Decision) -> Reason:
    (reason,) = decision.reasons
    return reason


def quiet(*sections: str) -> Policy:
    """A policy with every hold rule off but those that a test switches on."""
    names = ("limit_exceeded", "oldest_overdue", "limit_expired", "status")
    off = [f"[hold.{name}]\non = false" for name in names if not any(f"[hold.{name}]" in s for s in sections)]
    return load("\n".join([*off, *sections]))


# --- limit exceeded ---
def test_landing_on_the_limit_passes() -> None:
    decision = decide(pos(100, 100), (), DEFAULT)
    assert (decision.hold, decision.available) == (False, 0)


def test_limit_exceeded() -> None:
    reason = only(decide(pos("509900.00", 500000), (), DEFAULT))
    assert reason.rule == "limit_exceeded"
    assert reason.numbers == {
        "exposure": "509900.00",
        "limit": "500000.00",
        "over_by": "9900.00",
        "tolerance": "0.00",
        "currency": "CNY",
        "utilisation": "1.0198",
    }
    assert reason.text.en == (
        "exposure of CNY 509,900.00 exceeds the limit of CNY 500,000.00 by CNY 9,900.00 (101.98% used)"
    )
    assert reason.text.zh == (
        "信用占用 CNY 509,900.00 超过信用额度 CNY 500,000.00，超出 CNY 9,900.00（使用率 101.98%）"
    )


def test_one_cent_over_is_over() -> None:
    assert rules(decide(pos("100.01", 100), (), DEFAULT)) == ["limit_exceeded"]


def test_a_limit_of_zero_is_no_credit_and_has_no_percentage() -> None:
    reason = only(decide(pos(5, 0), (), DEFAULT))
    assert reason.text.en == "exposure of CNY 5.00 exceeds the limit of CNY 0.00 by CNY 5.00"
    assert "utilisation" not in reason.numbers
    assert not decide(pos(0, 0), (), DEFAULT).hold


def test_the_larger_tolerance_counts() -> None:
    both = quiet("[hold.limit_exceeded]\ntolerance_amount = 30\ntolerance_percent = 10")
    assert not decide(pos(130, 100), (), both).hold
    assert rules(decide(pos("130.01", 100), (), both)) == ["limit_exceeded"]
    assert not decide(pos(1100, 1000), (), both).hold
    reason = only(decide(pos("1100.01", 1000), (), both))
    assert reason.text.en.endswith("by CNY 100.01 (110.00% used), beyond the tolerance of CNY 100.00")
    assert reason.text.zh.endswith("超出 CNY 100.01（使用率 110.00%），超出容差 CNY 100.00")


def test_the_tolerance_is_in_the_reporting_currency() -> None:
    policy = quiet("[hold.limit_exceeded]\ntolerance_amount = 30")
    assert not decide(pos(115, 100, unit=Decimal("0.5")), (), policy).hold
    assert decide(pos("115.01", 100, unit=Decimal("0.5")), (), policy).hold
    assert decide(pos("100.01", 100, unit=None), (), policy).hold  # no rate: no tolerance


def test_no_limit_and_unlimited_are_not_tested() -> None:
    assert not decide(pos(10**9), (), DEFAULT).hold
    unlimited = replace(pos(10**9), limit=Effective("unlimited"))
    decision = decide(unlimited, (), DEFAULT)
    assert (decision.hold, decision.available) == (False, None)


# --- groups ---
def group(limit: int | None, exposure: int, ref: str = "G") -> Node:
    return Node(ref, "Hongyun", "CNY", None if limit is None else Decimal(limit), Decimal(exposure))


def test_e3_available_is_the_least_of_self_and_ancestors() -> None:
    above = [group(1_000_000, 950_000)]
    assert decide(pos(250_000, 400_000), above, DEFAULT).available == 50_000
    assert decide(pos(700_000, 800_000), above, DEFAULT).available == 50_000
    assert decide(pos(700_000, 740_000), above, DEFAULT).available == 40_000
    assert decide(pos(250_000), above, DEFAULT).available == 50_000
    assert decide(pos(250_000), [group(None, 950_000)], DEFAULT).available is None


def test_a_groups_limit_holds_its_members() -> None:
    reason = only(decide(pos(10, 100), [group(1000, 1250)], DEFAULT))
    assert reason.rule == "group_limit_exceeded"
    assert reason.numbers["over_by"] == "250.00"
    assert reason.numbers["group"] == "G"
    assert reason.text.en == (
        "exposure of the group Hongyun of CNY 1,250.00 exceeds its limit of CNY 1,000.00 by CNY 250.00"
    )
    assert reason.text.zh == "集团“Hongyun”信用占用 CNY 1,250.00 超过其额度 CNY 1,000.00，超出 CNY 250.00"


def test_the_limit_rule_can_be_switched_off_for_groups_too() -> None:
    assert not decide(pos(200, 100), [group(1000, 1250)], quiet()).hold


def test_an_order_must_fit_into_every_ancestor() -> None:
    above = [group(1000, 900, "G1"), group(5000, 4950, "G2")]
    decision = decide(pos(10, 500), above, DEFAULT)
    assert not check_order(decision, OrderAmounts("O", "O", Decimal(50)), DEFAULT).hold
    checked = check_order(decision, OrderAmounts("O", "O", Decimal(120)), DEFAULT)
    assert [(r.rule, r.numbers["group"], r.numbers["over_by"]) for r in checked.reasons] == [
        ("group_limit_exceeded", "G1", "20.00"),
        ("group_limit_exceeded", "G2", "70.00"),
    ]
    assert checked.reasons[0].text.en == (
        "with this order exposure of the group Hongyun is CNY 1,020.00 and exceeds its limit of CNY 1,000.00 by CNY 20.00"
    )
    assert checked.reasons[0].text.zh == (
        "含本单集团“Hongyun”信用占用 CNY 1,020.00，超过其额度 CNY 1,000.00，超出 CNY 20.00"
    )


def test_a_parent_of_another_currency() -> None:
    rates = Rates([Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal(7))], "CNY", 7)
    above = Node("US", "US", "USD", Decimal(100), Decimal(90)).seen_from("CNY", rates, AS_OF)
    decision = decide(pos(10, 500), [above], DEFAULT)
    assert decision.available == 70
    assert not check_order(decision, OrderAmounts("O", "O", Decimal(70)), DEFAULT).hold
    checked = check_order(decision, OrderAmounts("O", "O", Decimal("70.01")), DEFAULT)
    assert checked.reasons[0].numbers["limit"] == "700.00"


def test_a_parent_that_cannot_be_tested_holds() -> None:
    above = Node("EU", "EU", "EUR", Decimal(100), Decimal(90)).seen_from("CNY", Rates([], "CNY", 7), AS_OF)
    decision = decide(pos(10, 500), [above], DEFAULT)
    assert (rules(decision), decision.available) == (["no_rate"], None)


def test_a_parent_must_be_seen_from_the_customers_currency() -> None:
    with pytest.raises(TypeError, match="seen_from"):
        decide(pos(10, 500), [Node("EU", "EU", "EUR", Decimal(1), ZERO)], DEFAULT)


# --- used share ---
def test_used_share() -> None:
    policy = quiet("[hold.used_share]\non = true\nabove_percent = 90")
    assert not decide(pos(90, 100), (), policy).hold
    reason = only(decide(pos("90.01", 100), (), policy))
    assert reason.numbers == {"utilisation": "0.9001", "above_percent": "90"}
    assert reason.text.en == "90.01% of the limit is used; 90% is allowed"
    assert reason.text.zh == "额度使用率 90.01%，超过允许的 90%"
    checked = check_order(decide(pos(80, 100), (), policy), OrderAmounts("O", None, Decimal(15)), policy)
    assert checked.reasons[0].text.en == "with this order 95.00% of the limit is used; 90% is allowed"
    assert checked.reasons[0].text.zh == "含本单额度使用率 95.00%，超过允许的 90%"


# --- overdue ---
def test_oldest_overdue() -> None:
    assert not decide(late(30), (), DEFAULT).hold
    reason = only(decide(late(31, "1234.5"), (), DEFAULT))
    assert reason.rule == "oldest_overdue"
    assert reason.numbers == {"days": "31", "grace_days": "30", "overdue": "1234.50", "currency": "CNY"}
    assert reason.text.en == (
        "the oldest undisputed item is 31 days overdue, 30 are allowed; CNY 1,234.50 is overdue in all"
    )
    assert reason.text.zh == "最早的无争议未清项已逾期 31 天，超过允许的 30 天；逾期合计 CNY 1,234.50"


def test_what_is_disputed_leaves_the_overdue_tests_but_not_the_exposure() -> None:
    position = pos(1000, 900, overdue=Decimal(1000), overdue_days=200, disputed=Decimal(1000))
    assert rules(decide(position, (), DEFAULT)) == ["limit_exceeded"]


@pytest.mark.parametrize(
    ("combine", "overdue", "limit", "held"),
    [
        ("and", 101, 1000, True),
        ("and", 101, 1010, False),  # exactly 10 %
        ("and", 100, 500, False),  # exactly the amount
        ("or", 101, 5000, True),
        ("or", 60, 500, True),
        ("or", 50, 500, False),
        ("amount", 101, 10**6, True),
        ("share", 51, 500, True),
        ("share", 101, None, True),  # no limit to take a share of: the amount decides
        ("and", 101, None, True),
        ("and", 100, None, False),
        ("and", 101, 0, True),
    ],
)
def test_overdue_amount_and_share(combine: str, overdue: int, limit: int | None, held: bool) -> None:
    section = (
        f'[hold.overdue_amount]\non = true\nabove_amount = 100\nabove_percent_of_limit = 10\ncombine = "{combine}"'
    )
    position = pos(0, limit, undisputed_overdue=Decimal(overdue), undisputed_overdue_days=1)
    assert decide(position, (), quiet(section)).hold is held


def test_the_sentence_of_overdue_amount() -> None:
    words = {
        "and": ("CNY 100.00, or 10% of the limit", " CNY 100.00 且超过额度的 10%"),
        "or": ("CNY 100.00 and 10% of the limit", " CNY 100.00 或额度的 10%"),
        "amount": ("CNY 100.00", " CNY 100.00"),
        "share": ("10% of the limit", "额度比例 10%"),
    }
    for combine, (en, zh) in words.items():
        section = f'[hold.overdue_amount]\non = true\nabove_amount = 100\ncombine = "{combine}"'
        position = pos(0, 500, undisputed_overdue=Decimal(150), undisputed_overdue_days=1)
        reason = only(decide(position, (), quiet(section)))
        assert reason.text.en == f"CNY 150.00 is overdue (30.00% of the limit); allowed is {en}"
        assert reason.text.zh == f"逾期金额 CNY 150.00（占额度 30.00%），超过允许的{zh}"
        assert reason.numbers["share_of_limit"] == "0.3000"


# --- the other rules of the customer ---
def test_limit_expired() -> None:
    position = replace(pos(0, 0), limit=Effective("amount", ZERO, "CNY", expired=True))
    reason = only(decide(position, (), DEFAULT))
    assert reason.rule == "limit_expired"
    assert reason.text.en == "the credit limit is not valid on 2026-11-23: it has expired"
    assert reason.text.zh == "信用额度在 2026-11-23 已失效（额度过期）"
    owing = replace(position, exposure=Exposure(open_receivables=Decimal(5), total=Decimal(5)))
    assert rules(decide(owing, (), DEFAULT)) == ["limit_exceeded", "limit_expired"]


def test_no_limit() -> None:
    policy = quiet("[hold.no_limit]\non = true")
    reason = only(decide(pos(0), (), policy))
    assert (reason.text.en, reason.text.zh) == ("no credit limit was ever given", "未设信用额度")
    assert not decide(pos(0, 0), (), policy).hold
    assert not decide(pos(0), (), DEFAULT).hold


def test_status() -> None:
    reason = only(decide(pos(0), (), DEFAULT, status="blocked"))
    assert reason.text.en == "the customer is blocked in the ERP"
    assert reason.text.zh == "ERP 中客户状态为“已冻结”"
    assert not decide(pos(0), (), DEFAULT, status="inactive").hold
    assert decide(pos(0), (), quiet('[hold.status]\nstop = ["inactive"]'), status="inactive").hold


def test_warning_level() -> None:
    policy = quiet('[hold.warning_level]\non = true\nat_least = "orange"')
    assert not decide(late(29, 1), (), policy).hold
    reason = only(decide(late(60, 1), (), policy))
    assert reason.numbers == {"level": "red", "at_least": "orange"}
    assert reason.text.en == "the warning level is red; orders are held from orange"
    assert reason.text.zh == "预警等级为红色，达到橙色即冻结订单"


def test_manual() -> None:
    reason = only(decide(pos(0), (), DEFAULT, manual_note="in talks"))
    assert (reason.rule, reason.text.en, reason.text.zh) == ("manual", "held by hand: in talks", "人工冻结：in talks")


def test_stale_data_holds_visibly() -> None:
    at = dt.datetime(2026, 11, 20, 3, 5, tzinfo=dt.UTC)
    decision = decide(pos(0), (), DEFAULT, stale=(stale_data("books", at, 26),))
    assert only(decision).text.en == "the data of books are from 2026-11-20 03:05, older than 26 hours"
    assert only(decision).text.zh == "books 的数据停留在 2026-11-20 03:05，已超过 26 小时"
    assert stale_data("books", None, 26).text.en == "the data of books were never pulled completely"
    assert stale_data("books", None, 26).text.zh == "books 的数据从未完整拉取"


def test_what_is_unclear_holds_first_of_all() -> None:
    position = pos(200, 100, unclear=(Reason("no_due_date", same("x")),))
    assert rules(decide(position, (), DEFAULT)) == ["no_due_date", "limit_exceeded"]


def test_a_hold_lists_every_reason() -> None:
    position = pos(200, 100, undisputed_overdue_days=45, undisputed_overdue=Decimal(50))
    decision = decide(position, [group(150, 200)], DEFAULT, status="blocked", manual_note="x")
    assert rules(decision) == ["limit_exceeded", "group_limit_exceeded", "status", "oldest_overdue", "manual"]


def test_a_calm_customer() -> None:
    decision = decide(pos(10, 100), (), DEFAULT)
    assert (decision.hold, decision.level, decision.available, decision.score, decision.grade) == (
        False,
        "green",
        90,
        None,
        None,
    )


# --- orders ---
def test_e1_a_new_order_goes_over_the_limit() -> None:
    decision = decide(pos("329100.00", 500000), (), DEFAULT)
    checked = check_order(decision, OrderAmounts("O1", "SO-1", Decimal("180800.00")), DEFAULT)
    assert checked.hold
    (reason,) = checked.reasons
    assert (reason.numbers["exposure"], reason.numbers["over_by"]) == ("509900.00", "9900.00")
    assert reason.numbers["utilisation"] == "1.0198"
    assert reason.text.en == (
        "with this order exposure is CNY 509,900.00 and exceeds the limit of CNY 500,000.00"
        " by CNY 9,900.00 (101.98% used)"
    )
    assert reason.text.zh == (
        "含本单信用占用 CNY 509,900.00，超过信用额度 CNY 500,000.00，超出 CNY 9,900.00（使用率 101.98%）"
    )


def test_an_order_that_lands_on_the_limit_passes() -> None:
    decision = decide(pos(60, 100), (), DEFAULT)
    assert not check_order(decision, OrderAmounts("O", None, Decimal(40)), DEFAULT).hold
    assert check_order(decision, OrderAmounts("O", None, Decimal("40.01")), DEFAULT).hold


def test_its_own_open_value_is_taken_out_first() -> None:
    decision = decide(pos(100, 100), (), DEFAULT)
    counted = OrderAmounts("O", None, Decimal(40), open_value=Decimal(40), counted=True)
    assert not check_order(decision, counted, DEFAULT).hold
    assert check_order(decision, replace(counted, total=Decimal("40.01")), DEFAULT).hold
    assert check_order(decision, replace(counted, counted=False), DEFAULT).hold  # was not in the exposure: it adds
    assert counted.change == 0


def test_what_is_invoiced_already_is_not_added_again() -> None:
    part_invoiced = OrderAmounts("O", None, Decimal(100), Decimal(40), counted=True, elsewhere=Decimal(60))
    assert part_invoiced.change == 0
    assert OrderAmounts("O", None, Decimal(100), elsewhere=Decimal(130)).change == 0


def test_an_order_may_free_credit_when_it_shrinks() -> None:
    decision = decide(pos(120, 100), (), DEFAULT)
    assert decision.hold
    shrunk = OrderAmounts("O", None, Decimal(20), open_value=Decimal(40), counted=True)
    assert not check_order(decision, shrunk, DEFAULT).hold


def test_the_customers_other_reasons_hold_its_orders() -> None:
    decision = decide(late(45), (), DEFAULT)
    assert [r.rule for r in check_order(decision, OrderAmounts("O", None, Decimal(1)), DEFAULT).reasons] == [
        "oldest_overdue"
    ]


def test_beyond_the_horizon_an_order_warns_and_does_not_count() -> None:
    decision = decide(pos(90, 100), (), DEFAULT)
    last = AS_OF + dt.timedelta(days=90)
    inside = OrderAmounts("O", None, Decimal(40), ship_on=last)
    assert check_order(decision, inside, DEFAULT).hold
    beyond = check_order(decision, replace(inside, ship_on=last + dt.timedelta(days=1)), DEFAULT)
    assert not beyond.hold
    (warning,) = beyond.warnings
    assert warning.numbers == {"ship_on": "2027-02-22", "horizon": "2027-02-21"}
    assert warning.text.en == (
        "the order ships on 2027-02-22, after the horizon of 2027-02-21: it does not count yet and will be checked again"
    )
    assert warning.text.zh == ("订单要求发货日 2027-02-22 晚于检查期限 2027-02-21：暂不计入占用，进入期限后重新检查")
    always = load('[exposure]\norder_horizon_days = "none"')
    assert check_order(decision, replace(inside, ship_on=dt.date(2099, 1, 1)), always).hold


def test_beyond_the_horizon_an_exceeded_limit_still_holds() -> None:
    decision = decide(pos(190, 100), (), DEFAULT)
    checked = check_order(decision, OrderAmounts("O", None, Decimal(1), ship_on=dt.date(2099, 1, 1)), DEFAULT)
    assert [r.rule for r in checked.reasons] == ["limit_exceeded"]


def test_order_value() -> None:
    policy = quiet("[hold.order_value]\non = true\nabove_amount = 1000")
    decision = decide(pos(0), (), policy)
    assert not check_order(decision, OrderAmounts("O", None, Decimal(1000)), policy).hold
    checked = check_order(decision, OrderAmounts("O", None, Decimal("1000.01")), policy)
    (reason,) = checked.reasons
    assert reason.text.en == "the order of CNY 1,000.01 is above CNY 1,000.00 for one order"
    assert reason.text.zh == "本单金额 CNY 1,000.01 超过单笔上限 CNY 1,000.00"
    assert reason.documents == ("O",)


def test_an_order_without_a_rate_is_held() -> None:
    checked = order_without_rate(decide(pos(0, 100), (), DEFAULT), "O", "EUR")
    assert checked.hold
    assert checked.reasons[0].text.en == (
        "no exchange rate from EUR to CNY on 2026-11-23: the order cannot be compared with the limit"
    )
    assert checked.reasons[0].text.zh == "2026-11-23 没有 EUR 兑 CNY 的汇率：本单无法与额度比较"


money = st.decimals(min_value=0, max_value=10**9, places=2)


@given(money, money, money)
def test_an_order_is_held_exactly_when_the_sum_is_greater_than_the_limit(
    exposure: Decimal, limit: Decimal, total: Decimal
) -> None:
    decision = decide(pos(str(exposure), str(limit)), (), DEFAULT)
    order = OrderAmounts("O", None, total)
    assert check_order(decision, order, DEFAULT).hold == (exposure + total > limit)
    assert decision.hold == (exposure > limit)


@given(money, money, st.lists(st.tuples(money, money), max_size=4))
def test_available_is_never_more_than_any_room(
    exposure: Decimal, limit: Decimal, above: list[tuple[Decimal, Decimal]]
) -> None:
    nodes = [Node(str(n), str(n), "CNY", lim, used) for n, (lim, used) in enumerate(above)]
    decision = decide(pos(str(exposure), str(limit)), nodes, DEFAULT)
    assert decision.available == min([limit - exposure, *(lim - used for lim, used in above)])


@given(money, money)
def test_what_is_available_can_be_ordered_and_not_a_cent_more(exposure: Decimal, limit: Decimal) -> None:
    decision = decide(pos(str(exposure), str(limit)), (), DEFAULT)
    room = decision.available
    assert room is not None
    if room >= 0:
        assert not check_order(decision, OrderAmounts("O", None, room), DEFAULT).hold
        assert check_order(decision, OrderAmounts("O", None, room + Decimal("0.01")), DEFAULT).hold
