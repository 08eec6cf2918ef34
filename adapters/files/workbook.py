"""Sheets of an .xlsx workbook as rows: numbers as exact decimals, dates as ISO days, formulas by their last values."""

from __future__ import annotations

import datetime as dt
import hashlib
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from adapters.files.rows import Row, Unreadable
from connector.errors import ConfigError
from connector.text import Text

# A workbook is a zip; one that unpacks to more than this is refused before anything is unpacked.
UNPACKED_MOST = 4 << 30
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})


class Workbook:
    """One .xlsx file. Raises ConfigError where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def state(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns

    @cached_property
    def sha(self) -> str:
        assert self.state
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]

    @cached_property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets."""
        book = self.open()
        names = tuple(str(name) for name in book.sheetnames)
        book.close()
        return names

    def open(self) -> Any:
        try:
            with zipfile.ZipFile(self.path) as packed:
                if sum(i.file_size for i in packed.infolist()) > UNPACKED_MOST:
                    raise ConfigError(
                        Text(
                            "{file} unpacks to more than 4 GB. Give the book as CSV files.",
                            "{file} 解压后超过 4 GB。请改用 CSV 文件。",
                        ).fill(file=self.path.name)
                    )
            return load_workbook(self.path, read_only=True, data_only=True, keep_links=False)
        except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError, ValueError):
            raise ConfigError(
                Text(
                    "{file} is not a readable .xlsx workbook. Save it as .xlsx, without a password.",
                    "{file} 不是可读取的 .xlsx 工作簿。请另存为 .xlsx，且不要加密码。",
                ).fill(file=self.path.name)
            ) from None


class SheetPart:
    """One sheet of a workbook; the first row is the header."""

    def __init__(self, book: Workbook, sheet: str) -> None:
        self.book, self.sheet = book, sheet

    @property
    def name(self) -> str:
        return f"{self.book.path.name}/{self.sheet}"

    def stamp(self) -> str:
        return self.book.sha

    def moved(self) -> bool:
        if not self.book.path.exists():
            return True
        found = self.book.path.stat()
        return (found.st_size, found.st_mtime_ns) != self.book.state

    def rows(self) -> Iterator[Row]:
        book = self.book.open()
        try:
            width = 0
            for line, raw in enumerate(book[self.sheet].iter_rows(values_only=True), 1):
                cells = [_cell(value) for value in raw]
                while cells and cells[-1] == "":
                    cells.pop()
                if not cells:
                    continue
                if not width:
                    width = len(cells)
                # A sheet leaves empty cells at the end of a row out; that is not a ragged row.
                cells += [""] * (width - len(cells))
                wrong = next((c for c in cells if isinstance(c, str) and c in _ERRORS), None)
                yield line, cells if wrong is None else _formula(wrong)
        finally:
            book.close()


def _formula(error: str) -> Unreadable:
    return Unreadable(
        "formula",
        Text("A cell of this row shows the error {error}.", "该行有单元格显示错误 {error}。").fill(error=error),
        Text("Correct the formula, or paste the value.", "请修正公式，或粘贴为数值。"),
    )


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str | bool | int) else str(value)


def exact(value: float) -> Decimal:
    """The number a person sees in a cell. Excel computes in binary: 0.1 + 0.2 is stored as 0.30000000000000004.

    Excel itself shows 15 digits; where these end in zeros the rest is noise, otherwise every digit counts.
    """
    seen = Decimal(f"{value:.15g}")
    digits = len(seen.normalize().as_tuple().digits)
    return Decimal(format(seen if digits <= 12 else Decimal(repr(value)), "f"))
