"""What the panel keeps for a while: which signed calls were heeded, which views were told of, and whom it is open for.

All of it stands beside the one-time codes of the sign-in and is forgotten with them; only hashes of what opens anything are
kept, so that a copy of the database opens no panel.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.store import bulk
from connector.store.outbox_row import packed, unpacked
from connector.store.sessions import digest
from connector.store.tables import once_code, utc

_TOKEN_MOST = 100


def claim(tx: Connection, kind: str, what: str, now: dt.datetime, lasts: dt.timedelta) -> bool:
    """Takes something that may be had once in a time, on whichever node; False: somebody has had it, and the time is not
    over."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    c, ends = once_code.c, now + lasts
    made = make(once_code).values(
        sha=digest(f"{kind}\0{what}"), kind=kind, person="", said="", made_at=now, ends_at=ends, used_at=now
    )
    taken = made.on_conflict_do_update(
        index_elements=[c.sha], set_={"made_at": utc(now), "ends_at": utc(ends)}, where=c.ends_at <= utc(now)
    )
    return tx.execute(taken.returning(c.sha)).scalar() is not None


def make(
    tx: Connection, kind: str, now: dt.datetime, lasts: dt.timedelta, said: dict[str, Any], person: str = ""
) -> str:
    """A token of 256 random bits that stands for what is `said`. A person's tokens end with his other sessions."""
    token = secrets.token_urlsafe(32)
    tx.execute(
        once_code.insert().values(
            sha=digest(token), kind=kind, person=person, said=packed(said), made_at=now, ends_at=now + lasts
        )
    )
    return token


def use(tx: Connection, kind: str, token: str, now: dt.datetime) -> dict[str, Any] | None:
    """What a token stands for, which is good for nothing afterwards; None: it is not good (any more)."""
    if not _may_be_one(token):
        return None
    c, sha = once_code.c, digest(token)
    # The update itself decides who comes first.
    used = tx.execute(
        once_code.update()
        .where(c.sha == sha, c.kind == kind, c.used_at.is_(None), c.ends_at > utc(now))
        .values(used_at=now)
    ).rowcount
    return unpacked(tx.execute(select(c.said).where(c.sha == sha)).scalar_one()) if used == 1 else None


def look(tx: Connection, kind: str, token: str, now: dt.datetime) -> dict[str, Any] | None:
    """What a token stands for, which stays as good as it is; None: it is not good (any more)."""
    if not _may_be_one(token):
        return None
    c = once_code.c
    asked = select(c.said).where(c.sha == digest(token), c.kind == kind, c.used_at.is_(None), c.ends_at > utc(now))
    said = tx.execute(asked).scalar()
    return None if said is None else unpacked(said)


def _may_be_one(token: str) -> bool:
    return bool(token) and len(token) <= _TOKEN_MOST and token.isascii()
