"""Open debts: the invoices and debit notes that some customers have to pay, read off what is kept up for today.

Where something is dated later than the day asked for, the customer's items are added up anew (`positions.open_items_of`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Date, Select, bindparam, func, null, or_, select

from connector.credit.ageing import OpenItem
from connector.money import from_minor
from connector.store import Connection, bulk, quick
from connector.store.items import DRAFT
from connector.store.positions import open_items_of
from connector.store.tables import item, part

KINDS = ("invoice", "debit_note")


def open_debts(tx: Connection, customers: Collection[int], as_of: dt.date) -> list[tuple[int, OpenItem]]:
    """The open debts of some customers on a day, each with its customer's key, by issue date, then id."""
    sqlite = bulk.is_sqlite(tx)
    given = {"ids": bulk.given(tx, customers), "day": as_of}
    later = {row[0] for row in quick.rows(tx, _later(sqlite), given)}
    found = [one for one in open_items_of(tx, sorted(later), as_of) if one[1].kind in KINDS] if later else []
    for question in _debts(sqlite):
        for key, ref, number, kind, issued_on, due_on, currency, value, disputed, piece in quick.rows(
            tx, question, given
        ):
            if key in later or not value:
                continue
            debt = OpenItem(
                ref=f"{ref}/{piece}" if piece else ref,
                number=number,
                kind=kind,
                issued_on=issued_on,
                due_on=due_on,
                currency=currency,
                amount=from_minor(value, currency),
                disputed=from_minor(min(disputed, max(value, 0)), currency),
            )
            found.append((key, debt))
    return sorted(found, key=lambda one: (one[1].issued_on, one[1].ref))


@cache
def _later(sqlite: bool) -> CompoundSelect[Any]:
    """The customers with something dated later than the day: still open then, or not open any more now."""
    i, day = item.c, bindparam("day", type_=Date)
    is_open, over = i.open == bulk.literal(1), i.open == bulk.literal(0)
    mine = bulk.among_ids(sqlite, i.customer)
    still = select(i.customer).where(mine, is_open, i.last_on > day)
    return still.union(select(i.customer).where(mine, over, i.settled_on > day))


@cache
def _debts(sqlite: bool) -> tuple[Select[Any], Select[Any]]:
    """Whole documents, and those in pieces."""
    i, p = item.c, part.c
    day, none = bindparam("day", type_=Date), bulk.literal(0)
    disputed = func.coalesce(i.disputed, none)
    of_item = (i.customer, i.ref, i.number, i.kind, i.issued_on)
    mine = (
        bulk.among_ids(sqlite, i.customer),
        i.open == bulk.literal(1),
        # The same said once more, in words that an index has: else SQLite goes through all that a customer ever had.
        i.settled_on.is_(None),
        i.issued_on <= day,
        i.sort < bulk.literal(DRAFT),
        or_(*(i.kind == bulk.word(kind) for kind in KINDS)),
    )
    whole = select(*of_item, i.due_on, i.currency, i.open_value, disputed, null()).where(*mine, i.parts == none)
    pieces = (
        select(*of_item, p.due_on, i.currency, p.open_value, p.disputed, p.number)
        .join_from(item, part, p.item == i.id)
        .where(*mine, i.parts > none)
    )
    return whole, pieces
