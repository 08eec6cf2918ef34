"""The schedule: a slot is done once however many nodes are up, a dead node's lease is not waited for, and what waits is
worked on at the next look."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy.exc

from connector.clock import FixedClock
from connector.config import Config, parse
from connector.errors import ConfigError, TransientError
from connector.policy import default_policy
from connector.store import customers, marks, runs
from connector.store.attention import Waiting, waiting
from connector.store.db import Store
from connector.store.keys import system_id
from connector.store.leases import Stopped
from jobs import night
from jobs.named import act_of, names
from jobs.night import holder, is_dead, lease, work
from jobs.run import Run, running
from jobs.scheduler import Worker, timed_jobs
from jobs.shift import Shift, WakefulClock
from jobs.slots import once, slot_named, slot_of
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


def do(store: Store, config: Config, clock: FixedClock, job: str, slot: str) -> list[str] | None:
    """One slot of a job, as a command or an engine asks for it; the names of the runs it took, or None."""
    act = act_of(job, config)
    done = once(store, clock, job, slot, lambda held: act(held, Shift(config, clock, default_policy())))
    return None if done is None else [run.job for run in done]


NIGHT = ["pull", "link", "dun", "evaluate", "review", "limit", "housekeeping"]


def test_nodes_with_clocks_that_differ_by_seconds_agree_on_the_slot() -> None:
    slots = {slot_of(NOW + dt.timedelta(seconds=s), 15 * 60) for s in (-2, 0, 2)}
    assert slots == {"2026-11-20T09:00+00:00"}
    assert slot_of(NOW + dt.timedelta(minutes=8), 15 * 60) == "2026-11-20T09:15+00:00"
    assert slot_of(NOW, 5) == "2026-11-20T09:07:30+00:00"


@pytest.mark.parametrize(
    ("given", "slot"),
    [
        ("2026-11-20T09:15:00Z", "2026-11-20T09:15+00:00"),  # Airflow's and Temporal's way of writing a moment
        ("2026-11-20T17:15:00+08:00", "2026-11-20T09:15+00:00"),
        ("2026-11-20T17:15", "2026-11-20T09:15+00:00"),  # without a zone: the business's
        ("2026-11-20T09:15:05Z", "2026-11-20T09:15:05+00:00"),
        ("2026-11-20", "2026-11-20"),
        ("manual-7", "manual-7"),
    ],
)
def test_a_slot_has_one_name_however_it_is_written(given: str, slot: str) -> None:
    assert slot_named(given, "Asia/Shanghai") == slot


def test_a_slot_is_done_once(store: Store, config: Config) -> None:
    clock = FixedClock(NOW)
    assert do(store, config, clock, "regular", "2026-11-20T09:00+00:00") == ["pull", "link", "evaluate"]
    assert do(store, config, clock, "regular", "2026-11-20T09:00+00:00") is None
    assert do(store, config, clock, "regular", "2026-11-20T09:15+00:00") is not None


def test_a_job_that_does_not_exist_is_answered_with_the_nearest(config: Config) -> None:
    with pytest.raises(ConfigError, match="Did you mean “push:books”"):
        act_of("push:book", config)
    assert {"regular", "nightly", "orders", "hooks", "pull:books", "push:books", "dun"} <= set(names(config))


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
    host = holder().split(":")[0]
    assert host.startswith(socket.gethostname())
    dead = f"{host}:{pid}:abc"
    assert is_dead(dead)
    assert not is_dead(f"{host}:{os.getppid()}:abc"), "another process that lives"
    assert not is_dead(f"another-host:{pid}:abc"), "of another host nothing is known"
    assert not is_dead(f"{host}x:{pid}:abc"), "nor of another container, which counts its processes by itself"
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


def test_a_lease_that_was_left_behind_by_a_lost_connection_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away while the lease was to be given back: this very process knows that nobody is at work."""
    with monkeypatch.context() as broken, lease(store, FixedClock(NOW), "run"):
        broken.setattr("jobs.night.runs.release", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    with store.reading() as tx:
        assert runs.holder_of(tx, "run") is not None, "it could not be given back"
    with lease(store, FixedClock(NOW), "run"):
        pass
    with lease(store, FixedClock(NOW), "run"), pytest.raises(TransientError), lease(store, FixedClock(NOW), "run"):
        raise AssertionError("a lease of this process that is in use is no dead one")


def test_whose_time_is_over_is_told_by_the_databases_clock(store: Store) -> None:
    """A node whose clock is an hour ahead does not take a living node's lease, and one that is behind does not lose it."""

    class Ahead(WakefulClock):
        def now(self) -> dt.datetime:
            return super().now() + dt.timedelta(hours=1)

    clock = WakefulClock(threading.Event())
    with store.writing() as tx:
        assert runs.acquire(tx, "run", "", "another-host:1:abc", None, 60) is not None
    with pytest.raises(TransientError), lease(store, Ahead(threading.Event()), "run"):
        raise AssertionError("never comes so far")
    with store.writing() as tx:
        assert runs.heartbeat(tx, "run", "", "another-host:1:abc", None, -1), "its time is over"
    with lease(store, clock, "run"):
        pass


def somebody_waits(store: Store) -> bool:
    """Whether the database itself says so: on SQLite somebody waits to write, on PostgreSQL for a lock."""
    with store.reading() as tx:
        if tx.dialect.name == "sqlite":
            return store.is_awaited()
        asked = "datname = current_database() AND wait_event_type = 'Lock'"
        return tx.exec_driver_sql(f"SELECT count(*) FROM pg_stat_activity WHERE {asked}").scalar_one() > 0


def test_a_long_transaction_of_the_holder_costs_no_lease(store: Store) -> None:
    """Its time runs out in the middle of a transaction, and no beat has come: whoever would take it over waits for the
    end of that transaction, and finds the lease extended."""
    clock, said = FixedClock(NOW), list[str]()

    def other() -> None:
        try:
            with lease(store, clock, "run"):
                said.append("taken")
        except TransientError:
            said.append("refused")

    with lease(store, clock, "run") as held:
        for turn in (1, 2):
            thread = threading.Thread(target=other)
            with held.writing():
                clock.sleep(night.LEASE_SECONDS + 1)
                thread.start()
                while not somebody_waits(store) and thread.is_alive():
                    time.sleep(0.01)
                assert len(said) < turn, "it waits"
            thread.join(30)
            held.prove()
    assert said == ["refused", "refused"]


def ends(act: Callable[[], object]) -> bool:
    """Whether something comes to its end, where a fault would let it wait for what ends after it."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)  # in a file nobody writes beside another
def test_a_beat_waits_for_no_transaction_of_the_holder(store: Store) -> None:
    """Nor for transactions of several threads, of which one always begins before another has ended; who would take the
    lease over does."""
    clock, other = FixedClock(NOW), "another-host:1:abc"

    def take(patience: str) -> None:
        with store.writing() as tx:
            tx.exec_driver_sql(f"SET LOCAL lock_timeout = '{patience}'")
            assert runs.acquire(tx, "run", "", other, NOW + dt.timedelta(hours=1), 60) is not None

    with lease(store, clock, "run") as held:
        with held.writing():
            for _ in range(3):
                clock.sleep(20)
                with held.writing():
                    assert ends(held.beat)
                    with store.reading() as tx:
                        found = runs.holder_of(tx, "run")
                    assert found is not None
                    assert found[1] == clock.now() + dt.timedelta(seconds=night.LEASE_SECONDS)
                with pytest.raises(sqlalchemy.exc.OperationalError):
                    take("50ms")
        take("20s")
        with pytest.raises(runs.LeaseLost), held.writing():
            raise AssertionError("never comes so far")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_transaction_that_extends_its_lease_waits_for_no_beat(store: Store) -> None:
    """Somebody who would take the lease over may stand between the two: each would wait for the other."""
    clock = FixedClock(NOW)
    with lease(store, clock, "run") as held:

        def long() -> None:
            with held.writing():
                clock.sleep(night.LEASE_SECONDS + 1)

        with store.writing() as tx:
            assert held.term is not None
            assert runs.heartbeat(tx, "run", "", held.term.holder, NOW, 60), "a beat that has not ended yet"
            assert ends(long)
        held.prove()


def test_a_job_ends_at_its_next_safe_place_when_the_process_is_to_end(store: Store, config: Config) -> None:
    stop, clock = threading.Event(), FixedClock(NOW)
    done: list[str] = []

    def told(run: Run) -> None:
        done.append(run.job)
        stop.set()

    act = act_of("regular", config)
    shift = Shift(config, clock, default_policy(), told=told, stop=stop)
    with pytest.raises(Stopped) as stopped:
        once(store, clock, "regular", "x", lambda held: act(held, shift), stop.is_set)
    assert done == ["pull"]
    assert stopped.value.user.en == (
        "“run” was stopped because the process is to end. What it had done stays done; the next run goes on."
    )
    with store.reading() as tx:
        assert runs.is_unfinished(tx, "regular", "x")
        assert runs.holder_of(tx, "run") is None, "the lease is given back"
        assert runs.problems(tx) == [], "being stopped is nothing that a person must mend"
    assert do(store, config, clock, "regular", "x") == ["pull", "link", "evaluate"], "done by whoever asks next"


def test_who_sleeps_wakes_when_the_process_is_to_end() -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        WakefulClock(stop).sleep(600)


# --- the worker of a node --------------------------------------------------------------------------------------------
@dataclass
class Node:
    """A worker on a clock that is moved by hand, and what it has done."""

    worker: Worker
    clock: FixedClock
    done: list[str]

    def look(self, at: dt.datetime | None = None) -> list[str]:
        """Moves the clock, lets the worker look once, and tells the slots that were done since."""
        if at is not None:
            self.clock.at = at
        self.worker.tick()
        found, self.done[:] = list(self.done), []
        return found


@pytest.fixture
def node(store: Store, config: Config, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Node]:
    """Nodes whose jobs only note that they were done."""

    def made(at: dt.datetime = NOW, fails: Callable[[str, str], None] = lambda job, slot: None) -> Node:
        done: list[str] = []

        def noted(
            held: Store, clock: FixedClock, job: str, slot: str, act: object, stopping: object
        ) -> list[Run] | None:
            def note(_held: Store) -> list[Run]:
                fails(job, slot)
                done.append(f"{job} {slot}")
                return []

            return once(held, clock, job, slot, note)

        monkeypatch.setattr("jobs.scheduler.once", noted)
        clock = FixedClock(at)
        worker = Worker(store, Shift(config, clock, default_policy()))
        worker.begin()
        return Node(worker, clock, done)

    return made


def test_a_node_works_at_once_and_then_by_the_schedule(node: Callable[..., Node]) -> None:
    one = node()
    assert one.look() == ["regular 2026-11-20T09:00+00:00"]
    assert one.look() == []
    assert one.look(NOW + dt.timedelta(seconds=30)) == ["orders 2026-11-20T09:08+00:00"]
    assert one.look(NOW.replace(minute=14, second=59)) == ["orders 2026-11-20T09:14+00:00"], "what was missed is one"
    assert one.look(NOW.replace(minute=15, second=0)) == [
        "regular 2026-11-20T09:15+00:00",
        "orders 2026-11-20T09:15+00:00",
    ]
    assert one.look(NOW.replace(hour=17, minute=31)) == [
        "nightly 2026-11-21",  # 01:30 in Shanghai
        "regular 2026-11-20T17:30+00:00",
        "orders 2026-11-20T17:31+00:00",
    ]


def test_two_nodes_with_clocks_two_seconds_apart_do_each_slot_once(node: Callable[..., Node]) -> None:
    slow, quick = node(NOW), node(NOW + dt.timedelta(seconds=2))
    done: list[str] = []
    for second in range(0, 1900, 11):
        done += slow.look(NOW + dt.timedelta(seconds=second))
        done += quick.look(NOW + dt.timedelta(seconds=second + 2))
    assert len(done) == len(set(done)), "no slot twice"
    assert sorted(s for s in done if s.startswith("regular")) == [
        f"regular 2026-11-20T09:{minute}+00:00" for minute in ("00", "15", "30")
    ]
    assert len([s for s in done if s.startswith("orders")]) == 32


def test_a_slot_that_could_not_be_done_is_tried_again_until_the_next(node: Callable[..., Node], store: Store) -> None:
    with store.writing() as tx:
        runs.acquire(tx, "run", "", "another-host:1:abc", NOW, 90)
    one = node()
    assert one.look() == [], "another node is at work"
    one.worker._due["regular"] = replace(one.worker._due["regular"], not_before=0)
    assert one.look(NOW + dt.timedelta(seconds=100)) == [
        "regular 2026-11-20T09:00+00:00",
        "orders 2026-11-20T09:09+00:00",
    ]


def test_a_night_that_was_stopped_half_way_or_missed_is_made_up_for(node: Callable[..., Node], store: Store) -> None:
    """Killed after it had claimed its slot, or no node was up when it came: whoever is up next does the night."""
    with store.writing() as tx:
        assert runs.claim_slot(tx, "nightly", "2026-11-20", "another-host:1:abc", NOW)
    assert node().look()[0] == "nightly 2026-11-20"
    assert node().look() == [], "finished is finished"
    later = NOW + dt.timedelta(days=2)
    assert node(later).look()[0] == "nightly 2026-11-22", "no node was up at half past one"
    assert not [s for s in node(later + dt.timedelta(hours=1)).look() if s.startswith("nightly")]


def test_a_new_installation_begins_with_no_night_in_the_day(node: Callable[..., Node]) -> None:
    assert node().look() == ["regular 2026-11-20T09:00+00:00"]


def test_a_lost_database_loses_no_slot(node: Callable[..., Node], store: Store) -> None:
    """It goes away in the middle of a night: the slot is not taken for done, and the node goes on by itself."""
    lost = iter([True, True])

    def fails(job: str, _slot: str) -> None:
        if job == "nightly" and next(lost, False):
            raise sqlalchemy.exc.OperationalError("select 1", {}, OSError("server closed the connection"))

    one = node(NOW.replace(hour=17, minute=29, second=59), fails)
    one.look()
    assert one.look(NOW.replace(hour=17, minute=30)) == []
    assert one.look() == []
    assert one.look()[0] == "nightly 2026-11-21"


def test_a_fault_of_ours_is_not_done_again_and_again(node: Callable[..., Node]) -> None:
    broken = {"regular 2026-11-20T09:00+00:00"}

    def fails(job: str, slot: str) -> None:
        if f"{job} {slot}" in broken:
            raise ZeroDivisionError

    one = node(fails=fails)
    assert one.look() == []
    assert one.look(NOW + dt.timedelta(seconds=30)) == ["orders 2026-11-20T09:08+00:00"]
    assert one.look(NOW.replace(minute=15)) == ["regular 2026-11-20T09:15+00:00", "orders 2026-11-20T09:15+00:00"]


def test_what_waits_is_worked_on_at_the_next_look(store: Store, config: Config) -> None:
    clock, told = FixedClock(NOW), list[str]()
    worker = Worker(store, Shift(config, clock, default_policy(), told=lambda run: told.append(run.job)))
    worker.begin()
    worker.tick()
    told.clear()
    worker.tick()
    assert told == [], "nothing waits"
    with store.writing() as tx:
        (key,) = [row.key for row in customers.customers(tx, systems=["books"])]
        marks.touch(tx, [key])
        assert waiting(tx, NOW).marks > 0
    worker.tick()
    assert told == ["evaluate"]
    with store.reading() as tx:
        assert not waiting(tx, NOW)


def test_what_cannot_be_settled_is_not_tried_every_second(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr("jobs.scheduler.short_round", lambda *_, **__: tried.append("x") or [])
    clock = FixedClock(NOW)
    worker = Worker(store, Shift(config, clock, default_policy()))
    with store.writing() as tx:
        system_id(tx, "books")
        marks.touch(tx, [1])
    for _ in range(5):
        worker._attend()
    assert tried == ["x"]
    with store.writing() as tx:
        marks.touch(tx, [2])
    worker._attend()
    assert tried == ["x", "x"], "something new has come"


def test_a_system_that_is_down_keeps_nobody_else_waiting(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writes are tried less and less often; customers are judged at once all the same, and others written to."""
    asked: list[tuple[frozenset[str], list[str]]] = []
    state = [Waiting(writes=frozenset({"crm"}))]

    def round_of(*_: object, besides: set[str], **__: object) -> list[Run]:
        asked.append((state[0].writes, sorted(besides)))
        return []

    monkeypatch.setattr("jobs.scheduler.short_round", round_of)
    worker = Worker(store, Shift(config, FixedClock(NOW), default_policy()))
    monkeypatch.setattr(worker, "_waiting", lambda: state[0])
    worker._attend()
    worker._attend()
    assert asked == [(frozenset({"crm"}), [])], "not each second"
    state[0] = Waiting(7, frozenset({"crm"}))
    worker._attend()
    assert asked[1:] == [(frozenset({"crm"}), ["crm"])], "what is new is done, without the one that is down"
    state[0] = Waiting(writes=frozenset({"crm", "erp"}))
    worker._attend()
    assert asked[2:] == [(frozenset({"crm", "erp"}), ["crm"])]
    worker._off = {name: replace(pause, until=0) for name, pause in worker._off.items()}
    state[0] = Waiting()
    worker._attend()
    state[0] = Waiting(writes=frozenset({"crm"}))
    worker._attend()
    assert asked[3:] == [(frozenset({"crm"}), [])], "in a while it is tried again"


def test_a_fault_in_what_waits_is_told_and_left_for_a_while(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def broken(*_: object, **__: object) -> list[Run]:
        tried.append("x")
        raise ZeroDivisionError

    monkeypatch.setattr("jobs.scheduler.short_round", broken)
    worker = Worker(store, Shift(config, FixedClock(NOW), default_policy()), by_schedule=False)
    with store.writing() as tx:
        marks.touch(tx, [1])
    for _ in range(3):
        worker.tick()
    assert tried == ["x"]
    with store.writing() as tx:
        marks.touch(tx, [2])
    worker.tick()
    assert tried == ["x", "x"], "something new has come"


def test_a_clock_that_is_set_back_stops_no_job(node: Callable[..., Node]) -> None:
    one = node(NOW.replace(hour=15))
    one.look()
    assert one.look(NOW.replace(hour=15, minute=8)) == ["orders 2026-11-20T15:08+00:00"]
    one.look(NOW)
    assert one.look(NOW.replace(minute=9)) == ["orders 2026-11-20T09:09+00:00"]


def test_summer_time_moves_no_slot() -> None:
    text = '[business]\ntime_zone = "America/New_York"\n[schedule]\nnightly_at = "02:30"\nevery_minutes = 60\n'
    config, problems = parse(text, "config.toml", Path())
    assert config is not None, problems
    nightly, regular = timed_jobs(config)[:2]
    begins, ends = dt.datetime(2026, 3, 7, 12, tzinfo=dt.UTC), dt.datetime(2026, 10, 31, 12, tzinfo=dt.UTC)
    for start in (begins, ends):
        nights, hours, at = list[str](), list[str](), start
        while (at := nightly.next(at)) < start + dt.timedelta(days=3):
            nights.append(nightly.slot(at))
            at += dt.timedelta(seconds=1)
        assert len(nights) == len(set(nights)) == 3, "each night once, also the one with a missing or a doubled hour"
        at = start
        while (at := regular.next(at)) < start + dt.timedelta(days=2):
            hours.append(regular.slot(at))
            at += dt.timedelta(seconds=1)
        assert len(hours) == len(set(hours)) == 48


def test_a_night_killed_in_a_process_of_its_own_is_done_by_the_next(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock(NOW)
    url = store.engine.url.render_as_string(hide_password=False)
    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr("jobs.named.work", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        with contextlib.suppress(BaseException):
            do(Store.open(url), config, clock, "nightly", "2026-11-20")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    with store.reading() as tx:
        assert runs.is_unfinished(tx, "nightly", "2026-11-20")
    assert do(store, config, clock, "nightly", "2026-11-20") == NIGHT
    assert clock.now() == NOW, "a dead process of this host is not waited for"
    assert do(store, config, clock, "nightly", "2026-11-20") is None


def test_of_three_nodes_one_does_a_slot(store: Store, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []
    failed: list[BaseException] = []
    monkeypatch.setattr("jobs.named.work", lambda *_, **__: worked.append("once") or [])

    def node(seconds: int) -> None:
        clock = FixedClock(NOW + dt.timedelta(seconds=seconds))
        while True:
            try:
                do(store, config, clock, "regular", slot_of(clock.now(), 15 * 60))
            except TransientError:
                continue  # another one is at it
            except BaseException as wrong:
                failed.append(wrong)
            return

    threads = [threading.Thread(target=node, args=(n,)) for n in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert worked == ["once"]


def test_what_fails_by_a_fault_of_ours_is_finished(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[Run]:
        raise ZeroDivisionError

    monkeypatch.setattr("jobs.named.work", broken)
    with pytest.raises(ZeroDivisionError):
        do(store, config, FixedClock(NOW), "nightly", "2026-11-20")
    assert do(store, config, FixedClock(NOW), "nightly", "2026-11-20") is None


def test_a_busy_moment_does_not_use_up_the_slot(store: Store, config: Config) -> None:
    clock = FixedClock(NOW)
    with store.writing() as tx:
        runs.acquire(tx, "run", "", "another-host:1:abc", NOW, 90)
    with pytest.raises(TransientError):
        do(store, config, clock, "nightly", "2026-11-20")
    clock.sleep(91)
    assert do(store, config, clock, "nightly", "2026-11-20") == NIGHT
    assert do(store, config, clock, "nightly", "2026-11-20") is None, "once a day"


def test_a_process_that_must_go_gives_its_lease_back_although_somebody_in_it_is_at_work(store: Store) -> None:
    with lease(store, FixedClock(NOW), "run") as held:
        night.abandon()
        with pytest.raises(runs.LeaseLost), held.writing():
            raise AssertionError("he writes nothing more")
        with store.writing() as tx:
            assert runs.acquire(tx, "run", "", "another-host:1:abc", NOW, 60) is not None
    with store.reading() as tx:
        found = runs.holder_of(tx, "run")
        assert found is not None
        assert found[0] == "another-host:1:abc", "what is not ours is not given back"
