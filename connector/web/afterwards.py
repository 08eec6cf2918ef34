"""Afterwards: what is written down once the answer is given: that keys are in use, and refusals of people who are known."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from connector.store import api_keys, audit
from connector.store.api_keys import Key
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.web.front import Front
from connector.web.rights import Caller

log = logging.getLogger("holdfast.web.auth")

_TOLD_EVERY_SECONDS = 60.0
_WAITING_MOST = 500
_KEPT_MOST = 2000
_END_SECONDS = 5.0


@dataclass
class Afterwards:
    """What is written down after the answer, by one thread at a time: keys in use, refusals of people who are known.

    A database that is busy for a while delays these lines, never an answer; what is too much is left out."""

    front: Front
    _keys: dict[str, float] = field(default_factory=dict)
    _waiting_keys: set[str] = field(default_factory=set)
    _entries: list[tuple[Entry, dt.datetime]] = field(default_factory=list)
    _told: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _task: asyncio.Task[None] | None = None

    def used(self, key: Key) -> None:
        now = time.monotonic()
        fresh = key.used_at is not None and self.front.clock.now() - key.used_at < api_keys.USED_EVERY
        if fresh or now - self._keys.get(key.id, -1e9) < api_keys.USED_EVERY.total_seconds():
            return
        self._keys[key.id] = now
        self._waiting_keys.add(key.id)
        self._start()

    def refusal(self, caller: Caller, route: str, right: str) -> None:
        now, which = time.monotonic(), (caller.actor, route)
        if now - self._told.get(which, -1e9) < _TOLD_EVERY_SECONDS or len(self._entries) >= _WAITING_MOST:
            return
        self._told[which] = now
        self._told.move_to_end(which)
        while len(self._told) > _KEPT_MOST:
            self._told.popitem(last=False)
        after = {"right": right, "way": caller.way}
        self._entries.append(
            (Entry("access.refuse", f"route:{route}", caller.actor, after=after), self.front.clock.now())
        )
        self._start()

    async def end(self) -> None:
        """Waits until what is to be written down is, but not for a database that answers nothing."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_END_SECONDS)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._waiting_keys or self._entries:
            keys, entries = self._waiting_keys, self._entries
            self._waiting_keys, self._entries = set(), []

            def write(keys: set[str] = keys, entries: list[tuple[Entry, dt.datetime]] = entries) -> None:
                with self.front.store.writing(concern=Concern()) as tx:
                    if keys:
                        api_keys.used(tx, keys, self.front.clock.now())
                    if entries:
                        audit.append(tx, [entry for entry, _ in entries], entries[-1][1])

            try:
                await self.front.work(write)
            except Exception as wrong:
                # The answer was given; what could not be written down is in the log.
                log.warning(
                    "not written down: %s keys, %s refusals (%s)", len(keys), len(entries), type(wrong).__name__
                )
