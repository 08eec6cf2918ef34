"""Seats: how the one connection of a seat (`Store.seat`) is looked after, by whoever comes again and again."""

from __future__ import annotations

import sqlite3
import sys
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

# Loops of Windows do not watch sockets of others.
MAY_BE_ASIDE = sys.platform != "win32"
# A server that answered so short a time ago is there.
_ALONE_SECONDS = 1.0


def looked_after(engine: Engine) -> None:
    """A server is asked whether it is there only where nobody has spoken with it for a while; the log of a file is left to
    `Homeward`."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _never_home)
        return
    failed = engine.dialect.dbapi.Error  # type: ignore[union-attr]

    def came_back(_connection: Any, entry: Any) -> None:
        entry.info["since"] = time.monotonic()

    def is_there(connection: Any, entry: Any, _fairy: Any) -> None:
        since = entry.info.get("since")
        if since is None or time.monotonic() - since < _ALONE_SECONDS:
            return
        try:
            connection.execute("SELECT 1").close()
            connection.rollback()
        except failed as wrong:
            raise DisconnectionError from wrong  # the pool opens another one

    event.listen(engine, "do_connect", _patient)
    event.listen(engine, "connect", _planned_once)
    event.listen(engine, "checkin", came_back)
    event.listen(engine, "checkout", is_there)


class Unconnected(Exception):
    """There is no connection, and none is made aside: that may take long."""


def _patient(_dialect: Any, _entry: Any, args: Any, more: Any) -> Any:
    from connector.store.aside import Patient, is_aside

    if is_aside():
        raise Unconnected
    return Patient.connect(*args, **more)


def _planned_once(connection: Any, _entry: Any) -> None:
    # The same small questions come again and again: to plan one takes ten times as long as to answer it.
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
    connection.commit()


def _never_home(connection: sqlite3.Connection, _entry: Any) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 0").close()
