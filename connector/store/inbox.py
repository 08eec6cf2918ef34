"""The inbox: events that systems told us of by webhook, each once, until a job has read the truth.

An event is stored in the transaction before its call is answered, and marked heeded in one after the reading: whatever
dies in between, it is still there. While a job is at work on it, it is put off for a while instead of locked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.hook import Event
from connector.store import bulk
from connector.store.keys import known_system, system_id, system_names
from connector.store.tables_inbox import hook_event

# How long an event is put off when it is taken, doubled each time, so that what always fails is not tried for ever.
_FIRST_SECONDS, _LAST_SECONDS = 30, 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in the inbox. `attempts` counts how often somebody began to heed it."""

    id: int
    system: str
    event: str
    streams: tuple[str, ...]
    key: str
    kind: str
    said_at: dt.datetime | None
    arrived_at: dt.datetime
    attempts: int
    heeded_at: dt.datetime | None


def store(tx: Connection, system: str, events: Sequence[Event], now: dt.datetime) -> int:
    """Keeps the events that are not there yet; gives how many those are."""
    if not events:
        return 0
    number = system_id(tx, system)
    rows = [
        {
            "system": number,
            "event": one.id,
            "streams": " ".join(one.streams),
            "ref": one.key,
            "kind": one.kind,
            "said_at": one.at,
            "arrived_at": now,
        }
        for one in {one.id: one for one in events}.values()
    ]
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    new = 0
    for row in rows:  # a few; one statement each, so that what is new is told apart on both databases
        made = make(hook_event).values(**row).on_conflict_do_nothing().returning(hook_event.c.id)
        new += tx.execute(made).scalar() is not None
    return new


def waiting(tx: Connection) -> bool:
    """Whether any event is unheeded, due or not: the cheapest question there is."""
    return tx.execute(select(hook_event.c.id).where(hook_event.c.heeded_at.is_(None)).limit(1)).scalar() is not None


def due(tx: Connection, now: dt.datetime, pauses: Mapping[str, dt.timedelta]) -> list[str]:
    """The systems with events to heed now: unheeded, not put off, and their pause since the last heeding is over.

    `pauses` names the systems that count, by name.
    """
    names = _of(tx, pauses)
    e = hook_event.c
    asked = select(e.system).where(e.heeded_at.is_(None), _is_due(now)).distinct()
    found = [names[key] for key in tx.execute(asked).scalars() if key in names]
    return sorted(name for name in found if not _rests(_last(tx, name), now, pauses[name]))


def due_at(tx: Connection, now: dt.datetime, pauses: Mapping[str, dt.timedelta]) -> dt.datetime | None:
    """When the next event of these systems can be heeded; None where none is waiting."""
    names = _of(tx, pauses)
    e = hook_event.c
    asked = select(e.system, func.min(func.coalesce(e.not_before, e.arrived_at)).label("at"))
    asked = asked.where(e.heeded_at.is_(None)).group_by(e.system)
    found = []
    for row in tx.execute(asked).all():
        if row.system in names:
            last, pause, at = _last(tx, names[row.system]), pauses[names[row.system]], _aware(row.at)
            found.append(max(at, last + pause) if last is not None and _rests(last, now, pause) else at)
    return min(found, default=None)


def take(tx: Connection, system: str, now: dt.datetime) -> list[Kept]:
    """The events of a system that are due, put off for as long as heeding them may take: should this process die,
    another takes them again."""
    number = known_system(tx, system)
    e = hook_event.c
    asked = select(hook_event).where(e.system == number, e.heeded_at.is_(None), _is_due(now)).order_by(e.id)
    rows = tx.execute(asked.with_for_update(skip_locked=True)).all()
    for attempts in {row.attempts for row in rows}:
        wait = dt.timedelta(seconds=min(_LAST_SECONDS, _FIRST_SECONDS * 2 ** min(attempts, 10)))
        ids = [row.id for row in rows if row.attempts == attempts]
        values = {"attempts": attempts + 1, "not_before": now + wait}
        tx.execute(hook_event.update().where(bulk.among(tx, e.id, ids)).values(**values))
    return [_kept(row, {row.system: system}) for row in rows]


