"""Straight to an endpoint: the order check, which is asked a thousand times a second, does not go through the routes.

What FastAPI does around every request (looking at the environment, the search for its route, stacks for what dependencies
open, limits that `Guarded` sets already) costs more than a check that passes. Errors become the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request

from connector.errors import HoldfastError
from connector.web.guards import App, Receive, Scope, Send, TooLarge
from connector.web.problem import Refused, of_error, of_failure, problem


class Application(FastAPI):
    """FastAPI's application, but for some addresses (POST), which `straight` answers."""

    paths: frozenset[str] = frozenset()
    straight: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self.paths and self.straight:
            scope["app"] = self
            await self.straight(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Straight:
    """The endpoints of some addresses, called at once."""

    def __init__(self, routes: Mapping[str, APIRoute]) -> None:
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["route"] = self.routes[scope["path"]]
        request = Request(scope, receive, send)
        try:
            answer = await route.endpoint(request)
        except HoldfastError as wrong:
            answer = of_error(request, wrong)
        except Refused as wrong:
            answer = problem(request, wrong.status, wrong.detail, wrong.code, wrong.headers)
        except TooLarge:
            raise
        except Exception as wrong:
            answer = of_failure(request, wrong)
        await answer(scope, receive, send)
