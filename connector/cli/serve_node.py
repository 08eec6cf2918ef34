"""One process of the service: the server and the worker of the jobs, begun together and ended together.

The first signal ends it in order: no new requests, those under way are answered, the job ends at its next safe place and
its lease is given back. The second ends it at once. Either way nothing is lost: what was not committed is done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from connector.cli.common import OK, STOPPED, TROUBLE, Cli, gone, say, show_run, t, tell
from connector.cli.serve import OURS
from connector.errors import ConfigError
from jobs.beside import Beside
from jobs.night import abandon
from jobs.scheduler import Worker
from jobs.shift import Shift, WakefulClock

if TYPE_CHECKING:
    from jobs.run import Run

log = logging.getLogger("holdfast.service")

# All that is under way may take so long to end or to come to a safe place. What it does then is done again.
_END_SECONDS = 25.0
# After so long a service that has begun is one that stays: templates are compiled for it.
_READY_SECONDS = 1.0


def patiently(step: Callable[[], object], stopping: threading.Event) -> bool:
    """Does a step of the beginning; where the database's server is not up yet, or goes away meanwhile, waits for it and
    does the step again: it must bear that. False where the process is to end first.

    Other errors are raised: a person must act.
    """
    from connector.store.db import is_away

    told = False
    while not stopping.is_set():
        try:
            step()
        except Exception as wrong:
            if not is_away(wrong):
                raise
            if not told:
                tell(say(wrong.user) if isinstance(wrong, ConfigError) else gone(wrong))
                tell(t("Waiting for the database.", "正在等待数据库。"))
            told = True
            stopping.wait(1)
        else:
            return True
    return False


class Node:
    """One process: `run` gives its exit code. `jobs` False: it only answers; no `sockets`: it only works. `queue`: whose
    times the jobs go by: ours, or Procrastinate's."""

    def __init__(self, cli: Cli, sockets: Sequence[socket.socket], *, jobs: bool, queue: str = OURS) -> None:
        self.cli, self.sockets, self.jobs, self.queue = cli, list(sockets), jobs, queue
        self.stopping = threading.Event()
        self.wake = threading.Event()
        self._server: Any = None
        self._failed = False
        self._worker: Worker | None = None
        self._ended = threading.Event()
        self._told = False

    def run(self, *, signals: bool = True) -> int:
        """Until it is told to stop. `signals` False: somebody else tells it, by `stop`."""
        if signals:
            self.heed_signals()
        choose_log(self.cli.verbose)
        if not patiently(self._read, self.stopping):
            return OK
        threads = []
        if self.jobs:
            shift = Shift(self.cli.config, WakefulClock(self.stopping), told=_told, stop=self.stopping)
            beside = Beside(self.cli.config.file)
            self._worker = Worker(self.cli.store, shift, self.wake, by_schedule=self.queue == OURS, beside=beside)
            threads.append(threading.Thread(target=self._worker.work, name="jobs", daemon=True))
            if self.queue != OURS:
                threads.append(threading.Thread(target=self._queue, args=(shift,), name="queue", daemon=True))
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
            thread.join()
        if self._worker is not None and self._worker.beside is not None:
            self._worker.beside.end()
        self._ended.set()
        self.cli.store.close()
        return TROUBLE if self._failed else OK

    def _read(self) -> None:
        """What is read of the database once, at the beginning."""
        _ = self.cli.store, self.cli.config

    def _queue(self, shift: Shift) -> None:
        from connector.config import store_url
        from jobs import queue_procrastinate

        try:
            queue_procrastinate.work(self.cli.store, store_url(self.cli.file), shift)
        except Exception:
            # Without it nothing is due any more: better to end and be begun anew than to stand there and look well.
            log.exception("the queue has failed")
            self._failed = True
            self.stop()

    def stop(self) -> None:
        """Begins the end, in order; may be called again."""
        if not self.stopping.is_set():
            threading.Thread(target=self._hurry, daemon=True).start()
        self.stopping.set()
        self.wake.set()
        if self._server is not None:
            self._server.stop()

    def _answer(self) -> None:
        from connector.web.app import make
        from connector.web.front import Front
        from connector.web.server import Server, settled

        def ready() -> None:
            if not self.stopping.wait(_READY_SECONDS):
                front.ready()
                settled()

        systems = self.cli.connected() if self.cli.config.systems else ()
        front = Front(self.cli.store, self.cli.config, self.cli.clock, systems, wake=self.wake)
        self._server = Server(make(front), self.cli.config.service)
        if self.stopping.is_set():
            return
        # Beside the first requests: orders are checked from the beginning.
        threading.Thread(target=ready, name="pages", daemon=True).start()

        async def serving() -> None:
            telling = asyncio.create_task(self._tell(front))
            await self._server.serve(self.sockets)
            telling.cancel()

        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(serving())
        # It ends by itself only where it could not begin.
        self._failed = self._failed or not self.stopping.is_set()

    async def _tell(self, front: Any) -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(0.1)
        front.stopping = True

    def heed_signals(self, *numbers: int, at_once: bool = True) -> None:
        """From now on the first signal ends this process in order, the second (`at_once`) at once."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)

        def told(_number: int, _frame: object) -> None:
            # A handler runs in the middle of anything: it may take no lock that the main thread may hold just then.
            if at_once and self._told:
                os._exit(STOPPED)
            self._told = True
            with contextlib.suppress(BlockingIOError):
                os.write(writing, b".")

        def listen() -> None:
            os.read(reading, 1)
            self.stop()

        threading.Thread(target=listen, name="signals", daemon=True).start()
        for number in numbers or (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, told)

    def _hurry(self) -> None:
        """Goes although something has not ended in time (a job far from its next safe place, a database that answers
        nothing): nothing more is written, and another node may go on at once."""
        if self._ended.wait(_END_SECONDS):
            return
        log.warning("“%s” did not end in time; it is done again", self._worker.doing if self._worker else "?")
        giving = threading.Thread(target=abandon, daemon=True)
        giving.start()
        giving.join(3)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(OK)


def choose_log(verbose: int) -> None:
    """Lines for people on a terminal, JSON lines elsewhere."""
    if sys.stderr.isatty():
        return
    from connector import logs
    from connector.http_words import redacted

    logs.as_json(redacted, logging.DEBUG if verbose > 1 else logging.INFO)
    for chatty in ("uvicorn", "procrastinate"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


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
