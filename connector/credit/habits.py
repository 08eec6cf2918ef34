"""Habits: how a customer pays, as the figures that scores and warnings rest on (domain 5, 9).

Payments come summed by days late; all averages are weighted by money. Windows end on the day itself: the last 90 days,
the 12 months before those, the last 12 months, and 24 months for the payment index.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import lcm

from connector.credit import kpi
from connector.credit.terms import months_later

ZERO = Decimal(0)
RECENT_DAYS = 90
INDEX_MONTHS = 24
# Windows by their number: the last 90 days; the rest of the last 12 months; the rest of the 12 months before those 90
# days; the rest of 24 months.
RECENT, YEAR, BEFORE, OLDER = range(4)


# What came so many days late (negative: early) in one window: the window (None: not paid yet, so many days past due on
# the day itself), the days, the amount in any one currency, and how many payments it were.
Share = tuple[int | None, int, Decimal | int, int]


@dataclass(slots=True)
class Habits:
    """How a customer pays; None where there is too little to say.

    `payment_index` is 0 to 100, 80 = on terms. Days late are weighted by money: `late_recent` and `late_year` count early
    payments as 0 days; `slowdown` compares the last 90 days with the 12 months before, early days counted, so that whoever
    paid early and now pays late is seen. `experiences` are the payments and overdue debts behind the index.
    """

    payment_index: Decimal | None = None
    experiences: int = 0
    late_recent: Decimal | None = None
    late_year: Decimal | None = None
    slowdown: Decimal | None = None


def starts(as_of: dt.date) -> tuple[dt.date, ...]:
    """The days after which the windows begin, newest window first."""
    recent = as_of - dt.timedelta(days=RECENT_DAYS)
    return recent, months_later(as_of, -12), months_later(recent, -12), months_later(as_of, -INDEX_MONTHS)


def habits(shares: Iterable[Share]) -> Habits:
    """The habits of a customer, from its payments in the windows of `starts` and its debts past due."""
    weight: Decimal | int = 0
    points: Decimal | int = 0
    times = 0
    paid: list[Decimal | int] = [0] * 4
    signed: list[Decimal | int] = [0] * 4
    late: list[Decimal | int] = [0] * 4
    for window, days, amount, count in shares:
        weight += amount
        points += amount * _points(days)
        times += count
        if window is not None:
            paid[window] += amount
            if days:
                signed[window] += amount * days
                if days > 0:
                    late[window] += amount * days
    found = Habits(experiences=times)
    if times >= kpi.EXPERIENCES_MIN and weight > 0:
        found.payment_index = Decimal(points) / (weight * _PARTS)
    recent, year, before = paid[RECENT], paid[RECENT] + paid[YEAR], paid[YEAR] + paid[BEFORE]
    if recent > 0:
        found.late_recent = Decimal(late[RECENT]) / recent
    if year > 0:
        found.late_year = Decimal(late[RECENT] + late[YEAR]) / year
    if recent > 0 and before > 0:
        found.slowdown = Decimal(signed[RECENT]) / recent - Decimal(signed[YEAR] + signed[BEFORE]) / before
    return found


# Straight lines between points that lie so many days apart: in these parts of a point every day's points are whole, so
# that sums stay exact.
_PARTS = lcm(*(after - day for (day, _), (after, _) in pairwise(kpi.POINTS)))


@lru_cache(maxsize=4096)
def _points(days_late: int) -> int:
    return int((kpi.payment_points(kpi.Paid(ZERO, days_late)) * _PARTS).to_integral_value())
