"""Runs on pages: what is being done now, when the next are due, what each did; and jobs that somebody wants done now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.store import asked_runs, audit, runs
from connector.store.asked_runs import AskedRun, AtWork
from connector.store.audit import Entry
from connector.store.runs import RunRow
from connector.text import Text
from connector.web.actors import who
from connector.web.administrator import Admin, acting
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import form_of
from jobs.named import JOBS, act_of
from jobs.run_words import COUNT_NAMES, RUN_STATES, doing, job_name
from jobs.scheduler import timed_jobs
from jobs.slots import LEASE

_MOST = 60
# What nobody has told of for so long has ended without a word: its process was killed.
_SILENT = dt.timedelta(seconds=60)
TONES = {"running": "note", "done": "ok", "problems": "warn", "failed": "bad", "ended": "idle", "asked": "note"}
_ENDED = Text("ended without a word", "异常中断")
_ASKED = Text("It begins as soon as nothing else is at work.", "当前作业结束后立即开始。")
# What may be asked for: the rest is done by these.
OFFERED = ("regular", "nightly", "orders", "pull", "link", "evaluate", "push", "dun", "review", "limits", "reconcile")


@dataclass(frozen=True, slots=True)
class Line:
    """One run as it is shown."""

    row: RunRow
    name: Text
    state: Text
    tone: str
    counts: tuple[tuple[Text, Any], ...]
    lasted: dt.timedelta | None


def router(front: Front) -> APIRouter:
    """The page of runs."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/runs")
    async def listing(request: Request, visitor: Admin, job: str = "", system: str = "") -> Response:
        now = front.clock.now()

        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                rows = runs.runs(tx, job=job or None, system=system or None, limit=_MOST)
                at_work = asked_runs.now_done(tx, LEASE)
                holder = runs.holder_of(tx, LEASE)
                asked = asked_runs.newest(tx, 8)
            return {
                "lines": [shown(row, now) for row in rows],
                "at_work": at_work if at_work is not None and _fresh(at_work, now) else None,
                "busy": holder is not None and holder[1] > now,
                "asked": [(one, who(front.config, one.by)) for one in asked if _recent(one, now)],
            }

        found = await front.work(read)
        due = [(job_name(one.job), JOBS[one.job].title, one.next(now)) for one in timed_jobs(front.config)]
        return await pages_of(request).show(
            request,
            "admin/runs.html",
            visitor,
            job=job,
            system=system,
            systems=[one.name for one in front.config.systems],
            offered=[(name, JOBS[name].title) for name in OFFERED],
            due=due,
            doing=doing,
            job_name=job_name,
            titles={name: one.title for name, one in JOBS.items()},
            states=RUN_STATES,
            tones=TONES,
            **found,
        )

    @routes.post("/admin/runs/start")
    async def start(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        job = given.get("job", "")
        if given.get("system") and job in JOBS and JOBS[job].per_system:
            job = f"{job}:{given['system']}"
        act_of(job, front.config)  # told here and now, if there is no such job
        person, now = acting(visitor), front.clock.now()

        def ask() -> None:
            with front.store.writing() as tx:
                is_new = all(one.job != job for one in asked_runs.waiting(tx))
                asked_runs.ask(tx, job, person.actor, now)
                if is_new:
                    audit.append(tx, [Entry("run.ask", f"job:{job}", person.actor)], now)

        await front.work(ask)
        front.wake.set()
        return pages_of(request).moved(request, "/admin/runs", _ASKED, tone="note", visitor=visitor)

    return routes


def shown(row: RunRow, now: dt.datetime) -> Line:
    """A run in words; one that began hours ago and never ended was killed."""
    counts = tuple((COUNT_NAMES[k], v) for k, v in row.counts.items() if v and k in COUNT_NAMES)
    began = row.started_at
    dead = row.state == "running" and now - began > dt.timedelta(hours=12)
    state, tone = (_ENDED, "idle") if dead else (_state(RUN_STATES, row.state), TONES.get(row.state, "idle"))
    return Line(row, job_name(row.job), state, tone, counts, row.finished_at - began if row.finished_at else None)


def _state(words: Mapping[str, Text], state: str) -> Text:
    return words.get(state, Text(state, state))


def _fresh(at: AtWork, now: dt.datetime) -> bool:
    return now - at.told_at < _SILENT


def _recent(one: AskedRun, now: dt.datetime) -> bool:
    return one.ended_at is None or now - one.ended_at < dt.timedelta(minutes=10)
