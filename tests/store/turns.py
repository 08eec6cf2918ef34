"""Turns: every transaction of the tests takes what others wait for in one order, or the test fails: no two can wait for
each other. Whoever holds customers or debtors does so before it touches them; then comes the outbox, and last the trail.

On both databases, though only PostgreSQL would ever notice.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event
from sqlalchemy.engine import Engine

from connector.store import audit, bulk, limits, marks, order_credit
from connector.store.db import Store

# In the order in which they are taken.
TURNS = ("customer", "mark", "outbox", "audit")
_CHANGES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) outbox\b")


class Turns:
    """What the transactions that go on have taken, by their connection to the database."""

    def __init__(self) -> None:
        self._taken: dict[int, set[str]] = {}

    def begin(self, tx: Connection) -> None:
        self._taken[_place(tx)] = set()

    def end(self, place: int) -> None:
        self._taken.pop(place, None)

    def take(self, tx: Connection, what: str) -> None:
        """Raises AssertionError where something has been taken that comes later."""
        taken = self._taken.get(_place(tx))
        if taken is None or (what in taken and what != "customer"):  # one more customer is another one to wait for
            return
        later = [one for one in TURNS[TURNS.index(what) + 1 :] if one in taken]
        assert not later, f"“{what}” is taken after “{later[0]}”: another one may do it the other way round"
        taken.add(what)


def _place(tx: Connection) -> int:
    return id(tx.connection.driver_connection)


@contextlib.contextmanager
def watched_turns() -> Iterator[Turns]:
    """From here on every transaction of this process is looked at."""
    turns = Turns()
    writing, number, head = Store.writing, marks.next_number, audit._head_for_update

    @contextlib.contextmanager
    def looked_at(store: Store, **how: Any) -> Iterator[Connection]:
        with writing(store, **how) as tx:
            turns.begin(tx)
            place = _place(tx)
            try:
                yield tx
            finally:
                turns.end(place)

    def numbered(tx: Connection, name: str) -> int:
        if name == "mark":
            turns.take(tx, "mark")
        return number(tx, name)

    def of_bulk(usual: Callable[..., Any]) -> Callable[..., Any]:
        def changing(tx: Connection, table: Table, *rest: Any, **more: Any) -> Any:
            if table.name == "outbox" and rest[1]:
                turns.take(tx, "outbox")
            return usual(tx, table, *rest, **more)

        return changing

    def executing(tx: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _CHANGES.match(statement) is not None:
            turns.take(tx, "outbox")

    def heading(tx: Connection, lane: str) -> tuple[int, str]:
        # The lane of the decisions is the evaluation's alone, which one process does at a time.
        if lane == audit.MAIN:
            turns.take(tx, "audit")
        return head(tx, lane)

    def holding(usual: Callable[..., None]) -> Callable[..., None]:
        def lock(tx: Connection, *whom: Any) -> None:
            if any(whom):
                turns.take(tx, "customer")
            usual(tx, *whom)

        return lock

    with pytest.MonkeyPatch.context() as patch:
        for place in (order_credit, limits):
            patch.setattr(place, "lock", holding(place.lock))
        patch.setattr(Store, "writing", looked_at)
        patch.setattr(marks, "next_number", numbered)
        patch.setattr(audit, "_head_for_update", heading)
        for name in ("insert", "update"):
            patch.setattr(bulk, name, of_bulk(getattr(bulk, name)))
        event.listen(Engine, "before_cursor_execute", executing)
        try:
            yield turns
        finally:
            event.remove(Engine, "before_cursor_execute", executing)


__all__ = ["TURNS", "Turns", "watched_turns"]
