"""Requests that act: done once for each Idempotency-Key of a caller, in the front's threads, answered as their model says."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import HoldfastError
from connector.store import idempotent
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.text import Text
from connector.web.front import Front
from connector.web.problem import Refused
from connector.web.rights import Caller

log = logging.getLogger("holdfast.web")

T = TypeVar("T")
HEADER = "idempotency-key"
_KEY_MOST = 200

_BAD_KEY = Text(
    "Idempotency-Key: 1 to {most} visible ASCII characters, once.", "Idempotency-Key：1 至 {most} 个可见 ASCII 字符，且只能出现一次。"
).fill(most=_KEY_MOST)  # fmt: skip
_REUSED = Text(
    "This Idempotency-Key was used for another request.", "该 Idempotency-Key 已用于另一请求。"
)  # fmt: skip
_IN_USE = Text(
    "The request with this Idempotency-Key is being worked on.", "使用该 Idempotency-Key 的请求正在处理。"
)  # fmt: skip


async def once(
    front: Front,
    request: Request,
    caller: Caller,
    asked: BaseModel | None,
    act: Callable[[Store], T],
    answer: Callable[[T | None], Any],
    model: type[BaseModel],
) -> Response:
    """Acts and answers. `act` does its work in transactions of the store it is given; `answer` tells what became of it (of
    None where it was done before, and its answer was lost). The same key and body get the first answer again, word for
    word; the same key with another body is refused. Wakes the jobs, which tell the systems."""
    key = _key(request)
    if key is None:
        text = await front.work(lambda: _text(model, answer(act(front.store))))
        front.wake.set()
        return _response(text)
    said = asked.model_dump_json() if asked is not None else ""
    sha = hashlib.sha256(f"{request.method} {request.url.path}\n{said}".encode("utf-8", "surrogatepass")).hexdigest()

    def work() -> tuple[str, bool]:
        now = front.clock.now()
        with front.store.writing(concern=Concern()) as tx:
            known = idempotent.begin(tx, caller.actor, key, sha, now)
        if known is not None:
            if known.sha != sha:
                raise Refused(409, _REUSED, "key_reused")
            if known.state == "begun":
                raise Refused(409, _IN_USE, "key_in_use", {"Retry-After": "1"})
            if known.answer is not None:
                return known.answer, True
            made = _text(model, answer(None))
        else:
            try:
                done = act(idempotent.Once(front.store, caller.actor, key))
            except (HoldfastError, Refused):
                with front.store.writing(concern=Concern()) as tx:
                    idempotent.forget(tx, caller.actor, key)
                raise
            made = _text(model, answer(done))
        with front.store.writing(concern=Concern()) as tx:
            idempotent.answered(tx, caller.actor, key, 200, made)
        return made, known is not None

    text, again = await front.work(work)
    if not again:
        front.wake.set()
    return _response(text, again)


def _key(request: Request) -> str | None:
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = given[0]
    if len(given) > 1 or not 1 <= len(key) <= _KEY_MOST or not all(33 <= ord(c) < 127 for c in key):
        raise Refused(400, _BAD_KEY)
    return key


def _text(model: type[BaseModel], made: Any) -> str:
    return model.model_validate(made).model_dump_json()


def _response(text: str, again: bool = False) -> Response:
    headers = {"Cache-Control": "no-store", **({"Idempotent-Replay": "true"} if again else {})}
    return Response(text, 200, headers, "application/json")
