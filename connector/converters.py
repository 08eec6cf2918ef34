"""Converters: the closed list of ways in which one value of a system becomes one value of a fact.

Each takes the raw value (never absent: absence is the mapping's affair) and the context, and gives a `str`, `Decimal`,
`int`, `bool` or `date`, or raises `BadValue` with both texts. Money stays a `Decimal` here; the mapping makes minor
units of it once it knows the currency. Nothing is guessed: what can be read in two ways is a bad value.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connector.money import is_currency, parse
from connector.text import Text

Yield = Literal["text", "number", "boolean", "date"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a value may depend on besides itself: the business's time zone, its ledger currency, the system's name."""

    time_zone: str = "UTC"
    base: str = "CNY"
    system: str = ""


class BadValue(ValueError):
    """A value that cannot be read; `what` is wrong and `fix` mends it."""

    def __init__(self, code: str, what: Text, fix: Text) -> None:
        super().__init__(what.en)
        self.code, self.what, self.fix = code, what, fix


Convert = Callable[[Any, Context], Any]


@dataclass(frozen=True, slots=True)
class Converter:
    """One entry of the closed list: what it gives and what it is for. `dated` ones take a `format`."""

    gives: Yield
    about: Text
    convert: Convert


def shorten(value: object, longest: int = 40) -> str:
    """A value as a message quotes it: one line, cut, never a whole record."""
    if isinstance(value, dict):
        return f"{{… {len(value)}}}"
    if isinstance(value, list | tuple):
        return f"[… {len(value)}]"
    line = "".join(c if c.isprintable() else "\ufffd" for c in str(value))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def bad(code: str, what: Text, fix: Text, value: object, **more: object) -> BadValue:
    """A bad value with its own (shortened) value filled into both sentences."""
    quoted = shorten(value)
    return BadValue(code, what.fill(value=quoted, **more), fix.fill(value=quoted, **more))


