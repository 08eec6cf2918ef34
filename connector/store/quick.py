"""Quick statements: asked through the driver itself, where making the answer ready costs more than the answer.

A statement that is made once (`@cache`) is put into the database's own words once, too; what goes in and what comes out is
converted by the same types as everywhere else. For small questions that are asked a thousand times a second. A parameter
that stands for many values must be one (`bulk.among_ids`, `bulk.one_of` for words of our own), not an expanding one.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Delete, Select, Update
from sqlalchemy.engine import Dialect

Convert = Callable[[Any], Any]
Asking = Select[Any] | CompoundSelect[Any]
Writing = Update | Delete


class _Made:
    """A statement in the words of one database."""

    def __init__(self, statement: Asking | Writing, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self.usual: dict[str, Any] = dict(compiled.params)
        self.places: list[str] | None = list(compiled.positiontup) if compiled.positiontup is not None else None
        self.into: dict[str, Convert] = {
            name: process
            for bound, name in compiled.bind_names.items()
            if (process := bound.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        columns = [] if isinstance(statement, Writing) else list(statement.selected_columns)
        names = [column.key if column.key is not None else "_" for column in columns]
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        self.row: Callable[[Any], Any] = row._make
        out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self.out: list[tuple[int, Convert]] = [(at, process) for at, process in enumerate(out) if process is not None]

    def values(self, given: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them."""
        whole = {**self.usual, **given}
        for name, process in self.into.items():
            whole[name] = process(whole[name])
        return [whole[name] for name in self.places] if self.places is not None else whole


@lru_cache(maxsize=512)
def _made(statement: Asking | Writing, dialect: Dialect) -> _Made:
    return _Made(statement, dialect)


def rows(tx: Connection, statement: Asking, given: Mapping[str, Any] | None = None) -> list[Any]:
    """The rows that a statement gives, as named tuples."""
    made = _made(statement, tx.dialect)
    cursor = tx.connection.cursor()
    try:
        cursor.execute(made.text, made.values(given or {}))
        found = cursor.fetchall()
    finally:
        cursor.close()
    if not made.out:
        return list(map(made.row, found))
    changed = []
    for row in found:
        values = list(row)
        for at, process in made.out:
            values[at] = process(values[at])
        changed.append(made.row(values))
    return changed


def column(tx: Connection, statement: Asking, given: Mapping[str, Any] | None = None) -> list[Any]:
    """The first value of each row."""
    return [row[0] for row in rows(tx, statement, given)]


def value(tx: Connection, statement: Asking, given: Mapping[str, Any] | None = None) -> Any:
    """The first value of the first row, or None where there is none."""
    found = rows(tx, statement, given)
    return found[0][0] if found else None


def write(tx: Connection, statement: Writing, given: Mapping[str, Any] | None = None) -> int:
    """Changes or deletes rows; says how many."""
    made = _made(statement, tx.dialect)
    cursor = tx.connection.cursor()
    try:
        cursor.execute(made.text, made.values(given or {}))
        return int(cursor.rowcount)
    finally:
        cursor.close()
