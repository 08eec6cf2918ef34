"""Tables of financial statements that people have brought: each version with its document, every item with its cell."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text, UniqueConstraint

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# A version is never changed, only confirmed or refused. It feeds decisions from `confirmed_on` until `refused_on`;
# `unit` and `currency` are empty in a draft that does not say them. `findings` is JSON: what the checks said.
statement = Table(
    "statement",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("period_end_on", Date, nullable=False),
    Column("months", Integer, nullable=False),
    Column("currency", Text),
    Column("unit", BigInteger),
    Column("basis", Text),
    Column("consolidated", Boolean),
    Column("audited", Boolean),
    Column("opinion", Text),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),  # draft, confirmed, refused
    Column("file", Text, nullable=False),
    Column("sha", Text, nullable=False),
    Column("received_on", Date),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_on", Date),
    Column("refused_by", Text),
    Column("refused_on", Date),
    Column("reason", Text, nullable=False, server_default=""),
    Column("findings", Text, nullable=False),
    Index("ix_statement_customer", "customer", "period_end_on"),
)

# Amounts in whole units of the currency; label, cell and text as they are printed.
statement_item = Table(
    "statement_item",
    metadata,
    id_column(),
    Column("statement", Key, nullable=False),
    Column("item", Text, nullable=False),
    Column("amount", Exact),
    Column("opening", Exact),
    Column("label", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("opening_cell", Text, nullable=False),
    Column("opening_raw", Text, nullable=False),
    UniqueConstraint("statement", "item"),
)
