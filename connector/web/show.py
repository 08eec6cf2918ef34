"""How values are shown on pages: money, numbers, shares, days and moments, in the visitor's language and time zone.

Money stays a Decimal until its digits are on the page. What a bar needs are shares of 1000, for drawing only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup, escape

from connector.money import exponent, from_minor, rounded
from connector.text import Language

LOCALES: Mapping[Language, Locale] = {"en": Locale("en"), "zh": Locale.parse("zh_CN")}
_NOTHING = "–"
_MINUS = "−"


@dataclass(frozen=True)
class Shown:
    """The filters of one language; `zone` is where calendar days are counted."""

    language: Language
    zone: str

    def plain_money(self, amount: Decimal | int | None, currency: str) -> str:
        """An amount with its currency's own decimals and grouping, without the currency; int: whole minor units."""
        if amount is None:
            return _NOTHING
        value = from_minor(amount, currency) if isinstance(amount, int) else rounded(amount, currency)
        places = exponent(currency)
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return format_decimal(value, format=pattern, locale=LOCALES[self.language])

    def money(self, amount: Decimal | int | None, currency: str, *, code: bool = True) -> Markup:
        """An amount for a page, its currency before it."""
        if amount is None:
            return Markup('<span class="money quiet">–</span>')
        digits = self.plain_money(amount, currency).replace("-", _MINUS)
        before = Markup('<span class="code">{}</span> ').format(currency) if code and currency else ""
        tone = " minus" if amount < 0 else ""
        return Markup('<span class="money{}">{}{}</span>').format(tone, before, digits)

    def change(self, amount: Decimal | int | None, currency: str) -> Markup:
        """By how much an amount has moved, its sign before it, without the currency: +1,200.00, −300.00."""
        shown = self.money(amount, currency, code=False)
        return Markup('<span class="money">+{}</span>').format(shown) if amount is not None and amount > 0 else shown

    def size(self, count: int | None) -> str:
        """How large a file is."""
        if count is None:
            return _NOTHING
        for unit, whole in (("megabyte", 1024 * 1024), ("kilobyte", 1024)):
            if count >= whole:
                value = Decimal(count) / whole
                return format_unit(round(value, 1), f"digital-{unit}", "short", locale=LOCALES[self.language])
        return format_unit(count, "digital-byte", "short", locale=LOCALES[self.language])

    def compact(self, amount: Decimal | int | None) -> str:
        """A large number in few characters: 1.2M, 120万. For headings of pictures, never where an exact figure is wanted."""
        if amount is None:
            return _NOTHING
        return format_compact_decimal(amount, locale=LOCALES[self.language], fraction_digits=1)

    def number(self, value: Decimal | int | None, places: int | None = None) -> str:
        """A number with grouping."""
        if value is None:
            return _NOTHING
        pattern = None if places is None else "#,##0" + ("." + "0" * places if places else "")
        return format_decimal(value, format=pattern, locale=LOCALES[self.language]).replace("-", _MINUS)

    def percent(self, value: Decimal | None, places: int = 1) -> str:
        """A share (0.125) in per cent (12.5 %)."""
        if value is None:
            return _NOTHING
        pattern = "0" + ("." + "0" * places if places else "") + "%"
        return format_percent(value, format=pattern, locale=LOCALES[self.language]).replace("-", _MINUS)

    def day(self, value: dt.date | str | None) -> Markup | str:
        """A calendar day, also one in ISO's form: 2 Mar 2026, 2026年3月2日."""
        if not value:
            return _NOTHING
        if isinstance(value, str):
            value = dt.date.fromisoformat(value)
        pattern = "y年M月d日" if self.language == "zh" else "d MMM y"
        words = format_date(value, pattern, locale=LOCALES[self.language])
        return Markup('<time datetime="{}" class="nowrap">{}</time>').format(value.isoformat(), words)

    def month(self, value: dt.date) -> str:
        """A month below a picture, in few characters: Mar 26, 26年3月."""
        return format_date(value, "yy年M月" if self.language == "zh" else "MMM yy", locale=LOCALES[self.language])

    def moment(self, value: dt.datetime | None) -> Markup | str:
        """A moment in the business's time zone, to the minute."""
        if value is None:
            return _NOTHING
        aware = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        pattern = "y年M月d日 HH:mm" if self.language == "zh" else "d MMM y HH:mm"
        words = format_datetime(aware, pattern, tzinfo=ZoneInfo(self.zone), locale=LOCALES[self.language])
        return Markup('<time datetime="{}" class="nowrap">{}</time>').format(aware.isoformat(), words)

    def lasting(self, value: dt.timedelta | int | None) -> str:
        """How long something took or takes, in words; int: seconds."""
        if value is None:
            return _NOTHING
        return format_timedelta(value, locale=LOCALES[self.language], threshold=1.5)

    def filters(self) -> dict[str, Callable[..., Any]]:
        """All of them by the names that templates use."""
        own = (
            self.money,
            self.plain_money,
            self.change,
            self.size,
            self.compact,
            self.number,
            self.percent,
            self.day,
            self.month,
            self.moment,
            self.lasting,
        )
        return {one.__name__: one for one in own} | {"share": share, "lines": lines}


def share(part: Decimal | int | None, whole: Decimal | int | None, most: int = 1000) -> float:
    """A part of a whole for drawing, from 0 to `most`, to a tenth."""
    if not part or not whole or part <= 0 or whole <= 0:
        return 0
    return round(float(min(Decimal(1), Decimal(part) / Decimal(whole)) * most), 1)


def lines(text: str) -> Markup:
    """A text of several lines with its breaks."""
    return Markup("<br>").join(escape(one) for one in text.splitlines())
