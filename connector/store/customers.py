"""Customers: who they are in each system, their limits, the people and the exchange rates, as facts for the pure rules."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Connection, Date, Select, bindparam, exists, or_, select

from connector.model import Event, Financial, Limit, Person, Promise, Rate
from connector.store import bulk, quick
from connector.store.keys import system_ids, system_names
from connector.store.tables import (
    credit_limit,
    customer,
    event,
    financial,
    item,
    limit_piece,
    link,
    person,
    promise,
    rate,
    sales_order,
    standing,
)


class CustomerRow(NamedTuple):
    """A customer of one system. `key` is the store's own, `parent` the key of the one above, `debtor` the legal person it
    is linked to. `known` is False where only documents or orders mention it; its name is its id then."""

    key: int
    system: str
    ref: str
    name: str
    debtor: int | None = None
    parent: int | None = None
    tax_id: str | None = None
    external_id: str | None = None
    country: str | None = None
    currency: str | None = None
    terms: str | None = None
    segment: str | None = None
    owner: str | None = None
    email: str | None = None
    phone: str | None = None
    status: str | None = None
    first_sold_on: dt.date | None = None
    known: bool = True


def customers(
    tx: Connection,
    systems: Collection[str] | None = None,
    keys: Collection[int] | None = None,
    *,
    debtors: Collection[int] | None = None,
    refs: Collection[str] | None = None,
) -> list[CustomerRow]:
    """Customers that a system lists, and those that it does not list but has documents for, by key."""
    given: dict[str, Any] = {}
    if systems is not None:
        ids = system_ids(tx, systems) or []
        given["systems"] = ids if keys is None and debtors is None else bulk.given(tx, ids)
    for name, several in (("keys", keys), ("debtors", debtors), ("refs", refs)):
        if several is not None:
            given[name] = bulk.given(tx, several)
    asked = _customers(bulk.is_sqlite(tx), systems is not None, keys is not None, debtors is not None, refs is not None)
    names = system_names(tx)
    # Where all are asked for, the systems stand in the statement itself.
    some = keys is not None or debtors is not None
    found = quick.rows(tx, asked, given) if some or systems is None else tx.execute(asked, given).all()
    return [CustomerRow(key, names[system], ref, name or ref, *rest) for key, system, ref, name, *rest in found]


@cache
def _customers(sqlite: bool, systems: bool, keys: bool, debtors: bool, refs: bool) -> Select[Any]:
    c = customer.c
    asked = (
        select(
            c.id,
            c.system,
            c.ref,
            c.name,
            link.c.debtor,
            c.parent,
            c.tax_id,
            c.external_id,
            c.country,
            c.currency,
            c.terms,
            c.segment,
            c.owner,
            c.email,
            c.phone,
            c.status,
            c.first_sold_on,
            c.known,
        )
        .select_from(customer.join(link, link.c.customer == c.id, isouter=not debtors))
        .where(_listed(c))
        .order_by(c.id)
    )
    if systems and (keys or debtors):
        # Added to, so that no plan begins with all customers of a system.
        asked = asked.where(bulk.among_ids(sqlite, c.system + bulk.literal(0), "systems"))
    elif systems:
        asked = asked.where(c.system.in_(bindparam("systems", expanding=True)))
    if keys:
        asked = asked.where(bulk.among_ids(sqlite, c.id, "keys"))
    if debtors:
        asked = asked.where(bulk.among_ids(sqlite, link.c.debtor, "debtors"))
    if refs:
        asked = asked.where(bulk.among_ids(sqlite, c.ref, "refs"))
    return asked


def _listed(c: Any) -> ColumnElement[bool]:
    """Whether a customer is one: listed by its system, or with documents or orders there."""
    return or_(
        c.known.is_(True),
        exists().where(item.c.customer == c.id),
        exists().where(sales_order.c.customer == c.id, bulk.one_of(sales_order.c.status, "open", "draft")),
    )


def debtors(
    tx: Connection,
    systems: Collection[str],
    *,
    among: Collection[int] | None = None,
    unjudged: bool = False,
) -> set[int]:
    """The debtors that have a customer in one of these systems; of `among` only, and those never judged only."""
    c = customer.c
    asked = select(link.c.debtor).join_from(link, customer, c.id == link.c.customer)
    asked = asked.where(c.system.in_(system_ids(tx, systems) or []), _listed(c))
    if among is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, among))
    if unjudged:
        asked = asked.where(~exists().where(standing.c.debtor == link.c.debtor))
    return set(tx.execute(asked).scalars())


def strays(
    tx: Connection, system: str, ledgers: Collection[str], refs: Collection[str] | None = None
) -> list[CustomerRow]:
    """Customers of a system, of these ids only, that are no customer of the `ledgers`: those not linked, and those whose
    debtor has no customer there."""
    own = system_ids(tx, [system])
    if not own:
        return []
    c, its, owed_by = customer.c, customer.alias("its"), link.alias("owed_by")
    judged = (
        exists()
        .where(owed_by.c.debtor == link.c.debtor, its.c.id == owed_by.c.customer)
        .where(its.c.system.in_(system_ids(tx, ledgers) or []), _listed(its.c))
    )
    asked = select(c.id).select_from(customer.join(link, link.c.customer == c.id, isouter=True))
    asked = asked.where(c.system.in_(own), _listed(c), or_(link.c.debtor.is_(None), ~judged))
    if refs is not None:
        asked = asked.where(bulk.among(tx, c.ref, refs))
    found = list(tx.execute(asked).scalars())
    return customers(tx, keys=found) if found else []


def debtors_of(tx: Connection, keys: Collection[int]) -> set[int]:
    """The debtors that customers are linked to."""
    if not keys:
        return set()
    return set(tx.execute(select(link.c.debtor).where(bulk.among(tx, link.c.customer, keys))).scalars())


def some_debtors(tx: Connection, systems: Collection[str], most: int) -> list[int]:
    """At most so many debtors of the customers of some systems: those with an open order first."""
    ids = system_ids(tx, systems)
    if not ids or most <= 0:
        return []
    o = sales_order.c
    ordering = select(link.c.debtor).distinct().join_from(sales_order, link, link.c.customer == o.customer)
    found = dict.fromkeys(tx.execute(ordering.where(o.status == "open").limit(most)).scalars())
    every = select(link.c.debtor).distinct().join_from(customer, link, link.c.customer == customer.c.id)
    found.update(
        dict.fromkeys(tx.execute(every.where(customer.c.system.in_(ids), _listed(customer.c)).limit(most)).scalars())
    )
    return list(found)[:most]


def parents(tx: Connection, systems: Collection[str]) -> list[tuple[int, int, int]]:
    """Who stands below whom in these systems, by key: the customer's key, its debtor, and the debtor of its parent.

    Only where both are customers with a debtor; one debtor's own customers may name each other.
    """
    ids = system_ids(tx, systems) or []
    return [(key, below, over) for key, below, over in tx.execute(_parents(), {"systems": ids}).all()]


def relatives(tx: Connection, systems: Collection[str], debtors: Collection[int]) -> list[tuple[int, int, int]]:
    """The same of the groups of some debtors only, however far they reach."""
    sqlite, ids = bulk.is_sqlite(tx), system_ids(tx, systems) or []
    found: dict[int, tuple[int, int, int]] = {}
    seen, new = set(debtors), set(debtors)
    while new:
        given = {"systems": bulk.given(tx, ids), "ids": bulk.given(tx, sorted(new))}
        rows = [tuple(row) for question in _relatives(sqlite) for row in quick.rows(tx, question, given)]
        found.update((row[0], row) for row in rows)
        new = {debtor for row in rows for debtor in row[1:]} - seen
        seen |= new
    return [found[key] for key in sorted(found)]


@cache
def _relatives(sqlite: bool) -> tuple[Select[Any], Select[Any]]:
    """Who stands under whom, asked from below and from above."""
    return _parents("own", sqlite), _parents("its", sqlite)


@cache
def _parents(of: str = "", sqlite: bool = False) -> Select[Any]:
    above = customer.alias("above")
    own, its = link.alias("own"), link.alias("its")
    ids: BindParameter[Any] = bindparam("systems", expanding=True)
    # Where some are asked for, the system's key is added to: no plan begins with all customers of a system then.
    nothing = bulk.literal(0) if of else None
    system_of, system_above = (c if nothing is None else c + nothing for c in (customer.c.system, above.c.system))
    asked = (
        select(customer.c.id, own.c.debtor, its.c.debtor)
        .select_from(customer)
        .join(own, own.c.customer == customer.c.id)
        .join(above, above.c.id == customer.c.parent)
        .join(its, its.c.customer == above.c.id)
        .where(
            customer.c.parent.is_not(None),
            bulk.among_ids(sqlite, system_of, "systems") if of else system_of.in_(ids),
            bulk.among_ids(sqlite, system_above, "systems") if of else system_above.in_(ids),
            _listed(customer.c),
            _listed(above.c),
        )
        .order_by(customer.c.id)
    )
    if not of:
        return asked
    return asked.where(bulk.among_ids(sqlite, (own if of == "own" else its).c.debtor))


def find(tx: Connection, words: str, systems: Collection[str] | None = None, most: int = 20) -> list[CustomerRow]:
    """Customers whose id is this or whose name has it in it; those with this very id first."""
    c = customer.c
    pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    asked = select(c.id).where(or_(c.ref == words, c.name.ilike(pattern, escape="\\"))).limit(10 * most)
    if systems is not None:
        asked = asked.where(c.system.in_(system_ids(tx, systems) or []))
    found = customers(tx, keys=list(tx.execute(asked).scalars()))
    return sorted(found, key=lambda row: (row.ref != words, row.name, row.key))[:most]


def limits(tx: Connection, keys: Collection[int] | None = None) -> dict[int, list[Limit]]:
    """The pieces of each customer's limit, by the customer's key; customers without any are not there."""
    given = {} if keys is None else {"ids": bulk.given(tx, keys)}
    found: dict[int, list[Limit]] = defaultdict(list)
    for key, ref, owner, kind, amount, currency, share, begins, ends, approved_on, condition, segment in quick.rows(
        tx, _limits(bulk.is_sqlite(tx), keys is not None), given
    ):
        piece = Limit(
            id=ref,
            customer_id=owner,
            kind=kind,
            amount=amount,
            currency=currency,
            percent=share,
            valid_from=begins,
            valid_to=ends,
            approved_on=approved_on,
            condition=condition,
            segment=segment,
        )
        found[key].append(piece)
    return dict(found)


@cache
def _limits(sqlite: bool, some: bool) -> Select[Any]:
    c = credit_limit.c
    asked = (
        select(
            c.customer,
            c.ref,
            customer.c.ref,
            c.kind,
            c.amount,
            c.currency,
            c.percent,
            c.valid_from,
            c.valid_to,
            c.approved_on,
            c.condition,
            c.segment,
        )
        .join_from(credit_limit, customer, customer.c.id == c.customer)
        .order_by(c.customer, c.id)
    )
    return asked.where(bulk.among_ids(sqlite, c.customer)) if some else asked


def rates(
    tx: Connection,
    currencies: Collection[str] | None = None,
    *,
    systems: Collection[str] | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> list[Rate]:
    """Exchange rates, oldest first; `currencies` keeps those between them, `since` and `until` those of these days."""
    given: dict[str, Any] = {}
    if currencies is not None:
        given["currencies"] = bulk.given(tx, list(currencies))
    if systems is not None:
        given["systems"] = bulk.given(tx, system_ids(tx, systems) or [])
    given |= {name: day for name, day in (("since", since), ("until", until)) if day is not None}
    sqlite = bulk.is_sqlite(tx)
    asked = _rates(sqlite, currencies is not None, systems is not None, since is not None, until is not None)
    return [Rate(on=on, from_currency=a, to_currency=b, rate=value) for on, a, b, value in quick.rows(tx, asked, given)]


@cache
def _rates(sqlite: bool, currencies: bool, systems: bool, since: bool, until: bool) -> Select[Any]:
    c = rate.c
    asked = select(c.on, c.from_currency, c.to_currency, c.rate).order_by(c.on, c.id)
    if currencies:
        asked = asked.where(*(bulk.among_ids(sqlite, x, "currencies") for x in (c.from_currency, c.to_currency)))
    if systems:
        asked = asked.where(bulk.among_ids(sqlite, c.system, "systems"))
    if since:
        asked = asked.where(c.on >= bindparam("since", type_=Date))
    if until:
        asked = asked.where(c.on <= bindparam("until", type_=Date))
    return asked


def people(tx: Connection, systems: Collection[str] | None = None) -> dict[str, list[Person]]:
    """The people of each system, by the system's name."""
    names = system_names(tx)
    asked = select(person).order_by(person.c.id)
    if systems is not None:
        asked = asked.where(person.c.system.in_(system_ids(tx, systems) or []))
    found: dict[str, list[Person]] = defaultdict(list)
    for row in tx.execute(asked):
        found[names[row.system]].append(Person(id=row.ref, name=row.name, email=row.email, active=row.active))
    return dict(found)


