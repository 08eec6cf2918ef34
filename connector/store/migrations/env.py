"""How Alembic runs here: on the connection that `connector.store.upgrade` hands over, inside its transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from connector.store.tables import Exact, Instant, metadata


def plain(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Writes a migration in the database's own types: a step must not change its meaning when our classes do."""
    if kind == "type" and isinstance(thing, Exact):
        return "sa.Text()"
    if kind == "type" and isinstance(thing, Instant):
        return "sa.DateTime()"
    return False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_item=plain)
context.run_migrations()
