"""The bell of a service whose jobs have a process of their own: whoever answers rings it, and they look at once.

Without it they would look within a second, too; a ring that gets lost costs no more than that.
"""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing.connection import Connection


class Bell(threading.Event):
    """Set by those who answer: rings where the jobs are."""

    def __init__(self, rope: Connection) -> None:
        super().__init__()
        self._rope = rope
        # Nobody who answers waits because a process of jobs has stopped listening.
        os.set_blocking(rope.fileno(), False)

    def set(self) -> None:
        """Rings; never waits."""
        with contextlib.suppress(OSError):
            self._rope.send_bytes(b".")


def heed(rope: Connection, wake: threading.Event) -> None:
    """From now on each ring sets the event."""

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                rope.recv_bytes()
                wake.set()

    threading.Thread(target=listen, name="bell", daemon=True).start()
