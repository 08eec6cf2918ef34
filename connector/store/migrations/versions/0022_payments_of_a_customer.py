"""Two indexes that hold all that is asked of a customer's invoices and their payments: how it pays is asked in every run."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_item_customer", "item", ["customer", "settled_on"], ["kind", "due_on", "currency", "system"]),
    (
        "ix_application_to_item",
        "application",
        ["to_item", "since", "until", "to_value", "to_base"],
        ["from_item", "instalment"],
    ),
)


def upgrade() -> None:
    for name, table, columns, more in _INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [*columns, *more], unique=False)


def downgrade() -> None:
    for name, table, columns, _ in _INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, columns, unique=False)
