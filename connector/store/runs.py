"""Runs: one execution of a job each, with its counts and its end; the problems it found; the lease it ran under."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simplejson
from sqlalchemy import Connection, select

from connector.errors import Problem
from connector.store import bulk
from connector.store import problems as _problems
from connector.store.leases import (
    Fenced,
    LeaseLost,
    Stopped,
    acquire,
    claim_slot,
    finish_slot,
    forget_slots,
    heartbeat,
    holder_of,
    holds,
    is_finished,
    is_held,
    is_unfinished,
    newest_slot,
    newest_slots,
    release,
    safe_place,
)
from connector.store.problems import KeptProblem, problems
from connector.store.tables import problem, run


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `state`: running, done, problems, failed; running with a start long ago is one that was killed."""

    id: int
    job: str
    system: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    state: str
    counts: dict[str, Any]


def begin(tx: Connection, job: str, system: str, now: dt.datetime) -> int:
    """Begins a run; gives its number."""
    made = run.insert().values(job=job, system=system, started_at=now, state="running").returning(run.c.id)
    return int(tx.execute(made).scalar_one())


def finish(
    tx: Connection,
    run_id: int,
    now: dt.datetime,
    *,
    state: str,
    counts: Mapping[str, Any],
    problems: Sequence[Problem] = (),
    partial: bool = False,
) -> None:
    """Ends a run. Its problems are kept, once each; those an earlier run of the same job and system had and this one has
    not are resolved, unless this one failed or looked at a part only: it may not have come so far. What is wrong with one
    record is kept with the record, not here."""
    row = tx.execute(select(run.c.job, run.c.system).where(run.c.id == run_id)).one()
    tx.execute(
        run.update()
        .where(run.c.id == run_id)
        .values(finished_at=now, state=state, counts=simplejson.dumps(dict(counts), use_decimal=True))
    )
    given: dict[str, list[Problem]] = defaultdict(list)
    of_records = _of_records(tx, row.system, {one.where for one in problems})
    for one in problems:
        if (one.where, one.code, one.field) not in of_records:
            given[one.where[:500]].append(one)
    _problems.note(tx, row.job, row.system, "", given, now, refs=set(given) if state == "failed" or partial else None)


def forget(tx: Connection, run_id: int) -> None:
    """Takes away a run that found nothing to tell of."""
    tx.execute(run.delete().where(run.c.id == run_id))


def _of_records(tx: Connection, system: str, places: set[str]) -> set[tuple[str, str, str]]:
    c = problem.c
    asked = select(c.place, c.code, c.field).where(
        c.scope == "record", c.system == system, c.resolved_at.is_(None), bulk.among(tx, c.place, places)
    )
    return {(row.place, row.code, row.field) for row in tx.execute(asked)} if places else set()


def runs(tx: Connection, *, job: str | None = None, system: str | None = None, limit: int = 50) -> list[RunRow]:
    """Runs, newest first."""
    asked = select(run).order_by(run.c.id.desc()).limit(limit)
    if job is not None:
        asked = asked.where(run.c.job == job)
    if system is not None:
        asked = asked.where(run.c.system == system)
    return [
        RunRow(
            row.id,
            row.job,
            row.system,
            row.started_at,
            row.finished_at,
            row.state,
            simplejson.loads(row.counts or "{}", use_decimal=True),
        )
        for row in tx.execute(asked)
    ]


__all__ = [
    "Fenced",
    "KeptProblem",
    "LeaseLost",
    "RunRow",
    "Stopped",
    "acquire",
    "begin",
    "claim_slot",
    "finish",
    "finish_slot",
    "forget",
    "forget_slots",
    "heartbeat",
    "holder_of",
    "holds",
    "is_finished",
    "is_held",
    "is_unfinished",
    "newest_slot",
    "newest_slots",
    "problems",
    "release",
    "runs",
    "safe_place",
]
