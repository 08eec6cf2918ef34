"""Behaviour: how customers have paid, as sums by days late, so that scores of thousands rest on two grouped queries.

A payment counts for the day on which it was set against the invoice (`applied_on`), so that the past never changes. Its
days late are those from the due date to the day the money came. Unsettled debts count with their days past due so far,
less what is disputed of them, and so do debts that were written off: giving up is no payment. What is not due yet says
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from connector.credit.habits import Share
from connector.store import bulk
from connector.store.items import DOCUMENT
from connector.store.opened import DAY, Asked, Shape, sources, split_later, stage_pieces
from connector.store.tables import application, customer, item, part, sales

# By customer and currency, amounts in minor units of it.
Paid = dict[int, dict[str, list[Share]]]


def payments(
    tx: Connection,
    customers: Collection[int] | None,
    as_of: dt.date,
    starts: Sequence[dt.date],
    systems: Collection[str] | None = None,
) -> Paid:
    """Payments of invoices in windows of time, newest first: window n are those applied after `starts[n]` and not after
    the start before (the first one: `as_of`). What is older than the last start does not count. What was written off in
    that time is in no window, past due until the day."""
    asked = Asked(tx, as_of, customers, systems)
    bounds = {f"start{n}": start for n, start in enumerate(starts)}
    return _summed(tx, _payments(asked.shape, len(starts)), {**asked.parameters, **bounds})


@cache
def _payments(shape: Shape, windows: int) -> Select[Any]:
    a, paid = application.c, item.alias("paid")
    of_part = select(part.c.due_on).where(part.c.item == item.c.id, part.c.number == a.instalment)
    # Looked up only where an instalment is named: hardly ever, and then not for every row.
    due_on = case(
        (a.instalment.is_(None), item.c.due_on),
        else_=func.coalesce(of_part.limit(1).correlate(item, application).scalar_subquery(), item.c.due_on),
    )
    bounds = [bindparam(f"start{n}", type_=Date()) for n in range(windows)]
    given_up = paid.c.kind == bulk.word("write_off")
    window = case((given_up, null()), *((a.since > bound, bulk.literal(n)) for n, bound in enumerate(bounds)))
    days = _days(shape.sqlite, case((given_up, DAY), else_=paid.c.issued_on), due_on)
    question = (
        select(item.c.customer, item.c.currency, window, days, _whole(func.sum(-a.to_value)), func.count())
        .join_from(application, item, item.c.id == a.to_item)
        .join(paid, paid.c.id == a.from_item)
        .where(
            a.since > bounds[-1],
            a.since <= DAY,
            or_(a.until.is_(None), a.until > DAY),
            a.to_value < bulk.literal(0),
            item.c.kind.in_((bulk.word("invoice"), bulk.word("debit_note"))),
            or_(paid.c.kind == bulk.word("receipt"), and_(given_up, due_on < DAY)),
            due_on.is_not(None),
        )
        .group_by(*_FIRST_FOUR)
    )
    return shape.mine(question, item.c)


# By their place: said again, parameters and all, they would be worked out again.
_FIRST_FOUR: list[ColumnElement[Any]] = [literal_column(str(n)) for n in range(1, 5)]


def overdue(
    tx: Connection, customers: Collection[int] | None, as_of: dt.date, systems: Collection[str] | None = None
) -> Paid:
    """Debts past due at the end of a day, less what is disputed of them, by days past due; their window is None."""
    asked = Asked(tx, as_of, customers, systems)
    staged = stage_pieces(asked, _split_later(asked.shape))
    return _summed(tx, _overdue(asked.shape, staged), asked.parameters)


_split_later = cache(split_later)


@cache
def _overdue(shape: Shape, staged: bool) -> Select[Any]:
    o = union_all(*sources(shape, staged)).subquery("opened").c
    days = _days(shape.sqlite, DAY, o.due_on)
    return (
        select(o.customer, o.currency, null(), days, _whole(func.sum(o.value - o.disputed)), func.count())
        .where(o.sort == bulk.literal(DOCUMENT), o.value > o.disputed, o.due_on < DAY)
        .group_by(o.customer, o.currency, literal_column("4"))
    )


def _summed(tx: Connection, question: Select[Any], parameters: dict[str, Any]) -> Paid:
    found: Paid = defaultdict(dict)
    for key, currency, window, days, amount, times in tx.execute(question, parameters).all():
        own = found[key]
        share = (window, days, amount, times)
        if currency in own:
            own[currency].append(share)
        else:
            own[currency] = [share]
    return found


def first_sold_on(tx: Connection, customers: Collection[int] | None = None) -> dict[int, dt.date]:
    """Since when each customer has bought: as the system says, else the first day of the first month with a sale."""
    given = {} if customers is None else {"ids": bulk.given(tx, customers)}
    found: dict[int, dt.date] = {}
    for asked in _first_sold(bulk.is_sqlite(tx), customers is not None):
        found.update([(row[0], row[1]) for row in tx.execute(asked, given).all()])
    return found


@cache
def _first_sold(sqlite: bool, some: bool) -> tuple[Select[Any], ...]:
    month = (
        select(sales.c.customer, func.min(sales.c.month))
        .where(sales.c.documents > bulk.literal(0))
        .group_by(sales.c.customer)
    )
    stated = select(customer.c.id, customer.c.first_sold_on).where(customer.c.first_sold_on.is_not(None))
    if not some:
        return month, stated
    return (
        month.where(bulk.among_ids(sqlite, sales.c.customer)),
        stated.where(bulk.among_ids(sqlite, customer.c.id)),
    )


def _whole(total: Any) -> Any:
    """A sum of whole numbers as one: PostgreSQL makes a NUMERIC of it."""
    return cast(total, BigInteger)


def _days(sqlite: bool, later: Any, earlier: Any) -> Any:
    """Calendar days from one date to another, as a whole number."""
    if sqlite:
        # Julian days of two dates differ by a whole number; both end in .5, which a double holds exactly.
        return cast(func.julianday(later) - func.julianday(earlier), Integer)
    return later - earlier
