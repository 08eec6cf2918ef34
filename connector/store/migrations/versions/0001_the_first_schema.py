"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL_KEY = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "apart",
        sa.Column("a", KEY, nullable=False),
        sa.Column("b", KEY, nullable=False),
        sa.PrimaryKeyConstraint("a", "b"),
    )
    op.create_table(
        "application",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("from_ref", sa.Text(), nullable=False),
        sa.Column("to_ref", sa.Text(), nullable=False),
        sa.Column("instalment", sa.Text(), nullable=True),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("from_amount", sa.Text(), nullable=True),
        sa.Column("base_amount", sa.Text(), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=True),
        sa.Column("from_item", KEY, nullable=True),
        sa.Column("to_item", KEY, nullable=True),
        sa.Column("firm", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("from_value", sa.BigInteger(), nullable=True),
        sa.Column("to_value", sa.BigInteger(), nullable=True),
        sa.Column("from_base", sa.BigInteger(), nullable=True),
        sa.Column("to_base", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_application_system_ref")),
    )
    op.create_index(
        "ix_application_from_item",
        "application",
        ["from_item", "since", "until", "from_value", "from_base"],
        unique=False,
    )
    op.create_index(
        "ix_application_from_ref",
        "application",
        ["system", "from_ref"],
        unique=False,
        postgresql_where=sa.text("firm = 0"),
        sqlite_where=sa.text("firm = 0"),
    )
    op.create_index("ix_application_record", "application", ["record"], unique=False)
    op.create_index(
        "ix_application_to_item", "application", ["to_item", "since", "until", "to_value", "to_base"], unique=False
    )
    op.create_index(
        "ix_application_to_ref",
        "application",
        ["system", "to_ref"],
        unique=False,
        postgresql_where=sa.text("firm = 0"),
        sqlite_where=sa.text("firm = 0"),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "credit_limit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("percent", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_credit_limit_system_ref")),
    )
    op.create_index(op.f("ix_credit_limit_customer"), "credit_limit", ["customer"], unique=False)
    op.create_index("ix_credit_limit_record", "credit_limit", ["record"], unique=False)
    op.create_table(
        "customer",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("known", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("parent", KEY, nullable=True),
        sa.Column("tax_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("first_sold_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_customer_system_ref")),
    )
    op.create_index(op.f("ix_customer_parent"), "customer", ["parent"], unique=False)
    op.create_index("ix_customer_record", "customer", ["record"], unique=False)
    op.create_table(
        "debtor",
        sa.Column("id", KEY, nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "decision",
        sa.Column("id", KEY, nullable=False),
        sa.Column("debtor", KEY, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_decision_debtor", "decision", ["debtor", "id"], unique=False)
    op.create_table(
        "document",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "name", "version", name=op.f("uq_document_kind_name_version")),
    )
    op.create_table(
        "event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_event_system_ref")),
    )
    op.create_index(op.f("ix_event_customer"), "event", ["customer"], unique=False)
    op.create_index("ix_event_record", "event", ["record"], unique=False)
    op.create_table(
        "financial",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("period_end_on", sa.Date(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("audited", sa.Boolean(), nullable=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_financial_system_ref")),
    )
    op.create_index(op.f("ix_financial_customer"), "financial", ["customer"], unique=False)
    op.create_index("ix_financial_record", "financial", ["record"], unique=False)
    op.create_table(
        "instalment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("document_ref", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_instalment_system_ref")),
    )
    op.create_index("ix_instalment_document_ref", "instalment", ["system", "document_ref"], unique=False)
    op.create_index("ix_instalment_record", "instalment", ["record"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("stated_due_on", sa.Date(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("base_value", sa.BigInteger(), nullable=True),
        sa.Column("disputed", sa.BigInteger(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("order_ref", sa.Text(), nullable=True),
        sa.Column("posted", sa.Integer(), nullable=False),
        sa.Column("acceptance", sa.Text(), nullable=True),
        sa.Column("voided_on", sa.Date(), nullable=True),
        sa.Column("sort", sa.SmallInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_value", sa.BigInteger(), nullable=False),
        sa.Column("open_base", sa.BigInteger(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "family", "ref", name=op.f("uq_item_system_family_ref")),
    )
    op.create_index("ix_item_customer", "item", ["customer", "settled_on"], unique=False)
    op.create_index(
        "ix_item_due",
        "item",
        ["due_on", "customer"],
        unique=False,
        postgresql_where=sa.text("open = 1"),
        sqlite_where=sa.text("open = 1"),
    )
    op.create_index(
        "ix_item_open",
        "item",
        [
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
        ],
        unique=False,
        postgresql_where=sa.text("open = 1"),
        sqlite_where=sa.text("open = 1"),
    )
    op.create_index("ix_item_record", "item", ["record"], unique=False)
    op.create_index(
        "ix_item_settled",
        "item",
        ["settled_on"],
        unique=False,
        postgresql_where=sa.text("open = 0"),
        sqlite_where=sa.text("open = 0"),
    )
    op.create_table(
        "lease",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot"),
    )
    op.create_table(
        "link",
        sa.Column("customer", KEY, autoincrement=False, nullable=False),
        sa.Column("debtor", KEY, nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("score", sa.Text(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
    op.create_index(op.f("ix_link_debtor"), "link", ["debtor"], unique=False)
    op.create_table(
        "mark",
        sa.Column("customer", KEY, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer"),
    )
    op.create_table(
        "order_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("sales_order", KEY, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("quantity_delivered", sa.Text(), nullable=True),
        sa.Column("quantity_invoiced", sa.Text(), nullable=True),
        sa.Column("quantity_cancelled", sa.Text(), nullable=True),
        sa.Column("unit_price", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Text(), nullable=True),
        sa.Column("ship_on", sa.Date(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("total_rest", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("delivered_rest", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("ordered_rest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_order_line_system_ref")),
    )
    op.create_index("ix_order_line_record", "order_line", ["record"], unique=False)
    op.create_index("ix_order_line_sales_order", "order_line", ["sales_order"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("customer", KEY, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("uncertain", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("owed_at", sa.DateTime(), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("why_en", sa.Text(), nullable=True),
        sa.Column("why_zh", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["system", "kind", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('owed', 'claimed')"),
        sqlite_where=sa.text("state IN ('owed', 'claimed')"),
    )
    op.create_index("ix_outbox_key", "outbox", ["system", "kind", "key"], unique=False)
    op.create_index("ix_outbox_target", "outbox", ["system", "kind", "target", "id"], unique=False)
    op.create_table(
        "part",
        sa.Column("item", KEY, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("base_value", sa.BigInteger(), nullable=True),
        sa.Column("open_value", sa.BigInteger(), nullable=False),
        sa.Column("open_base", sa.BigInteger(), nullable=True),
        sa.Column("disputed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item", "place"),
    )
    op.create_table(
        "person",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_person_system_ref")),
    )
    op.create_index("ix_person_record", "person", ["record"], unique=False)
    op.create_table(
        "problem",
        sa.Column("id", KEY, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what_en", sa.Text(), nullable=False),
        sa.Column("what_zh", sa.Text(), nullable=False),
        sa.Column("fix_en", sa.Text(), nullable=False),
        sa.Column("fix_zh", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "scope",
            "system",
            "stream",
            "ref",
            "code",
            "field",
            name=op.f("uq_problem_scope_system_stream_ref_code_field"),
        ),
    )
    op.create_table(
        "promise",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("document_ref", sa.Text(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_promise_system_ref")),
    )
    op.create_index(op.f("ix_promise_customer"), "promise", ["customer"], unique=False)
    op.create_index("ix_promise_record", "promise", ["record"], unique=False)
    op.create_table(
        "proposal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("a", KEY, nullable=False),
        sa.Column("b", KEY, nullable=False),
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("a", "b", name=op.f("uq_proposal_a_b")),
    )
    op.create_table(
        "pushed",
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("system", "kind", "target"),
    )
    op.create_table(
        "rate",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("from_currency", sa.Text(), nullable=False),
        sa.Column("to_currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_rate_system_ref")),
    )
    op.create_index("ix_rate_record", "rate", ["record"], unique=False)
    op.create_table(
        "record",
        sa.Column("id", KEY, nullable=False),
        sa.Column("stream", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("mapping_version", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.Column("quarantined", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stream", "key", name=op.f("uq_record_stream_key")),
    )
    op.create_table(
        "run",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_job", "run", ["job", "system", "id"], unique=False)
    op.create_table(
        "sales",
        sa.Column("customer", KEY, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "currency", "month"),
    )
    op.create_table(
        "sales_order",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=True),
        sa.Column("known", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("customer", KEY, nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("ordered_on", sa.Date(), nullable=True),
        sa.Column("ship_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("invoiced_amount", sa.BigInteger(), nullable=True),
        sa.Column("delivered_amount", sa.BigInteger(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("delivered", sa.BigInteger(), nullable=True),
        sa.Column("ordered", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name=op.f("uq_sales_order_system_ref")),
    )
    op.create_index("ix_sales_order_customer", "sales_order", ["customer", "status"], unique=False)
    op.create_index(
        "ix_sales_order_open",
        "sales_order",
        ["customer", "currency"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_sales_order_record", "sales_order", ["record"], unique=False)
    op.create_table(
        "slot",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job", "time"),
    )
    op.create_table(
        "standing",
        sa.Column("debtor", KEY, autoincrement=False, nullable=False),
        sa.Column("decision", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("evaluated_on", sa.Date(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("debtor"),
    )
    op.create_table(
        "stream",
        sa.Column("id", SMALL_KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reading", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        sa.Column("complete_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "name", name=op.f("uq_stream_system_name")),
    )
    op.create_table(
        "system",
        sa.Column("id", SMALL_KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ledger_currency", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name=op.f("uq_system_name")),
    )


def downgrade() -> None:
    op.drop_table("system")
    op.drop_table("stream")
    op.drop_table("standing")
    op.drop_table("slot")
    op.drop_index("ix_sales_order_record", table_name="sales_order")
    op.drop_index(
        "ix_sales_order_open",
        table_name="sales_order",
        postgresql_where=sa.text("status = 'open'"),
        sqlite_where=sa.text("status = 'open'"),
    )
    op.drop_index("ix_sales_order_customer", table_name="sales_order")
    op.drop_table("sales_order")
    op.drop_table("sales")
    op.drop_index("ix_run_job", table_name="run")
    op.drop_table("run")
    op.drop_table("record")
    op.drop_index("ix_rate_record", table_name="rate")
    op.drop_table("rate")
    op.drop_table("pushed")
    op.drop_table("proposal")
    op.drop_index("ix_promise_record", table_name="promise")
    op.drop_index(op.f("ix_promise_customer"), table_name="promise")
    op.drop_table("promise")
    op.drop_table("problem")
    op.drop_index("ix_person_record", table_name="person")
    op.drop_table("person")
    op.drop_table("part")
    op.drop_index("ix_outbox_target", table_name="outbox")
    op.drop_index("ix_outbox_key", table_name="outbox")
    op.drop_index(
        "ix_outbox_due",
        table_name="outbox",
        postgresql_where=sa.text("state IN ('owed', 'claimed')"),
        sqlite_where=sa.text("state IN ('owed', 'claimed')"),
    )
    op.drop_table("outbox")
    op.drop_index("ix_order_line_sales_order", table_name="order_line")
    op.drop_index("ix_order_line_record", table_name="order_line")
    op.drop_table("order_line")
    op.drop_table("mark")
    op.drop_index(op.f("ix_link_debtor"), table_name="link")
    op.drop_table("link")
    op.drop_table("lease")
    op.drop_index(
        "ix_item_settled", table_name="item", postgresql_where=sa.text("open = 0"), sqlite_where=sa.text("open = 0")
    )
    op.drop_index("ix_item_record", table_name="item")
    op.drop_index(
        "ix_item_open", table_name="item", postgresql_where=sa.text("open = 1"), sqlite_where=sa.text("open = 1")
    )
    op.drop_index(
        "ix_item_due", table_name="item", postgresql_where=sa.text("open = 1"), sqlite_where=sa.text("open = 1")
    )
    op.drop_index("ix_item_customer", table_name="item")
    op.drop_table("item")
    op.drop_index("ix_instalment_record", table_name="instalment")
    op.drop_index("ix_instalment_document_ref", table_name="instalment")
    op.drop_table("instalment")
    op.drop_index("ix_financial_record", table_name="financial")
    op.drop_index(op.f("ix_financial_customer"), table_name="financial")
    op.drop_table("financial")
    op.drop_index("ix_event_record", table_name="event")
    op.drop_index(op.f("ix_event_customer"), table_name="event")
    op.drop_table("event")
    op.drop_table("document")
    op.drop_index("ix_decision_debtor", table_name="decision")
    op.drop_table("decision")
    op.drop_table("debtor")
    op.drop_index("ix_customer_record", table_name="customer")
    op.drop_index(op.f("ix_customer_parent"), table_name="customer")
    op.drop_table("customer")
    op.drop_index("ix_credit_limit_record", table_name="credit_limit")
    op.drop_index(op.f("ix_credit_limit_customer"), table_name="credit_limit")
    op.drop_table("credit_limit")
    op.drop_table("counter")
    op.drop_index(
        "ix_application_to_ref",
        table_name="application",
        postgresql_where=sa.text("firm = 0"),
        sqlite_where=sa.text("firm = 0"),
    )
    op.drop_index("ix_application_to_item", table_name="application")
    op.drop_index("ix_application_record", table_name="application")
    op.drop_index(
        "ix_application_from_ref",
        table_name="application",
        postgresql_where=sa.text("firm = 0"),
        sqlite_where=sa.text("firm = 0"),
    )
    op.drop_index("ix_application_from_item", table_name="application")
    op.drop_table("application")
    op.drop_table("apart")
