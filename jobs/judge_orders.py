"""Orders of the debtors that are judged: what each adds, which of them pass together, and what was decided before.

The same order in the CRM and in the ledger's own system is one order: that of the ledger competes, both are told.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from connector.credit.circumstances import ORDINARY, Circumstances, Missing
from connector.credit.compete import Contender, Share, Taken, Verdict, compete
from connector.credit.decide import ORDER_NO_RATE, OrderDecision, Room, check_order
from connector.credit.exclusion import Exclusion
from connector.credit.group import Node
from connector.credit.hold import OrderAmounts
from connector.credit.position import Position
from connector.credit.reason import Reason
from connector.credit.review import PAPERS, OnFile, lacking
from connector.money import rounded
from connector.policy import Policy
from connector.store import Connection, dunning, exclusions, order_credit, order_values, papers, reservations, reviews
from connector.store.customers import CustomerRow
from connector.store.exclusions import Exclusions
from connector.store.order_credit import Standing
from connector.store.order_values import OrderRow
from connector.store.reservations import Reservation
from connector.store.reviews import ReviewRow
from connector.text import Text

if TYPE_CHECKING:
    from jobs.frame import Frame
    from jobs.judge import Judged

ZERO = Decimal(0)
# A draft takes no credit until it has passed one of these.
BINDING = frozenset({"confirmation", "release", "delivery", "change", "reopen"})
Checked = tuple[tuple[OrderRow, OrderDecision], ...]


@dataclass
class OrderBook:
    """Open and draft orders by debtor, the newest states of orders, what persons have set aside or forced, and the credit
    that is reserved for orders that are not there yet."""

    rows: Mapping[int, Sequence[OrderRow]] = field(default_factory=dict)
    standings: Mapping[int, Standing] = field(default_factory=dict)
    exclusions: Exclusions = field(default_factory=Exclusions)
    levels: Mapping[int, int] = field(default_factory=dict)
    reviews: Mapping[int, dt.date] = field(default_factory=dict)
    papers: Mapping[int, Sequence[OnFile]] = field(default_factory=dict)
    stopped: Mapping[int, ReviewRow] = field(default_factory=dict)
    reserved: Mapping[int, Sequence[Reservation]] = field(default_factory=dict)
    # The orders of a debtor as they compete, made once for all that is asked beside them.
    standing_by: dict[int, Sequence[Contender]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def of_debtor(self) -> Mapping[int, dict[int, Standing]]:
        """The states by debtor and order; of an order that has another customer now, still under the former one."""
        found: dict[int, dict[int, Standing]] = defaultdict(dict)
        for key, standing in self.standings.items():
            found[standing.debtor][key] = standing
        return found

    def about(
        self, debtor: int, members: Sequence[CustomerRow], policy: Policy, position: Position, is_today: bool
    ) -> Circumstances:
        """A debtor's circumstances, by its customers in the ledger, as far as its policy asks for them."""
        first = members[0]
        level, mine = self.levels.get(debtor, 0), self.exclusions.of(debtor, first.segment)
        terms = first.terms if policy.hold.terms_worsened.on else None
        due = self.reviews.get(debtor) if policy.hold.review_overdue.on and policy.review.on else None
        missing = self._missing(debtor, policy, position) if policy.hold.documents.on and is_today else ()
        stop = self.stopped.get(debtor)
        if not level and not mine and terms is None and due is None and not missing and stop is None:
            return ORDINARY
        return Circumstances(
            dunning_level=level,
            review_due_on=due,
            missing=missing,
            terms=terms,
            stopped=_stopped(stop),
            exclusions=mine,
        )

    def _missing(self, debtor: int, policy: Policy, position: Position) -> tuple[Missing, ...]:
        """What the credit file lacks for the limit of the day; a limit that cannot be converted asks for nothing."""
        limit: Decimal | None = ZERO
        if position.limit.kind == "unlimited":
            limit = None
        elif position.limit_amount is not None and position.unit:
            limit = position.limit_amount / position.unit
        found = lacking(self.papers.get(debtor, ()), limit, policy.review, position.as_of)
        return tuple(Missing(PAPERS[one.paper], one.since) for one in found)


