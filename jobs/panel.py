"""The panel: everything that people inside a CRM are shown of one customer, or of one order and its customer, on the day.

It is judged now, as every check is, from the facts of this one customer and its group: what stands here is what the desk, the
API and the command line say. Nothing is written, and nothing that speaks of a person outside is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.config_people import named
from connector.credit.authority import Person
from connector.credit.decide import OrderDecision
from connector.credit.granting import standing as stands
from connector.credit.reason import money
from connector.credit.remedy import Debt
from connector.money import from_minor, rounded
from connector.policy import Policy
from connector.store import Connection, customers, limits, order_credit, panel_facts, promises, reviews
from connector.store.customers import CustomerRow
from connector.store.order_credit import OrderAt, Standing
from connector.store.order_values import OrderRow
from connector.text import joined
from jobs import panel_words as say
from jobs.customer_figures import Course
from jobs.frame import Frame, complete_at, frame
from jobs.grant_matter import frozen
from jobs.grant_words import FROZEN
from jobs.judge import Judged, judge
from jobs.order_desk import so_far
from jobs.order_remedy import debts_of, remedies_with, who_may
from jobs.panel_launch import Look
from jobs.panel_shape import (
    AskedFor,
    Bucket,
    Figures,
    OrderPart,
    Panel,
    PromisePart,
    ReceiptPart,
    Status,
    TaskPart,
)
from jobs.panel_trend import trend

# Of more held orders the first ones are told with all that belongs to them, of the others the number.
_ORDERS_MOST = 3
_RECEIPTS_MOST = 3
_PROMISES_MOST = 3
_TASKS_MOST = 4
_BROKEN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. `actor` is how the audit trail names him; `person` one of config.toml, where he is one. `figures`: he sees
    them, else the band and whether credit is held; `asks`: he may ask for a release or a limit; `decides`: he is shown the
    way to the desk."""

    actor: str
    person: Person | None = None
    figures: bool = False
    asks: bool = False
    decides: bool = False


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose panel it is: the debtor, and the order that is looked at."""

    name: str
    debtor: int | None
    order: OrderAt | None = None


def panel(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    look: Look,
    viewer: Viewer,
    at: tuple[Frame, Judged] | None = None,
    aged: Course | None = None,
) -> Panel:
    """What a viewer is shown of a record; where there is nothing to show, `nothing` says why. `at`: its customer, where it
    was judged already, on this day and with its orders and score; `aged`: how its debts have aged, where that is known."""
    clock = stopped(clock)
    today = day_in(clock.now(), config.business.time_zone)
    whose = subject(tx, look)
    empty = Panel(look.kind, look.system, look.record, whose.name if whose else look.record, today)  # type: ignore[arg-type]
    if whose is None:
        return replace(empty, nothing=say.NO_RECORD)
    if whose.debtor is None:
        return replace(empty, nothing=say.NOT_LINKED)
    base, judged = at if at is not None else _judged(tx, config, policy, clock, today, whose.debtor)
    if judged is None:
        return replace(empty, nothing=say.NOT_LINKED)
    orders = _Orders(tx, base, config, judged, viewer, whose.order)
    first, decision = judged.members[0], judged.decision
    found = replace(
        empty,
        name=first.name or first.ref,
        status=say.HELD if decision.hold else say.of_level(decision.level),
        grade=decision.grade,
        data_at=_data_at(tx, base, judged),
        stale=joined([reason.text for reason in base.stale.values()]) if base.stale else None,
        held_orders=orders.count,
    )
    if not viewer.figures:
        return replace(found, orders=orders.reduced())
    why_not = frozen(tx, policy.of(first.segment), first) if viewer.asks else None
    return replace(
        found,
        customer=f"{first.system}/{first.ref}",
        currency=judged.position.currency,
        score=decision.score,
        figures=_figures(tx, base, judged, aged),
        reasons=tuple(reason.text for reason in decision.reasons),
        warnings=tuple(
            one.today.text for one in decision.warned if one.state.level != "green" and one.today.level != "green"
        ),
        orders=orders.told(),
        promises=tuple(_promises(tx, base, policy, judged)),
        receipts=tuple(
            ReceiptPart(one.on, one.amount, one.currency)
            for one in panel_facts.last_receipts(tx, [m.key for m in judged.members], _RECEIPTS_MOST)
        ),
        tasks=tuple(_tasks(tx, config, judged.debtor)),
        review_on=reviews.due(tx, [judged.debtor]).get(judged.debtor),
        limit_asked=_limit_asked(tx, config, judged, viewer),
        may_ask_limit=viewer.asks and why_not is None,
        limit_frozen=None if why_not is None else FROZEN.fill(why=why_not),
    )


def _judged(
    tx: Connection, config: Config, policy: Policy, clock: Clock, today: dt.date, debtor: int
) -> tuple[Frame, Judged | None]:
    base = frame(tx, config, policy, clock, today, debtors=[debtor], near=True)
    return base, next((one for one in judge(tx, base, [debtor], scores=True) if one.debtor == debtor), None)


def subject(tx: Connection, look: Look) -> _Subject | None:
    """Whose a record is, found by system and id and by nothing else; None: we know no such record."""
    if look.kind == "order":
        found = order_credit.find(tx, f"{look.system}/{look.record}")
        mine = [one for one in found if (one.system, one.ref) == (look.system, look.record)]
        return _Subject(mine[0].number or mine[0].ref, mine[0].debtor, mine[0]) if mine else None
    rows = [r for r in customers.customers(tx, systems=[look.system], refs=[look.record]) if r.ref == look.record]
    return _Subject(rows[0].name or rows[0].ref, rows[0].debtor) if rows and rows[0].known else None


def customer_of(tx: Connection, config: Config, look: Look) -> CustomerRow | None:
    """The customer of the ledger that a record belongs to: whose limit is asked for."""
    whose = subject(tx, look)
    if whose is None or whose.debtor is None:
        return None
    erps = [s.name for s in config.with_role("erp")]
    rows = [r for r in customers.customers(tx, systems=erps, debtors=[whose.debtor]) if r.known] if erps else []
    return rows[0] if rows else None


def order_of(tx: Connection, look: Look, name: str) -> OrderAt | None:
    """The order of that name ("system/id") where it belongs to the customer that is looked at; None: it does not."""
    whose = subject(tx, look)
    if whose is None or whose.debtor is None:
        return None
    found = [one for one in order_credit.find(tx, name) if f"{one.system}/{one.ref}" == name]
    return found[0] if len(found) == 1 and found[0].debtor == whose.debtor else None


# --- the figures ----------------------------------------------------------------------------------------------------------
def _figures(tx: Connection, base: Frame, judged: Judged, aged: Course | None) -> Figures:
    position = judged.position
    by_due = base.policy.ageing.basis == "due"
    buckets = [
        Bucket(say.bucket(label), amount, by_due and place > 0)
        for place, (label, amount) in enumerate(position.buckets.items())
    ]
    return Figures(
        position.limit.kind,
        position.limit_amount,
        position.exposure.total,
        position.exposure.delivered_not_invoiced + position.exposure.ordered_not_delivered,
        judged.decision.available,
        position.utilisation,
        position.balance,
        position.unapplied,
        position.overdue,
        position.disputed,
        position.overdue_days if position.overdue else 0,
        tuple(buckets),
        trend(tx, base, judged, aged),
    )


def _data_at(tx: Connection, base: Frame, judged: Judged) -> dt.datetime | None:
    times = [complete_at(tx, base.config, system) for system in dict.fromkeys(m.system for m in judged.members)]
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None


# --- orders -----------------------------------------------------------------------------------------------------------------
class _Orders:
    """The orders that are told: the one that is looked at, and those that are held."""

    def __init__(
        self, tx: Connection, base: Frame, config: Config, judged: Judged, viewer: Viewer, looked_at: OrderAt | None
    ) -> None:
        self.tx, self.base, self.config, self.judged, self.viewer = tx, base, config, judged, viewer
        self.looked_at = looked_at
        # An order that stands in the CRM and in the ledger is one.
        rows = {judged.checked_as(row).key: (judged.checked_as(row), decision) for row, decision in judged.orders}
        pair = next(((r, d) for r, d in judged.orders if looked_at is not None and r.key == looked_at.key), None)
        self.mine = None if pair is None else (judged.checked_as(pair[0]), pair[1])
        mine = self.mine[0].key if self.mine is not None else None
        held = [one for key, one in rows.items() if one[1].hold and key != mine]
        held.sort(key=lambda one: (one[0].ordered_on, one[0].key))
        self.count = len(held) + (self.mine is not None and self.mine[1].hold)
        self.held = held[: _ORDERS_MOST - (self.mine is not None)]

    def reduced(self) -> tuple[OrderPart, ...]:
        """The order that is looked at: whether it is held, and nothing else."""
        if self.looked_at is None:
            return ()
        name, number = _name(self.looked_at), self.looked_at.number or self.looked_at.ref
        status = say.CLOSED if self.mine is None else _status(self.mine[1], self._standing(self.mine[0]))
        held = self.mine is not None and self.mine[1].hold
        plain = replace(status, line=say.PASSED.line) if status.tone == "good" else status
        return (OrderPart(name, number, None, None, plain, held, looked_at=True),)

    def told(self) -> tuple[OrderPart, ...]:
        """All of them with reasons and ways out."""
        pairs = [*([self.mine] if self.mine is not None else []), *self.held]
        keys = [row.key for row, decision in pairs if decision.hold]
        at = order_credit.orders(self.tx, keys) if keys else {}
        debts: Sequence[Debt] = debts_of(self.tx, self.base, [self.judged]).get(self.judged.debtor, ()) if keys else ()
        found = [self._part(row, decision, at.get(row.key), debts) for row, decision in pairs]
        if self.looked_at is not None and self.mine is None:
            number = self.looked_at.number or self.looked_at.ref
            closed = OrderPart(_name(self.looked_at), number, None, None, say.CLOSED, False, looked_at=True)
            found.insert(0, closed)
        return tuple(found)

    def _part(self, row: OrderRow, decision: OrderDecision, at: OrderAt | None, debts: Sequence[Debt]) -> OrderPart:
        mine = self.mine is not None and row.key == self.mine[0].key
        part = OrderPart(
            f"{row.system}/{row.ref}",
            row.number or row.ref,
            rounded(row.total, row.currency),
            row.currency,
            _status(decision, self._standing(row)),
            decision.hold,
            tuple(reason.text for reason in (decision.reasons or decision.warnings)),
            looked_at=mine,
        )
        if not decision.hold or at is None:
            return part
        room = self.judged.rooms.get(row.key)
        ways = remedies_with(self.base, self.judged, row, debts, room) if room is not None else []
        asked, already = so_far(self.tx, self.config, row.key)
        need, people = who_may(self.base, self.config, self.judged, row, decision, at, asked, already)
        return replace(
            part,
            ways=tuple(way.text for way in ways),
            asked=self._asked(row.key) if asked else None,
            needs=None if need is None else need.text,
            who=tuple(person.name or person.id for person in people),
            may_ask=self.viewer.asks and self.viewer.actor not in asked,
        )

    def _standing(self, row: OrderRow) -> Standing | None:
        return self.judged.standings.get(row.key)

    def _asked(self, key: int) -> AskedFor | None:
        lines = [one for one in order_credit.history(self.tx, orders=[key]) if one.what == "requested"]
        if not lines:
            return None
        last = lines[-1]
        return AskedFor(who(self.config, last.actor), last.at, last.why, last.actor == self.viewer.actor)


def _status(decision: OrderDecision, standing: Standing | None) -> Status:
    state = standing.state if standing is not None and standing.ended_on is None else None
    if decision.hold:
        return say.ORDER_STATES.get(state or "held", say.ORDER_STATES["held"])
    if decision.released:
        line = say.OTHERWISE_HELD
        if standing is not None and standing.release is not None:
            given = standing.release
            most = money(given.max_total, given.currency)
            line = say.RELEASED_LINE.fill(by=given.by, most=most, until=given.valid_until)
        return Status("good", say.RELEASED, line)
    return say.PASSED


def _name(order: OrderAt) -> str:
    return f"{order.system}/{order.ref}"


def who(config: Config, actor: str) -> str:
    """The name of somebody whom the audit trail names."""
    found = named(config.people, actor) if actor.startswith("person:") else None
    return found.name or found.id if found is not None else actor.partition(":")[2]


# --- what else there is -------------------------------------------------------------------------------------------------------
def _promises(tx: Connection, base: Frame, policy: Policy, judged: Judged) -> list[PromisePart]:
    grace = policy.of(judged.members[0].segment).dunning.promise_grace_days
    since = base.as_of - dt.timedelta(days=_BROKEN_DAYS)
    made = promises.by_debtor(tx, [judged.debtor]).get(judged.debtor, [])
    if not made:
        return []
    open_ones = [one for one in made if one.due_on + dt.timedelta(days=grace) >= base.as_of]
    outcomes = promises.outcomes(tx, [judged.debtor], base.as_of, grace_days=grace, since=since)
    broken = [row.promise for row in outcomes if not row.kept]
    found = [
        *(_promise(one, "open") for one in sorted(open_ones, key=lambda p: p.due_on)),
        *(_promise(one, "broken") for one in sorted(broken, key=lambda p: p.due_on, reverse=True)),
    ]
    return found[:_PROMISES_MOST]


def _promise(one: Any, state: Any) -> PromisePart:
    return PromisePart(from_minor(one.amount, one.currency), one.currency, one.due_on, state)


def _tasks(tx: Connection, config: Config, debtor: int) -> list[TaskPart]:
    crms = [s.name for s in config.with_role("crm")]
    targets: dict[str, list[str]] = {}
    for row in customers.customers(tx, systems=crms, debtors=[debtor]) if crms else ():
        targets.setdefault(row.system, []).append(row.ref)
    return [
        TaskPart(say.task(one.about), one.since, one.made) for one in panel_facts.open_tasks(tx, targets, _TASKS_MOST)
    ]


def _limit_asked(tx: Connection, config: Config, judged: Judged, viewer: Viewer) -> AskedFor | None:
    """The request for a limit of this customer that waits."""
    asked = limits.requests(tx, keys=[m.key for m in judged.members])
    waiting = [one for one in asked if stands(one.request, one.events).state == "open"]
    if not waiting:
        return None
    one = waiting[-1]
    state = stands(one.request, one.events)
    minor = state.amount_minor
    amount: Decimal | None = None if minor is None else one.request.decimal(minor)
    by = one.request.requested_by
    return AskedFor(who(config, by), one.at, one.why, by == viewer.actor, amount, one.request.currency, one.number)
