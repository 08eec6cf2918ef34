"""Orders: the number that the same order has in another system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("reference", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("sales_order", "reference")
