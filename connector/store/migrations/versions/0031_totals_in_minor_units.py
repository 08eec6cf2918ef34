"""Orders: their totals in minor units, too, so that lists are put in order by whole numbers."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from connector.money import to_minor

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STATE = sa.table(
    "order_state",
    sa.column("sales_order", sa.BigInteger()),
    sa.column("total", sa.Text()),
    sa.column("currency", sa.Text()),
    sa.column("minor", sa.BigInteger()),
)
_MOST, _TOGETHER = 2**63 - 1, 10_000


def upgrade() -> None:
    op.add_column("order_state", sa.Column("minor", sa.BigInteger(), server_default="0", nullable=False))
    tx, s, last = op.get_bind(), STATE.c, 0
    change = STATE.update().where(s.sales_order == sa.bindparam("order")).values(minor=sa.bindparam("units"))
    while True:
        asked = sa.select(s.sales_order, s.total, s.currency).where(s.sales_order > last)
        rows = tx.execute(asked.order_by(s.sales_order).limit(_TOGETHER)).all()
        if not rows:
            return
        tx.execute(change, [{"order": row[0], "units": _minor(row[1], row[2])} for row in rows])
        last = rows[-1][0]


def _minor(total: str, currency: str) -> int:
    return max(-_MOST, min(to_minor(Decimal(total), currency), _MOST))


def downgrade() -> None:
    op.drop_column("order_state", "minor")
