"""The portfolio: what a whole ledger looked like at each month end, and the figures a credit manager steers by (domain 5).

All amounts are of one currency and unrounded. `receivables` are the open debts; what customers have paid or been
credited without its being set against a debt stands beside them as `unapplied` and is not deducted. None is "cannot be
said". Sales carry tax and are net of credit notes.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit import kpi
from connector.credit.kpi import CountBack, Month
from connector.credit.terms import months_later
from connector.policy import LEVELS, Level

ZERO = Decimal(0)
DAY = dt.timedelta(days=1)


def month_ends(as_of: dt.date, count: int) -> list[dt.date]:
    """The last days of so many months before that of `as_of`, oldest first, and `as_of` itself."""
    first = as_of.replace(day=1)
    return [*(months_later(first, -n) - DAY for n in range(count - 1, -1, -1)), as_of]


# --- one month end ----------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class MonthEnd:
    """The whole ledger at the end of a day.

    `unapplied` is positive. `paid` is the money set against debts since the month end before, `days_signed` and
    `days_floored` its sum of amount × days late. `weight` and `points` make the payment index. `owed` are what single
    debtors owe; `levels` count debtors by warning level.
    """

    day: dt.date
    buckets: tuple[Decimal, ...]
    unapplied: Decimal = ZERO
    disputed: Decimal = ZERO
    undisputed_overdue: Decimal = ZERO
    paid: Decimal = ZERO
    days_signed: Decimal = ZERO
    days_floored: Decimal = ZERO
    weight: Decimal = ZERO
    points: Decimal = ZERO
    experiences: int = 0
    owed: list[Decimal] = field(default_factory=list)
    levels: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))

    @property
    def receivables(self) -> Decimal:
        """Open debts, due or not."""
        return sum(self.buckets, ZERO)

    @property
    def current(self) -> Decimal:
        """What of them is not due yet."""
        return self.buckets[0]

    @property
    def overdue(self) -> Decimal:
        """What of them is past due."""
        return sum(self.buckets[1:], ZERO)

    @property
    def balance(self) -> Decimal:
        """The balance of the ledger: debts less unapplied credits."""
        return self.receivables - self.unapplied


class Sales:
    """Sales by day; what was voided counts until then. `began_on` is the first day with a sale."""

    def __init__(self, days: Iterable[tuple[dt.date, dt.date | None, Decimal]]) -> None:
        self._days = sorted(days, key=lambda day: day[0])
        self._dates = [on for on, _, _ in self._days]
        self.began_on = self._dates[0] if self._dates else None

    def between(self, first: dt.date, last: dt.date, known_on: dt.date) -> Decimal:
        """Sales from one day to another, both included, as they were known at the end of a third."""
        chosen = self._days[bisect_right(self._dates, first - DAY) : bisect_right(self._dates, last)]
        return sum((value for _, until, value in chosen if until is None or until > known_on), ZERO)

    def months(self, last: dt.date) -> list[Month]:
        """Calendar months before and up to a day, newest first, back to the first with a sale."""
        found: list[Month] = []
        first, end = last.replace(day=1), last
        while self.began_on is not None and end >= self.began_on:
            found.append(Month(self.between(first, end, last), kpi.days_between(first, end)))
            first, end = months_later(first, -1), first - DAY
        return found


# --- what it says -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Figures:
    """The indicators of one month end. Ratios are fractions of 1; the payment index and CEI run to 100.

    DSO, CEI and days of turnover look at `sales` of the last months; days are fewer where selling began later.
    """

    day: dt.date
    sales: Decimal
    days: int
    dso: Decimal | None
    count_back: CountBack
    best_dso: Decimal | None
    delinquent: Decimal | None
    effectiveness: Decimal | None
    turnover_days: Decimal | None
    late_signed: Decimal | None
    late_floored: Decimal | None
    overdue_share: Decimal | None
    oldest_share: Decimal | None
    concentration: kpi.Concentration | None
    payment_index: Decimal | None


def figures(ends: Sequence[MonthEnd], place: int, sales: Sales, *, window: int = 3, top: int = 10) -> Figures:
    """The indicators at one of several month ends (oldest first); `window` is how many months of sales DSO looks at.

    What needs an earlier month end than there is cannot be said. `oldest_share` is what stands in the last bucket.
    """
    end = ends[place]
    first = months_later(end.day + DAY, -window)
    if sales.began_on is not None:
        first = min(max(first, sales.began_on), end.day)
    sold, days = sales.between(first, end.day, end.day), kpi.days_between(first, end.day)
    opening = ends[place - window] if place >= window else None
    simple = kpi.dso(end.receivables, sold, days)
    best = kpi.best_possible_dso(end.current, sold, days)
    effectiveness = turned = None
    since = days
    if opening is not None:
        # In the middle of a month the window begins within one: what was sold until the opening stands in it already.
        since = kpi.days_between(max(opening.day + DAY, first), end.day)
        after = sales.between(opening.day + DAY, end.day, end.day)
        effectiveness = kpi.collection_effectiveness(opening.receivables, after, end.receivables, end.current)
        turned = kpi.turnover(after, opening.receivables, end.receivables)
    return Figures(
        day=end.day,
        sales=sold,
        days=days,
        dso=simple,
        count_back=kpi.dso_count_back(end.receivables, sales.months(end.day)),
        best_dso=best,
        delinquent=kpi.average_days_delinquent(simple, best),
        effectiveness=effectiveness,
        turnover_days=None if turned is None or turned <= 0 else since / turned,
        late_signed=end.days_signed / end.paid if end.paid > 0 else None,
        late_floored=end.days_floored / end.paid if end.paid > 0 else None,
        overdue_share=kpi.overdue_ratio(end.overdue, end.receivables),
        oldest_share=kpi.overdue_ratio(end.buckets[-1], end.receivables),
        concentration=kpi.concentration(end.owed, top),
        payment_index=end.points / end.weight if end.experiences >= kpi.EXPERIENCES_MIN and end.weight > 0 else None,
    )
