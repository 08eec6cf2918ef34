"""Tidy: when a process that answers looks for objects that hold each other and that nobody needs any more.

The interpreter would look by itself in the middle of a request, now and then through all that is kept: a tenth of a second
in which nobody is answered. Nearly nothing of a request is in such a ring. So the young objects are looked at once a
second, which takes some milliseconds, and all that have come since the last look when nobody asks; of a service that is always
asked, rarely. What is still needed then stays: it is looked through again once in some hours only, when nobody asks.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# By itself the interpreter looks only where a great many objects were made within a second.
_MANY = 500_000
_YOUNG_SECONDS, _CALM_SECONDS, _SELDOM_SECONDS, _LONGEST_SECONDS = 1.0, 2.0, 60.0, 900.0
_WHOLE_SECONDS = 4 * 3600.0
YOUNG, ALL, WHOLE = 0, 2, 3


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


def look(through: int) -> None:
    """Looks through the young, all that has come since the last look, or the whole, with what stays."""
    if through == WHOLE:
        gc.unfreeze()
    gc.collect(min(through, ALL))
    if through >= ALL:
        # The customers that are kept would be looked through each time: a third of a second for 20,000.
        gc.freeze()


class Tidy:
    """Tidies one process up; `look` looks through what it is told, `seconds` is a clock that only goes on."""

    def __init__(self, look: Callable[[int], object] = look, seconds: Callable[[], float] = time.monotonic) -> None:
        self._look, self._seconds = look, seconds
        self._young = self._all = self._whole = self._asked = seconds()
        self._requests = 0

    def tick(self, requests: int) -> None:
        """Some time has passed; so many requests there were so far."""
        now = self._seconds()
        if requests != self._requests:
            self._requests, self._asked = requests, now
        since = now - self._all
        calm = now - self._asked >= _CALM_SECONDS
        if since >= _LONGEST_SECONDS or (calm and since >= _SELDOM_SECONDS and self._asked >= self._all):
            whole = calm and now - self._whole >= _WHOLE_SECONDS
            self._look(WHOLE if whole else ALL)
            self._young = self._all = self._seconds()
            if whole:
                self._whole = self._all
        elif now - self._young >= _YOUNG_SECONDS:
            self._look(YOUNG)
            self._young = self._seconds()
