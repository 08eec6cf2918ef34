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
from connector.credit.statement_layout import Block, blocks_of, under
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


def read_sheet(sheet: Sheet, labels: Mapping[str, str] | None = None, wanted: bool | None = None) -> SheetRead:
    """Reads one sheet; `labels` are the system's own labels, by normal form. `wanted`: consolidated or not, where both
    stand side by side."""
    return _Reader(sheet, labels or {}, wanted).read()


class _Reader:
    """The state of reading one sheet from top to bottom."""

    def __init__(self, sheet: Sheet, labels: Mapping[str, str], wanted: bool | None) -> None:
        self.sheet, self.labels, self.wanted = sheet, labels, wanted
        self.out = SheetRead(sheet.name, kind_of(tight(sheet.name)))
        self.kind = self.out.kind
        self.titled = False
        self.supplement = False
        self.headed = -2
        self.blocks: list[Block] = []
        self.out.consolidated = scope_of(tight(sheet.name))
        self.zeros: dict[int, statement_zero.Section] = defaultdict(statement_zero.Section)

    def read(self) -> SheetRead:
        for at, row in enumerate(self.sheet.rows):
            above = self.sheet.rows[at - 1] if at else ()
            blocks = blocks_of(row, self.blocks, above, self.wanted)
            if not blocks and self.headed == at - 1:
                blocks = under(self.blocks, row, self.wanted)
            if blocks:
                self.blocks, self.headed = blocks, at
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
        if first.consolidated is not None:
            self.out.consolidated = first.consolidated
        if any(b.scopes for b in self.blocks):
            self._once_only("two_scopes", _TWO_SCOPES.fill(cell=place(self.sheet.name, at, first.values[0])))

    def _once_only(self, code: str, text: Text) -> None:
        if not any(f.code == code for f in self.out.findings):
            self.out.findings.append(Finding(code, "refuse", text))

    def _above(self, row: Sequence[Cell]) -> None:
        """Titles, units and periods: rows without figures of their own."""
        skip_day = False
        filled = [cell for cell in row if cell is not None and cell != ""]
        for cell in filled:
            text = tight(cell)
            if len(filled) <= 8 and len(text) < 80:
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
            self.kind, self.supplement = kind, False
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
            now_at, now = self._figure(at, row, block.values)
            past_at, past = self._figure(at, row, block.priors)
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
            self.zeros[number].line(label, item, now, past, place(self.sheet.name, at, now_at))
            self.supplement |= self.kind == "cash" and normal_form(label).startswith("补充资料")
            if now.blank and past.blank:
                continue
            any_figure = True
            if self.kind != "other" and not self.supplement:
                cells = (
                    place(self.sheet.name, at, now_at),
                    place(self.sheet.name, at, past_at) if block.priors else "",
                )
                self._line(label, item, place(self.sheet.name, at, column), now, past, cells)
        return any_figure

    def _figure(self, at: int, row: Sequence[Cell], columns: Sequence[int]) -> tuple[int, Printed]:
        """The one filled cell among columns of the same period."""
        found = [(column, printed(_at(row, column))) for column in columns]
        filled = [(column, figure) for column, figure in found if not figure.blank]
        if len({figure.amount for _, figure in filled}) > 1:
            self._once_only("two_columns", _TWO_COLUMNS.fill(cell=place(self.sheet.name, at, filled[1][0])))
        return (filled or found or [(0, printed(None))])[0]

    def _line(
        self, label: str, item: str | None, label_cell: str, now: Printed, past: Printed, cells: tuple[str, str]
    ) -> None:
        if item is None:
            if not passed_over(label) and (now.amount is not None or past.amount is not None):
                self.out.unknown.append(Unknown(label.strip(), now.raw or past.raw, label_cell))
            return
        for figure, where in zip((now, past), cells, strict=True):
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
                cell=cells[0],
                raw=now.raw,
                opening_cell=cells[1],
                opening_raw=past.raw,
            )
        )

    def _label(self, row: Sequence[Cell], block: Block) -> tuple[int, str] | None:
        """The label of a line: the first words between the label column and the amounts."""
        for column in range(block.label, min((*block.values, *block.priors))):
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


def _at(row: Sequence[Cell], column: int) -> Cell:
    return row[column] if column < len(row) else None


_TWO_SCOPES = Text(
    "{cell}: the columns of the group and of the parent stand side by side. The group's were read; say which are meant: "
    "--consolidated or --parent.",
    "{cell}：合并与母公司的数字并列。已读取合并数；请用 --consolidated（合并）或 --parent（母公司）说明以哪一列为准。",
)
_TWO_COLUMNS = Text(
    "{cell}: two columns are headed alike and both hold amounts. The left one was read; remove the other.",
    "{cell}：两列表头相同且都有数字。已读取左列；请删去不需要的一列。",
)
_UNIT_DIFFERS = Text(
    "Sheet {sheet} names a second unit, “{words}”. Which one holds?",
    "工作表“{sheet}”出现另一个单位“{words}”，以哪个为准？",
)

__all__ = ["Line", "SheetRead", "Unknown", "read_sheet", "settled_period"]
