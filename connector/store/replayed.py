"""Histories for a replay, read set by set: what some customers' items were worth from which day on, and their orders.

The worth of an item moves with the days on which something is set against it; an item with instalments goes through the
same rule as everywhere (`pieces`), day by day of its own.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from connector.credit.replay_history import (
    UNIT_DIGITS,
    Day,
    Line,
    Part,
    Placed,
    Sale,
    Worth,
    placed_order,
)
from connector.money import exponent
from connector.store import balances, bulk
from connector.store.items import DOCUMENT, DRAFT_BILL
from connector.store.keys import system_ids, system_names
from connector.store.orders import REST_DIGITS
from connector.store.pieces import Balance, pieces
from connector.store.tables import application, item, order_line, sales_order

assert REST_DIGITS == UNIT_DIGITS


@dataclass
class History:
    """What happened to one customer; places in `sales` are of its own `lines` and `orders`."""

    lines: list[Line] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)


@dataclass(slots=True)
class _Item:
    """One item between reading and telling: what changes its worth, by day, and what was written off of it."""

    row: Any
    changes: dict[Day, int] = field(default_factory=lambda: defaultdict(int))
    lost: int = 0


def histories(
    tx: Connection,
    customers: Collection[int],
    systems: Collection[str],
    first: dt.date,
    last: dt.date,
    everything: Collection[int] = (),
) -> dict[int, History]:
    """The histories of some customers of ledgers from `first` to `last`, by the customer's key.

    What was settled before `first` is left out, but not of the customers in `everything`.
    """
    found: dict[int, History] = defaultdict(History)
    order_refs = _orders(tx, customers, systems, first, last, found)
    for key, one in _items(tx, customers, first, last, everything):
        history = found[key]
        start = len(history.lines)
        history.lines += one[1]
        if one[2] is not None:
            sale, system, order_ref = one[2]
            sale.lines = tuple(range(start, len(history.lines)))
            place = order_refs.get((system, order_ref)) if order_ref is not None else None
            # An order of somebody else's (a parent who is billed) is not this customer's sale.
            if place is not None and place[0] == key:
                sale.order = place[1]
            history.sales.append(sale)
    return found


# --- items -------------------------------------------------------------------------------------------------------------
_Told = tuple[int, list[Line], tuple[Sale, int, str | None] | None]


def _items(
    tx: Connection, customers: Collection[int], first: dt.date, last: dt.date, everything: Collection[int]
) -> Iterator[tuple[int, _Told]]:
    i = item.c
    asked = (
        select(
            i.id,
            i.system,
            i.ref,
            i.number,
            i.customer,
            i.kind,
            i.sort,
            i.currency,
            i.issued_on,
            i.due_on,
            i.value,
            func.coalesce(i.disputed, 0).label("disputed"),
            i.voided_on,
            i.order_ref,
            i.parts,
        )
        .where(bulk.among(tx, i.customer, customers), i.sort < bulk.literal(DRAFT_BILL), i.issued_on <= last)
        .order_by(i.id)
    )
    lives = or_(i.settled_on.is_(None), i.settled_on > first)
    if everything:
        lives = or_(lives, bulk.among(tx, i.customer, everything))
    items = {row.id: _Item(row) for row in tx.execute(asked.where(lives)).all()}
    _changes(tx, customers, items)
    split = [key for key, one in items.items() if one.row.parts]
    whole = {balance.id: balance for balance in balances.load(tx, split)} if split else {}
    for key, one in items.items():
        row = one.row
        lines = _pieces(whole[key], row) if key in whole else [_line(one)]
        yield row.customer, (key, lines, _sale(one))


def _changes(tx: Connection, customers: Collection[int], items: Mapping[int, _Item]) -> None:
    a, source = application.c, item.alias("source")
    for end, value in ((a.to_item, a.to_value), (a.from_item, a.from_value)):
        asked = (
            select(end, a.since, a.until, value, source.c.kind)
            .join_from(application, item, end == item.c.id)
            .join(source, source.c.id == a.from_item)
            .where(
                bulk.among(tx, item.c.customer, customers),
                a.since.is_not(None),
                or_(a.until.is_(None), a.until > a.since),
            )
        )
        aimed = end is a.to_item
        for key, since, until, more, kind in tx.execute(asked).all():
            one = items.get(key)
            if one is None or not more:
                continue
            one.changes[since.toordinal()] += more
            if until is not None:
                one.changes[until.toordinal()] -= more
            elif aimed and kind == "write_off" and more < 0:
                one.lost -= more


def _line(one: _Item) -> Line:
    row = one.row
    issued = row.issued_on.toordinal()
    gone = row.voided_on.toordinal() if row.voided_on is not None else None
    value, disputed = row.value, row.disputed
    worth = []
    if gone is None or gone > issued:
        worth = [Worth(issued, value, disputed)]
        for day in sorted(one.changes):
            if one.changes[day] and (gone is None or day < gone):
                value += one.changes[day]
                if day <= issued:
                    worth[-1] = Worth(issued, value, disputed)
                else:
                    worth.append(Worth(day, value, disputed))
        if gone is not None and value:
            worth.append(Worth(gone, 0, 0))
    return _made(row, row.due_on, row.ref, worth)


def _made(row: Any, due_on: dt.date | None, ref: str, worth: list[Worth]) -> Line:
    issued = row.issued_on.toordinal()
    due = due_on.toordinal() if due_on is not None else issued
    return Line(row.customer, row.currency, row.sort, issued, due, due_on is not None, ref, worth)


def _pieces(balance: Balance, row: Any) -> list[Line]:
    """A document in instalments as one line each."""
    issued = row.issued_on.toordinal()
    gone = row.voided_on.toordinal() if row.voided_on is not None else None
    if gone is not None and gone <= issued:
        return []
    days = {issued}
    for use in balance.uses:
        days.add(max(use.since.toordinal(), issued))
        if use.until is not None:
            days.add(max(use.until.toordinal(), issued))
    worth: dict[str, list[Worth]] = {}
    due: dict[str, dt.date | None] = {}
    for day in sorted(day for day in days if gone is None or day < gone):
        for piece in pieces(balance, dt.date.fromordinal(day)):
            due[piece.number] = piece.due_on
            course = worth.setdefault(piece.number, [])
            if not course or (course[-1].value, course[-1].disputed) != (piece.open_value, piece.disputed):
                course.append(Worth(day, piece.open_value, piece.disputed))
    if gone is not None:
        for course in worth.values():
            course.append(Worth(gone, 0, 0))
    return [_made(row, due[number], row.ref, course) for number, course in worth.items()]


def _sale(one: _Item) -> tuple[Sale, int, str | None] | None:
    row = one.row
    if row.sort != DOCUMENT or row.value <= 0 or row.kind not in ("invoice", "debit_note"):
        return None
    voided = row.voided_on.toordinal() if row.voided_on is not None else None
    sale = Sale(
        row.customer,
        row.ref,
        row.number,
        row.issued_on.toordinal(),
        row.currency,
        row.value,
        (),
        None,
        one.lost,
        voided,
    )
    return sale, row.system, row.order_ref if row.kind == "invoice" else None


# --- orders ------------------------------------------------------------------------------------------------------------
def _orders(
    tx: Connection,
    customers: Collection[int],
    systems: Collection[str],
    first: dt.date,
    last: dt.date,
    found: dict[int, History],
) -> dict[tuple[int, str], tuple[int, int]]:
    """Puts the orders into the histories; gives, by system and id, the customer and the place there."""
    o, n, i = sales_order.c, order_line.c, item.c
    mine = and_(
        bulk.among(tx, o.customer, customers),
        o.system.in_(system_ids(tx, systems) or []),
        o.status.in_(("open", "closed")),
        o.ordered_on <= last,
    )
    lines = select(
        n.sales_order, n.ship_on, n.total, n.total_rest, n.delivered, n.delivered_rest, n.ordered, n.ordered_rest
    ).join_from(order_line, sales_order, o.id == n.sales_order)
    unit = 10**UNIT_DIGITS
    parts: dict[int, list[Part]] = defaultdict(list)
    for key, ship_on, total, total_rest, out, out_rest, wait, wait_rest in tx.execute(lines.where(mine)).all():
        ship = ship_on.toordinal() if ship_on is not None else None
        values = (total * unit + total_rest, out * unit + out_rest, wait * unit + wait_rest)
        parts[key].append(Part(ship, *values))
    billed: dict[tuple[int, str], list[tuple[Day, int, str]]] = defaultdict(list)
    asked = select(i.system, i.order_ref, i.issued_on, i.value, i.currency).where(
        bulk.among(tx, i.customer, customers),
        i.order_ref.is_not(None),
        i.kind == "invoice",
        i.sort == bulk.literal(DOCUMENT),
        i.voided_on.is_(None),
        i.issued_on <= last,
    )
    for system, ref, issued_on, value, currency in tx.execute(asked).all():
        billed[system, ref].append((issued_on.toordinal(), value, currency))
    names = system_names(tx)
    columns = (o.id, o.system, o.ref, o.number, o.customer, o.currency, o.amount, o.delivered, o.ordered)
    places: dict[tuple[int, str], tuple[int, int]] = {}
    orders = select(*columns, o.ordered_on, o.ship_on, o.status, o.terms, o.priority).where(mine).order_by(o.id)
    for row in tx.execute(orders).all():
        scale = 10 ** (UNIT_DIGITS - exponent(row.currency))
        ship = row.ship_on.toordinal() if row.ship_on is not None else None
        stated = row.amount * scale if row.amount is not None else None
        own = parts.get(row.id)
        if own is None:
            own = [Part(ship, stated or 0, (row.delivered or 0) * scale, (row.ordered or 0) * scale)]
        made = placed_order(
            row.customer,
            names[row.system],
            row.ref,
            row.number,
            row.currency,
            row.ordered_on.toordinal(),
            ship,
            stated,
            own,
            [(day, value * scale) for day, value, currency in billed[row.system, row.ref] if currency == row.currency],
            row.status == "open",
            last.toordinal(),
        )
        made.terms, made.priority = row.terms, row.priority
        if made.closes is not None and made.closes < first.toordinal():
            continue
        history = found[row.customer]
        places[row.system, row.ref] = row.customer, len(history.orders)
        history.orders.append(made)
    return places
