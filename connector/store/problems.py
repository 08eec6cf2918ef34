"""Problems: what is wrong with the data, each kept once, from the day it was first seen until it is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, select

from connector.errors import Problem
from connector.store import bulk, quick
from connector.store.tables import problem, utc
from connector.text import Text

_KEY = ("ref", "code", "field")


@dataclass(frozen=True, slots=True)
class KeptProblem:
    """A problem with its history. `resolved_at` is when it was found to be gone."""

    id: int
    scope: str
    system: str
    stream: str
    ref: str
    problem: Problem
    first_seen: dt.datetime
    last_seen: dt.datetime
    resolved_at: dt.datetime | None


def note(
    tx: Connection,
    scope: str,
    system: str,
    stream: str,
    given: Mapping[str, Sequence[Problem]],
    now: dt.datetime,
    refs: Collection[str] | None = None,
) -> None:
    """What is wrong now, by what it is about. What was wrong before with one of `refs` (None: anything of this scope,
    system and stream) and is not any more is resolved."""
    wanted = None if refs is None else set(refs) | set(given)
    if wanted is not None and not wanted:
        return
    about = {"about": scope, "of": system, "part": stream, "ids": bulk.given(tx, wanted or ())}
    found_before = quick.rows(tx, _noted(bulk.is_sqlite(tx), wanted is None), about)
    there = {(row.ref, row.code, row.field): row for row in found_before}
    at, new, again, seen = utc(now), [], [], set()
    for ref, found in given.items():
        for one in found:
            key = (ref, one.code, one.field)
            if key in seen:
                continue
            seen.add(key)
            texts = (one.where, one.what.en, one.what.zh, one.fix.en, one.fix.zh)
            if key in there:
                again.append((*texts, at, None, there[key].id))
            else:
                new.append((scope, system, stream, *key, *texts, at, at))
    ids = bulk.new_ids(tx, problem, len(new))
    columns = ("place", "what_en", "what_zh", "fix_en", "fix_zh")
    bulk.insert(
        tx,
        problem,
        ("id", "scope", "system", "stream", *_KEY, *columns, "first_seen", "last_seen"),
        [(key, *row) for key, row in zip(ids, new, strict=True)],
    )
    bulk.update(tx, problem, (*columns, "last_seen", "resolved_at"), again)
    gone = [row.id for key, row in there.items() if key not in seen and row.resolved_at is None]
    bulk.update(tx, problem, ("resolved_at",), [(at, key) for key in gone])


@cache
def _noted(sqlite: bool, everything: bool) -> Select[Any]:
    """What was noted of one scope, system and stream: of everything in it, or of some."""
    c = problem.c
    asked = select(c.id, c.ref, c.code, c.field, c.resolved_at).where(
        c.scope == bindparam("about", type_=String),
        c.system == bindparam("of", type_=String),
        c.stream == bindparam("part", type_=String),
    )
    return asked if everything else asked.where(bulk.among_ids(sqlite, c.ref))


def problems(
    tx: Connection,
    *,
    systems: Collection[str] | None = None,
    codes: Collection[str] | None = None,
    scope: str | None = None,
    stream: str | None = None,
    ref: str | None = None,
    open_only: bool = True,
    limit: int | None = None,
) -> list[KeptProblem]:
    """Problems, newest first."""
    c = problem.c
    asked = select(problem).order_by(c.last_seen.desc(), c.id.desc())
    for wanted, column in ((systems, c.system), (codes, c.code)):
        if wanted is not None:
            asked = asked.where(column.in_(list(wanted)))
    for word, column in ((scope, c.scope), (stream, c.stream), (ref, c.ref)):
        if word is not None:
            asked = asked.where(column == word)
    if open_only:
        asked = asked.where(c.resolved_at.is_(None))
    if limit is not None:
        asked = asked.limit(limit)
    return [
        KeptProblem(
            r.id,
            r.scope,
            r.system,
            r.stream,
            r.ref,
            Problem(r.code, r.place, Text(r.what_en, r.what_zh), Text(r.fix_en, r.fix_zh), r.field),
            r.first_seen,
            r.last_seen,
            r.resolved_at,
        )
        for r in tx.execute(asked)
    ]
