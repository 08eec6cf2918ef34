"""Writes that wait for a person, by their cause: which system refuses what, how often, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.store.keys import known_system, system_names
from connector.store.tables import outbox
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Parked:
    """Parked writes of one system and kind with one reason."""

    system: str
    kind: str
    code: str
    why: Text | None
    count: int
    since: dt.datetime


def counts(tx: Connection) -> dict[tuple[str, str], int]:
    """How many writes there are by system and state; of those that are settled nothing is counted."""
    o, names = outbox.c, system_names(tx)
    waiting = ("owed", "claimed", "parked", "undone")
    asked = select(o.system, o.state, func.count()).where(o.state.in_(waiting)).group_by(o.system, o.state)
    return {(names[system], state): count for system, state, count in tx.execute(asked)}


def parked(tx: Connection) -> list[Parked]:
    """Why writes are parked, the most frequent cause first."""
    o, names = outbox.c, system_names(tx)
    code = func.coalesce(o.code, "")
    asked = (
        select(
            o.system,
            o.kind,
            code,
            func.count().label("count"),
            func.min(o.owed_at).label("since"),
            func.max(o.id).label("newest"),
        )
        .where(o.state == "parked")
        .group_by(o.system, o.kind, code)
        .order_by(func.count().desc())
    )
    found = []
    for system, kind, its_code, count, since, newest in tx.execute(asked).all():
        said = tx.execute(select(o.why_en, o.why_zh).where(o.id == newest)).one()
        why = Text(said.why_en, said.why_zh or said.why_en) if said.why_en else None
        found.append(Parked(names[system], kind, its_code, why, count, since))
    return found


def of_cause(tx: Connection, system: str, kind: str, code: str) -> list[int]:
    """The numbers of all parked writes of one cause."""
    o = outbox.c
    asked = select(o.id).where(
        o.system == known_system(tx, system), o.kind == kind, func.coalesce(o.code, "") == code, o.state == "parked"
    )
    return list(tx.execute(asked.order_by(o.id)).scalars())
