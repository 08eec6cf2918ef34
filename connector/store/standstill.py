"""Standstill: whether anybody else has committed anything since one looked last, so that what one has read still holds.

The databases say so themselves, of every table and every process at once: SQLite by `PRAGMA data_version`, which counts
the commits of all connections but one's own; PostgreSQL by its snapshots, which list the transactions that are to be seen.
A doubt counts as a change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from connector.store import bulk
from connector.store.db import Connection

# More transactions than these in between are not looked at one by one.
_MANY = 64


class Standstill:
    """What one looker has seen. He comes with one transaction at a time, best through a seat of his own (`Store.seat`)."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None

    def lasts(self, tx: Connection) -> bool:
        """Whether nothing was committed since this was asked last but the transaction that asked. To be asked in a
        transaction before it reads anything, and again after it has waited for a lock. The first time: no."""
        before, self._seen = self._seen, None
        driver = tx.connection.driver_connection
        if bulk.is_sqlite(tx):
            self._seen = _Seen(driver, _value(tx, "PRAGMA data_version"))
            return before is not None and before.driver is driver and before.state == self._seen.state
        writes = tx.get_execution_options().get("isolation_level") != "REPEATABLE READ"
        snapshot, own = _value(tx, _WRITING if writes else _READING).split(" ")
        self._seen = _Seen(driver, Snapshot.of(snapshot), int(own))
        if before is None or before.driver is not driver:
            return False
        appeared = self._seen.state.since(before.state)
        return appeared is not None and appeared <= {before.own}


class _Seen(NamedTuple):
    """What was seen, through which connection; and the number of the transaction that looked, 0: it had none."""

    driver: Any
    state: Any
    own: int = 0


class Snapshot(NamedTuple):
    """A snapshot of PostgreSQL: all transactions before `low` are over, none from `high` on had begun, and of those
    between, `running` were not over."""

    low: int
    high: int
    running: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Snapshot:
        """A snapshot from the text that the database writes."""
        low, high, running = text.split(":")
        return cls(int(low), int(high), frozenset(map(int, running.split(","))) if running else frozenset())

    def since(self, before: Snapshot) -> set[int] | None:
        """The transactions that are over by now, and were not before; None where they are too many to look at, or where
        this is no later moment of the same database."""
        if self.high < before.high or self.low < before.low or self.high - before.high > _MANY:
            return None
        new = (*before.running, *range(before.high, self.high))
        return {one for one in new if one < self.high and one not in self.running}


# The number that the transaction has is asked for after the snapshot was taken: it is never in its own snapshot.
_WRITING = "SELECT pg_current_snapshot()::text || ' ' || pg_current_xact_id()::text"
_READING = "SELECT pg_current_snapshot()::text || ' ' || coalesce(pg_current_xact_id_if_assigned()::text, '0')"


def _value(tx: Connection, statement: str) -> Any:
    cursor = tx.connection.cursor()
    try:
        return cursor.execute(statement).fetchone()[0]
    finally:
        cursor.close()
