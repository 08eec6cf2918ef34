"""Debts: open invoices, debit notes and instalments that fall due, one by one, with the course of their balances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from connector.credit.dun import Debt
from connector.money import from_minor
from connector.store import balances, bulk
from connector.store.items import DOCUMENT
from connector.store.keys import system_names
from connector.store.pieces import Balance, pieces
from connector.store.tables import application, dunning, item, link, part

_KINDS = ("invoice", "debit_note")


@dataclass(frozen=True, slots=True)
class DebtRow:
    """A debt and what stands behind it. `value` and `open` of a voided document are what they were, and nothing."""

    debt: Debt
    item: int
    balance: Balance
    place: int

    def course(self, first: dt.date, last: dt.date) -> list[tuple[dt.date, Decimal]]:
        """What was open of it from `first` on, by the day on which that changed."""
        days = {first}
        for use in self.balance.uses:
            days.update(day for day in (use.since, use.until) if day is not None and first < day <= last)
        voided_on = self.balance.voided_on
        if voided_on is not None and first < voided_on <= last:
            days.add(voided_on)
        found = []
        for day in sorted(days):
            is_void = voided_on is not None and voided_on <= day
            value = 0 if is_void else pieces(self.balance, day)[self.place].open_value
            found.append((day, from_minor(value, self.debt.currency)))
        return found


def debtors_to_look_at(tx: Connection, as_of: dt.date, due_until: dt.date) -> list[int]:
    """Debtors with something open that falls due by a day, or with an item whose dunning is not settled, or that has
    changed since."""
    c = item.c
    late = select(c.customer).where(_is_open(as_of), c.due_on <= due_until)
    dateless = select(c.customer).where(_is_open(as_of), c.due_on.is_(None))
    parts = (
        select(c.customer)
        .join_from(item, part, part.c.item == c.id)
        .where(_is_open(as_of), c.parts > bulk.literal(0), part.c.due_on <= due_until)
    )
    begun = select(dunning.c.customer).where(or_(dunning.c.closed_on.is_(None), dunning.c.changed.is_(True)))
    found: set[int] = set()
    for asked in (late, dateless, parts, begun):
        found.update(tx.execute(select(link.c.debtor).distinct().where(link.c.customer.in_(asked))).scalars())
    return sorted(found)


def debts(tx: Connection, customers: Collection[int], as_of: dt.date, due_until: dt.date) -> list[DebtRow]:
    """What customers owe at the end of a day and falls due by another (or on no known day), and the items of theirs whose
    dunning has begun, with nothing open where that is so; by customer, document and instalment."""
    c, d = item.c, dunning.c
    mine = bulk.among(tx, c.customer, customers)
    asked = select(c.id).where(
        mine, _is_open(as_of), or_(c.due_on <= due_until, c.due_on.is_(None), c.parts > bulk.literal(0))
    )
    begun = select(c.id).join_from(
        dunning, item, and_(c.system == d.system, c.family == bulk.word("d"), c.ref == d.document_ref)
    )
    begun = begun.where(bulk.among(tx, d.customer, customers), or_(d.closed_on.is_(None), d.changed.is_(True)))
    started = set(tx.execute(begun).scalars())
    ids = started | set(tx.execute(asked).scalars())
    rows = [
        row
        for row in _rows(tx, ids, as_of)
        if row.item in started or (row.debt.open > 0 and (row.debt.due_on is None or row.debt.due_on <= due_until))
    ]
    return sorted(rows, key=lambda row: (row.debt.customer, row.debt.system, row.debt.document, row.place))


def _is_open(as_of: dt.date) -> ColumnElement[bool]:
    c = item.c
    return and_(
        or_(c.open == bulk.literal(1), c.settled_on > as_of),
        c.family == bulk.word("d"),
        c.sort == bulk.literal(DOCUMENT),
        c.kind.in_(_KINDS),
        c.issued_on <= as_of,
    )


def _rows(tx: Connection, ids: Collection[int], as_of: dt.date) -> Iterator[DebtRow]:
    if not ids:
        return
    names = system_names(tx)
    numbers = {
        row.id: row.number for row in tx.execute(select(item.c.id, item.c.number).where(bulk.among(tx, item.c.id, ids)))
    }
    for balance in balances.load(tx, ids):
        is_void = balance.voided_on is not None and balance.voided_on <= as_of
        for place, piece in enumerate(pieces(balance, as_of)):
            currency = balance.currency
            debt = Debt(
                system=names[balance.system],
                customer=balance.customer,
                document=balance.ref,
                part=piece.number,
                number=numbers[balance.id],
                kind=balance.kind,
                issued_on=balance.issued_on,
                due_on=piece.due_on,
                currency=currency,
                value=from_minor(piece.value, currency),
                open=from_minor(0 if is_void else piece.open_value, currency),
                disputed=from_minor(0 if is_void else piece.disputed, currency),
            )
            yield DebtRow(debt, balance.id, balance, place)


def ref_of(tx: Connection, customer: int, said: str) -> str | None:
    """The id of a customer's document that somebody names by its id or its number; None: it has none of that name, or
    several of that number."""
    c = item.c
    named = or_(c.ref == said, c.number == said)
    asked = select(c.ref).where(c.customer == customer, c.family == bulk.word("d"), named).limit(3)
    found = [str(ref) for (ref,) in tx.execute(asked)]
    return said if said in found else found[0] if len(found) == 1 else None


def paid_on(tx: Connection, items: Collection[int], as_of: dt.date) -> dict[int, list[dt.date]]:
    """The days on which money was set against items, up to a day: each acknowledges the debt."""
    a, money = application.c, item.alias("money")
    asked = (
        select(a.to_item, a.since)
        .join_from(application, money, money.c.id == a.from_item)
        .where(
            bulk.among(tx, a.to_item, items),
            money.c.kind == "receipt",
            a.since <= as_of,
            or_(a.until.is_(None), a.until > as_of),
        )
        .order_by(a.since)
    )
    found: dict[int, list[dt.date]] = {}
    for key, day in tx.execute(asked):
        found.setdefault(key, []).append(day)
    return found
