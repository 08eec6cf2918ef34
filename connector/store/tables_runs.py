"""Tables of runs, problems, leases, and the documents of administrators."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint

from connector.store.tables_kinds import Instant, id_column, metadata

run = Table(
    "run",
    metadata,
    id_column(),
    Column("job", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("state", Text, nullable=False),  # running, done, problems, failed
    Column("counts", Text),
    Index("ix_run_job", "job", "system", "id"),
)

# `scope` is who said it and may withdraw it: `record` for what is wrong with one record, else the job.
problem = Table(
    "problem",
    metadata,
    id_column(),
    Column("scope", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("what_en", Text, nullable=False),
    Column("what_zh", Text, nullable=False),
    Column("fix_en", Text, nullable=False),
    Column("fix_zh", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("resolved_at", Instant),
    UniqueConstraint("scope", "system", "stream", "ref", "code", "field"),
)

# Who may do a job now; a higher fence beats a lower one.
lease = Table(
    "lease",
    metadata,
    Column("job", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

# A slot of a schedule that somebody has taken, for good.
slot = Table(
    "slot",
    metadata,
    Column("job", Text, primary_key=True),
    Column("time", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("claimed_at", Instant, nullable=False),
)

# Mappings and policies, every version with its author; append-only. `sha` is the SHA-256 of the body, in hexadecimal.
document = Table(
    "document",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("sha", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("kind", "name", "version"),
)

# Who put which version of a document in use; append-only, the newest word counts. No version: the file is used.
activation = Table(
    "activation",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_activation_name", "kind", "name", "id"),
)
