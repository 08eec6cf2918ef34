"""Slots: each time of a schedule is done once, however many nodes are up and however often it is asked for.

The claimed row (job, slot) in the store is what makes it once. A slot that was stopped half-way (a kill, a lost database,
the end of the process) is taken again; one that is done stays done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from connector.clock import Clock
from connector.errors import TransientError
from connector.store import runs
from connector.store.concerns import Concern
from connector.store.db import Store, in_trouble
from connector.store.leases import Fenced
from jobs.night import holder, lease
from jobs.run import Run

# All jobs work under one lease: they read and write the same facts, and none may overtake another.
LEASE = "run"


def slot_of(now: dt.datetime, every_seconds: int) -> str:
    """The slot an instant belongs to: the same on every node, whose clocks may differ by seconds."""
    second = int(now.timestamp())
    start = dt.datetime.fromtimestamp(second - second % every_seconds, dt.UTC)
    return start.isoformat(timespec="seconds" if every_seconds % 60 else "minutes")


def slot_named(given: str, time_zone: str) -> str:
    """A slot as somebody writes it: a moment in any form of ISO 8601 (without a zone: the business's) becomes what the
    schedule itself would call it, a date and any other name stay as they are."""
    try:
        moment = dt.datetime.fromisoformat(given.strip())
    except ValueError:
        return given.strip()
    if len(given.strip()) <= 10:
        return given.strip()
    aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone))
    there = aware.astimezone(dt.UTC)
    return there.isoformat(timespec="seconds" if there.second or there.microsecond else "minutes")


def once(
    store: Store,
    clock: Clock,
    job: str,
    slot: str,
    act: Callable[[Fenced], list[Run]],
    stopping: Callable[[], bool] = lambda: False,
) -> list[Run] | None:
    """Does a job for a slot; None where the slot has been done.

    Raises TransientError where another process is at work, or the work was stopped half-way: try again then.
    """
    with store.reading() as tx:
        if runs.is_finished(tx, job, slot):
            return None
    # The slot is claimed under the lease, so that a busy moment does not use it up.
    with lease(store, clock, LEASE, stopping=stopping) as held:
        with held.writing(concern=Concern()) as tx:
            # Who claimed it before did so under this very lease, and holds it no more.
            if not runs.claim_slot(tx, job, slot, holder(), clock.now(), is_dead=lambda other: True):
                return None
        try:
            done = act(held)
        except TransientError:
            raise
        except Exception as wrong:
            # What fails by a fault of ours would fail again.
            if not in_trouble(wrong):
                _finish(held, job, slot)
            raise
        _finish(held, job, slot)
        return done


def _finish(held: Fenced, job: str, slot: str) -> None:
    with held.writing(concern=Concern()) as tx:
        runs.finish_slot(tx, job, slot)
