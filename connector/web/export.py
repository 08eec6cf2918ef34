"""Exports: what a list shows, as a CSV file or as a workbook, with nothing in it that a spreadsheet would run.

A text that a spreadsheet takes for a formula gets a leading quote in CSV and is a typed text cell in XLSX; numbers stay
numbers with the decimals that they have.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import xlsxwriter
from starlette.requests import Request
from starlette.responses import Response

from connector.text import Language, Text
from connector.web.pages import language_of
from connector.web.session import Visitor

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTES = "application/octet-stream"
FORMS = ("csv", "xlsx")
# So many lines at most are given at once: a longer list is narrowed by its filters.
MOST = 50_000
# What a spreadsheet takes for the beginning of a formula, the full-width forms of East Asian locales among it.
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_SHEET_DIGITS = 15  # a spreadsheet's numbers hold no more
_CELL_MOST = 32_767


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in the rows, and its heading. `percent`: its values are shares of 1."""

    key: str
    title: Text
    percent: bool = False


def exported(
    request: Request,
    name: str,
    columns: Sequence[Column],
    rows: Iterable[dict[str, Any]],
    form: str,
    visitor: Visitor | None = None,
) -> Response:
    """Rows (str, Text, int, Decimal, bool, date, None by column) as a file to be kept. `name` is plain, without ending.

    `form` is csv or xlsx; CSV begins with the mark by which spreadsheets know UTF-8.
    """
    language = language_of(request, visitor)
    kept = [{key: _plain(value, language) for key, value in row.items()} for row in rows]
    body, kind = (_xlsx(columns, kept, language), XLSX) if form == "xlsx" else (_csv(columns, kept, language), CSV)
    return as_file(f"{name}.{'xlsx' if form == 'xlsx' else 'csv'}", body, kind)


def as_file(name: str, body: bytes, kind: str = BYTES) -> Response:
    """Bytes as a file to be kept, never to be shown: also where a browser is asked to, nothing in it runs."""
    headers = {
        "Content-Disposition": f"attachment; filename=\"{_ascii(name)}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(body, 200, headers, kind)


def safe(value: Any) -> str:
    """A value for CSV; a text that would be run as a formula is made harmless."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value).replace("\r", " ").replace("\0", "")
    return "'" + text if isinstance(value, str) and value.startswith(_RUN) else text


def _plain(value: Any, language: Language) -> Any:
    if isinstance(value, Text):
        return value.say(language)
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    return value


def _csv(columns: Sequence[Column], rows: Sequence[dict[str, Any]], language: Language) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(one.title.say(language)) for one in columns])
    writer.writerows([safe(row.get(one.key)) for one in columns] for row in rows)
    return ("\ufeff" + out.getvalue()).encode("utf-8", "replace")


def _xlsx(columns: Sequence[Column], rows: Sequence[dict[str, Any]], language: Language) -> bytes:
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        sheet, styles = book.add_worksheet(), {}
        head = book.add_format({"bold": True, "bottom": 1})
        for at, column in enumerate(columns):
            sheet.write_string(0, at, column.title.say(language), head)
            sheet.set_column(at, at, 20)
        sheet.freeze_panes(1, 1)
        for line, row in enumerate(rows, start=1):
            for at, column in enumerate(columns):
                value = row.get(column.key)
                if value is None:
                    continue
                if isinstance(value, bool):
                    sheet.write_boolean(line, at, value)
                elif isinstance(value, Decimal | int) and len(Decimal(value).as_tuple().digits) <= _SHEET_DIGITS:
                    number = _number(value, column)
                    if number not in styles:
                        styles[number] = book.add_format({"num_format": number})
                    sheet.write_number(line, at, value, styles[number])
                else:
                    sheet.write_string(line, at, str(value)[:_CELL_MOST])
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    return out.getvalue()


def _number(value: Decimal | int, column: Column) -> str:
    """A spreadsheet's format with as many decimals as the value has: those of its currency."""
    if column.percent:
        return "0.0%"
    exponent = Decimal(value).as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return "#,##0" + ("." + "0" * places if places else "")


def _ascii(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
