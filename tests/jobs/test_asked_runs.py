"""Jobs that people ask for on a page: done once, by whichever node is free; what is being done is told to whoever watches."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

import pytest

from connector.clock import FixedClock, SystemClock
from connector.config import Config
from connector.errors import ConfigError
from connector.policy import default_policy
from connector.store import asked_runs, runs
from connector.store.asked_runs import AskedRun
from connector.store.db import Store
from connector.text import Text
from jobs import telling as tellings
from jobs.night import lease
from jobs.scheduler import Worker
from jobs.shift import Shift
from jobs.telling import telling
from tests.jobs.test_scheduler import NOW
from tests.jobs.test_scheduler import config as config
from tests.store.conftest import store as store


def worker(store: Store, config: Config) -> Worker:
    return Worker(store, Shift(config, FixedClock(NOW), default_policy()), by_schedule=False)


def asked(store: Store, job: str) -> AskedRun:
    with store.writing() as tx:
        return asked_runs.ask(tx, job, "person:li.wei", NOW)


def states(store: Store) -> list[tuple[str, str]]:
    with store.reading() as tx:
        return [(one.job, one.state) for one in asked_runs.newest(tx, 10)]


def test_what_is_asked_for_is_done_once_by_one_of_the_nodes(store: Store, config: Config) -> None:
    first, second = worker(store, config), worker(store, config)
    one = asked(store, "pull:books")
    assert asked(store, "pull:books").id == one.id, "asked for twice before anybody began"
    for node in (first, second, first):
        node.tick()
    assert states(store) == [("pull:books", "done")]
    with store.reading() as tx:
        assert [run.job for run in runs.runs(tx, job="pull")] == ["pull"]
    assert asked(store, "pull:books").id != one.id, "it may be asked for again"
    second.tick()
    with store.reading() as tx:
        assert [run.job for run in runs.runs(tx, job="pull")] == ["pull", "pull"]


def test_while_another_works_it_waits_its_turn(store: Store, config: Config) -> None:
    node = worker(store, config)
    asked(store, "link")
    with lease(store, FixedClock(NOW), "run"):
        node.tick()
        assert states(store) == [("link", "asked")]
    node.tick()
    assert states(store) == [("link", "done")]


def test_what_fails_is_told_with_its_reason_and_not_tried_for_ever(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = worker(store, config)
    asked(store, "no-such-job")
    node.tick()
    with store.reading() as tx:
        (one,) = asked_runs.newest(tx, 10)
    assert one.state == "failed"
    assert one.why is not None
    assert "no job called" in one.why.en

    def broken(*_: object) -> None:
        raise ConfigError(Text("The address is wrong.", "地址有误。"))

    monkeypatch.setattr("jobs.scheduler.act_of", lambda name, config: broken)
    asked(store, "link")
    node.tick()
    with store.reading() as tx:
        assert asked_runs.newest(tx, 1)[0].why == Text("The address is wrong.", "地址有误。")
        assert asked_runs.waiting(tx) == []


def test_a_process_that_is_to_end_begins_nothing(store: Store, config: Config) -> None:
    node = worker(store, config)
    asked(store, "link")
    node.shift.stop.set()
    node.tick()
    assert states(store) == [("link", "asked")]


def test_progress_is_told_while_it_goes_and_taken_away_at_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tellings, "_EVERY_SECONDS", 0.01)
    seen = threading.Event()
    with telling(store, SystemClock(), "run", "pull") as progress:
        progress("customers", 300, 1000)
        for _ in range(500):
            with store.reading() as tx:
                now = asked_runs.now_done(tx, "run")
            if now is not None:
                seen.set()
                break
            threading.Event().wait(0.01)
    assert seen.is_set()
    assert now is not None
    assert (now.job, now.what, now.done, now.of) == ("pull", "customers", 300, 1000)
    with store.reading() as tx:
        assert asked_runs.now_done(tx, "run") is None


def test_old_ones_are_forgotten_and_waiting_ones_never(store: Store) -> None:
    first = asked(store, "link")
    asked(store, "pull:books")
    with store.writing() as tx:
        asked_runs.end(tx, first.id, NOW)
        asked_runs.end(tx, first.id, NOW, Text("late", "晚"))
        assert asked_runs.newest(tx, 2)[1] == replace(first, state="done", ended_at=NOW), "an end is one"
        assert asked_runs.expire(tx, NOW) == 0
        assert asked_runs.expire(tx, NOW + dt.timedelta(days=40)) == 1
        assert [one.job for one in asked_runs.waiting(tx)] == ["pull:books"]
