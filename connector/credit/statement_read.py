"""Reading a statement: sheets of rows in, one reading a scope out, with every item's cell and what is to be asked.

Amounts stay as printed beside the unit of their
sheet; nothing is guessed: what a sheet does not say is a finding that a person answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit import statement_zero
from connector.credit.statement_header import (
    Kind,
    company_of,
    currency_of,
    kind_of,
    scope_of,
    tight,
    title_kind,
    unit_of,
)
from connector.credit.statement_labels import SHEET_OF, item_of, normal_form, passed_over
from connector.credit.statement_layout import Block, blocks_of
from connector.credit.statement_numbers import Printed, printed
from connector.credit.statement_once import once
from connector.credit.statement_period import Period, other_day_follows, period_of, single_to_months
from connector.credit.statement_sheet import Cell, Finding, Sheet, place
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Line:
    """One line with an item: amounts as printed, the unit of its sheet (None: it does not say), and where it stands."""

    item: str
    label: str
    amount: Decimal | None
    opening: Decimal | None
    unit: int | None
    sheet: str
    cell: str
    raw: str
    opening_cell: str = ""
    opening_raw: str = ""
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A line with a number whose label nobody has told us yet."""

    label: str
    raw: str
    cell: str


@dataclass(slots=True)
class SheetRead:
    """What one sheet came to. `words` are labels seen, in normal form."""

    name: str
    kind: Kind | None
    unit: int | None = None
    currency: str | None = None
    consolidated: bool | None = None
    period: Period | None = None
    company: str | None = None
    basis: str | None = None
    cumulative: bool = False
    chinese: bool = False
    lines: list[Line] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    zeros: list[statement_zero.Proposal] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_sheet(sheet: Sheet, labels: Mapping[str, str] | None = None) -> SheetRead:
    """Reads one sheet; `labels` are the system's own labels, by normal form."""
    return _Reader(sheet, labels or {}).read()