def foreign(tx: Connection, home: str) -> list[int]:
    """Customers whose figures rest on an exchange rate: of another currency themselves, or with an open item, an open or
    draft order or a limit in one."""
    o, i, c = sales_order.c, item.c, credit_limit.c
    found: set[int] = set()
    for asked in (
        select(customer.c.id).where(customer.c.currency != home),
        select(i.customer).where(i.open == bulk.literal(1), i.currency != home),
        select(o.customer).where(bulk.one_of(o.status, "open", "draft"), o.currency != home),
        select(c.customer).where(c.currency != home),
        select(limit_piece.c.customer).where(limit_piece.c.currency != home),
    ):
        found.update(key for key in tx.execute(asked.distinct()).scalars() if key is not None)
    return sorted(found)


def promises(tx: Connection, keys: Collection[int] | None = None) -> dict[int, list[Promise]]:
    """Promises to pay, by the customer's key."""
    refs = _refs(tx, keys)
    asked = select(promise).order_by(promise.c.made_on, promise.c.id)
    if keys is not None:
        asked = asked.where(bulk.among(tx, promise.c.customer, keys))
    found: dict[int, list[Promise]] = defaultdict(list)
    for row in tx.execute(asked):
        found[row.customer].append(
            Promise(
                id=row.ref,
                customer_id=refs[row.customer],
                document_id=row.document_ref,
                made_on=row.made_on,
                due_on=row.due_on,
                amount=row.amount,
                currency=row.currency,
            )
        )
    return dict(found)


