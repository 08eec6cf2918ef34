"""Payment terms: the day an invoice falls due (domain 4)."""

from __future__ import annotations

import calendar
import datetime as dt
from decimal import Decimal
from functools import lru_cache

from connector.text import Text, same


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of the month, so many months on, clamped to the month's end (01-31 + 1 month = 02-28)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def due_date(issued_on: dt.date, terms: str) -> dt.date:
    """The day an invoice falls due by its terms; no shift for weekends or holidays.

    `net:30` is 30 days after issue, `months:1` the same day one month on, `eom:30` 30 days after the month's end,
    `day:10:1` the 10th of the next month (`day:31:2`: the last of the month after next where it has no 31st).
    Raises ValueError for other words.
    """
    kind, first, second = _terms(terms)
    try:
        if kind == "net":
            return issued_on + dt.timedelta(days=first)
        if kind == "months":
            return months_later(issued_on, first)
        if kind == "eom":
            last = calendar.monthrange(issued_on.year, issued_on.month)[1]
            return issued_on.replace(day=last) + dt.timedelta(days=first)
        month = months_later(issued_on.replace(day=1), second)
        return month.replace(day=min(first, calendar.monthrange(month.year, month.month)[1]))
    except (OverflowError, ValueError) as beyond:  # datetime raises either
        raise ValueError(f"{terms}: beyond the calendar") from beyond


@lru_cache(maxsize=4096)
def usual_days(terms: str) -> Decimal | None:
    """The days that terms give on average, over invoices of every day of four years; None for words nobody can read."""
    first, days = dt.date(2024, 1, 1), 4 * 365 + 1
    try:
        given = sum((due_date(day, terms) - day).days for day in (first + dt.timedelta(n) for n in range(days)))
    except ValueError:
        return None
    return Decimal(given) / days


def terms_text(terms: str) -> Text:
    """Terms as people write them, Net 30 and 月结30天; words that nobody can read as they are."""
    try:
        kind, first, second = _terms(terms)
    except ValueError:
        return same(terms)
    if kind == "net":
        return Text(f"Net {first}", f"{first} 天")
    if kind == "months":
        return Text(f"{first} month{'s' * (first != 1)}", f"{first} 个月")
    if kind == "eom":
        return Text(f"EOM+{first}" if first else "EOM", f"月结 {first} 天" if first else "月结")
    return Text(f"day {first}, {second} month{'s' * (second != 1)} on", f"{second} 个月后 {first} 日")


@lru_cache(maxsize=4096)
def _terms(terms: str) -> tuple[str, int, int]:
    kind, *numbers = terms.strip().split(":")
    allowed = {"net": (1,), "months": (1,), "eom": (0, 1), "day": (1, 2)}
    whole = all(n.isascii() and n.isdigit() and len(n) <= 4 for n in numbers)
    if not whole or len(numbers) not in allowed.get(kind, ()):
        raise ValueError(f"{terms!r} is none of net:DAYS, months:MONTHS, eom:DAYS, day:DAY:MONTHS")
    first = int(numbers[0]) if numbers else 0
    if kind == "day" and not 1 <= first <= 31:
        raise ValueError(f"{terms!r}: {first} is no day of a month")
    return kind, first, int(numbers[1]) if len(numbers) == 2 else 1
