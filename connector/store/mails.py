"""Mails: what is to be sent, what was sent, and what nobody knows.

A mail is claimed before it is handed over and settled afterwards. One that was claimed and never settled may have gone
out: it is `unknown` and never sent again by itself, because a mail cannot be looked up as a record can.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select

from connector.store import bulk
from connector.store.tables import mail, utc
from connector.text import Text

OPEN = ("owed", "sending", "refused", "unknown")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. State: `owed`, `sending`, `sent`, `refused`, `unknown`, `dropped` by a person."""

    message_id: str
    person: str
    name: str
    address: str
    language: str
    subject: str
    text: str
    html: str
    id: int = 0
    state: str = "owed"
    attempts: int = 0
    made_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    why: Text | None = None
    code: str | None = None


_NEW = ("message_id", "person", "name", "address", "language", "subject", "text", "html")


def add(tx: Connection, mails: Sequence[Mail], at: dt.datetime) -> list[int]:
    """Puts mails among those that are to be sent; their numbers."""
    ids = list(bulk.new_ids(tx, mail, len(mails)))
    rows = [
        (number, *(getattr(one, name) for name in _NEW), "owed", 0, utc(at))
        for number, one in zip(ids, mails, strict=True)
    ]
    bulk.insert(tx, mail, ("id", *_NEW, "state", "attempts", "made_at"), rows)
    return ids


def waits(tx: Connection, now: dt.datetime) -> bool:
    """Whether a mail is due, or was begun and never ended."""
    return bool(tx.execute(select(exists().where(_due(now)))).scalar())


def _due(now: dt.datetime) -> Any:
    m = mail.c
    return or_(
        and_(m.state == "owed", or_(m.not_before.is_(None), m.not_before <= now)),
        and_(m.state == "sending", m.claimed_until <= now),
    )


def claim(tx: Connection, now: dt.datetime, *, seconds: float) -> Mail | None:
    """Takes the next mail that is due, for so long; None where there is none."""
    m = mail.c
    due = and_(m.state == "owed", or_(m.not_before.is_(None), m.not_before <= now))
    row = tx.execute(select(mail).where(due).order_by(m.id).limit(1).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    until = now + dt.timedelta(seconds=seconds)
    tx.execute(mail.update().where(m.id == row.id).values(state="sending", claimed_until=until))
    return _mail(row)


def settle(tx: Connection, number: int, state: str, now: dt.datetime, why: Text | None = None, code: str = "") -> None:
    """What became of a mail that was claimed."""
    told = {"why_en": why.en, "why_zh": why.zh} if why is not None else {"why_en": None, "why_zh": None}
    values = {"state": state, "settled_at": now, "claimed_until": None, "code": code or None, **told}
    tx.execute(mail.update().where(mail.c.id == number, mail.c.state == "sending").values(**values))


def again(tx: Connection, number: int, not_before: dt.datetime, why: Text | None, *, counts: bool = True) -> None:
    """Puts a mail that was claimed back, to be sent not before a moment; `counts`: as an attempt of its own."""
    m = mail.c
    values: dict[str, Any] = {"state": "owed", "claimed_until": None, "not_before": not_before}
    if why is not None:
        values |= {"why_en": why.en, "why_zh": why.zh}
    if counts:
        values["attempts"] = m.attempts + 1
    tx.execute(mail.update().where(m.id == number, m.state == "sending").values(**values))


def lost(tx: Connection, now: dt.datetime, why: Text) -> int:
    """Marks as unknown what was begun by a process that has not ended it in its time; says how many."""
    m = mail.c
    asked = mail.update().where(m.state == "sending", m.claimed_until <= now)
    values = {"state": "unknown", "settled_at": now, "claimed_until": None, "why_en": why.en, "why_zh": why.zh}
    return tx.execute(asked.values(**values)).rowcount


def resend(tx: Connection, number: int) -> bool:
    """Puts a mail that was refused, or of which nobody knows, back among those to be sent; False where it is neither."""
    m = mail.c
    asked = mail.update().where(m.id == number, m.state.in_(("refused", "unknown", "dropped")))
    values = {"state": "owed", "attempts": 0, "not_before": None, "settled_at": None}
    return tx.execute(asked.values(**values)).rowcount > 0


def drop(tx: Connection, number: int, now: dt.datetime) -> bool:
    """Gives a mail up; False where it is sent, being sent, or none."""
    asked = mail.update().where(mail.c.id == number, mail.c.state.in_(("owed", "refused", "unknown")))
    return tx.execute(asked.values(state="dropped", settled_at=now)).rowcount > 0


def get(tx: Connection, number: int) -> Mail | None:
    """One mail by its number."""
    row = tx.execute(select(mail).where(mail.c.id == number)).one_or_none()
    return None if row is None else _mail(row)


def listing(tx: Connection, *, states: Collection[str] | None = OPEN, limit: int | None = None) -> list[Mail]:
    """Mails, newest first; `states` None: all there are."""
    asked = select(mail).order_by(mail.c.id.desc()).limit(limit)
    if states is not None:
        asked = asked.where(mail.c.state.in_(list(states)))
    return [_mail(row) for row in tx.execute(asked)]


def expire(tx: Connection, before: dt.datetime) -> int:
    """Deletes mails that were sent or dropped before a moment; who was told of what stays."""
    asked = mail.delete().where(mail.c.state.in_(("sent", "dropped")), mail.c.settled_at < before)
    return tx.execute(asked).rowcount


def _mail(row: Any) -> Mail:
    return Mail(
        row.message_id,
        row.person,
        row.name,
        row.address,
        row.language,
        row.subject,
        row.text,
        row.html,
        row.id,
        row.state,
        row.attempts,
        row.made_at,
        row.settled_at,
        Text(row.why_en, row.why_zh or row.why_en) if row.why_en else None,
        row.code,
    )
