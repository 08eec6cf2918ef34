"""Judging: positions and decisions of customers on a day, from the facts in the store; nothing is written.

`judge` gives one `Judged` per debtor, within the `Frame` of a day (`jobs/frame.py`). The nightly run, the reports and the explanations all come through here.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.credit.circumstances import ORDINARY, Circumstances
from connector.credit.decide import Decision, OrderDecision, Room, decide, risk_level
from connector.credit.group import Node, node_of
from connector.credit.habits import Habits
from connector.credit.limit import Effective, added, effective
from connector.credit.position import Position, position
from connector.credit.reason import Reason
from connector.credit.score import Score
from connector.credit.stage import Behaviour, begun_on
from connector.credit.totals import Totals
from connector.credit.warn import State
from connector.credit.warn_signs import NOTHING_ASKED, Signs
from connector.model import Limit
from connector.policy import Level, default_policy
from connector.store import Connection, decisions, positions
from connector.store.alerts import Alert
from connector.store.customers import CustomerRow
from connector.store.history import InvoicedDay, invoiced_by_day
from connector.store.limits import pieces as limit_pieces
from connector.store.order_credit import Standing
from connector.store.order_values import OrderRow
from jobs.frame import Frame
from jobs.judge_orders import OrderBook, check_orders, checked_again, order_book
from jobs.score import Scorer, scorer
from jobs.signs import kinds
from jobs.unhurried import unhurried
from jobs.watch import NO_ALERTS, UNWARNED, Watch, states_of, watch

ZERO = Decimal(0)
# The points and the grade of a score; None where there is none.
Graded = tuple[Decimal | None, str | None]
# So many debtors are read and judged together.
_TOGETHER = 2000


@dataclass(slots=True)
class Judged:
    """One debtor on a day: its ERP customers, the figures of all of them together, and what the policy concludes.

    `own` has the figures of each ERP customer alone, by key; for a single one they are the debtor's. `facts` are what it
    was judged from, `score` its score, and `habits` how it pays, where that was asked for. `rooms` are what each order was
    checked with, by its key, and `standings` what was decided of its orders before.
    `alerts` are its open warnings after the last run, `signs` what was known beside the ledger.
    """

    debtor: int
    members: tuple[CustomerRow, ...]
    position: Position
    decision: Decision
    own: Mapping[int, Position]
    orders: tuple[tuple[OrderRow, OrderDecision], ...]
    facts: Facts
    score: Score | None = None
    rooms: Mapping[int, Room] = field(default_factory=dict)
    standings: Mapping[int, Standing] = field(default_factory=dict)
    alerts: Mapping[str, Alert] = field(default_factory=lambda: NO_ALERTS)
    signs: Signs = NOTHING_ASKED
    habits: Habits | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is a hold or a warning of which one asks since when."""
        return self.decision.hold or "task" in self.decision.actions

    def checked_as(self, row: OrderRow) -> OrderRow:
        """The order that was checked in place of one: the same order in another system, else itself."""
        if row.key in self.rooms:
            return row
        same = (o for o, _ in self.orders if o.key in self.rooms and o.name == row.name and o.system != row.system)
        return next(same, row)

    @property
    def risk_level(self) -> Level:
        """The warning level without utilisation: what a release of an order is judged by."""
        decision = self.decision
        policy = (decision.whole or default_policy()).of(decision.segment)
        return risk_level(decision, policy)


def judge(
    tx: Connection,
    frame: Frame,
    debtors: Collection[int] | None = None,
    orders: bool = True,
    scores: bool = False,
    book: OrderBook | None = None,
) -> Iterator[Judged]:
    """What the policy concludes of debtors (None: all); of their whole groups, because a group's limit binds them all.

    `scores`: with their scores and grades, for which years of payments are looked at. `book`: the orders of these debtors
    and their groups, where they are known already; they are then not checked.
    """
    if debtors is not None:
        wanted = sorted(frame.family(debtors))
        frame.load(tx, wanted)
        if book is not None:
            with unhurried():
                made = list(_portion(tx, frame, wanted, orders, scores, book=book))
            yield from made
            return
        yield from _together(tx, frame, wanted, orders, scores)
        return
    frame.load(tx)
    if len(frame.members) <= _TOGETHER:
        yield from _together(tx, frame, sorted(frame.members), orders, scores, everybody=True)
        return
    # Some at a time: what was read for the others is gone by then. Between them nothing is looked through either.
    with unhurried():
        for portion in portions(frame, frame.members):
            yield from _together(tx, frame, portion, orders, scores)


