"""Tables of the other facts: customers, people, orders, limits, rates, promises, statements, events."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Key, fact_columns, metadata

# `known` is false for one that was only mentioned.
customer = Table(
    "customer",
    metadata,
    *fact_columns(),
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
    Index(
        "ix_customer_tax_id",
        "tax_id",
        postgresql_where=sql("tax_id IS NOT NULL"),
        sqlite_where=sql("tax_id IS NOT NULL"),
    ),
)

person = Table(
    "person",
    metadata,
    *fact_columns(),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Boolean, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_person_record", "record"),
)

# `delivered` is delivered not invoiced, `ordered` ordered not delivered, of an order without lines, in minor units.
sales_order = Table(
    "sales_order",
    metadata,
    *fact_columns(),
    Column("known", Boolean, nullable=False, server_default=sql("false")),
    Column("customer", Key),
    Column("number", Text),
    Column("reference", Text),
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
    *fact_columns(),
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
    *fact_columns(),
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
    *fact_columns(),
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
    *fact_columns(),
    Column("customer", Key, nullable=False, index=True),
    Column("document_ref", Text),
    Column("made_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    UniqueConstraint("system", "ref"),
    Index("ix_promise_record", "record"),
)

# What stands in an order's field for asking for its release; `heeded` is what of it has become a request here.
release_request = Table(
    "release_request",
    metadata,
    *fact_columns(),
    Column("reason", Text, nullable=False),
    Column("by", Text),
    Column("heeded", Text),
    UniqueConstraint("system", "ref"),
    Index("ix_release_request_record", "record"),
)

financial = Table(
    "financial",
    metadata,
    *fact_columns(),
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
    *fact_columns(),
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
