"""The desk: its first page, the work list of finance, and the routers of its other pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.text import Text
from connector.web import desk_acts, desk_collection, desk_customer, desk_customers, desk_papers, desk_reviews
from connector.web.export import FORMS, Column, exported
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, visits
from jobs import desk_list
from jobs.customer_board import Board
from jobs.desk_words import KIND_OF, KINDS

_PAGE = 50
_COLUMNS = (
    Column("kind", Text("Kind", "类型")),
    Column("name", Text("Customer", "客户")),
    Column("what", Text("What", "事项")),
    Column("why", Text("Why", "原因")),
    Column("next", Text("Next step", "下一步")),
    Column("currency", Text("Currency", "币种")),
    Column("amount", Text("Amount", "金额")),
    Column("since", Text("Since", "起始日")),
    Column("mine", Text("Waits for me", "待我处理")),
)


def router(front: Front) -> APIRouter:
    """The pages of the desk: work list, customers, collection, reviews."""
    routes = APIRouter(include_in_schema=False)
    board = Board()

    def known() -> None:
        with front.store.reading() as tx:
            board.renew(tx)

    front.early.append(known)
    routes.include_router(desk_customers.router(front, board))
    routes.include_router(desk_collection.router(front, board))
    routes.include_router(desk_reviews.router(front, board))
    routes.include_router(desk_acts.router(front))
    routes.include_router(desk_papers.router(front))
    routes.include_router(desk_customer.router(front))

    @routes.get("/desk")
    async def worklist(
        request: Request,
        visitor: Annotated[Visitor, Depends(visits("read"))],
        show: Annotated[str, Query(max_length=20)] = "",
        q: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[int, Query(ge=0, le=100_000)] = 0,
        form: Annotated[str, Query(alias="as", max_length=4)] = "",
    ) -> Response:
        words = " ".join(q.split())
        found = await front.work(lambda: _found(front, board, visitor, words))
        lines = found.lines
        if show == "mine":
            lines = [one for one in lines if one.mine]
        elif show in desk_list.KINDS:
            lines = [one for one in lines if one.kind == show]
        if form in FORMS:
            return exported(request, "work", _COLUMNS, [_row(one) for one in lines], form, visitor)
        return await pages_of(request).show(
            request,
            "desk/worklist.html",
            visitor,
            lines=lines[after : after + _PAGE],
            count=len(lines),
            first=after,
            next=after + _PAGE if after + _PAGE < len(lines) else None,
            counts=found.counts,
            mine=found.mine,
            show=show if show == "mine" or show in desk_list.KINDS else "",
            words=words,
            kinds=KINDS,
            kind_of=KIND_OF,
            today=found.today,
            decides=visitor.may("decide"),
        )

    return routes


def _found(front: Front, board: Board, visitor: Visitor, words: str) -> desk_list.Listed:
    policy = front.policy()
    person = visitor.caller.person if visitor.may("decide") or visitor.may("credit") else None
    with front.store.reading() as tx:
        return desk_list.work(tx, front.config, policy, front.clock, board.renew(tx), person, words)


def _row(one: desk_list.Work) -> dict[str, Any]:
    return {
        "kind": KINDS[one.kind],
        "name": one.name,
        "what": one.what,
        "why": one.why,
        "next": one.next,
        "currency": one.currency,
        "amount": one.amount,
        "since": one.since,
        "mine": one.mine,
    }
