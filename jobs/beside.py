"""Beside: the process of its own that works on long questions (`jobs/calculate`), begun where something waits."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

log = logging.getLogger("holdfast.calculate")


class Beside:
    """At most one such process at a time for whoever has this; it is ended with it."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def begin(self) -> None:
        """Sees to it that somebody works: called whenever something waits. Without a configuration file (in tests) nobody
        does."""
        if self._file is None:
            return
        with self._lock:
            if self._ended or (self._process is not None and self._process.poll() is None):
                return
            try:
                self._process = subprocess.Popen(  # noqa: S603 -- our own module, our own file
                    [sys.executable, "-m", "jobs.calculate", str(self._file.resolve())],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=False,
                )  # fmt: skip
            except OSError as wrong:
                log.warning("no process for calculations: %s", type(wrong).__name__)

    def end(self) -> None:
        """Ends the process; what it works on is taken over by another node, or begun anew."""
        with self._lock:
            self._ended = True
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()


__all__ = ["Beside"]
