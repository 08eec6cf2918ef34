"""The configuration of the moment: people and sign-in of config.toml, read again when the file changes, and whatever the
database has in use. Who was taken out is out within a second, on every node; a system that was connected is there.

Nobody waits for it while requests come regularly: it is looked at every half second beside them. Only who comes after a
silence waits for one look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from connector.config import load
from connector.connect import connect
from connector.errors import HoldfastError
from connector.store.db import in_trouble
from jobs.configured import Following

if TYPE_CHECKING:
    from connector.config import Config
    from connector.web.front import Front

log = logging.getLogger("holdfast.web")

_LOOK_EVERY_SECONDS = 0.5
_OLD_SECONDS = 1.0


class People:
    """Keeps `front.config` and `front.systems` to what file and database say; what else the file says waits for a
    restart."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._following = Following(front.store, front.config)
        self._base = front.config.base
        self._looked_at = float("-inf")
        self._seen = self._stamp()
        self._looking: asyncio.Task[None] | None = None
        self._turn = 0

    async def now(self) -> None:
        """From here on `front.config` is at most a second old. Never raises: what cannot be read stays as it was."""
        age = time.monotonic() - self._looked_at
        if age < _LOOK_EVERY_SECONDS:
            return
        if self._looking is None or self._looking.done():
            if age >= _OLD_SECONDS:
                await self._begin()
                return
            self._begin()
        elif age >= _OLD_SECONDS:
            await asyncio.shield(self._looking)

    def is_fresh(self) -> bool:
        """Whether `front.config` is at most a second old, so that nobody has to wait for it."""
        self.look()
        return time.monotonic() - self._looked_at < _OLD_SECONDS

    async def anew(self) -> None:
        """Looks now: somebody here has just changed it, and goes on to a page that shows it."""
        if self._looking is not None and not self._looking.done():
            await asyncio.shield(self._looking)
        await self._begin()

    def look(self) -> None:
        """Has it looked at soon, for whoever does not wait for it."""
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_SECONDS and (
            self._looking is None or self._looking.done()
        ):
            self._begin()

    def _begin(self) -> asyncio.Task[None]:
        self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> None:
        begun = time.monotonic()
        try:
            config = await self._front.work(self._read)
        except Exception as wrong:
            if not isinstance(wrong, HoldfastError) and not in_trouble(wrong):
                log.exception("the configuration could not be looked at")
            else:
                log.warning("the configuration could not be looked at (%s)", type(wrong).__name__)
        else:
            if config is not self._front.config or self._following.turn != self._turn:
                self._take(config)
        self._looked_at = begun

    def _take(self, config: Config) -> None:
        front, self._turn = self._front, self._following.turn
        known = {connected.name: connected for connected in front.systems}
        if front.config.systems != config.systems:
            front.systems = [
                known[s.name]
                if s.name in known and known[s.name].system == s
                else connect(config, s.name, front.clock, front.store)
                for s in config.systems
            ]
        for connected in front.systems:
            connected.follow(config)
        if front.config is not config:
            log.info("the configuration has changed")
        front.config = config

    def _read(self) -> Config:
        stamp = self._stamp()
        file = self._base.file
        if stamp != self._seen and stamp is not None and file is not None:
            self._seen = stamp
            try:
                read = load(file, whole=False)
            except HoldfastError as wrong:
                log.warning("config.toml has changed and cannot be used; the people stay as they were: %s", wrong.log)
            else:
                self._base = self._base.model_copy(update={"people": read.people, "sign_in": read.sign_in})
                self._following.base(self._base)
                log.info("the people of config.toml were read again")
        return self._following.now()

    def _stamp(self) -> tuple[int, int] | None:
        file = self._base.file
        try:
            found = file.stat() if file is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)
