"""Orders that are held are found without looking at those that passed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

HELD = "ended_on IS NULL AND state <> 'passed' AND state <> 'released'"


def upgrade() -> None:
    op.create_index(
        "ix_order_state_held",
        "order_state",
        ["sales_order"],
        unique=False,
        postgresql_where=sa.text(HELD),
        sqlite_where=sa.text(HELD),
    )


def downgrade() -> None:
    op.drop_index("ix_order_state_held", "order_state")
