"""Tables of dunning: how far each item is, every step that was taken, letters, charges, and what customers were asked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Instant, Key, id_column, metadata

# How far an item is: a document by its own id, or one of its instalments (`part`; empty: the whole). The level stays when
# nothing is open any more (`closed_on`), for a payment may be reversed; `levels` counts it only while something is open.
dunning = Table(
    "dunning",
    metadata,
    Column("system", SmallInteger, primary_key=True),
    Column("document_ref", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("customer", Key, nullable=False, index=True),
    Column("level", Integer, nullable=False),
    Column("since", Date),  # the day of the last step
    Column("noticed_on", Date),  # the day of the notice before it was due
    Column("closed_on", Date),
    Column("closed_value", BigInteger),  # what it was in whole when nothing was open
    Column("changed", Boolean, nullable=False, server_default=sql("false")),  # its facts have, since it was settled
)

# Append-only: every step, and every time an item was settled, opened again or begun anew.
dunning_step = Table(
    "dunning_step",
    metadata,
    id_column(),
    Column("system", SmallInteger, nullable=False),
    Column("document_ref", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("customer", Key, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("what", Text, nullable=False),  # notice, step, settled, reopened, renewed
    Column("level", Integer, nullable=False),
    Column("channel", Text),
    Column("currency", Text, nullable=False),
    Column("open_value", BigInteger, nullable=False),
    Column("letter", Key),
    Index("ix_dunning_step_customer", "customer", "id"),
)

# What was written to a customer, with all its figures in both languages; append-only. `key` keeps it from being written
# twice. `counted`: whether the interval between letters is kept after it (1: a demand, 0: a notice).
letter = Table(
    "letter",
    metadata,
    id_column(),
    Column("debtor", Key, nullable=False),
    Column("customer", Key, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("level", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("key"),
    Index("ix_letter_debtor", "debtor", "as_of"),
    Index("ix_letter_customer", "customer"),
)

# Fees and late interest: items of their own, which no payment of the invoice makes vanish; append-only, and negative
# where one before was too high. `rate` is a fraction of 1 per day.
charge = Table(
    "charge",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("system", SmallInteger, nullable=False),
    Column("document_ref", Text, nullable=False),  # empty: of no one document
    Column("part", Text, nullable=False),
    Column("kind", Text, nullable=False),  # fee, interest
    Column("level", Integer, nullable=False),
    Column("from_on", Date),
    Column("to_on", Date, nullable=False),
    Column("rate", Exact),
    Column("currency", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("letter", Key),
    Column("key", Text, nullable=False),
    UniqueConstraint("key"),
    Index("ix_charge_customer", "customer"),
)

# What was said with a customer, and proof of what reached it; append-only. `on` is the day it happened.
contact = Table(
    "contact",
    metadata,
    id_column(),
    Column("customer", Key, nullable=False),
    Column("on", Date, nullable=False),
    Column("kind", Text, nullable=False),  # phone, email, visit, delivery, acknowledgement, suit
    Column("result", Text),
    Column("note", Text, nullable=False),
    Column("document_ref", Text),
    Column("letter", Key),
    Column("promise_on", Date),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("file_name", Text),
    Column("file_sha", Text),  # SHA-256 in hexadecimal
    Column("file_size", BigInteger),
    Column("actor", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_contact_customer", "customer", "id"),
)
