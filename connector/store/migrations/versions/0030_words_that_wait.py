"""What further records say of a fact beside the one whose word counts; filled as records are read from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "echo",
        sa.Column("id", KEY, nullable=False),
        sa.Column("system", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("record", KEY, nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("record", "kind", "ref", name="uq_echo_record_kind_ref"),
    )
    op.create_index("ix_echo_fact", "echo", ["system", "kind", "ref"])


def downgrade() -> None:
    op.drop_index("ix_echo_fact", "echo")
    op.drop_table("echo")
