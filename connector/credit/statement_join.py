"""A statement from the sheets of a file: balance, profit and cash flow of one scope put together, signs made ours.

A file with the group's sheets and the parent's gives two statements. What no sheet says and no person has said is a
finding that holds the statement back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.credit.statement_labels import normal_form
from connector.credit.statement_once import once
from connector.credit.statement_period import Period
from connector.credit.statement_read import Line, SheetRead, Unknown, settled_period
from connector.credit.statement_sheet import Finding
from connector.credit.statement_zero import Proposal
from connector.credit.statements import Pair
from connector.text import Text

LIABILITIES = (
    "short_term_loans", "notes_payable", "payables", "notes_and_payables", "advances_received", "contract_liabilities",
    "current_liabilities", "long_term_loans", "non_current_liabilities", "total_liabilities",
)  # fmt: skip
EXPENSES = (
    "cost", "taxes_surcharges", "selling_expenses", "admin_expenses", "rd_expenses", "finance_expenses",
    "interest_expense", "income_tax",
)  # fmt: skip
_SURE_EXPENSES = ("cost", "selling_expenses", "admin_expenses", "rd_expenses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the person who brings the file says of it; None: the file says it."""

    period_end_on: dt.date | None = None
    months: int | None = None
    currency: str | None = None
    unit: int | None = None
    consolidated: bool | None = None
    basis: str | None = None
    zeros: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One statement as a file gives it. `unit` is the coarsest of its sheets; None where one of them does not say it."""

    period_end_on: dt.date | None
    months: int | None
    currency: str | None
    unit: int | None
    basis: str | None
    consolidated: bool | None
    company: str | None
    lines: tuple[Line, ...]
    unknown: tuple[Unknown, ...] = ()
    zeros: tuple[Proposal, ...] = ()
    findings: tuple[Finding, ...] = ()

    def items(self) -> dict[str, Pair]:
        """Closing and opening amounts in whole units of the currency; as printed where the unit is not known."""
        return {line.item: (_whole(line.amount, line), _whole(line.opening, line)) for line in self.lines}

    def closing(self) -> dict[str, Decimal]:
        """The closing amounts that are known."""
        return {name: now for name, (now, _) in self.items().items() if now is not None}


def _whole(amount: Decimal | None, line: Line) -> Decimal | None:
    return None if amount is None else amount * (line.unit or 1)


def join(sheets: Sequence[SheetRead], given: Given) -> list[Brought]:
    """The statements of a file, the legal person's own first. Empty where no sheet has an item."""
    useful = [s for s in sheets if s.lines and s.kind != "other"]
    titled = [s for s in useful if s.kind is not None]
    # Beside statements, a sheet that does not say what it is holds notes: its tables bear the names of items, too.
    useful = titled or useful
    passed = [s.name for s in sheets if s not in useful and (s.lines or s.unknown or s.kind == "other")]
    ignored = [Finding("sheet_ignored", "info", _IGNORED.fill(sheets=", ".join(passed)))] if passed else []
    scopes = {s.consolidated for s in useful} - {None}
    groups: dict[bool | None, list[SheetRead]]
    if given.consolidated is not None and len(scopes) < 2:
        scopes = {given.consolidated}
        groups = {given.consolidated: useful}
    elif given.consolidated is not None:
        groups = {given.consolidated: [s for s in useful if s.consolidated == given.consolidated]}
    elif len(scopes) == 2:
        # A sheet that does not say whose it is belongs to neither.
        groups = {scope: [s for s in useful if s.consolidated == scope] for scope in (False, True)}
    else:
        groups = {next(iter(scopes), None): useful}
    found = [_one(some, scope, given) for scope, some in groups.items() if some]
    return [replace(one, findings=(*one.findings, *ignored)) for one in found]