def order_book(
    tx: Connection, frame: Frame, keys: Collection[int] | None, debtors: Collection[int] | None
) -> OrderBook:
    """What is known of the orders of some customers and debtors (None: of all); states only of a day that is today."""
    by_debtor: dict[int, list[OrderRow]] = defaultdict(list)
    mixed: set[int] = set()
    several = len(frame.systems) > 1
    for row in order_values.order_values(tx, keys, horizon_on=_horizon(frame)):
        if row.debtor is not None:
            by_debtor[row.debtor].append(row)
            if several or row.system not in frame.systems:
                mixed.add(row.debtor)
    for debtor in mixed:
        by_debtor[debtor] = named(frame.systems, by_debtor[debtor])
    if not frame.is_today:
        return OrderBook(by_debtor)
    mentioned = [row.key for rows in by_debtor.values() for row in rows] if debtors is not None else []
    return OrderBook(
        by_debtor,
        order_credit.states(tx, debtors, mentioned),
        exclusions.in_force(tx, frame.as_of, debtors),
        dunning.levels(tx, debtors),
        reviews.due(tx, debtors) if _asked(frame.policy, "review_overdue") else {},
        papers.held(tx, debtors) if _asked(frame.policy, "documents") else {},
        reviews.stopped(tx, debtors),
        reservations.standing(tx, frame.now, debtors) if frame.now is not None else {},
    )


def named(ledgers: Collection[str], rows: Sequence[OrderRow]) -> list[OrderRow]:
    """The orders of one debtor; one of another system that is an order of a ledger bears its name.

    It is the same where either knows the other's number (its own number, else its id there, or its reference). What has
    the same number in two ledgers is two orders.
    """
    names: dict[str, str] = {}
    references: dict[str, str] = {}
    whose: dict[str, str] = {}
    found = []
    for row in rows:
        if row.system in ledgers:
            if whose.setdefault(row.name, row.system) != row.system:
                row = row._replace(twin=f"{row.system}/{row.name}")
            else:
                names[row.name] = row.name
            if row.reference:
                references.setdefault(row.reference, row.name)
        found.append(row)
    for at, row in enumerate(found):
        if row.system in ledgers:
            continue
        own = row.reference or ""
        same = names.get(row.name) or names.get(own) or references.get(row.name) or references.get(own)
        if same is not None and same != row.name:
            found[at] = row._replace(twin=same)
    return found


def firsts(frame: Frame, rows: Sequence[OrderRow]) -> dict[str, OrderRow]:
    """Which of the orders of one debtor stands for each name: the open one of the ledger, else one that is open elsewhere,
    else the ledger's quote. Nothing where all are the ledger's own."""
    ledgers = frame.systems
    if all(row.system in ledgers for row in rows):
        return _OWN
    found: dict[str, OrderRow] = {}
    ranks: dict[str, int] = {}
    for row in rows:
        mine = row.system in ledgers
        rank = (0 if mine else 1) if row.status == "open" else (2 if mine else 3)
        if rank < ranks.get(row.name, 4):
            found[row.name], ranks[row.name] = row, rank
    return found


def stands_for(first: Mapping[str, OrderRow], row: OrderRow) -> OrderRow:
    """The order that is checked in place of one: of the same name in another system, else itself."""
    found = first.get(row.name, row)
    return found if found.system != row.system else row


_OWN: dict[str, OrderRow] = {}

STOPPED_BY_REVIEW = Text("the review of {on} ended so: {reason}", "{on} 的复评结论：{reason}")


def _stopped(one: ReviewRow | None) -> Text | None:
    return None if one is None else STOPPED_BY_REVIEW.fill(on=one.done_on, reason=one.reason)


def _asked(policy: Policy, rule: str) -> bool:
    """Whether a hold rule is on for anybody."""
    every = (policy, *(policy.of(segment) for segment in policy.segment))
    return any(getattr(rules.hold, rule).on for rules in every)


def _horizon(frame: Frame) -> dt.date | None:
    days = frame.policy.exposure.order_horizon_days
    return frame.as_of + dt.timedelta(days=days) if days is not None else None


# --- which pass together ---------------------------------------------------------------------------------------------
def check_orders(frame: Frame, family: Sequence[Judged], book: OrderBook) -> None:
    """Decides on all orders of debtors who share credit, together; puts what was decided into each."""
    contenders: list[Contender] = []
    twins: dict[int, dict[str, OrderRow]] = {}
    for judged in family:
        judged.standings = book.of_debtor.get(judged.debtor, _NO_STANDINGS)
    for judged in family:
        rows = book.rows.get(judged.debtor, ())
        if rows:
            twins[judged.debtor], mine = _contenders(frame, judged, rows, book)
            contenders += mine
    if not contenders:
        return
    found = compete(contenders, taken_by(frame, family, book))
    for judged in family:
        rows = book.rows.get(judged.debtor, ())
        if not rows:
            continue
        first = twins[judged.debtor]
        judged.orders = tuple([(row, found[stands_for(first, row).key][0]) for row in rows])
        judged.rooms = {c.key: found[c.key][1] for c in contenders if c.customer == judged.debtor}


