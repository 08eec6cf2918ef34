"""Tables of the audit trail: one chain of entries a lane, and the head of each chain."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text, text

from connector.store.tables_kinds import Instant, metadata

# So many numbers of a lane are a block. Order checks append a thousand lines a second, each of another customer: in an index
# by subject alone nearly every line would change a page of its own, which costs a fifth of a check. Within a block the
# same few pages are changed, and whoever asks for a subject looks once into each block.
AUDIT_BLOCK = 1024

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
    Index("ix_audit_block", text(f"(number / {AUDIT_BLOCK})"), "subject"),
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
