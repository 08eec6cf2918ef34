"""Tables of documents and payments with their instalments, of what is set against what, and the sum of sales."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from connector.store.tables_kinds import Exact, Key, fact_columns, metadata

# Documents (family d) and payments (family p), which may bear the same ids. `value` and `base_value` are signed.
# The last paragraph of columns is kept up in the page's transaction: what is open once everything dated has happened,
# the last day on which something happens to it, and the day from which on nothing is open (null while something is).
item = Table(
    "item",
    metadata,
    *fact_columns(),
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
    # With it payments of a customer's invoices are found without looking into the table for every invoice.
    Index("ix_item_customer", "customer", "settled_on", "kind", "due_on", "currency", "system"),
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
    # When a customer paid last is read off this index alone.
    Index(
        "ix_item_receipt",
        "customer",
        "issued_on",
        "voided_on",
        postgresql_where=sql("family = 'p' AND kind = 'receipt'"),
        sqlite_where=sql("family = 'p' AND kind = 'receipt'"),
    ),
    Index("ix_item_due", "due_on", "customer", postgresql_where=sql("open = 1"), sqlite_where=sql("open = 1")),
)

# An instalment as it was stated; its document may come later. Where it says nothing of a dispute or of the ledger's
# currency, its document does.
instalment = Table(
    "instalment",
    metadata,
    *fact_columns(),
    Column("document_ref", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("base_amount", Exact),
    Column("disputed_amount", Exact),
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
    *fact_columns(),
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
    Index("ix_application_to_item", "to_item", "since", "until", "to_value", "to_base", "from_item", "instalment"),
    Index(
        "ix_application_from_ref",
        "system",
        "from_ref",
        postgresql_where=sql("firm = 0"),
        sqlite_where=sql("firm = 0"),
    ),
    Index("ix_application_to_ref", "system", "to_ref", postgresql_where=sql("firm = 0"), sqlite_where=sql("firm = 0")),
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
