"""Passwords of people who sign in here and not at the company's own sign-in: kept as argon2id hashes, slowly guessed.

The hash itself is made and checked by whoever has argon2 (`connector.web.passwords`); here it is only kept, with a
count of wrong tries: from the fifth on each doubles the time until the next is looked at, up to a quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select

from connector.store.tables import password

_FREE_TRIES = 5
_WAIT_MOST = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Kept:
    """The hash of a password; `wait_until`: nothing is tried before."""

    hash: str
    changed_at: dt.datetime
    wait_until: dt.datetime | None


def find(tx: Connection, person: str) -> Kept | None:
    """What is kept of a person's password; None: he has none."""
    row = tx.execute(select(password).where(password.c.person == person)).one_or_none()
    return None if row is None else Kept(row.hash, row.changed_at, row.wait_until)


def put(tx: Connection, person: str, hashed: str, *, by: str, now: dt.datetime) -> None:
    """Keeps a new password in place of the old one."""
    values = {"hash": hashed, "changed_at": now, "changed_by": by, "failed": 0, "wait_until": None}
    if tx.execute(password.update().where(password.c.person == person).values(values)).rowcount == 0:
        tx.execute(password.insert().values(person=person, **values))


def drop(tx: Connection, person: str) -> bool:
    """Takes a password away; whether there was one."""
    return tx.execute(password.delete().where(password.c.person == person)).rowcount == 1


def failed(tx: Connection, person: str, now: dt.datetime) -> None:
    """Counts a wrong try."""
    p = password.c
    tx.execute(password.update().where(p.person == person).values(failed=p.failed + 1))
    count = tx.execute(select(p.failed).where(p.person == person)).scalar()
    if count is not None and count >= _FREE_TRIES:
        wait = min(_WAIT_MOST, dt.timedelta(seconds=2 ** min(count - _FREE_TRIES, 10)))
        tx.execute(password.update().where(p.person == person).values(wait_until=now + wait))


def passed(tx: Connection, person: str) -> None:
    """Forgets the wrong tries: the right one came."""
    p = password.c
    tx.execute(password.update().where(p.person == person, p.failed > 0).values(failed=0, wait_until=None))


def people(tx: Connection) -> dict[str, dt.datetime]:
    """Who has a password, and since when."""
    return {row.person: row.changed_at for row in tx.execute(select(password.c.person, password.c.changed_at))}


__all__ = ["Kept", "drop", "failed", "find", "passed", "people", "put"]
