"""Room for a job queue of somebody else's (Procrastinate) beside our tables: a PostgreSQL schema of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, make_url

from connector.errors import ConfigError
from connector.text import Text

SCHEMA = "procrastinate"


def conninfo(url: str) -> str:
    """The store's URL as PostgreSQL's own programs write it. ConfigError where it is no PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ConfigError(
            Text(
                "Procrastinate needs PostgreSQL, and [store] url names {kind}. Without it: holdfast serve.",
                "Procrastinate 须使用 PostgreSQL，而 [store] url 指向 {kind}。不使用时请执行：holdfast serve。",
            ).fill(kind=parsed.get_backend_name())
        )
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def room(engine: Engine) -> Iterator[bool]:
    """The schema, made where it is not there; whether the queue's own tables are still to be made in it. Of several
    processes that begin at the same time each has its turn."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('holdfast queue'))")
        try:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            asked = f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')"
            yield connection.exec_driver_sql(asked).scalar() is None
        finally:
            connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('holdfast queue'))")
