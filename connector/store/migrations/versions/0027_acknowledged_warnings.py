"""Warnings: who has taken note of one, at which level, why, and until when it rests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("acknowledged_by", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("acknowledged_at", sa.DateTime(), nullable=True))
    op.add_column("alert", sa.Column("acknowledged_level", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("acknowledged_why", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("rests_until", sa.Date(), nullable=True))


def downgrade() -> None:
    for name in ("rests_until", "acknowledged_why", "acknowledged_level", "acknowledged_at", "acknowledged_by"):
        op.drop_column("alert", name)
