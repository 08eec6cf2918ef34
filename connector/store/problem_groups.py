"""Problems by their cause: how many records have the same thing wrong with them, since when, and a few examples."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from connector.store.tables import problem
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: what is wrong (in the words of its newest case), how to mend it, and how many have it."""

    code: str
    system: str
    stream: str
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    what: Text
    fix: Text
    examples: tuple[tuple[str, str], ...]


def causes(tx: Connection, *, system: str | None = None, resolved: bool = False, most: int = 200) -> list[Cause]:
    """Open problems (or those that are gone) by code, system and stream; what most records have first."""
    p = problem.c
    is_gone = p.resolved_at.is_not(None) if resolved else p.resolved_at.is_(None)
    grouped = (
        select(
            p.code, p.system, p.stream, func.count().label("many"), func.min(p.first_seen).label("first_seen"),
            func.max(p.last_seen).label("last_seen"), func.max(p.id).label("newest"),
        )
        .where(is_gone)
        .group_by(p.code, p.system, p.stream)
        .order_by(func.count().desc(), p.code, p.system, p.stream)
        .limit(most)
    )  # fmt: skip
    if system:
        grouped = grouped.where(p.system == system)
    found = []
    for row in tx.execute(grouped).all():
        newest = tx.execute(select(problem).where(p.id == row.newest)).one()
        same = (p.code == row.code, p.system == row.system, p.stream == row.stream, is_gone)
        some = tx.execute(select(p.place, p.field).where(*same).order_by(p.id.desc()).limit(5)).all()
        found.append(
            Cause(
                row.code,
                row.system,
                row.stream,
                row.many,
                row.first_seen,
                row.last_seen,
                Text(newest.what_en, newest.what_zh),
                Text(newest.fix_en, newest.fix_zh),
                tuple((one.place, one.field) for one in some),
            )
        )
    return found
