"""Tables of order holds: the state of each order, all that happened to it, and what persons have set aside or forced."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Table, Text
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# Written in a question as it stands here, or the index is not used.
HELD = "ended_on IS NULL AND state <> 'passed' AND state <> 'released'"

# The newest state of each order: passed, held, requested, released, refused, expired. `total` is what was last checked, or
# what it passed with, in the order's own currency; `minor` the same in minor units, rounded, by which lists are put in
# order (2^63-1 where it is more). `rules` are the reasons that applied. The release is there while the state is
# `released`. `ended_on`: the order was no longer open that day.
order_state = Table(
    "order_state",
    metadata,
    Column("sales_order", Key, primary_key=True, autoincrement=False),
    Column("debtor", Key, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("at", Instant, nullable=False),
    Column("point", Text, nullable=False),
    Column("total", Exact, nullable=False),
    Column("minor", BigInteger, nullable=False, server_default="0"),
    Column("currency", Text, nullable=False),
    Column("terms", Text),
    Column("rules", Text, nullable=False),
    Column("manual", Text),
    Column("released_by", Text),
    Column("released_on", Date),
    Column("max_total", Exact),
    Column("valid_until", Date),
    Column("was_red", Boolean),
    Column("ended_on", Date),
    # Of a million orders a few are held: lists of those are asked for again and again.
    Index("ix_order_state_held", "sales_order", postgresql_where=sql(HELD), sqlite_where=sql(HELD)),
)

# Append-only. `body` is JSON: totals, reasons with their numbers, the snapshot of a release.
order_event = Table(
    "order_event",
    metadata,
    id_column(),
    Column("sales_order", Key, nullable=False),
    Column("debtor", Key, nullable=False),
    Column("on", Date, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_order_event_order", "sales_order", "id"),
    Index("ix_order_event_debtor", "debtor", "id"),
)

# `scope`: order, customer (a debtor), segment, all. `rules`: names with blanks between them; empty: all of the policy.
exclusion = Table(
    "exclusion",
    metadata,
    id_column(),
    Column("scope", Text, nullable=False),
    Column("debtor", Key, index=True),
    Column("sales_order", Key, index=True),
    Column("segment", Text),
    Column("effect", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
)
