"""Tidy: when a process that answers looks for objects that hold each other and that nobody needs any more.

The interpreter would look by itself in the middle of a request, now and then through all that is kept: a tenth of a second
in which nobody is answered. Nearly nothing of a request is in such a ring. So the young objects are looked at once a
second, which takes a millisecond, and all of them when nobody asks; of a service that is always asked, rarely.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# By itself the interpreter looks only where a great many objects were made within a second.
_MANY = 500_000
_YOUNG_SECONDS, _CALM_SECONDS, _SELDOM_SECONDS, _LONGEST_SECONDS = 1.0, 2.0, 60.0, 900.0
YOUNG, ALL = 0, 2


def begin() -> None:
    """What is there now stays: it is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY, 10, 10)


def young() -> None:
    """What was made just now is looked through, so that nobody has to when it is much."""
    gc.collect(YOUNG)


def stays() -> None:
    """What is there now stays for long, and holds itself in no ring: it is never looked through again."""
    gc.freeze()


class Tidy:
    """Tidies one process up; `collect` looks through a generation, `seconds` is a clock that only goes on."""

    def __init__(
        self, collect: Callable[[int], object] = gc.collect, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._collect, self._seconds = collect, seconds
        self._young = self._all = self._asked = seconds()
        self._requests = 0

    def tick(self, requests: int) -> None:
        """Some time has passed; so many requests there were so far."""
        now = self._seconds()
        if requests != self._requests:
            self._requests, self._asked = requests, now
        since = now - self._all
        calm = now - self._asked >= _CALM_SECONDS
        if since >= _LONGEST_SECONDS or (calm and since >= _SELDOM_SECONDS and self._asked >= self._all):
            self._collect(ALL)
            self._young = self._all = self._seconds()
        elif now - self._young >= _YOUNG_SECONDS:
            self._collect(YOUNG)
            self._young = self._seconds()
