"""Turns: for whom the calendar alone changed something between two days.

A superset, cheaply found: an item fell due or crossed the edge of a bucket or a threshold of days, something dated ahead
came into force, a limit began or ended, an order came inside the horizon.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from connector.store import bulk
from connector.store.tables import credit_limit, item, limit_piece, order_line, part, sales_order

_DAY = dt.timedelta(days=1)
_SEASON = re.compile(r"(\d{1,2})-(\d{1,2})")


def due_to_change(
    tx: Connection,
    since: dt.date,
    until: dt.date,
    *,
    edges: Sequence[int] = (30, 60, 90),
    grace_days: int | None = None,
    horizon_days: int | None = None,
    days: Collection[int] = (),
) -> list[int]:
    """Customers whose figures may be others at the end of `until` than at the end of `since` though no fact changed.

    `edges` and `grace_days` are exceeded (more than so many days past due), `days` reached (at least so many).
    """
    if until <= since:
        return []
    found: set[int] = set()
    for asked in (
        *_items(since, until, edges, grace_days, days),
        *_limits(since, until),
        *(_orders(since, until, horizon_days) if horizon_days is not None else ()),
        select(sales_order.c.customer).where(
            sales_order.c.status == bulk.word("open"), sales_order.c.ordered_on > since
        ),
    ):
        found.update(key for key in tx.execute(asked).scalars() if key is not None)
    found.update(_seasons(tx, since, until))
    return sorted(found)


def _items(
    since: dt.date, until: dt.date, edges: Sequence[int], grace_days: int | None, days: Collection[int]
) -> list[Any]:
    i, p = item.c, part.c
    steps = {1, *(edge + 1 for edge in edges), *days} | ({grace_days + 1} if grace_days is not None else set())

    def crossed(day: Any) -> Any:
        # day + step lies after `since`, on or before `until`
        spans = [(since - step * _DAY, until - step * _DAY) for step in sorted(steps)]
        return or_(*(and_(day > low, day <= high) for low, high in spans))

    return [
        select(i.customer).distinct().where(i.open == bulk.literal(1), crossed(i.due_on)),
        select(i.customer)
        .distinct()
        .where(i.open == bulk.literal(1), or_(crossed(i.issued_on), and_(i.due_on.is_(None), crossed(i.issued_on)))),
        select(i.customer).distinct().join_from(part, item, i.id == p.item).where(p.open_value != 0, crossed(p.due_on)),
        # dated ahead
        select(i.customer).distinct().where(i.open == bulk.literal(1), i.last_on > since),
        select(i.customer).distinct().where(i.open == bulk.literal(0), i.settled_on > since),
    ]


def _limits(since: dt.date, until: dt.date) -> list[Any]:
    return [
        select(c.customer).where(
            or_(
                and_(c.valid_from > since, c.valid_from <= until),
                and_(c.valid_to >= since, c.valid_to < until),
                *ends,
                # The conditions of a stage may name days and behaviour: looked at anew each day.
                c.kind == "stage",
            )
        )
        for c, ends in (
            (credit_limit.c, ()),
            (limit_piece.c, (and_(limit_piece.c.ended_on > since, limit_piece.c.ended_on <= until),)),
        )
    ]


def _orders(since: dt.date, until: dt.date, horizon_days: int) -> list[Any]:
    o, n = sales_order.c, order_line.c
    low, high = since + horizon_days * _DAY, until + horizon_days * _DAY
    open_now = o.status == bulk.word("open")
    ships = func.coalesce(n.ship_on, o.ship_on)
    return [
        select(o.customer).where(open_now, o.ship_on > low, o.ship_on <= high),
        select(o.customer)
        .join_from(order_line, sales_order, o.id == n.sales_order)
        .where(open_now, ships > low, ships <= high),
    ]


def _seasons(tx: Connection, since: dt.date, until: dt.date) -> set[int]:
    """Customers with a seasonal limit that begins or ends in between (`11-01..02-15`, both days inclusive)."""
    found = set()
    for c in (credit_limit.c, limit_piece.c):
        for key, condition in tx.execute(select(c.customer, c.condition).where(c.kind == "seasonal")):
            ends = _SEASON.findall(condition or "")
            if len(ends) != 2 or any(_turned(since, until, ends)):
                found.add(key)  # a range that cannot be read is looked at every day
    return found


def _turned(since: dt.date, until: dt.date, ends: Sequence[tuple[str, str]]) -> Sequence[bool]:
    (first, last), turned = ends, []
    for year in range(since.year, until.year + 1):
        for (month, day), shift in ((first, 0), (last, 1)):
            try:
                turns_on = dt.date(year, int(month), int(day)) + shift * _DAY
            except ValueError:
                turns_on = dt.date(year, 3, 1)  # 02-29 in a common year
            turned.append(since < turns_on <= until)
    return turned
