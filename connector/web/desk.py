"""The desk's first page: the work list of finance."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.web import desk_acts, desk_customer, desk_customers
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, visits
from jobs.customer_board import Board


def router(front: Front) -> APIRouter:
    """The pages of the desk: work list, customers, collection, reviews."""
    routes = APIRouter(include_in_schema=False)
    board = Board()
    routes.include_router(desk_customers.router(front, board))
    routes.include_router(desk_customer.router(front))
    routes.include_router(desk_acts.router(front))

    @routes.get("/desk")
    async def worklist(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        return await pages_of(request).show(request, "desk/worklist.html", visitor)

    return routes
