"""Files with statements opened as sheets: .xlsx, old .xls, and the HTML or tab text that tax portals call .xls, and CSV.

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
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from connector.credit.statement_sheet import Broken, Cell, Sheet
from connector.errors import ConfigError
from connector.text import Text

# A statement is a few sheets of a few hundred rows; more is some other file, or an attack.
BYTES_MOST = 20_000_000
UNPACKED_MOST = 300_000_000
ROWS_MOST = 5_000
COLUMNS_MOST = 200
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file: its name, the SHA-256 of its bytes in hexadecimal, what it is, its sheets."""

    name: str
    sha: str
    kind: str  # xlsx, xls, html, text
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
    read = {"xlsx": _xlsx, "xls": _xls, "html": _html, "text": _text}[kind]
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
        _fits(sheet.max_row, sheet.max_column)
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


def exact(value: float) -> Decimal | Broken:
    """The number that a person sees in a cell: spreadsheets compute in binary and show 15 digits."""
    seen = Decimal(f"{value:.15g}")
    return Decimal(format(seen, "f")) if seen.is_finite() and abs(seen) < Decimal(10) ** 20 else Broken(str(value))


def _xls(body: bytes) -> Iterable[Sheet]:
    import xlrd

    book = xlrd.open_workbook(file_contents=body, on_demand=True, logfile=io.StringIO())
    for sheet in book.sheets():
        if sheet.visibility:
            continue
        _fits(sheet.nrows, sheet.ncols)
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


class _Tables(HTMLParser):
    """The tables of a page as rows; a cell over several columns or rows leaves the others empty."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[Cell]]] = []
        self._cell: list[str] | None = None
        self._outside: list[str] = []
        self._unseen = 0
        self._span = 1
        self._below: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "title"):
            self._unseen += 1
        if tag in ("table", "p", "div", "br", "h1", "h2", "h3") and self._cell is None:
            self._above()
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self._end()
            self._above()
            if not self.tables:
                self.tables.append([])
            self.tables[-1].append([])
            _fits(len(self.tables[-1]), 1)
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._end()
            row = self.tables[-1][-1]
            while self._below.get(len(row), 0) > 0:
                self._below[len(row)] -= 1
                row.append(None)
            given = dict(attrs)
            self._span = _count(given.get("colspan"))
            for column in range(len(row), len(row) + self._span):
                self._below[column] = _count(given.get("rowspan")) - 1
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._unseen = max(0, self._unseen - 1)
        if tag in ("td", "th", "tr", "table"):
            self._end()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        elif not self._unseen:
            self._outside.append(data)

    def _above(self) -> None:
        """Words between tables are a row of their own: the title and the unit often stand there."""
        words, self._outside = "".join(self._outside).strip(), []
        if words:
            self.tables.append([[words]])

    def _end(self) -> None:
        if self._cell is None:
            return
        row = self.tables[-1][-1]
        words = "".join(self._cell)
        row += [words if words.strip() else None, *[None] * (self._span - 1)]
        _fits(1, len(row))
        self._cell, self._span = None, 1


def _count(words: str | None) -> int:
    return min(max(int(words), 1), COLUMNS_MOST) if words and words.isascii() and words.isdigit() else 1


def _html(body: bytes) -> Iterable[Sheet]:
    parser = _Tables()
    parser.feed(decoded(body) or "")
    parser.close()
    # Tables without figures are the page's own; what stands above a table in one of them belongs to it.
    rows = [row for table in parser.tables for row in table]
    yield Sheet("HTML", rows)


def _text(body: bytes) -> Iterable[Sheet]:
    text = (decoded(body) or "").lstrip("\ufeff")
    sample = text[:20_000]
    counts = {mark: sample.count(mark) for mark in ("\t", ";", ",")}
    # A thousands separator is a comma, too: tabs and semicolons come first.
    mark = "\t" if counts["\t"] else (";" if counts[";"] > counts[","] // 2 else ",")
    rows: list[Sequence[Cell]] = []
    for row in csv.reader(io.StringIO(text), delimiter=mark):
        rows.append([cell if cell.strip() else None for cell in row])
        _fits(len(rows), len(row))
    yield Sheet("CSV", rows)


def _fits(rows: int, columns: int) -> None:
    if rows > ROWS_MOST or columns > COLUMNS_MOST:
        raise ConfigError(_TOO_MANY.fill(rows=ROWS_MOST, columns=COLUMNS_MOST))


_NO_FILE = Text("{file} cannot be read: {why}.", "无法读取 {file}：{why}。")
_TOO_LARGE = Text("{file} is larger than {most} MB: this is no statement.", "{file} 超过 {most} MB，不像是财务报表。")
_TOO_MANY = Text(
    "A sheet has more than {rows} rows or {columns} columns: this is no statement.",
    "工作表超过 {rows} 行或 {columns} 列，不像是财务报表。",
)
_UNREADABLE = Text(
    "{file} is no workbook that can be read. Save it as .xlsx, without a password; a PDF or a picture must be typed.",
    "{file} 不是可读取的工作簿。请另存为 .xlsx 且不加密码；PDF 或图片需人工录入。",
)
_XBRL = Text(
    "{file} is XBRL, which is not read here. Save the statements as .xlsx.",
    "{file} 是 XBRL 文件，这里无法读取。请将报表另存为 .xlsx。",
)
