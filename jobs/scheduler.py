"""The schedule: when `holdfast serve` does the job, once per slot however many nodes are up.

APScheduler is only the clock of this process; the claimed row (job, slot) in the store makes a slot run once.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from connector.clock import Clock
from connector.config import Config
from connector.errors import HoldfastError, TransientError
from connector.policy import Policy
from connector.store import runs
from connector.store.db import Store
from connector.store.leases import Fenced, LeaseLost
from jobs.night import holder, lease, work
from jobs.run import Run

log = logging.getLogger("holdfast.jobs")

# The night's run waits its turn for up to three hours; a regular one leaves its work to the next.
_NIGHTLY_TRIES = 180
_NIGHTLY_WAIT_SECONDS = 60.0


def slot_of(now: dt.datetime, every_minutes: int) -> str:
    """The slot an instant belongs to: the same on every node, whose clocks may differ by seconds."""
    minute = int(now.timestamp() // 60)
    return dt.datetime.fromtimestamp((minute - minute % every_minutes) * 60, dt.UTC).isoformat(timespec="minutes")


def once(
    store: Store,
    config: Config,
    policy: Policy | None,
    clock: Clock,
    job: str,
    slot: str,
    told: Callable[[Run], None] = lambda run: None,
) -> list[Run] | None:
    """Does a job for a slot, if no node has done or is doing it; None where one has.

    A slot whose node died or lost its lease half-way is taken again.
    """
    for _ in range(_NIGHTLY_TRIES if job == "nightly" else 1):
        try:
            # `work` is one job whatever started it: the hourly and the nightly one never run at the same time. The slot
            # is claimed under the lease, so that a busy moment does not use it up.
            with lease(store, clock, "run") as held:
                with held.writing() as tx:
                    # Who claimed it before did so under this very lease, and holds it no more.
                    if not runs.claim_slot(tx, job, slot, holder(), clock.now(), is_dead=lambda other: True):
                        return None
                return _finished(
                    held, job, slot, lambda: work(held, config, policy, clock, nightly=job == "nightly", told=told)
                )
        except LeaseLost as lost:
            log.error("%s %s: %s", job, slot, lost.log)
            return None  # the one who took over goes on
        except TransientError as busy:
            log.info("%s %s: %s", job, slot, busy.log)
            if job == "nightly":
                clock.sleep(_NIGHTLY_WAIT_SECONDS)
    return None


def _finished(held: Fenced, job: str, slot: str, act: Callable[[], list[Run]]) -> list[Run]:
    """What a slot's work gave; the slot is then done for good. Only one that was stopped half-way is taken again: what
    fails by a fault of ours would fail again."""
    try:
        done = act()
    except TransientError:
        raise
    except Exception:
        with held.writing() as tx:
            runs.finish_slot(tx, job, slot)
        raise
    with held.writing() as tx:
        runs.finish_slot(tx, job, slot)
    return done


def make_up(
    store: Store, config: Config, policy: Policy | None, clock: Clock, told: Callable[[Run], None] = lambda run: None
) -> list[Run] | None:
    """The night once more, where it was stopped half-way by a kill or a crash; None where there is nothing to make up."""
    today = clock.now().astimezone(ZoneInfo(config.business.time_zone)).date()
    with store.reading() as tx:
        nights = [str(today - dt.timedelta(days=back)) for back in (0, 1)]
        stopped = [night for night in nights if runs.is_unfinished(tx, "nightly", night)]
    for night in stopped:
        if (done := once(store, config, policy, clock, "nightly", night, told)) is not None:
            return done
    return None


def serve(
    store: Store,
    config: Config,
    policy: Policy | None,
    clock: Clock,
    told: Callable[[Run], None] = lambda run: None,
    now: bool = True,
) -> None:
    """Works by the schedule until it is stopped; `now`: also at once. `policy` None: each run reads the one in force."""
    zone = ZoneInfo(config.business.time_zone)
    every = config.schedule.every_minutes
    hour, minute = config.schedule.nightly_at.split(":")
    scheduler = BlockingScheduler(timezone=zone)

    def regular() -> None:
        _guarded(lambda: make_up(store, config, policy, clock, told))
        _guarded(lambda: once(store, config, policy, clock, "regular", slot_of(clock.now(), every), told))

    def nightly() -> None:
        day = clock.now().astimezone(zone).date().isoformat()
        _guarded(lambda: once(store, config, policy, clock, "nightly", day, told))

    scheduler.add_job(regular, "interval", minutes=every, coalesce=True, max_instances=1, misfire_grace_time=None)
    at_night = CronTrigger(hour=hour, minute=minute, timezone=zone)
    scheduler.add_job(nightly, at_night, coalesce=True, max_instances=1, misfire_grace_time=None)
    if now:
        regular()
    scheduler.start()


def _guarded(job: Callable[[], object]) -> None:
    """A job that fails must not end the schedule."""
    try:
        job()
    except HoldfastError as wrong:
        log.error("%s", wrong.log)
    except Exception:
        log.exception("a scheduled job failed")
