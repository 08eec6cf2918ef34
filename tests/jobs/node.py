"""One node as a process of its own: the worker of the product, whose only job writes down that it was done.

Told by one JSON object on the command line: `url`, `config`, `name`, `clock` (so many seconds off), `every` (seconds of a
slot), `takes` (seconds of the work), `lease` (seconds), `knows_the_dead`. What it does goes into the table `worked`, in
the transaction that the lease guards; what it has seen committed is also a line of its output.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, os.getcwd())

from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import text

from connector.config import load
from connector.store.db import Store
from connector.store.leases import Fenced
from jobs import night, scheduler
from jobs.run import Run
from jobs.shift import Shift, WakefulClock
from jobs.slots import once, slot_of

TOLD = json.loads(sys.argv[1])
STOP = threading.Event()


class Clock(WakefulClock):
    """A machine whose clock is some seconds off."""

    def now(self) -> dt.datetime:
        return super().now() + dt.timedelta(seconds=TOLD["clock"])


def say(what: str, slot: str) -> None:
    print(json.dumps({"node": TOLD["name"], "what": what, "slot": slot, "at": time.time()}), flush=True)


def work(held: Fenced, slot: str) -> list[Run]:
    say("begun", slot)
    clock = Clock(STOP)
    until = time.monotonic() + TOLD["takes"]
    while time.monotonic() < until:
        held.prove()
        clock.sleep(0.02)
    with held.writing() as tx:
        row = {"node": TOLD["name"], "slot": slot, "fence": held.fence}
        tx.execute(text("INSERT INTO worked (node, slot, fence) VALUES (:node, :slot, :fence)"), row)
    say("done", slot)
    return []


def noted(store: Store, clock: Clock, job: str, slot: str, _act: object, stopping: object) -> list[Run] | None:
    return once(store, clock, job, slot, lambda held: work(held, slot), stopping)  # type: ignore[arg-type]


def main() -> None:
    every = TOLD["every"]
    trigger = IntervalTrigger(seconds=every, start_date=scheduler._EPOCH, timezone=dt.UTC)
    timed = scheduler.Timed(
        "regular", trigger, lambda at: slot_of(at, every), dt.timedelta(seconds=every), dt.timedelta(seconds=every)
    )
    far = scheduler.Timed(
        "nightly", IntervalTrigger(weeks=500, timezone=dt.UTC), str, dt.timedelta(hours=1), dt.timedelta(weeks=500)
    )
    scheduler.timed_jobs = lambda config: [far, timed]
    scheduler.once = noted
    night.LEASE_SECONDS = TOLD["lease"]
    if not TOLD["knows_the_dead"]:
        night.is_dead = lambda other: False
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    store = Store.open(TOLD["url"])
    say("up", "")
    scheduler.Worker(store, Shift(load(Path(TOLD["config"])), Clock(STOP), stop=STOP)).work()
    say("ended", "")


if __name__ == "__main__":
    main()