class _Reader:
    """The state of reading one sheet from top to bottom."""

    def __init__(self, sheet: Sheet, labels: Mapping[str, str]) -> None:
        self.sheet, self.labels = sheet, labels
        self.out = SheetRead(sheet.name, kind_of(tight(sheet.name)))
        self.kind = self.out.kind
        self.titled = False
        self.blocks: list[Block] = []
        self.out.consolidated = scope_of(tight(sheet.name))
        self.zeros: dict[int, statement_zero.Section] = defaultdict(statement_zero.Section)

    def read(self) -> SheetRead:
        for at, row in enumerate(self.sheet.rows):
            blocks = blocks_of(row, self.blocks)
            if blocks:
                self.blocks = blocks
                self._header(at, row)
            elif not self.blocks or _only_marks(row) or not self._lines(at, row):
                self._above(row)
        self.out.lines, twice = once(self.out.lines)
        self.out.findings += twice
        for section in self.zeros.values():
            self.out.zeros += section.proposals
        return self.out

    def _header(self, at: int, row: Sequence[Cell]) -> None:
        first = self.blocks[0]
        self.out.cumulative |= first.cumulative
        for cell in row:
            self._unit(cell, heading=True)
        if first.period is not None and self.out.period is None:
            period = first.period
            if period.months is None and not period.single and first.prior_end is not None:
                apart = (period.end.year - first.prior_end.year) * 12 + period.end.month - first.prior_end.month
                period = Period(period.end, apart if 0 < apart <= 12 else None)
            self.out.period = period
        if any(b.twice for b in self.blocks):
            self.out.findings.append(
                Finding("two_columns", "refuse", _TWO_COLUMNS.fill(cell=place(self.sheet.name, at, first.value)))
            )

    def _above(self, row: Sequence[Cell]) -> None:
        """Titles, units and periods: rows without figures of their own."""
        skip_day = False
        filled = [cell for cell in row if cell is not None and cell != ""]
        for cell in filled:
            text = tight(cell)
            if len(filled) <= 3 and len(text) < 80:
                self._title(text)
            self._unit(cell, heading=bool(self.blocks))
            self.out.currency = self.out.currency or currency_of(text)
            self.out.company = self.out.company or company_of(cell)
            self._basis(text)
            period = None if skip_day else period_of(cell)
            skip_day = other_day_follows(cell)
            if period is not None and (self.out.period is None or self._better(period)):
                self.out.period = period

    def _better(self, period: Period) -> bool:
        """A period that tells its months is better than a day, of the same end."""
        known = self.out.period
        return known is not None and known.months is None and period.months is not None and period.end == known.end

    def _title(self, text: str) -> None:
        kind = title_kind(text)
        if kind is None:
            return
        if kind != self.kind or not self.titled:
            self.kind = kind
            if not self.titled:
                self.out.kind = kind
            self.blocks = [] if self.titled else self.blocks
        self.titled = True
        scope = scope_of(text)
        if scope is not None:
            self.out.consolidated = scope

    def _unit(self, cell: Cell, *, heading: bool) -> None:
        if not isinstance(cell, str):
            return
        found = unit_of(tight(cell), heading=heading)
        if found is None:
            return
        unit, currency = found
        if self.out.unit is None:
            self.out.unit = unit
        elif self.out.unit != unit and not (heading and unit == 1):
            self.out.findings.append(
                Finding("unit_differs", "refuse", _UNIT_DIFFERS.fill(sheet=self.sheet.name, words=cell.strip()[:40]))
            )
        self.out.currency = self.out.currency or currency

    def _basis(self, text: str) -> None:
        if "会小企" in text or "小企业会计准则" in text:
            self.out.basis = "small"
        elif "会企0" in text and self.out.basis is None:
            self.out.basis = "cas"

    def _lines(self, at: int, row: Sequence[Cell]) -> bool:
        """Reads the lines of a row; False where it holds no figure at all."""
        any_figure = False
        for number, block in enumerate(self.blocks):
            found = self._label(row, block)
            now, past = printed(_at(row, block.value)), printed(_at(row, block.prior))
            if found is None:
                any_figure |= not (now.blank and past.blank)
                continue
            column, label = found
            self.out.chinese |= any("\u4e00" <= c <= "\u9fff" for c in label)
            self.out.words.add(normal_form(label))
            item = item_of(label, self.labels)
            if self.kind == "cash" and item is not None and SHEET_OF[item] != "cash":
                # 补充资料 and indirect cash flows: these are changes, not the items of their names.
                any_figure |= not (now.blank and past.blank)
                continue
            self.zeros[number].line(label, item, now, past, place(self.sheet.name, at, block.value))
            if now.blank and past.blank:
                continue
            any_figure = True
            self._line(at, column, label, item, block, now, past)
        return any_figure

    def _line(
        self, at: int, column: int, label: str, item: str | None, block: Block, now: Printed, past: Printed
    ) -> None:
        cell = place(self.sheet.name, at, block.value)
        if self.kind == "other":
            return
        if item is None:
            if not passed_over(label) and (now.amount is not None or past.amount is not None):
                self.out.unknown.append(Unknown(label.strip(), now.raw or past.raw, place(self.sheet.name, at, column)))
            return
        past_cell = "" if block.prior is None else place(self.sheet.name, at, block.prior)
        for figure, where in ((now, cell), (past, past_cell)):
            if figure.problem is not None:
                self.out.findings.append(Finding("unreadable", "refuse", figure.problem, item, cells=(where,)))
        self.out.lines.append(
            Line(
                item=item,
                label=label,
                amount=now.amount,
                opening=past.amount,
                unit=None,
                sheet=self.sheet.name,
                cell=cell,
                raw=now.raw,
                opening_cell=past_cell,
                opening_raw=past.raw,
            )
        )

    def _label(self, row: Sequence[Cell], block: Block) -> tuple[int, str] | None:
        """The label of a line: the first words between the label column and the amounts."""
        stop = min(block.value, block.prior if block.prior is not None else block.value)
        for column in range(block.label, stop):
            cell = _at(row, column)
            if isinstance(cell, str) and cell.strip() and printed(cell).problem is not None:
                return column, cell
        return None


def _only_marks(row: Sequence[Cell]) -> bool:
    """A row such as £000 £000 under the years: £000 is no amount."""
    filled = [cell for cell in row if cell is not None and cell != ""]
    return bool(filled) and all(isinstance(c, str) and unit_of(tight(c), heading=True) is not None for c in filled)


def settled_period(read: SheetRead) -> Period | None:
    """A sheet's period, single months counted as its columns say."""
    return None if read.period is None else single_to_months(read.period, read.cumulative)


def _at(row: Sequence[Cell], column: int | None) -> Cell:
    return row[column] if column is not None and column < len(row) else None


_TWO_COLUMNS = Text(
    "{cell}: there are two columns for the same period (group and company?). The first one was read; name it with "
    "--consolidated or --parent, or remove the other.",
    "{cell}：同一期间有两列数字（合并与母公司？）。已读取第一列；请用 --consolidated 或 --parent 说明，或删去另一列。",
)
_UNIT_DIFFERS = Text(
    "Sheet {sheet} names a second unit, “{words}”. Which one holds?",
    "工作表“{sheet}”出现另一个单位“{words}”，以哪个为准？",
)

__all__ = ["Line", "SheetRead", "Unknown", "read_sheet", "settled_period"]
