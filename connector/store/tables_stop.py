"""The table of what we have stopped in systems."""

from __future__ import annotations

from sqlalchemy import Column, SmallInteger, Table, Text

from connector.store.tables_kinds import Instant, metadata

# A hold of ours that stands in a system, from just before it is sent until it is lifted there. `way` is the block by
# which it holds ("" where the adapter declares none), `before` what a person had set there before us, as JSON.
stop = Table(
    "stop",
    metadata,
    Column("system", SmallInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("way", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("since", Instant, nullable=False),
)
