"""Standstill: what others have committed since one looked last, so that what one has read still holds, or whose does not.

The databases say so themselves, of every table and every process at once: SQLite by `PRAGMA data_version`, which counts
the commits of all connections but one's own; PostgreSQL by its snapshots, which list the transactions that are to be seen.
Whom these concern is what they have noted (`connector.store.concerns`). A doubt counts as a change of everything. What
other programs write to an SQLite file is not seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from connector.store import bulk, concerns, quick
from connector.store.concerns import Concern
from connector.store.db import Connection

# More transactions than these in between are not looked at one by one.
_MANY = 5_000


class Standstill:
    """What one looker has seen. He comes with one transaction at a time, best through a seat of his own (`Store.seat`)."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None

    def news(self, tx: Connection) -> News:
        """What was committed since this was asked last, but by the transaction that asked. To be asked in a transaction
        before it reads anything, and again after it has waited for a lock. The first time nothing is known."""
        before, self._seen = self._seen, None
        driver = tx.connection.driver_connection
        if before is not None and before.driver is not driver:
            before = None
        if bulk.is_sqlite(tx):
            version = _value(tx, "PRAGMA data_version")
            if before is not None and before.state == version:
                self._seen = before
                return News(False, Concern())
            last, concern = concerns.after(tx, before.own) if before is not None else (concerns.newest(tx), None)
            self._seen = _Seen(driver, version, last)
            return News(before is None or last != before.own, concern)
        writes = tx.get_execution_options().get("isolation_level") != "REPEATABLE READ"
        snapshot, own = _value(tx, _WRITING if writes else _READING).split(" ")
        self._seen = _Seen(driver, Snapshot.of(snapshot), int(own))
        appeared = None if before is None else self._seen.state.since(before.state)
        if before is None or appeared is None:
            return News(True, None)
        return News(*concerns.of(tx, appeared - {before.own}))

    def wrote(self, concern: Concern) -> None:
        """A transaction that looked has ended, and noted this: on SQLite its own note is no news."""
        seen = self._seen
        if seen is not None and concern.number is not None and concern.number == seen.own + 1:
            self._seen = seen._replace(own=concern.number)


class News(NamedTuple):
    """Whether others have committed anything that concerns anybody, and whom; None: everybody, for all that is known."""

    happened: bool
    concern: Concern | None


class _Seen(NamedTuple):
    """What was seen, through which connection. `own`: on PostgreSQL the number of the transaction that looked, 0: it had
    none; on SQLite the number of the newest transaction that has noted whom it concerns."""

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
    if not bulk.is_sqlite(tx):
        return quick.opening(tx, statement)
    cursor = tx.connection.cursor()
    try:
        found: Any = cursor.execute(statement).fetchone()
        return found[0]
    finally:
        cursor.close()
