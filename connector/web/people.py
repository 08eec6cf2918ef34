"""The people of config.toml, read again when the file changes: who was taken out is out within a second, on every node."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from connector.config import load
from connector.errors import HoldfastError

if TYPE_CHECKING:
    from connector.web.front import Front

log = logging.getLogger("holdfast.web")

_LOOK_EVERY_SECONDS = 1.0


class People:
    """Keeps `front.config` to what the file says of people and of the sign-in; everything else waits for a restart."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._looked_at = 0.0
        self._seen = self._stamp()

    def look(self) -> None:
        """Takes the people anew where the file has changed. A faulty file changes nothing, and is told once."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_SECONDS:
            return
        self._looked_at = now
        stamp = self._stamp()
        file = self._front.config.file
        if stamp == self._seen or stamp is None or file is None:
            return
        self._seen = stamp
        try:
            read = load(file)
        except HoldfastError as wrong:
            log.warning("config.toml has changed and cannot be used; the people stay as they were: %s", wrong.log)
            return
        fresh = {"people": read.people, "sign_in": read.sign_in}
        self._front.config = self._front.config.model_copy(update=fresh)
        log.info("the people of config.toml were read again")

    def _stamp(self) -> tuple[int, int] | None:
        file = self._front.config.file
        try:
            found = file.stat() if file is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)
