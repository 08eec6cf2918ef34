"""Once only: an item that two labels give is asked about, except where one of them is known to be the better one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.credit.statement_labels import normal_form
from connector.credit.statement_sheet import Finding
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.statement_read import Line

# Labels of one item, the better one first: the narrower line of a form that prints both.
_BETTER = {
    "revenue": ("营业收入", "营业总收入", "主营业务收入", "产品销售收入", "销售收入"),
    "cost": ("营业成本", "主营业务成本", "产品销售成本"),
    "fixed_assets": ("固定资产", "固定资产账面价值", "固定资产净额", "固定资产净值"),
    "taxes_surcharges": ("税金及附加", "营业税金及附加", "主营业务税金及附加"),
}


def once(lines: Sequence[Line]) -> tuple[list[Line], list[Finding]]:
    """Each item once, and a finding for every one that came twice with another label or amount.

    A merged line (应收票据及应收账款) gives way to its parts.
    """
    taken: dict[str, Line] = {}
    findings: list[Finding] = []
    for line in lines:
        first = taken.get(line.item)
        if first is None or (first.amount is None and first.opening is None):
            taken[line.item] = line
            continue
        if line.amount is None and line.opening is None:
            continue
        same = _whole(first) == _whole(line)
        if same and normal_form(first.label) == normal_form(line.label):
            continue
        order = _BETTER.get(line.item, ())
        forms = [normal_form(x.label) for x in (first, line)]
        known = forms[0] != forms[1] and all(form in order for form in forms)
        if known and order.index(forms[1]) < order.index(forms[0]):
            taken[line.item] = line
        findings.append(_twice(first, line, taken[line.item], clear=known or same))
    for merged, parts in (
        ("notes_and_receivables", ("receivables", "notes_receivable")),
        ("notes_and_payables", ("payables", "notes_payable")),
    ):
        part = next((taken[p] for p in parts if p in taken and taken[p].amount is not None), None)
        if merged in taken and part is not None:
            findings.append(_twice(taken.pop(merged), part, part, clear=True))
    return list(taken.values()), findings


def _whole(line: Line) -> list[Decimal | None]:
    return [None if amount is None else amount * (line.unit or 1) for amount in (line.amount, line.opening)]


def _twice(one: Line, other: Line, taken: Line, *, clear: bool) -> Finding:
    text = _TAKEN if clear else _TWICE
    return Finding(
        "twice",
        "flag" if clear else "refuse",
        text.fill(
            one=one.label.strip(),
            other=other.label.strip(),
            taken=taken.label.strip(),
            first=one.cell,
            second=other.cell,
        ),
        one.item,
        cells=(one.cell, other.cell),
    )


_TAKEN = Text(
    "“{one}” ({first}) and “{other}” ({second}) are both there; “{taken}” is used.",
    "“{one}”（{first}）与“{other}”（{second}）同时存在，采用“{taken}”。",
)
_TWICE = Text(
    "“{one}” ({first}) and “{other}” ({second}) are the same item with two amounts; “{taken}” was taken. Which one holds?",
    "“{one}”（{first}）与“{other}”（{second}）是同一项目而金额不同；暂取“{taken}”。以哪个为准？",
)
