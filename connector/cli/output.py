"""Output: one table of answers as a table for people, JSON, CSV or XLSX.

CSV and XLSX are safe from formula injection: a text that a spreadsheet would take for a formula gets a leading quote in
CSV and is a typed text cell in XLSX; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import simplejson

from connector.cli.common import console, say, t
from connector.errors import ConfigError
from connector.text import Text


class Format(StrEnum):
    """The formats of every report."""

    table = "table"
    json = "json"
    csv = "csv"
    xlsx = "xlsx"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: stable key for programs, heading for people, and how it is shown."""

    key: str
    title: Text
    right: bool = False
    style: str = ""
    spare: int = 0  # where the window is too narrow, columns with the highest number are left out first


@dataclass
class Table:
    """Rows of plain values (str, int, Decimal, None) under columns; `total` is a last row that sums them."""

    title: Text
    columns: Sequence[Column]
    rows: list[dict[str, Any]] = field(default_factory=list)
    totals: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)


def emit(table: Table, answer: Any, form: Format, out: Path | None) -> None:
    """Prints or writes a table in the chosen format; `answer` is what JSON shows instead."""
    if form is Format.json:
        _write(simplejson.dumps(answer, use_decimal=True, ensure_ascii=False, indent=1) + "\n", out)
    elif form is Format.csv:
        _write(as_csv(table), out)
    elif form is Format.xlsx:
        if out is None:
            raise ConfigError(Text("XLSX needs a file: --out FILE.xlsx", "XLSX 需要指定文件：--out 文件.xlsx"))
        write_xlsx(table, out)
    else:
        print_table(table)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


def shown(value: Any) -> str:
    """A value for people: grouped numbers, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return t("yes", "是") if value else ""
    if isinstance(value, (Decimal, int)):
        return f"{value:,}"
    return say(value) if isinstance(value, Text) else str(value)


_NAME_MOST = 30


def _fitting(table: Table, width: int) -> list[Column]:
    """The columns that fit into a window; numbers are never cut, so whole columns go instead."""
    from rich.cells import cell_len

    def needs(column: Column) -> int:
        cells = [say(column.title), *(shown(r.get(column.key)) for r in [*table.rows, *table.totals])]
        widest = max((cell_len(line) for c in cells for line in c.splitlines() or [""]), default=0)
        return 2 + (widest if column.right else min(widest, _NAME_MOST))

    widths = {c.key: needs(c) for c in table.columns}
    left = list(table.columns)
    while sum(widths[c.key] for c in left) > width and any(c.spare for c in left):
        left.remove(max(left, key=lambda c: c.spare))
    return left


def print_table(table: Table) -> None:
    """A table for people, as wide as the window."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Drawn

    out = console()
    columns = _fitting(table, out.width)
    drawn = Drawn(title=say(table.title), box=box.SIMPLE_HEAD, title_justify="left", show_footer=False, pad_edge=False)
    for column in columns:
        drawn.add_column(
            say(column.title),
            justify="right" if column.right else "left",
            style=column.style or None,
            no_wrap=column.right,
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(_coloured(escape(shown(row.get(c.key)))) for c in columns))
    for at, row in enumerate(table.totals):
        if at == 0:
            drawn.add_section()
        drawn.add_row(*(escape(shown(row.get(c.key))) for c in columns), style="bold")
    out.print(drawn)
    hidden = [say(c.title) for c in table.columns if c not in columns]
    if hidden:
        out.print(
            t(
                f"Not shown, the window is narrow: {', '.join(hidden)} (--format csv has all).",
                f"窗口较窄，未显示：{', '.join(hidden)}（--format csv 含全部列）。",
            ),
            style="dim",
        )
    for note in table.notes:
        out.print(say(note), markup=False)


_COLOURS = {"red": "red", "红": "red", "orange": "dark_orange", "橙": "dark_orange"} | {
    "yellow": "yellow", "黄": "yellow", "green": "green", "绿": "green"
}  # fmt: skip


def _coloured(cell: str) -> str:
    """A level in its colour; the word stays, because colour alone tells nothing to some people."""
    colour = _COLOURS.get(cell.removeprefix("● ")) if cell.startswith("● ") else None
    return f"[{colour}]{cell}[/{colour}]" if colour else cell


def _plain(value: Any) -> Any:
    return say(value) if isinstance(value, Text) else value


def safe_cell(value: Any) -> str:
    """A value for CSV. Text that a spreadsheet would run gets a leading quote (ASVS 1.2.10); numbers are left alone."""
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\0"):
        return "'" + value
    return str(value)


def as_csv(table: Table) -> str:
    """The rows as CSV, keys as header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.key for c in table.columns])
    for row in table.rows:
        writer.writerow([safe_cell(row.get(c.key)) for c in table.columns])
    return out.getvalue()


def write_xlsx(table: Table, path: Path) -> None:
    """The rows as a workbook: typed cells, nothing that is run, headings in the language of this call."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    try:
        sheet = book.add_worksheet("".join(c for c in say(table.title) if c not in "[]:*?/\\")[:31])
        head, money, bold = (
            book.add_format({"bold": True, "bottom": 1}),
            book.add_format({"num_format": "#,##0.00"}),
            book.add_format({"bold": True, "num_format": "#,##0.00", "top": 1}),
        )
        for at, column in enumerate(table.columns):
            sheet.write_string(0, at, say(column.title), head)
            sheet.set_column(at, at, 14 if column.right else 22)
        sheet.freeze_panes(1, 1)
        last = len(table.rows)
        for line, row in enumerate([*table.rows, *table.totals], start=1):
            for at, column in enumerate(table.columns):
                value = _plain(row.get(column.key))
                if value is None:
                    continue
                style = bold if line > last else (money if isinstance(value, Decimal) else None)
                if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
                    sheet.write_number(line, at, value, style)
                else:
                    sheet.write_string(line, at, shown(value) if isinstance(value, bool) else str(value), style)
        if last:
            sheet.autofilter(0, 0, last, len(table.columns) - 1)
    finally:
        book.close()
