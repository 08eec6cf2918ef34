"""Financial statements on file: what people brought and what systems said, seen as one.

`latest` is what scores and limits read; `statement_entry` is where people's statements come in. A draft feeds no decision. A confirmed statement feeds those from the day of its confirmation until the day it is refused;
both stay visible for the days between, and no version is ever changed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, or_, select

from connector.credit.statement_checks import arithmetic, refused
from connector.credit.statement_labels import item_named
from connector.credit.statements import OnFile, Pair, Statement, before, newest, view, with_items
from connector.store import bulk
from connector.store.tables import financial, link, statement, statement_item

_AT_ONCE = 10_000
_NO_ITEMS: dict[str, Pair] = {}


def latest(
    tx: Connection, debtors: Collection[int] | None, as_of: dt.date, *, full_years: bool = False
) -> dict[int, Statement]:
    """The statement that counts for each debtor on a day, by the debtor's key; debtors without any are not there.

    `debtors` None: all. `full_years` passes over interim statements. What people brought counts from the day it was
    confirmed; what a system says counts from the period's end, for no system tells since when it knew.
    """
    chosen: dict[int, tuple[OnFile, OnFile | None]] = {}
    for debtor, some in known(tx, debtors, as_of).items():
        found = newest(some, as_of, full_years=full_years)
        if found is not None:
            chosen[debtor] = (found, before(some, found, as_of))
    wanted = {one.number for pair in chosen.values() for one in pair if one is not None and one.number is not None}
    items = items_of(tx, wanted)
    return {
        debtor: view(_filled(one, items), None if past is None else _filled(past, items), as_of)
        for debtor, (one, past) in chosen.items()
    }


def known(tx: Connection, debtors: Collection[int] | None, as_of: dt.date) -> dict[int, list[OnFile]]:
    """The statements known on a day, by debtor; what people brought without its items (`items_of`).

    What a system says and the checks refuse is there with its findings and without a day of confirmation: nobody here can
    confirm another system's figures, they are mended there or brought as a file.
    """
    found: dict[int, list[OnFile]] = defaultdict(list)
    for debtor, one in (*_brought(tx, debtors, as_of), *_said(tx, debtors, as_of)):
        found[debtor].append(one)
    return found


def items_of(tx: Connection, numbers: Collection[int]) -> dict[int, dict[str, Pair]]:
    """Items of statements by their numbers: closing and opening amount in whole units of the currency."""
    if not numbers:
        return {}
    c = statement_item.c
    asked = select(c.statement, c.item, c.amount, c.opening).where(bulk.among(tx, c.statement, numbers))
    found: dict[int, dict[str, Pair]] = defaultdict(dict)
    for number, item, amount, opening in tx.execute(asked):
        found[number][item] = (amount, opening)
    return dict(found)


def _filled(one: OnFile, items: dict[int, dict[str, Pair]]) -> OnFile:
    return one if one.number is None else with_items(one, items.get(one.number, _NO_ITEMS))


def _brought(tx: Connection, debtors: Collection[int] | None, as_of: dt.date) -> Iterable[tuple[int, OnFile]]:
    import simplejson

    c = statement.c
    asked = (
        select(link.c.debtor, statement)
        .join_from(statement, link, link.c.customer == c.customer)
        .where(c.confirmed_on <= as_of, c.period_end_on <= as_of, or_(c.refused_on.is_(None), c.refused_on > as_of))
        .order_by(c.id)
    )
    if debtors is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, debtors))
    for row in tx.execute(asked):
        yield (
            row.debtor,
            OnFile(
                number=row.id,
                customer=row.customer,
                period_end_on=row.period_end_on,
                months=row.months,
                currency=row.currency,
                basis=row.basis,
                consolidated=row.consolidated,
                audited=row.audited,
                opinion=row.opinion,
                version=row.version,
                sha=row.sha,
                confirmed_on=row.confirmed_on,
                refused_on=row.refused_on,
                findings=tuple(f["code"] for f in simplejson.loads(row.findings) if f["level"] != "info"),
            ),
        )


def _said(tx: Connection, debtors: Collection[int] | None, as_of: dt.date) -> Iterable[tuple[int, OnFile]]:
    """What systems said, item by item, put together to statements."""
    f = financial.c
    asked = (
        select(link.c.debtor, f.customer, f.period_end_on, f.months, f.currency, f.unit, f.audited, f.item, f.amount)
        .join_from(financial, link, link.c.customer == f.customer)
        .where(f.period_end_on <= as_of)
        .order_by(f.id)
    )
    if debtors is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, debtors))
    made: dict[_Head, _Said] = {}
    named: dict[str, str] = {}
    head: _Head | None = None
    for rows in tx.execute(asked).partitions(_AT_ONCE):
        for debtor, key, end, months, currency, unit, is_audited, item, amount in rows:
            # Items of one statement mostly come one after the other.
            if (debtor, key, end, months, currency) != head:
                head = (debtor, key, end, months, currency)
                one = made.setdefault(head, _Said({}, unit, is_audited))
            if item not in named:
                named[item] = item_named(item) or item
            one.items.setdefault(named[item], amount * unit)
            one.unit = max(one.unit, unit)
            # One item that was not audited makes the whole statement so.
            if is_audited is not one.audited:
                one.audited = _and(one.audited, is_audited)
    for (debtor, key, end, months, currency), one in made.items():
        findings = arithmetic(one.items, Decimal(one.unit))
        yield (
            debtor,
            OnFile(
                customer=key,
                period_end_on=end,
                months=months,
                currency=currency,
                audited=one.audited,
                confirmed_on=None if refused(findings) else end,
                findings=tuple(f.code for f in findings),
                items={name: (amount, None) for name, amount in one.items.items()},
            ),
        )


_Head = tuple[int, int, dt.date, int, str]


@dataclass(slots=True)
class _Said:
    """One statement of a system while it is put together."""

    items: dict[str, Decimal]
    unit: int
    audited: bool | None


def _and(one: bool | None, other: bool | None) -> bool | None:
    return False if False in (one, other) else (None if None in (one, other) else True)
