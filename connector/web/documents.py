"""The service's own documents: the OpenAPI document of the API, and the metrics; who may read them says `[service]`.

Every route below /api/v1 may answer with a problem, in one form; that is added to the document here.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connector.text import Text
from connector.web.answers import Problem
from connector.web.auth import admitted
from connector.web.front import Front
from connector.web.health import metrics_text
from connector.web.problem import TYPE, Refused

_REF = {"$ref": "#/components/schemas/Problem"}
_WHAT = {
    400: "The request cannot be understood.",
    401: "Not signed in.",
    403: "The caller has not the right, or the person not the authority.",
    404: "There is no such thing.",
    409: "It does not go with what is there.",
    413: "The request is too large.",
    422: "It cannot be done as asked: `detail` and `fields` say what is wrong.",
    429: "Too many failed attempts from this address.",
    503: "Not now.",
}
# What every route of the API may answer beside its own.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {TYPE: {"schema": _REF}}} for status, what in _WHAT.items()
}


def router(front: Front) -> APIRouter:
    """`/metrics` and `/api/v1/openapi.json`; neither is part of the document."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        await _may(request, front.config.service.metrics)
        return await metrics_text(front)

    @routes.get("/api/v1/openapi.json")
    async def document(request: Request) -> Response:
        await _may(request, front.config.service.documents)
        return JSONResponse(request.app.openapi())

    return routes


async def _may(request: Request, setting: str) -> None:
    if setting == "off":
        raise Refused(404, Text("This is turned off in [service].", "已在 [service] 中关闭。"))
    if setting != "open":
        await admitted(request, "read")


def describe(app: FastAPI) -> None:
    """Makes the application's OpenAPI document tell of problems as they are answered."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            whole = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(whole.pop("$defs", {}))
            schemas["Problem"] = whole
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
