"""Size: how large the database is, and how many of the things there are that people count."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.store import bulk
from connector.store.tables import audit, customer, item, sales_order


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes on disk, and rows."""

    bytes: int
    customers: int
    items: int
    orders: int
    entries: int


def size(tx: Connection) -> Size:
    """How large it is now; on PostgreSQL the rows are its own estimate, which costs nothing."""
    tables = (customer, item, sales_order, audit)
    if bulk.is_sqlite(tx):
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        each = tx.exec_driver_sql("PRAGMA page_size").scalar_one()
        # The highest number ever given costs one look at the end of the index; a count would read the whole table.
        counts = [int(tx.execute(select(func.max(t.c.number if t is audit else t.c.id))).scalar() or 0) for t in tables]
        return Size(int(pages) * int(each), *counts)
    total = int(tx.execute(select(func.pg_database_size(func.current_database()))).scalar_one())
    names = [t.name for t in tables]
    asked = "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)"
    found = {row.relname: max(0, int(row.reltuples)) for row in tx.exec_driver_sql(asked, (names,))}
    return Size(total, *(found.get(name, 0) for name in names))
