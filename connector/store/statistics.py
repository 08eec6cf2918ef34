"""What PostgreSQL knows of its tables when it plans: how much stands in them, and how often which value.

The server looks by itself, a minute later or more. Until then a stream that comes for the first time is planned as if
nothing were there: each page reads all pages before it, and of a million documents the last ones take seconds each.
(SQLite plans by the indexes alone.)
"""

from __future__ import annotations

from connector.store.db import Store
from connector.store.tables import (
    application,
    customer,
    instalment,
    item,
    mark,
    order_line,
    part,
    record,
    sales,
    sales_order,
)

# Those that a pull fills, and asks while it does.
_FILLED = (record, customer, item, instalment, part, application, sales, sales_order, order_line, mark)


def refreshed(store: Store) -> None:
    """Has the server look at the tables that pulls fill: a sample of each, so that it takes as long whatever there is."""
    if store.has_turns:
        return
    with store.engine.connect() as connection:
        # Each table for itself: nobody waits for all of them.
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in _FILLED)}")
