"""Calculations, worked on beside the service: the portfolio of a day, and policies tried on the past.

`work` does what waits, one after the other, with a heartbeat, until nothing is left. The service begins it in a process of
its own (`python -m jobs.calculate CONFIG`), which gives way to everything else on the machine; any node may.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.clock import Clock, SystemClock
from connector.config import Config
from connector.errors import HoldfastError
from connector.store import calculations
from connector.store.calculations import Calculation
from connector.store.db import Store
from connector.text import Text
from jobs import portfolio_kept, simulation_kept
from jobs.progress import Progress

log = logging.getLogger("holdfast.calculate")

_BEAT_SECONDS = 3.0
_FAULT = Text("Something went wrong on our side. It is in the log.", "系统内部出错，已记入日志。")
_NICE = 10

Answer = Callable[[Store, Config, Clock, Mapping[str, Any], Progress], Any]
KINDS: Mapping[str, Answer] = {portfolio_kept.KIND: portfolio_kept.answer, simulation_kept.KIND: simulation_kept.answer}


def work(store: Store, config: Config, clock: Clock, stopping: threading.Event | None = None) -> int:
    """Works on what waits until nothing is left; says on how many."""
    holder, count = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}", 0
    while stopping is None or not stopping.is_set():
        with store.writing() as tx:
            one = calculations.take(tx, holder, clock.now())
        if one is None:
            break
        _work_on(store, config, clock, one, holder)
        count += 1
    return count


def _work_on(store: Store, config: Config, clock: Clock, one: Calculation, holder: str) -> None:
    try:
        with _beating(store, clock, one, holder) as progress:
            made = KINDS[one.kind](store, config, clock, one.asked, progress)
    except HoldfastError as wrong:
        log.warning("%s %s: %s", one.kind, one.id, wrong.log)
        with store.writing() as tx:
            calculations.fail(tx, one.id, holder, wrong.user, clock.now())
    except Exception:
        log.exception("%s %s failed", one.kind, one.id)
        with store.writing() as tx:
            calculations.fail(tx, one.id, holder, _FAULT, clock.now())
    else:
        with store.writing() as tx:
            calculations.answer(tx, one.id, holder, made, clock.now())


@dataclass
class _Far:
    what: str = ""
    done: int = 0
    whole: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _beating(store: Store, clock: Clock, one: Calculation, holder: str) -> Iterator[Progress]:
    """Tells each few seconds how far the work is, also while a long question is asked of the database."""
    far = _Far()

    def told(what: str, done: int, of: int | None = None) -> None:
        far.what, far.done, far.whole = what, done, of

    def beat() -> None:
        while not far.ended.wait(_BEAT_SECONDS):
            try:
                with store.writing(durable=False) as tx:
                    if not calculations.beat(tx, one.id, holder, far.done, far.whole, clock.now()):
                        return
            except Exception as wrong:
                # A database that is away for a moment: the next beat tells it.
                log.warning("%s %s: no heartbeat (%s)", one.kind, one.id, type(wrong).__name__)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield told
    finally:
        far.ended.set()
        thread.join()


def main(arguments: list[str]) -> int:
    """`python -m jobs.calculate CONFIG`: works until nothing waits."""
    from connector import config as configs
    from jobs.configured import Following

    os.nice(_NICE)
    config = configs.load(Path(arguments[0]))
    store = Store.open(configs.store_url(config))
    try:
        work(store, Following(store, config).now(), SystemClock())
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
