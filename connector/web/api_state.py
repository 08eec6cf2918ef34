"""The API of what goes on: warnings and who has taken note of them, runs of the jobs, problems of the data, the audit trail, and who calls."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.store import audit, proof, runs
from connector.store.db import Store
from connector.text import Text
from connector.web.answers_customers import WarningList
from connector.web.answers_state import AuditPage, AuditProof, Me, ProblemList, RunList
from connector.web.asked import Line, Most, WarningNoted
from connector.web.auth import Auditor, Decider, Reader
from connector.web.documents import PROBLEMS
from connector.web.front import Front
from connector.web.once import once
from connector.web.problem import Refused
from connector.web.rights import RIGHTS
from jobs import warning_answer, warning_note
from jobs.audit_answer import answer
from jobs.customer_answer import one_customer

_VERIFYING = Text("The trail is being verified. Try again in a while.", "正在校验审计日志，请稍后重试。")
Moment = Annotated[
    dt.datetime | None,
    Query(ge=dt.datetime(1990, 1, 1, tzinfo=dt.UTC), le=dt.datetime(2200, 1, 1, tzinfo=dt.UTC)),
]


def router(front: Front) -> APIRouter:
    """Routes that only look."""
    routes = APIRouter(responses=PROBLEMS)
    verifying = asyncio.Lock()

    @routes.get("/me", tags=["sign-in"], summary="Who you are here, and what you may do.", response_model=Me)
    async def me(caller: Reader) -> Any:
        return {
            "name": caller.name,
            "actor": caller.actor,
            "roles": sorted(caller.roles),
            "rights": [right for right in RIGHTS if right in caller.rights],
        }

    @routes.get("/warnings", tags=["warnings"], summary="Who is warned of, and why.", response_model=WarningList)
    async def warnings(
        caller: Reader,
        customer: Annotated[Line | None, Query(description="Only of this customer: its id, or system/id.")] = None,
        level: Literal["yellow", "orange", "red"] = "yellow",
        history: Annotated[bool, Query(description="Of a customer: those that have ended, too.")] = False,
        rests: Annotated[bool, Query(description="Those, too, that rest because somebody has taken note.")] = True,
        most: Annotated[int, Query(ge=1, le=2000)] = 200,
    ) -> Any:
        def look() -> dict[str, Any]:
            policy = front.policy()
            with front.store.reading() as tx:
                row = one_customer(tx, front.config, customer) if customer is not None else None
                lines = warning_answer.warnings(tx, front.config, policy, front.clock, row, level, rests=rests)
                if history and row is not None:
                    lines += warning_answer.ended(tx, row, level)
            shown = [warning_answer.plain(line) for line in lines[:most]]
            return {"warnings": shown, "left_out": len(lines) - len(shown)}

        return await front.work(look)

    @routes.post(
        "/warnings/acknowledge",
        tags=["warnings"],
        summary="Take note of warnings of a customer; they rest until a day.",
        response_model=WarningList,
    )
    async def acknowledge(request: Request, caller: Decider, asked: WarningNoted) -> Response:
        def act(store: Store) -> None:
            person = caller.person
            assert person is not None, "to decide is a person's own right"
            with store.writing() as tx:
                row = one_customer(tx, front.config, asked.customer)
                warning_note.acknowledge(
                    tx, front.config, front.clock, row, person, asked.why, asked.until, asked.indicators
                )

        def answer(_: None) -> dict[str, Any]:
            policy = front.policy()
            with front.store.reading() as tx:
                row = one_customer(tx, front.config, asked.customer)
                lines = warning_answer.warnings(tx, front.config, policy, front.clock, row, "yellow")
            return {"warnings": [warning_answer.plain(line) for line in lines], "left_out": 0}

        return await once(front, request, caller, asked, act, answer, WarningList)

    @routes.get("/runs", tags=["jobs"], summary="Runs of the jobs, newest first.", response_model=RunList)
    async def ran(caller: Reader, job: Line | None = None, system: Line | None = None, most: Most = 50) -> Any:
        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                found = runs.runs(tx, job=job, system=system, limit=most)
            return {
                "runs": [
                    {
                        "number": one.id,
                        "job": one.job,
                        "system": one.system,
                        "started_at": one.started_at.isoformat(),
                        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
                        "state": one.state,
                        "counts": one.counts,
                    }
                    for one in found
                ]
            }

        return await front.work(look)

    @routes.get("/problems", tags=["jobs"], summary="What is wrong with the data.", response_model=ProblemList)
    async def problems(caller: Reader, system: Line | None = None, most: Most = 50) -> Any:
        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                found = runs.problems(tx, systems=None if system is None else [system], limit=most)
            return {
                "problems": [
                    _problem(one.problem, one.first_seen.isoformat(), one.last_seen.isoformat()) for one in found
                ]
            }

        return await front.work(look)

    @routes.get("/audit", tags=["audit"], summary="The audit trail, newest first.", response_model=AuditPage)
    async def trail(
        caller: Auditor,
        subject: Annotated[Line | None, Query(description="What it was done to, or its beginning: order:books")] = None,
        action: Annotated[Line | None, Query(description="limit.approve, or limit")] = None,
        actor: Annotated[Line | None, Query(description="person:li.wei, or job")] = None,
        since: Moment = None,
        until: Moment = None,
        most: Most = 50,
    ) -> Any:
        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                lines = audit.listing(
                    tx, subject=subject, action=action, actor=actor, since=since, until=until, limit=most
                )
            return {"audit": [answer(line, str) for line in lines]}

        return await front.work(look)

    @routes.get(
        "/audit/verify", tags=["audit"], summary="Whether the trail is what was appended.", response_model=AuditProof
    )
    async def verify(caller: Auditor) -> Any:
        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                found = [*audit.verify(tx), *proof.verify(tx)]
                heads = audit.heads(tx)
            now = front.clock.now().isoformat()
            return {
                "whole": not found,
                "entries": sum(head.number for head in heads),
                "heads": [str(head) for head in heads],
                "found": [_problem(one, now, now) for one in found[:200]],
            }

        if verifying.locked():
            # It reads the whole trail: one at a time, so that others find a free thread.
            raise Refused(503, _VERIFYING, "busy", {"Retry-After": "10"})
        async with verifying:
            return await front.work(look)

    return routes


def _problem(one: Any, first: str, last: str) -> dict[str, Any]:
    return {
        "code": one.code,
        "where": one.where,
        "field": one.field,
        "what": {"en": one.what.en, "zh": one.what.zh},
        "fix": {"en": one.fix.en, "zh": one.fix.zh},
        "first_seen": first,
        "last_seen": last,
    }
