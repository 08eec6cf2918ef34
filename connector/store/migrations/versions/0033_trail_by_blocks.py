"""The audit trail: who looks for one subject does so block by block, so that appending changes few pages of an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_block", "audit", [sa.text("(number / 1024)"), "subject"], unique=False)
    op.drop_index("ix_audit_subject", table_name="audit")


def downgrade() -> None:
    op.create_index("ix_audit_subject", "audit", ["subject", "at"], unique=False)
    op.drop_index("ix_audit_block", table_name="audit")
