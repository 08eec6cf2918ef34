"""The table of warnings: one open one for each debtor and indicator, and those that have ended."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, Table, Text
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# A row is an episode: it begins and ends with green. `clear` counts the runs in a row that were clear of the level,
# `counted_on` is the last day that was counted. `value` and `threshold` are the last run's; `acted_on` is the day from
# which on it asks somebody to do something. What happened in between stands in the audit trail and in the decisions.
alert = Table(
    "alert",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("clear", Integer, nullable=False),
    Column("counted_on", Date),
    Column("value", Text),
    Column("threshold", Exact),
    Column("opened_on", Date, nullable=False),
    Column("raised_on", Date),
    Column("lowered_on", Date),
    Column("acted_on", Date),
    Column("closed_on", Date),
    # Somebody has taken note of it at this level, and it rests until that day; nothing of it is left once it is raised.
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Instant),
    Column("acknowledged_level", Text),
    Column("acknowledged_why", Text),
    Column("rests_until", Date),
    Index("ix_alert_debtor", "debtor", "id"),
    Index(
        "ix_alert_open",
        "debtor",
        "indicator",
        unique=True,
        postgresql_where=sql("closed_on IS NULL"),
        sqlite_where=sql("closed_on IS NULL"),
    ),
)