def _together(
    tx: Connection, frame: Frame, wanted: Sequence[int], orders: bool, scores: bool, everybody: bool = False
) -> list[Judged]:
    with unhurried():
        return list(_portion(tx, frame, wanted, orders, scores, everybody))


def portions(frame: Frame, debtors: Collection[int], most: int | Callable[[], int] = _TOGETHER) -> Iterator[list[int]]:
    """Debtors in portions of about so many (asked before each), none of which tears a group apart."""
    size = most if callable(most) else lambda: most
    enough = size()
    left, portion = set(debtors), list[int]()
    for debtor in sorted(debtors):
        if debtor not in left:
            continue
        family = [debtor] if frame.alone(debtor) else sorted(frame.family([debtor]))
        left.difference_update(family)
        portion += family
        if len(portion) >= enough:
            yield portion
            portion, enough = [], size()
    if portion:
        yield portion


def _portion(
    tx: Connection,
    frame: Frame,
    wanted: Sequence[int],
    orders: bool,
    scores: bool,
    everybody: bool = False,
    book: OrderBook | None = None,
) -> Iterator[Judged]:
    keys = None if everybody else [k for d in wanted for k in frame.members.get(d, ())]
    facts = _facts(tx, frame, keys)
    check = book is None
    if book is None:
        book = order_book(tx, frame, keys, None if everybody else wanted) if orders else NO_ORDERS
    at = None
    if scores:
        known = None if everybody else wanted
        at = scorer(
            tx, frame.cards, frame.rates, frame.as_of, frame.systems, known, keys, events_of=kinds(frame.policy)
        )
    late = _late(frame, wanted, facts) if scores else None
    seen = watch(tx, frame, at, None if everybody else wanted, keys, late)
    done: set[int] = set()
    for debtor in wanted:
        if debtor not in frame.members or debtor in done:
            continue
        if frame.alone(debtor):
            whole, own = _positions(frame, debtor, facts)
            judged = _scored(frame, debtor, whole, own, (), book, facts, at, seen)
            if check and (debtor in book.rows or debtor in book.of_debtor):
                check_orders(frame, [judged], book)
            yield judged
            continue
        family = [d for d in sorted(frame.family([debtor])) if d in frame.members]
        done.update(family)
        found = {d: _positions(frame, d, facts) for d in family}
        nodes = _nodes(frame, found, facts)
        relatives = []
        for one, (whole, own) in found.items():
            # Whoever has somebody below it is bound by its limit for all of them, too.
            chain = [nodes[a] for a in (one, *frame.ancestors(one)) if a in nodes]
            above = [node.seen_from(whole.currency, frame.rates, frame.as_of) for node in chain]
            relatives.append(_scored(frame, one, whole, own, above, book, facts, at, seen))
        if check:
            check_orders(frame, relatives, book)
        yield from relatives


NO_ORDERS = OrderBook()


def _late(frame: Frame, wanted: Collection[int], facts: Facts) -> list[int] | None:
    """The customers of debtors with something past due; None where they are so many that one question for all is less."""
    late = {key for key, rows in facts.sums.items() if any(row.undisputed_overdue for row in rows)}
    members = [frame.members.get(debtor, ()) for debtor in wanted]
    found = [key for keys in members if not late.isdisjoint(keys) for key in keys]
    return found if 3 * len(found) < sum(map(len, members)) else None


def _judged(
    frame: Frame,
    debtor: int,
    whole: Position,
    own: Mapping[int, Position],
    above: Sequence[Node],
    about: Circumstances,
    facts: Facts,
    graded: Graded = (None, None),
    signs: Signs = NOTHING_ASKED,
    states: Mapping[str, State] = UNWARNED,
) -> Judged:
    members = tuple([frame.rows[key] for key in frame.members[debtor]])
    first = members[0]
    policy = frame.policy.of(first.segment)
    stale: tuple[Reason, ...] = ()
    if frame.stale:
        stale = tuple(frame.stale[s] for s in dict.fromkeys(m.system for m in members) if s in frame.stale)
    status = "blocked" if any(m.status == "blocked" for m in members) else first.status or "active"
    points, grade = graded
    decision = decide(
        whole,
        above,
        policy,
        status=status,
        stale=stale,
        about=about,
        segment=first.segment,
        whole=frame.policy,
        score=points,
        grade=grade,
        signs=signs,
        states=states,
    )
    return Judged(debtor, members, whole, decision, own, (), facts, signs=signs)


