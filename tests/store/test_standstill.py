"""A standstill ends with whatever anybody else commits, in any table, and with nothing that the looker does himself."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store import audit, marks, seats
from connector.store.audit import Entry
from connector.store.db import Store
from connector.store.standstill import Snapshot, Standstill

NOW = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)


@pytest.fixture
def seat(store: Store) -> Iterator[Store]:
    found = store.seat()
    yield found
    found.close()


def wrote(store: Store) -> None:
    with store.writing() as tx:
        audit.append(tx, [Entry("test.wrote", "test:1", "person:x")], NOW)


def look(still: Standstill, seat: Store, *, write: bool = True) -> bool:
    """One transaction of the looker, who writes himself after he has looked."""
    with seat.writing() if write else seat.reading() as tx:
        found = not still.news(tx).happened
        if write:
            marks.touch(tx, [1])
    return found


def test_lasts_while_only_the_looker_writes(store: Store, seat: Store) -> None:
    still = Standstill()
    assert not look(still, seat), "nothing is known the first time"
    assert look(still, seat)
    assert [look(still, seat, write=write) for write in (False, True, True)] == [True] * 3

    def rolled_back() -> None:
        with contextlib.suppress(ZeroDivisionError), seat.writing() as tx:
            still.news(tx)
            marks.touch(tx, [2])
            raise ZeroDivisionError

    def read() -> None:
        with store.reading() as tx:
            marks.upto(tx)

    for harmless in (rolled_back, read):
        harmless()
        assert look(still, seat), harmless.__name__


@pytest.mark.parametrize("writes", [True, False])
def test_ends_with_whatever_somebody_else_commits(store: Store, seat: Store, writes: bool) -> None:
    still = Standstill()
    look(still, seat)
    wrote(store)
    assert not look(still, seat, write=writes)
    assert look(still, seat, write=writes), "it is known now"
    other = Store.open(store.engine.url.render_as_string(hide_password=False))
    wrote(other)
    other.close()
    assert not look(still, seat, write=writes)


def test_what_is_still_going_on_counts_once_it_is_committed(store: Store, seat: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    still = Standstill()
    look(still, seat, write=False)
    with store.writing() as tx:
        marks.touch(tx, [7])
        assert look(still, seat, write=False), "nobody can see it yet"
    with seat.reading() as mine:
        assert still.news(mine).happened


def test_another_connection_knows_nothing(store: Store) -> None:
    still = Standstill()
    with store.reading() as tx:
        still.news(tx)
        with store.reading() as other:
            assert still.news(other).happened


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=40), st.integers(1, 3))
def test_a_snapshot_tells_exactly_what_was_committed_since(steps: list[tuple[bool, int]], looks: int) -> None:
    """A model: transactions begin and end in any order; each look must tell those that ended since the look before."""
    high, running, over = 3, set[int](), {1, 2}
    before, seen = Snapshot(3, 3, frozenset()), set(over)
    for at, (begins, which) in enumerate(steps):
        if begins or not running:
            running.add(high)
            high += 1
        else:
            ended = sorted(running)[which % len(running)]
            running.discard(ended)
            over.add(ended)
        if at % looks == 0:
            now = Snapshot.of(f"{min([*running, high])}:{high}:{','.join(map(str, sorted(running)))}")
            assert now.since(before) == over - seen
            before, seen = now, set(over)


def test_a_seat_finds_a_server_again_that_was_away(store: Store, seat: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("a file is no server")
    monkeypatch.setattr(seats, "_ALONE_SECONDS", 0.0)
    with seat.reading() as tx:
        own = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with store.writing() as tx:
        tx.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
    still = Standstill()
    assert not look(still, seat)
    assert look(still, seat)
