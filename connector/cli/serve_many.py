"""The processes of the service on one machine: a parent that keeps them up and passes the end on.

They answer on sockets that the parent has bound; the jobs have a process of their own, so that a long evaluation takes
nothing from those that answer. A process that dies is replaced. Should the parent die, its children end in order; until
they have, they hold the store (`Held`) as it did.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.common import CONFIG, OK, STOPPED, TROUBLE, Cli, choose_language, guarded, language
from connector.store.serving import Held

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

log = logging.getLogger("holdfast.service")

_BEGIN = multiprocessing.get_context("spawn")
# Longer than a process takes to end in order.
_END_SECONDS = 40.0
# A process that dies again and again is replaced more and more slowly.
_FIRST_WAIT, _LAST_WAIT, _YOUNG_SECONDS = 0.5, 30.0, 10.0


@dataclass(frozen=True)
class Call:
    """What a child must know of the call that began it."""

    path: Path
    verbose: int
    language: str
    given: bool
    queue: str

    @classmethod
    def of(cls, cli: Cli, queue: str) -> Call:
        return cls(cli.path, cli.verbose, language(), cli.given, queue)


@dataclass
class _Place:
    """One process to be kept up: `answers`, or does the jobs."""

    answers: bool
    name: str
    process: SpawnProcess | None = None
    began: float = 0.0
    wait: float = 0.0
    not_before: float = 0.0


@dataclass
class _Parent:
    call: Call
    sockets: Sequence[socket.socket]
    places: list[_Place]
    held: Held
    counted: str = ""  # the folder in which they count together
    bell: tuple[Connection, Connection] = field(default_factory=lambda: _BEGIN.Pipe(duplex=False))
    stopping: threading.Event = field(default_factory=threading.Event)
    ends: Any = None  # closed when the parent dies, whatever kills it

    def signalled(self, _number: int, _frame: object) -> None:
        if self.stopping.is_set():
            for place in self.places:
                if place.process is not None and place.process.is_alive():
                    place.process.kill()
            os._exit(STOPPED)
        self.stopping.set()

    def run(self) -> int:
        ours, self.ends = _BEGIN.Pipe(duplex=False)
        try:
            while not self.stopping.is_set():
                for place in self.places:
                    if place.process is None and time.monotonic() >= place.not_before:
                        self.begin(place, ours)
                alive = [p.process.sentinel for p in self.places if p.process is not None]
                connection.wait(alive, timeout=0.5)
                for place in self.places:
                    if place.process is not None and not place.process.is_alive():
                        if place.process.exitcode == CONFIG:
                            return CONFIG  # it has said what a person must do
                        self.bury(place)
        finally:
            self.stopping.set()
            left = self.end()
        return TROUBLE if left else OK

    def begin(self, place: _Place, ends: Any) -> None:
        place.process = _BEGIN.Process(
            target=_child,
            args=(
                self.call,
                list(self.sockets) if place.answers else [],
                ends,
                self.bell[1 if place.answers else 0],
                self.held,
                self.counted,
                place.name,
            ),
        )
        place.began = time.monotonic()
        place.process.start()

    def bury(self, place: _Place) -> None:
        assert place.process is not None
        log.error("process %s ended with %s; another takes its place", place.process.pid, place.process.exitcode)
        is_young = time.monotonic() - place.began < _YOUNG_SECONDS
        place.wait = min(_LAST_WAIT, max(_FIRST_WAIT, place.wait * 2)) if is_young else 0.0
        place.not_before = time.monotonic() + place.wait
        place.process = None

    def end(self) -> bool:
        """Passes the end on and waits for it; whether any process had to be killed."""
        running = [p.process for p in self.places if p.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError, AttributeError):
                process.terminate()
        until = time.monotonic() + _END_SECONDS
        for process in running:
            process.join(max(0.1, until - time.monotonic()))
        left = [process for process in running if process.is_alive()]
        for process in left:
            process.kill()
        return bool(left)


def serve(call: Call, sockets: Sequence[socket.socket], count: int, held: Held, *, jobs: bool) -> int:
    """Keeps so many answering processes up, and one for the jobs, until it is told to stop; gives the exit code."""
    from connector.cli.serve_node import choose_log

    choose_log(call.verbose)
    places = [_Place(True, str(number)) for number in range(count)] + ([_Place(False, "jobs")] if jobs else [])
    with tempfile.TemporaryDirectory(prefix="holdfast-metrics-") as counted:
        parent = _Parent(call, sockets, places, held, counted)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, parent.signalled)
        return parent.run()


def _child(
    call: Call, sockets: list[socket.socket], ends: Any, bell: Connection, _held: Held, counted: str, place: str
) -> None:
    """A process of its own. It heeds SIGTERM, however often; Ctrl+C is the parent's to pass on."""
    from connector.cli.serve_bell import Bell, heed
    from connector.cli.serve_node import Node

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    choose_language(["--lang", call.language])
    if sockets:
        from connector.web.metrics import share

        share(counted, place)
    cli = Cli(call.path, "serve", call.verbose, given=call.given)
    codes: list[int] = []

    def run() -> None:
        node = Node(cli, sockets, jobs=not sockets, queue=call.queue)
        if sockets:
            node.wake = Bell(bell)
        else:
            heed(bell, node.wake)
        node.heed_signals(signal.SIGTERM, at_once=False)

        def orphaned() -> None:
            with contextlib.suppress(EOFError, OSError):
                ends.recv()
            node.stop()

        threading.Thread(target=orphaned, daemon=True).start()
        codes.append(node.run(signals=False))

    failed = guarded(run)
    sys.exit(codes[0] if codes else failed)