def _scored(
    frame: Frame,
    debtor: int,
    whole: Position,
    own: Mapping[int, Position],
    above: Sequence[Node],
    book: OrderBook,
    facts: Facts,
    at: Scorer | None,
    seen: Watch,
) -> Judged:
    members = [frame.rows[key] for key in frame.members[debtor]]
    score = at.score(debtor, members, whole) if at is not None else None
    graded = (score.points, score.grade) if score is not None else (None, None)
    about = book.about(debtor, members, frame.policy.of(members[0].segment), whole, frame.is_today)
    alerts = seen.alerts(debtor)
    signs = seen.signs(debtor, members, facts.limits, whole, score)
    judged = _judged(frame, debtor, whole, own, above, about, facts, graded, signs, states_of(alerts))
    judged.score, judged.alerts = score, alerts
    judged.habits = at.habits(members, whole.currency)[0] if at is not None else None
    return judged


def judged_of(
    frame: Frame,
    debtor: int,
    facts: Facts,
    above: Sequence[Node],
    orders: Sequence[OrderRow],
    graded: Graded = (None, None),
    about: Circumstances = ORDINARY,
    rooms: Mapping[int, Room] | None = None,
    signs: Signs = NOTHING_ASKED,
    states: Mapping[str, State] = UNWARNED,
) -> Judged:
    """One debtor from facts that are given; `above` are the groups over it, as seen from its currency, `graded` the
    points and the grade that it has, `rooms` what its orders were checked with, `states` where its warnings stood."""
    whole, own = _positions(frame, debtor, facts)
    judged = _judged(frame, debtor, whole, own, above, about, facts, graded, signs, states)
    policy = frame.policy.of(judged.members[0].segment)
    judged.rooms = rooms or {}
    judged.orders = tuple(checked_again(frame, judged, policy, orders, judged.rooms))
    return judged


# --- the facts of many customers at once ---------------------------------------------------------------------------------
@dataclass(slots=True)
class Facts:
    """Sums and limits by customer, and how the invoices of each tranche of staged limits were paid."""

    sums: Mapping[int, list[Totals]]
    limits: Mapping[int, list[Limit]]
    paid: Mapping[int, Mapping[str, Decimal]]


def _facts(tx: Connection, frame: Frame, keys: Sequence[int] | None) -> Facts:
    view, policy = frame.view, frame.policy
    sums: dict[int, list[Totals]] = defaultdict(list)
    for row in positions.totals(
        tx,
        frame.as_of,
        customers=keys,
        edges=view.edges or policy.ageing.edges(view.basis),
        basis=view.basis or policy.ageing.basis,
        placement=view.placement or policy.ageing.placement,
        view="ledger" if view.ledger else "document",
        ledger_currency=frame.config.business.currency,
        company=view.company,
        horizon_days=policy.exposure.order_horizon_days,
        systems=frame.systems,
    ):
        sums[row.customer].append(row)
    limits = limit_pieces(tx, keys, frame.config.limits.master, frame.systems, frame.as_of)
    if frame.supposed:
        limits = limits | {key: list(pieces) for key, pieces in frame.supposed.items()}
    tranches = {}
    for key, pieces in limits.items():
        if key in frame.rows and (own := [x for x in pieces if x.kind == "stage"]):
            tranches[key] = own
    return Facts(sums, limits, _paid(tx, frame, tranches) if tranches else {})


def _paid(tx: Connection, frame: Frame, tranches: Mapping[int, Sequence[Limit]]) -> dict[int, dict[str, Decimal]]:
    """By customer and tranche, the paid share of what was invoiced under the tranche; also recalls what was released.

    A tranche once released stays released: what earlier decisions have released counts in reports, too.
    """
    debtors = {key: frame.rows[key].debtor for key in tranches}
    for debtor, row in decisions.latest(tx, {d for d in debtors.values() if d is not None}).items():
        frame.released[debtor] = released_in(row.body)
    asking = {}
    for key, pieces in tranches.items():
        begun = begun_on(pieces, frame.released.get(debtors[key] or -1, {}))
        if begun:
            asking[key] = begun
    if not asking:
        return {}
    days: dict[int, list[InvoicedDay]] = defaultdict(list)
    for day in invoiced_by_day(tx, list(asking), frame.as_of):
        days[day.customer].append(day)
    found: dict[int, dict[str, Decimal]] = {}
    for key, begun in asking.items():
        shares = {ref: _paid_share(frame, key, days[key], since, until) for ref, (since, until) in begun.items()}
        found[key] = {ref: share for ref, share in shares.items() if share is not None}
    return found


