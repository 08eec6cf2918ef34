"""A clock for tests: sleeping moves it at once, and it keeps what was slept."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field


@dataclass
class Patient:
    """Like `FixedClock`, for many threads. `slept` are the seconds of each sleep, in order."""

    at: dt.datetime = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    slept: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> dt.datetime:
        with self._lock:
            return self.at

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.at += dt.timedelta(seconds=max(0.0, seconds))
