"""Tables of jobs that somebody asked for on a page, and of what is being done now."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from connector.store.tables_kinds import Instant, id_column, metadata

# A job that somebody asked for, done once by whichever node is free; `state`: asked, done, failed.
asked_run = Table(
    "asked_run",
    metadata,
    id_column(),
    Column("job", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", Instant),
    Column("why_en", Text),
    Column("why_zh", Text),
)

# What the holder of a lease is doing now, told about once a second for whoever watches; it proves nothing.
at_work = Table(
    "at_work",
    metadata,
    Column("lease", Text, primary_key=True),
    Column("job", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("of", Integer),
    Column("began_at", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),
)
