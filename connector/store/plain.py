"""Facts that are stored as they are said: customers, people, limits, rates, instalments, promises, statements, events.

One row of the table below a kind: its columns, and how a fact becomes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, Table, or_, select

from connector.model import Customer, Fact
from connector.store import amendments, bulk, concerns, echoes, quick, tables
from connector.store.echoes import Said, Word
from connector.store.keys import interned
from connector.store.page import Saving, newest

Facts = Sequence[tuple[int, Any]]


@dataclass(frozen=True)
class Plain:
    """How one kind is stored. `columns` are the table's, `fields` the fact's, in the same order; `of_customer` puts the
    customer's key before them."""

    table: Table
    columns: tuple[str, ...]
    fields: Callable[[Any], tuple[Any, ...]]
    of_customer: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """What a record says, by the names of the table's columns."""
        return ("record", *(("customer",) if self.of_customer else ()), *self.columns)


def _as_named(table: Table, names: str, fields: str = "", *, of_customer: bool = False) -> Plain:
    return Plain(table, tuple(names.split()), attrgetter(*(fields or names).split()), of_customer)


KINDS: dict[str, Plain] = {
    "person": _as_named(tables.person, "name email active"),
    "limit": _as_named(
        tables.credit_limit,
        "kind amount currency percent valid_from valid_to approved_on condition segment",
        of_customer=True,
    ),
    "instalment": _as_named(
        tables.instalment,
        "document_ref number due_on amount base_amount disputed_amount",
        "document_id number due_on amount base_amount disputed_amount",
    ),
    "rate": _as_named(tables.rate, "on from_currency to_currency rate"),
    "promise": _as_named(
        tables.promise,
        "document_ref made_on due_on amount currency",
        "document_id made_on due_on amount currency",
        of_customer=True,
    ),
    "financial": _as_named(
        tables.financial, "period_end_on months currency unit audited item amount", of_customer=True
    ),
    "event": _as_named(tables.event, "on kind source value text ended_on", of_customer=True),
    "release_request": _as_named(tables.release_request, "reason by"),
}


def save(saving: Saving, kind: str, facts: Facts) -> None:
    """The facts of one kind of a page, each with its record."""
    if not facts:
        return
    how = KINDS[kind]
    keys: dict[str, int] = {}
    if how.of_customer:
        keys = interned(saving.tx, tables.customer, saving.system, {fact.customer_id for _, fact in facts})

    def word(record: int, fact: Any) -> Word:
        return (record, *((keys[fact.customer_id],) if how.of_customer else ()), *how.fields(fact))

    words, before = newest(facts)
    said = Said({fact.ref: word(record, fact) for record, fact in words}, [(f.ref, word(r, f)) for r, f in before])
    save_said(saving, said, kind)


def save_said(saving: Saving, said: Said, kind: str) -> None:
    """The facts of one kind as the table has them."""
    tx, how = saving.tx, KINDS[kind]
    columns = how.said
    there = echoes.standing(saving, how.table, columns, said.words)
    new, changed, replaced, amended = [], [], [], []
    for ref, now in said.words.items():
        if ref not in there:
            new.append((ref, now))
            _touch(saving, kind, now[1:])
            continue
        key, before = there[ref]
        if now == before:
            continue
        changed.append((*_plain(now), key))
        if now[0] != before[0]:
            replaced.append((ref, before))
        if now[1:] != before[1:]:  # more than the record it comes from
            amended.append(key)
            _touch(saving, kind, before[1:])
            _touch(saving, kind, now[1:])
    if kind == amendments.INSTALMENT:
        amendments.note(saving, kind, amended)
    ids = bulk.new_ids(tx, how.table, len(new))
    rows = [(key, saving.system, ref, *_plain(now)) for key, (ref, now) in zip(ids, new, strict=True)]
    bulk.insert(tx, how.table, ("id", "system", "ref", *columns), rows)
    bulk.update(tx, how.table, columns, changed)
    echoes.keep(saving, kind, columns, said, replaced)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(format(v, "f") if v.__class__ is Decimal else v for v in row)


def _touch(saving: Saving, kind: str, row: tuple[Any, ...]) -> None:
    if KINDS[kind].of_customer:
        saving.touched.add(row[0])
    elif kind == "instalment":
        saving.split.add(row[0])
    elif kind == "rate":
        saving.rates_changed.update(row[1:3])


def remove(saving: Saving, kind: str, ids: Collection[int]) -> None:
    """Facts of one kind that are gone."""
    if not ids:
        return
    how = KINDS[kind]
    asked = select(*(how.table.c[name] for name in how.said[1:])).where(bulk.among(saving.tx, how.table.c.id, ids))
    for row in saving.tx.execute(asked):
        _touch(saving, kind, tuple(row))
    if kind == amendments.INSTALMENT:
        amendments.note(saving, kind, ids, gone=True)
    bulk.delete(saving.tx, how.table, ids)


