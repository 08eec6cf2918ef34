"""Limits of a system, shared by all threads that talk to it: calls in flight, calls per second, and pauses it asked for."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass

from connector.clock import Clock, SystemClock
from connector.errors import TransientError
from connector.text import Text

# A pause up to so many seconds is waited out; a longer one (a day's quota is used up) is an error for whoever calls.
_WAITED_OUT = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a product allows: calls in flight at once, and calls per second on average with a burst."""

    in_flight: int = 5
    per_second: float | None = None
    burst: int = 1


class Throttle:
    """One system's limits. `with throttle:` is one call; TransientError where the system wants a long pause."""

    def __init__(self, limits: Limits, clock: Clock | None = None) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        self._places = threading.BoundedSemaphore(limits.in_flight)
        self._lock = threading.Lock()
        self._tokens = float(limits.burst)
        self._filled_at = self._clock.now()
        self._closed_until = self._filled_at

    def pause(self, seconds: float) -> None:
        """No call of any thread starts for so long: the system said to one of them that it has had enough."""
        with self._lock:
            until = self._clock.now() + dt.timedelta(seconds=seconds)
            self._closed_until = max(self._closed_until, until)

    def _wait(self) -> float:
        """Seconds until a call may start; takes its token."""
        with self._lock:
            now = self._clock.now()
            closed = (self._closed_until - now).total_seconds()
            if closed > _WAITED_OUT:
                raise TransientError(
                    Text(
                        "The system has asked us to wait another {seconds} seconds.",
                        "系统要求我们再等待 {seconds} 秒。",
                    ).fill(seconds=round(closed)),
                    retry_after=closed,
                )
            rate = self._limits.per_second
            if not rate:
                return max(0.0, closed)
            passed = (now - self._filled_at).total_seconds()
            self._tokens = min(float(self._limits.burst), self._tokens + max(0.0, passed) * rate)
            self._filled_at = now
            self._tokens -= 1
            return max(0.0, closed, -self._tokens / rate)

    def __enter__(self) -> Throttle:
        self._places.acquire()
        try:
            wait = self._wait()
            if wait > 0:
                self._clock.sleep(wait)
        except BaseException:
            self._places.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._places.release()