def financials(tx: Connection, keys: Collection[int] | None = None) -> dict[int, list[Financial]]:
    """Items of financial statements, by the customer's key, newest period first."""
    refs = _refs(tx, keys)
    asked = select(financial).order_by(financial.c.period_end_on.desc(), financial.c.id)
    if keys is not None:
        asked = asked.where(bulk.among(tx, financial.c.customer, keys))
    found: dict[int, list[Financial]] = defaultdict(list)
    for row in tx.execute(asked):
        found[row.customer].append(
            Financial(
                customer_id=refs[row.customer],
                period_end_on=row.period_end_on,
                months=row.months,
                currency=row.currency,
                unit=row.unit,
                audited=row.audited,
                item=row.item,
                amount=row.amount,
            )
        )
    return dict(found)


def events(tx: Connection, keys: Collection[int] | None = None) -> dict[int, list[Event]]:
    """What happened to customers, by the customer's key, newest first."""
    refs = _refs(tx, keys)
    asked = select(event).order_by(event.c.on.desc(), event.c.id)
    if keys is not None:
        asked = asked.where(bulk.among(tx, event.c.customer, keys))
    found: dict[int, list[Event]] = defaultdict(list)
    for row in tx.execute(asked):
        found[row.customer].append(
            Event(
                id=row.ref,
                customer_id=refs[row.customer],
                on=row.on,
                kind=row.kind,
                source=row.source,
                value=row.value,
                text=row.text,
                ended_on=row.ended_on,
            )
        )
    return dict(found)


def _refs(tx: Connection, keys: Collection[int] | None) -> dict[int, str]:
    asked = select(customer.c.id, customer.c.ref)
    if keys is not None:
        asked = asked.where(bulk.among(tx, customer.c.id, keys))
    return {row.id: row.ref for row in tx.execute(asked)}
