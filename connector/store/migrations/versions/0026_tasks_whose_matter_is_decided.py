"""Outbox: of a task, whether its matter is decided, so that it is closed where it was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_OPEN = "kind = 'task' AND ended IS NULL AND state IN ('owed', 'parked', 'claimed', 'done')"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("ended", sa.Text(), nullable=True))
    op.create_index(
        "ix_outbox_task",
        "outbox",
        ["system", "target"],
        postgresql_where=sa.text(_OPEN),
        sqlite_where=sa.text(_OPEN),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_task", "outbox")
    op.drop_column("outbox", "ended")
