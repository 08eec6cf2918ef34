"""Tables of reservations: credit that an order check has kept for an order that is not in the store yet."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Table, Text
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# `ref` is the order's id or number as it will be known by, where it was told; `total` is gross, in the order's own currency.
# It counts until `valid_until`, unless it has `ended_at` before: `ended` is returned, arrived or expired.
reservation = Table(
    "reservation",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("ref", Text),
    Column("total", Exact, nullable=False),
    Column("currency", Text, nullable=False),
    Column("terms", Text),
    Column("ship_on", Date),
    Column("by", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended", Text),
    Column("ended_by", Text),
    Index(
        "ix_reservation_standing",
        "customer",
        postgresql_where=sql("ended_at IS NULL"),
        sqlite_where=sql("ended_at IS NULL"),
    ),
)