def check_beside(frame: Frame, family: Sequence[Judged], book: OrderBook, asked: OrderRow) -> Verdict:
    """What becomes of an order that is not in the store, were it there beside all others; `asked.key` is none of theirs."""
    contenders: list[Contender] = []
    for judged in family:
        rows = book.rows.get(judged.debtor, ())
        mine = judged.debtor == asked.debtor
        if book.reserved.get(judged.debtor) or (mine and any(row.name == asked.name for row in rows)):
            # It may be one of them under another key, or one of them what credit was reserved for.
            contenders += _contenders(frame, judged, (*rows, asked) if mine else rows, book)[1]
            continue
        if rows:
            known = book.standing_by.get(judged.debtor)
            if known is None:
                known = book.standing_by[judged.debtor] = _contenders(frame, judged, rows, book)[1]
            contenders += known
        if mine:
            contenders += _contenders(frame, judged, (asked,), book)[1]
    return compete(contenders, taken_by(frame, family, book))[asked.key]


def taken_by(frame: Frame, family: Sequence[Judged], book: OrderBook) -> Taken | None:
    """The credit that is reserved, where there is any: what a passed order of that amount would take."""
    if not book.reserved:
        return None
    taken = Taken()
    for judged in family:
        for one in book.reserved.get(judged.debtor, ()):
            if one.ref is not None and _promised(book.rows.get(judged.debtor, ()), one):
                continue  # the quote takes it itself
            row = _row_of(judged, one)
            currency = judged.position.currency
            takes = _share(frame, amounts(frame, currency, row), row, currency, True).takes
            taken.customers[judged.debtor] = taken.customers.get(judged.debtor, ZERO) + takes
            for place, node in above(frame, judged):
                takes = _share(frame, amounts(frame, currency, row), row, node.currency, True).takes
                taken.nodes[place] = taken.nodes.get(place, ZERO) + takes
    return taken if taken.customers else None


def _row_of(judged: Judged, one: Reservation) -> OrderRow:
    return OrderRow(
        -one.id,
        judged.members[0].system,
        one.ref or "",
        None,
        one.customer,
        judged.debtor,
        "draft",
        one.currency,
        one.total,
        ZERO,
        ZERO,
        one.made_on,
        one.ship_on,
        one.terms,
    )


def _promised(rows: Sequence[OrderRow], one: Reservation) -> bool:
    """Whether the order that credit is reserved for is there as a quote, which takes no credit by itself."""
    return any(row.status == "draft" and one.ref in (row.ref, row.number, row.reference) for row in rows)


def above(frame: Frame, judged: Judged) -> list[tuple[int, Node]]:
    """The groups over a debtor whose limits bind it, each with who stands at its head."""
    ancestors = judged.decision.ancestors
    if not ancestors:
        return []
    chain = (judged.debtor, *frame.ancestors(judged.debtor))
    heads = [d for d in chain if d in frame.children and d in frame.members][-len(ancestors) :]
    return list(zip(heads, ancestors, strict=True))


def _contenders(
    frame: Frame, judged: Judged, rows: Sequence[OrderRow], book: OrderBook
) -> tuple[dict[str, OrderRow], list[Contender]]:
    """The orders of one debtor that compete, and which of them stands for a name."""
    first = firsts(frame, rows)
    before = _before(rows, first, book)
    if before:
        judged.standings = {**judged.standings, **before}
    decision, currency = judged.decision, judged.position.currency
    policy = frame.policy.of(judged.members[0].segment)
    over = above(frame, judged)
    promised = [one for one in book.reserved.get(judged.debtor, ()) if one.ref] if book.reserved else ()
    found = []
    for row in rows:
        if stands_for(first, row) is not row:
            continue
        standing = before.get(row.key)
        order = amounts(frame, currency, row)
        binding = row.status == "open" or (standing is not None and standing.through and standing.point in BINDING)
        earlier = binding and standing is not None and standing.state == "passed" and _unchanged(standing, row)
        binding = binding or row.key == frame.confirming
        if promised and row.status == "draft":
            # The credit that was reserved for it is its own, as if it had passed with so much.
            mine = [one for one in promised if one.ref in (row.ref, row.number, row.reference)]
            binding = binding or bool(mine)
            earlier = earlier or any(one.currency == row.currency and row.total <= one.total for one in mine)
        found.append(
            Contender(
                row.key,
                judged.debtor,
                decision,
                policy,
                order,
                _share(frame, order, row, currency, binding),
                tuple([(d, _share(frame, order, row, node.currency, binding)) for d, node in over]) if over else (),
                row.ordered_on,
                row.priority,
                row.system,
                earlier,
                binding,
                room_of(standing, book.exclusions.orders.get(row.key, ())),
            )
        )
    return first, found


