"""Tables of the audit trail: one chain of entries a lane, and the head of each chain."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from connector.store.tables_kinds import Instant, metadata

# Append-only, fenced by triggers. `hash` covers every other column, `previous` among them: the hash of the entry before.
# Numbers count from 1 without a gap within a lane. `before` and `after` are JSON.
audit = Table(
    "audit",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_subject", "subject", "at"),
    Index("ix_audit_at", "at"),
)

# The newest entry of each lane. Whoever appends holds this row until the transaction ends, so that a chain never forks.
audit_head = Table(
    "audit_head",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
