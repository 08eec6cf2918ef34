"""Tables of systems, what they said, where we stopped reading, and what changed since."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from connector.store.tables_kinds import Instant, Key, id_column, metadata

# A configured system by its name; `ledger_currency` is that of its base amounts.
system = Table(
    "system",
    metadata,
    Column("id", SmallInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("ledger_currency", Text),
)

# A stream of a system: the cursor, and the generation with which a full reading stamps what it sees.
stream = Table(
    "stream",
    metadata,
    Column("id", SmallInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("system", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("cursor", Text),
    Column("generation", Integer, nullable=False, server_default=sql("0")),
    Column("reading", Boolean, nullable=False, server_default=sql("false")),  # a full reading is under way
    Column("read_at", Instant),  # when the last page came
    Column("complete_at", Instant),  # when the last page of a reading came
    UniqueConstraint("system", "name"),
)

# What a system said, verbatim while it is fresh; the hash stays when the body has expired.
record = Table(
    "record",
    metadata,
    id_column(),
    Column("stream", SmallInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("mapping_version", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("quarantined", Boolean, nullable=False, server_default=sql("false")),
    Column("place", Text),  # file and line, where there is one
    Column("body", LargeBinary),
    UniqueConstraint("stream", "key"),
)

# What a record says of a fact of which another record's word counts; the highest id is the latest word.
echo = Table(
    "echo",
    metadata,
    id_column(),
    Column("system", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("record", Key, nullable=False),
    Column("word", Text, nullable=False),
    UniqueConstraint("record", "kind", "ref"),
    Index("ix_echo_fact", "system", "kind", "ref"),
)

# Customers whose facts changed since they were last evaluated; the number orders the changes.
mark = Table(
    "mark",
    metadata,
    Column("customer", Key, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

# Numbers that only go up: change marks, fencing.
counter = Table(
    "counter", metadata, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False)
)
