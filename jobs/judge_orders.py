"""Orders of the debtors that are judged: what each adds, which of them pass together, and what was decided before.

The same order in the CRM and in the ledger's own system is one order: that of the ledger competes, both are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.credit.compete import Contender, Queue, Share, Taken, Verdict, compete
from connector.credit.decide import ORDER_NO_RATE, OrderDecision, Room, check_order
from connector.credit.exclusion import Exclusion
from connector.credit.group import Node
from connector.credit.hold import OrderAmounts
from connector.credit.reason import Reason
from connector.money import rounded
from connector.policy import Policy
from connector.store.order_credit import Standing
from connector.store.order_values import OrderRow
from connector.store.reservations import Reservation
from jobs.order_book import OrderBook, horizon_on
from jobs.order_names import firsts, stands_for

if TYPE_CHECKING:
    from jobs.frame import Frame
    from jobs.judge import Judged

ZERO = Decimal(0)
# A draft takes no credit until it has passed one of these.
BINDING = frozenset({"confirmation", "release", "delivery", "change", "reopen"})
Checked = tuple[tuple[OrderRow, OrderDecision], ...]


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
    rows = book.rows.get(asked.debtor or 0, ())
    if any(row.name == asked.name for row in rows) or any(book.reserved.get(judged.debtor) for judged in family):
        # It may be one of them under another key, or one of them what credit was reserved for.
        contenders: list[Contender] = []
        for judged in family:
            rows = book.rows.get(judged.debtor, ())
            mine = judged.debtor == asked.debtor
            contenders += _contenders(frame, judged, (*rows, asked) if mine else rows, book)[1]
        return compete(contenders, taken_by(frame, family, book))[asked.key]
    queue = queue_of(frame, family, book, asked.debtor or 0)
    return queue.beside(_asked(frame, next(one for one in family if one.debtor == asked.debtor), asked))


def queue_of(frame: Frame, family: Sequence[Judged], book: OrderBook, debtor: int) -> Queue:
    """The orders of a debtor and its family as they stand in the queue; made once."""
    queue = book.queues.get(debtor)
    if queue is None:
        standing = [(judged, rows) for judged in family if (rows := book.rows.get(judged.debtor, ()))]
        contenders = [one for judged, rows in standing for one in _contenders(frame, judged, rows, book)[1]]
        queue = Queue(contenders) if contenders else _NOBODY
        book.queues |= {judged.debtor: queue for judged in family}
    return queue


# Most have no open orders: one queue is enough for all of them.
_NOBODY = Queue(())


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


def _asked(frame: Frame, judged: Judged, row: OrderRow) -> Contender:
    """An order that is not in the store, of which nothing was decided before, and that bears nobody's name."""
    currency = judged.position.currency
    order, binding = amounts(frame, currency, row), row.key == frame.confirming
    return Contender(
        row.key,
        judged.debtor,
        judged.decision,
        frame.policy.of(judged.members[0].segment),
        order,
        _share(frame, order, row, currency, binding),
        tuple([(d, _share(frame, order, row, node.currency, binding)) for d, node in above(frame, judged)]),
        row.ordered_on,
        row.priority,
        row.system,
        binding=binding,
    )


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
    last = horizon_on(frame)
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
