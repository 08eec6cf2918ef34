"""Periods as they stand above figures: 2025年12月31日, 2025年度, 2025年1-9月, year ended 31 March 2025."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, replace

from connector.credit.statement_header import plain, tight
from connector.credit.statement_sheet import Cell

# Days on which something was printed or filed, not the day of the figures.
_OTHER_DAY = re.compile(r"(?:打印|填报|填表|编制|报送|申报|导出|制表|报出|批准|生成|审核)(?:日期|时间|日)")
_Y, _M, _D = r"(?P<y>(?:19|20)\d\d)", r"(?P<m>1[0-2]|0?[1-9])", r"(?P<d>3[01]|[12]\d|0?[1-9])"
_RANGE = re.compile(
    r"(?P<y0>(?:19|20)\d\d)[年./-](?P<m0>1[0-2]|0?[1-9])(?:月(?:\d{1,2}日)?|[./-]\d{1,2}日?)?(?:至|到|~|-|止)"
    rf"(?:{_Y}[年./-]{_M}(?:月|[./-]\d|$)|(?P<m1>1[0-2]|0?[1-9])月)"
)
_DAY = re.compile(rf"{_Y}[年./-]{_M}[月./-]{_D}(?:日|(?!\d))")
_MONTH = re.compile(rf"{_Y}年{_M}月(?!\d)")
_PART = re.compile(rf"{_Y}年(?:度)?(?:第?(?P<q>[一二三四1-4])季度?|(?P<h>半年度?|上半年))")
_YEAR = re.compile(rf"{_Y}(?:年度|年(?!\d|第|半|上|初|末)|会计年度)")
_EN_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_EN_DAY = re.compile(
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[ -]*(?:of )?(?P<mon>{_EN_MONTHS})[a-z]*[.,]?[ -]*{_Y}"
    rf"|(?P<mon2>{_EN_MONTHS})[a-z]*[.]? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>(?:19|20)\d\d)"
)
_EN_SLASH = re.compile(rf"(?<!\d){_D}[./]{_M}[./]{_Y}")
_EN_SPAN = re.compile(
    r"(?P<n>three|six|nine|twelve|3|6|9|12)[ -]months?|(?P<half>half[ -]year)|(?P<quarter>quarter)"
    r"|(?P<year>year) (?:ended|ending|to)"
)
_NUMBERS = {"three": 3, "six": 6, "nine": 9, "twelve": 12}
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}


@dataclass(frozen=True, slots=True)
class Period:
    """A period's end and, where it is told, its months. `single`: one month or quarter of which it is not yet clear
    whether the column is cumulative."""

    end: dt.date
    months: int | None = None
    single: bool = False


def period_of(cell: Cell) -> Period | None:
    """The period that a cell tells: 2025年12月31日, 2025年度, 2025年1-9月, 2025年9月, year ended 31 March 2025."""
    if isinstance(cell, dt.datetime):
        return Period(cell.date())
    if isinstance(cell, dt.date):
        return Period(cell)
    text = tight(cell)
    if not text or _OTHER_DAY.search(text):
        return None
    found = _range(text) or _part(text)
    if found is not None:
        return found
    days = [d for d in (_day(m["y"], m["m"], m["d"]) for m in _DAY.finditer(text)) if d is not None]
    if days:
        return Period(max(days), 12 if re.search(r"年度|止年度", text) else None)
    month = _MONTH.search(text)
    if month is not None:
        return Period(_month_end(int(month["y"]), int(month["m"])), single=True)
    year = _YEAR.search(text)
    if year is not None:
        return Period(dt.date(int(year["y"]), 12, 31), 12)
    return _english(plain(cell))


def other_day_follows(cell: Cell) -> bool:
    """Whether this cell is the label of a day that is not the period's: 打印日期, 填报日期 …"""
    return bool(_OTHER_DAY.search(tight(cell)))


def single_to_months(period: Period, cumulative: bool) -> Period:
    """A single month: cumulative from January if the column says so, else one month (a quarter: three)."""
    if not period.single:
        return period
    return replace(period, months=period.end.month if cumulative else (period.months or 1), single=False)


def _range(text: str) -> Period | None:
    found = _RANGE.search(text)
    if found is None:
        return None
    year, month = int(found["y"] or found["y0"]), int(found["m"] or found["m1"])
    months = (year - int(found["y0"])) * 12 + month - int(found["m0"]) + 1
    return Period(_month_end(year, month), months) if 0 < months <= 24 else None


def _part(text: str) -> Period | None:
    found = _PART.search(text)
    if found is None:
        return None
    if found["q"]:
        return Period(_month_end(int(found["y"]), 3 * _QUARTERS[found["q"]]), 3, single=True)
    return Period(_month_end(int(found["y"]), 6), 6)


def _english(text: str) -> Period | None:
    days = []
    for found in _EN_DAY.finditer(text):
        year, name, day = (
            (found["y"], found["mon"], found["d"]) if found["y"] else (found["y2"], found["mon2"], found["d2"])
        )
        days.append(_day(year, str(_EN_MONTHS.split("|").index(name) + 1), day))
    days += [_day(found["y"], found["m"], found["d"]) for found in _EN_SLASH.finditer(text)]
    ends = [day for day in days if day is not None]
    if not ends:
        return None
    span = _EN_SPAN.search(text)
    months = None
    if span is not None:
        n = span["n"]
        months = (_NUMBERS.get(n) or int(n)) if n else (6 if span["half"] else 3 if span["quarter"] else 12)
    return Period(max(ends), months)


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])
