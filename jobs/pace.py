"""Pace: how much a job does in one transaction, so that whoever wants to write meanwhile does not wait long for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from connector.store.db import Store

# The first is small: whether somebody waits, and how long one customer takes, is known only after it.
_FIRST, _LEAST, MOST = 16, 8, 2000
# So long a transaction may take while nobody waits, and while somebody does.
_UNDISTURBED, _AWAITED = 0.3, 0.008


class Pace:
    """The size of the next portion, after how long the last one took."""

    def __init__(self, store: Store, first: int = _FIRST) -> None:
        self.store, self.size = store, first

    @contextmanager
    def portion(self, count: int) -> Iterator[None]:
        """One portion of so many: to be left while the transaction is still open, when whoever wants to write still waits."""
        began = time.monotonic()
        yield
        each = (time.monotonic() - began) / max(count, 1)
        most = _AWAITED if self.store.is_awaited() else _UNDISTURBED
        self.size = int(max(_LEAST, min(MOST, 4 * self.size, most / max(each, 1e-6))))