# --- words -----------------------------------------------------------------------------------------------------------
def text(value: Any, context: Context) -> str:
    """Text as it stands, without blanks around it; a whole number without its point."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")
    if isinstance(value, int | dt.date):
        return str(value)
    raise bad(
        "not_a_text",
        Text("“{value}” is a list or a table, not one value.", "“{value}”是列表或对象，不是单个值。"),
        Text(
            "Name the part that is meant, such as `owner.name` or `owner.0`.",
            "请写明要取的部分，例如 `owner.name` 或 `owner.0`。",
        ),
        value,
    )


def word(value: Any, context: Context) -> str:
    """One word of a list: without blanks, small letters."""
    return text(value, context).casefold()


_NOT_ISO = frozenset({"RMB", "NTD"})  # everyday names that look like codes and are none


def currency(value: Any, context: Context) -> str:
    """An ISO 4217 code, in capitals."""
    code = text(value, context).upper()
    if not is_currency(code) or code in _NOT_ISO:
        raise bad(
            "no_currency",
            Text("“{value}” is not an ISO currency code.", "“{value}”不是 ISO 货币代码。"),
            Text(
                'Use three letters such as CNY, or add `values = {{ "{value}" = "CNY" }}` to the mapping.',
                '请用 CNY 这样的三字母代码，或在映射中加入 `values = {{ "{value}" = "CNY" }}`。',
            ),
            value,
        )
    return code


def tax_id(value: Any, context: Context) -> str:
    """A tax number (统一社会信用代码, VAT id) in capitals, full-width letters made plain, without separators."""
    plain = unicodedata.normalize("NFKC", text(value, context)).upper()
    return re.sub(r"[\s.\-_/]", "", plain)


# --- numbers ---------------------------------------------------------------------------------------------------------
_PLAIN = Text("“{value}” is not a plain number like 1234.50.", "“{value}”不是 1234.50 这样的普通数字。")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?|[+-]?\d+(\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d{1,3}([. ]\d{3})*(,\d+)?|[+-]?\d+(,\d+)?", re.ASCII)


def decimal(value: Any, context: Context) -> Decimal:
    """A plain number with a dot, no grouping."""
    if isinstance(value, str):
        try:
            return parse(value)
        except ValueError:
            raise bad("not_a_number", _PLAIN, _number_fix(value), value) from None
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise bad("not_a_number", _PLAIN, _number_fix(""), value)


def _number_fix(value: str) -> Text:
    if _GROUPED.fullmatch(value):
        return Text(
            'Remove the thousands separators, or set `convert = "money_grouped"` in the mapping.',
            '请去掉千分位分隔符，或在映射中设置 `convert = "money_grouped"`。',
        )
    if _COMMA.fullmatch(value):
        return Text(
            'Write the number with a dot, or set `convert = "money_comma"` in the mapping.',
            '请用小数点书写数字，或在映射中设置 `convert = "money_comma"`。',
        )
    return Text("Correct the number.", "请更正该数字。")


def money_grouped(value: Any, context: Context) -> Decimal:
    """An amount with comma thousands: 1,234.50; in brackets it is negative."""
    if not isinstance(value, str):
        return decimal(value, context)
    negative = value.startswith("(") and value.endswith(")")
    inner = value[1:-1].strip() if negative else value
    if not _GROUPED.fullmatch(inner) or (negative and inner[0] in "+-"):
        raise bad(
            "not_a_number",
            Text("“{value}” is not a number like 1,234.50.", "“{value}”不是 1,234.50 这样的数字。"),
            Text("Correct the number.", "请更正该数字。"),
            value,
        )
    amount = Decimal(inner.replace(",", ""))
    return -amount if negative else amount


def money_comma(value: Any, context: Context) -> Decimal:
    """An amount with a decimal comma: 1.234,50."""
    if not isinstance(value, str):
        return decimal(value, context)
    if not _COMMA.fullmatch(value):
        raise bad(
            "not_a_number",
            Text("“{value}” is not a number like 1.234,50.", "“{value}”不是 1.234,50 这样的数字。"),
            Text("Correct the number.", "请更正该数字。"),
            value,
        )
    return Decimal(value.replace(".", "").replace(" ", "").replace(",", "."))


def integer(value: Any, context: Context) -> int:
    """A whole number."""
    number = decimal(value, context)
    if number != number.to_integral_value():
        raise bad(
            "not_whole",
            Text("“{value}” is not a whole number.", "“{value}”不是整数。"),
            Text("Correct the number.", "请更正该数字。"),
            value,
        )
    return int(number)


def percent(value: Any, context: Context) -> Decimal:
    """Percent as a fraction of 1: 50 and 50 % become 0.5."""
    plain = value.rstrip("%％ ") if isinstance(value, str) else value
    return decimal(plain, context) / 100


def share(value: Any, context: Context) -> Decimal:
    """A share written either way: 50, 50 % and 0.5 are a half; 1 is the whole, whatever is above 1 is percent."""
    if isinstance(value, str) and value.endswith(("%", "％")):
        return percent(value, context)
    number = decimal(value, context)
    return number / 100 if abs(number) > 1 else number


_YES = frozenset(["true", "yes", "y", "t", "1", "on", "是", "真", "已", "√"])
_NO = frozenset(["false", "no", "n", "f", "0", "off", "否", "假", "未", "×"])


def boolean(value: Any, context: Context) -> bool:
    """Yes or no, in English or Chinese, or 1 or 0."""
    if isinstance(value, bool):
        return value
    plain = word(value, context)
    if plain in _YES:
        return True
    if plain in _NO:
        return False
    raise bad(
        "not_yes_or_no",
        Text("“{value}” is neither yes nor no.", "“{value}”既不是“是”也不是“否”。"),
        Text(
            "Use true or false, or translate it with a `values` table.", "请使用 true 或 false，或用 `values` 表翻译。"
        ),
        value,
    )


# --- dates -----------------------------------------------------------------------------------------------------------
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
    return _sane(aware.astimezone(_zone(context.time_zone)).date(), value)


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _epoch(per_second: int) -> Convert:
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


# --- terms -----------------------------------------------------------------------------------------------------------
_OURS = re.compile(r"(net|months|eom):\d{1,4}|day:\d{1,2}(:\d{1,2})?", re.ASCII)
_AT_ONCE = frozenset(
    [
        "immediate",
        "immediately",
        "immediate payment",
        "due on receipt",
        "due upon receipt",
        "cash",
        "cash on delivery",
        "cod",
        "prepaid",
        "prepayment",
        "cash in advance",
        "现结",
        "现款",
        "现款现货",
        "款到发货",
        "货到付款",
        "即付",
        "立即付款",
        "预付款",
    ]
)
_TERMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), made)
    for pattern, made in (
        (r"(?:\d+(?:\.\d+)?[%/ ]+\d+,? *)?(?:net|n)[ /:-]*(\d{1,4})(?: *days?)?", "net:{}"),  # also "2/10 net 30"
        (r"(\d{1,4})(?: *days?(?: net)?| *天(?:内付款)?| *日内付款)?", "net:{}"),
        (r"(?:账期|赊销)[ :：]*(\d{1,4}) *天", "net:{}"),
        (r"(?:月结|eom|end of month)(?: *\+)? *(\d{1,4})(?: *days?| *天)?", "eom:{}"),
        (r"(\d{1,2})(?: *months?| *个月)", "months:{}"),
        (r"(\d{1,2})(?:st|nd|rd|th)? of (?:the )?(?:next|following) month", "day:{}:1"),
        (r"次月 *(\d{1,2}) *[日号](?:付款)?", "day:{}:1"),
    )
)


def terms(value: Any, context: Context) -> str:
    """Payment terms in words: Net 30, 30 days, 30天 → net:30; EOM+30, 月结30天 → eom:30; 10th of next month → day:10:1."""
    plain = unicodedata.normalize("NFKC", text(value, context)).casefold().strip()
    found = _known_terms(plain)
    if found is None:
        raise bad(
            "unknown_terms",
            Text("The payment terms “{value}” are not understood.", "无法识别付款条件“{value}”。"),
            Text(
                'Use `net:30`, `months:1`, `eom:30` or `day:10:1`, or add `values = {{ "{value}" = "net:30" }}` to the mapping.',
                '请使用 `net:30`、`months:1`、`eom:30` 或 `day:10:1`，或在映射中加入 `values = {{ "{value}" = "net:30" }}`。',
            ),
            value,
        )
    return found


@lru_cache(maxsize=4096)
def _known_terms(plain: str) -> str | None:
    if _OURS.fullmatch(plain):
        if not plain.startswith("day:"):
            return plain
        _, day, *months = plain.split(":")
        return f"day:{day}:{months[0] if months else 1}" if 1 <= int(day) <= 31 else None
    if plain in _AT_ONCE:
        return "net:0"
    if plain in ("eom", "end of month", "月结"):
        return "eom:0"
    for pattern, made in _TERMS:
        if found := pattern.fullmatch(plain):
            return _known_terms(made.format(int(found[1])))
    return None


# --- the closed list ---------------------------------------------------------------------------------------------------
CONVERTERS: dict[str, Converter] = {
    "text": Converter("text", Text("Text without blanks around it.", "文本，去掉首尾空格。"), text),
    "word": Converter("text", Text("One word of a list, in small letters.", "列表中的一个词，转为小写。"), word),
    "currency": Converter("text", Text("An ISO currency code, in capitals.", "ISO 货币代码，大写。"), currency),
    "tax_id": Converter(
        "text",
        Text("A tax number in capitals without separators.", "税号（统一社会信用代码），大写，去掉分隔符。"),
        tax_id,
    ),
    "terms": Converter(
        "text",
        Text(
            "Payment terms in words, such as Net 30 or EOM+30.", "付款条件的文字写法，例如“30天”“月结30天”“次月10日”。"
        ),
        terms,
    ),
    "decimal": Converter("number", Text("A plain number with a dot.", "带小数点的普通数字。"), decimal),
    "money": Converter(
        "number",
        Text(
            "An amount such as 1234.50, no finer than its currency.", "金额，例如 1234.50，小数位不超过该币种的位数。"
        ),
        decimal,
    ),
    "money_grouped": Converter(
        "number",
        Text("An amount with comma thousands, such as 1,234.50.", "带千分位逗号的金额，例如 1,234.50。"),
        money_grouped,
    ),
    "money_comma": Converter(
        "number",
        Text("An amount with a decimal comma, such as 1.234,50.", "以逗号作小数点的金额，例如 1.234,50。"),
        money_comma,
    ),
    "integer": Converter("number", Text("A whole number.", "整数。"), integer),
    "percent": Converter(
        "number", Text("Percent as a fraction: 50 becomes 0.5.", "百分数转为小数：50 变为 0.5。"), percent
    ),
    "share": Converter(
        "number",
        Text("A share: 50, 50 % and 0.5 are a half, 1 is the whole.", "比例：50、50% 与 0.5 都是一半，1 是全部。"),
        share,
    ),
    "boolean": Converter(
        "boolean", Text("Yes or no, true or false, 1 or 0.", "是或否、true 或 false、1 或 0。"), boolean
    ),
    "date": Converter(
        "date", Text("A calendar day, YYYY-MM-DD or by `format`.", "日历日期，YYYY-MM-DD，或按 `format`。"), date
    ),
    "date_in_zone": Converter(
        "date",
        Text("A moment as the calendar day of the business's time zone.", "时刻，换算为企业所在时区的日历日期。"),
        date_in_zone,
    ),
    "epoch_ms": Converter(
        "date",
        Text("Milliseconds since 1970 as the business's calendar day.", "1970 年以来的毫秒数，换算为企业的日历日期。"),
        _epoch(1000),
    ),
    "epoch_s": Converter(
        "date",
        Text("Seconds since 1970 as the business's calendar day.", "1970 年以来的秒数，换算为企业的日历日期。"),
        _epoch(1),
    ),
}
