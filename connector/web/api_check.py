"""The order check over HTTP: `POST /api/v1/orders/check`, and the reservations that it makes.

The endpoint reads the body itself, without FastAPI's own looking at parameters and models. The models are there for the
OpenAPI document, and for tests that hold it against answers. Callers who are known go a quicker way (`connector.web.quick`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import HoldfastError
from connector.money import show
from connector.store import customers, reservations
from connector.text import Text
from connector.web import answers_check as models
from connector.web.answers import Problem
from connector.web.auth import admitted, needs, opens
from connector.web.checks import Checks
from connector.web.front import Front
from connector.web.problem import Refused, of_error, problem
from connector.web.rights import Caller
from jobs.check_answer import instant
from jobs.check_asked import asked_of
from jobs.check_return import give_back
from jobs.check_there import Refusal

PATH = "/orders/check"
KEY = re.compile(r"[\x21-\x7e]{1,200}")
NOT_JSON = Text("The body is not JSON that can be read.", "请求体不是可读取的 JSON。")
NOT_JSON_TYPE = Text("Send the body as application/json.", "请以 application/json 发送请求体。")
BAD_KEY = Text(
    "Idempotency-Key: 1 to 200 visible ASCII characters, once.",
    "Idempotency-Key：1 至 200 个可见 ASCII 字符，且只能出现一次。",
)

_Number = Annotated[int, Path(ge=1, le=2**53, description="The number of the reservation.")]
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)
}


class Bare(APIRoute):
    """A route whose endpoint takes the request and gives the response, with nothing between."""

    def get_route_handler(self) -> Endpoint:
        """The endpoint itself."""
        found: Endpoint = self.endpoint
        return found


def router(front: Front) -> APIRouter:
    """The order check and its reservations."""
    made = APIRouter(tags=["orders"], responses=_PROBLEMS)

    @opens("check")
    async def check(request: Request) -> Response:
        """Whether an order may go on, before it is in any system: all reasons, and what would let it pass."""
        caller = await admitted(request, "check")
        asked = asked_of(_body(request, await request.body()), caller.actor, _key(request))
        checks: Checks = request.app.state.checks
        try:
            answer = await checks.ask(asked)
        except Refusal as wrong:
            return of_wrong(request, wrong)
        headers = {"Cache-Control": "no-store"}
        if answer.replayed:
            headers["Idempotent-Replay"] = "true"
        return Response(answer.text, 200, headers, "application/json")

    made.routes.append(
        Bare(
            PATH,
            check,
            methods=["POST"],
            response_model=models.OrderChecked,
            response_model_exclude_none=False,
            responses=_PROBLEMS,
            tags=["orders"],
            operation_id="check_new_order",
            openapi_extra=_documented(),
        )
    )

    @made.get("/orders/reservations", operation_id="list_reservations")
    async def listed(_caller: Annotated[Caller, Depends(needs("read"))]) -> models.Reservations:
        """The credit that is kept for orders that are not in any system yet."""
        return await front.work(lambda: _standing(front))

    @made.delete("/orders/reservations/{number}", operation_id="return_reservation")
    async def returned(number: _Number, caller: Annotated[Caller, Depends(needs("check"))]) -> models.Returned:
        """Gives back credit that the caller has reserved; a credit controller gives back anybody's."""
        found = await front.work(
            lambda: give_back(front.store, front.clock, number, caller.actor, anybodys="credit" in caller.rights)
        )
        front.wake.set()
        return models.Returned(id=found.id, amount=show(found.total, found.currency), currency=found.currency)

    return made


def of_wrong(request: Request, wrong: HoldfastError) -> Response:
    """The answer to a question that could not be answered."""
    if isinstance(wrong, Refusal):
        return problem(request, 409, wrong.user, "key_reused")
    return of_error(request, wrong)


def _standing(front: Front) -> models.Reservations:
    with front.store.reading() as tx:
        found = [one for some in reservations.standing(tx, front.clock.now()).values() for one in some]
        names = {row.key: row for row in customers.customers(tx, keys=[one.customer for one in found])}
    return models.Reservations(
        reservations=[
            models.Standing(
                id=one.id,
                customer=models.Whose(system=(row := names[one.customer]).system, id=row.ref, name=row.name),
                order=one.ref,
                amount=show(one.total, one.currency),
                currency=one.currency,
                by=one.by,
                made_at=instant(one.made_at),
                valid_until=instant(one.valid_until),
            )
            for one in sorted(found, key=lambda one: one.id)
        ]
    )


def _body(request: Request, raw: bytes) -> Any:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/json"):
        raise Refused(415, NOT_JSON_TYPE)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(400, NOT_JSON) from None


def _key(request: Request) -> str | None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not KEY.fullmatch(given[0]):
        raise Refused(400, BAD_KEY)
    return given[0]


def _documented() -> dict[str, Any]:
    """What the endpoint reads by itself, for the OpenAPI document."""
    schema = models.OrderAsked.model_json_schema()
    lines = schema.pop("$defs", {}).get("LineAsked", {})
    schema["properties"]["lines"]["anyOf"][0]["items"] = lines
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
            }
        ],
        "security": [{"HTTPBearer": []}],
    }
