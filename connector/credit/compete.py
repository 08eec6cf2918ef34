"""Competition for credit: which of several open orders of a customer and its group pass, in one fixed order (domain 10).

Orders that passed before and have not grown keep their room; released ones, which may exceed the limit, take theirs after
them. The others follow by oldest requested ship date, then order date, then priority, then id; each is checked with what
those before it take, and what is held takes nothing. Quotes come last and take nothing. So two orders that each fit but
together do not never both pass.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from connector.credit.decide import ALONE, Decision, OrderDecision, Room, check_order, risk_level
from connector.credit.hold import OrderAmounts
from connector.credit.release import ended_by
from connector.money import rounded
from connector.policy import Policy

ZERO = Decimal(0)
Rank = tuple[int, dt.date, dt.date, str, str, str]


@dataclass(slots=True)
class Share:
    """What an order has to do with a customer's or a group's exposure, in that one's currency, unrounded.

    `stands`: what of the exposure is this order's; of that, `leaves` goes when it is held (its undelivered part within
    the horizon). `takes`: what it adds when it passes and is not in the exposure.
    """

    stands: Decimal = ZERO
    leaves: Decimal = ZERO
    takes: Decimal = ZERO


@dataclass(slots=True)
class Contender:
    """An order that wants credit. `customer` and `nodes` name whose exposure it concerns: its customer's, and that of each
    ancestor of the decision, in the same sequence. `earlier`: it passed before and has not grown. `binding`: it takes credit
    when it passes, as a quote does not. `room` brings a hold by hand, a release, and exclusions."""

    key: int
    customer: int
    decision: Decision
    policy: Policy
    order: OrderAmounts
    share: Share
    nodes: tuple[tuple[int, Share], ...] = ()
    ordered_on: dt.date = dt.date.min
    priority: str | None = None
    system: str = ""
    earlier: bool = False
    binding: bool = True
    room: Room = ALONE

    @property
    def rank(self) -> Rank:
        """The place in the queue. An order without a requested ship date is wanted from the day it was placed."""
        order = self.order
        release = self.room.release
        place = 2 if self.binding else 3
        if release is not None and not ended_by(
            release,
            order.own_total,
            order.own_currency,
            order.terms,
            self.decision.as_of,
            risk_level(self.decision, self.policy),
        ):
            place = 1
        elif self.earlier and self.binding:
            place = 0
        wanted = order.ship_on or self.ordered_on
        return (place, wanted, self.ordered_on, self.priority or "\uffff", self.system, order.order_id)


Verdict = tuple[OrderDecision, Room]


@dataclass(slots=True)
class Taken:
    """Credit that is spoken for beside all orders, unrounded: by customer in the customer's currency, and by node (see
    `Contender`) in the node's."""

    customers: dict[int, Decimal] = field(default_factory=dict)
    nodes: dict[int, Decimal] = field(default_factory=dict)


def compete(contenders: Sequence[Contender], taken: Taken | None = None) -> dict[int, Verdict]:
    """What becomes of each order, by key, and the room that it was checked with."""
    if taken is None and len(contenders) == 1 and not contenders[0].nodes:
        return _alone(contenders[0])
    spare, above = _free(contenders)
    if taken is not None:
        for spoken, amounts in ((spare, taken.customers), (above, taken.nodes)):
            for place, amount in amounts.items():
                spoken[place] -= amount
    found: dict[int, Verdict] = {}
    waiting: list[tuple[Contender, Room]] = []
    for one in sorted(contenders, key=lambda c: c.rank) if len(contenders) > 1 else contenders:
        room = _room(one, spare[one.customer], above)
        checked = check_order(one.decision, one.order, one.policy, room)
        found[one.key] = checked, room
        if checked.hold:
            waiting.append((one, room))
            continue
        _take(one, spare, above)
    for one, before in waiting:
        # Why it waits is told with all that has passed, as the next run will see it.
        room = _room(one, spare[one.customer], above)
        if room != before:
            found[one.key] = check_order(one.decision, one.order, one.policy, room), room
    return found


