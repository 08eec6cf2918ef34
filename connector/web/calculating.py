"""Calculating: begins the process that works on long questions where one waits; the pages show how far it is."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

from connector.web.front import Front

log = logging.getLogger("holdfast.web.calculating")


class Calculating:
    """One for each front: at most one process at a time works for it, and is ended with it."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Sees to it that somebody works: called whenever something waits. Without a configuration file (in tests) nobody
        does."""
        file = self.front.config.file
        if file is None or self.front.stopping:
            return
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            try:
                self._process = subprocess.Popen(  # noqa: S603 -- our own module, our own file
                    [sys.executable, "-m", "jobs.calculate", str(file.resolve())],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=False,
                )  # fmt: skip
            except OSError as wrong:
                log.warning("no process for calculations: %s", type(wrong).__name__)

    def end(self) -> None:
        """Ends the process; what it works on is taken over by another node, or begun anew."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
