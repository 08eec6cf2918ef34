"""Which errors say that the database is in trouble, so that the same may succeed later."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from connector.store import bulk
from connector.store.db import Store, in_trouble
from tests.store.conftest import store as store


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (OperationalError("x", {}, Exception()), True),
        (IntegrityError("x", {}, Exception()), False),
        # What quick statements raise comes from the driver as it is.
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), False),
        (psycopg.OperationalError("server closed the connection"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.InterfaceError("the connection is closed"), True),
        (psycopg.errors.UniqueViolation("duplicate key"), False),
        (ValueError("OperationalError"), False),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}" if isinstance(value, Exception) else None,
)
def test_trouble_is_told_from_mistakes(wrong: Exception, expected: bool) -> None:
    assert in_trouble(wrong) is expected


def test_a_connection_that_is_killed_is_trouble_and_the_next_one_works(store: Store) -> None:
    if store.has_turns:
        pytest.skip("an SQLite file has no server that could end a connection")
    with pytest.raises((psycopg.OperationalError, OperationalError)) as raised, store.writing() as tx:  # noqa: PT012 - what ends it is in it
        number = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with store.writing() as other:
            other.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        bulk.one(tx, "SELECT ?", (1,))
    assert in_trouble(raised.value)
    with store.writing() as tx:
        assert bulk.one(tx, "SELECT ? + 1", (1,)) == 2
