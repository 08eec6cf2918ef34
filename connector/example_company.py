"""The made-up company as one value, and what all its customers share: terms, due dates, exchange rates, its team."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from connector.model import (
    Application,
    Customer,
    Document,
    Instalment,
    Limit,
    Order,
    OrderLine,
    Payment,
    Person,
    Rate,
)

MONTHS_BACK = 18  # how long its history is
# One unit in CNY, about; the monthly rates walk around it. A company in another currency divides.
IN_CNY = {"CNY": Decimal(1), "USD": Decimal("7.12"), "EUR": Decimal("7.85"), "JPY": Decimal("0.0478")}


@dataclass
class Company:
    """All facts of a made-up company. `people` are its sales representatives; customers' `owner` is a person's id."""

    currency: str
    as_of: dt.date
    people: list[Person] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    instalments: list[Instalment] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)


def due_date(issued_on: dt.date, terms: str) -> dt.date:
    """The day on which terms make an invoice due (domain 4): `net:30`, `months:1`, `eom:30`, `day:10:1`."""
    kind, *rest = terms.split(":")
    numbers = [int(n) for n in rest]
    if kind == "net":
        return issued_on + dt.timedelta(days=numbers[0])
    if kind == "eom":
        return month_on(issued_on, 0, 31) + dt.timedelta(days=numbers[0])
    if kind == "months":
        return month_on(issued_on, numbers[0], issued_on.day)
    return month_on(issued_on, numbers[1], numbers[0])


def month_on(day: dt.date, months: int, wanted: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(wanted, calendar.monthrange(year, month + 1)[1]))


def team_size(customers: int) -> int:
    """How many sales people so many customers need; the last of them has left."""
    return min(40, 6 + customers // 100)


def monthly_rates(seed: int, as_of: dt.date, currency: str) -> Iterator[Rate]:
    """Monthly rates of three foreign currencies, long enough back for every document."""
    rng = Random(f"rates/{seed}")  # noqa: S311 - repeatable, not secret
    home = IN_CNY[currency]
    for foreign, level in IN_CNY.items():
        if foreign == currency:
            continue
        walk = Decimal(1)
        for month in range(-MONTHS_BACK - 8, 1):
            walk += Decimal(rng.randrange(-80, 81)) / 10_000
            rate = (level / home * walk).quantize(Decimal("0.000001"))
            yield Rate(on=month_on(as_of, month, 1), from_currency=foreign, to_currency=currency, rate=rate)