def heed(tx: Connection, ids: Collection[int], now: dt.datetime) -> int:
    """Marks events as heeded: the truth has been read after they came."""
    e = hook_event.c
    mine = (bulk.among(tx, e.id, sorted(ids)), e.heeded_at.is_(None))
    return tx.execute(hook_event.update().where(*mine).values(heeded_at=now, not_before=None)).rowcount


def again(tx: Connection, ids: Collection[int]) -> int:
    """Makes events unheeded, due at once and as if never tried; gives how many there are."""
    fresh = {"heeded_at": None, "not_before": None, "attempts": 0}
    return tx.execute(hook_event.update().where(bulk.among(tx, hook_event.c.id, sorted(ids))).values(**fresh)).rowcount


def events(
    tx: Connection, *, system: str | None = None, unheeded: bool = False, limit: int | None = None
) -> list[Kept]:
    """What came, the newest first."""
    e = hook_event.c
    asked = select(hook_event).order_by(e.id.desc())
    if system is not None:
        asked = asked.where(e.system == known_system(tx, system))
    if unheeded:
        asked = asked.where(e.heeded_at.is_(None))
    if limit is not None:
        asked = asked.limit(limit)
    names = system_names(tx)
    return [_kept(row, names) for row in tx.execute(asked).all()]


@dataclass(frozen=True, slots=True)
class Tally:
    """How one system's inbox stands."""

    unheeded: int
    oldest: dt.datetime | None
    newest: dt.datetime | None


def unheeded(tx: Connection) -> dict[str, tuple[int, dt.datetime]]:
    """By system: how many events are unheeded, and since when; only those that have any. By the index of these alone."""
    e, names = hook_event.c, system_names(tx)
    asked = select(e.system, func.count().label("many"), func.min(e.arrived_at).label("at"))
    rows = tx.execute(asked.where(e.heeded_at.is_(None)).group_by(e.system)).all()
    return {names[row.system]: (int(row.many), _aware(row.at)) for row in rows}


def tallies(tx: Connection) -> dict[str, Tally]:
    """By system: what is unheeded, since when, and when the newest event came."""
    left, names = unheeded(tx), system_names(tx)
    newest = {names[row.system]: _aware(row.at) for row in tx.execute(_newest).all()}
    found = {}
    for name, at in newest.items():
        many, since = left.get(name, (0, None))
        found[name] = Tally(many, since, at)
    return found


_newest = select(hook_event.c.system, func.max(hook_event.c.arrived_at).label("at")).group_by(hook_event.c.system)


def expire(tx: Connection, before: dt.datetime) -> int:
    """Forgets events that were heeded before a moment."""
    return tx.execute(hook_event.delete().where(hook_event.c.heeded_at < before)).rowcount


def _rests(last: dt.datetime | None, now: dt.datetime, pause: dt.timedelta) -> bool:
    """Whether a system was heeded just now. A time ahead of ours is another node's clock, or ours put back: no reason."""
    return last is not None and dt.timedelta(0) <= now - last < pause


# --- inside -----------------------------------------------------------------------------------------------------------
def _is_due(now: dt.datetime) -> ColumnElement[bool]:
    return or_(hook_event.c.not_before.is_(None), hook_event.c.not_before <= now)


def _last(tx: Connection, system: str) -> dt.datetime | None:
    e = hook_event.c
    asked = select(func.max(e.heeded_at)).where(e.system == known_system(tx, system), e.heeded_at.is_not(None))
    found = tx.execute(asked).scalar()
    return _aware(found) if found else None


def _of(tx: Connection, names: Mapping[str, object]) -> dict[int, str]:
    return {key: name for key, name in system_names(tx).items() if name in names}


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _kept(row: Any, names: Mapping[int, str]) -> Kept:
    return Kept(
        row.id,
        names[row.system],
        row.event,
        tuple(row.streams.split()),
        row.ref,
        row.kind,
        row.said_at,
        row.arrived_at,
        row.attempts,
        row.heeded_at,
    )
