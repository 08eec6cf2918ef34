"""Pace: how much a job does in one transaction, so that whoever wants to write meanwhile does not wait long for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from connector.store.db import Store

# The first is small: whether somebody waits, and how long one customer takes, is known only after it.
_LEAST, MOST = 4, 2000
# So long a transaction may take while nobody waits, and while somebody does or did so short a time ago: who waits comes in
# crowds, and whether the next one comes is not known when a portion begins.
_UNDISTURBED, _AWAITED, _LATELY_SECONDS = 0.3, 0.004, 0.2
# Where somebody waited, so many times as long as the portion took is left to whoever has come meanwhile, and so long at
# most: the next portion at once would let him wait a second time.
_REST, _REST_MOST = 2.0, 0.05


class Pace:
    """The size of the next portion, after how long the last one took."""

    def __init__(self, store: Store, first: int = _LEAST) -> None:
        self.store, self.size = store, first
        self._until = 0.0
        self._crowded_until = 0.0

    @contextmanager
    def portion(self, count: int) -> Iterator[None]:
        """One portion of so many: to be left while the transaction is still open, when whoever wants to write still waits."""
        began = time.monotonic()
        yield
        now, is_awaited = time.monotonic(), self.store.is_awaited()
        each = (now - began) / max(count, 1)
        if is_awaited:
            self._crowded_until = now + _LATELY_SECONDS
        most = _AWAITED if now < self._crowded_until else _UNDISTURBED
        self._until = now + min(_REST_MOST, _REST * (now - began)) if is_awaited else now
        self.size = int(max(_LEAST, min(MOST, 4 * self.size, most / max(each, 1e-6))))

    def rest(self) -> None:
        """Before a portion, where nothing is held: whoever came while somebody waited for the one before goes first."""
        if (left := self._until - time.monotonic()) > 0:
            time.sleep(left)
