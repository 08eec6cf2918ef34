"""Whom transactions concern, so that who keeps what was read forgets only these."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# By these orders are judged. What another program writes to them on a server, or a version of this one that did not note
# anything yet, concerns everybody.
TABLES = (
    "activation", "alert", "application", "credit_limit", "customer", "document", "dunning", "exclusion", "item",
    "limit_piece", "link", "order_line", "order_state", "paper", "part", "rate", "reservation", "review", "sales_order",
    "standing", "stream",
)  # fmt: skip


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
    if is_sqlite:
        return
    op.execute(
        "CREATE FUNCTION concerns_everybody() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN "
        "INSERT INTO concern (number) VALUES (pg_current_xact_id()::text::bigint) ON CONFLICT DO NOTHING; "
        "RETURN NULL; END $$"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER concerns_everybody AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT WHEN (current_setting('holdfast.declares', true) IS DISTINCT FROM 'yes') "
            "EXECUTE FUNCTION concerns_everybody()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for table in TABLES:
            op.execute(f"DROP TRIGGER concerns_everybody ON {table}")
        op.execute("DROP FUNCTION concerns_everybody()")
    op.drop_table("concern")
