"""The turnstile before an SQLite file: who waits to write gets his turn, whoever writes one transaction after the other.

SQLite lets those who wait look again after growing pauses: a job with many transactions would pass them again and again.
Here a writer first stands in the turnstile and then waits for the one who writes; that one can only come back through the
turnstile, behind whoever stands there. Both are locks of the system on files beside the database, so that it holds between
processes, too; they vanish with their process. Where the system has none, threads of this process wait for each other.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # no such locks on this system: SQLite's own waiting has to do
    fcntl = None

# How often whoever waits looks again.
_LOOK_SECONDS = 0.0005


class Turnstile:
    """The turns of one database file. A thread is inside once at most. TimeoutError where one waits for too long."""

    def __init__(self, database: str, seconds: float) -> None:
        self._gate, self._inside, self._seconds = f"{database}-gate", f"{database}-turn", seconds
        self._own = threading.Lock()
        self._held: int | None = None

    @property
    def has_everybody(self) -> bool:
        """Whether other processes stand in it, too."""
        return fcntl is not None

    def __enter__(self) -> None:
        self.enter()

    def enter(self, meanwhile: Callable[[], None] | None = None, *, at_once: bool = False) -> None:
        """Waits for the turn (`at_once`: not at all). `meanwhile` is what may be done standing in the turnstile, where
        somebody is inside now."""
        seconds = 0.0 if at_once else self._seconds
        if fcntl is None:
            if not self._own.acquire(timeout=seconds):
                raise TimeoutError
            return
        until = time.monotonic() + seconds
        gate = _locked(self._gate, until)
        try:
            if meanwhile is not None:
                inside = _opened(self._inside)
                if _taken(inside):
                    self._held = inside
                    return
                os.close(inside)
                meanwhile()
            # Only whoever is inside comes past here, and only to leave.
            self._held = _locked(self._inside, until)
        finally:
            os.close(gate)

    def __exit__(self, *_: object) -> None:
        if fcntl is None:
            self._own.release()
            return
        held, self._held = self._held, None
        assert held is not None, "whoever leaves has been let in"
        os.close(held)

    def is_awaited(self) -> bool:
        """Whether somebody stands in the turnstile."""
        if fcntl is None:
            return False
        gate = _opened(self._gate)
        try:
            return not _taken(gate)
        finally:
            os.close(gate)


def _locked(path: str, until: float) -> int:
    """The lock on a file, as the descriptor that holds it."""
    file = _opened(path)
    try:
        while not _taken(file):
            if time.monotonic() >= until:
                raise TimeoutError
            time.sleep(_LOOK_SECONDS)
    except BaseException:
        os.close(file)
        raise
    return file


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(file: int) -> bool:
    assert fcntl is not None, "asked only where there are such locks"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
