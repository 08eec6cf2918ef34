"""Terse: a connection to PostgreSQL that begins or ends a transaction in one message with what is said first or last in it.

The driver sends a message for each. For what is done a thousand times a second, every message waits for its answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import Escaping, ExecStatus, TransactionStatus

Value = str | int | dt.datetime
_WELL = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Terse(psycopg.Connection[Any]):
    """A connection of a seat."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # What the server has been told to remember, and under which names. No name comes twice.
        self._remembered: dict[str, str] = {}
        self._names = 0

    def opening(self, question: str) -> str:
        """The one text that a question gives. A transaction is begun with it, where there is none."""
        with self.lock:
            if self.pgconn.transaction_status == TransactionStatus.IDLE:
                level = self.isolation_level
                begin = "BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}"
                question = f"{begin}; {question}"
            self.pgconn.send_query(self._bytes(question))
            return str(self._answer()[-1].get_value(0, 0).decode(self.info.encoding))

    def closing(self, statement: str, values: Sequence[Value]) -> int:
        """Writes by a statement, `$1` for the first value, and commits; says how many rows it has written. Where it fails
        nothing is committed."""
        with self.lock:
            name = self._remembered.get(statement)
            if name is None:
                self._names += 1
                name = f"holdfast_{self._names}"
                self.pgconn.send_prepare(name.encode(), self._bytes(statement))
                self._answer()
                self._remembered[statement] = name
            escaped = Escaping(self.pgconn).escape_literal
            said = b", ".join(bytes(escaped(self._bytes(str(value)))) for value in values)
            self.pgconn.send_query(b"EXECUTE %s (%s); COMMIT" % (name.encode(), said))
            return self._answer()[0].command_tuples or 0

    def rollback(self) -> None:
        """psycopg's own, which lets the server forget all statements."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            self._remembered.clear()
        super().rollback()

    def _answer(self) -> list[Any]:
        found: list[Any] = self.wait(generators.execute(self.pgconn))
        for result in found:
            if result.status not in _WELL:
                raise error_from_result(result, self.info.encoding)
        return found

    def _bytes(self, text: str) -> bytes:
        return text.encode(self.info.encoding)
