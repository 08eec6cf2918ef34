"""Webhooks: the inbox of events, and the subscriptions we hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hook_event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("streams", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(), nullable=True),
        sa.Column("arrived_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(), nullable=True),
        sa.Column("heeded_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "event", name="uq_hook_event_system_event"),
    )
    op.create_index(
        "ix_hook_event_unheeded",
        "hook_event",
        ["system", "id"],
        unique=False,
        postgresql_where=sa.text("heeded_at IS NULL"),
        sqlite_where=sa.text("heeded_at IS NULL"),
    )
    op.create_index("ix_hook_event_heeded", "hook_event", ["system", "heeded_at"], unique=False)
    op.create_table(
        "hook_subscription",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("streams", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("renewed_at", sa.DateTime(), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("system", "ref", name="uq_hook_subscription_system_ref"),
    )


def downgrade() -> None:
    op.drop_table("hook_subscription")
    op.drop_table("hook_event")
