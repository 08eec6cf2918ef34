"""Many rows at once, the way each database likes it: the driver's own `executemany` on SQLite, COPY on PostgreSQL.

Rows are tuples of what the drivers take as they are: int, str, bytes, bool, date, UTC datetime, None.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    column,
    func,
    or_,
    select,
)
from sqlalchemy import table as sql_table
from sqlalchemy import text as sql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import literal_column
from sqlalchemy.sql.functions import FunctionElement

from connector.store import quick

# ruff: noqa: S608 -- the names in these statements are our own tables' and columns', quoted by the dialect

# From so many rows on PostgreSQL's COPY is cheaper than single statements in a pipeline: into the table itself, and into a
# temporary one first.
_COPY_INTO_FROM, _COPY_FROM = 10, 200


def is_sqlite(tx: Connection) -> bool:
    """Which of the two databases this is."""
    return tx.dialect.name == "sqlite"


def among(tx: Connection, what: ColumnElement[Any], values: Collection[int] | Collection[str]) -> ColumnElement[bool]:
    """`what IN (values)` with one parameter however many values there are, so that one plan serves them all."""
    if is_sqlite(tx):
        return _Among(what, bindparam(None, given(tx, values), type_=_TEXT, unique=True))
    kind = ARRAY(Text()) if isinstance(what.type, Text) else ARRAY(BigInteger())
    return what == any_(bindparam(None, given(tx, values), type_=kind))


def among_ids(sqlite: bool, what: ColumnElement[Any], name: str = "ids") -> ColumnElement[bool]:
    """`what IN (:ids)` for a statement that is made once: what is executed gets `ids=given(tx, …)`."""
    if sqlite:
        return _Among(what, bindparam(name, type_=_TEXT))
    kind = ARRAY(Text()) if isinstance(what.type, Text) else ARRAY(BigInteger())
    return what == any_(bindparam(name, type_=kind))


def of_system(what: ColumnElement[Any]) -> ColumnElement[bool]:
    """`what = :of`, the key of a system, for a statement that is made once."""
    return what == bindparam("of", type_=BigInteger)


def given(tx: Connection, values: Collection[int] | Collection[str]) -> Any:
    """Many values as the one parameter that they are."""
    if not is_sqlite(tx):
        return list(values)
    return json.dumps(list(values))


class _Among(FunctionElement[bool]):
    """`what IN (the values of a JSON array)`; a clause of its own is made far faster than a subquery that says the same."""

    type = Boolean()
    inherit_cache = True
    name = "among"

    def self_group(self, against: Any = None) -> Any:
        """Itself: SQLite has no booleans, and `(… IN …) = 1`, as others are written there, would use no index."""
        return self


@compiles(_Among)
def _say_among(element: _Among, compiler: Any, **how: Any) -> str:
    what, values = element.clauses
    return f"({compiler.process(what, **how)} IN (SELECT value FROM json_each({compiler.process(values, **how)})))"


_TEXT = Text()


def literal(number: int) -> ColumnElement[int]:
    """A number written into the statement: a partial index is used only where its condition stands there as it is."""
    return literal_column(str(int(number)), BigInteger())


def word(text: str) -> ColumnElement[str]:
    """A word of our own written into the statement, for the same reason."""
    assert text.isidentifier()
    return literal_column(f"'{text}'", Text())


def one_of(what: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Whether it is one of some words of our own, written into the statement."""
    return or_(*(what == word(one) for one in words))


def new_ids(tx: Connection, table: Table, count: int) -> Iterable[int]:
    """Fresh primary keys. On SQLite the caller is the only writer; PostgreSQL's sequence serves all."""
    if not count:
        return ()
    if is_sqlite(tx):
        last = quick.value(tx, last_id(table)) or 0
        return range(last + 1, last + 1 + count)
    return quick.column(tx, _fresh_ids(table), {"count": count})


@cache
def last_id(table: Table) -> Select[Any]:
    """The highest primary key of a table; None where it is empty."""
    return select(func.max(table.c.id))


