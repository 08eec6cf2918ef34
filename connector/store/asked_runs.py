"""Asked runs: jobs that somebody asked for on a page, once each; and what is being done now, for whoever watches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from connector.store.tables import asked_run, at_work, utc
from connector.text import Text


@dataclass(frozen=True, slots=True)
class AskedRun:
    """A job that was asked for. `state`: asked, done, failed (`why`)."""

    id: int
    job: str
    by: str
    asked_at: dt.datetime
    state: str
    ended_at: dt.datetime | None
    why: Text | None


@dataclass(frozen=True, slots=True)
class AtWork:
    """What is being done: `done` of `of` (None: nobody knows of how many); told last at `told_at`."""

    job: str
    what: str
    done: int
    of: int | None
    began_at: dt.datetime
    told_at: dt.datetime


def ask(tx: Connection, job: str, by: str, now: dt.datetime) -> AskedRun:
    """Asks for a job; where it was asked for already and nobody has begun, that is the one. (It is looked for in the
    same transaction: two who press at the same moment may ask twice, which does it twice, and jobs are idempotent.)"""
    a = asked_run.c
    there = tx.execute(select(asked_run).where(a.job == job, a.state == "asked").order_by(a.id).limit(1)).one_or_none()
    if there is not None:
        return _row(there)
    made = asked_run.insert().values(job=job, by=by, asked_at=now, state="asked").returning(a.id)
    return AskedRun(int(tx.execute(made).scalar_one()), job, by, now, "asked", None, None)


def waiting(tx: Connection) -> list[AskedRun]:
    """What nobody has done yet, oldest first."""
    a = asked_run.c
    return [_row(row) for row in tx.execute(select(asked_run).where(a.state == "asked").order_by(a.id))]


def newest(tx: Connection, most: int) -> list[AskedRun]:
    """What was asked for, newest first."""
    return [_row(row) for row in tx.execute(select(asked_run).order_by(asked_run.c.id.desc()).limit(most))]


def end(tx: Connection, number: int, now: dt.datetime, failed: Text | None = None) -> None:
    """It is done, or has failed."""
    tx.execute(
        asked_run.update()
        .where(asked_run.c.id == number, asked_run.c.state == "asked")
        .values(
            state="done" if failed is None else "failed",
            ended_at=now,
            why_en=failed.en if failed else None,
            why_zh=failed.zh if failed else None,
        )
    )


def tell(tx: Connection, lease: str, at: AtWork) -> None:
    """Writes down what is being done."""
    values = {
        "job": at.job,
        "what": at.what,
        "done": at.done,
        "of": at.of,
        "began_at": at.began_at,
        "told_at": at.told_at,
    }
    if tx.execute(at_work.update().where(at_work.c.lease == lease).values(values)).rowcount == 0:
        tx.execute(at_work.insert().values(lease=lease, **values))


def rest(tx: Connection, lease: str) -> None:
    """Nothing is being done any more."""
    tx.execute(at_work.delete().where(at_work.c.lease == lease))


def now_done(tx: Connection, lease: str) -> AtWork | None:
    """What is being done; None: nothing that anybody told of."""
    row = tx.execute(select(at_work).where(at_work.c.lease == lease)).one_or_none()
    return None if row is None else AtWork(row.job, row.what, row.done, row.of, row.began_at, row.told_at)


def expire(tx: Connection, before: dt.datetime) -> int:
    """Forgets what ended before a moment."""
    return tx.execute(asked_run.delete().where(asked_run.c.ended_at < utc(before))).rowcount


def _row(row: Any) -> AskedRun:
    why = Text(row.why_en, row.why_zh) if row.why_en is not None else None
    return AskedRun(row.id, row.job, row.by, row.asked_at, row.state, row.ended_at, why)


__all__ = ["AskedRun", "AtWork", "ask", "end", "expire", "newest", "now_done", "rest", "tell", "waiting"]
