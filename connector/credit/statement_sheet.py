"""Sheets of a statement as they come from a file, findings about them, and the words that lead a person to the cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.text import Text

Level = Literal["refuse", "warn", "flag", "info"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that has no value to read: a formula that was never computed, or one that shows an error."""

    words: str


Cell = str | int | Decimal | dt.date | Broken | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name and its rows, the first row first."""

    name: str
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that reading or checking found.

    `refuse`: the statement feeds no decision until a person confirms it with a reason. `warn`: a person looks. `flag`:
    stays with every ratio. `info`: for the record. `difference` is in whole units of the statement's currency, `cells`
    are places such as 资产负债表!B7.
    """

    code: str
    level: Level
    text: Text
    item: str = ""
    difference: Decimal | None = None
    cells: tuple[str, ...] = ()


def place(sheet: str, row: int, column: int) -> str:
    """A cell as spreadsheets name it; row and column count from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{sheet}!{letters}{row + 1}"


def words_of(cell: Cell) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return ""
    if isinstance(cell, Broken):
        return cell.words
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)
