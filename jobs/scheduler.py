"""The schedule: what `holdfast serve` works on: times that have come, and whatever waits, within a second.

APScheduler's triggers say when; the claimed row (job, slot) in the store makes a slot run once however many nodes are up.
What waits in the database is worked on by whichever node is free first: each looks once a second, and one takes the lease.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector.config import Config
from connector.errors import HoldfastError, TransientError
from connector.store import asked_runs, calculations, runs
from connector.store.attention import Waiting, waiting
from connector.store.concerns import Concern
from connector.store.db import Store, in_trouble
from connector.store.leases import Fenced, LeaseLost, Stopped
from connector.text import Text, same
from jobs import channels
from jobs.beside import Beside
from jobs.configured import Following
from jobs.hooks import heed, pending
from jobs.named import Act, act_of
from jobs.night import connected_systems, lease
from jobs.push import push
from jobs.run import Run
from jobs.shift import Shift
from jobs.short import short_round
from jobs.slots import LEASE, once, slot_of
from jobs.telling import telling

log = logging.getLogger("holdfast.jobs")

# How often the database is asked whether anything waits.
_LOOK_SECONDS = 1.0
# What could not be done is left alone for so long, doubled each time.
_PAUSE_SECONDS, _PAUSE_MOST = 2.0, 60.0
# How often it is looked whether a calculation was left behind: its own time limit is a minute.
_CALCULATIONS_SECONDS = 20.0
_ALL = ""  # no system's name: all that waits
# The night's run waits its turn for up to three hours; a regular one leaves its work to the next.
_NIGHT_KEEPS = dt.timedelta(hours=3)
# Slots are counted from here, so that all nodes have the same.
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Timed:
    """A job with its times: when it is due, the slot of each time, for how long a slot that could not be done yet is tried
    again, and how far two times are apart at most."""

    job: str
    trigger: Any
    slot: Callable[[dt.datetime], str]
    keeps: dt.timedelta
    apart: dt.timedelta

    def next(self, after: dt.datetime) -> dt.datetime:
        """The first time that is not before a moment."""
        found: dt.datetime | None = self.trigger.get_next_fire_time(None, after)
        assert found is not None, "the schedule has no end"
        return found


def timed_jobs(config: Config) -> list[Timed]:
    """The jobs of the schedule, those that go first first."""
    zone = ZoneInfo(config.business.time_zone)
    schedule = config.schedule
    hour, minute = schedule.nightly_at.split(":")

    def every(job: str, seconds: int) -> Timed:
        # Coordinated times are counted in UTC: a change to summer time moves no slot.
        trigger = IntervalTrigger(seconds=seconds, start_date=_EPOCH, timezone=dt.UTC)
        apart = dt.timedelta(seconds=seconds)
        return Timed(job, trigger, lambda at: slot_of(at, seconds), apart, apart)

    at_night = CronTrigger(hour=hour, minute=minute, timezone=zone)
    jobs = [
        Timed(
            "nightly", at_night, lambda at: at.astimezone(zone).date().isoformat(), _NIGHT_KEEPS, dt.timedelta(hours=26)
        ),
        every("regular", schedule.every_minutes * 60),
    ]
    return [*jobs, every("orders", schedule.order_seconds)] if schedule.order_seconds else jobs


@dataclass(frozen=True)
class _Due:
    slot: str
    until: dt.datetime
    not_before: float = 0.0


@dataclass(frozen=True)
class _Pause:
    """What could not be settled is left alone until then."""

    seconds: float
    until: float


def _others(found: Waiting) -> Waiting:
    """What waits beside writes, and events, which the inbox itself puts off."""
    return replace(found, writes=frozenset(), hooks=frozenset())


@dataclass
class Worker:
    """One node's work: `work` goes on until `shift.stop` is set; `wake` says that something has come. `doing` is the job
    that is being done now. `by_schedule` False: somebody else says when jobs are due, and only what waits is worked on.
    `beside` begins the process for long questions that a node has left behind; None: nobody does."""

    store: Store
    shift: Shift
    wake: threading.Event = field(default_factory=threading.Event)
    by_schedule: bool = True
    beside: Beside | None = None
    doing: str = ""
    _due: dict[str, _Due] = field(default_factory=dict)
    _next: dict[str, dt.datetime] = field(default_factory=dict)
    _off: dict[str, _Pause] = field(default_factory=dict)
    _stuck: Waiting = field(default_factory=Waiting)
    _troubles: int = 0
    _looked: bool = False
    _calculations_at: float = 0.0

    def __post_init__(self) -> None:
        timed = timed_jobs(self.shift.config) if self.by_schedule else []
        self._timed: Mapping[str, Timed] = {one.job: one for one in timed}
        self._following = Following(self.store, self.shift.config)

    def work(self) -> None:
        """Until the process is to end."""
        self.begin()
        while not self.shift.stop.is_set():
            self.tick()
            self.wake.wait(min(_PAUSE_MOST, _LOOK_SECONDS * 2**self._troubles) if self._troubles else _LOOK_SECONDS)
            self.wake.clear()

    def begin(self) -> None:
        """At once the whole job is due, unless another node has done it a little ago; and a night that was missed or
        stopped half-way while no node was up."""
        now = self.shift.clock.now()
        for timed in self._timed.values():
            self._next[timed.job] = timed.next(now)
        if (regular := self._timed.get("regular")) is not None:
            self._due["regular"] = _Due(regular.slot(now), now + regular.keeps)

    def tick(self) -> None:
        """One look: whatever is due by the time, then whatever waits. Never raises."""
        try:
            self._follow()
            self._tell_the_time()
            for job in self._timed:
                if job in self._due and not self.shift.stop.is_set():
                    self._do(job, self._due[job])
            self._do_what_is_asked()
            self._take_calculations_over()
            if not self.shift.stop.is_set():
                self._attend()
            self._troubles = 0
        except Exception as wrong:
            if not in_trouble(wrong):
                log.exception("a scheduled job failed")
                return
            if not self._troubles:
                log.error("the database is in trouble (%s); tried again until it is back", type(wrong).__name__)
            self._troubles = min(self._troubles + 1, 4)

    def _follow(self) -> None:
        """Systems and people that were put in use since, or taken out, count from the next job on; what was connected is
        read at once, by one of the nodes, and what was taken out is asked to call no more."""
        config, before = self._following.now(), self.shift.config
        if config is before:
            return
        self.shift = replace(self.shift, config=config)
        regular = self._timed.get("regular")
        with self.store.reading() as tx:
            is_left = bool(channels.left(tx, config))
        is_new = is_left or any(system not in before.systems for system in config.systems)
        if regular is not None and is_new and "regular" not in self._due:
            now = self.shift.clock.now()
            self._due["regular"] = _Due(f"{regular.slot(now)} {self._following.turn}", now + regular.keeps)

    # --- what is due by the time --------------------------------------------------------------------------------------
    def _tell_the_time(self) -> None:
        now = self.shift.clock.now()
        for job, timed in self._timed.items():
            at = self._next[job]
            if at > now + timed.apart + dt.timedelta(minutes=1):
                at = timed.next(now)  # the machine's clock was set back
            came = None
            while at <= now:
                came, at = at, timed.next(at + dt.timedelta(microseconds=1))
            self._next[job] = at
            if came is not None:
                self._due[job] = _Due(timed.slot(came), now + timed.keeps)
            elif (due := self._due.get(job)) is not None and due.until <= now:
                log.warning("%s %s: its time is over, the next one does its work", job, due.slot)
                del self._due[job]
            if job == "regular" and (came is not None or not self._looked):
                self._look_for_the_night(now)

    def _look_for_the_night(self, now: dt.datetime) -> None:
        """The last night is due once more where it was stopped half-way, or missed because no node was up."""
        night = self._timed["nightly"]
        last = night.next(now - dt.timedelta(days=1))
        if last > now or "nightly" in self._due:
            self._looked = True
            return
        slot = night.slot(last)
        with self.store.reading() as tx:
            newest = runs.newest_slot(tx, "nightly")
            is_left = (newest is not None and newest < slot) or runs.is_unfinished(tx, "nightly", slot)
        self._looked = True
        if is_left:
            self._due["nightly"] = _Due(slot, now + _NIGHT_KEEPS)

    def _do(self, job: str, due: _Due) -> None:
        if time.monotonic() < due.not_before:
            return
        clock, stop = self.shift.clock, self.shift.stop
        act = act_of(job, self.shift.config)

        self.doing = job
        try:
            once(self.store, clock, job, due.slot, self._acting(job, act), stop.is_set)
            self._due.pop(job, None)
        except Stopped as stopped:
            log.info("%s %s: %s", job, due.slot, stopped.log)
        except LeaseLost as lost:
            log.error("%s %s: %s", job, due.slot, lost.log)
            self._due.pop(job, None)  # the one who took over goes on
        except TransientError as busy:
            log.log(logging.DEBUG if due.not_before else logging.INFO, "%s %s: %s", job, due.slot, busy.log)
            self._due[job] = replace(due, not_before=time.monotonic() + _PAUSE_SECONDS)
        except HoldfastError as wrong:
            log.error("%s %s: %s", job, due.slot, wrong.log)
            self._due.pop(job, None)
        except Exception as wrong:
            if not in_trouble(wrong):
                self._due.pop(job, None)
            raise
        finally:
            self.doing = ""

    def _acting(self, job: str, act: Act) -> Callable[[Fenced], list[Run]]:
        def acting(held: Fenced) -> list[Run]:
            # Rounds of seconds tell nobody of their progress: it would cost more than they do.
            if job == "orders":
                return act(held, replace(self.shift, between=lambda: self._between(held)))
            with telling(self.store, self.shift.clock, LEASE, job) as progress:
                return act(held, replace(self.shift, progress=progress, between=lambda: self._between(held)))

        return acting

    def _do_what_is_asked(self) -> None:
        """Jobs that people asked for on a page, once each, whichever node comes first."""
        with self.store.reading() as tx:
            asked = asked_runs.waiting(tx)
        for one in asked:
            if self.shift.stop.is_set():
                return
            failed: Text | None = None
            self.doing = one.job
            try:
                acting = self._acting(one.job, act_of(one.job, self.shift.config))
                slot = f"asked-{one.id}"
                done = once(self.store, self.shift.clock, one.job, slot, acting, self.shift.stop.is_set)
                failed = next((run.failed for run in done or () if run.failed is not None), None)
            except TransientError as busy:
                log.debug("%s asked by %s: %s", one.job, one.by, busy.log)  # at the next look
                continue
            except HoldfastError as wrong:
                log.error("%s asked by %s: %s", one.job, one.by, wrong.log)
                failed = wrong.user
            except Exception as wrong:
                if in_trouble(wrong):
                    raise
                log.exception("%s asked by %s failed", one.job, one.by)
                failed = same(type(wrong).__name__)
            finally:
                self.doing = ""
            with self.store.writing(concern=Concern()) as tx:
                asked_runs.end(tx, one.id, self.shift.clock.now(), failed)

    def _take_calculations_over(self) -> None:
        """A calculation whose node has died is worked on again, also where nobody looks at its page."""
        if self.beside is None or time.monotonic() < self._calculations_at:
            return
        self._calculations_at = time.monotonic() + _CALCULATIONS_SECONDS
        with self.store.reading() as tx:
            is_left = calculations.left(tx, self.shift.clock.now())
        if is_left:
            self.beside.begin()

    # --- what waits ---------------------------------------------------------------------------------------------------
    def _waiting(self) -> Waiting:
        config = self.shift.config
        written_to = {system.name for system in config.systems if config.writes_to(system)}
        now = self.shift.clock.now()
        with self.store.reading() as tx:
            found, hooks = waiting(tx, now), pending(tx, config, now)
        return replace(
            found, writes=found.writes & written_to, hooks=frozenset(hooks), mails=found.mails and config.mail.on
        )

    def _attend(self) -> None:
        """Works on what waits. A system that does not take its writes is left alone for a while, and so is what else could
        not be settled, as long as nothing new has come."""
        found, now = self._waiting(), time.monotonic()
        resting = {name for name, pause in self._off.items() if pause.until > now}
        others = _others(found)
        is_stuck = _ALL in resting and others == self._stuck
        if not (found.hooks or found.writes - resting or (others and not is_stuck)):
            return
        self.doing = "waiting"
        try:
            with lease(self.store, self.shift.clock, LEASE, stopping=self.shift.stop.is_set) as held:
                self._settle(held, found, resting - {_ALL})
        except Stopped as stopped:
            log.info("%s", stopped.log)
        except LeaseLost as lost:
            log.error("%s", lost.log)
        except TransientError as busy:
            log.debug("%s", busy.log)  # whoever is at work now may settle it
        except Exception as wrong:
            if in_trouble(wrong):
                raise
            self._rest(_ALL)
            self._stuck = others
            if not isinstance(wrong, HoldfastError):
                raise
            log.error("%s", wrong.log)
        else:
            left = self._waiting()
            for name in [n for n in self._off if n not in resting and n not in left.writes | {_ALL}]:
                del self._off[name]  # it takes its writes again
            for name in left.writes - resting:
                self._rest(name)
            self._stuck = _others(left)
            if self._stuck and self._stuck == others:
                self._rest(_ALL)
            else:
                self._off.pop(_ALL, None)
        finally:
            self.doing = ""

    def _rest(self, what: str) -> None:
        """Leaves something alone, longer each time."""
        before = self._off.get(what)
        seconds = _PAUSE_SECONDS if before is None else min(_PAUSE_MOST, before.seconds * 2)
        self._off[what] = _Pause(seconds, time.monotonic() + seconds)

    def _settle(self, held: Fenced, found: Waiting, besides: Collection[str]) -> None:
        shift = self.shift
        if found.hooks:
            heed(held, shift.config, shift.policy, shift.clock, told=shift.told)
        # What heeding has judged and written waits no more.
        short_round(held, shift.config, shift.policy, shift.clock, reads=False, besides=besides, told=shift.told)

    def _between(self, held: Fenced) -> None:
        """Between two steps of a long job: what systems told us, and writes that are due, do not wait for its end.
        Customers that are marked are judged by the job itself."""
        shift, found = self.shift, self._waiting()
        if found.hooks:
            heed(held, shift.config, shift.policy, shift.clock, told=shift.told)
        elif found.writes:
            for connected in connected_systems(shift.config, shift.clock, sorted(found.writes), held):
                if connected.adapter.channels:
                    shift.told(push(held, connected))
