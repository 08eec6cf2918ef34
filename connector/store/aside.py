"""Aside: work that waits for PostgreSQL in the thread of an event loop, which goes on meanwhile.

A thread would do as well, but two threads of one Python stand in each other's way: the slowest order checks at a thousand a
second take half as long again there. Work that is done aside is ordinary code in a greenlet: wherever the driver would wait
for the server, the loop has its turn until there is something to read. Nothing else may be waited for in it, no other
system and no other thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet
from psycopg.waiting import Ready, Wait

from connector.store.terse import Terse

T = TypeVar("T")


class Patient(Terse):
    """A connection that may be used aside."""

    def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        """What the generator of the driver gives in the end; see psycopg."""
        work = getcurrent()
        if not isinstance(work, _Work):
            return super().wait(gen, *args, **more)
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(work.until(socket, wanted))
        except StopIteration as end:
            return end.value


def is_aside() -> bool:
    """Whether whoever asks is being done aside."""
    return isinstance(getcurrent(), _Work)


class Asides:
    """What is being done aside of one loop."""

    def __init__(self) -> None:
        self._works: set[_Work] = set()

    def do(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """What a function gives, or raises, that waits for nothing but connections of kind `Patient`. It is begun at once,
        and goes on to its end even where nobody waits for it any more."""
        work = _Work(function, self._works)
        self._works.add(work)
        return work.begin()

    def finish(self) -> None:
        """Goes on with all to the end, and the loop waits: it is about to end, too. In the thread of the loop."""
        for work in list(self._works):
            work.finish()


class _Work(greenlet):
    def __init__(self, function: Callable[[], Any], among: set[_Work]) -> None:
        super().__init__(function)
        self.gr_context = contextvars.copy_context()
        self._among = among
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Future[Any] = self._loop.create_future()
        self._watched: tuple[int, Wait] | None = None
        self._at_once = False

    def begin(self) -> asyncio.Future[Any]:
        self._go()
        return self._found

    def finish(self) -> None:
        self._at_once = True
        if self._watched is not None:
            self._go_on(Ready.NONE)

    def until(self, socket: int, wanted: Wait) -> Ready:
        """In the work: waits until the socket can be read or written."""
        if self._at_once:
            with selectors.DefaultSelector() as selector:
                selector.register(socket, wanted)  # the driver counts reading and writing as the system does
                return Ready(selector.select()[0][1])
        assert self.parent is not None, "the loop has begun it"
        ready: Ready = self.parent.switch(socket, wanted)
        return ready

    def _go(self, *ready: Ready) -> None:
        """In the loop: goes on with the work until it waits again, or has ended."""
        try:
            found = self.switch(*ready)
        except BaseException as wrong:
            self._among.discard(self)
            if not self._found.done():
                self._found.set_exception(wrong)
            return
        if self.dead:
            self._among.discard(self)
            if not self._found.done():
                self._found.set_result(found)
            return
        socket, wanted = self._watched = found
        if wanted & Wait.R:
            self._loop.add_reader(socket, self._go_on, Ready.R)
        if wanted & Wait.W:
            self._loop.add_writer(socket, self._go_on, Ready.W)

    def _go_on(self, ready: Ready) -> None:
        # The work may close the socket: it is watched only while it is waited for.
        assert self._watched is not None, "it waits"
        socket, wanted = self._watched
        self._watched = None
        if wanted & Wait.R:
            self._loop.remove_reader(socket)
        if wanted & Wait.W:
            self._loop.remove_writer(socket)
        self._go(ready)
