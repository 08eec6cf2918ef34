"""Remedies: what would release a held order, each tried again from the start; and that nothing smaller does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.credit.circumstances import Circumstances
from connector.credit.decide import Node, Room, check_order, decide
from connector.credit.hold import OrderAmounts
from connector.credit.remedy import Case, Debt, Remedy, held_with, remedies
from connector.policy import Policy, default_policy, load
from tests.unit.credit.test_decide import AS_OF, pos

ZERO = Decimal(0)
CENT = Decimal("0.01")
DEFAULT = default_policy()


def debt(ref: str, amount: int | str, late: int) -> Debt:
    due = AS_OF - dt.timedelta(days=late)
    return Debt(ref, f"INV-{ref}", due, due - dt.timedelta(days=30), Decimal(amount))


def case(
    debts: list[Debt], limit: int | None, total: int | str, policy: Policy = DEFAULT, nodes: tuple[Node, ...] = (),
    manual: str | None = None, about: Circumstances | None = None,
) -> Case:  # fmt: skip
    """An order of a customer who owes these debts and nothing else."""
    exposure = sum((d.amount for d in debts), ZERO)
    overdue = sum((d.amount for d in debts if d.days(AS_OF)), ZERO)
    days = max((d.days(AS_OF) for d in debts), default=0)
    position = pos(
        str(exposure), limit, overdue=overdue, overdue_days=days, undisputed_overdue=overdue,
        undisputed_overdue_days=days,
    )  # fmt: skip
    more = {"about": about} if about is not None else {}
    decision = decide(position, nodes, policy, **more)  # type: ignore[arg-type]
    return Case(decision, OrderAmounts("O", "SO-1", Decimal(total)), policy, Room(manual=manual), tuple(debts))


def told(found: list[Remedy]) -> dict[str, str]:
    return {remedy.kind: str(remedy.amount) for remedy in found}


def test_an_old_invoice_is_what_holds_it() -> None:
    one = case([debt("1", 3000, 45), debt("2", 5000, 10), debt("3", 900, 0)], 100_000, 2000)
    found = remedies(one)
    assert told(found) == {"pay_items": "3000"}
    assert found[0].text.en == "the customer pays INV-1, CNY 3,000.00 in all"
    assert found[0].text.zh == "客户付清 INV-1，合计 CNY 3,000.00"


def test_over_the_limit_there_are_four_ways() -> None:
    one = case([debt("1", 6000, 0), debt("2", 3500, 0)], 10_000, 2000)
    found = remedies(one)
    # Over by 1,500: the first invoice alone, or a part of it; 500 may be shipped now; or 1,500 more limit.
    assert told(found) == {"pay_items": "6000", "pay_amount": "1500.00", "ship_part": "500.00", "more_limit": "1500.00"}
    assert [r.text.zh for r in found] == [
        "客户付清 INV-1，合计 CNY 6,000.00",
        "客户支付 CNY 1,500.00，按最早到期的款项依次冲抵",
        "仅确认部分订单，金额不超过 CNY 500.00",
        "增加 CNY 1,500.00 的临时额度或担保",
    ]


def test_overdue_and_over_the_limit() -> None:
    one = case([debt("1", 1000, 40), debt("2", 9500, 0)], 10_000, 2000)
    found = remedies(one)
    assert told(found) == {"pay_items": "10500", "pay_amount": "2500.00", "pay_and_limit": "1000.00"}
    assert found[-1].limit == Decimal("1500.00")
    assert found[-1].text.en == (
        "the customer pays CNY 1,000.00, oldest items first, and a temporary limit or a guarantee covers "
        "CNY 1,500.00 more"
    )


def test_what_money_cannot_mend() -> None:
    assert remedies(case([debt("1", 100, 0)], 1000, 10, manual="wait for the contract")) == []
    assert remedies(case([debt("1", 5000, 0)], 1000, 10, about=Circumstances(dunning_level=5))) == []


def test_dunning_goes_with_what_was_dunned() -> None:
    dunned = replace(debt("1", 400, 29), level=3)
    one = case([dunned, debt("2", 300, 0)], 10_000, 50, about=Circumstances(dunning_level=3))
    assert told(remedies(one)) == {"pay_items": "400"}


def test_a_group_is_eased_by_a_payment_too() -> None:
    group = Node("G", "Group", "CNY", Decimal(1000), Decimal(950))
    one = case([debt("1", 200, 0)], 5000, 100, nodes=(group,))
    assert told(remedies(one)) == {
        "pay_items": "200", "pay_amount": "50.00", "ship_part": "50.00", "more_limit": "50.00",
    }  # fmt: skip


RULES = load(
    "[hold.used_share]\non = true\nabove_percent = 90\n"
    "[hold.overdue_amount]\non = true\nabove_amount = 50\nabove_percent_of_limit = 10\ncombine = 'or'\n"
    "[hold.order_value]\non = true\nabove_amount = 900\n"
    "[hold.oldest_overdue]\ngrace_days = 10\n"
)
amounts = st.decimals(min_value=CENT, max_value=1000, places=2)
debts_of = st.lists(st.tuples(amounts, st.integers(0, 60), st.integers(0, 4)), max_size=5)


@settings(max_examples=300, deadline=None)
@given(debts_of, st.none() | st.integers(0, 3000), amounts, st.booleans(), st.none() | st.integers(0, 3000))
def test_a_remedy_releases_and_a_cent_less_does_not(
    owed: list[tuple[Decimal, int, int]], limit: int | None, total: Decimal, strict: bool, above: int | None
) -> None:
    policy = RULES if strict else DEFAULT
    debts = [replace(debt(str(n), str(amount), late), level=level) for n, (amount, late, level) in enumerate(owed)]
    whole = sum((d.amount for d in debts), ZERO)
    nodes = () if above is None else (Node("G", "G", "CNY", Decimal(above), whole),)
    about = Circumstances(dunning_level=max((d.level for d in debts), default=0))
    one = case(debts, limit, str(total), policy, nodes, about=about)
    if not check_order(one.decision, one.order, policy, one.room).hold:
        return
    for remedy in remedies(one):
        assert not held_with(one, remedy), remedy
        match remedy.kind:
            case "pay_amount":
                assert held_with(one, replace(remedy, amount=remedy.amount - CENT))
            case "ship_part":
                assert held_with(one, replace(remedy, amount=remedy.amount + CENT))
            case "more_limit":
                assert held_with(one, replace(remedy, amount=remedy.amount - CENT))
            case "pay_items":
                for item in remedy.items if len(remedy.items) > 1 else ():
                    fewer = tuple(d for d in remedy.items if d is not item)
                    assert held_with(one, replace(remedy, items=fewer)), f"{item} is not needed"
            case "pay_and_limit":
                assert held_with(one, replace(remedy, amount=remedy.amount - CENT, limit=remedy.limit))
                assert held_with(one, replace(remedy, limit=remedy.limit - CENT))