class Queue:
    """Orders that stand in the queue already, for whatever is asked beside them: each of those is checked with what is free
    when its turn comes, and the standing ones are not checked again for it."""

    def __init__(self, standing: Sequence[Contender]) -> None:
        spare, above = _free(standing)
        ordered = sorted(standing, key=lambda c: c.rank)
        self._ranks = [one.rank for one in ordered]
        self._spare = {place: _Course(free) for place, free in spare.items()}
        self._above = {place: _Course(free) for place, free in above.items()}
        for at, one in enumerate(ordered):
            room = _room(one, spare[one.customer], above)
            if check_order(one.decision, one.order, one.policy, room).hold:
                continue
            _take(one, spare, above)
            self._spare[one.customer].goes_on(at, spare[one.customer])
            for node, _ in one.nodes:
                self._above[node].goes_on(at, above[node])

    def beside(self, asked: Contender) -> Verdict:
        """What `compete` says of one more order, which is not in the exposure (it may take credit, and leaves none)."""
        if not self._ranks and not asked.nodes:
            return _checked(asked, asked.room)
        turn = bisect_right(self._ranks, asked.rank)
        room = self._room(asked, turn)
        verdict = _checked(asked, room)
        if not verdict[0].hold or turn == len(self._ranks):
            return verdict
        # It takes nothing, so that those behind it pass as they do without it: why it waits is told with all of them.
        last = self._room(asked, len(self._ranks))
        return verdict if last == room else _checked(asked, last)

    def _room(self, asked: Contender, turn: int) -> Room:
        mine = self._spare.get(asked.customer)
        above = {node: self._above[node].at(turn) if node in self._above else ZERO for node, _ in asked.nodes}
        return _room(asked, mine.at(turn) if mine is not None else ZERO, above)


class _Course:
    """What is free at one place, as the queue goes on."""

    __slots__ = ("_free", "_turns")

    def __init__(self, free: Decimal) -> None:
        self._turns: list[int] = []
        self._free = [free]

    def goes_on(self, turn: int, free: Decimal) -> None:
        """After the order whose turn this is so much is free."""
        self._turns.append(turn)
        self._free.append(free)

    def at(self, turn: int) -> Decimal:
        """What is free when this turn comes."""
        return self._free[bisect_left(self._turns, turn)]


def _checked(one: Contender, room: Room) -> Verdict:
    return check_order(one.decision, one.order, one.policy, room), room


def _free(contenders: Sequence[Contender]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """What of the exposure of each customer, and of each node, does not count before the first has his turn."""
    spare: dict[int, Decimal] = defaultdict(Decimal)
    above: dict[int, Decimal] = defaultdict(Decimal)
    for whose, place, currency, stands, leaves in _sums(contenders):
        # The exposure was rounded once, with these orders in it: without them it is exact again.
        (spare if whose == "customer" else above)[place] = leaves + rounded(stands, currency) - stands
    return spare, above


def _take(one: Contender, spare: dict[int, Decimal], above: dict[int, Decimal]) -> None:
    """An order has passed."""
    spare[one.customer] -= one.share.leaves + one.share.takes
    for node, share in one.nodes:
        above[node] -= share.leaves + share.takes


def _alone(one: Contender) -> dict[int, Verdict]:
    """The usual case, without a queue: nobody else wants anything."""
    stands = one.share.stands
    left = rounded(stands, one.decision.position.currency) - stands if stands else ZERO
    room = one.room
    if left:
        room = Room(left) if room is ALONE else replace(room, spare=left)
    return {one.key: (check_order(one.decision, one.order, one.policy, room), room)}


def _room(one: Contender, spare: Decimal, above: Mapping[int, Decimal]) -> Room:
    """What is free for one order: its own part is taken out by the check itself."""
    left, own = spare - one.share.leaves, one.room
    if not one.nodes:
        if own is ALONE:  # asked for every order of every evening of a replay
            return Room(left) if left else ALONE
        return Room(left, own.above, own.manual, own.release, own.exclusions) if left else own
    over = tuple([above[node] - share.leaves for node, share in one.nodes])
    return Room(left, over, own.manual, own.release, own.exclusions)


def _sums(contenders: Sequence[Contender]) -> Iterator[tuple[str, int, str, Decimal, Decimal]]:
    """Of each customer and node: its currency, what of its exposure stands for these orders, and what could leave."""
    found: dict[tuple[str, int], list[Any]] = {}
    for one in contenders:
        shares = [(("customer", one.customer), one.decision.position.currency, one.share)]
        for (node, share), ancestor in zip(one.nodes, one.decision.ancestors, strict=True):
            shares.append((("node", node), ancestor.currency, share))
        for key, currency, share in shares:
            sums = found.setdefault(key, [currency, ZERO, ZERO])
            sums[1] += share.stands
            sums[2] += share.leaves
    for (whose, place), (currency, stands, leaves) in found.items():
        yield whose, place, currency, stands, leaves
