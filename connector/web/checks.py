"""Order checks of one process, gathered: whatever has come in while one group is judged is the next group.

One transaction, one append to the audit trail and one wait for the disk then serve many callers. A group is judged in one
of the front's threads, one group at a time; a check that comes alone does not wait for others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from functools import partial

from connector.errors import HoldfastError, TransientError
from connector.text import Text
from connector.web.front import Front
from jobs.check import check_all
from jobs.check_answer import Answer
from jobs.check_asked import Asked
from jobs.check_kept import Kept
from jobs.policy import in_force

log = logging.getLogger("holdfast.web")

# Larger groups would not save anything more, and the first of a group waits for its last.
_TOGETHER = 64
_WAITING_MOST = 2000

CROWDED = Text("Too many checks wait already. Try again in a second.", "排队的检查过多，请稍后重试。")
FAULT = Text("Something went wrong on our side. It is in the log.", "系统内部出错，已记入日志。")

_Waiting = tuple[Asked, "asyncio.Future[Answer]"]


class Checks:
    """The checks that wait, and whether a group is being judged."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._at_work: asyncio.Task[None] | None = None
        self._busy = False
        self._kept: Kept | None = None

    async def ask(self, asked: Asked) -> Answer:
        """The answer to one question. Raises what `check_all` says of it; TransientError where too many wait."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        with self._lock:
            if len(self._waiting) >= _WAITING_MOST:
                raise TransientError(CROWDED, retry_after=1)
            self._waiting.append((asked, answer))
            idle, self._busy = not self._busy, True
        if idle:
            self._at_work = loop.create_task(self._work(loop))
        return await answer

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            await self.front.work(lambda: self._drain(loop))
        except BaseException as wrong:
            # Nothing was judged: whoever waits is told.
            with self._lock:
                left, self._busy = list(self._waiting), False
                self._waiting.clear()
            for _, answer in left:
                if not answer.done():
                    answer.set_exception(wrong if isinstance(wrong, HoldfastError) else TransientError(FAULT))
            if not isinstance(wrong, HoldfastError):
                raise

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            with self._lock:
                group = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
                if not group:
                    self._busy = False
                    return
            found = self._judged([asked for asked, _ in group])
            loop.call_soon_threadsafe(_settle, [answer for _, answer in group], found)

    def _judged(self, asked: list[Asked]) -> list[Answer | HoldfastError]:
        front = self.front
        try:
            if self._kept is None:
                self._kept = Kept(front.seat())
            policy = partial(in_force, config=front.config)
            return check_all(front.store, front.config, policy, front.clock, asked, front.systems, self._kept)
        except HoldfastError as wrong:
            return [wrong] * len(asked)
        except Exception:
            log.exception("a group of checks failed")
            if len(asked) == 1:
                return [TransientError(FAULT)]
            # One question that cannot be dealt with does not take the others with it.
            return [self._judged([one])[0] for one in asked]


def _settle(answers: list[asyncio.Future[Answer]], found: list[Answer | HoldfastError]) -> None:
    for answer, made in zip(answers, found, strict=True):
        if answer.done():
            continue  # whoever asked has gone
        if isinstance(made, Answer):
            answer.set_result(made)
        else:
            answer.set_exception(made)
