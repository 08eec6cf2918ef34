"""Table of sealed secrets: what systems are signed in to with, encrypted under a key that the database does not hold."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from connector.store.tables_kinds import Instant, metadata

# `value` is a Fernet token over the name and the secret. `changed_at` is when the secret itself was last set;
# `sealed_at` when it was last sealed, which a new key does, too.
sealed = Table(
    "sealed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("sealed_at", Instant, nullable=False),
)
