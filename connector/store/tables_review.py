"""Tables of reviews and of the credit file's papers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Table, Text
from sqlalchemy import text as sql

from connector.store.tables_kinds import Instant, Key, id_column, metadata

# One open review a debtor (planned, started, proposed), then kept for good (done). `seen` is what the debtor looked like
# when the day was last planned. `answers`, `snapshot`, `approvals` are JSON.
review = Table(
    "review",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("why", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("reviewer", Text),
    Column("snapshot", Text),
    Column("snapshot_sha", Text),
    Column("answers", Text),
    Column("conclusion", Text),  # keep, raise, cut, stop
    Column("limit_amount", BigInteger),
    Column("limit_currency", Text),
    Column("reason", Text),
    Column("approvals", Text),
    Column("done_at", Instant),
    Column("done_on", Date),
    Index("ix_review_debtor", "debtor", "id"),
    Index(
        "uq_review_open",
        "debtor",
        unique=True,
        postgresql_where=sql("state <> 'done'"),
        sqlite_where=sql("state <> 'done'"),
    ),
)

# Append-only: a paper or a note of the credit file. `sha` names the kept attachment; `personal`: it speaks of a person,
# then it says for which purpose it is kept, and until when.
paper = Table(
    "paper",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dated_on", Date, nullable=False),
    Column("valid_to", Date),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("name", Text),
    Column("media_type", Text),
    Column("size", BigInteger),
    Column("sha", Text),
    Column("personal", Boolean, nullable=False, server_default=sql("false")),
    Column("purpose", Text),
    Column("keep_until", Date),
    Column("added_by", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_paper_debtor", "debtor", "id"),
)
