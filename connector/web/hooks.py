"""`/hooks/<system>`: where systems call us by webhook. Proved over the raw bytes, stored, answered at once.

A call is only a hint, so nothing of its content is shown, logged or trusted; the address may end with a token, so it is
never logged either. Refusals are logged with their reason and counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from connector.config import System
from connector.errors import ConfigError
from connector.hook import BODY_MOST, Delivery, Refused, too_large
from connector.text import Text
from connector.web.front import Front
from connector.web.problem import problem
from jobs.hooks import TakenIn, take_in

log = logging.getLogger("holdfast.hooks")

# A sender that drips its body is cut off; the largest body takes a fraction of this.
SECONDS = 10.0
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_HEADERS_MOST = 100
# So many lines a minute tell of refusals of one kind; of more, the next line says how many there were. Metrics count all.
_LINES_A_MINUTE = 60


class _Lines:
    """How often refusals of one kind were told of lately, so that whoever forges by the thousand cannot fill the log."""

    def __init__(self) -> None:
        self._minute = 0
        self._told: dict[tuple[str, str], int] = defaultdict(int)

    def untold(self, kind: tuple[str, str]) -> int | None:
        """None where this one is not told of; else how many before it in the last minute were not."""
        minute = int(time.monotonic() // 60)
        left = 0
        if minute != self._minute:
            left = max(0, self._told[kind] - _LINES_A_MINUTE)
            self._minute = minute
            self._told.clear()
        self._told[kind] += 1
        return left if self._told[kind] <= _LINES_A_MINUTE else None


@dataclass(frozen=True)
class _Desk:
    """The front, and what it has told of refusals."""

    front: Front
    lines: _Lines


def router(front: Front) -> APIRouter:
    """The routes of all systems. They are not part of the documented interface: their callers have contracts of their own."""
    routes = APIRouter(include_in_schema=False)
    desk = _Desk(front, _Lines())

    @routes.api_route("/hooks/{system}", methods=_METHODS)
    async def at(system: str, request: Request) -> Response:
        return await _answer(desk, await _system(front, system, request), "", request)

    @routes.api_route("/hooks/{system}/{token}", methods=_METHODS)
    async def with_token(system: str, token: str, request: Request) -> Response:
        return await _answer(desk, await _system(front, system, request), token, request)

    return routes


async def _system(front: Front, name: str, request: Request) -> System | None:
    """The system of that name as it is configured now; None: there is none, or it may not call."""
    await request.app.state.sign_in.people.now()
    return next((s for s in front.config.systems if s.name == name and s.hook is not None), None)


async def _answer(desk: _Desk, system: System | None, token: str, request: Request) -> Response:
    front = desk.front
    if system is None:
        _refused(desk, "none", "unknown", "there is no such system, or it is not configured to call", request)
        return problem(request, 404)
    if request.method not in ("GET", "POST"):
        return _refusal(desk, system, Refused(405, "method", Text("POST is wanted.", "应使用 POST。")), request)
    if len(request.headers) > _HEADERS_MOST:
        return _refusal(desk, system, Refused(431, "headers", Text("Too many headers.", "请求头过多。")), request)
    try:
        body = await asyncio.wait_for(_body(request), SECONDS)
    except TimeoutError:
        slow = Refused(408, "slow", Text("The body takes too long.", "请求体传输过慢。"))
        return _refusal(desk, system, slow, request)
    if body is None:
        return _refusal(desk, system, too_large(), request)
    delivery = Delivery(
        request.method,
        {name.lower(): value for name, value in request.headers.items()},
        body,
        dict(request.query_params),
        token,
        _told_address(front, request),
    )
    try:
        taken: TakenIn = await front.work(lambda: take_in(front.store, front.config, front.clock, system, delivery))
    except ConfigError as wrong:
        # The sender may well be right: it is told to come again, not that it is refused.
        front.metrics.hooks.labels(system.name, "not_set_up").inc()
        log.error("a webhook of %s cannot be judged: %s", system.name, wrong.log)
        return problem(request, 503, headers={"Retry-After": "300"})
    if taken.refused is not None:
        return _refusal(desk, system, taken.refused, request)
    front.metrics.hooks.labels(system.name, taken.outcome).inc()
    if taken.new:
        front.wake.set()
    return Response(taken.reply.body, taken.reply.status, {"Cache-Control": "no-store"}, taken.reply.type)


async def _body(request: Request) -> bytes | None:
    """The raw bytes; None where there are more than are looked at."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_MOST:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _told_address(front: Front, request: Request) -> str:
    """The address as the sender was told it, for those that sign it: behind a proxy the request shows another."""
    base = front.config.service.address or f"{request.url.scheme}://{request.url.netloc}"
    query = request.url.query
    return f"{base}{request.url.path}{f'?{query}' if query else ''}"


def _refusal(desk: _Desk, system: System, refused: Refused, request: Request) -> Response:
    _refused(desk, system.name, refused.code, refused.why.en, request)
    headers = (
        {"Allow": "GET, POST"} if refused.status == 405 else {"Connection": "close"} if refused.status == 413 else {}
    )
    # What exactly was wrong is in the log; who forges needs no help.
    return problem(request, refused.status, headers=headers)


def _refused(desk: _Desk, system: str, code: str, why: str, request: Request) -> None:
    desk.front.metrics.hooks.labels(system, code).inc()
    desk.front.metrics.refusals.labels("hook").inc()
    untold = desk.lines.untold((system, code))
    if untold is not None:
        peer = request.client.host if request.client else "?"
        more = f"; {untold} more like it were not told of" if untold else ""
        log.warning("a webhook of %s from %s is refused: %s (%s%s)", system, peer, code, why, more)
