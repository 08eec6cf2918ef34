"""Groups: E3, chains that run in a circle, parents of another currency."""

import datetime as dt
from decimal import Decimal

from connector.credit.group import Node, ancestors, headroom, members, node_of
from connector.credit.limit import Effective
from connector.credit.position import position
from connector.credit.rates import Rates
from connector.credit.totals import Totals
from connector.model import Rate
from connector.policy import default_policy

AS_OF = dt.date(2026, 11, 23)
RATES = Rates([Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal(7))], "CNY", 7)


def node(ref: str, limit: int | None, exposure: int, currency: str = "CNY") -> Node:
    return Node(ref, ref, currency, None if limit is None else Decimal(limit), Decimal(exposure))


def test_e3() -> None:
    group = node("group", 1_000_000, 250_000 + 700_000)
    assert headroom([node("A", 400_000, 250_000), group]) == 50_000
    assert headroom([node("B", 800_000, 700_000), group]) == 50_000


def test_a_node_without_a_limit_constrains_nothing() -> None:
    assert headroom([node("A", None, 900)]) is None
    assert headroom([node("A", None, 900), node("B", 100, 30)]) == 70
    assert headroom([]) is None


def test_room_may_be_negative() -> None:
    assert headroom([node("A", 100, 130)]) == -30


def test_a_parent_of_another_currency_is_converted() -> None:
    seen = node("US", 100, 40, "USD").seen_from("CNY", RATES, AS_OF)
    assert seen.room == 420
    assert seen.unclear == ()


def test_a_parent_without_a_rate_cannot_be_tested_and_says_so() -> None:
    seen = node("EU", 100, 40, "EUR").seen_from("CNY", RATES, AS_OF)
    assert seen.room is None
    assert [reason.rule for reason in seen.unclear] == ["no_rate"]
    assert node("EU", None, 40, "EUR").seen_from("CNY", RATES, AS_OF).unclear == ()


def test_chains() -> None:
    parents = {"a": "b", "b": "c", "c": None, "x": "y", "y": "z", "z": "y", "s": "s"}
    assert ancestors("a", parents) == (["b", "c"], False)
    assert ancestors("c", parents) == ([], False)
    assert ancestors("nobody", parents) == ([], False)
    assert ancestors("x", parents) == (["y", "z"], True)
    assert ancestors("y", parents) == (["z"], True)
    assert ancestors("s", parents) == ([], True)


def test_members_are_everybody_below_once() -> None:
    found = members({"a": "b", "b": "c", "d": "c", "c": None})
    assert {k: sorted(v) for k, v in found.items()} == {"b": ["a", "b"], "c": ["a", "b", "c", "d"]}


def test_a_node_is_made_of_its_whole_subtree_and_rounded_once() -> None:
    rows = [Totals(n, "USD", buckets=(1, 0, 0, 0, 0), receivables=1) for n in (1, 2, 3)]
    rates = Rates([Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal("0.5"))], "CNY", 7)
    limit = Effective("amount", Decimal(100), "CNY")
    group = node_of(position(1, "CNY", rows, limit, rates, AS_OF, default_policy()), "G", "Group")
    assert group.exposure == Decimal("0.02")  # 0.015 once; each rounded would be 0.03
    assert group.room == Decimal("99.98")


def test_what_a_member_lacks_is_no_obstacle_for_its_relatives_but_a_missing_rate_is() -> None:
    limit = Effective("amount", Decimal(100), "CNY")

    def rules(row: Totals, limit: Effective) -> list[str]:
        at = position(1, "CNY", [row], limit, RATES, AS_OF, default_policy())
        return [reason.rule for reason in node_of(at, "G", "Group").unclear]

    undated = Totals(1, "CNY", buckets=(1, 0, 0, 0, 0), receivables=1, without_due_date=1)
    foreign = Totals(1, "EUR", buckets=(1, 0, 0, 0, 0), receivables=1)
    assert rules(undated, limit) == []
    assert rules(foreign, limit) == ["no_rate"]
    assert rules(foreign, Effective("none")) == []
