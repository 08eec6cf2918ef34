"""Guards before every route: a bound on the body, headers that keep browsers careful, a line and a count for each answer.

Plain ASGI: they cost microseconds, and a body is counted while it arrives, so that a large one is never held in memory.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector import logs
from connector.text import Text
from connector.web.front import Front
from connector.web.problem import problem

log = logging.getLogger("holdfast.web")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Head = Mapping[bytes, bytes]

# What stands in every answer that does not say otherwise.
GUARDING = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UNDER = "/api/v1"
# Where the desk brings the papers of a credit file.
PAPERS = "/desk/papers"
# Ids only tell lines of the log apart: asking the system for randomness would cost every request a call.
_ids = Random()  # noqa: S311
_QUIET = ("/healthz", "/readyz", "/metrics")


def pattern(scope: Scope) -> str | None:
    """The address of a route with the names of its parts in place of what was sent; None where there is no such route."""
    found: str | None = getattr(scope.get("route"), "path", None)
    # Newer FastAPIs tell a route's own address only, without what it was included under.
    if found is not None and scope["path"].startswith(_UNDER) and not found.startswith(_UNDER):
        return _UNDER + found
    return found


_UTF_8 = Text("Forms are taken in UTF-8 only.", "表单仅支持 UTF-8 编码。")
# No address of ours is longer; a number of thousands of figures in one is more than Python reads.
_PATH_MOST = 4000


def id_of(head: Head) -> str:
    """What a request is called in the log and in its answer: as the caller calls it, else by a name of ours."""
    given = head.get(b"x-request-id", b"")
    return given.decode() if _GIVEN_ID.fullmatch(given) else f"{_ids.getrandbits(64):016x}"


def count_answer(front: Front, method: str, path: str, route: str, status: int, seconds: float) -> None:
    """Counts an answer (status 0: none was given), and has a line in the log for what failed or took long."""
    front.metrics.answered(route, status or 499, seconds)
    if path not in _QUIET and (status >= 400 or seconds > 1):
        log.info("answered", extra={"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)})


class TooLarge(Exception):
    """A body is larger than may be sent; it is the guards' own to answer."""


class Guarded:
    """The application with its guards."""

    def __init__(self, app: App, front: Front) -> None:
        self.app, self.front = app, front
        self.most = front.config.service.body_kib * 1024
        # What may be larger than anything else that is sent: the form that brings a file, with room for its other fields.
        self.files = {PAPERS: front.config.service.paper_mib * 1024 * 1024 + self.most}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        head = dict(reversed(scope["headers"]))  # of several alike the first counts
        request_id = id_of(head)
        status, started, count, over, refusing = 0, False, 0, False, False
        most = self.files.get(scope["path"], self.most)

        async def receiving() -> MutableMapping[str, Any]:
            nonlocal count, over
            message = await receive()
            count += len(message.get("body", b""))
            if count > most:
                over = True
                raise TooLarge
            return message

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, started
            if over and not refusing:
                return  # whoever read the body has made something else of it
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                own = dict(message["headers"])
                if b"frame-ancestors http" in own.get(b"content-security-policy", b""):
                    own[b"x-frame-options"] = b""  # it cannot name several hosts; without it the policy alone counts
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in GUARDING if name not in own),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        logs.bind(request=request_id)
        try:
            if self._declared(head) > most:
                raise TooLarge
            if self._other_charset(head):
                await problem(Request(scope), 400, _UTF_8)(scope, receive, sending)
            elif len(scope["path"]) > _PATH_MOST:
                await problem(Request(scope), 404)(scope, receive, sending)
            else:
                await self.app(scope, receiving, sending)
        except TooLarge:
            over = True
        finally:
            if over and not started:
                refusing = True
                await self._too_large(scope, most)(scope, receive, sending)
            # The route's pattern, not the address: the number of labels stays small.
            route = pattern(scope) or "none"
            count_answer(self.front, scope["method"], scope["path"], route, status, time.perf_counter() - began)
            logs.unbind()

    def _too_large(self, scope: Scope, most: int) -> Response:
        kib = most // 1024
        self.front.metrics.refusals.labels("too_large").inc()
        log.warning("refused: a body above %s KiB", kib)
        limit = Text("At most {kib} KiB.", "不得超过 {kib} KiB。").fill(kib=kib)
        if most > self.most:
            mib = self.front.config.service.paper_mib
            limit = Text("A file is at most {mib} MB.", "文件不得超过 {mib} MB。").fill(mib=mib)
        return problem(Request(scope), 413, limit, headers={"Connection": "close"})

    @staticmethod
    def _declared(head: Head) -> int:
        given = head.get(b"content-length", b"0")
        return int(given) if given.isdigit() and len(given) < 16 else 0

    @staticmethod
    def _other_charset(head: Head) -> bool:
        """Whether a form says that it is in another character set than our pages ask for. Whoever reads forms would take it
        at its word, whatever codec that is: some of Python's make texts that no database keeps, others fail."""
        given = head.get(b"content-type", b"").lower()
        if b"multipart/" not in given or b"charset" not in given:
            return False
        return (
            re.search(rb"charset\*?[0-9]*\*?=[\"' ]*utf-?8[\"' ]*(;|\Z)", given) is None or given.count(b"charset") > 1
        )
