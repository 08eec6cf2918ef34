"""Homeward: the log of an SQLite file is brought home into the file by a thread of its own, beside whoever writes.

SQLite does that itself within the commit that makes the log long enough, and whoever asked for that commit waits for the
disk, and everybody behind him. Order checks write three pages each: at a thousand a second that would be a quarter of a
second every three seconds. A store that is open only for a moment leaves it to the next one, or to its own closing.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

log = logging.getLogger("holdfast.store")

# So often it is looked at, at most.
_EACH_SECONDS = 0.5
# A log of so many pages (64 MB) is brought home to its end while nobody writes: only then it begins anew.
_LONG = 16_000


class Homeward:
    """The way home of one file. `turn` keeps every writer out while it is held."""

    def __init__(self, path: str, turn: Callable[[], AbstractContextManager[None]]) -> None:
        self._path, self._turn = path, turn
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self._ended = False

    def wrote(self) -> None:
        """Somebody has committed something. Costs nothing where it is not time yet."""
        if time.monotonic() >= self._last + _EACH_SECONDS and self._lock.acquire(blocking=False):
            threading.Thread(target=self._go, name="homeward", daemon=True).start()

    def _go(self) -> None:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None)
            try:
                if self._pages(connection) > _LONG:
                    self._pages(connection)  # what came meanwhile, so that next to nothing is left for the turn
                    with self._turn():
                        self._pages(connection)
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as wrong:
            # The log stays as it is, and is read with the file: nothing is lost, and the next one tries again.
            log.warning("the log of the database was not brought home: %s", wrong)
        finally:
            self._last = time.monotonic()
            self._lock.release()

    @staticmethod
    def _pages(connection: sqlite3.Connection) -> int:
        """Brings home what can be without waiting for anybody; the length of the log."""
        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(pages)

    def end(self) -> None:
        """Waits until nothing is under way; afterwards nothing is done any more."""
        if not self._ended:
            self._ended = True
            self._lock.acquire()
