"""Cells of statement files: how many there may be, and a number as a person sees it."""

from __future__ import annotations

from decimal import Decimal

from connector.credit.statement_sheet import Broken
from connector.errors import ConfigError
from connector.text import Text

# A statement is a few sheets of a few hundred rows; more is some other file, or an attack.
ROWS_MOST = 5_000
COLUMNS_MOST = 200


def exact(value: float) -> Decimal | Broken:
    """The number that a person sees in a cell: spreadsheets compute in binary and show 15 digits."""
    seen = Decimal(f"{value:.15g}")
    return Decimal(format(seen, "f")) if seen.is_finite() and abs(seen) < Decimal(10) ** 20 else Broken(str(value))


def fits(rows: int, columns: int) -> None:
    """Raises ConfigError where a sheet is larger than any statement."""
    if rows > ROWS_MOST or columns > COLUMNS_MOST:
        raise ConfigError(_TOO_MANY.fill(rows=ROWS_MOST, columns=COLUMNS_MOST))


_TOO_MANY = Text(
    "A sheet has more than {rows} rows or {columns} columns: this is no statement.",
    "工作表超过 {rows} 行或 {columns} 列，不像是财务报表。",
)
