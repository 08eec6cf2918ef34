"""The inbox of webhooks on both databases: each event once, due, taken, put off, heeded, told again, forgotten."""

from __future__ import annotations

import datetime as dt
import threading

from connector.clock import FixedClock
from connector.hook import Event
from connector.store import inbox
from connector.store.db import Store

NOW = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
TWO = {"crm": dt.timedelta(seconds=2)}


def event(number: int, *streams: str) -> Event:
    return Event(f"e{number}", streams or ("accounts",), f"K{number}", "update", NOW)


def test_the_same_event_is_kept_once(store: Store) -> None:
    with store.writing() as tx:
        assert inbox.store(tx, "crm", [event(1), event(2), event(1)], NOW) == 2
    with store.writing() as tx:
        assert inbox.store(tx, "crm", [event(2), event(3)], NOW) == 1
        assert inbox.store(tx, "erp", [event(1)], NOW) == 1, "ids of another system are its own"
        assert inbox.store(tx, "crm", [], NOW) == 0
    with store.reading() as tx:
        assert [(e.system, e.event) for e in inbox.events(tx)] == [
            ("erp", "e1"), ("crm", "e3"), ("crm", "e2"), ("crm", "e1"),
        ]  # fmt: skip
        (first,) = inbox.events(tx, system="erp")
    assert (first.streams, first.key, first.kind, first.said_at, first.arrived_at) == (
        ("accounts",), "K1", "update", NOW, NOW,
    )  # fmt: skip


def test_two_at_once_keep_one(store: Store) -> None:
    with store.writing() as tx:
        inbox.store(tx, "crm", [event(0)], NOW)  # the system is known
    together, new = threading.Barrier(4), []

    def keep() -> None:
        together.wait()
        with store.writing() as tx:
            new.append(inbox.store(tx, "crm", [event(n) for n in range(1, 6)], NOW))

    threads = [threading.Thread(target=keep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 5
    with store.reading() as tx:
        assert len(inbox.events(tx, system="crm")) == 6


def test_an_event_is_due_taken_put_off_and_heeded(store: Store) -> None:
    clock = FixedClock(NOW)
    with store.writing() as tx:
        assert inbox.due(tx, NOW, TWO) == []
        assert inbox.due_at(tx, NOW, TWO) is None
        assert not inbox.waiting(tx)
        inbox.store(tx, "crm", [event(1), event(2)], NOW)
        assert inbox.due(tx, NOW, TWO) == ["crm"]
        assert inbox.due(tx, NOW, {"erp": TWO["crm"]}) == [], "who may not call any more is not heeded"
        assert inbox.waiting(tx)
        taken = inbox.take(tx, "crm", NOW)
        assert [e.event for e in taken] == ["e1", "e2"]
        assert inbox.take(tx, "crm", NOW) == [], "somebody is at work on them"
        assert inbox.due(tx, NOW, TWO) == []
        assert inbox.due_at(tx, NOW, TWO) == NOW + dt.timedelta(seconds=30)
    clock.sleep(30)
    with store.writing() as tx:
        assert inbox.due(tx, clock.now(), TWO) == ["crm"], "whoever was at work has died"
        again = inbox.take(tx, "crm", clock.now())
        assert [e.attempts for e in again] == [1, 1]
        assert inbox.due_at(tx, clock.now(), TWO) == clock.now() + dt.timedelta(seconds=60), "each time twice as long"
        assert inbox.heed(tx, [again[0].id], clock.now()) == 1
        assert inbox.heed(tx, [again[0].id], clock.now()) == 0
        inbox.store(tx, "crm", [event(3)], clock.now())
        assert inbox.due(tx, clock.now(), TWO) == [], "it was heeded just now"
        later = clock.now() + dt.timedelta(seconds=2)
        assert inbox.due_at(tx, clock.now(), TWO) == later
        assert inbox.due(tx, later, TWO) == ["crm"]
        tally = inbox.tallies(tx)["crm"]
        assert (tally.unheeded, tally.oldest, tally.newest) == (2, NOW, clock.now())
        assert inbox.again(tx, [again[0].id, 999]) == 1
        assert inbox.tallies(tx)["crm"].unheeded == 3
        inbox.heed(tx, [again[0].id], clock.now())
        assert inbox.expire(tx, clock.now()) == 0
        assert inbox.expire(tx, clock.now() + dt.timedelta(seconds=1)) == 1
