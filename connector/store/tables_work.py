"""Tables of conclusions and of the writes that they owe."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy import text as sql

from connector.store.tables_kinds import Instant, Key, id_column, metadata

# Append-only. `inputs` are what it was concluded from, compressed, so that it can be concluded again; `sha` is the SHA-256
# over body and inputs, in hexadecimal, which the audit trail covers.
decision = Table(
    "decision",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("inputs", LargeBinary),
    Column("sha", Text),
    Index("ix_decision_debtor", "debtor", "id"),
)

# Facts as they were before they were changed or removed, after there were decisions; append-only. `fact` is the key in
# the table of its kind, `said` JSON; system and ref are there for items, which others name.
amendment = Table(
    "amendment",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fact", Key, nullable=False),
    Column("system", SmallInteger),
    Column("ref", Text),
    Column("at", Instant, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("said", Text, nullable=False),
    Index("ix_amendment_customer", "customer", "id"),
    Index("ix_amendment_ref", "system", "ref"),
    Index("ix_amendment_fact", "fact", "kind"),
)

# The newest decision of each debtor, and the last day it was evaluated for, whether or not anything changed.
standing = Table(
    "standing",
    metadata,
    Column("debtor", Key, primary_key=True, autoincrement=False),
    Column("decision", Key, nullable=False),
    Column("digest", Text, nullable=False),
    Column("evaluated_on", Date, nullable=False),
    Column("evaluated_at", Instant, nullable=False),
)

# Tasks whose matter goes on; asked for in these very words, or no database uses the index.
OPEN_TASK = "kind = 'task' AND ended IS NULL AND state IN ('owed', 'parked', 'claimed', 'done')"

# One write we owe. States: owed, claimed, done, parked, dropped, superseded.
outbox = Table(
    "outbox",
    metadata,
    id_column(),
    Column("system", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("values", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("customer", Key),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=sql("0")),
    Column("uncertain", Boolean, nullable=False, server_default=sql("false")),  # an attempt may have arrived
    Column("owed_at", Instant, nullable=False),
    Column("not_before", Instant),
    Column("claimed_until", Instant),
    Column("settled_at", Instant),
    Column("remote_id", Text),
    Column("why_en", Text),
    Column("why_zh", Text),
    Column("code", Text),
    Column("ended", Text),  # of a task: its matter is decided, or closing
    Index("ix_outbox_key", "system", "kind", "key"),
    Index(
        "ix_outbox_due",
        "system",
        "kind",
        "id",
        postgresql_where=sql("state IN ('owed', 'claimed')"),
        sqlite_where=sql("state IN ('owed', 'claimed')"),
    ),
    Index("ix_outbox_target", "system", "kind", "target", "id"),
    Index(
        "ix_outbox_task",
        "system",
        "target",
        postgresql_where=sql(OPEN_TASK),
        sqlite_where=sql(OPEN_TASK),
    ),
)

# What was last settled of each desired state.
pushed = Table(
    "pushed",
    metadata,
    Column("system", SmallInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("remote_id", Text),
    Column("settled_at", Instant, nullable=False),
)
