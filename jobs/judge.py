"""Judging: positions and decisions of customers on a day, from the facts in the store; nothing is written.

`judge` gives one `Judged` per debtor, within the `Frame` of a day (`jobs/frame.py`). The nightly run, the reports and the explanations all come through here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit.circumstances import ORDINARY, Circumstances
from connector.credit.decide import Decision, OrderDecision, Room, decide, risk_level
from connector.credit.group import Node, node_of
from connector.credit.habits import Habits
from connector.credit.limit import Effective, added, effective
from connector.credit.position import Position, position
from connector.credit.reason import Reason
from connector.credit.score import Score
from connector.credit.stage import Behaviour
from connector.credit.totals import Totals
from connector.credit.warn import State
from connector.credit.warn_signs import NOTHING_ASKED, Signs
from connector.policy import Level, default_policy
from connector.store import Connection
from connector.store.alerts import Alert
from connector.store.customers import CustomerRow
from connector.store.order_credit import Standing
from connector.store.order_values import OrderRow
from jobs.frame import Frame
from jobs.judge_facts import Facts, currency_of, facts_of
from jobs.judge_orders import check_orders, checked_again
from jobs.order_book import OrderBook, order_book
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
    facts = facts_of(tx, frame, keys)
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


# --- positions ---------------------------------------------------------------------------------------------------------
def _positions(frame: Frame, debtor: int, facts: Facts) -> tuple[Position, dict[int, Position]]:
    keys = frame.members[debtor]
    own: dict[int, Position] = {}
    granted: list[Effective] = []
    for key in keys:
        currency = currency_of(frame, frame.rows[key])
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
    return _position(frame, keys[0], currency_of(frame, frame.rows[keys[0]]), everything, limit), own


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
