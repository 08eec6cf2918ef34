"""The annual report on the enterprise register 企业年报: a list of eight totals, each with its unit beside the number.

It is published only where the company chooses to, unaudited, for a calendar year. "企业选择不公示" is not known.
"""

from __future__ import annotations

import re
import unicodedata

from connector.credit.statement_header import FACTORS, tight, unit_of
from connector.credit.statement_labels import annual_report, normal_form
from connector.credit.statement_numbers import Printed, printed
from connector.credit.statement_period import Period, period_of
from connector.credit.statement_read import Line, SheetRead
from connector.credit.statement_sheet import Cell, Finding, Sheet, place
from connector.text import Text

_TITLE = re.compile(r"资产状况信息|企业年报|年度报告书?$")
_AMOUNT = re.compile(r"(?P<n>-?[\d,]+(?:\.\d+)?)(?P<f>百万|亿|万|千)?元?(?P<c>人民币|rmb|cny)?")
_HIDDEN = re.compile(r"(?:企业)?选择不公示|不公示|未公示")


def read_annual(sheet: Sheet) -> SheetRead | None:
    """Reads such a list; None where the sheet is none."""
    cells = [(r, c, cell) for r, row in enumerate(sheet.rows) for c, cell in enumerate(row) if isinstance(cell, str)]
    forms = {normal_form(cell) for _, _, cell in cells} & annual_report().keys()
    titled = any(_TITLE.search(tight(cell)) for _, _, cell in cells)
    if len(forms) < 3 or not (titled or normal_form("纳税总额") in forms):
        return None
    out = SheetRead(sheet.name, "profit", basis="annual_report", chinese=True)
    for r, c, cell in cells:
        out.unit = out.unit or (unit_of(tight(cell)) or (None,))[0]
        if out.period is None and normal_form(cell) not in forms:
            out.period = _year(cell)
        item = annual_report().get(normal_form(cell))
        if item:
            _take(out, sheet, r, c, cell, item)
    return out


def _take(out: SheetRead, sheet: Sheet, r: int, c: int, label: str, item: str) -> None:
    row = sheet.rows[r]
    beside = next((at for at in range(c + 1, len(row)) if row[at] not in (None, "")), None)
    if beside is None:
        return
    figure, unit, currency = _figure(row[beside])
    where = place(sheet.name, r, beside)
    out.currency = out.currency or currency
    if figure.problem is not None:
        out.findings.append(Finding("unreadable", "refuse", figure.problem, item, cells=(where,)))
    line = Line(
        item=item, label=label, amount=figure.amount, opening=None, unit=unit, sheet=sheet.name, cell=where,
        raw=figure.raw,
    )  # fmt: skip
    first = next((x for x in out.lines if x.item == item), None)
    if first is None:
        out.lines.append(line)
    elif line.amount is not None:
        # 营业总收入 and 主营业务收入 are both revenue here; the total is taken.
        total = next((x for x in (first, line) if normal_form(x.label) == "营业总收入"), first)
        out.lines[out.lines.index(first)] = total if total.amount is not None else line
        text = _BOTH.fill(one=first.label.strip(), other=label.strip(), taken=total.label.strip())
        out.findings.append(Finding("twice", "flag", text, item, cells=(first.cell, line.cell)))


def _figure(cell: Cell) -> tuple[Printed, int | None, str | None]:
    """An amount with the unit and currency that stand beside it in the same cell."""
    if not isinstance(cell, str):
        return printed(cell), None, None
    text = unicodedata.normalize("NFKC", cell).casefold().replace(" ", "")
    if _HIDDEN.search(text):
        return Printed(cell), None, None
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return printed(cell), None, None
    number = printed(found["n"])
    unit = FACTORS[found["f"] or ""] if found["f"] or "元" in text else None
    return Printed(cell, number.amount, problem=number.problem), unit, "CNY" if found["c"] else None


def _year(cell: str) -> Period | None:
    found = period_of(cell)
    return found if found is not None and (found.end.month, found.end.day) == (12, 31) else None


_BOTH = Text(
    "“{one}” and “{other}” are both there; “{taken}” is taken as revenue.",
    "“{one}”与“{other}”同时存在，营业收入取“{taken}”。",
)
