"""Waiting: finance's one list of orders that wait for somebody: asked for or only held, with what would let each go and who may.

What matters comes first: what somebody has asked for, then what is to be shipped soonest, then what is worth most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.credit.authority import Need, Person
from connector.credit.decide import OrderDecision
from connector.credit.remedy import Remedy
from connector.money import rounded, show
from connector.policy import Policy
from connector.store import Connection, order_credit, order_list
from connector.store.order_credit import OrderAt, Standing
from connector.store.order_values import OrderRow
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.order_answer import in_list, remedy_answer
from jobs.order_desk import so_far
from jobs.order_remedy import remedies_of, who_may

_MOST = 200
_ALL = 1_000_000
_STATES = ("held", "requested", "refused", "expired")


@dataclass(frozen=True, slots=True)
class Waits:
    """One order that waits. `value` is its total in the reporting currency, None without a rate; `asked` and `approved` are
    who has asked for its release and who has approved it; `mine`: the one who looks may decide on it now."""

    judged: Judged
    row: OrderRow
    decision: OrderDecision
    standing: Standing | None
    value: Decimal | None
    asked: tuple[tuple[str, dt.datetime, str], ...]
    approved: tuple[Person, ...]
    ways: tuple[Remedy, ...]
    need: Need | None
    people: tuple[Person, ...]
    mine: bool | None

    @property
    def days(self) -> int:
        """For how long it has been in its state, in days."""
        return (self.judged.position.as_of - self.standing.since).days if self.standing is not None else 0


def waiting(
    tx: Connection, config: Config, policy: Policy, clock: Clock, person: Person | None = None, *, most: int = _MOST
) -> dict[str, Any]:
    """The list as an answer for programs: `count` of all that wait, and the first `most` of them, what matters first.

    `person` is who looks: each order says whether he may decide on it now (`may_decide`; None: nobody looks).
    """
    rows, count, base = found(tx, config, policy, clock, person, most=most)
    return answer_of(rows, count, base, config)


def answer_of(rows: Sequence[Waits], count: int, base: Frame, config: Config) -> dict[str, Any]:
    """The same list, found already, as an answer for programs."""
    return {
        "as_of": base.as_of.isoformat(),
        "currency": config.business.currency,
        "count": count,
        "orders": [_answer(one, config.business.currency) for one in rows],
    }


def found(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    person: Person | None = None,
    *,
    most: int = _MOST,
    states: Collection[str] = _STATES,
) -> tuple[list[Waits], int, Frame]:
    """The orders that wait, what matters first; how many there are in all; the day on which they were judged. `states`:
    only those of whose debtors one is in such a state."""
    clock = stopped(clock)
    today = day_in(clock.now(), config.business.time_zone)
    debtors = sorted({one.debtor for one in order_list.page(tx, states=states, most=_ALL)})
    base = frame(tx, config, policy, clock, today, debtors=debtors)
    whose = set(debtors)
    held = [
        (judged, row, decision)
        for judged in (judge(tx, base, debtors, scores=True) if debtors else ())
        if judged.debtor in whose
        for row, decision in judged.orders
        if decision.hold and row.key in judged.rooms
    ]
    held.sort(key=lambda one: _rank(base, config, *one[:2]))
    orders = order_credit.orders(tx, [row.key for _, row, _ in held[:most]])
    rows = [
        _whole(tx, base, config, judged, row, decision, orders[row.key], person)
        for judged, row, decision in held[:most]
    ]
    return rows, len(held), base


def _rank(base: Frame, config: Config, judged: Judged, row: OrderRow) -> tuple[Any, ...]:
    standing = judged.standings.get(row.key)
    asked = standing is not None and standing.state == "requested"
    value = _value(base, config, row)
    # What nobody can value may be large.
    worth = -value if value is not None else Decimal("-Infinity")
    return (not asked, row.ship_on or row.ordered_on, worth, row.ordered_on, row.system, row.ref)


def _value(base: Frame, config: Config, row: OrderRow) -> Decimal | None:
    home = config.business.currency
    value = base.rates.convert(row.total, row.currency, home, base.as_of)
    return None if value is None else rounded(value, home)


def _whole(
    tx: Connection,
    base: Frame,
    config: Config,
    judged: Judged,
    row: OrderRow,
    decision: OrderDecision,
    order: OrderAt,
    person: Person | None,
) -> Waits:
    asked, approved = so_far(tx, config, row.key)
    lines = {line.actor: line for line in order_credit.history(tx, orders=[row.key]) if line.what == "requested"}
    need, people = who_may(base, config, judged, row, decision, order, asked, approved)
    mine = None if person is None else person.alone or person.id in {one.id for one in people}
    return Waits(
        judged,
        row,
        decision,
        judged.standings.get(row.key),
        _value(base, config, row),
        tuple((name, lines[name].at, lines[name].why) for name in asked),
        tuple(approved),
        tuple(remedies_of(tx, base, judged, row)),
        need,
        tuple(people),
        mine,
    )


def _answer(one: Waits, currency: str) -> dict[str, Any]:
    return {
        **in_list(one.judged, one.row, one.decision, one.judged.position.as_of),
        "value": None if one.value is None else show(one.value, currency),
        "level": one.judged.decision.level,
        "requests": [{"by": by, "at": at.isoformat(), "why": why} for by, at, why in one.asked],
        "approved_by": [person.id for person in one.approved],
        "remedies": [remedy_answer(way) for way in one.ways],
        "release_needs": None if one.need is None else {"en": one.need.text.en, "zh": one.need.text.zh},
        "who_may_release": [person.id for person in one.people],
        "may_decide": one.mine,
    }
