"""What order checks ask of the store beside facts: whose order it is, whether it is there already, what was answered before.

Everything is asked for many checks at once, with statements that are made once.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Text, bindparam, or_, select

from connector.store import bulk, quick
from connector.store.idempotent import Known
from connector.store.tables import customer, idempotent, link, sales_order, system, utc


class Whose(NamedTuple):
    """A customer of any system, and the debtor that it is linked to."""

    key: int
    system: int
    ref: str
    name: str | None
    tax_id: str | None
    debtor: int | None
    known: bool


def customers(tx: Connection, words: Collection[str]) -> list[Whose]:
    """The customers whose id is one of these words."""
    rows = quick.rows(tx, _customers(bulk.is_sqlite(tx), False), {"ids": bulk.given(tx, words)})
    return [Whose(*row) for row in rows]


def taxed(tx: Connection, words: Collection[str]) -> list[Whose]:
    """The customers whose tax number is one of these words."""
    rows = quick.rows(tx, _customers(bulk.is_sqlite(tx), True), {"ids": bulk.given(tx, words)})
    return [Whose(*row) for row in rows]


@cache
def _customers(sqlite: bool, by_tax_id: bool) -> Select[Any]:
    c = customer.c
    asked = (
        select(c.id, c.system, c.ref, c.name, c.tax_id, link.c.debtor, c.known)
        .select_from(customer.outerjoin(link, link.c.customer == c.id))
        .order_by(c.id)
    )
    if by_tax_id:
        return asked.where(bulk.among_ids(sqlite, c.tax_id))
    # Every system is named, so that the index of ids within a system is used.
    return asked.where(c.system.in_(select(system.c.id)), bulk.among_ids(sqlite, c.ref))


def orders(tx: Connection, debtors: Collection[int], names: Collection[str]) -> list[tuple[int, str, str | None]]:
    """The orders of some debtors, quotes too, whose id or number is one of these: debtor, id, number."""
    given = {"debtors": bulk.given(tx, debtors), "ids": bulk.given(tx, names)}
    return [tuple(row) for row in quick.rows(tx, _orders(bulk.is_sqlite(tx)), given)]


@cache
def _orders(sqlite: bool) -> Select[Any]:
    o = sales_order.c
    asked = select(link.c.debtor, o.ref, o.number).join_from(link, sales_order, o.customer == link.c.customer)
    of_them = bulk.among_ids(sqlite, link.c.debtor, "debtors")
    return asked.where(of_them, or_(bulk.among_ids(sqlite, o.ref), bulk.among_ids(sqlite, o.number)), o.known.is_(True))


# --- answers that were given before ---------------------------------------------------------------------------------------
def answered(tx: Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """What is known of requests by caller and key."""
    by_caller: dict[str, list[str]] = defaultdict(list)
    for caller, key in keys:
        by_caller[caller].append(key)
    found = {}
    for caller, words in by_caller.items():
        given = {"caller": caller, "ids": bulk.given(tx, words)}
        for key, *rest in quick.rows(tx, _answered(bulk.is_sqlite(tx)), given):
            found[caller, key] = Known(*rest)
    return found


@cache
def _answered(sqlite: bool) -> Select[Any]:
    i = idempotent.c
    asked = select(i.key, i.sha, i.state, i.status, i.answer)
    return asked.where(i.caller == bindparam("caller", type_=Text()), bulk.among_ids(sqlite, i.key))


def remember(tx: Connection, rows: Sequence[tuple[str, str, str, str]], at: dt.datetime) -> bool:
    """Keeps answers: (caller, key, sha, answer). False where somebody else has just used one of the keys: then nothing of
    this transaction may be committed."""
    cursor = tx.connection.cursor()
    moment = utc(at)
    mark = "?" if bulk.is_sqlite(tx) else "%s"
    marks = ", ".join(["(" + ", ".join([mark] * 7) + ")"] * len(rows))
    values: list[Any] = []
    for caller, key, sha, answer in rows:
        values += (caller, key, sha, "answered", moment, 200, answer)
    try:
        cursor.execute(f"{_INSERT} {marks} ON CONFLICT DO NOTHING", values)
        return cursor.rowcount == len(rows)
    finally:
        cursor.close()


_INSERT = "INSERT INTO idempotent (caller, key, sha, state, at, status, answer) VALUES"
