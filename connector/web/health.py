"""Health: `/healthz` (this process lives), `/readyz` (it can answer: database, schema, not stopping), `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from connector.store import upgrade
from connector.web.front import Front


def router(front: Front) -> APIRouter:
    """The routes that whoever keeps the service running asks; `/metrics` is added by `metrics_router`."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="This process lives.")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "alive"})

    @routes.get(
        "/readyz",
        summary="This process can answer; 503 with what is missing.",
        responses={503: {"description": "Not ready."}},
    )
    async def readyz() -> JSONResponse:
        if front.stopping:
            return JSONResponse({"status": "stopping"}, 503)
        try:
            same = await front.work(lambda: upgrade.is_current(front.store.engine))
        except Exception as wrong:
            # Whatever keeps us from the database: its name is enough, its words may hold an address.
            return JSONResponse({"status": "no database", "kind": type(wrong).__name__}, 503)
        if not same:
            return JSONResponse({"status": "the database has another schema"}, 503)
        return JSONResponse({"status": "ready"})

    return routes


async def metrics_text(front: Front) -> Response:
    """The metrics as Prometheus reads them."""
    return Response(await front.work(front.metrics.text), media_type=CONTENT_TYPE_LATEST)
