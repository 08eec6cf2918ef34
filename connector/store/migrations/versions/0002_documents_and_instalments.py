"""Documents that are put in use by whom and when; instalments with a dispute and a ledger value of their own."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# An integer primary key is SQLite's rowid only if its type is spelled INTEGER.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

DOCUMENT = sa.table(
    "document",
    sa.column("id", sa.BigInteger()),
    sa.column("kind", sa.Text()),
    sa.column("name", sa.Text()),
    sa.column("version", sa.Integer()),
    sa.column("body", sa.Text()),
    sa.column("sha", sa.Text()),
    sa.column("author", sa.Text()),
    sa.column("made_at", sa.DateTime()),
    sa.column("active", sa.Boolean()),
)
ACTIVATION = sa.table(
    "activation",
    sa.column("id", sa.BigInteger()),
    sa.column("kind", sa.Text()),
    sa.column("name", sa.Text()),
    sa.column("version", sa.Integer()),
    sa.column("author", sa.Text()),
    sa.column("note", sa.Text()),
    sa.column("made_at", sa.DateTime()),
)


def upgrade() -> None:
    op.add_column("instalment", sa.Column("base_amount", sa.Text(), nullable=True))
    op.add_column("instalment", sa.Column("disputed_amount", sa.Text(), nullable=True))

    op.create_table(
        "activation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_activation_name", "activation", ["kind", "name", "id"], unique=False)
    d, tx = DOCUMENT.c, op.get_bind()
    tx.execute(
        ACTIVATION.insert().from_select(
            ["kind", "name", "version", "author", "note", "made_at"],
            sa.select(d.kind, d.name, d.version, d.author, sa.literal(""), d.made_at)
            .where(d.active.is_(True))
            .order_by(d.id),
        )
    )
    op.add_column("document", sa.Column("sha", sa.Text(), nullable=False, server_default=""))
    for row in tx.execute(sa.select(d.id, d.body)).all():
        tx.execute(DOCUMENT.update().where(d.id == row.id).values(sha=hashlib.sha256(row.body.encode()).hexdigest()))
    with op.batch_alter_table("document") as table:
        table.alter_column("sha", server_default=None, existing_type=sa.Text(), existing_nullable=False)
        table.drop_column("active")


def downgrade() -> None:
    op.add_column("document", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.false()))
    d, a, tx = DOCUMENT.c, ACTIVATION.c, op.get_bind()
    newest = sa.select(sa.func.max(a.id)).group_by(a.kind, a.name)
    for row in tx.execute(sa.select(a.kind, a.name, a.version).where(a.id.in_(newest))).all():
        mine = (d.kind == row.kind, d.name == row.name, d.version == row.version)
        tx.execute(DOCUMENT.update().where(*mine).values(active=True))
    with op.batch_alter_table("document") as table:
        table.alter_column("active", server_default=None, existing_type=sa.Boolean(), existing_nullable=False)
        table.drop_column("sha")
    op.drop_index("ix_activation_name", table_name="activation")
    op.drop_table("activation")
    for column in ("disputed_amount", "base_amount"):
        with op.batch_alter_table("instalment") as table:
            table.drop_column(column)
