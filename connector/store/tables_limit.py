"""Tables of credit limits that are decided on here: requests, what became of each, and the pieces that were granted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text, UniqueConstraint

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# Append-only: what limit was asked for or proposed. `amount` is in minor units, null: unlimited; `before` is the limit of
# that day in the same currency, null where there was none or no bound. `body` is JSON: every number it rests on, every
# step in both languages, the tranches of a staged limit. `digest` is over what it rests on.
limit_request = Table(
    "limit_request",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("at", Instant, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger),
    Column("currency", Text, nullable=False),
    Column("percent", Exact),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("condition", Text),
    Column("segment", Text),
    Column("before", BigInteger),
    Column("digest", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_limit_request_customer", "customer", "id"),
)

# Append-only: what became of a request, in the order of `number`: proposed, changed, approved, granted, rejected,
# superseded, in_force. Two who decide at once want the same number: one of them is told to look again.
limit_event = Table(
    "limit_event",
    metadata,
    id_column(),
    Column("request", Key, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("amount", BigInteger),
    UniqueConstraint("request", "number"),
)

# The pieces of limits that are kept here, as facts of systems have them; `ended_on` is the first day on which a piece does
# not count any more because another one took its place.
limit_piece = Table(
    "limit_piece",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False, index=True),
    Column("ref", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("percent", Exact),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("approved_on", Date, nullable=False),
    Column("condition", Text),
    Column("segment", Text),
    Column("request", Key, nullable=False),
    Column("ended_on", Date),
)
