"""Telling: what a job is doing now, written down about once a second, so that any process can show it.

A thread of its own writes it: a job tells its progress in the middle of a transaction, where it could not write. What cannot
be told is left out; a job never waits for those who watch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from connector.clock import Clock
from connector.store import asked_runs
from connector.store.asked_runs import AtWork
from connector.store.concerns import Concern
from connector.store.db import Store
from jobs.progress import Progress

log = logging.getLogger("holdfast.jobs")

_EVERY_SECONDS = 1.0
_LONGEST_WORD = 200


@contextmanager
def telling(store: Store, clock: Clock, lease: str, job: str) -> Iterator[Progress]:
    """A progress that is written down under the name of a lease, until the work ends."""
    began = clock.now()
    now = AtWork(job, "", 0, None, began, began)
    told: AtWork | None = None
    ended = threading.Event()

    def progress(what: str, done: int, of: int | None = None) -> None:
        nonlocal now
        now = replace(now, what=what[:_LONGEST_WORD], done=done, of=of)

    def write() -> None:
        nonlocal told
        while not ended.wait(_EVERY_SECONDS):
            latest = now
            if latest == told:
                continue
            try:
                with store.writing(concern=Concern()) as tx:
                    asked_runs.tell(tx, lease, replace(latest, told_at=clock.now()))
                told = latest
            except Exception as wrong:  # the database may be away: the job itself finds out
                log.debug("progress cannot be told (%s)", type(wrong).__name__)

    thread = threading.Thread(target=write, name="telling", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        ended.set()
        thread.join()
        if told is not None:
            try:
                with store.writing(concern=Concern()) as tx:
                    asked_runs.rest(tx, lease)
            except Exception as wrong:  # what was left is seen to be old by its time
                log.debug("the end cannot be told (%s)", type(wrong).__name__)
