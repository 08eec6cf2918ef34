"""Concerns: whom the changes of a transaction concern, so that who keeps what he has read forgets only these.

Whoever begins a transaction and knows what is written in it, all of it, declares so by giving `Store.writing` a `Concern`;
it is filled where customers are marked as changed, and by whoever writes what leaves no mark. A transaction of which nothing
is declared may concern everybody.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from connector.store import bulk

# Whoever concerns more than so many is not looked at one by one.
_MANY = 2_000
# So many transactions are remembered; more than these in between are not looked at either.
_REMEMBERED = 20_000
_LOOKED_AT = 500
_INFO = "holdfast_concern"


@dataclass
class Concern:
    """Whose judgement may be another after a transaction: customers, debtors, everybody; `names`: whom an id, a tax number
    or a link means; `ground`: rates, and how old the data are. `number` is that of the transaction, once it is noted."""

    customers: set[int] = field(default_factory=set)
    debtors: set[int] = field(default_factory=set)
    names: bool = False
    ground: bool = False
    everybody: bool = False
    number: int | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether nothing that anybody keeps is another."""
        return not (self.customers or self.debtors or self.names or self.ground or self.everybody)

    def add(self, text: str | None) -> None:
        """Adds what was noted of a transaction."""
        if text is None:
            self.everybody = True
            return
        said = json.loads(text)
        self.customers.update(said.get("customers", ()))
        self.debtors.update(said.get("debtors", ()))
        self.names |= "names" in said
        self.ground |= "ground" in said

    def text(self) -> str | None:
        """What is noted of a transaction."""
        if self.everybody or len(self.customers) + len(self.debtors) > _MANY:
            return None
        said: dict[str, Any] = {}
        if self.customers:
            said["customers"] = sorted(self.customers)
        if self.debtors:
            said["debtors"] = sorted(self.debtors)
        if self.names:
            said["names"] = True
        if self.ground:
            said["ground"] = True
        return json.dumps(said, separators=(",", ":"))


# --- while a transaction goes on --------------------------------------------------------------------------------------
@contextmanager
def declared(tx: Connection, concern: Concern | None) -> Iterator[None]:
    """A transaction of which this is declared (None: nothing is)."""
    if concern is None:
        yield
        return
    info = tx.info
    info[_INFO] = concern
    try:
        yield
    finally:
        info.pop(_INFO, None)


def of_this(tx: Connection) -> Concern:
    """What is declared of a transaction, to be filled; where nothing is, it is filled for nobody."""
    found: Concern | None = tx.info.get(_INFO)
    return Concern() if found is None else found


def is_declared(tx: Connection) -> bool:
    """Whether anybody will be told whom this transaction concerns."""
    return _INFO in tx.info


# --- for others -------------------------------------------------------------------------------------------------------
def note(tx: Connection, concern: Concern | None) -> None:
    """The last word of a transaction that has written something: whom it concerned (None: nobody knows). Where it is nobody
    there is nothing to note."""
    if concern is not None and concern.is_nobody:
        return
    cursor = tx.connection.cursor()
    try:
        text = None if concern is None else concern.text()
        if bulk.is_sqlite(tx):
            number = cursor.execute("INSERT INTO concern (whom) VALUES (?)", (text,)).lastrowid
            if number % 1024 == 0:
                cursor.execute("DELETE FROM concern WHERE number <= ?", (number - _REMEMBERED,))
            if concern is not None:
                concern.number = number
        else:
            found = cursor.execute(_NOTE, (text,)).fetchone()
            if found is not None and found[0] % 256 == 0:
                cursor.execute("DELETE FROM concern WHERE number < %s", (found[0] - _REMEMBERED,))
    finally:
        cursor.close()


# A transaction that has written nothing has no number, and gets none for this. Where there is a row already, the database has
# made it, because this connection has not said that it declares (`declares`): then everybody is concerned.
_NOTE = (
    "INSERT INTO concern (number, whom) SELECT pg_current_xact_id_if_assigned()::text::bigint, %s "
    "WHERE pg_current_xact_id_if_assigned() IS NOT NULL ON CONFLICT DO NOTHING RETURNING number"
)


def of(tx: Connection, numbers: Collection[int]) -> tuple[bool, Concern | None]:
    """Whether any of some transactions on PostgreSQL concerned anybody, and whom, together; None: they may concern
    everybody. Those that noted nothing concern nobody, are of the server itself, which gathers statistics, of other
    databases, or came to nothing: of other programs that write what orders are judged by, triggers note that they concern
    everybody."""
    found, any_of_them = Concern(), False
    if not numbers:
        return False, found
    cursor = tx.connection.cursor()
    try:
        asked = "SELECT number, whom FROM concern WHERE number BETWEEN %s AND %s"
        rows = cursor.execute(asked, (min(numbers), max(numbers))).fetchall()
    finally:
        cursor.close()
    for number, text in rows:
        if number in numbers:
            any_of_them = True
            found.add(text)
    return any_of_them, None if found.everybody else found


def after(tx: Connection, number: int) -> tuple[int, Concern | None]:
    """The newest number on SQLite, and whom the transactions after one concerned, together; None: they may concern
    everybody, because one of them does not say, or they are too many. Of those that concern nobody nothing is noted."""
    cursor = tx.connection.cursor()
    try:
        asked = "SELECT number, whom FROM concern WHERE number > ? ORDER BY number LIMIT ?"
        rows = cursor.execute(asked, (number, _LOOKED_AT)).fetchall()
    finally:
        cursor.close()
    if len(rows) == _LOOKED_AT or (not rows and newest(tx) != number):
        return newest(tx), None
    found = Concern()
    for _, text in rows:
        found.add(text)
    last = int(rows[-1][0]) if rows else number
    return last, None if found.everybody or last - number != len(rows) else found


def newest(tx: Connection) -> int:
    """The number of the newest transaction that is remembered on SQLite; 0 where there is none."""
    cursor = tx.connection.cursor()
    try:
        return int(cursor.execute("SELECT coalesce(max(number), 0) FROM concern").fetchone()[0])
    finally:
        cursor.close()
