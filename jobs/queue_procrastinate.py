"""The same jobs on Procrastinate, for a company that runs its work on it already (extra `queue`, PostgreSQL).

Its periodic tasks are the schedule; each calls the job by name and slot as any engine may, so that both may even run side
by side. Its tables live in a schema of their own in the store's database. Anybody may defer a job:

    app.configure_task("holdfast.job", queueing_lock="push:erp").defer(job="push:erp", slot="2026-11-25T09:00Z")
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import procrastinate

from connector.config import Config
from connector.errors import TransientError
from connector.store import queue_schema
from connector.store.db import Store, in_trouble
from jobs.configured import configured
from jobs.named import act_of
from jobs.shift import Shift
from jobs.slots import once, slot_named, slot_of

log = logging.getLogger("holdfast.jobs")

QUEUE = "holdfast"
TASK = "holdfast.job"
_WAIT_SECONDS = 5
# A night waits its turn for some hours, whatever else only until its next time: so often it is tried again.
_TRIES = {"nightly": 2000, "regular": 100, "orders": 3}
_STALLED_SECONDS = 30.0
_GRACE_SECONDS = 20.0


class _Again(procrastinate.BaseRetryStrategy):
    """Where another process is at work, the database is away, or the process is to end, a job is tried again."""

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.RetryDecision | None:
        name = str(job.task_kwargs.get("job", ""))
        if not (isinstance(exception, TransientError) or in_trouble(exception)):
            return None
        if job.attempts >= _TRIES.get(name, 20):
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": _WAIT_SECONDS})


def app_of(store: Store, url: str, shift: Shift) -> procrastinate.App:
    """The application with its tasks, not opened yet. `url` is the store's, with its password."""
    options = {"options": f"-c search_path={queue_schema.SCHEMA}"}
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=queue_schema.conninfo(url), kwargs=options, max_size=6),
        periodic_defaults={"max_delay": 3600},
    )

    def done(job: str, slot: str) -> bool:
        # Systems and people that were put in use since, or taken out, count from the next job on.
        current = replace(shift, config=configured(store, shift.config))
        act = act_of(job, current.config)
        runs = once(store, shift.clock, job, slot, lambda held: act(held, current), shift.stop.is_set)
        log.info("%s %s: %s", job, slot, "done before" if runs is None else "done")
        return runs is not None

    @app.task(name=TASK, queue=QUEUE, retry=_Again())
    def of_a_name(job: str, slot: str) -> bool:
        return done(job, slot_named(slot, shift.config.business.time_zone))

    @app.task(name="holdfast.scheduled", queue=QUEUE, retry=_Again())
    def by_the_schedule(timestamp: int, job: str) -> bool:
        slot = _slot(job, dt.datetime.fromtimestamp(timestamp, dt.UTC), shift.config)
        return slot is not None and done(job, slot)

    for job, crons in schedule(shift.config).items():
        for number, cron in enumerate(crons):
            # While one waits no second one is put behind it: what the first finds is all there is.
            app.periodic(
                cron=cron, periodic_id=f"{job}-{number}", queueing_lock=f"holdfast.{job}", task_kwargs={"job": job}
            )(by_the_schedule)
    return app


def schedule(config: Config) -> dict[str, list[str]]:
    """The times of the jobs as cron writes them, in UTC: at least these times, of which `_slot` takes the right ones."""
    times = {"nightly": _nights(config), "regular": [_every(config.schedule.every_minutes * 60)]}
    return times | ({"orders": [_every(config.schedule.order_seconds)]} if config.schedule.order_seconds else {})


def _every(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if rest:
        return f"* * * * * */{seconds}" if 60 % seconds == 0 else "* * * * * *"
    if 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    return f"0 */{minutes // 60} * * *" if minutes % 60 == 0 and 24 % (minutes // 60) == 0 else "* * * * *"


def _nights(config: Config) -> list[str]:
    """The night's moment in UTC, once for each time the clocks show in the course of a year."""
    zone = ZoneInfo(config.business.time_zone)
    hour, minute = map(int, config.schedule.nightly_at.split(":"))
    found = set()
    for day in range(366):
        local = dt.datetime(2026, 1, 1, hour, minute, tzinfo=zone) + dt.timedelta(days=day)
        there = local.astimezone(dt.UTC)
        found.add((there.minute, there.hour))
    return [f"{minute} {hour} * * *" for minute, hour in sorted(found)]


def _slot(job: str, at: dt.datetime, config: Config) -> str | None:
    """The slot of a time; None where the job is not due then."""
    if job == "nightly":
        local = at.astimezone(ZoneInfo(config.business.time_zone))
        return local.date().isoformat() if f"{local:%H:%M}" == config.schedule.nightly_at else None
    seconds = config.schedule.order_seconds if job == "orders" else config.schedule.every_minutes * 60
    return slot_of(at, seconds) if int(at.timestamp()) % seconds == 0 else None


def prepare(store: Store, app: procrastinate.App) -> None:
    """Makes the queue's tables where they are not there. A newer Procrastinate may want its own migrations first."""
    with queue_schema.room(store.engine) as is_empty:
        if is_empty:
            with app.open():
                app.schema_manager.apply_schema()


def work(store: Store, url: str, shift: Shift, *, at_once: int = 2, ready: Callable[[], None] = lambda: None) -> None:
    """Works on the queue until `shift.stop` is set; what is under way then ends at its next safe place."""
    app = app_of(store, url, shift)
    prepare(store, app)
    ready()
    asyncio.run(_work(app, shift, at_once))


async def _work(app: procrastinate.App, shift: Shift, at_once: int) -> None:
    pause = 1.0
    while not shift.stop.is_set():
        try:
            async with app.open_async():
                await _until_stopped(app, shift, at_once)
            pause = 1.0
        except Exception as wrong:
            # Mostly the database is away; whatever it is, a queue that nobody works on is worse than one more try.
            log.error("the queue is in trouble (%s); tried again", type(wrong).__name__)
            log.debug("the queue", exc_info=wrong)
            await asyncio.sleep(pause)
            pause = min(15.0, pause * 2)


async def _until_stopped(app: procrastinate.App, shift: Shift, at_once: int) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            queues=[QUEUE],
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="successful",
            shutdown_graceful_timeout=_GRACE_SECONDS,
            stalled_worker_timeout=_STALLED_SECONDS,
        )
    )
    looked = 0.0
    loop = asyncio.get_running_loop()
    try:
        while not shift.stop.is_set() and not worker.done():
            if loop.time() - looked > _STALLED_SECONDS / 3:
                looked = loop.time()
                await _put_back(app)
            await asyncio.wait([worker], timeout=0.2)
    finally:
        if not worker.done():
            worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            if not shift.stop.is_set():
                raise


async def _put_back(app: procrastinate.App) -> None:
    """What a worker that died was at is put back: the slot says whether it was done."""
    stalled = await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=_STALLED_SECONDS)
    for job in stalled:
        log.warning("job %s of a worker that is gone is done again", job.id)
        await app.job_manager.retry_job(job)
