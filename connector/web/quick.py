"""Quick answers: an order check whose caller is known goes from its connection to its group and back, and nowhere else.

The check is asked a thousand times a second, and what a server, an application and its routes do around every request (a
task, objects for request and answer, a search for the route) costs more than a check that passes. Whatever is not plain
goes the usual way (`connector.web.api_check`) before anything has been done: an unknown caller, a body in pieces, a mistake
in the question. Guards, counts and answers are the same either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from connector import logs
from connector.errors import HoldfastError
from connector.web.api_check import KEY, of_wrong
from connector.web.guards import GUARDING, count_answer, id_of
from jobs.check_answer import Answer
from jobs.check_asked import asked_of

if TYPE_CHECKING:
    from fastapi import FastAPI

Heads = Sequence[tuple[bytes, bytes]]
# Who is told the answer: its head, without the server's own lines and the one that ends it, and its body.
Told = Callable[[bytes, bytes], None]

# A question of more bytes has hundreds of lines; it may as well go the usual way.
BODY_MOST = 16 * 1024
_PASSED = b"HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-type: application/json\r\n" + b"".join(
    b"%s: %s\r\n" % one for one in GUARDING if one[0] != b"cache-control"
)
_REPLAYED = _PASSED + b"idempotent-replay: true\r\n"


class Quick:
    """The quick way of one application to `path`."""

    def __init__(self, app: FastAPI, path: str) -> None:
        self.app, self.path, self.url = app, path, path.encode()
        self.front, self.sign_in, self.checks = app.state.front, app.state.sign_in, app.state.checks
        self.most = min(BODY_MOST, self.front.config.service.body_kib * 1024)

    def takes(self, heads: Heads) -> bool:
        """Whether a request with such a head, whose body is whole when it is asked, may go the quick way."""
        lengths = [value for name, value in heads if name in _FRAMING]
        return len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) < 8 and int(lengths[0]) <= self.most

    def ask(self, heads: Heads, body: bytes, client: tuple[str, int] | None, told: Told) -> bool:
        """Asks; whoever asked is told once, later. False: this has to go the usual way, and nothing has been done."""
        began = time.perf_counter()
        given: dict[bytes, bytes] = {}
        for name, value in heads:
            if name in _ONCE:
                if name in given:
                    return False
                given[name] = value
        credential, key = given.get(b"authorization"), given.get(b"idempotency-key")
        caller = None if credential is None else self.sign_in.known(credential)
        if caller is None or "check" not in caller.rights:
            return False
        if not given.get(b"content-type", b"").startswith(b"application/json"):
            return False
        named = None if key is None else key.decode("latin-1")
        if named is not None and not KEY.fullmatch(named):
            return False
        request_id = id_of(given)

        def answered(made: Answer | HoldfastError) -> None:
            if isinstance(made, Answer):
                content, head = made.text.encode(), _REPLAYED if made.replayed else _PASSED
                self._count(200, began)
            else:
                with logs.bound(request=request_id, caller=caller.actor):
                    problem = of_wrong(self._request(heads, client), made)
                    self._count(problem.status_code, began)
                content, head = bytes(problem.body), _head(problem)
            told(head + b"content-length: %d\r\nx-request-id: %s\r\n" % (len(content), request_id.encode()), content)

        try:
            # (What only the other reader of JSON takes goes the usual way.)
            self.checks.put(asked_of(orjson.loads(body), caller.actor, named), answered)
        except (ValueError, RecursionError, HoldfastError):
            return False
        return True

    def _count(self, status: int, began: float) -> None:
        count_answer(self.front, "POST", self.path, self.path, status, time.perf_counter() - began)

    def _request(self, heads: Heads, client: tuple[str, int] | None) -> Request:
        """The request as those know it who make an answer of a problem."""
        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": self.path, "raw_path": self.url, "query_string": b"",
            "root_path": "", "headers": list(heads), "client": client, "server": None, "app": self.app, "state": {},
        }  # fmt: skip
        return Request(scope)


_FRAMING = (b"content-length", b"transfer-encoding")
# What stands in a plain head at most once.
_ONCE = frozenset((b"authorization", b"content-type", b"idempotency-key", b"x-request-id"))


def _head(answer: Response) -> bytes:
    """The head of an answer, guarded as all are."""
    own = {name: value for name, value in answer.raw_headers if name != b"content-length"}
    lines = [*own.items(), *((name, value) for name, value in GUARDING if name not in own)]
    status = HTTPStatus(answer.status_code)
    return b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) + b"".join(b"%s: %s\r\n" % one for one in lines)