def split_documents(saving: Saving) -> None:
    """Documents whose instalments changed, or that came after their instalments, are to be settled anew."""
    tx, sqlite = saving.tx, bulk.is_sqlite(saving.tx)
    if saving.arrived:
        given = {"of": saving.system, "ids": bulk.given(tx, saving.arrived)}
        saving.split.update(quick.column(tx, _split_before(sqlite), given))
    if saving.split:
        given = {"of": saving.system, "ids": bulk.given(tx, saving.split)}
        saving.unsettled.update(quick.column(tx, _documents(sqlite), given))
        saving.split = set()


@cache
def _split_before(sqlite: bool) -> Select[Any]:
    i = tables.instalment.c
    return select(i.document_ref).where(bulk.of_system(i.system), bulk.among_ids(sqlite, i.document_ref))


@cache
def _documents(sqlite: bool) -> Select[Any]:
    c = tables.item.c
    return select(c.id).where(bulk.of_system(c.system), c.family == bulk.word("d"), bulk.among_ids(sqlite, c.ref))


# --- customers --------------------------------------------------------------------------------------------------------
_CUSTOMER = (
    "known",
    "name",
    "parent",
    "tax_id",
    "external_id",
    "country",
    "currency",
    "terms",
    "segment",
    "owner",
    "email",
    "phone",
    "status",
    "first_sold_on",
)
CUSTOMER = ("record", *_CUSTOMER)
_said_of_customer = attrgetter(*_CUSTOMER[3:])


def save_customers(saving: Saving, facts: Sequence[tuple[int, Customer]]) -> None:
    """Customers of a page, each with its record."""
    if not facts:
        return
    refs = {fact.id for _, fact in facts} | {fact.parent_id for _, fact in facts if fact.parent_id}
    keys = interned(saving.tx, tables.customer, saving.system, refs)

    def word(record: int, fact: Customer) -> Word:
        parent = keys[fact.parent_id] if fact.parent_id and fact.parent_id != fact.id else None
        return (record, True, fact.name, parent, *_said_of_customer(fact))

    words, before = newest(facts)
    said = Said({fact.id: word(record, fact) for record, fact in words}, [(f.id, word(r, f)) for r, f in before])
    save_said_customers(saving, said)


def save_said_customers(saving: Saving, said: Said) -> None:
    """Customers as the table has them; each has its key already."""
    tx, table = saving.tx, tables.customer
    there = echoes.standing(saving, table, CUSTOMER, said.words)
    changed, replaced = [], []
    for ref, now in said.words.items():
        key, before = there[ref]
        parent = now[3]
        if now != before:
            changed.append((*now, key))
        if now[0] != before[0]:
            replaced.append((ref, before))
        if now[1:] != before[1:]:
            concerns.of_this(tx).names = True
            saving.touched.add(key)
            # The headroom of a group changes with its members.
            saving.touched.update(p for p in (parent, before[3]) if p is not None)
    bulk.update(tx, table, CUSTOMER, changed)
    echoes.keep(saving, "customer", CUSTOMER, said, replaced)


def remove_customers(saving: Saving, ids: Collection[int]) -> None:
    """Customers that are gone. The key stays, for what may still be said of them."""
    if not ids:
        return
    table = tables.customer
    concerns.of_this(saving.tx).names = True
    # The headroom of a group changes with its members, above and below.
    above = select(table.c.parent).where(bulk.among(saving.tx, table.c.id, ids), table.c.parent.is_not(None))
    below = select(table.c.id).where(bulk.among(saving.tx, table.c.parent, ids))
    saving.touched.update(ids, saving.tx.execute(above).scalars(), saving.tx.execute(below).scalars())
    saving.tx.execute(table.update().where(bulk.among(saving.tx, table.c.id, ids)).values(known=False, record=None))


def touch_foreign(saving: Saving) -> None:
    """A new rate changes everybody who has something open, on order or as a limit in another currency than his own."""
    if not saving.rates_changed:
        return
    tx, currencies = saving.tx, sorted(saving.rates_changed)
    customer, item, order, limit = tables.customer.c, tables.item.c, tables.sales_order.c, tables.credit_limit.c
    for held, condition in (
        (item, item.open == bulk.literal(1)),
        (order, order.status == "open"),
        (limit, limit.currency.is_not(None)),
    ):
        asked = (
            select(held.customer)
            .distinct()
            .join_from(held.customer.table, tables.customer, customer.id == held.customer)
            .where(
                condition,
                # Either end of a conversion: the rate may be one half of a cross rate by way of the books' currency.
                or_(held.currency.in_(currencies), customer.currency.in_(currencies)),
                or_(customer.currency.is_(None), customer.currency != held.currency),
            )
        )
        saving.touched.update(tx.execute(asked).scalars())
    saving.rates_changed = set()


__all__ = [
    "CUSTOMER",
    "KINDS",
    "Fact",
    "Plain",
    "remove",
    "remove_customers",
    "save",
    "save_customers",
    "save_said",
    "save_said_customers",
    "touch_foreign",
]
