"""Notices: what is to be told of orders, who was told, and the mails to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice_due",
        sa.Column("order_event", KEY, autoincrement=False, nullable=False),
        sa.Column("sales_order", KEY, nullable=False),
        sa.PrimaryKeyConstraint("order_event"),
    )
    op.create_table(
        "notice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("order_event", KEY, nullable=False),
        sa.Column("sales_order", KEY, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("mail", KEY, nullable=True),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name="uq_notice_key"),
    )
    op.create_index("ix_notice_order", "notice", ["sales_order", "id"], unique=False)
    op.create_index("ix_notice_mail", "notice", ["mail"], unique=False)
    op.create_table(
        "mail",
        sa.Column("id", KEY, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("why_en", sa.Text(), nullable=True),
        sa.Column("why_zh", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", name="uq_mail_message_id"),
    )
    op.create_index("ix_mail_state", "mail", ["state", "id"], unique=False)


def downgrade() -> None:
    for table in ("mail", "notice", "notice_due"):
        op.drop_table(table)
