"""Time: the one clock everything asks, and the calendar day of the business's own time zone."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What tells the time; a test brings its own."""

    def now(self) -> dt.datetime:
        """This instant, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class FixedClock:
    """A clock that stands still until it is told to move; sleeping moves it."""

    at: dt.datetime

    def now(self) -> dt.datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


def stopped(clock: Clock) -> FixedClock:
    """A clock that stands at this moment. What is judged as of today, and takes a while, must not find that today is over."""
    return FixedClock(clock.now())


def day_in(instant: dt.datetime, time_zone: str) -> dt.date:
    """The calendar date of an instant in a time zone: converted first, then truncated (domain 0.4).

    An instant without a zone is taken as UTC.
    """
    aware = instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    return aware.astimezone(ZoneInfo(time_zone)).date()
