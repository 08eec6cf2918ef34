"""The schedule: a slot is done once however many nodes are up, and a dead node's lease is not waited for."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from connector.clock import FixedClock
from connector.config import Config, parse
from connector.errors import TransientError
from connector.policy import default_policy
from connector.store import runs
from connector.store.db import Store
from jobs.night import holder, is_dead, lease, work
from jobs.run import Run, running
from jobs.scheduler import make_up, once, slot_of
from tests.store.conftest import store as store

NOW = dt.datetime(2026, 11, 20, 9, 7, 31, tzinfo=dt.UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name\nC1,One\n", encoding="utf-8")
    text = '[[systems]]\nname = "books"\nadapter = "files"\nroles = ["erp"]\nsettings = { path = "book" }\n'
    made, problems = parse(text, "config.toml", tmp_path)
    assert made is not None, problems
    return made


def test_nodes_with_clocks_that_differ_by_seconds_agree_on_the_slot() -> None:
    slots = {slot_of(NOW + dt.timedelta(seconds=s), 15) for s in (-2, 0, 2)}
    assert slots == {"2026-11-20T09:00+00:00"}
    assert slot_of(NOW + dt.timedelta(minutes=8), 15) == "2026-11-20T09:15+00:00"


def test_a_slot_is_done_once(store: Store, config: Config) -> None:
    clock = FixedClock(NOW)
    first = once(store, config, default_policy(), clock, "regular", "2026-11-20T09:00+00:00")
    second = once(store, config, default_policy(), clock, "regular", "2026-11-20T09:00+00:00")
    assert first is not None
    assert [r.job for r in first] == ["pull", "link", "evaluate"]
    assert second is None
    assert once(store, config, default_policy(), clock, "regular", "2026-11-20T09:15+00:00") is not None


def test_while_one_works_another_is_refused(store: Store) -> None:
    clock = FixedClock(NOW)
    with lease(store, clock, "run"), pytest.raises(TransientError) as busy, lease(store, clock, "run"):
        pass
    assert busy.value.user.en == "“run” is already being done by another process."
    assert busy.value.user.zh == "“run”正由另一进程执行。"
    with lease(store, clock, "run"):
        pass  # given back, free again


def test_a_dead_process_of_this_host_is_replaced_at_once(store: Store) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    dead = f"{socket.gethostname()}:{pid}:abc"
    assert is_dead(dead)
    assert not is_dead(holder()), "this very process lives"
    assert not is_dead(f"another-host:{pid}:abc"), "of another host nothing is known"
    with store.writing() as tx:
        assert runs.acquire(tx, "run", "", dead, NOW, 600) is not None
    with lease(store, FixedClock(NOW), "run") as held:
        assert held.fence > 1


def test_a_lease_of_another_host_ends_with_its_time(store: Store) -> None:
    with store.writing() as tx:
        runs.acquire(tx, "run", "", "another-host:1:abc", NOW, 60)
    with pytest.raises(TransientError), lease(store, FixedClock(NOW + dt.timedelta(seconds=59)), "run"):
        pass
    with lease(store, FixedClock(NOW + dt.timedelta(seconds=61)), "run"):
        pass


def test_who_has_lost_the_lease_writes_nothing_more(store: Store, config: Config) -> None:
    """A machine that slept through its lease: its successor works, and it must not write over what that one does."""
    clock = FixedClock(NOW)
    successor = "another-host:1:abc"

    def overtaken(run: Run) -> None:
        if run.job == "link":
            with store.writing() as tx:
                assert runs.acquire(tx, "run", "", successor, NOW + dt.timedelta(seconds=61), 60) is not None

    with lease(store, clock, "run") as held:
        with pytest.raises(runs.LeaseLost) as lost:
            work(held, config, default_policy(), clock, told=overtaken)
        assert lost.value.user.en == (
            "Another process has taken over “run” meanwhile, so this one stops. What it had done stays done."
        )
        assert lost.value.user.zh == "“run”已由另一进程接管，本进程停止。已完成的部分保留有效。"
        with pytest.raises(runs.LeaseLost), held.writing():
            raise AssertionError("never comes so far")
    with store.reading() as tx:
        assert [r.job for r in runs.runs(tx)] == ["link", "pull"], "evaluate never began"
    with store.writing() as tx:
        assert runs.acquire(tx, "run", "", "third", NOW + dt.timedelta(seconds=62), 60) is None, "it is the successor's"


def test_a_job_that_is_overtaken_half_way_stops_with_a_message(store: Store, config: Config) -> None:
    clock = FixedClock(NOW)

    def evaluate(held: Store) -> None:
        with running(held, clock, "evaluate"):
            with held.writing() as tx:
                runs.finish_slot(tx, "x", "y")
            with store.writing() as tx:
                runs.acquire(tx, "run", "", "another-host:1:abc", NOW + dt.timedelta(seconds=61), 60)
            with held.writing():
                raise AssertionError("never comes so far")

    with lease(store, clock, "run") as held, pytest.raises(runs.LeaseLost):
        evaluate(held)
    with store.reading() as tx:
        (row,) = runs.runs(tx)
        assert (row.job, row.state) == ("evaluate", "failed")
        (problem,) = runs.problems(tx)
        assert problem.problem.code == "evaluate_leaselost"


def test_a_night_that_was_stopped_half_way_is_made_up_for(store: Store, config: Config) -> None:
    """Killed after it had claimed its slot: whoever is up next does the night again; once it is finished, nobody does."""
    clock = FixedClock(dt.datetime(2026, 11, 19, 17, 40, tzinfo=dt.UTC))  # 01:40 in Shanghai
    with store.writing() as tx:
        assert runs.claim_slot(tx, "nightly", "2026-11-20", "another-host:1:abc", clock.now())
        runs.acquire(tx, "run", "", "another-host:1:abc", clock.now(), 60)
    assert make_up(store, config, default_policy(), FixedClock(clock.now())) is not None, (
        "waits until the lease is dead"
    )
    assert make_up(store, config, default_policy(), clock) is None
    assert once(store, config, default_policy(), clock, "nightly", "2026-11-20") is None, "finished is finished"


def test_a_night_killed_in_a_process_of_its_own_is_done_by_the_next(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock(NOW)
    url = store.engine.url.render_as_string(hide_password=False)
    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr("jobs.scheduler.work", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        with contextlib.suppress(BaseException):
            once(Store.open(url), config, default_policy(), clock, "nightly", "2026-11-20")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    with store.reading() as tx:
        assert runs.is_unfinished(tx, "nightly", "2026-11-20")
    done = make_up(store, config, default_policy(), clock)
    assert done is not None
    assert [r.job for r in done] == ["pull", "link", "dun", "evaluate", "review", "limit", "housekeeping"]
    assert clock.now() == NOW, "a dead process of this host is not waited for"
    assert make_up(store, config, default_policy(), clock) is None


def test_of_three_nodes_one_does_a_slot(store: Store, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []
    failed: list[BaseException] = []
    monkeypatch.setattr("jobs.scheduler.work", lambda *_, **__: worked.append("once") or [])

    def node(seconds: int) -> None:
        clock = FixedClock(NOW + dt.timedelta(seconds=seconds))
        try:
            once(store, config, default_policy(), clock, "regular", slot_of(clock.now(), 15))
        except BaseException as wrong:
            failed.append(wrong)

    threads = [threading.Thread(target=node, args=(n,)) for n in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert worked == ["once"]


def test_what_fails_by_a_fault_of_ours_is_not_done_again_and_again(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[Run]:
        raise ZeroDivisionError

    monkeypatch.setattr("jobs.scheduler.work", broken)
    clock = FixedClock(NOW)
    with pytest.raises(ZeroDivisionError):
        once(store, config, default_policy(), clock, "nightly", "2026-11-20")
    assert once(store, config, default_policy(), clock, "nightly", "2026-11-20") is None


def test_a_busy_moment_does_not_use_up_the_night(store: Store, config: Config) -> None:
    """Another node is at work when the night begins: the nightly run waits for it, a regular one leaves it to the next."""
    clock = FixedClock(NOW)
    with store.writing() as tx:
        runs.acquire(tx, "run", "", "another-host:1:abc", NOW, 90)
    assert once(store, config, default_policy(), clock, "regular", "2026-11-20T09:00+00:00") is None
    done = once(store, config, default_policy(), clock, "nightly", "2026-11-20")
    assert done is not None
    assert [r.job for r in done] == ["pull", "link", "dun", "evaluate", "review", "limit", "housekeeping"]
    assert clock.now() > NOW + dt.timedelta(seconds=90)
    assert once(store, config, default_policy(), clock, "nightly", "2026-11-20") is None, "once a day"
    assert once(store, config, default_policy(), clock, "regular", "2026-11-20T09:00+00:00") is not None
