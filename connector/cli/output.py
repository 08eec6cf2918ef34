"""Output: one table of answers as a table for people, JSON, CSV or XLSX.

CSV and XLSX are safe from formula injection: a text that a spreadsheet would take for a formula gets a leading quote in
CSV and is a typed text cell in XLSX; numbers stay numbers.
"""

from __future__ import annotations

import contextlib
import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from connector.cli.common import say, t
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
    """One column: stable key for programs, heading for people, and how it is shown.

    `percent` columns hold a ratio as a Decimal; `coloured` ones hold the words of a warning level or a state.
    """

    key: str
    title: Text
    right: bool = False
    style: str = ""
    spare: int = 0  # where the window is too narrow, columns with the highest number are left out first
    percent: bool = False
    coloured: bool = False


@dataclass
class Table:
    """Rows of plain values (str, Text, int, Decimal, bool, None) under columns; `totals` are last rows that sum them.

    `lead` are lines before it for people (text, style); `more` are tables that belong to it: further sheets of a
    workbook, left out of CSV.
    """

    title: Text
    columns: Sequence[Column]
    rows: list[dict[str, Any]] = field(default_factory=list)
    totals: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    lead: list[tuple[str, str]] = field(default_factory=list)
    more: list[Table] = field(default_factory=list)


# The words of levels and the marks of states.
COLOURS = {
    **dict.fromkeys(("red", "红"), "red"),
    **dict.fromkeys(("orange", "橙"), "dark_orange"),
    **dict.fromkeys(("yellow", "黄"), "yellow"),
    **dict.fromkeys(("green", "绿"), "green"),
    "✓": "green",
    "!": "yellow",
    "✗": "red",
}

