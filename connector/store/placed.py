"""Placed orders: what customers ordered in windows of time, whatever became of it, unless it was cancelled."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, case, func, select

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
    o, n = sales_order.c, order_line.c
    window: list[ColumnElement[bool]] = [o.ordered_on > since, o.ordered_on <= as_of, o.status.in_(("open", "closed"))]
    if customers is not None:
        window.append(bulk.among(tx, o.customer, customers))
    if systems is not None:
        window.append(o.system.in_(system_ids(tx, systems) or []))
    newer = case((o.ordered_on > recent, 1), else_=0)
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
    sums: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for asked, by_line in ((stated, False), (by_lines, True)):
        for customer, currency, late, total, rest in tx.execute(asked):
            if customer is None or not currency or total is None:
                continue
            exact = EXACT.add(Decimal(total), Decimal(rest).scaleb(-REST_DIGITS)) if by_line else None
            sums[customer, currency][late] += exact if exact is not None else from_minor(int(total), currency)
    found: Placed = defaultdict(dict)
    for (customer, currency), (older, newest) in sums.items():
        found[customer][currency] = (older, newest)
    return found
