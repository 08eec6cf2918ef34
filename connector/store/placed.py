"""Placed orders: what customers ordered in windows of time, whatever became of it, unless it was cancelled."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Select, bindparam, case, func, select

from connector.money import EXACT, from_minor
from connector.store import bulk
from connector.store.keys import system_ids
from connector.store.orders import REST_DIGITS
from connector.store.tables import order_line, sales_order

# By customer and currency, with tax: the older window, the newer window.
Placed = dict[int, dict[str, tuple[Decimal, Decimal]]]
ZERO = Decimal(0)


def placed(
    tx: Connection,
    customers: Collection[int] | None,
    since: dt.date,
    recent: dt.date,
    as_of: dt.date,
    systems: Collection[str] | None = None,
) -> Placed:
    """Orders of customers (None: all) in `systems` placed after `since`, and of those after `recent`, up to a day.

    An order whose amount is not stated is the sum of its lines.
    """
    asked: dict[str, Any] = {"since": since, "recent": recent, "as_of": as_of}
    if customers is not None:
        asked["ids"] = bulk.given(tx, customers)
    if systems is not None:
        asked["systems"] = system_ids(tx, systems) or []
    stated, by_lines = _questions(bulk.is_sqlite(tx), customers is not None, systems is not None)
    sums: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for question, by_line in ((stated, False), (by_lines, True)):
        for customer, currency, late, total, rest in tx.execute(question, asked):
            if customer is None or not currency or total is None:
                continue
            exact = EXACT.add(Decimal(total), Decimal(rest).scaleb(-REST_DIGITS)) if by_line else None
            sums[customer, currency][late] += exact if exact is not None else from_minor(int(total), currency)
    found: Placed = defaultdict(dict)
    for (customer, currency), (older, newest) in sums.items():
        found[customer][currency] = (older, newest)
    return found


@cache
def _questions(sqlite: bool, some: bool, of_systems: bool) -> tuple[Select[Any], Select[Any]]:
    o, n = sales_order.c, order_line.c
    day: dict[str, ColumnElement[Any]] = {name: bindparam(name, type_=Date()) for name in ("since", "recent", "as_of")}
    window: list[ColumnElement[bool]] = [
        o.ordered_on > day["since"],
        o.ordered_on <= day["as_of"],
        o.status.in_(("open", "closed")),
    ]
    if some:
        window.append(bulk.among_ids(sqlite, o.customer))
    if of_systems:
        window.append(o.system.in_(bindparam("systems", expanding=True)))
    newer = case((o.ordered_on > day["recent"], 1), else_=0)
    stated = (
        select(o.customer, o.currency, newer, func.sum(o.amount), func.sum(bulk.literal(0)))
        .where(*window, o.amount.is_not(None))
        .group_by(o.customer, o.currency, newer)
    )
    by_lines = (
        select(o.customer, o.currency, newer, func.sum(n.total), func.sum(n.total_rest))
        .join_from(sales_order, order_line, n.sales_order == o.id)
        .where(*window, o.amount.is_(None))
        .group_by(o.customer, o.currency, newer)
    )
    return stated, by_lines
