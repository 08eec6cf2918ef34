"""Procrastinate drives the same jobs: what it is asked for twice is done once, its times are ours, and it goes on alone."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connector.clock import SystemClock
from connector.config import Config, parse
from connector.policy import default_policy
from connector.store import runs
from connector.store.db import Store
from jobs.night import lease
from jobs.scheduler import timed_jobs
from jobs.shift import Shift, WakefulClock

queue: Any = pytest.importorskip("jobs.queue_procrastinate", reason="install the extra `queue`")
croniter: Any = pytest.importorskip("croniter")

BOOK = """\
[business]
time_zone = "{zone}"

[schedule]
every_minutes = {every}
order_seconds = {orders}
nightly_at = "{night}"

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = {{ path = "book" }}
"""


def configured(
    folder: Path, zone: str = "Asia/Shanghai", every: int = 15, orders: int = 60, night: str = "01:30"
) -> Config:
    (folder / "book").mkdir(exist_ok=True)
    (folder / "book" / "customers.csv").write_text("id,name\nC1,One\n", encoding="utf-8")
    text = BOOK.format(zone=zone, every=every, orders=orders, night=night)
    config, problems = parse(text, "config.toml", folder)
    assert config is not None, problems
    return config


@pytest.fixture
def store(pg_store: Store) -> Iterator[Store]:
    with pg_store.writing() as tx:
        tx.execute(text("DROP SCHEMA IF EXISTS procrastinate CASCADE"))
        for table in ("slot", "lease", "run"):
            tx.execute(text(f"DELETE FROM {table}"))
    pg_store.engine.dispose()  # what a connection has prepared speaks of tables that are no more
    yield pg_store
    with pg_store.writing() as tx:
        tx.execute(text("DROP SCHEMA IF EXISTS procrastinate CASCADE"))
    pg_store.engine.dispose()


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def app_of(store: Store, shift: Shift) -> Any:
    app = queue.app_of(store, url_of(store), shift)
    queue.prepare(store, app)
    return app


async def drained(*apps: Any) -> None:
    """Each works on what waits in the queue, side by side, until nothing is due."""

    async def one(app: Any) -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=[queue.QUEUE], wait=False, concurrency=2, install_signal_handlers=False, listen_notify=False
            )

    for app in apps:
        app.periodic_registry.periodic_tasks.clear()  # only what was deferred
    await asyncio.gather(*(one(app) for app in apps))


def states(store: Store) -> list[tuple[str, str]]:
    with store.reading() as tx:
        rows = tx.execute(text("SELECT args->>'slot', status FROM procrastinate.procrastinate_jobs ORDER BY id"))
        return [(slot, status) for slot, status in rows]


def test_what_is_deferred_twice_is_done_once_by_two_workers(store: Store, tmp_path: Path) -> None:
    done: list[str] = []
    config = configured(tmp_path)
    shift = Shift(config, SystemClock(), default_policy(), told=lambda run: done.append(run.job))
    one, two = app_of(store, shift), app_of(store, shift)

    async def asked() -> None:
        async with one.open_async():
            for slot in ("2026-11-20T09:00:00Z", "2026-11-20T17:00:00+08:00", "2026-11-20T09:15Z"):
                await one.configure_task(queue.TASK).defer_async(job="regular", slot=slot)

    asyncio.run(asked())
    until = time.monotonic() + 60
    while time.monotonic() < until and any(status != "succeeded" for _, status in states(store)):
        asyncio.run(drained(one, two))  # who met the other at work comes again in some seconds
    assert [status for _, status in states(store)] == ["succeeded"] * 3
    assert done.count("pull") == 2, "two slots, one of them asked for twice"
    with store.reading() as tx:
        assert all(runs.is_finished(tx, "regular", f"2026-11-20T09:{m}+00:00") for m in ("00", "15"))


def test_while_another_is_at_work_a_job_waits_its_turn(store: Store, tmp_path: Path) -> None:
    shift = Shift(configured(tmp_path), SystemClock(), default_policy())
    app = app_of(store, shift)

    async def asked() -> None:
        async with app.open_async():
            await app.configure_task(queue.TASK).defer_async(job="link", slot="x")

    asyncio.run(asked())
    with lease(store, SystemClock(), "run"):
        asyncio.run(drained(app))
    assert states(store) == [("x", "todo")], "put off, not failed"


def test_a_job_that_fails_by_a_fault_is_not_tried_again(store: Store, tmp_path: Path) -> None:
    app = app_of(store, Shift(configured(tmp_path), SystemClock(), default_policy()))

    async def asked() -> None:
        async with app.open_async():
            await app.configure_task(queue.TASK).defer_async(job="no_such_job", slot="x")

    asyncio.run(asked())
    asyncio.run(drained(app))
    assert states(store) == [("x", "failed")]


def test_a_job_that_waits_is_not_put_there_twice(store: Store, tmp_path: Path) -> None:
    from procrastinate.exceptions import AlreadyEnqueued

    app = app_of(store, Shift(configured(tmp_path), SystemClock(), default_policy()))

    async def asked() -> None:
        async with app.open_async():
            task = app.configure_task(queue.TASK, queueing_lock="link")
            await task.defer_async(job="link", slot="a")
            with pytest.raises(AlreadyEnqueued):
                await task.defer_async(job="link", slot="b")

    asyncio.run(asked())


@pytest.mark.parametrize(
    ("zone", "every", "orders", "night"),
    [
        ("Asia/Shanghai", 15, 60, "01:30"),
        ("America/New_York", 60, 10, "02:30"),
        ("Europe/London", 7, 45, "23:59"),
        ("Australia/Lord_Howe", 1440, 300, "00:00"),
        ("UTC", 90, 3600, "12:05"),
    ],
)
@pytest.mark.parametrize("day", [dt.date(2026, 3, 28), dt.date(2026, 10, 31), dt.date(2026, 11, 20)])
def test_its_times_are_those_of_our_own_schedule(
    tmp_path: Path, zone: str, every: int, orders: int, night: str, day: dt.date
) -> None:
    """Whichever of the two says when, the slots are the same: also where the clocks are changed."""
    config = configured(tmp_path, zone, every, orders, night)
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    end = start + dt.timedelta(days=2)
    for timed in timed_jobs(config):
        last = end if timed.job != "orders" else start + dt.timedelta(hours=2)
        ours, at = [], start
        while (at := timed.next(at)) < last:
            ours.append(timed.slot(at))
            at += dt.timedelta(microseconds=1)
        theirs = set()
        for cron in queue.schedule(config)[timed.job]:
            times = croniter.croniter(cron, start_time=(start - dt.timedelta(seconds=1)).timestamp())
            while (tick := times.get_next(float)) < last.timestamp():
                slot = queue._slot(timed.job, dt.datetime.fromtimestamp(tick, dt.UTC), config)
                theirs |= {slot} if slot is not None else set()
        assert theirs == set(ours), timed.job
        assert ours, timed.job


def test_two_workers_follow_the_schedule_and_end_when_told(store: Store, tmp_path: Path) -> None:
    stop = threading.Event()
    config = configured(tmp_path, orders=5)
    failed: list[BaseException] = []

    def worked() -> None:
        try:
            queue.work(store, url_of(store), Shift(config, WakefulClock(stop), default_policy(), stop=stop))
        except BaseException as wrong:
            failed.append(wrong)

    threads = [threading.Thread(target=worked) for _ in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 90
    while time.monotonic() < until and len(slots(store, "orders")) < 3:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert failed == []
    done = slots(store, "orders")
    assert len(done) >= 3, "by itself, every five seconds"
    with store.reading() as tx:
        deferred = tx.execute(text("SELECT count(*) FROM procrastinate.procrastinate_periodic_defers")).scalar_one()
        assert runs.holder_of(tx, "run") is None
    assert deferred >= 1


def slots(store: Store, job: str) -> list[str]:
    with store.reading() as tx:
        asked = text("SELECT time FROM slot WHERE job = :job AND holder = '' ORDER BY time")
        return list(tx.execute(asked, {"job": job}).scalars())


def test_what_a_dead_worker_was_at_is_put_back(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that sends no sign of life any more: its job goes back into the queue and is done by another."""
    monkeypatch.setattr(queue, "_STALLED_SECONDS", 0.3)
    app = app_of(store, Shift(configured(tmp_path), SystemClock(), default_policy()))
    with store.writing() as tx:
        worker = "INSERT INTO procrastinate.procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        number = tx.execute(text(f"{worker} RETURNING id")).scalar_one()

    async def left() -> None:
        async with app.open_async():
            await app.configure_task(queue.TASK).defer_async(job="link", slot="x")
        with store.engine.begin() as tx:
            values = {"number": number}
            tx.execute(text("SET LOCAL search_path = procrastinate"))
            tx.execute(
                text("UPDATE procrastinate.procrastinate_jobs SET status = 'doing', worker_id = :number"), values
            )
        async with app.open_async():
            await queue._put_back(app)

    asyncio.run(left())
    assert states(store) == [("x", "todo")]
    asyncio.run(drained(app))
    assert states(store) == [("x", "succeeded")]
