"""The table of calculations: long questions that somebody asks on a page, worked on by any node, and their answers."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from connector.store.tables_kinds import Instant, id_column, metadata

# `question` is what makes it the same one: asked again, it is not worked on again. `asked` and `result` are JSON. `state`:
# waiting, running, done, failed. Whoever works on it says so each few seconds (`beat_at`); the answer from before stays
# until there is a new one.
calculation = Table(
    "calculation",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("by", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text),
    Column("beat_at", Instant),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("whole", Integer),
    Column("ended_at", Instant),
    Column("made_at", Instant),
    Column("result", LargeBinary),
    Column("why_en", Text),
    Column("why_zh", Text),
    UniqueConstraint("kind", "question"),
    Index("ix_calculation_state", "state", "id"),
)
