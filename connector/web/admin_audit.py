"""The audit trail on a page: who did what to what, before and after; and the proof that nobody has changed it since."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

import simplejson
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.store import audit, proof
from connector.store.audit import Line
from connector.text import Language, Text
from connector.web.actors import who
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.front import Front
from connector.web.pages import language_of, pages_of
from connector.web.session import Visitor, visits
from jobs.audit_answer import plain, spoken

_MOST = 100
Auditor = Annotated[Visitor, Depends(visits("audit"))]
_BUSY = Text("The trail is being verified. Try again in a while.", "正在校验审计日志，请稍后重试。")
_COLUMNS = (
    Column("at", Text("When", "时间")),
    Column("action", Text("Action", "操作")),
    Column("subject", Text("Subject", "对象")),
    Column("actor", Text("By", "操作人")),
    Column("why", Text("Why", "理由")),
    Column("before", Text("Before", "之前")),
    Column("after", Text("After", "之后")),
    Column("hash", Text("Hash", "校验值")),
)


def router(front: Front) -> APIRouter:
    """The pages of the audit trail."""
    routes = APIRouter(include_in_schema=False)
    verifying = asyncio.Lock()

    @routes.get("/admin/audit")
    async def trail(request: Request, visitor: Auditor) -> Response:
        return await _trail(request, visitor)

    async def _trail(request: Request, visitor: Visitor, proved: dict[str, Any] | None = None) -> Response:
        asked = {
            name: request.query_params.get(name, "").strip()[:200]
            for name in ("subject", "action", "actor", "since", "until")
        }
        form = request.query_params.get("as", "")
        since, until = _day(asked["since"]), _day(asked["until"])

        def read() -> list[Line]:
            with front.store.reading() as tx:
                return audit.listing(
                    tx,
                    subject=asked["subject"] or None,
                    action=asked["action"] or None,
                    actor=asked["actor"] or None,
                    since=since,
                    until=until + dt.timedelta(days=1) if until else None,
                    limit=MOST if form in FORMS else _MOST,
                )

        lines = await front.work(read)
        if form in FORMS:
            return exported(request, "audit", _COLUMNS, [_row(line) for line in lines], form, visitor)
        language = language_of(request, visitor)
        return await pages_of(request).show(
            request,
            "admin/audit.html",
            visitor,
            lines=[(line, who(front.config, line.entry.actor), told(line, language)) for line in lines],
            asked=asked,
            most=_MOST,
            proved=proved,
        )

    @routes.post("/admin/audit/verify")
    async def verify(request: Request, visitor: Auditor) -> Response:
        if verifying.locked():
            return pages_of(request).moved(request, "/admin/audit", _BUSY, tone="note", visitor=visitor)

        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                found = [*audit.verify(tx), *proof.verify(tx)]
                heads = audit.heads(tx)
            return {"found": found, "entries": sum(one.number for one in heads), "heads": heads}

        async with verifying:
            proved = await front.work(look)
        return await _trail(request, visitor, proved)

    return routes


def _day(given: str) -> dt.datetime | None:
    """The beginning of a day in UTC; None for what is none."""
    try:
        found = dt.date.fromisoformat(given)
    except ValueError:
        return None
    return dt.datetime.combine(found, dt.time(), dt.UTC) if 1990 <= found.year <= 2200 else None


def told(line: Line, language: Language) -> list[tuple[str, str, str]]:
    """What changed, for a reader of this language: key, before, after."""
    sides = (plain(value, str) for value in (line.entry.before, line.entry.after))
    before, after = (spoken(value, lambda text: text.say(language)) for value in sides)
    if not isinstance(before, dict) or not isinstance(after, dict):
        before, after = ({} if v is None else v if isinstance(v, dict) else {"": v} for v in (before, after))
    keys = list(dict.fromkeys([*before, *after]))
    return [(key, _said(before.get(key)), _said(after.get(key))) for key in keys if before.get(key) != after.get(key)]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else simplejson.dumps(value, ensure_ascii=False)


def _row(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "at": line.at.isoformat(timespec="seconds"),
        "action": entry.action,
        "subject": entry.subject,
        "actor": entry.actor,
        "why": entry.why,
        "before": _said(plain(entry.before, str)),
        "after": _said(plain(entry.after, str)),
        "hash": line.hash,
    }
