"""Requests that act are answered once: same key, same answer; same key, other body: refused (Stripe's rule).

That a request has acted is written in the very transaction in which it acts, so that a crash between the act and the
answer never makes it act twice. Keys belong to the caller who used them, and are kept for a day at least.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Unpack

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.store import bulk
from connector.store.db import How, Store
from connector.store.tables import idempotent, utc

# A request that was begun so long ago and has not acted was killed: it may be begun again. Longer than any waits for its
# turn to write (`db`), and then acts.
_DEAD_AFTER = dt.timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Known:
    """A request with this key that there was before. `state`: begun, acted, answered."""

    sha: str
    state: str
    status: int | None = None
    answer: str | None = None


def begin(tx: Connection, caller: str, key: str, sha: str, now: dt.datetime) -> Known | None:
    """Takes a key for a request; None: it is ours to do. Otherwise what is known of the request that has it."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    made = make(idempotent).values(caller=caller, key=key, sha=sha, state="begun", at=now).on_conflict_do_nothing()
    if tx.execute(made.returning(idempotent.c.key)).scalar() is not None:
        return None
    mine = (idempotent.c.caller == caller, idempotent.c.key == key)
    row = tx.execute(select(idempotent).where(*mine).with_for_update()).one()
    if row.sha == sha and row.state == "begun" and row.at <= now - _DEAD_AFTER:
        tx.execute(idempotent.update().where(*mine).values(at=now))
        return None
    return Known(row.sha, row.state, row.status, row.answer)


def answered(tx: Connection, caller: str, key: str, status: int, answer: str) -> None:
    """Keeps the answer of a request."""
    mine = (idempotent.c.caller == caller, idempotent.c.key == key)
    tx.execute(idempotent.update().where(*mine).values(state="answered", status=status, answer=answer))


def forget(tx: Connection, caller: str, key: str) -> None:
    """Gives a key back: its request was refused and has changed nothing, so that it may be sent again. One that has acted
    before something went wrong keeps its key: sent again it would act twice."""
    mine = (idempotent.c.caller == caller, idempotent.c.key == key, idempotent.c.state == "begun")
    tx.execute(idempotent.delete().where(*mine))


def forget_before(tx: Connection, before: dt.datetime) -> int:
    """Deletes requests that are older than a moment; says how many."""
    return tx.execute(idempotent.delete().where(idempotent.c.at < utc(before))).rowcount


class Once(Store):
    """A store for one request that acts: whatever it commits tells that it has acted."""

    def __init__(self, store: Store, caller: str, key: str) -> None:
        super().__init__(store.engine)
        self._writer, self._homeward = store._writer, store._homeward  # one queue of writers for the process
        self._mine: tuple[Any, ...] = (idempotent.c.caller == caller, idempotent.c.key == key)

    @contextmanager
    def writing(self, **how: Unpack[How]) -> Iterator[Connection]:
        """A transaction that may write, and marks the request as done with it."""
        with super().writing(**how) as tx:
            yield tx
            tx.execute(idempotent.update().where(*self._mine).values(state="acted"))