_NO_STANDINGS: dict[int, Standing] = {}


def _before(rows: Sequence[OrderRow], first: Mapping[str, OrderRow], book: OrderBook) -> dict[int, Standing]:
    """What was decided before of each order that competes: of itself, else of the same order in the other system."""
    if not book.standings:
        return _NO_STANDINGS
    found = {}
    for row in rows:
        standing = book.standings.get(row.key)
        mine = stands_for(first, row)
        if standing is not None and (mine is row or mine.key not in book.standings):
            found[mine.key] = standing
    return found


def _unchanged(standing: Standing, row: OrderRow) -> bool:
    return (
        standing.ended_on is None
        and standing.currency == row.currency
        and (rounded(row.total, row.currency) <= standing.total)
    )


def room_of(standing: Standing | None, own: tuple[Exclusion, ...] = ()) -> Room:
    """What was decided of an order before, as the next check needs it. A release does not outlive the order's end."""
    if standing is None:
        return Room(exclusions=own) if own else _ALONE
    release = standing.release if standing.state == "released" and standing.ended_on is None else None
    if standing.manual is None and release is None and not own:
        return _ALONE
    return Room(manual=standing.manual, release=release, exclusions=own)


_ALONE = Room()


def _share(frame: Frame, order: OrderAmounts, row: OrderRow, currency: str, binding: bool) -> Share:
    if order.unclear:
        return _NOTHING
    if order.counted:
        stands, leaves = _in_exposure(frame, row)
        if currency == row.currency:
            return Share(stands, leaves)
        return Share(
            _converted(frame, stands, row.currency, currency), _converted(frame, leaves, row.currency, currency)
        )
    counting = frame.policy.exposure
    last = _horizon(frame)
    beyond = last is not None and row.ship_on is not None and row.ship_on > last
    if not binding or beyond or not counting.ordered_not_delivered:
        return _NOTHING
    return Share(takes=_converted(frame, row.total, row.currency, currency))


def _in_exposure(frame: Frame, row: OrderRow) -> tuple[Decimal, Decimal]:
    """What of an order is in the exposure by the policy, and what of that is not delivered yet; in its own currency."""
    counting = frame.policy.exposure
    undelivered = row.open_value - row.delivered_value if counting.ordered_not_delivered else ZERO
    return (row.delivered_value if counting.delivered_not_invoiced else ZERO) + undelivered, undelivered


_NOTHING = Share()


def _converted(frame: Frame, amount: Decimal, frm: str, to: str) -> Decimal:
    # Without a rate it is not in the exposure either.
    return frame.rates.convert(amount, frm, to, frame.as_of) or ZERO


def amounts(frame: Frame, currency: str, row: OrderRow) -> OrderAmounts:
    """An order in the debtor's currency, unrounded; where there is no rate it is unclear what it adds."""
    counted = row.system in frame.systems and row.status == "open" and row.ordered_on <= frame.as_of
    same = (row.terms, row.total, row.currency)
    if row.currency == currency:
        # What is invoiced already is a receivable: it must not be added a second time with the order.
        value, invoiced = (_in_exposure(frame, row)[0], row.invoiced_value) if counted else (ZERO, ZERO)
        return OrderAmounts(row.ref, row.number, row.total, value, row.ship_on, counted, invoiced, *same)
    quote = frame.rates.quote(row.currency, currency, frame.as_of)
    if quote is None:
        numbers = {"from": row.currency, "to": currency, "on": str(frame.as_of)}
        text = ORDER_NO_RATE.fill(frm=row.currency, to=currency, on=frame.as_of)
        unclear = (Reason("no_rate", text, numbers, (row.ref,)),)
        return OrderAmounts(row.ref, row.number, ZERO, ZERO, row.ship_on, False, ZERO, *same, unclear)
    value = quote.convert(_in_exposure(frame, row)[0]) if counted else ZERO
    invoiced = quote.convert(row.invoiced_value) if counted else ZERO
    total = quote.convert(row.total)
    return OrderAmounts(row.ref, row.number, total, value, row.ship_on, counted, invoiced, *same)


def checked_again(
    frame: Frame, judged: Judged, policy: Policy, orders: Sequence[OrderRow], rooms: Mapping[int, Room]
) -> Iterator[tuple[OrderRow, OrderDecision]]:
    """Decides on orders with the rooms that were kept of the day."""
    first = firsts(frame, orders)
    for placed in orders:
        row = stands_for(first, placed)
        order = amounts(frame, judged.position.currency, row)
        yield placed, check_order(judged.decision, order, policy, rooms.get(row.key, _ALONE))
