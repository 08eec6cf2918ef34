"""Files with statements opened as sheets: .xlsx, old .xls, the HTML, XML or tab text that portals call .xls, and CSV.

The content decides, not the name. A file is read as data only: no formula is computed, no macro run, nothing fetched.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.credit.statement_sheet import Broken, Cell, Sheet
from connector.errors import ConfigError
from connector.statement_file_cells import exact, fits
from connector.statement_file_markup import html_sheets, xml_sheets
from connector.text import Text

# More is no statement.
BYTES_MOST = 20_000_000
UNPACKED_MOST = 300_000_000
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_BIFF = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file: its name, the SHA-256 of its bytes in hexadecimal, what it is, its sheets."""

    name: str
    sha: str
    kind: str  # xlsx, xls, html, xml (of Excel 2003), text
    sheets: tuple[Sheet, ...]


def open_file(path: Path) -> Opened:
    """Opens a file. Raises ConfigError, with what to do, where it cannot be read as sheets."""
    try:
        size = path.stat().st_size
        if size > BYTES_MOST:
            raise ConfigError(_TOO_LARGE.fill(file=path.name, most=BYTES_MOST // 1_000_000))
        body = path.read_bytes()
    except OSError as wrong:
        raise ConfigError(_NO_FILE.fill(file=path, why=wrong.strerror or type(wrong).__name__)) from None
    return opened(path.name, body)


def opened(name: str, body: bytes) -> Opened:
    """The same of bytes that are there already."""
    kind = kind_of(body)
    if kind is None:
        raise ConfigError((_XBRL if _is_xbrl(body) else _UNREADABLE).fill(file=name))
    read = {"xlsx": _xlsx, "xls": _xls, "html": _html, "xml": _xml, "text": _text}[kind]
    try:
        sheets = tuple(read(body))
    except ConfigError:
        raise
    except Exception as wrong:  # whatever a broken file does to its reader is the file's fault
        raise ConfigError(_UNREADABLE.fill(file=name), log=f"{type(wrong).__name__} while reading as {kind}") from None
    return Opened(name, hashlib.sha256(body).hexdigest(), kind, sheets)


def kind_of(body: bytes) -> str | None:
    """What the content is; None: nothing that holds sheets."""
    if body.startswith(b"PK\x03\x04"):
        return "xlsx"
    if body.startswith(_OLE) or body.startswith(_BIFF):
        return "xls"
    if b"\0" in body[:4096] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    start = decoded(body[:20_000])
    if start is None or body.startswith(b"%PDF") or _is_xbrl(body):
        return None
    low = start.lstrip("\ufeff \r\n\t").casefold()
    if low.startswith("<") and _SPREADSHEET in low:
        return "xml"
    return "html" if low.startswith("<") and ("<table" in low or "<html" in low) else ("text" if low else None)


def _is_xbrl(body: bytes) -> bool:
    start = body[:4000].lower()
    return b"xbrl" in start and b"<" in start


def decoded(body: bytes) -> str | None:
    """Text in UTF-8, UTF-16 with its mark, or GB18030, as Chinese programs write it; None: no text."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body[: len(body) // 2 * 2].decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError as wrong:
            # The head of a file may end inside a character.
            if wrong.start >= len(body) - 4:
                return body[: wrong.start].decode(encoding)
    return None


def _xlsx(body: bytes) -> Iterable[Sheet]:
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        if sum(part.file_size for part in packed.infolist()) > UNPACKED_MOST:
            raise ConfigError(_TOO_LARGE.fill(file="xlsx", most=UNPACKED_MOST // 1_000_000))
    results = load_workbook(io.BytesIO(body), data_only=True, keep_links=False)
    formulas = load_workbook(io.BytesIO(body), data_only=False, keep_links=False)
    for sheet in results.worksheets:
        if sheet.sheet_state != "visible":
            continue
        fits(sheet.max_row, sheet.max_column)
        written = formulas[sheet.title]
        rows = [
            [_cell(value, written.cell(r, c).value if value is None else None) for c, value in enumerate(row, 1)]
            for r, row in enumerate(sheet.iter_rows(values_only=True), 1)
        ]
        yield Sheet(sheet.title, rows)


def _cell(value: Any, written: Any = None) -> Cell:
    if value is None:
        return Broken(str(written)[:60]) if isinstance(written, str) and written.startswith("=") else None
    if isinstance(value, str):
        return Broken(value) if value in _ERRORS else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, (int, Decimal, dt.date)):
        return value
    return str(value)


def _xls(body: bytes) -> Iterable[Sheet]:
    import xlrd

    book = xlrd.open_workbook(file_contents=body, on_demand=True, logfile=io.StringIO())
    for sheet in book.sheets():
        if sheet.visibility:
            continue
        fits(sheet.nrows, sheet.ncols)
        yield Sheet(
            sheet.name,
            [[_old(book, sheet.cell(r, c)) for c in range(sheet.row_len(r))] for r in range(sheet.nrows)],
        )


def _old(book: Any, cell: Any) -> Cell:
    import xlrd

    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return exact(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        found: dt.datetime = xlrd.xldate_as_datetime(cell.value, book.datemode)
        return found.date()
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return Broken(xlrd.error_text_from_code.get(cell.value, "#?"))
    return str(cell.value)


def _html(body: bytes) -> Iterable[Sheet]:
    return html_sheets(decoded(body) or "")


def _xml(body: bytes) -> Iterable[Sheet]:
    return xml_sheets(decoded(body) or "")


def _text(body: bytes) -> Iterable[Sheet]:
    text = (decoded(body) or "").lstrip("\ufeff")
    sample = text[:20_000]
    counts = {mark: sample.count(mark) for mark in ("\t", ";", ",")}
    # A thousands separator is a comma, too: tabs and semicolons come first.
    mark = "\t" if counts["\t"] else (";" if counts[";"] > counts[","] // 2 else ",")
    rows: list[Sequence[Cell]] = []
    for row in csv.reader(io.StringIO(text), delimiter=mark):
        rows.append([cell if cell.strip() else None for cell in row])
        fits(len(rows), len(row))
    yield Sheet("CSV", rows)


_NO_FILE = Text("{file} cannot be read: {why}.", "无法读取 {file}：{why}。")
_TOO_LARGE = Text("{file} is larger than {most} MB: this is no statement.", "{file} 超过 {most} MB，不像是财务报表。")
_UNREADABLE = Text(
    "{file} is no workbook that can be read. Save it as .xlsx, without a password; a PDF or a picture must be typed.",
    "{file} 不是可读取的工作簿。请另存为 .xlsx 且不加密码；PDF 或图片需人工录入。",
)
_XBRL = Text(
    "{file} is XBRL, which is not read here. Save the statements as .xlsx.",
    "{file} 是 XBRL 文件，这里无法读取。请将报表另存为 .xlsx。",
)
