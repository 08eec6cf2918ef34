"""One process of the service: the server and the worker of the jobs, begun together and ended together.

The first signal ends it in order: no new requests, those under way are answered, the job ends at its next safe place and
its lease is given back. The second ends it at once. Either way nothing is lost: what was not committed is done again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connector.cli.common import OK, STOPPED, TROUBLE, Cli, show_run
from jobs.night import abandon
from jobs.scheduler import Worker
from jobs.shift import Shift, WakefulClock

if TYPE_CHECKING:
    from jobs.run import Run

log = logging.getLogger("holdfast.service")

# A job may take so long to come to a safe place. Whatever it does then is done again by the next run.
_JOB_SECONDS = 25.0


class Node:
    """One process: `run` gives its exit code. `jobs` False: it only answers; no `sockets`: it only works."""

    def __init__(self, cli: Cli, sockets: Sequence[socket.socket], *, jobs: bool) -> None:
        self.cli, self.sockets, self.jobs = cli, list(sockets), jobs
        self.stopping = threading.Event()
        self.wake = threading.Event()
        self._server: Any = None
        self._failed = False

    def run(self, *, signals: bool = True) -> int:
        """Until it is told to stop. `signals` False: somebody else tells it, by `stop`."""
        if signals:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._signalled)
        self._choose_log()
        threads = []
        worker: Worker | None = None
        if self.jobs:
            clock = WakefulClock(self.stopping)
            shift = Shift(self.cli.config, clock, told=_told, stop=self.stopping)
            worker = Worker(self.cli.store, shift, self.wake)
            threads.append(threading.Thread(target=worker.work, name="jobs", daemon=True))
        for thread in threads:
            thread.start()
        try:
            if self.sockets:
                self._answer()
            else:
                self.stopping.wait()
        finally:
            self.stop()
        for thread in threads:
            thread.join(_JOB_SECONDS)
        if any(thread.is_alive() for thread in threads):
            self._leave(worker)
        self.cli.store.close()
        return TROUBLE if self._failed else OK

    def stop(self) -> None:
        """Begins the end, in order; may be called again."""
        self.stopping.set()
        self.wake.set()
        if self._server is not None:
            self._server.stop()

    def _answer(self) -> None:
        from connector.web.app import make
        from connector.web.front import Front
        from connector.web.server import Server

        systems = self.cli.connected() if self.cli.config.systems else ()
        front = Front(self.cli.store, self.cli.config, self.cli.clock, systems, wake=self.wake)
        self._server = Server(make(front), self.cli.config.service)
        if self.stopping.is_set():
            return

        async def serving() -> None:
            telling = asyncio.create_task(self._tell(front))
            await self._server.serve(self.sockets)
            telling.cancel()

        asyncio.run(serving())
        # It ends by itself only where it could not begin.
        self._failed = not self.stopping.is_set()

    async def _tell(self, front: Any) -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(0.1)
        front.stopping = True

    def _signalled(self, number: int, _frame: object) -> None:
        if self.stopping.is_set():
            os._exit(STOPPED)
        self.stop()

    def _leave(self, worker: Worker | None) -> None:
        """Goes although a job has not come to a safe place: it writes nothing more, and another node may go on at once."""
        log.warning("“%s” did not come to a safe place in time; it is done again", worker.doing if worker else "?")
        giving = threading.Thread(target=abandon, daemon=True)
        giving.start()
        giving.join(5)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(OK)

    def _choose_log(self) -> None:
        """Lines for people on a terminal, JSON lines elsewhere."""
        if sys.stderr.isatty():
            return
        try:
            from connector import logs
        except ModuleNotFoundError:
            logging.getLogger("holdfast").setLevel(logging.INFO)
            return
        from connector.http_words import redacted

        logs.as_json(redacted, logging.DEBUG if self.cli.verbose > 1 else logging.INFO)


def _told(run: Run) -> None:
    """A run that has ended: for people on a terminal as every command tells it, elsewhere a line of the log."""
    if sys.stderr.isatty():
        show_run(run)
        return
    level = logging.WARNING if run.failed else logging.INFO
    counts = {name: count for name, count in run.counts.items() if count and name.isidentifier()}
    log.log(
        level,
        "%s %s ended%s",
        run.job,
        run.system,
        f": {run.failed.en}" if run.failed else "",
        extra={
            "run": run.id,
            "job": run.job,
            "system": run.system,
            "seconds": round(run.seconds, 3),
            "counts": counts,
            "problems": len(run.problems),
        },
    )
