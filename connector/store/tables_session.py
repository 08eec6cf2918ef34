"""Tables of the sign-in to pages: sessions, passwords, one-time codes. Nothing in them opens anything by itself."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from connector.store.tables_kinds import Instant, metadata

# A browser that has signed in. `sha` is the SHA-256 of the cookie, in hexadecimal; `roles` count only where config.toml
# names nobody; `way`: password, code, or the issuer.
session = Table(
    "session",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
Index("session_person", session.c.person)

# The password of a person: an argon2id hash with its own salt and costs.
password = Table(
    "password",
    metadata,
    Column("person", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("wait_until", Instant),
)

# What is good once: a code that signs somebody in (`person`); or the way back from the issuer, which is kept by the browser
# that goes it, and here only from when it has been gone to when it would end.
once_code = Table(
    "once_code",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("used_at", Instant),
)
