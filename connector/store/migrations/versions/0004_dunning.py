"""Dunning: levels of items, steps, letters, charges, and the contact log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dunning",
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("document_ref", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("noticed_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_value", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("system", "document_ref", "part"),
    )
    op.create_index("ix_dunning_customer", "dunning", ["customer"], unique=False)
    op.create_table(
        "dunning_step",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("document_ref", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("open_value", sa.BigInteger(), nullable=False),
        sa.Column("letter", KEY, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dunning_step_customer", "dunning_step", ["customer", "id"], unique=False)
    op.create_table(
        "letter",
        sa.Column("id", KEY, nullable=False),
        sa.Column("debtor", KEY, nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_letter_key"),
    )
    op.create_index("ix_letter_debtor", "letter", ["debtor", "as_of"], unique=False)
    op.create_index("ix_letter_customer", "letter", ["customer"], unique=False)
    op.create_table(
        "charge",
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("document_ref", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("letter", KEY, nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_charge_key"),
    )
    op.create_index("ix_charge_customer", "charge", ["customer"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("document_ref", sa.Text(), nullable=True),
        sa.Column("letter", KEY, nullable=True),
        sa.Column("promise_on", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("file_sha", sa.Text(), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_contact_customer", "contact", ["customer", "id"], unique=False)


def downgrade() -> None:
    for table in ("contact", "charge", "letter", "dunning_step", "dunning"):
        op.drop_table(table)
