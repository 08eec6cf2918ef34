"""Sessions of people in a browser, and codes that are good once; only hashes of what opens them are kept.

A session's token is 256 random bits in a cookie. It ends after `LASTS`, after `IDLE` without a request, or when somebody
signs out; a password that changes ends all sessions of its person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.store import bulk
from connector.store.tables import once_code, session, utc

LASTS = dt.timedelta(hours=12)
IDLE = dt.timedelta(hours=2)
# The kind of code that signs somebody in, and how long it is good.
SIGN_IN = "sign_in"
SIGN_IN_LASTS = dt.timedelta(minutes=15)
# How often it is written down that a session is in use.
_SEEN_EVERY = dt.timedelta(minutes=1)
_TOKEN_MOST = 100


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has signed in. `person` is an id of config.toml; `roles` count only where nobody stands there."""

    person: str
    roles: tuple[str, ...]
    way: str
    made_at: dt.datetime
    seen_at: dt.datetime
    ends_at: dt.datetime

    def good(self, now: dt.datetime) -> bool:
        """Whether it still opens the pages."""
        return now < self.ends_at and now - self.seen_at < IDLE


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(tx: Connection, person: str, roles: tuple[str, ...], way: str, now: dt.datetime) -> str:
    """A new session; gives its token, which is known to nobody else. Never an old token again: nobody can fix one before."""
    token = secrets.token_urlsafe(32)
    tx.execute(
        session.insert().values(
            sha=digest(token),
            person=person,
            roles=" ".join(roles),
            way=way,
            made_at=now,
            seen_at=now,
            ends_at=now + LASTS,
        )
    )
    return token


def find(tx: Connection, token: str, now: dt.datetime) -> Session | None:
    """The session that a token opens; None: none, or not any more."""
    if not token or len(token) > _TOKEN_MOST or not token.isascii():
        return None
    s = session.c
    row = tx.execute(select(session).where(s.sha == digest(token), s.ended_at.is_(None))).one_or_none()
    found = None if row is None else _session(row)
    return found if found is not None and found.good(now) else None


def stale(one: Session, now: dt.datetime) -> bool:
    """Whether it is to be written down that a session is in use."""
    return now - one.seen_at >= _SEEN_EVERY


def seen(tx: Connection, token: str, now: dt.datetime) -> None:
    """Writes down that a session is in use."""
    s = session.c
    tx.execute(
        session.update().where(s.sha == digest(token), s.ended_at.is_(None), s.seen_at < utc(now)).values(seen_at=now)
    )


def end(tx: Connection, token: str, now: dt.datetime) -> None:
    """Signs out: the token opens nothing any more."""
    s = session.c
    tx.execute(session.update().where(s.sha == digest(token), s.ended_at.is_(None)).values(ended_at=now))


def end_all(tx: Connection, person: str, now: dt.datetime) -> int:
    """Ends all sessions of a person, and the codes that would sign him in; gives how many sessions it ended."""
    s, c = session.c, once_code.c
    tx.execute(once_code.update().where(c.person == person, c.used_at.is_(None)).values(used_at=now))
    return tx.execute(session.update().where(s.person == person, s.ended_at.is_(None)).values(ended_at=now)).rowcount


def running(tx: Connection, person: str, now: dt.datetime) -> list[Session]:
    """The sessions of a person that are good now, newest first."""
    s = session.c
    asked = select(session).where(s.person == person, s.ended_at.is_(None)).order_by(s.made_at.desc())
    return [one for row in tx.execute(asked) if (one := _session(row)).good(now)]


def expire(tx: Connection, before: dt.datetime) -> int:
    """Forgets sessions and codes that ended before a moment; gives how many."""
    moment = utc(before)
    gone = tx.execute(session.delete().where(session.c.ends_at < moment)).rowcount
    return gone + tx.execute(once_code.delete().where(once_code.c.ends_at < moment)).rowcount


def make_code(
    tx: Connection, kind: str, now: dt.datetime, lasts: dt.timedelta, *, person: str = "", said: str = ""
) -> str:
    """A code that is good once, for a purpose (`kind`) and a time."""
    code = secrets.token_urlsafe(24)
    tx.execute(
        once_code.insert().values(
            sha=digest(code), kind=kind, person=person, said=said, made_at=now, ends_at=now + lasts
        )
    )
    return code


def use_code(tx: Connection, kind: str, code: str, now: dt.datetime) -> tuple[str, str] | None:
    """Person and text of a code, which is good for nothing afterwards, on any node; None: it is not good (any more)."""
    if not code or len(code) > _TOKEN_MOST or not code.isascii():
        return None
    c = once_code.c
    sha = digest(code)
    # The update itself decides who comes first: two requests at the same moment cannot both use it.
    used = tx.execute(
        once_code.update()
        .where(c.sha == sha, c.kind == kind, c.used_at.is_(None), c.ends_at > utc(now))
        .values(used_at=now)
    ).rowcount
    if used != 1:
        return None
    row = tx.execute(select(c.person, c.said).where(c.sha == sha)).one()
    return row.person, row.said


def spend(tx: Connection, kind: str, code: str, now: dt.datetime, lasts: dt.timedelta) -> bool:
    """Notes that a code which was kept nowhere is used up, for as long as it would be good; False: it was before. Of two
    requests at the same moment one is first, on any node."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    used = {"sha": digest(code), "kind": kind, "person": "", "said": "", "made_at": now, "ends_at": now + lasts}
    made = make(once_code).values(**used, used_at=now).on_conflict_do_nothing()
    return tx.execute(made.returning(once_code.c.sha)).scalar() is not None


def _session(row: Any) -> Session:
    return Session(row.person, tuple(row.roles.split()), row.way, row.made_at, row.seen_at, row.ends_at)


__all__ = [
    "IDLE",
    "LASTS",
    "SIGN_IN",
    "SIGN_IN_LASTS",
    "Session",
    "begin",
    "digest",
    "end",
    "end_all",
    "expire",
    "find",
    "make_code",
    "running",
    "seen",
    "spend",
    "stale",
    "use_code",
]
