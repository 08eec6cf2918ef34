"""Facts as they were before they changed, and what a decision was concluded from: days and decisions shown again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "amendment",
        sa.Column("id", KEY, nullable=False),
        sa.Column("customer", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fact", KEY, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_amendment_customer", "amendment", ["customer", "id"], unique=False)
    op.add_column("decision", sa.Column("inputs", sa.LargeBinary(), nullable=True))
    op.add_column("decision", sa.Column("sha", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("sha", "inputs"):
        with op.batch_alter_table("decision") as table:
            table.drop_column(column)
    op.drop_index("ix_amendment_customer", table_name="amendment")
    op.drop_table("amendment")
