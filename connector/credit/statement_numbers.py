"""Amounts as statements print them: grouped, in brackets, with a dash for what is not known."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.statement_sheet import Broken, Cell, words_of
from connector.text import Text

_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+")
_UNKNOWN = re.compile(r"[-\u2010-\u2015\u2212_/\\.]*|n/?a\.?|不适用|无|未知|x+|\*+")
_DASHES = dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212], "-")
_INSIDE = re.compile(r"[%‰亿万千百]|\d(?:k|m|bn|mn|thousand|million)\b")
_DIGITS_MOST = 24


@dataclass(frozen=True, slots=True)
class Printed:
    """What stands in a cell where an amount is expected: `blank`, or an amount, or neither, which is not known.

    `problem` says why a cell that holds something cannot be read.
    """

    raw: str
    amount: Decimal | None = None
    blank: bool = False
    problem: Text | None = None


def printed(cell: Cell) -> Printed:
    """Reads a cell. (1,000) and 1,000- are negative; "-", "—", "/", 不适用 are not known, which is not zero."""
    raw = words_of(cell)
    if cell is None:
        return Printed(raw, blank=True)
    if isinstance(cell, Broken):
        return Printed(raw, problem=_BROKEN.fill(words=cell.words))
    if isinstance(cell, (bool, dt.date)):
        return Printed(raw, problem=_NO_NUMBER.fill(words=raw))
    if isinstance(cell, (int, Decimal)):
        amount = Decimal(cell)
        fits = amount.is_finite() and len(format(amount, "f")) <= _DIGITS_MOST
        return Printed(raw, amount) if fits else Printed(raw, problem=_NO_NUMBER.fill(words=raw[:40]))
    return _of_text(raw)


def _of_text(raw: str) -> Printed:
    text = unicodedata.normalize("NFKC", raw).translate(_DASHES).casefold()
    text = "".join(c for c in text if not c.isspace() and c not in "'\u200b\ufeff")
    if not text:
        return Printed(raw, blank=True)
    text = re.sub(r"^(\(?-?)(?:rmb|cny|us\$|usd|hk\$|hkd|gbp|eur|[¥£$€])", r"\1", text)
    if _UNKNOWN.fullmatch(text):
        return Printed(raw)
    if text == "nil":
        return Printed(raw, Decimal(0))
    if _INSIDE.search(text):
        return Printed(raw, problem=_UNIT_INSIDE.fill(words=raw.strip()[:40]))
    sign, body = 1, text
    if body.startswith("(") and body.endswith(")"):
        sign, body = -1, body[1:-1]
    elif body.startswith(("-", "+")):
        sign, body = (-1 if body[0] == "-" else 1), body[1:]
    elif body.endswith("-"):
        sign, body = -1, body[:-1]
    if not _NUMBER.fullmatch(body) or not body.isascii() or len(body) > _DIGITS_MOST:
        return Printed(raw, problem=_NO_NUMBER.fill(words=raw.strip()[:40]))
    amount = Decimal(body.replace(",", ""))
    return Printed(raw, -amount if sign < 0 and amount else amount)


_BROKEN = Text(
    "The cell holds a formula without a result ({words}). Open the file, let it compute, and save it.",
    "该单元格是没有计算结果的公式（{words}）。请打开文件重新计算并保存。",
)
_NO_NUMBER = Text("“{words}” is not an amount.", "“{words}”不是金额。")
_UNIT_INSIDE = Text(
    "“{words}” has its unit inside the cell. Write the number alone, in the unit of the sheet.",
    "“{words}”把单位写在了单元格里。请按报表单位只填数字。",
)
