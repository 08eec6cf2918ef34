"""Lists of orders by their credit state, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy import text as sql

from connector.store import bulk
from connector.store.tables import order_state
from connector.store.tables_order import HELD


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
    """So many open orders at most, of some states in which an order is held (None: of all) and debtors (None: all), by key, those after one."""
    s = order_state.c
    live = [s.ended_on.is_(None)] if states is None else [sql(HELD), s.state.in_(sorted(states))]
    asked = select(s.sales_order, s.debtor).where(s.sales_order > after, *live)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, s.debtor, debtors))
    return [Listed(*tuple(row)) for row in tx.execute(asked.order_by(s.sales_order).limit(most)).all()]
