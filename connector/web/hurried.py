"""Connections: a client whose request does not arrive in time, or whose answer is not read, is cut off.

uvicorn bounds the time between two requests only; a client that sends a byte a minute would hold its connection for good.
Its parser takes a head of any length, too; here it ends at `head_most` bytes. And an answer leaves in one piece, head and
body, where it is small: half as many calls of the system, at each of which other threads want the interpreter.

A request that the application's quick way takes (`connector.web.quick`) is asked there as soon as it has come, and never
becomes one of ASGI; what that way does not take is handed on as if nothing had been tried.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from connector.web.quick import Quick

log = logging.getLogger("holdfast.web")


class Hurried(HttpToolsProtocol):
    """The HTTP protocol with a time for each request to arrive whole, head and body, and for an answer to be taken."""

    seconds = 20.0
    head_most = 32 * 1024
    framing_most = 1024 * 1024
    _late: asyncio.TimerHandle | None = None
    # Whether a request is awaited or on its way; whether its head is; the bytes of it, as far as they are counted.
    _arriving = True
    _in_head = True
    _size = 0
    # The bytes that came since the piece in which the request began: no head is longer.
    _came = 0
    _paused = False
    # The request that is on its way to be asked the quick way, and what has come of its body.
    _asking: Asking | None = None
    _body = b""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # Whatever runs in this server may have a quick way; most that tests run have none.
        self._quick: Quick | None = getattr(getattr(self.config.app, "state", None), "quick", None)

    def connection_made(self, transport: Any) -> None:
        """A client has connected: the time of its first request begins."""
        super().connection_made(Joined(transport))  # type: ignore[arg-type]
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Something of a request has come; the time goes on until all of it is there."""
        goes_on = self._size > 0
        self._came = (self._came if goes_on else 0) + len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if goes_on and self._arriving:
            # What never ends (a line of the head, a trailer) is told by no callback: all but the body is counted, and the
            # piece in which the request began.
            self._size += len(data)
            if self._size > (self.head_most if self._in_head else self.framing_most):
                self._too_large()
                return
        if not self._arriving and not self._paused:
            self._end()
        elif self._late is None:
            self._begin()

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        self._arriving = self._in_head = True
        self._size = 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head, self._size = False, 1
        if self._came > self.head_most and self._head_size() > self.head_most:
            raise ValueError("the head is too large")  # the parser ends with it, and the client gets a 400
        if self._quick is not None and self.url == self._quick.url and self._may_be_quick(self._quick):
            self._asking = Asking(self.cycle)
            self.cycle, self._body = self._asking, b""  # type: ignore[assignment]
        else:
            super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head. Lines behind the body are none of it: what a proxy has looked at is in the head."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._size = max(1, self._size - len(body))
        if self._asking is not None:
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._arriving, self._size = False, 0
        asking, self._asking = self._asking, None
        if asking is not None:
            self._ask(asking)
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer has been given whole."""
        self.transport.flush()  # type: ignore[attr-defined]
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not take the answer as fast as it comes."""
        super().pause_writing()
        self._paused = True
        self._begin()

    def resume_writing(self) -> None:
        """It takes it again."""
        super().resume_writing()
        self._paused = False
        if not self._arriving:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end()
        super().connection_lost(exc)

    def _may_be_quick(self, quick: Quick) -> bool:
        """Whether the request whose head has come may go the quick way: nothing is unusual in how it came, nobody is before
        it in this connection, and the answers before it were taken."""
        return (
            self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self._paused
            and (self.cycle is None or self.cycle.response_complete)
            and len(self.connections) < (self.limit_concurrency or math.inf)
            and quick.takes(self.headers)
        )

    def _ask(self, asking: Asking) -> None:
        """Asks a question that has come whole, or hands the request on."""
        assert self._quick is not None, "there is a quick way where it was begun"
        body, self._body = self._body, b""
        asking.keep_alive &= self.parser.should_keep_alive()

        def told(head: bytes, content: bytes) -> None:
            asking.response_complete = True
            if asking.disconnected or self.transport.is_closing():
                return
            own = b"".join([b"%s: %s\r\n" % one for one in self.server_state.default_headers])
            end = b"\r\n" if asking.keep_alive else b"connection: close\r\n\r\n"
            self.transport.write(b"".join((head, own, end, content)))
            if not asking.keep_alive:
                self.transport.close()
            self.on_response_complete()

        if not self._quick.ask(self.headers, body, self.client, told):
            self.cycle = asking.before
            super().on_headers_complete()
            self.cycle.keep_alive &= asking.keep_alive  # the server may be ending by now
            super().on_body(body)
            super().on_message_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _too_large(self) -> None:
        log.warning("refused: too_large", extra={"reason": "too_large", "address": self._address()})
        self.send_400_response("The request is too large.")

    def _begin(self) -> None:
        self._end()
        self._late = self.loop.call_later(self.seconds, self._over)

    def _end(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _over(self) -> None:
        self._late = None
        log.warning("refused: too_slow", extra={"reason": "too_slow", "address": self._address()})
        self.transport.abort()

    def _address(self) -> str:
        return self.client[0] if self.client else ""


class Asking:
    """A request that is asked the quick way, as the protocol knows requests that are being answered."""

    def __init__(self, before: Any) -> None:
        self.before = before
        self.message_event = self
        self.response_complete = self.disconnected = False
        self.keep_alive = True

    def set(self) -> None:
        """Nobody waits for more of it."""


class Joined:
    """A transport that keeps the head of an answer until its first piece, or its end, is there."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends something of an answer."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_BEGINS) and data.endswith(_ENDS) and not data.startswith(_GO_ON):
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Sends what is kept."""
        if self._head:
            data, self._head = self._head, b""
            self._transport.write(data)

    def close(self) -> None:
        """Sends what is kept, and closes."""
        self.flush()
        self._transport.close()


_BEGINS, _ENDS, _GO_ON = b"HTTP/1.1 ", b"\r\n\r\n", b"HTTP/1.1 100 "