def _one(sheets: Sequence[SheetRead], consolidated: bool | None, given: Given) -> Brought:
    findings = [f for s in sheets for f in s.findings]
    if given.unit is not None:
        findings = [f for f in findings if f.code != "unit_differs"]
    unsaid = [s.name for s in sheets if s.unit is None and any(x.unit is None and _known(x) for x in s.lines)]
    if given.unit is None and unsaid:
        findings.append(Finding("unit_missing", "refuse", _NO_UNIT.fill(sheets=", ".join(unsaid))))
    currency, more = _currency(sheets, given)
    findings += more
    period, more = _period(sheets, given)
    findings += more
    lines: list[Line] = []
    for sheet in sheets:
        signed, more = _signed(sheet)
        # The annual report writes a unit beside each number.
        lines += [replace(line, unit=line.unit or given.unit or sheet.unit) for line in signed]
        findings += more
    lines, more = once(lines)
    findings += more + _marks(sheets, lines)
    if given.zeros:
        lines = _with_zeros(lines, [(s, z) for s in sheets for z in s.zeros])
        zeros: tuple[Proposal, ...] = ()
    else:
        known = {x.item for x in lines if x.amount is not None}
        zeros = tuple(z for s in sheets for z in s.zeros if z.item not in known or z.opening)
        names = dict.fromkeys(z.label for z in zeros if not z.opening)
        if names:
            findings.append(Finding("zero_proposed", "info", _ZEROS.fill(labels=", ".join(names))))
    lines, more = _totals(lines)
    findings += more
    units = [line.unit for line in lines if _known(line)]
    return Brought(
        period_end_on=period.end if period else None,
        months=period.months if period else None,
        currency=currency,
        unit=None if None in units else max((u for u in units if u is not None), default=1),
        basis=given.basis or next((s.basis for s in sheets if s.basis), None),
        consolidated=consolidated,
        company=next((s.company for s in sheets if s.company), None),
        lines=tuple(lines),
        unknown=tuple(u for s in sheets for u in s.unknown),
        zeros=zeros,
        findings=tuple(findings),
    )


def _known(line: Line) -> bool:
    return line.amount is not None or line.opening is not None


def _currency(sheets: Sequence[SheetRead], given: Given) -> tuple[str | None, list[Finding]]:
    if given.currency:
        return given.currency, []
    said = {s.currency for s in sheets if s.currency}
    if len(said) == 1:
        return said.pop(), []
    if said:
        return None, [Finding("currency_differs", "refuse", _CURRENCIES.fill(found=", ".join(sorted(said))))]
    return None, [Finding("currency_missing", "refuse", _NO_CURRENCY)]


def _period(sheets: Sequence[SheetRead], given: Given) -> tuple[Period | None, list[Finding]]:
    """The common end of all sheets; the months of the profit sheet before those of the others."""
    findings = []
    found = {s.name: p for s in sheets if (p := settled_period(s)) is not None}
    ends = {p.end for p in found.values()}
    end = given.period_end_on or (max(ends) if ends else None)
    if given.period_end_on is None and len(ends) > 1:
        told = ", ".join(f"{name} {p.end}" for name, p in found.items())
        findings.append(Finding("period_differs", "refuse", _PERIODS.fill(found=told)))
    if end is None:
        return None, [Finding("period_missing", "refuse", _NO_PERIOD)]
    order = sorted(sheets, key=lambda s: ("profit", "cash", "balance").index(s.kind) if s.kind in SHEETS else 3)
    told_months = next((p.months for s in order if (p := settled_period(s)) is not None and p.months), None)
    # A balance sheet alone: its opening column is the beginning of the calendar year.
    return Period(end, given.months or told_months or end.month), findings


SHEETS = ("profit", "cash", "balance")


def _signed(sheet: SheetRead) -> tuple[list[Line], list[Finding]]:
    """English sheets print liabilities and expenses in brackets: absolute where all are, a problem where they mix."""
    if sheet.chinese:
        return sheet.lines, []
    lines, findings = list(sheet.lines), []
    for names, sure in ((LIABILITIES, LIABILITIES), (EXPENSES, _SURE_EXPENSES)):
        deciding = [x for x in lines if x.item in sure and x.amount]
        negative = [x for x in deciding if x.amount is not None and x.amount < 0]
        if negative and len(negative) == len(deciding):
            lines = [_turned(x) if x.item in names else x for x in lines]
        elif negative:
            cells = tuple(x.cell for x in negative)
            findings.append(Finding("brackets_mixed", "refuse", _MIXED.fill(cells=", ".join(cells)), cells=cells))
    return lines, findings


def _turned(line: Line) -> Line:
    return replace(
        line,
        amount=None if line.amount is None else -line.amount + 0,
        opening=None if line.opening is None else -line.opening + 0,
    )


def _marks(sheets: Sequence[SheetRead], lines: Sequence[Line]) -> list[Finding]:
    """What the labels that were taken leave to doubt."""
    words = {w for s in sheets for w in s.words}
    by_item = {line.item: normal_form(line.label) for line in lines}
    found = []
    if by_item.get("revenue") == "主营业务收入" and words & {"其他业务利润", "其他业务收入"}:
        found.append(Finding("revenue_main_only", "flag", _MAIN_ONLY, "revenue"))
    if by_item.get("receivables") in ("tradeandotherreceivables", "debtors"):
        found.append(Finding("receivables_broad_label", "flag", _BROAD, "receivables"))
    if "营业总收入" in words and "interest_income" in by_item and "财务费用" not in words:
        found.append(Finding("interest_of_financial_group", "flag", _GROUP_INTEREST, "interest_income"))
    return found


