"""Receivables: what all customers together owe, of which one customer's is a share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Connection, func, select

from connector.store import bulk
from connector.store.items import DOCUMENT
from connector.store.keys import system_ids
from connector.store.tables import item


def owed(tx: Connection, as_of: dt.date, systems: Collection[str]) -> dict[str, tuple[int, int]]:
    """By currency, open debts in minor units and how many customers owe them. What is dated ahead is not there yet."""
    i = item.c
    asked = (
        select(i.currency, func.sum(i.open_value), func.count(i.customer.distinct()))
        .where(
            i.open == bulk.literal(1),
            i.sort == bulk.literal(DOCUMENT),
            i.open_value > bulk.literal(0),
            i.issued_on <= as_of,
            i.system.in_(system_ids(tx, systems) or []),
        )
        .group_by(i.currency)
    )
    return {currency: (int(total), int(count)) for currency, total, count in tx.execute(asked)}
