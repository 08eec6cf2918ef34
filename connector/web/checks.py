"""Order checks of one process, gathered: whatever has come in while one group is judged is the next group.

One transaction, one append to the audit trail and one wait for the disk then serve many callers; a check that comes alone
does not wait for others. On an SQLite file a group is judged between two turns of the event loop, which is over before a
thread would have had its turn; on PostgreSQL aside (`connector.store.aside`). Where somebody writes to the file just then, or
something else may have to be waited for, it is in one of the front's threads. One group at a time. While nobody asks,
customers are read ahead, in portions that a question may wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from connector.errors import HoldfastError, TransientError
from connector.policy import Policy
from connector.store.db import Connection, Taken, in_trouble
from connector.store.seats import Unconnected
from connector.text import Text
from connector.web import tidy
from connector.web.front import Front
from connector.web.problem import DATABASE
from jobs.check import check_all
from jobs.check_ahead import read_ahead
from jobs.check_answer import Answer
from jobs.check_asked import Asked
from jobs.check_kept import Kept
from jobs.policy import in_force

log = logging.getLogger("holdfast.web")

# Larger groups would not save anything more, and the first of a group waits for its last.
_TOGETHER = 64
_WAITING_MOST = 2000
# A group begins so long after the one before, or later: most of what a small group costs is the same for a larger one.
_APART_SECONDS = 0.004
# What has come while a group was judged still stands in its connections: read in one turn of the loop, asked in the next.
# Without them the next group would be of two, and the one after it of all others, on and on.
_TURNS = 2
# So many customers are read ahead at a time, which takes some 5 ms; of the time at most a third, and none while anybody has
# asked so short a time ago. What is to be read is looked for so often, soon after the process has begun to answer.
_AHEAD, _CALM_SECONDS, _SOON_SECONDS, _LOOK_SECONDS, _TROUBLE_SECONDS = 24, 0.05, 0.5, 1.0, 30.0

CROWDED = Text("Too many checks wait already. Try again in a second.", "排队的检查过多，请稍后重试。")
FAULT = Text("Something went wrong on our side. It is in the log.", "系统内部出错，已记入日志。")

# Who is told the answer to a question, once: it waits for nobody.
Told = Callable[[Answer | HoldfastError], None]
_Waiting = tuple[Asked, Told]


class Checks:
    """The checks that wait, and whether a group is being judged."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self._waiting: deque[_Waiting] = deque()
        self._at_work: asyncio.Task[None] | None = None
        self._busy = False
        self._asked_at = 0.0
        self._kept: Kept | None = None
        self._results = {result: front.metrics.checks.labels(result) for result in ("pass", "warn", "hold")}
        front.beside.append(self.read_ahead)

    async def ask(self, asked: Asked) -> Answer:
        """The answer to one question. Raises what `check_all` says of it; TransientError where too many wait."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def told(made: Answer | HoldfastError) -> None:
            if answer.done():
                return  # whoever asked has gone
            if isinstance(made, Answer):
                answer.set_result(made)
            else:
                answer.set_exception(made)

        self.put(asked, told)
        return await answer

    def put(self, asked: Asked, told: Told) -> None:
        """Has one question answered; `told` gets the answer, or what `check_all` says of it, in a later turn of the loop.

        Raises TransientError where too many wait: then nobody is told.
        """
        if len(self._waiting) >= _WAITING_MOST:
            raise TransientError(CROWDED, retry_after=1)
        loop = asyncio.get_running_loop()
        self._waiting.append((asked, told))
        self._asked_at = loop.time()
        if not self._busy:
            self._begin(loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = True
        self._at_work = loop.create_task(self._work())

    async def read_ahead(self) -> None:
        """Reads customers as long as the process answers, whenever nobody asks."""
        loop, front = asyncio.get_running_loop(), self.front
        found = False
        pause = _SOON_SECONDS if front.config.service.kept_customers else math.inf
        while pause < math.inf:
            await asyncio.sleep(pause)
            calm = loop.time() - self._asked_at
            if self._busy or calm < _CALM_SECONDS:
                pause = _CALM_SECONDS
                continue
            self._busy, began = True, loop.time()
            try:
                count = await front.work(self._read_some)
                if count:
                    tidy.young()
                elif found:
                    tidy.stays()
                found = count > 0
                pause = 2 * (loop.time() - began) if count else _LOOK_SECONDS
            except Exception as wrong:  # the database may be away: whoever asks is told
                log.debug("nothing is read ahead (%s)", type(wrong).__name__)
                pause = _TROUBLE_SECONDS
            finally:
                self._busy = False
                if self._waiting:
                    self._begin(loop)

    def _read_some(self) -> int:
        return read_ahead(self.front.config, self._policy, self.front.clock, self._keeping(), _AHEAD)

    async def _work(self) -> None:
        group: list[_Waiting] = []
        try:
            while self._waiting:
                began = time.monotonic()
                group = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
                asked = [one for one, _ in group]
                found = self._judged_here(asked)
                if found is None:
                    found = await self._judged_beside(asked)
                answered, group = group, []
                self._settle([told for _, told in answered], found)
                # Whoever has asked meanwhile is in the next group, and others have their turn.
                await asyncio.sleep(max(0.0, began + _APART_SECONDS - time.monotonic()))
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
        except BaseException as wrong:
            # Nothing was judged: whoever waits is told.
            left = [*group, *self._waiting]
            self._waiting.clear()
            for _, told in left:
                told(wrong if isinstance(wrong, HoldfastError) else TransientError(FAULT))
            if not isinstance(wrong, HoldfastError):
                raise
        finally:
            self._busy = False

    def _judged_here(self, asked: list[Asked]) -> list[Answer | HoldfastError] | None:
        """The answers, where they can be had at once; None: they may have to be waited for."""
        # An order that may be in the store already is checked where it is, which may ask other systems.
        if self._kept is None or not self.front.store.begins_at_once or any(one.order is not None for one in asked):
            return None
        try:
            return self._judged(asked, at_once=True)
        except Taken:
            return None

    async def _judged_beside(self, asked: list[Asked]) -> list[Answer | HoldfastError]:
        if self._kept is not None and self.front.store.waits_aside and all(one.order is None for one in asked):
            with contextlib.suppress(Unconnected):
                return await self.front.aside(partial(self._judged, asked))
        return await self.front.work(partial(self._judged, asked))

    def _keeping(self) -> Kept:
        if self._kept is None:
            self._kept = Kept(self.front.seat(), self.front.config.service.kept_customers)
        return self._kept

    def _policy(self, tx: Connection) -> Policy:
        return in_force(tx, self.front.config)

    def _judged(self, asked: list[Asked], at_once: bool = False) -> list[Answer | HoldfastError]:
        front = self.front
        try:
            kept = self._keeping()
            return check_all(front.store, front.config, self._policy, front.clock, asked, front.systems, kept, at_once)
        except (Taken, Unconnected):
            raise
        except HoldfastError as wrong:
            return [wrong] * len(asked)
        except Exception as wrong:
            if at_once:
                raise Taken from None  # nothing was kept: it is looked at in a thread, where there is time
            log.exception("a group of checks failed")
            if in_trouble(wrong):
                return [TransientError(DATABASE, retry_after=2)] * len(asked)
            if len(asked) == 1:
                return [TransientError(FAULT)]
            # One question that cannot be dealt with does not take the others with it.
            return [self._judged_alone(one) for one in asked]

    def _judged_alone(self, asked: Asked) -> Answer | HoldfastError:
        try:
            return self._judged([asked])[0]
        except Unconnected:  # others of its group have been answered
            return TransientError(DATABASE, retry_after=2)

    def _settle(self, asking: list[Told], found: list[Answer | HoldfastError]) -> None:
        for told, made in zip(asking, found, strict=True):
            if isinstance(made, Answer):
                self._results[made.text[11:15]].inc()  # the text begins with the result
            try:
                told(made)
            except Exception:
                log.exception("an answer could not be given")  # those of the others can
