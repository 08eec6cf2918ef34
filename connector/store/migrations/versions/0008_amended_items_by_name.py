"""Amended items are found by their names, which applications and instalments bear."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("amendment", sa.Column("system", sa.SmallInteger(), nullable=True))
    op.add_column("amendment", sa.Column("ref", sa.Text(), nullable=True))
    op.create_index("ix_amendment_ref", "amendment", ["system", "ref"], unique=False)
    op.create_index("ix_amendment_fact", "amendment", ["fact", "kind"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_amendment_fact", table_name="amendment")
    op.drop_index("ix_amendment_ref", table_name="amendment")
    for column in ("ref", "system"):
        with op.batch_alter_table("amendment") as table:
            table.drop_column(column)
