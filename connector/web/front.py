"""The front: what every route stands on: the store, the configuration, the policy in force, the connected systems.

The event loop never waits for the database: `work` does it in the front's own threads, and `aside` between the
other turns of the loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from connector.clock import Clock, SystemClock
from connector.config import Config
from connector.connect import Connected
from connector.errors import TransientError
from connector.policy import Policy
from connector.store.db import Store
from connector.text import Text
from connector.web.metrics import Metrics
from jobs.policy import in_force

if TYPE_CHECKING:
    from connector.store.aside import Asides

log = logging.getLogger("holdfast.web.front")
T = TypeVar("T")

# As many at once as the store's pool has connections for.
_THREADS = 8
_WAITING_MOST = 500


@dataclass
class Front:
    """One process of the service.

    `wake` is set when something has come that a job should look at now. `stopping`: no new work is taken. `early` is what is
    made once and then kept (templates, lists): made by `ready` beside the first requests, or else by whoever asks first.
    `beside` goes on in the event loop as long as the process answers.
    """

    store: Store
    config: Config
    clock: Clock = field(default_factory=SystemClock)
    systems: Sequence[Connected] = ()
    metrics: Metrics = field(default_factory=Metrics)
    wake: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False
    early: list[Callable[[], object]] = field(default_factory=list)
    beside: list[Callable[[], Coroutine[object, object, None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="front")
        self._waiting = 0
        self._seats: list[Store] = []
        self._asides: Asides | None = None

    def policy(self) -> Policy:
        """The policy in force now."""
        with self.store.reading() as tx:
            return in_force(tx, self.config)

    def ready(self) -> None:
        """Makes what is made once. What cannot be made now is made when it is asked for."""
        for one in self.early:
            if self.stopping:
                return
            try:
                one()
            except Exception as wrong:
                log.warning("not made early: %s", type(wrong).__name__)

    def seat(self) -> Store:
        """A seat at the store (`Store.seat`) that is given back when the front closes."""
        self._seats.append(found := self.store.seat())
        return found

    async def work(self, function: Callable[[], T]) -> T:
        """Runs what waits for the database or the network in a thread; what is bound for the log goes with it.

        Raises TransientError where too much waits already: better a clear answer now than a late one.
        """
        if self._waiting >= _WAITING_MOST:
            raise TransientError(
                Text("Too many requests wait already. Try again in a second.", "排队的请求过多，请稍后重试。"),
                retry_after=1,
            )
        context = contextvars.copy_context()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, function)
        finally:
            self._waiting -= 1

    async def aside(self, function: Callable[[], T]) -> T:
        """Runs what waits for PostgreSQL at a seat, and for nothing else, in the loop's own thread: see
        `connector.store.aside`. Raises Unconnected, and has done nothing, where it would have to connect first."""
        if self._asides is None:
            from connector.store.aside import Asides  # the driver is there where the database is

            self._asides = Asides()
        return await self._asides.do(function)

    def close(self) -> None:
        """Waits for what is being worked on; takes nothing new."""
        self.stopping = True
        if self._asides is not None:
            self._asides.finish()
        self._threads.shutdown(wait=True)
        for seat in self._seats:
            seat.close()
