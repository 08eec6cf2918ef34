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
from typing import NamedTuple

from connector.credit import kpi
from connector.credit.terms import months_later

ZERO = Decimal(0)
RECENT_DAYS = 90
INDEX_MONTHS = 24
# Windows by their number: the last 90 days; the rest of the last 12 months; the rest of the 12 months before those 90
# days; the rest of 24 months.
RECENT, YEAR, BEFORE, OLDER = range(4)


class PaidShare(NamedTuple):
    """What came so many days late (negative: early) in one window, in any one currency; `times` payments.

    `window` None: not paid yet, and so many days past due on the day itself.
    """

    window: int | None
    days_late: int
    amount: Decimal | int
    times: int


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


def habits(shares: Iterable[PaidShare]) -> Habits:
    """The habits of a customer, from its payments in the windows of `starts` and its debts past due."""
    weight = points = ZERO
    times = 0
    paid = [ZERO] * 4
    signed = [ZERO] * 4
    late = [ZERO] * 4
    for window, days, amount, count in shares:
        weight += amount
        points += amount * _points(days)
        times += count
        if window is not None:
            paid[window] += amount
            signed[window] += amount * days
            if days > 0:
                late[window] += amount * days
    found = Habits(experiences=times)
    if times >= kpi.EXPERIENCES_MIN and weight > 0:
        found.payment_index = points / weight
    if paid[RECENT] > 0:
        found.late_recent = late[RECENT] / paid[RECENT]
    year, before = paid[RECENT] + paid[YEAR], paid[YEAR] + paid[BEFORE]
    if year > 0:
        found.late_year = (late[RECENT] + late[YEAR]) / year
    if paid[RECENT] > 0 and before > 0:
        found.slowdown = signed[RECENT] / paid[RECENT] - (signed[YEAR] + signed[BEFORE]) / before
    return found


@lru_cache(maxsize=4096)
def _points(days_late: int) -> Decimal:
    return kpi.payment_points(kpi.Paid(ZERO, days_late))
