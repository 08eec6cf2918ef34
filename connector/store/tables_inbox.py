"""Tables of webhooks: what systems told us that has changed, and what they have promised to tell."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from connector.store.tables_kinds import Instant, id_column, metadata

# One thing that a system says has changed; never what it says of it. `event` is its id in that system: the same one
# again is not a second one. `not_before` is set while somebody is at work on it, so that a death is made up for.
hook_event = Table(
    "hook_event",
    metadata,
    id_column(),
    Column("system", SmallInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("streams", Text, nullable=False),  # names with a blank between; "": all
    Column("ref", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("said_at", Instant),
    Column("arrived_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=sql("0")),
    Column("not_before", Instant),
    Column("heeded_at", Instant),
    UniqueConstraint("system", "event"),
    Index(
        "ix_hook_event_unheeded",
        "system",
        "id",
        postgresql_where=sql("heeded_at IS NULL"),
        sqlite_where=sql("heeded_at IS NULL"),
    ),
    Index("ix_hook_event_heeded", "system", "heeded_at"),
)

# What a system has promised: to call about these streams (JSON) until then. `told` is a hash of the address and token it
# was given: where ours are others by now, it is told anew.
hook_subscription = Table(
    "hook_subscription",
    metadata,
    id_column(),
    Column("system", SmallInteger, nullable=False),
    Column("ref", Text, nullable=False),
    Column("streams", Text, nullable=False),
    Column("until", Instant),
    Column("made_at", Instant, nullable=False),
    Column("renewed_at", Instant),
    Column("told", Text, nullable=False),
    UniqueConstraint("system", "ref"),
)