# What a hostile name could do to a terminal: control characters and those that turn the direction of writing.
_UNSEEN = {c: 0x2400 + c for c in range(32) if c != 10} | dict.fromkeys(
    (0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)


def clean(text: str) -> str:
    """A text of somebody else that is harmless on a terminal."""
    return text.translate(_UNSEEN)


def shown(value: Any, column: Column | None = None) -> str:
    """A value for people: grouped numbers, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return t("yes", "是") if value else ""
    if isinstance(value, Decimal) and column is not None and column.percent:
        return f"{value * 100:,.0f}%"
    if isinstance(value, (Decimal, int)):
        return f"{value:,}"
    text = clean(say(value) if isinstance(value, Text) else str(value))
    # The word stays beside the dot: colour alone tells nothing to some people.
    return f"● {text}" if column is not None and column.coloured and text in COLOURS else text


def emit(table: Table | Callable[[], Table], answer: Any, form: Format, out: Path | None) -> None:
    """Prints or writes a table in the chosen format; `answer` is what JSON shows instead, without making the table.

    The name of a file may say the format. ConfigError where it cannot be written.
    """
    if form is Format.table and out is not None and out.suffix.lower() in (".json", ".csv", ".xlsx"):
        form = Format(out.suffix.lower()[1:])
    if form is Format.json:
        _write(as_json(answer), out)
        return
    table = table() if callable(table) else table
    if form is Format.csv:
        _write([as_csv(table)], out)
    elif form is Format.xlsx:
        if out is None:
            raise ConfigError(Text("XLSX needs a file: --out FILE.xlsx", "XLSX 需要指定文件：--out 文件.xlsx"))
        with _told(out):
            write_xlsx(table, out)
    elif out is not None:
        from connector.cli.drawing import lines

        _write((f"{line}\n" for line, _ in lines(table, None)), out)
    else:
        print_table(table)


def _write(parts: Iterable[str], out: Path | None) -> None:
    if out is None:
        sys.stdout.writelines(parts)
        return
    with _told(out), out.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


@contextlib.contextmanager
def _told(out: Path) -> Iterator[None]:
    """Says that a file was written, or why it could not be."""
    try:
        yield
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                path=out, why=wrong.strerror or type(wrong).__name__
            )
        ) from None
    print(t(f"Written: {out}", f"已写出：{out}"), file=sys.stderr)


def as_json(answer: Any) -> Iterator[str]:
    """An answer as JSON, piece by piece, each element of its lists on a line of its own; decimals stay decimals."""
    import simplejson

    def said(value: Any) -> str:
        return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False))

    def listed(value: Any) -> Iterator[str]:
        if not isinstance(value, list) or not value:
            yield said(value)
            return
        for at, element in enumerate(value):
            yield f"{',' if at else '['}\n  {said(element)}"
        yield "\n ]"

    if isinstance(answer, dict) and answer:
        for at, (key, value) in enumerate(answer.items()):
            yield f"{',' if at else '{'}\n {said(key)}: "
            yield from listed(value)
        yield "\n}\n"
    else:
        yield from listed(answer)
        yield "\n"


def print_table(table: Table) -> None:
    """A table for people: as wide as the window, and as wide as it needs to be where there is none."""
    from connector.cli.common import console
    from connector.cli.drawing import lines

    out = console()
    if not out.is_terminal:
        sys.stdout.writelines(f"{line}\n" for line, _ in lines(table, None))
        return
    from rich.text import Text as Rich

    for line, spans in lines(table, out.width):
        drawn = Rich(line, no_wrap=True, overflow="ignore", end="\n")
        for start, end, style in spans:
            drawn.stylize(style, start, end)
        out.print(drawn, crop=False, soft_wrap=True)


def _plain(value: Any) -> Any:
    return say(value) if isinstance(value, Text) else value


# What a spreadsheet takes for the beginning of a formula, the full-width forms of East Asian locales among it.
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> str:
    """A value for CSV. Text that a spreadsheet would run gets a leading quote (ASVS 1.2.10); numbers are left alone."""
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value).replace("\r", " ").replace("\0", "")  # a bare CR would begin a row of its own
    return "'" + text if isinstance(value, str) and value.startswith(_RUN) else text


def as_csv(table: Table) -> str:
    """The rows as CSV, keys as header; without totals, so that a sum over a column is right."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.key for c in table.columns])
    keys = [c.key for c in table.columns]
    writer.writerows([safe_cell(row.get(key)) for key in keys] for row in table.rows)
    return out.getvalue()


_SHEET_DIGITS = 15  # a spreadsheet's numbers hold no more
_CELL_MOST = 32_767


def write_xlsx(table: Table, path: Path) -> None:
    """The rows as a workbook: typed cells, nothing that is run, headings in the language of this call."""
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    styles: dict[tuple[str | None, bool], Any] = {}

    def style(number: str | None, total: bool) -> Any:
        if (number, total) not in styles:
            wanted: dict[str, Any] = {"bold": True, "top": 1} if total else {}
            styles[number, total] = book.add_format(wanted | ({"num_format": number} if number else {}))
        return styles[number, total]

    head = book.add_format({"bold": True, "bottom": 1})
    for part in (table, *table.more):
        _sheet(book, part, head, style)
    try:
        book.close()
    except FileCreateError as wrong:
        cause = wrong.args[0] if wrong.args and isinstance(wrong.args[0], OSError) else None
        raise (cause or OSError(str(wrong))) from None


def _sheet(book: Any, table: Table, head: Any, style: Any) -> None:
    sheet = book.add_worksheet("".join(c for c in say(table.title) if c not in "[]:*?/\\'")[:31])
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, say(column.title), head)
        sheet.set_column(at, at, 16 if column.right else 22)
    sheet.freeze_panes(1, 1)
    last = len(table.rows)
    for line, row in enumerate([*table.rows, *table.totals], start=1):
        for at, column in enumerate(table.columns):
            value = _plain(row.get(column.key))
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(line, at, value, style(None, line > last))
            elif isinstance(value, (Decimal, int)) and len(Decimal(value).as_tuple().digits) <= _SHEET_DIGITS:
                sheet.write_number(line, at, value, style(_number_format(value, column), line > last))
            else:
                sheet.write_string(line, at, str(value)[:_CELL_MOST], style(None, line > last))
    if last:
        sheet.autofilter(0, 0, last, len(table.columns) - 1)


def _number_format(value: Decimal | int, column: Column) -> str | None:
    """A spreadsheet's format with as many decimals as the value has: those of its currency."""
    if column.percent:
        return "0%"
    if isinstance(value, int):
        return None if not column.right else "#,##0"
    exponent = value.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return "#,##0" + ("." + "0" * decimals if decimals else "")
