"""Converters of dates: a day as it is written, or a moment as the calendar day of the business's time zone."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connector.converters_numbers import decimal
from connector.converters_value import BadValue, Context, Convert, bad, text
from connector.text import Text

_EARLIEST, _MIDNIGHT = dt.date(1900, 1, 1), re.compile(r"[T ]00:00(:00(\.0+)?)?\Z", re.ASCII)
_DATE_FIX = Text(
    "Write dates as 2026-11-23, or give the mapping a `format` such as `%d.%m.%Y`.",
    "请按 2026-11-23 书写日期，或在映射中给出 `format`，例如 `%Y/%m/%d`。",
)


def date(value: Any, context: Context) -> dt.date:
    """A calendar day, YYYY-MM-DD; a time of day is allowed only where it is midnight without a zone."""
    if type(value) is str:
        return _day(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is None and value.time() == dt.time():
            return _sane(value.date(), value)
        raise _has_time(value)
    if isinstance(value, dt.date):
        return _sane(value, value)
    raise bad("not_a_date", Text("“{value}” is not a date.", "“{value}”不是日期。"), _DATE_FIX, value)


@lru_cache(maxsize=16384)
def _day(value: str) -> dt.date:
    if len(value) == 10 and value[4] == "-" and value[7] == "-":
        try:
            return _sane(dt.date.fromisoformat(value), value)
        except BadValue:
            raise
        except ValueError:
            raise bad(
                "not_a_date",
                Text("“{value}” is not a day of the calendar.", "日历上没有“{value}”这一天。"),
                Text("Correct the date.", "请更正该日期。"),
                value,
            ) from None
    if midnight := _MIDNIGHT.search(value):
        return _day(value[: midnight.start()])
    if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:", value):
        raise _has_time(value)
    raise bad("not_a_date", Text("“{value}” is not a date.", "“{value}”不是日期。"), _DATE_FIX, value)


def _sane(day: dt.date, value: object) -> dt.date:
    if day < _EARLIEST:
        raise bad(
            "odd_date",
            Text("“{value}” lies before the year 1900.", "“{value}”早于 1900 年。"),
            Text("Correct the date; an unknown date stays empty.", "请更正该日期；未知的日期请留空。"),
            value,
        )
    return day


def _has_time(value: object) -> BadValue:
    return bad(
        "has_time",
        Text("“{value}” is a moment, not a calendar day.", "“{value}”是一个时刻，不是日历日期。"),
        Text(
            'Set `convert = "date_in_zone"`: the day depends on the business\'s time zone.',
            '请设置 `convert = "date_in_zone"`：日期取决于企业所在时区。',
        ),
        value,
    )


def date_format(pattern: str) -> Convert:
    """A converter for dates written by a `strptime` pattern."""

    @lru_cache(maxsize=16384)
    def read(value: str) -> dt.date:
        try:
            return _sane(dt.datetime.strptime(value, pattern).date(), value)  # noqa: DTZ007 a day has no zone
        except BadValue:
            raise
        except ValueError:
            raise bad(
                "not_a_date",
                Text("“{value}” is not a date of the form {pattern}.", "“{value}”不是 {pattern} 格式的日期。"),
                Text("Correct the date or the mapping's `format`.", "请更正该日期，或修改映射中的 `format`。"),
                value,
                pattern=pattern,
            ) from None

    def convert(value: Any, context: Context) -> dt.date:
        return date(value, context) if isinstance(value, dt.date) else read(text(value, context))

    return convert


def date_in_zone(value: Any, context: Context) -> dt.date:
    """A moment (ISO 8601; without a zone it is UTC) as the calendar day of the business's time zone."""
    moment = value
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if len(value) <= 10:  # a bare day has no moment and needs none
            return date(value, context)
    if not isinstance(moment, dt.datetime):
        raise bad(
            "not_a_date",
            Text(
                "“{value}” is not a moment like 2026-11-23T08:00:00Z.",
                "“{value}”不是 2026-11-23T08:00:00Z 这样的时刻。",
            ),
            Text("Correct the moment, or choose another converter.", "请更正该时刻，或改用其他转换器。"),
            value,
        )
    return _in_zone(moment, value, context)


def _in_zone(moment: dt.datetime, value: object, context: Context) -> dt.date:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    try:
        return _sane(aware.astimezone(_zone(context.time_zone)).date(), value)
    except OverflowError:  # the last moment of 9999, by which many systems mean "for ever"
        return aware.date()


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def epoch(per_second: int) -> Convert:
    def convert(value: Any, context: Context) -> dt.date:
        seconds = decimal(value, context) / per_second
        try:
            moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=int(seconds))
        except OverflowError:
            raise bad(
                "odd_date",
                Text("“{value}” lies outside the calendar.", "“{value}”超出了日历范围。"),
                Text(
                    "Is it in milliseconds or in seconds? Choose `epoch_ms` or `epoch_s`.",
                    "请确认单位是毫秒还是秒，并选用 `epoch_ms` 或 `epoch_s`。",
                ),
                value,
            ) from None
        return _in_zone(moment, value, context)

    return convert
