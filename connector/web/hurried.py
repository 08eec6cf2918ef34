"""Slow clients: a connection whose request does not arrive in time, or whose answer is not read, is closed.

uvicorn bounds the time between two requests only; a client that sends a byte a minute would hold its connection for good.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger("holdfast.web")


class Hurried(H11Protocol):
    """The HTTP protocol with a time for each request to arrive whole, head and body, and for an answer to be taken."""

    seconds = 20.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected: the time of its first request begins."""
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Something of a request has come; the time goes on until all of it is there."""
        if self._late is None:
            self._begin()
        super().data_received(data)
        if self.conn.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED, h11.ERROR):
            self._end()

    def pause_writing(self) -> None:
        """The client does not take the answer as fast as it comes."""
        super().pause_writing()
        self._begin()

    def resume_writing(self) -> None:
        """It takes it again."""
        super().resume_writing()
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._late = self.loop.call_later(self.seconds, self._over)

    def _end(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _over(self) -> None:
        self._late = None
        address = self.client[0] if self.client else ""
        log.warning("refused: too_slow", extra={"reason": "too_slow", "address": address})
        self.transport.abort()
