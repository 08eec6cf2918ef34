"""Problems on pages: what is wrong with the data, by its cause, with what mends it; the rest of the data goes on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import Missing
from connector.store import problem_groups, problems
from connector.text import Text
from connector.web.administrator import Admin
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.front import Front
from connector.web.pages import pages_of

_MOST = 300
_COLUMNS = (
    Column("system", Text("System", "系统")),
    Column("stream", Text("What", "数据")),
    Column("where", Text("Where", "位置")),
    Column("field", Text("Field", "字段")),
    Column("code", Text("Code", "代码")),
    Column("what", Text("What is wrong", "问题")),
    Column("fix", Text("What to do", "处理办法")),
    Column("first_seen", Text("First seen", "首次发现")),
    Column("last_seen", Text("Last seen", "最近发现")),
)


def router(front: Front) -> APIRouter:
    """The pages of problems."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/problems")
    async def listing(request: Request, visitor: Admin, system: str = "", view: str = "open") -> Response:
        gone, form = view == "gone", request.query_params.get("as", "")

        def read() -> Any:
            with front.store.reading() as tx:
                if form in FORMS:
                    return problems.problems(tx, systems=[system] if system else None, limit=MOST)
                return problem_groups.causes(tx, system=system or None, resolved=gone)

        found = await front.work(read)
        if form in FORMS:
            return exported(request, "problems", _COLUMNS, [_row(one) for one in found], form, visitor)
        return await pages_of(request).show(
            request,
            "admin/problems.html",
            visitor,
            causes=found,
            system=system,
            gone=gone,
            systems=[one.name for one in front.config.systems],
        )

    @routes.get("/admin/problems/{code}")
    async def cause(request: Request, visitor: Admin, code: str, system: str = "", stream: str = "") -> Response:
        def read() -> list[problems.KeptProblem]:
            with front.store.reading() as tx:
                return problems.problems(tx, codes=[code], systems=[system], stream=stream, limit=_MOST)

        found = await front.work(read)
        if not found:
            raise Missing(Text("Nothing has this problem any more.", "该问题已不存在。"))
        form = request.query_params.get("as", "")
        if form in FORMS:
            return exported(request, f"problems-{code}", _COLUMNS, [_row(one) for one in found], form, visitor)
        return await pages_of(request).show(
            request, "admin/problem_cause.html", visitor, found=found, code=code, system=system, most=_MOST
        )

    return routes


def _row(one: problems.KeptProblem) -> dict[str, Any]:
    return {
        "system": one.system,
        "stream": one.stream,
        "where": one.problem.where,
        "field": one.problem.field,
        "code": one.problem.code,
        "what": one.problem.what,
        "fix": one.problem.fix,
        "first_seen": one.first_seen.isoformat(timespec="minutes"),
        "last_seen": one.last_seen.isoformat(timespec="minutes"),
    }
