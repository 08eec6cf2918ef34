"""Alarms: what is to happen when the time of a call is up, unless the call has ended before.

One thread waits for all of them: a thread for each call costs a call that takes a millisecond another third of it.
"""

from __future__ import annotations

import heapq
import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger("holdfast.http")

# So many alarms that were put off are kept among the others before they are swept out.
_SWEPT_AT = 256


class Alarm:
    """One alarm that was set. `off` puts it off: from then on it does not begin to ring, but may be ringing just now."""

    def __init__(self, alarms: Alarms, ring: Callable[[], None]) -> None:
        self._alarms = alarms
        self._ring: Callable[[], None] | None = ring

    @property
    def is_off(self) -> bool:
        """Whether it was put off."""
        return self._ring is None

    def off(self) -> None:
        """It is not needed any more, and keeps nothing that would have rung."""
        if self._ring is not None:
            self._ring = None
            self._alarms._off()

    def ring(self) -> None:
        """Does what is to happen, unless it was put off."""
        ring = self._ring
        if ring is None:
            return
        try:
            ring()
        except Exception:
            log.exception("an alarm could not ring")  # those of the others can


class Alarms:
    """Alarms that one thread rings, one after the other: what rings may not wait for anything."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins anew: in a process that was forked, where the thread has not come along and nobody may hold the lock."""
        self._changed = threading.Condition()
        self._set: list[tuple[float, int, Alarm]] = []
        self._number = self._put_off = 0
        self._thread: threading.Thread | None = None

    def set(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        """Rings once in so many seconds, which may be none."""
        alarm = Alarm(self, ring)
        with self._changed:
            self._number += 1
            heapq.heappush(self._set, (time.monotonic() + seconds, self._number, alarm))
            if self._set[0][2] is alarm:
                self._changed.notify()
            if self._thread is None:
                thread = threading.Thread(target=self._wait, name="alarms", daemon=True)
                thread.start()  # where none can be had now, the next call tries again
                self._thread = thread
        return alarm

    def __len__(self) -> int:
        return len(self._set)

    def _off(self) -> None:
        with self._changed:
            self._put_off += 1
            if self._put_off >= _SWEPT_AT and 2 * self._put_off >= len(self._set):
                self._set = [one for one in self._set if not one[2].is_off]
                heapq.heapify(self._set)
                self._put_off = 0

    def _wait(self) -> None:
        while True:
            with self._changed:
                left = self._set[0][0] - time.monotonic() if self._set else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                alarm = heapq.heappop(self._set)[2]
            alarm.ring()


ALARMS = Alarms()
if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=ALARMS.forget)
