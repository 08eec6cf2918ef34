"""A terse connection says in one message what it says, and the server does the same as for a wordy one."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from connector.store import quick
from connector.store.db import Store, in_trouble
from tests.store.test_aside import backend, ended

ISOLATION = "SELECT current_setting('transaction_isolation')"
PUT = "INSERT INTO terse_test (number, said, at) SELECT $1::int, $2, $3::timestamp WHERE $1::int > 0"
AT = dt.datetime(2026, 11, 27, 18, 15, 0, 250, tzinfo=dt.UTC).replace(tzinfo=None)


@pytest.fixture(scope="module")
def table(pg_store: Store) -> Iterator[Store]:
    """A table of one's own, in which no number comes twice; that is looked at when a transaction is committed."""
    with pg_store.writing() as tx:
        tx.exec_driver_sql(
            "CREATE TABLE terse_test (number int UNIQUE DEFERRABLE INITIALLY DEFERRED, said text, at timestamp)"
        )
    yield pg_store
    with pg_store.writing() as tx:
        tx.exec_driver_sql("DROP TABLE terse_test")


@pytest.fixture
def seat(table: Store) -> Iterator[Store]:
    """A seat that has been connected, and an empty table."""
    with table.writing() as tx:
        tx.exec_driver_sql("DELETE FROM terse_test")
    found = table.seat()
    backend(found)
    yield found
    found.close()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One for each time that a connection of a seat waits for the server."""
    from connector.store.aside import Patient

    waited: list[object] = []
    usual = Patient.wait

    def watched(gen: Any) -> Any:
        try:
            wanted = next(gen)
            waited.append(gen)
            while True:
                wanted = gen.send((yield wanted))
        except StopIteration as end:
            return end.value

    def counted(self: Any, gen: Any, *args: Any, **more: Any) -> Any:
        return usual(self, watched(gen), *args, **more)

    monkeypatch.setattr(Patient, "wait", counted)
    return waited


def standing(store: Store) -> list[tuple[Any, ...]]:
    with store.reading() as tx:
        return [tuple(row) for row in tx.exec_driver_sql("SELECT number, said, at FROM terse_test ORDER BY number")]


def put(tx: Connection, number: int | str, said: str = "") -> int:
    return quick.tell(tx, PUT, (number, said, AT), ends=True)


def opened(tx: Connection, question: str = "SELECT 'well'") -> None:
    assert quick.opening(tx, question) == "well"


def done(seat: Store, *steps: Callable[[Connection], object]) -> None:
    """Steps in one transaction."""
    with seat.writing() as tx:
        for step in steps:
            step(tx)


def test_a_transaction_takes_two_messages(table: Store, seat: Store, messages: list[object]) -> None:
    def whole(number: int) -> int:
        messages.clear()
        with seat.engine.begin() as tx:
            opened(tx)
            assert put(tx, number) == 1
        return len(messages)

    assert [whole(1), whole(2), whole(3)] == [3, 2, 2], "the server is told the statement once"
    assert [row[0] for row in standing(table)] == [1, 2, 3]


def test_a_transaction_is_begun_once_and_as_it_is_to_be(seat: Store) -> None:
    with seat.reading() as tx:
        first = quick.opening(tx, "SELECT pg_current_snapshot()::text")
        assert quick.opening(tx, ISOLATION) == "repeatable read"
        backend(other := seat.seat())
        with other.writing() as wrote:
            wrote.exec_driver_sql("INSERT INTO terse_test VALUES (7)")
        other.close()
        assert quick.opening(tx, "SELECT pg_current_snapshot()::text") == first
    with seat.writing() as tx:
        assert quick.opening(tx, ISOLATION) == "read committed"


def test_other_connections_say_the_same_in_more_messages(table: Store, seat: Store) -> None:
    with table.reading() as tx:
        assert quick.opening(tx, ISOLATION) == "repeatable read"
    with contextlib.suppress(ZeroDivisionError), table.writing() as tx:
        assert put(tx, 1) == 1
        raise ZeroDivisionError
    assert standing(table) == [], "they are committed at the end only"


def test_how_many_rows_were_written_is_told_and_what_follows_is_another_transaction(table: Store, seat: Store) -> None:
    with contextlib.suppress(ZeroDivisionError), seat.writing() as tx:
        assert put(tx, 0) == 0
        assert put(tx, 1) == 1
        tx.exec_driver_sql("INSERT INTO terse_test VALUES (2)")
        raise ZeroDivisionError
    assert [row[0] for row in standing(table)] == [1]


@given(said=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(max_examples=60, deadline=None)
def test_any_words_come_as_they_are(table: Store, said: str) -> None:
    place = table.seat()
    with table.writing() as tx:
        tx.exec_driver_sql("DELETE FROM terse_test")
    with place.writing() as tx:
        put(tx, 1, said)
    place.close()
    assert standing(table) == [(1, said, AT)]


def test_where_it_fails_nothing_is_committed_and_the_seat_is_good_afterwards(table: Store, seat: Store) -> None:
    import psycopg

    with seat.writing() as tx:
        put(tx, 1, "kept")
    with seat.writing() as tx:
        # (The driver lets the server forget what it has been told, where the driver itself has told it something.)
        for _ in range(10):
            tx.exec_driver_sql("SELECT count(*) FROM terse_test").scalar()

    def inserted(tx: Connection) -> None:
        tx.exec_driver_sql("INSERT INTO terse_test VALUES (5)")

    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        done(seat, opened, inserted, lambda tx: put(tx, "no number"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        done(seat, inserted, lambda tx: opened(tx, "SELECT (1 / 0)::text"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        done(seat, opened, inserted, lambda tx: put(tx, 1, "refused only when it is committed"))
    assert [row[:2] for row in standing(table)] == [(1, "kept")]
    done(seat, opened, lambda tx: put(tx, 2))
    assert [row[0] for row in standing(table)] == [1, 2]


@pytest.mark.parametrize("last", [False, True], ids=["begins", "ends"])
def test_a_connection_that_was_lost_is_the_trouble_of_the_database(table: Store, seat: Store, last: bool) -> None:
    import psycopg

    with seat.writing() as tx:
        put(tx, 1)
    before = backend(seat)

    def lost(_: Connection) -> None:
        ended(table, before)

    steps: list[Callable[[Connection], object]] = [opened, lost, lambda tx: put(tx, 2)] if last else [lost, opened]

    with pytest.raises((psycopg.OperationalError, OperationalError)) as wrong:
        done(seat, *steps)
    assert in_trouble(wrong.value)
    with seat.writing() as tx:
        put(tx, 3)
    assert [row[0] for row in standing(table)] == [1, 3]
    assert backend(seat) != before
