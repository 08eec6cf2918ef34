"""Straight to an endpoint: the order check, which is asked a thousand times a second, does not go through the routes.

What FastAPI does around every request (the search for its route, stacks for what dependencies open, limits that `Guarded`
sets already) costs more than a check that passes. Errors become the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.routing import APIRoute
from starlette.requests import Request

from connector.errors import HoldfastError
from connector.web.guards import App, Receive, Scope, Send
from connector.web.problem import Refused, of_error, problem


class Straight:
    """The application, but for the endpoints of some addresses (POST), which are called at once."""

    def __init__(self, app: App, routes: Mapping[str, APIRoute]) -> None:
        self.app, self.routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.routes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive, send)
        try:
            answer = await route.endpoint(request)
        except HoldfastError as wrong:
            answer = of_error(request, wrong)
        except Refused as wrong:
            answer = problem(request, wrong.status, wrong.detail, wrong.code, wrong.headers)
        await answer(scope, receive, send)