def _paid_share(
    frame: Frame, key: int, days: Sequence[InvoicedDay], since: dt.date, until: dt.date | None
) -> Decimal | None:
    """Paid of invoiced, in value, of the invoices of some days; None where there are none, or no rate for one."""
    invoiced = left = ZERO
    currency = _currency(frame, frame.rows[key])
    for one in days:
        if one.issued_on < since or (until is not None and one.issued_on >= until):
            continue
        quote = frame.rates.quote(one.currency, currency, frame.as_of)
        if quote is None:
            return None
        invoiced, left = invoiced + quote.convert(one.invoiced), left + quote.convert(one.open)
    return 1 - left / invoiced if invoiced > 0 else None


def released_in(body: Mapping[str, Any]) -> dict[str, dt.date]:
    """The tranches that a kept decision had released, each with the day of its release."""
    released = body.get("released") or {}
    if not isinstance(released, Mapping):  # older decisions name the tranches without their days
        released = dict.fromkeys(released, body["as_of"])
    return {ref: dt.date.fromisoformat(day) for ref, day in released.items()}


def _currency(frame: Frame, row: CustomerRow) -> str:
    return (
        frame.view.currency
        or (frame.config.business.currency if frame.view.ledger else None)
        or (row.currency or frame.config.business.currency)
    )


def _positions(frame: Frame, debtor: int, facts: Facts) -> tuple[Position, dict[int, Position]]:
    keys = frame.members[debtor]
    own: dict[int, Position] = {}
    granted: list[Effective] = []
    for key in keys:
        currency = _currency(frame, frame.rows[key])
        mine, rows = facts.limits.get(key, ()), facts.sums.get(key, ())
        limit = effective(mine, frame.as_of, None, frame.rates.convert, currency=currency)
        own[key] = _position(frame, key, currency, rows, limit)
        if any(x.kind == "stage" for x in mine):
            # What a tranche asks of behaviour is known only now.
            behaviour = Behaviour(
                late_days=own[key].undisputed_overdue_days,
                released=frozenset(frame.released.get(debtor, ())),
                paid_of=facts.paid.get(key, {}),
            )
            limit = effective(mine, frame.as_of, behaviour, frame.rates.convert, currency=currency)
            own[key] = _position(frame, key, currency, rows, limit)
        granted.append(limit)
    if len(keys) == 1:
        return own[keys[0]], own
    # One legal person under several accounts is one debtor: all rows together, so that each figure is rounded once.
    everything = [row for key in keys for row in facts.sums.get(key, ())]
    limit = added(granted, frame.as_of, frame.rates.convert)
    return _position(frame, keys[0], _currency(frame, frame.rows[keys[0]]), everything, limit), own


def _position(frame: Frame, key: int, currency: str, rows: Sequence[Totals], limit: Effective) -> Position:
    view = frame.view
    return position(
        key, currency, rows, limit, frame.rates, frame.as_of, frame.policy, view.edges, view.basis, view.placement
    )


def _nodes(frame: Frame, found: Mapping[int, tuple[Position, object]], facts: Facts) -> dict[int, Node]:
    """Each debtor with somebody below it as a group: its limit against the exposure of its whole subtree."""
    nodes: dict[int, Node] = {}
    for debtor, (head, _) in found.items():
        if debtor not in frame.children:
            continue
        row = frame.rows[frame.members[debtor][0]]
        rows = [t for d in frame.below(debtor) for k in frame.members.get(d, ()) for t in facts.sums.get(k, ())]
        # Judged in its limit's own currency: a limit is never changed by a rate.
        currency = head.limit.currency or head.currency
        nodes[debtor] = node_of(_position(frame, row.key, currency, rows, head.limit), row.ref, row.name or row.ref)
    return nodes
