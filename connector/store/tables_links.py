"""Tables of who is who: debtors, the customers that are linked to them, and what a person has to say about it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

debtor = Table("debtor", metadata, id_column(), Column("made_at", Instant))

# `confirmed`: by a person; such a link is not changed by a machine.
link = Table(
    "link",
    metadata,
    Column("customer", Key, primary_key=True, autoincrement=False),
    Column("debtor", Key, nullable=False, index=True),
    Column("how", Text, nullable=False),
    Column("score", Exact),
    Column("confirmed", Boolean, nullable=False, server_default=sql("false")),
)

# Two customers that a person has declared not to be the same (a < b).
apart = Table("apart", metadata, Column("a", Key, primary_key=True), Column("b", Key, primary_key=True))

proposal = Table(
    "proposal",
    metadata,
    id_column(),
    Column("a", Key, nullable=False),
    Column("b", Key, nullable=False),
    Column("score", Exact, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, confirmed, rejected
    UniqueConstraint("a", "b"),
)