@cache
def _fresh_ids(table: Table) -> Select[Any]:
    sequence = func.nextval(literal_column(f"'{table.name}_id_seq'"))
    return select(sequence).select_from(func.generate_series(1, bindparam("count", type_=BigInteger())))


def insert(tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows that are known to be new."""
    if not rows:
        return
    name, names = _quoted(tx, table.name), ", ".join(_quoted(tx, c) for c in columns)
    if is_sqlite(tx) or len(rows) < _COPY_INTO_FROM:
        many(tx, f"INSERT INTO {name} ({names}) VALUES ({', '.join('?' * len(columns))})", rows)
    else:
        _copy(tx, f"{name} ({names})", rows)


def update(
    tx: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], by: Sequence[str] = ("id",)
) -> None:
    """Updates rows by key; each row is the values of `columns` and then those of `by`."""
    if not rows:
        return
    name = _quoted(tx, table.name)
    if is_sqlite(tx) or len(rows) < _COPY_FROM:
        sets = ", ".join(f"{_quoted(tx, c)} = ?" for c in columns)
        where = " AND ".join(f"{_quoted(tx, c)} = ?" for c in by)
        many(tx, f"UPDATE {name} SET {sets} WHERE {where}", rows)
        return
    names = ", ".join(_quoted(tx, c) for c in (*columns, *by))
    tx.execute(sql("DROP TABLE IF EXISTS pg_temp.arriving"))
    tx.execute(sql(f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {names} FROM {name} WITH NO DATA"))
    _copy(tx, f"pg_temp.arriving ({names})", rows)
    sets = ", ".join(f"{_quoted(tx, c)} = arriving.{_quoted(tx, c)}" for c in columns)
    where = " AND ".join(f"{name}.{_quoted(tx, c)} = arriving.{_quoted(tx, c)}" for c in by)
    tx.execute(sql(f"UPDATE {name} SET {sets} FROM pg_temp.arriving WHERE {where}"))
    tx.execute(sql("DROP TABLE pg_temp.arriving"))


def delete(tx: Connection, table: Table, ids: Collection[int]) -> None:
    """Deletes rows by primary key."""
    if ids:
        delete_by(tx, table.c.id, ids)


def delete_by(tx: Connection, what: Column[int], values: Collection[int]) -> None:
    """Deletes the rows of a column's table in which it has one of these values."""
    quick.write(tx, _delete_by(is_sqlite(tx), what), {"ids": given(tx, values)})


@cache
def _delete_by(sqlite: bool, what: Column[int]) -> Delete:
    return what.table.delete().where(among_ids(sqlite, what))


def stage(tx: Connection, name: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """A temporary table with these rows, for one statement that follows; `columns` is its definition."""
    tx.execute(sql(f"DROP TABLE IF EXISTS {name}"))
    tx.execute(sql(f"CREATE TEMPORARY TABLE {name} ({columns})"))
    names = [part.split()[0] for part in columns.split(",")]
    insert(tx, sql_table(name, *(column(n) for n in names)), names, rows)  # type: ignore[arg-type]
    if not is_sqlite(tx):
        tx.execute(sql(f"ANALYZE {name}"))


def _quoted(tx: Connection, name: str) -> str:
    return tx.dialect.identifier_preparer.quote(name)


def many(tx: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """One statement for each row; `?` marks the values, whatever the driver's own mark is."""
    if not is_sqlite(tx):
        statement = statement.replace("?", "%s")
    cursor = tx.connection.cursor()
    try:
        cursor.executemany(statement, rows)
    finally:
        cursor.close()


def one(tx: Connection, statement: str, values: tuple[Any, ...]) -> Any:
    """The first value that one statement gives back; `?` marks the values."""
    cursor = tx.connection.cursor()
    try:
        cursor.execute(statement if is_sqlite(tx) else statement.replace("?", "%s"), values)
        found = cursor.fetchone()
    finally:
        cursor.close()
    return None if found is None else found[0]


def _copy(tx: Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with tx.connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)
