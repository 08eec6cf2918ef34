"""Competition for credit, on random orders: what passes fits, who came first keeps its room, twice is the same."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.credit.compete import Contender, Queue, Share, compete
from connector.credit.decide import Decision, Node, decide
from connector.credit.hold import OrderAmounts
from connector.money import rounded
from connector.policy import default_policy
from tests.unit.credit.test_decide import AS_OF, pos

POLICY = default_policy()
ZERO = Decimal(0)
# Thirds of a cent occur where tax is added to unit prices.
totals = st.integers(1, 30_000).map(lambda n: Decimal(n) / 300)
days = st.integers(0, 5).map(lambda n: AS_OF + dt.timedelta(days=n))
orders = st.lists(
    st.tuples(totals, days, st.booleans(), st.booleans(), st.sampled_from([1, 2])), min_size=1, max_size=7
)


def scene(
    said: list[tuple[Decimal, dt.date, bool, bool, int]], limit: int, owed: int, group: int
) -> tuple[list[Contender], dict[int, Decision]]:
    """Orders of two customers of one group; `counted` ones are in the exposure, which was rounded once."""
    exact = {who: sum((t for t, _, counted, _, w in said if counted and w == who), ZERO) for who in (1, 2)}
    exposure = {who: rounded(owed + exact[who], "CNY") for who in (1, 2)}
    node = Node("G", "G", "CNY", Decimal(group), rounded(2 * owed + exact[1] + exact[2], "CNY"))
    decisions = {who: decide(pos(str(exposure[who]), limit), (node,), POLICY) for who in (1, 2)}
    found = []
    for key, (total, ships, counted, earlier, who) in enumerate(said):
        share = Share(total, total) if counted else Share(takes=total)
        order = OrderAmounts(f"O{key}", None, total, total if counted else ZERO, ships, counted)
        found.append(Contender(key, who, decisions[who], POLICY, order, share, ((9, share),), AS_OF, earlier=earlier))
    return found, decisions


@settings(max_examples=300, deadline=None)
@given(orders, st.integers(0, 200), st.integers(0, 60), st.integers(0, 300))
def test_what_passes_fits_and_what_waits_does_not(
    said: list[tuple[Decimal, dt.date, bool, bool, int]], limit: int, owed: int, group: int
) -> None:
    contenders, _ = scene(said, limit, owed, group)
    found = compete(contenders)
    passed = [one for one in contenders if not found[one.key][0].hold]
    for who in (1, 2):
        mine = [one.order.total for one in passed if one.customer == who]
        if mine:
            assert rounded(owed + sum(mine, ZERO), "CNY") <= limit
    whole = sum((one.order.total for one in passed), ZERO)
    if passed:
        assert rounded(2 * owed + whole, "CNY") <= group
    for one in contenders:
        if found[one.key][0].hold:
            mine = sum((p.order.total for p in passed if p.customer == one.customer), ZERO) + one.order.total
            fits = rounded(owed + mine, "CNY") <= limit and rounded(2 * owed + whole + one.order.total, "CNY") <= group
            assert not fits, f"order {one.key} could have passed, too"


@settings(max_examples=300, deadline=None)
@given(orders, st.integers(0, 200), st.integers(0, 60), st.integers(0, 300))
def test_asked_again_the_answer_is_the_same(
    said: list[tuple[Decimal, dt.date, bool, bool, int]], limit: int, owed: int, group: int
) -> None:
    contenders, _ = scene(said, limit, owed, group)
    first = compete(contenders)
    again = compete([replace(one, earlier=not first[one.key][0].hold) for one in reversed(contenders)])
    assert {k: v[0] for k, v in again.items()} == {k: v[0] for k, v in first.items()}


@settings(max_examples=200, deadline=None)
@given(orders, orders, st.integers(0, 200), st.integers(0, 60), st.integers(0, 300))
def test_who_passed_keeps_its_room_whoever_comes(
    said: list[tuple[Decimal, dt.date, bool, bool, int]],
    later: list[tuple[Decimal, dt.date, bool, bool, int]],
    limit: int,
    owed: int,
    group: int,
) -> None:
    first = compete(scene(said, limit, owed, group)[0])
    both, _ = scene([*said, *((t, d, c, False, w) for t, d, c, _, w in later)], limit, owed, group)
    for one in both[: len(said)]:
        one.earlier = not first[one.key][0].hold
    again = compete(both)
    for key, (checked, _) in first.items():
        if not checked.hold:
            assert not again[key][0].hold


@settings(max_examples=400, deadline=None)
@given(
    orders.map(lambda some: some[1:]),
    st.lists(st.tuples(totals, days, st.booleans(), st.sampled_from([1, 2])), min_size=1, max_size=3),
    st.integers(0, 200),
    st.integers(0, 60),
    st.integers(0, 300),
)
def test_what_is_asked_beside_a_queue_is_answered_as_if_it_stood_in_it(
    said: list[tuple[Decimal, dt.date, bool, bool, int]],
    asked: list[tuple[Decimal, dt.date, bool, int]],
    limit: int,
    owed: int,
    group: int,
) -> None:
    """One queue answers any number of questions, each by itself: a quote that is asked of (not binding) takes nothing."""
    standing, decisions = scene(said, limit, owed, group)
    queue = Queue(standing)
    for total, ships, binding, who in asked:
        order = OrderAmounts("new", None, total, ZERO, ships)
        share = Share(takes=total if binding else ZERO)
        one = Contender(-1, who, decisions[who], POLICY, order, share, ((9, share),), AS_OF, binding=binding)
        assert queue.beside(one) == compete([*standing, one])[-1]
