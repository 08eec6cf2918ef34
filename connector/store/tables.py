"""The schema: every table of the store, one paragraph each.

Money is whole minor units in 64-bit integers, signed where the kind gives a sign (positive: the customer owes us). What
has no currency of its own is an exact decimal, kept as text. Days are dates, instants are UTC without a zone. A
customer, an item and an order have integer keys, made when they are first mentioned, so that pages may come in any
order. Every fact knows the record it came from.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class Exact(TypeDecorator[Decimal]):
    """A decimal without a currency, kept as text: no database's number type is exact everywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Instant(TypeDecorator[dt.datetime]):
    """A moment: aware outside, UTC without a zone inside."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else utc(value)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)


def utc(moment: dt.datetime) -> dt.datetime:
    """A moment as the store keeps it; one without a zone is taken as UTC."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _id() -> Column[Any]:
    return Column("id", Key, primary_key=True)


def _fact() -> tuple[Column[Any], ...]:
    """What every fact has: its own id, the system that said it, its id there, and the record it came from."""
    return (
        _id(),
        Column("system", SmallInteger, nullable=False),
        Column("ref", Text, nullable=False),
        Column("record", Key),
    )


# --- systems, what they said, and where we stopped reading ------------------------------------------------------------
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
    _id(),
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

# --- facts ------------------------------------------------------------------------------------------------------------
# `known` is false for one that was only mentioned.
customer = Table(
    "customer",
    metadata,
    *_fact(),
    Column("known", Boolean, nullable=False, server_default=sql("false")),
    Column("name", Text),
    Column("parent", Key, index=True),
    Column("tax_id", Text),
    Column("external_id", Text),
    Column("country", Text),
    Column("currency", Text),
    Column("terms", Text),
    Column("segment", Text),
    Column("owner", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("status", Text),
    Column("first_sold_on", Date),
    UniqueConstraint("system", "ref"),
    Index("ix_customer_record", "record"),
)

person = Table(
    "person",
    metadata,
    *_fact(),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Boolean, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_person_record", "record"),
)

# Documents (family d) and payments (family p), which may bear the same ids. `value` and `base_value` are signed.
# The last paragraph of columns is kept up in the page's transaction: what is open once everything dated has happened,
# the last day on which something happens to it, and the day from which on nothing is open (null while something is).
item = Table(
    "item",
    metadata,
    *_fact(),
    Column("family", Text, nullable=False),
    Column("customer", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date),  # as stated, else by the terms; a credit's own day
    Column("stated_due_on", Date),
    Column("terms", Text),
    Column("currency", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("base_value", BigInteger),
    Column("disputed", BigInteger),
    Column("company", Text),
    Column("order_ref", Text),
    Column("posted", Integer, nullable=False),
    Column("acceptance", Text),
    Column("voided_on", Date),
    Column("sort", SmallInteger, nullable=False),  # what it counts as: `items.sort_of`
    Column("parts", Integer, nullable=False, server_default=sql("0")),  # how many pieces stand in `part`
    Column("open_value", BigInteger, nullable=False),
    Column("open_base", BigInteger),
    Column("last_on", Date, nullable=False),
    Column("settled_on", Date),
    Column("open", Integer, nullable=False),
    UniqueConstraint("system", "family", "ref"),
    Index("ix_item_record", "record"),
    Index("ix_item_customer", "customer", "settled_on"),
    # The nightly sum reads this index alone: one customer after the other, open items only. (`open` stands in it although
    # it is always 1 there: SQLite would look into the table for it.)
    Index(
        "ix_item_open",
        "customer",
        "currency",
        "sort",
        "parts",
        "open",
        "issued_on",
        "due_on",
        "last_on",
        "open_value",
        "open_base",
        "value",
        "base_value",
        "disputed",
        "system",
        "company",
        "ref",
        postgresql_where=sql("open = 1"),
        sqlite_where=sql("open = 1"),
    ),
    Index("ix_item_settled", "settled_on", postgresql_where=sql("open = 0"), sqlite_where=sql("open = 0")),
    Index("ix_item_due", "due_on", "customer", postgresql_where=sql("open = 1"), sqlite_where=sql("open = 1")),
)

# An instalment as it was stated; its document may come later.
instalment = Table(
    "instalment",
    metadata,
    *_fact(),
    Column("document_ref", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount", Exact, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_instalment_record", "record"),
    Index("ix_instalment_document_ref", "system", "document_ref"),
)

# The pieces of a document with instalments, and what is open of each once everything dated has happened; a piece
# without number is what the instalments leave uncovered.
part = Table(
    "part",
    metadata,
    Column("item", Key, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("number", Text, nullable=False),
    Column("due_on", Date),
    Column("value", BigInteger, nullable=False),
    Column("base_value", BigInteger),
    Column("open_value", BigInteger, nullable=False),
    Column("open_base", BigInteger),
    Column("disputed", BigInteger, nullable=False),
)

# A payment or credit note set against a document, both ends by name and, once they are there, by key. `to_*` lessens
# the one, `from_*` the other, in signed minor units; it counts from `since` until before `until`, while both ends do.
application = Table(
    "application",
    metadata,
    *_fact(),
    Column("from_ref", Text, nullable=False),
    Column("to_ref", Text, nullable=False),
    Column("instalment", Text),
    Column("amount", Exact, nullable=False),
    Column("from_amount", Exact),
    Column("base_amount", Exact),
    Column("applied_on", Date, nullable=False),
    Column("reversed_on", Date),
    Column("from_item", Key),
    Column("to_item", Key),
    Column("firm", Integer, nullable=False),  # 1: both ends are found and no better one can come
    Column("since", Date),
    Column("until", Date),
    Column("from_value", BigInteger),
    Column("to_value", BigInteger),
    Column("from_base", BigInteger),
    Column("to_base", BigInteger),
    UniqueConstraint("system", "ref"),
    Index("ix_application_record", "record"),
    Index("ix_application_from_item", "from_item", "since", "until", "from_value", "from_base"),
    Index("ix_application_to_item", "to_item", "since", "until", "to_value", "to_base"),
    Index(
        "ix_application_from_ref",
        "system",
        "from_ref",
        postgresql_where=sql("firm = 0"),
        sqlite_where=sql("firm = 0"),
    ),
    Index("ix_application_to_ref", "system", "to_ref", postgresql_where=sql("firm = 0"), sqlite_where=sql("firm = 0")),
)

# `delivered` is delivered not invoiced, `ordered` ordered not delivered, of an order without lines, in minor units.
sales_order = Table(
    "sales_order",
    metadata,
    *_fact(),
    Column("known", Boolean, nullable=False, server_default=sql("false")),
    Column("customer", Key),
    Column("number", Text),
    Column("ordered_on", Date),
    Column("ship_on", Date),
    Column("currency", Text),
    Column("amount", BigInteger),
    Column("invoiced_amount", BigInteger),
    Column("delivered_amount", BigInteger),
    Column("terms", Text),
    Column("status", Text),
    Column("owner", Text),
    Column("priority", Text),
    Column("company", Text),
    Column("delivered", BigInteger),
    Column("ordered", BigInteger),
    UniqueConstraint("system", "ref"),
    Index("ix_sales_order_record", "record"),
    Index("ix_sales_order_customer", "customer", "status"),
    Index(
        "ix_sales_order_open",
        "customer",
        "currency",
        postgresql_where=sql("status = 'open'"),
        sqlite_where=sql("status = 'open'"),
    ),
)

# Values with tax as two integers: whole units of the currency and 10^-12 of one, so that sums stay exact everywhere.
order_line = Table(
    "order_line",
    metadata,
    *_fact(),
    Column("sales_order", Key, nullable=False),
    Column("line", Text, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("quantity_delivered", Exact),
    Column("quantity_invoiced", Exact),
    Column("quantity_cancelled", Exact),
    Column("unit_price", Exact, nullable=False),
    Column("tax_rate", Exact),
    Column("ship_on", Date),
    Column("total", BigInteger, nullable=False),
    Column("total_rest", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("delivered_rest", BigInteger, nullable=False),
    Column("ordered", BigInteger, nullable=False),
    Column("ordered_rest", BigInteger, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_order_line_record", "record"),
    Index("ix_order_line_sales_order", "sales_order"),
)

credit_limit = Table(
    "credit_limit",
    metadata,
    *_fact(),
    Column("customer", Key, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("percent", Exact),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("approved_on", Date),
    Column("condition", Text),
    Column("segment", Text),
    UniqueConstraint("system", "ref"),
    Index("ix_credit_limit_record", "record"),
)

rate = Table(
    "rate",
    metadata,
    *_fact(),
    Column("on", Date, nullable=False),
    Column("from_currency", Text, nullable=False),
    Column("to_currency", Text, nullable=False),
    Column("rate", Exact, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_rate_record", "record"),
)

promise = Table(
    "promise",
    metadata,
    *_fact(),
    Column("customer", Key, nullable=False, index=True),
    Column("document_ref", Text),
    Column("made_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_promise_record", "record"),
)

financial = Table(
    "financial",
    metadata,
    *_fact(),
    Column("customer", Key, nullable=False, index=True),
    Column("period_end_on", Date, nullable=False),
    Column("months", Integer, nullable=False),
    Column("currency", Text, nullable=False),
    Column("unit", Integer, nullable=False),
    Column("audited", Boolean),
    Column("item", Text, nullable=False),
    Column("amount", Exact, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_financial_record", "record"),
)

event = Table(
    "event",
    metadata,
    *_fact(),
    Column("customer", Key, nullable=False, index=True),
    Column("on", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("value", Text),
    Column("text", Text),
    Column("ended_on", Date),
    UniqueConstraint("system", "ref"),
    Index("ix_event_record", "record"),
)

# A summary, kept up in the page's transaction: posted sales with tax, net of credit notes, by month of issue.
sales = Table(
    "sales",
    metadata,
    Column("customer", Key, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("month", Date, primary_key=True),  # its first day
    Column("value", BigInteger, nullable=False),
    Column("documents", Integer, nullable=False),
)

# --- who is who -------------------------------------------------------------------------------------------------------
debtor = Table("debtor", metadata, _id(), Column("made_at", Instant))

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
    _id(),
    Column("a", Key, nullable=False),
    Column("b", Key, nullable=False),
    Column("score", Exact, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, confirmed, rejected
    UniqueConstraint("a", "b"),
)

# --- conclusions and what they owe ------------------------------------------------------------------------------------
# Append-only.
decision = Table(
    "decision",
    metadata,
    _id(),
    Column("debtor", Key, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_decision_debtor", "debtor", "id"),
)

# The newest decision of each debtor, and the last day it was evaluated for, whether or not anything changed.
standing = Table(
    "standing",
    metadata,
    Column("debtor", Key, primary_key=True, autoincrement=False),
    Column("decision", Key, nullable=False),
    Column("digest", Text, nullable=False),
    Column("evaluated_on", Date, nullable=False),
    Column("evaluated_at", Instant, nullable=False),
)

# One write we owe. States: owed, claimed, done, parked, dropped, superseded.
outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("system", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("values", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("customer", Key),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=sql("0")),
    Column("uncertain", Boolean, nullable=False, server_default=sql("false")),  # an attempt may have arrived
    Column("owed_at", Instant, nullable=False),
    Column("not_before", Instant),
    Column("claimed_until", Instant),
    Column("settled_at", Instant),
    Column("remote_id", Text),
    Column("why_en", Text),
    Column("why_zh", Text),
    Column("code", Text),
    Index("ix_outbox_key", "system", "kind", "key"),
    Index(
        "ix_outbox_due",
        "system",
        "kind",
        "id",
        postgresql_where=sql("state IN ('owed', 'claimed')"),
        sqlite_where=sql("state IN ('owed', 'claimed')"),
    ),
    Index("ix_outbox_target", "system", "kind", "target", "id"),
)

# What was last settled of each desired state.
pushed = Table(
    "pushed",
    metadata,
    Column("system", SmallInteger, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("remote_id", Text),
    Column("settled_at", Instant, nullable=False),
)

# --- runs, problems, leases, documents ----------------------------------------------------------------------------------
run = Table(
    "run",
    metadata,
    _id(),
    Column("job", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("state", Text, nullable=False),  # running, done, problems, failed
    Column("counts", Text),
    Index("ix_run_job", "job", "system", "id"),
)

# `scope` is who said it and may withdraw it: `record` for what is wrong with one record, else the job.
problem = Table(
    "problem",
    metadata,
    _id(),
    Column("scope", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("what_en", Text, nullable=False),
    Column("what_zh", Text, nullable=False),
    Column("fix_en", Text, nullable=False),
    Column("fix_zh", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("resolved_at", Instant),
    UniqueConstraint("scope", "system", "stream", "ref", "code", "field"),
)

# Who may do a job now; a higher fence beats a lower one.
lease = Table(
    "lease",
    metadata,
    Column("job", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

# A slot of a schedule that somebody has taken, for good.
slot = Table(
    "slot",
    metadata,
    Column("job", Text, primary_key=True),
    Column("time", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("claimed_at", Instant, nullable=False),
)

# Mappings and policies, every version with its author; `active` is the one in use.
document = Table(
    "document",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False),
    UniqueConstraint("kind", "name", "version"),
)
