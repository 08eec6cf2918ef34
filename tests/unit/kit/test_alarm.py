"""Alarms: each rings once when its time is up, none before, and none that was put off."""

from __future__ import annotations

import os
import threading
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http_alarm import ALARMS, Alarms

LONG = 3600.0


def test_it_rings_once_when_time_is_up_and_not_before() -> None:
    rung = threading.Semaphore(0)
    began = time.monotonic()
    Alarms().set(0.05, rung.release)
    assert rung.acquire(timeout=10)
    assert time.monotonic() - began >= 0.05
    assert not rung.acquire(timeout=0.1)


def test_one_that_is_set_later_for_an_earlier_time_does_not_wait_for_the_first() -> None:
    alarms, rung = Alarms(), threading.Event()
    alarms.set(LONG, lambda: None)
    time.sleep(0.05)  # the thread waits for the first one by now
    alarms.set(0.01, rung.set)
    assert rung.wait(10)


def test_what_was_put_off_does_not_ring_and_the_next_one_does() -> None:
    alarms, rung, wrong = Alarms(), threading.Event(), threading.Event()
    alarms.set(0.05, wrong.set).off()
    alarms.set(0.1, rung.set)
    assert rung.wait(10)
    assert not wrong.is_set()


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30))
def test_those_that_are_due_ring_and_no_other(wanted: list[tuple[int, bool]]) -> None:
    alarms, rung, last = Alarms(), list[tuple[int, int]](), threading.Event()
    for number, (milliseconds, is_off) in enumerate(wanted):
        # They are all set before the first is due.
        made = alarms.set(0.02 + milliseconds / 1000, lambda at=(milliseconds, number): rung.append(at))  # type: ignore[misc]
        if is_off:
            made.off()
    alarms.set(0.06, last.set)
    assert last.wait(10)
    assert sorted(rung) == sorted((when, at) for at, (when, is_off) in enumerate(wanted) if not is_off)


def test_those_that_were_put_off_do_not_heap_up() -> None:
    alarms = Alarms()
    for _ in range(10_000):
        alarms.set(LONG, lambda: None).off()
    assert len(alarms) < 1_000


def test_one_that_fails_does_not_keep_the_next_from_ringing(caplog: pytest.LogCaptureFixture) -> None:
    alarms, rung = Alarms(), threading.Event()

    def fails() -> None:
        raise TypeError("no socket of ours")

    alarms.set(0.01, fails)
    alarms.set(0.05, rung.set)
    assert rung.wait(10)
    assert "could not ring" in caplog.text


def test_where_no_thread_can_be_had_the_next_call_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms, rung = Alarms(), threading.Event()

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError):
            alarms.set(LONG, rung.set)
    alarms.set(0.01, rung.set)
    assert rung.wait(10)


def test_what_was_put_off_keeps_nothing() -> None:
    class Socket:
        def cut(self) -> None: ...

    alarms, one = Alarms(), Socket()
    alarms.set(LONG, one.cut).off()
    gone = weakref.ref(one)
    del one
    assert gone() is None


def test_thousands_share_one_thread() -> None:
    alarms, rung, before = Alarms(), threading.Semaphore(0), threading.active_count()
    for _ in range(2_000):
        alarms.set(0.05, rung.release)
    assert threading.active_count() <= before + 1
    for _ in range(2_000):
        assert rung.acquire(timeout=10)


def test_a_forked_process_has_alarms_of_its_own() -> None:
    ALARMS.set(LONG, lambda: None).off()
    child = os.fork()
    if not child:
        rung = threading.Event()
        ALARMS.set(0.01, rung.set)
        os._exit(0 if rung.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