def _with_zeros(lines: Sequence[Line], zeros: Sequence[tuple[SheetRead, Proposal]]) -> list[Line]:
    found = {line.item: line for line in lines}
    for sheet, zero in zeros:
        line = found.get(zero.item) or Line(
            item=zero.item, label=zero.label, amount=None, opening=None, unit=sheet.unit, sheet=sheet.name,
            cell=zero.cell, raw="", computed=True,
        )  # fmt: skip
        if zero.opening and line.opening is None:
            line = replace(line, opening=Decimal(0))
        elif not zero.opening and line.amount is None:
            line = replace(line, amount=Decimal(0))
        found[zero.item] = line
    return list(found.values())


def _totals(lines: Sequence[Line]) -> tuple[list[Line], list[Finding]]:
    """Totals that UK balance sheets do not print, where assets less liabilities give the printed equity exactly."""
    by_item = {line.item: line for line in lines}
    parts = [by_item.get(name) for name in ("current_assets", "non_current_assets")]
    owed = [by_item.get(name) for name in ("current_liabilities", "non_current_liabilities")]
    if (
        "total_assets" in by_item
        or "total_liabilities" in by_item
        or "equity" not in by_item
        or None in (*parts, owed[0])
    ):
        return list(lines), []
    assets = _summed("total_assets", [p for p in parts if p])
    liabilities = _summed("total_liabilities", [p for p in owed if p])
    equity = by_item["equity"]
    if assets.amount is None or liabilities.amount is None or assets.amount - liabilities.amount != equity.amount:
        return list(lines), []
    return [*lines, assets, liabilities], [Finding("totals_computed", "flag", _COMPUTED)]


def _summed(item: str, parts: Sequence[Line]) -> Line:
    def total(amounts: Sequence[Decimal | None]) -> Decimal | None:
        known = [a for a in amounts if a is not None]
        return sum(known, Decimal(0)) if len(known) == len(amounts) else None

    return Line(
        item=item,
        label=" + ".join(p.label.strip() for p in parts),
        amount=total([p.amount for p in parts]),
        opening=total([p.opening for p in parts]),
        unit=parts[0].unit,
        sheet=parts[0].sheet,
        cell=", ".join(p.cell for p in parts),
        raw="",
        computed=True,
    )


_IGNORED = Text(
    "Not read: {sheets} (no balance sheet, profit or cash flow statement by title or name).",
    "未读取：{sheets}（标题及表名均非资产负债表、利润表或现金流量表）。",
)
_NO_UNIT = Text(
    "The unit is not printed on {sheets}. Say it: --unit 1, 1000, 10000 or 1000000 (元, 千元, 万元, 百万元).",
    "{sheets} 未注明金额单位。请说明：--unit 1、1000、10000 或 1000000（元、千元、万元、百万元）。",
)
_NO_CURRENCY = Text(
    "The currency is not printed. Say it: --currency CNY, if these are yuan.",
    "未注明币种。请说明；若为人民币：--currency CNY。",
)
_CURRENCIES = Text(
    "The sheets name several currencies: {found}. Say which one: --currency.",
    "各表注明的币种不一致：{found}。请用 --currency 说明。",
)
_NO_PERIOD = Text(
    "The period is not printed. Say it: --period-end 2025-12-31 --months 12.",
    "未注明会计期间。请说明：--period-end 2025-12-31 --months 12。",
)
_PERIODS = Text(
    "The sheets end on different days: {found}. Say which one: --period-end.",
    "各表截止日不一致：{found}。请用 --period-end 说明。",
)
_MIXED = Text(
    "Some liabilities or expenses stand in brackets, others do not ({cells}).",
    "部分负债或费用带括号、部分不带（{cells}），正负号不统一。",
)
_MAIN_ONLY = Text(
    "Revenue is 主营业务收入 alone; other business income stands apart.",
    "营业收入只取了主营业务收入，其他业务收入另列。",
)
_BROAD = Text("Receivables hold other receivables, too.", "应收账款中包含其他应收款。")
_GROUP_INTEREST = Text(
    "The interest income is that of a financial business, not that under finance expenses.",
    "该利息收入为金融业务收入，并非财务费用项下的利息收入。",
)
_ZEROS = Text(
    "A total closes without them, so these may be zero: {labels}. Accept with --accept-zeros; until then not known.",
    "合计数在不含以下项目时恰好相符，这些项目可能为零：{labels}。用 --accept-zeros 确认，确认前视为未知。",
)
_COMPUTED = Text(
    "Total assets and total liabilities are not printed; they are sums that give the printed equity.",
    "资产总计与负债合计未列示，由各部分相加得出，与列示的所有者权益相符。",
)
