"""Emptying: what systems said and what followed from it is taken out of the database; who works here and what was done stay.

For made-up data only. Kept are: the audit trail, documents with their versions (systems, mappings, policies, people), sealed
secrets, API keys, passwords, sessions, and numbers that only go up, by which others notice what was changed.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from connector.store.tables import metadata
from connector.store.tables import system as system_table

KEPT = frozenset({
    "audit", "audit_head", "document", "activation", "sealed", "api_key", "idempotent", "session", "password", "once_code",
    "counter", "lease", "slot", "asked_run", "at_work", "concern",
})  # fmt: skip


def others(tx: Connection, systems: Collection[str]) -> list[str]:
    """The systems that ever said anything, besides these."""
    names = tx.execute(select(system_table.c.name).order_by(system_table.c.name)).scalars()
    return [name for name in names if name not in systems]


def empty(tx: Connection) -> int:
    """Takes out everything that is not kept; how many rows. Whoever calls it holds the lease of the jobs."""
    return sum(tx.execute(t.delete()).rowcount for t in reversed(metadata.sorted_tables) if t.name not in KEPT)


__all__ = ["KEPT", "empty", "others"]
