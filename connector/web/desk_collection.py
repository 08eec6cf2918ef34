"""Collection at the desk: whom to ask next, with everything for the call at hand, and where what came of it is noted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.money import rounded
from connector.text import Text
from connector.web.desk_customers import address_of
from connector.web.export import FORMS, Column, exported
from connector.web.form_once import once_field
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, visits
from jobs.collecting import SHOWS, Listed, collecting
from jobs.contact_words import KINDS, RESULTS
from jobs.customer_board import Board
from jobs.dun_words import CHANNELS
from jobs.worklist import WorkRow

_PAGE, _EXPORTED = 25, 2000
_COLUMNS = (
    Column("customer", Text("Customer", "客户")),
    Column("name", Text("Name", "名称")),
    Column("due_now", Text("To ask for", "可催收金额")),
    Column("overdue", Text("Overdue", "逾期金额")),
    Column("oldest", Text("Oldest, days", "最长逾期（天）")),
    Column("items", Text("Items", "单据数")),
    Column("level", Text("Dunning level", "催收级别")),
    Column("broken", Text("Broken promises", "未兑现承诺")),
    Column("promise_on", Text("Promised for", "承诺付款日")),
    Column("next_on", Text("Next step on", "下一步日期")),
    Column("step", Text("Next step", "下一步")),
    Column("last", Text("Last contact", "最近联系")),
    Column("phone", Text("Phone", "电话")),
    Column("sue", Text("Can be sued for until", "诉讼时效至")),
)


def router(front: Front, board: Board) -> APIRouter:
    """The page of collection; contacts are noted at /desk/contacts."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/collection")
    async def collection(
        request: Request,
        visitor: Annotated[Visitor, Depends(visits("read"))],
        show: Annotated[str, Query(max_length=10)] = "all",
        q: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        opened: Annotated[int, Query(alias="open", ge=0, le=2**62)] = 0,
        form: Annotated[str, Query(alias="as", max_length=4)] = "",
    ) -> Response:
        words, shown = " ".join(q.split()), show if show in SHOWS else "all"
        whole = form in FORMS

        def ask() -> Listed:
            policy = front.policy()
            with front.store.reading() as tx:
                return collecting(
                    tx, front.config, policy, front.clock, board.renew(tx), show=shown, words=words,
                    start=0 if whole else after, most=_EXPORTED if whole else _PAGE,
                )  # fmt: skip

        found = await front.work(ask)
        if whole:
            return exported(
                request,
                "collection",
                _COLUMNS,
                [_row(one, found, visitor.may("request")) for one in found.rows],
                form,
                visitor,
            )
        return await pages_of(request).show(
            request,
            "desk/collection.html",
            visitor,
            found=found,
            rows=found.rows,
            show=shown,
            words=words,
            first=after,
            next=after + _PAGE if after + _PAGE < found.count else None,
            opened=opened,
            address_of=address_of,
            channels=CHANNELS,
            contact_kinds=KINDS,
            contact_results=RESULTS,
            once=once_field,
            wrong={},
            typed={},
            personal=visitor.may("request"),
        )

    return routes


def _row(one: WorkRow, found: Listed, personal: bool) -> dict[str, Any]:
    work = one.work
    return {
        "customer": f"{one.first.system}/{one.first.ref}",
        "name": one.first.name,
        "due_now": rounded(work.due_now, found.currency),
        "overdue": rounded(work.overdue, found.currency),
        "oldest": work.oldest_days,
        "items": work.items,
        "level": work.level,
        "broken": work.broken,
        "promise_on": work.promise_on,
        "next_on": work.next_on,
        "step": CHANNELS[work.next_step.channel] if work.next_step is not None else None,
        "last": one.last.on if one.last is not None else None,
        "phone": one.first.phone if personal else None,
        "sue": work.limitation_on,
    }
