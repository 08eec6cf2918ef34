"""Tables of the API's front door: keys that open it, and requests that are answered once whatever comes twice."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from connector.store.tables_kinds import Instant, metadata

# Only the hash of a key's secret is kept. `owner` is "person:li.wei" or "app:webshop"; `roles` are those of an application,
# or of the one who worked here before any people were configured; `rights` narrows what the roles allow (null: all of it).
# Both are words with spaces between. `old_hash` is the secret before the last rotation, good until `old_until`.
api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("rights", Text),
    Column("hash", Text, nullable=False),
    Column("old_hash", Text),
    Column("old_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
)

# A request that acts, by its caller and his Idempotency-Key. `state`: begun, acted (what it does is committed), answered.
# `sha` is the SHA-256, in hexadecimal, of method, path and body.
idempotent = Table(
    "idempotent",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sha", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Index("ix_idempotent_at", "at"),
)
