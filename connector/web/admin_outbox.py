"""The outbox on pages: what is still to be written, what systems refuse and why; tried again or given up, with a reason."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.store import outbox, outbox_groups
from connector.store.outbox import OutboxRow
from connector.text import Text
from connector.web.administrator import Admin, acting
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import form_of
from jobs import outbox_decided
from jobs.run_words import CHANNEL_NAMES, WRITE_STATES

_MOST = 100
_VIEWS = {"waiting": ("owed", "claimed", "parked", "undone"), "parked": ("parked",), "undone": ("undone",), "all": None}
TONES = {"owed": "note", "claimed": "note", "parked": "bad", "undone": "warn", "done": "ok"}
_AGAIN = Text("{count:write is|writes are} tried again at once.", "{count} 项将立即重试。")
_DROPPED = Text(
    "{count:write is|writes are} given up. The same values are not written again; others are.",
    "已放弃 {count} 项。相同的内容不再写入，其他内容照常写入。",
)
_NONE = Text("None of them waits any more.", "所选项目均已不在等待中。")
_WHY = Text("Say why: it stands in the audit trail.", "请填写理由，将记入审计日志。")
_COLUMNS = (
    Column("id", Text("No.", "编号")),
    Column("system", Text("System", "系统")),
    Column("kind", Text("What", "内容")),
    Column("target", Text("Record", "记录")),
    Column("state", Text("State", "状态")),
    Column("attempts", Text("Attempts", "尝试次数")),
    Column("owed_at", Text("Owed since", "产生时间")),
    Column("why", Text("Why", "原因")),
)


def router(front: Front) -> APIRouter:
    """The pages of the outbox."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/outbox")
    async def listing(request: Request, visitor: Admin, view: str = "waiting", system: str = "") -> Response:
        return await _listing(request, visitor, view, system)

    async def _listing(
        request: Request, visitor: Admin, view: str, system: str, wrong: dict[str, Text] | None = None
    ) -> Response:
        view = view if view in _VIEWS else "waiting"
        chosen = system if any(one.name == system for one in front.config.systems) else None
        form = request.query_params.get("as", "")

        def read() -> tuple[list[OutboxRow], Any, Any]:
            most = MOST if form in FORMS else _MOST
            with front.store.reading() as tx:
                rows = outbox.listing(tx, states=_VIEWS[view], system=chosen, limit=most)
                return rows, outbox_groups.counts(tx), outbox_groups.parked(tx)

        rows, counts, causes = await front.work(read)
        if form in FORMS:
            return exported(request, "outbox", _COLUMNS, [_row(row) for row in rows], form, visitor)
        return await pages_of(request).show(
            request,
            "admin/outbox.html",
            visitor,
            status=422 if wrong else 200,
            view=view,
            system=chosen or "",
            systems=[one.name for one in front.config.systems],
            rows=rows,
            counts=counts,
            causes=causes,
            kinds=CHANNEL_NAMES,
            states=WRITE_STATES,
            tones=TONES,
            most=_MOST,
            wrong=wrong or {},
        )

    @routes.post("/admin/outbox/decide")
    async def decide(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        act, why = given.get("act", ""), given.get("why", "").strip()
        if act == "drop" and not why:
            return await _listing(request, visitor, given.get("view", "waiting"), "", {"why": _WHY})
        person, now = acting(visitor), front.clock.now()

        def do() -> int:
            with front.store.writing() as tx:
                if is_number(given.get("number", ""), 18):
                    numbers = [int(given["number"])]
                else:
                    numbers = outbox_groups.of_cause(
                        tx, given.get("system", ""), given.get("kind", ""), given.get("code", "")
                    )
                decided = outbox_decided.again if act == "retry" else outbox_decided.drop
                return len(decided(tx, numbers, by=person.actor, now=now, why=why))

        count = await front.work(do) if act in ("retry", "drop") else 0
        if count and act == "retry":
            front.wake.set()
        say = _NONE if not count else (_AGAIN if act == "retry" else _DROPPED).fill(count=count)
        return pages_of(request).moved(
            request, "/admin/outbox", say, tone="ok" if count else "warn", visitor=visitor
        )  # fmt: skip

    return routes


def _row(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "system": row.system,
        "kind": CHANNEL_NAMES.get(row.kind, Text(row.kind, row.kind)),
        "target": row.target,
        "state": WRITE_STATES.get(row.state, Text(row.state, row.state)),
        "attempts": row.attempts,
        "owed_at": row.owed_at.isoformat(timespec="seconds"),
        "why": row.why,
    }
