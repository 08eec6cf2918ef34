"""Whom transactions concern, so that who keeps what was read forgets only these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "concern",
        sa.Column("number", KEY, nullable=False, autoincrement=False),
        sa.Column("whom", sa.Text()),
        sa.PrimaryKeyConstraint("number"),
        # Nothing waits for the disk for its sake: after a crash nobody remembers anything.
        prefixes=[] if is_sqlite else ["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("concern")
