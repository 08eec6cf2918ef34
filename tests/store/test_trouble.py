"""Which errors say that the database is in trouble, so that the same may succeed later."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError

from connector.errors import ConfigError
from connector.store import bulk
from connector.store.db import Store, in_trouble, is_away
from tests.jobs.private_pg import private_postgres
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


def test_who_answers_and_refuses_is_not_waited_for_and_who_is_not_there_is() -> None:
    with private_postgres() as server:
        opened = make_url(server.url)
        with psycopg.connect(server.url, autocommit=True) as admin:
            for name in ("barred", "guarded"):
                admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
        rules = server.folder / "pg_hba.conf"
        rules.write_text(f"local all barred reject\nlocal all guarded scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("SELECT pg_reload_conf()")
        refused = [
            opened.set(database="nowhere"),
            opened.set(username="nobody"),
            opened.set(username="guarded"),
            opened.set(username="guarded", password="wrong"),
            opened.set(username="barred", password="right"),
        ]
        assert [_opening(url) for url in refused] == [False] * len(refused)
        server.kill()
        assert _opening(opened)


def _opening(url: URL) -> bool:
    """Whether a database that cannot be opened is said to be away."""
    with pytest.raises(ConfigError) as closed:
        Store.open(url.render_as_string(hide_password=False))
    return is_away(closed.value)
