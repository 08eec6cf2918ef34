"""Sheets in pages and in the XML of Excel 2003: what tax portals export under the name .xls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from html.parser import HTMLParser

from connector.credit.statement_sheet import Broken, Cell, Sheet
from connector.statement_file_cells import COLUMNS_MOST, ROWS_MOST, exact, fits


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
            # A page may be laid out by tables: what stands inside a cell ends it.
            self._end()
            self.tables.append([])
            self._below = {}
        elif tag == "tr":
            self._end()
            self._above()
            if not self.tables:
                self.tables.append([])
            self.tables[-1].append([])
            fits(len(self.tables[-1]), 1)
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self._end()
            row = self.tables[-1][-1]
            while self._below.get(len(row), 0) > 0:
                self._below[len(row)] -= 1
                row.append(None)
            given = dict(attrs)
            self._span = max(1, min(_count(given.get("colspan")), COLUMNS_MOST))
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
        if tag == "table":
            self.tables.append([])

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
        fits(1, len(row))
        self._cell, self._span = None, 1


def html_sheets(text: str) -> Iterable[Sheet]:
    parser = _Tables()
    parser.feed(text)
    parser.close()
    # Tables without figures are the page's own; what stands above a table in one of them belongs to it.
    rows = [row for table in parser.tables for row in table]
    yield Sheet("HTML", rows)


class _Spreadsheet(HTMLParser):
    """The sheets of a workbook as Excel 2003 wrote XML. No entity of the file's own is ever expanded."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sheets: list[tuple[str, list[list[Cell]]]] = []
        self._words: list[str] | None = None
        self._kind, self._at = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag.endswith("worksheet"):
            self.sheets.append((given.get("ss:name") or "Sheet", []))
        elif not self.sheets:
            return
        elif tag == "row":
            rows = self.sheets[-1][1]
            rows += [[] for _ in range(_skipped(given, len(rows), ROWS_MOST))]
            rows.append([])
            fits(len(rows), 1)
        elif tag == "cell" and self.sheets[-1][1]:
            row = self.sheets[-1][1][-1]
            row += [None] * _skipped(given, len(row), COLUMNS_MOST)
            row += [None] * (1 + min(_count(given.get("ss:mergeacross"), 0), COLUMNS_MOST))
            fits(1, len(row))
            self._at = len(row) - 1 - min(_count(given.get("ss:mergeacross"), 0), COLUMNS_MOST)
        elif tag.endswith("data") and self.sheets[-1][1] and self.sheets[-1][1][-1]:
            self._words, self._kind = [], (given.get("ss:type") or "").casefold()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag.endswith("data") and self._words is not None:
            words = "".join(self._words)
            self.sheets[-1][1][-1][self._at] = _typed(words, self._kind)
            self._words = None

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)


def _skipped(given: dict[str, str | None], there: int, most: int) -> int:
    """How many rows or cells are left out before one that says its own number."""
    return max(0, min(_count(given.get("ss:index"), there + 1), most + 1) - 1 - there)


def _typed(words: str, kind: str) -> Cell:
    if kind == "error":
        return Broken(words)
    if kind == "number":
        try:
            return exact(float(words))
        except ValueError:
            return words
    if kind == "datetime":
        try:
            return dt.date.fromisoformat(words[:10])
        except ValueError:
            return words
    return words if words.strip() else None


def xml_sheets(text: str) -> Iterable[Sheet]:
    parser = _Spreadsheet()
    parser.feed(text)
    parser.close()
    return [Sheet(name, rows) for name, rows in parser.sheets]


def _count(words: str | None, otherwise: int = 1) -> int:
    """A number of an attribute, within reason."""
    return min(int(words[:6]), 2 * ROWS_MOST) if words and words.isascii() and words.isdigit() else otherwise
