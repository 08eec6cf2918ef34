"""An application that answers the order check's address with nothing: what benchmarks hold the service against."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def make() -> Any:
    """The application."""

    async def empty(_request: Request) -> Response:
        return Response("{}", media_type="application/json")

    return Starlette(routes=[Route("/api/v1/orders/check", empty, methods=["POST"])])
