"""The table of whom transactions concern, for those who keep what they have read."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from connector.store.tables_kinds import Key, metadata

# One row for a transaction that concerns anybody: on PostgreSQL under its own number, on SQLite in the order of commits. `whom`
# is JSON; null: it may be everybody. Only the newest are kept. On PostgreSQL the table survives no crash, and nobody who reads it does.
concern = Table(
    "concern",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=False),
    Column("whom", Text),
)
