"""Exchange rates: which rate holds on a day, and amounts converted by it, unrounded (domain 3)."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.model import Rate
from connector.money import EXACT

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Quote:
    """How to convert one pair on one day: multiply, then divide.

    An inverse rate stays a divisor, because 1 ÷ rate would already be rounded. `on` is the day of the (older) rate
    used; `how` names the step of the lookup order that found it.
    """

    multiply: Decimal
    divide: Decimal
    on: dt.date
    how: Literal["same", "direct", "inverse", "via_base"]

    def convert(self, amount: Decimal) -> Decimal:
        """The amount in the other currency, unrounded."""
        if self.divide == ONE:
            return EXACT.multiply(amount, self.multiply)
        return EXACT.divide(EXACT.multiply(amount, self.multiply), self.divide)


class Rates:
    """The rates known to us, asked by pair and day.

    Lookup order: the pair itself on the day, else its latest earlier rate not older than `max_age_days`; else the
    inverse pair by the same rule; else both legs via `base`. A rate that is not positive is no rate. Of two rates for
    the same pair and day the later one in the list counts.
    """

    def __init__(self, rates: Iterable[Rate], base: str, max_age_days: int) -> None:
        self.base = base
        self.max_age_days = max_age_days
        by_pair: dict[tuple[str, str], dict[dt.date, Decimal]] = {}
        for rate in rates:
            if rate.rate > 0:
                by_pair.setdefault((rate.from_currency, rate.to_currency), {})[rate.on] = rate.rate
        self._days = {pair: sorted(days) for pair, days in by_pair.items()}
        self._rates = by_pair
        self._quotes: dict[tuple[str, str, dt.date], Quote | None] = {}

    def quote(self, frm: str, to: str, on: dt.date) -> Quote | None:
        """What converts one currency into another on a day; None where no rate is known."""
        key = (frm, to, on)
        if key not in self._quotes:
            self._quotes[key] = self._look_up(frm, to, on)
        return self._quotes[key]

    def rate(self, frm: str, to: str, on: dt.date) -> Decimal | None:
        """One unit of `frm` in `to` on a day, to 60 digits; None where no rate is known."""
        quote = self.quote(frm, to, on)
        return quote.convert(ONE) if quote else None

    def convert(self, amount: Decimal, frm: str, to: str, on: dt.date) -> Decimal | None:
        """An amount in another currency, unrounded; None where no rate is known: that is "cannot decide", never 0."""
        if frm == to:
            return amount
        quote = self.quote(frm, to, on)
        return quote.convert(amount) if quote else None

    def days(self, currencies: Collection[str]) -> set[dt.date]:
        """The days from which on another rate holds between two of these currencies, or none because it is too old."""
        found: set[dt.date] = set()
        for (frm, to), days in self._days.items():
            if frm in currencies and to in currencies:
                found.update(days)
                for day, following in zip(days, [*days[1:], dt.date.max], strict=True):
                    if (following - day).days > self.max_age_days + 1:
                        found.add(day + dt.timedelta(days=self.max_age_days + 1))
        return found

    def _look_up(self, frm: str, to: str, on: dt.date) -> Quote | None:
        if frm == to:
            return Quote(ONE, ONE, on, "same")
        straight = self._pair(frm, to, on)
        if straight or self.base in (frm, to):
            return straight
        first, second = self._pair(frm, self.base, on), self._pair(self.base, to, on)
        if not first or not second:
            return None
        multiply = EXACT.multiply(first.multiply, second.multiply)
        return Quote(multiply, EXACT.multiply(first.divide, second.divide), min(first.on, second.on), "via_base")

    def _pair(self, frm: str, to: str, on: dt.date) -> Quote | None:
        if found := self._latest(frm, to, on):
            return Quote(found[1], ONE, found[0], "direct")
        if found := self._latest(to, frm, on):
            return Quote(ONE, found[1], found[0], "inverse")
        return None

    def _latest(self, frm: str, to: str, on: dt.date) -> tuple[dt.date, Decimal] | None:
        days = self._days.get((frm, to))
        if not days:
            return None
        place = bisect_right(days, on)
        if not place or (on - days[place - 1]).days > self.max_age_days:
            return None
        day = days[place - 1]
        return day, self._rates[frm, to][day]
