"""First steps on a page: from an empty database to first results, without the command line; a made-up company for trying.

Each step says why, how it stands, and leads to where it is done. The first reading is asked for here, and its progress is
shown while it goes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.config import Config
from connector.errors import ConfigError, HoldfastError
from connector.store import asked_runs, audit, emptied, runs
from connector.store.backlog import backlog
from connector.store.begun import begun
from connector.store.system_state import states
from connector.text import Text
from connector.web.admin_systems import config_now, follow
from connector.web.administrator import Admin, acting
from connector.web.front import Front
from connector.web.pages import pages_of
from jobs import demo_company, first_steps
from jobs.demo_company import DemoCompany
from jobs.run_words import JOB_NAMES
from jobs.slots import LEASE

log = logging.getLogger("holdfast.web")

_JOB = "regular"
# A job that nobody has taken so long after it was asked for finds no process that works on jobs.
_NOBODY_AFTER = dt.timedelta(seconds=20)
# What is told less often than this is no longer being done.
_STALE = dt.timedelta(seconds=90)
_BEGUN = Text(
    "The made-up company is connected; it is being read now.",
    "虚构公司已连接，正在读取。",
)
_GONE = Text(
    "The made-up company is gone, with everything that came of it.",
    "虚构公司及其产生的全部数据已清除。",
)
_ASKED = Text("Asked for: it begins within a second.", "已提交：一秒内开始。")
_WHERE = {
    "people": "/admin/people",
    "systems": "/admin/connect",
    "mappings": "/admin/mappings",
    "runs": "/admin/runs",
    "links": "/admin/links",
    "policy": "/admin/policy",
    "desk": "/desk",
    "outbox": "/admin/systems",
}


def router(front: Front) -> APIRouter:
    """The page of first steps."""
    routes = APIRouter(include_in_schema=False)
    company = DemoCompany(front.store, front.clock)
    if demo_company.in_use(front.config):
        # Beside the start of the service, which does not wait for it.
        threading.Thread(target=_bring_back, args=(company, front.config), daemon=True, name="demo").start()

    @routes.get("/admin/first-steps")
    async def steps(request: Request, visitor: Admin) -> Response:
        found = await front.work(lambda: _stand(front))
        return await pages_of(request).show(request, "admin/first_steps.html", visitor, where=_WHERE, **found)

    @routes.post("/admin/first-steps/run")
    async def run(request: Request, visitor: Admin) -> Response:
        await front.work(lambda: _ask(front, visitor.caller.actor))
        front.wake.set()
        return pages_of(request).moved(request, "/admin/first-steps#run", _ASKED, visitor=visitor)

    @routes.post("/admin/first-steps/demo")
    async def demo(request: Request, visitor: Admin) -> Response:
        def begin() -> None:
            company.begin(front.config, person=acting(visitor))
            _ask(front, visitor.caller.actor)

        await front.work(begin)
        await follow(request)
        return pages_of(request).moved(request, "/admin/first-steps#run", _BEGUN, visitor=visitor)

    @routes.post("/admin/first-steps/demo/remove")
    async def remove(request: Request, visitor: Admin) -> Response:
        await front.work(lambda: company.remove(front.config, person=acting(visitor), now=front.clock.now()))
        await follow(request)
        return pages_of(request).moved(request, "/admin/first-steps", _GONE, visitor=visitor)

    return routes


def _bring_back(company: DemoCompany, config: Config) -> None:
    try:
        company.follow(config)
    except ConfigError as wrong:
        log.error("the made-up company: %s", wrong.log)


def _ask(front: Front, actor: str) -> None:
    now = front.clock.now()
    with front.store.writing() as tx:
        is_new = all(one.job != _JOB for one in asked_runs.waiting(tx))
        asked_runs.ask(tx, _JOB, actor, now)
        if is_new:
            audit.append(tx, [audit.Entry("run.ask", f"job:{_JOB}", actor)], now)


def _stand(front: Front) -> dict[str, Any]:
    """How far this database has come, and what is being done now."""
    now, config = front.clock.now(), config_now(front)
    with front.store.reading() as tx:
        steps = first_steps.steps(tx, config)
        there, waits = begun(tx), backlog(tx)
        asked = next((one for one in asked_runs.newest(tx, 20) if one.job == _JOB), None)
        at_work = asked_runs.now_done(tx, LEASE)
        heard = emptied.others(tx, demo_company.NAMES)
        customers = sum(state.customers for state in states(tx, [s.name for s in config.with_role("erp")]).values())
        last = runs.runs(tx, limit=8)
    if at_work is not None and now - at_work.told_at > _STALE:
        at_work = None
    waiting = asked is not None and asked.state == "asked"
    why_not: Text | None = None
    with contextlib.suppress(HoldfastError):
        why_not = demo_company.why_not(config, heard)
    return {
        "steps": steps,
        "next": first_steps.next_step(steps),
        "there": there,
        "held": waits.orders.get("held", 0),
        "customers": customers,
        "problems": waits.problems,
        "asked": asked,
        "waiting": waiting,
        "at_work": at_work,
        "busy": waiting or at_work is not None,
        "nobody": waiting and at_work is None and asked is not None and now - asked.asked_at > _NOBODY_AFTER,
        "last": last,
        "job_names": JOB_NAMES,
        "demo": demo_company.in_use(config),
        "no_demo": why_not,
        "written_to": [s.name for s in config.systems if config.writes_to(s)],
        "systems": [s.name for s in config.systems],
    }
