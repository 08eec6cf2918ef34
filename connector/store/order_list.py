"""Lists of orders by their credit state, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from connector.store import bulk
from connector.store.tables import order_state


class Listed(NamedTuple):
    """One order of a page: its key and its debtor."""

    order: int
    debtor: int


def page(
    tx: Connection,
    *,
    states: Collection[str] | None = None,
    debtors: Collection[int] | None = None,
    after: int = 0,
    most: int = 50,
) -> list[Listed]:
    """So many open orders at most, of some states (None: all) and debtors (None: all), by key, those after one."""
    s = order_state.c
    asked = select(s.sales_order, s.debtor).where(s.ended_on.is_(None), s.sales_order > after)
    if states is not None:
        asked = asked.where(s.state.in_(sorted(states)))
    if debtors is not None:
        asked = asked.where(bulk.among(tx, s.debtor, debtors))
    return [Listed(*tuple(row)) for row in tx.execute(asked.order_by(s.sales_order).limit(most)).all()]
