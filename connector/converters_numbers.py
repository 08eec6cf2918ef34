"""Converters of numbers: plain, with thousands, with a decimal comma, percent. Never through a float."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from connector.converters_value import Context, bad
from connector.money import parse
from connector.text import Text

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
