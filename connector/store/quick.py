"""Quick statements: asked through the driver itself, where making the answer ready costs more than the answer.

A statement that is made once (`@cache`) is put into the database's own words once, too; what goes in and what comes out is
converted by the same types as everywhere else. For small questions that are asked a thousand times a second. A parameter
that stands for many values must be one (`bulk.among_ids`, `bulk.one_of` for words of our own), not an expanding one.
"""

from __future__ import annotations

import datetime as dt
from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, CompoundSelect, Connection, Delete, Integer, Select, Update
from sqlalchemy.engine import Dialect

Convert = Callable[[Any], Any]
Asking = Select[Any] | CompoundSelect[Any]
Writing = Update | Delete


class _Made:
    """A statement in the words of one database."""

    def __init__(self, statement: Asking | Writing, dialect: Dialect) -> None:
        self.plain = dialect.name == "postgresql"
        # The driver would put its own placeholders in the place of named ones anew each time a long statement is asked.
        kind: Any = type(dialect)
        words = kind(paramstyle="numeric_dollar") if self.plain else dialect
        compiled = statement.compile(dialect=words)
        self.text = str(compiled)
        self.usual: dict[str, Any] = dict(compiled.params)
        self.places: list[str] | None = list(compiled.positiontup) if compiled.positiontup is not None else None
        self.into: dict[str, Convert] = {
            name: process
            for bound, name in compiled.bind_names.items()
            if (process := _into(bound.type, dialect)) is not None
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


def _into(kind: Any, dialect: Dialect) -> Convert | None:
    """How a value is made ready for the driver, where it has to be."""
    if dialect.name == "postgresql" and isinstance(kind, ARRAY) and isinstance(kind.item_type, Integer):
        return _as_array
    process: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return process


def _as_array(keys: Collection[int]) -> str:
    """Keys as PostgreSQL writes an array: the driver would look at each of them to find its kind."""
    return "{" + ",".join(map(str, keys)) + "}"


@lru_cache(maxsize=512)
def _made(statement: Asking | Writing, dialect: Dialect) -> _Made:
    return _Made(statement, dialect)


def rows(tx: Connection, statement: Asking, given: Mapping[str, Any] | None = None) -> list[Any]:
    """The rows that a statement gives, as named tuples."""
    made = _made(statement, tx.dialect)
    cursor = _cursor(tx, made)
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


def opening(tx: Connection, question: str) -> str:
    """The one text that a question in PostgreSQL's own words gives. At a seat a transaction begins with it, in one message,
    where it is the first of it."""
    driver: Any = tx.connection.driver_connection
    if (at_once := getattr(driver, "opening", None)) is not None:
        return str(at_once(question))
    return str(driver.execute(question).fetchone()[0])


def tell(tx: Connection, statement: str, values: Sequence[str | int | dt.datetime], ends: bool = False) -> int:
    """Writes by a statement in PostgreSQL's own words, `$1` for the first value; says of how many rows. `ends`: at a seat
    the transaction is committed with it, in one message; what is said in it afterwards is in another one."""
    closing = getattr(tx.connection.driver_connection, "closing", None) if ends else None
    if closing is not None:
        return int(closing(statement, values))
    cursor = _raw(tx)
    try:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def _cursor(tx: Connection, made: _Made) -> Any:
    """A cursor of the driver that takes a statement as the database is to hear it."""
    return _raw(tx) if made.plain else tx.connection.cursor()


def _raw(tx: Connection) -> Any:
    import psycopg  # there is a connection of it

    driver: Any = tx.connection.driver_connection
    return psycopg.RawCursor(driver)


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
    cursor = _cursor(tx, made)
    try:
        cursor.execute(made.text, made.values(given or {}))
        return int(cursor.rowcount)
    finally:
        cursor.close()
