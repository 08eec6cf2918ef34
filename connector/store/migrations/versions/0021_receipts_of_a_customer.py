"""An index of receipts by customer: when somebody paid last is asked in every run for all who are late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    receipts = sa.text("family = 'p' AND kind = 'receipt'")
    op.create_index(
        "ix_item_receipt",
        "item",
        ["customer", "issued_on", "voided_on"],
        unique=False,
        postgresql_where=receipts,
        sqlite_where=receipts,
    )


def downgrade() -> None:
    op.drop_index("ix_item_receipt", table_name="item")
