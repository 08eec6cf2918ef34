"""Converters: the closed list of ways in which one value of a system becomes one value of a fact.

Each takes the raw value (never absent: absence is the mapping's affair) and the context, and gives a `str`, `Decimal`,
`int`, `bool` or `date`, or raises `BadValue` with both texts. Money stays a `Decimal` here; the mapping makes minor
units of it once it knows the currency. Nothing is guessed: what can be read in two ways is a bad value.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from connector.converters_dates import date, date_format, date_in_zone, epoch
from connector.converters_numbers import decimal, integer, money_comma, money_grouped, percent, share
from connector.converters_terms import terms
from connector.converters_value import BadValue, Context, Convert, bad, shorten, text
from connector.money import is_currency
from connector.text import Text

__all__ = ["CONVERTERS", "BadValue", "Context", "Convert", "Converter", "bad", "date_format", "shorten"]

Yield = Literal["text", "number", "boolean", "date"]


@dataclass(frozen=True, slots=True)
class Converter:
    """One entry of the closed list: what it gives and what it is for. `dated` ones take a `format`."""

    gives: Yield
    about: Text
    convert: Convert


# --- words ---
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


# --- yes or no ---
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
        epoch(1000),
    ),
    "epoch_s": Converter(
        "date",
        Text("Seconds since 1970 as the business's calendar day.", "1970 年以来的秒数，换算为企业的日历日期。"),
        epoch(1),
    ),
}
