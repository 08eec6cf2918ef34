"""The store: one database, SQLite (WAL) beside the configuration by default, PostgreSQL by URL.

`writing()` is one transaction that may write, `reading()` one that sees a single state of the data. SQLite has one
writer at a time: writers of all processes queue at the turnstile. A durable transaction (the default)
survives a power cut; one that only brings what can be pulled or judged again need not.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from connector.errors import ConfigError, TransientError
from connector.money import share_of
from connector.store import audit, concerns, upgrade
from connector.store.concerns import Concern
from connector.store.homeward import Homeward
from connector.store.seats import MAY_BE_ASIDE, looked_after
from connector.store.turnstile import Turnstile
from connector.text import Text

_BUSY_SECONDS = 60.0
_CACHE_KIB = 64 * 1024
_MAPPED_BYTES = 256 * 1024 * 1024
# A server whose machine is gone answers nothing at all: noticed within half a minute, not within hours.
# When SQLite waits for the disk: with each commit, or only when the log is brought home.
_DURABLE, _SOON = "FULL", "NORMAL"
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# A commit brings the log home by itself only where nobody else does (`Homeward`): whoever wants to write waits for that.
_LOG_PAGES = 64_000


@lru_cache(maxsize=16)  # a page stamps all its rows with one moment
def _instant(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


# The driver's own adapters for dates are deprecated; these write what SQLAlchemy's types read.
sqlite3.register_adapter(dt.date, dt.date.isoformat)
sqlite3.register_adapter(dt.datetime, _instant)


class Taken(Exception):
    """Somebody else writes to the SQLite file now, and one did not want to wait."""


class How(TypedDict, total=False):
    """How a transaction is to be: see `Store.writing`."""

    durable: bool
    meanwhile: Callable[[], None] | None
    at_once: bool
    concern: Concern | None


class Store:
    """An open database. Threads may share it; each `writing` or `reading` has a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._writer = Turnstile(engine.url.database or "", _BUSY_SECONDS) if self._sqlite else None
        self._homeward = Homeward(engine.url.database or "", self._turn) if self._sqlite else None

    @classmethod
    def open(cls, url: str) -> Store:
        """Opens a database, making it or bringing its schema up to date first.

        Raises ConfigError where the URL is wrong, the database cannot be reached or is newer than this program.
        """
        engine = _engine(url)
        try:
            # The first connection finds what is wrong with the URL's options, which each driver tells in its own way.
            with engine.connect():
                pass
        except (DBAPIError, ArgumentError, ValueError, TypeError, OSError) as wrong:
            engine.dispose()
            raise _closed(engine.url, wrong) from wrong
        try:
            upgrade.upgrade(engine)
        except OperationalError as wrong:
            engine.dispose()
            raise _closed(engine.url, wrong) from wrong
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @contextmanager
    def writing(
        self,
        *,
        durable: bool = True,
        meanwhile: Callable[[], None] | None = None,
        at_once: bool = False,
        concern: Concern | None = None,
    ) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back by any exception.

        `durable=False` is for what can be pulled or judged again: a power cut may take the last of it back, never damage it.
        `concern` is given by who knows all that is written, and filled meanwhile; without it everybody may be concerned.
        `meanwhile` is done before, where somebody else writes to an SQLite file now and is waited for; otherwise it is not.
        `at_once`: nobody is waited for before it begins; raises Taken where somebody writes to an SQLite file now.
        Raises TransientError where another process holds the database for too long.
        """
        if not self._sqlite:
            with self.engine.begin() as tx:
                if not durable:
                    tx.exec_driver_sql("SET LOCAL synchronous_commit = off")
                with concerns.declared(tx, concern), audit.ending(tx):
                    yield tx
                concerns.note(tx, concern)
            return
        with self._turn(meanwhile, at_once), self.engine.connect() as connection:
            connection = connection.execution_options(holdfast_writing=True)
            _driver(connection).execute(f"PRAGMA synchronous = {_DURABLE if durable else _SOON}")
            try:
                started = connection.begin()
            except OperationalError as wrong:
                raise _busy() from wrong
            with started:
                before = _driver(connection).total_changes
                with concerns.declared(connection, concern), audit.ending(connection):
                    yield connection
                if _driver(connection).total_changes != before:
                    concerns.note(connection, concern)
        if self._homeward is not None:
            self._homeward.wrote()

    @contextmanager
    def _turn(self, meanwhile: Callable[[], None] | None = None, at_once: bool = False) -> Iterator[None]:
        assert self._writer is not None, "SQLite has one writer at a time"
        try:
            self._writer.enter(meanwhile, at_once=at_once)
        except TimeoutError as wrong:
            raise (Taken() if at_once else _busy()) from wrong
        try:
            yield
        finally:
            self._writer.__exit__()

    @property
    def has_turns(self) -> bool:
        """Whether only one writes at a time, and the others wait for him."""
        return self._sqlite

    @property
    def begins_at_once(self) -> bool:
        """Whether `at_once` keeps its word: in a file of this machine, where all who write stand in one turnstile."""
        return self._writer is not None and self._writer.has_everybody

    @property
    def waits_aside(self) -> bool:
        """Whether work at a seat can be done aside (`connector.store.aside`)."""
        return not self._sqlite and MAY_BE_ASIDE

    def is_awaited(self) -> bool:
        """Whether somebody waits to write: then a job makes its transactions short. (On PostgreSQL nobody has to.)"""
        return self._writer is not None and self._writer.is_awaited()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the data as they were when it began."""
        with self.engine.connect() as connection:
            if not self._sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def seat(self) -> Store:
        """The same database through one connection of its own, for one who comes again and again with one transaction at
        a time, and waits for nothing that could be done beside. To be closed by whoever took it."""
        url = self.engine.url.render_as_string(hide_password=False)
        made = Store(_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=False))
        looked_after(made.engine)
        return made

    def close(self) -> None:
        """Gives all connections back."""
        if self._homeward is not None:
            self._homeward.end()
        self.engine.dispose()


def in_trouble(wrong: BaseException) -> bool:
    """Whether it is the database that fails (it is down, restarted, full, or locked for too long), not what was asked of
    it: the same may well succeed later. Quick statements (`quick`, `bulk`) raise what the driver raises."""
    return (
        isinstance(wrong, OperationalError | InterfaceError | PoolTimeout)
        or (isinstance(wrong, DBAPIError) and wrong.connection_invalidated)
        or any(
            one.__module__.split(".")[0] in ("sqlite3", "psycopg")
            and one.__name__ in ("OperationalError", "InterfaceError")
            for one in type(wrong).__mro__
        )
    )


# The driver gives no code where a connection could not be made, only these words of the server or of libpq. In another
# language they are not known: then it is waited for, and what they say is told all the same.
_REFUSED = re.compile(
    r"authentication failed|no password supplied|(role|database) .* does not exist|pg_hba\.conf"
    r"|not permitted to log in|permission denied for database"
)


def is_away(wrong: BaseException | None) -> bool:
    """Whether a database could not be opened or asked because its server is not up now, or just starting or ending: it may
    come. Where somebody answers and refuses (a wrong password, a wrong name), waiting is of no use."""
    cause = wrong.__cause__ if isinstance(wrong, ConfigError) else wrong
    original = getattr(cause, "orig", cause)
    kinds = type(original).__mro__
    if not any(kind.__module__.split(".")[0] == "psycopg" and kind.__name__ == "OperationalError" for kind in kinds):
        return False
    code = getattr(original, "sqlstate", None)
    return code in ("57P03", "57P01", "57P02", "53300") if code else not _REFUSED.search(str(original))


def _closed(url: URL, wrong: Exception) -> ConfigError:
    why = " ".join(str(getattr(wrong, "orig", None) or wrong).split()).rstrip(".")
    end = ("", "") if why.endswith("?") else (".", "。")
    return ConfigError(
        Text(
            "The database {url} cannot be opened: {why}{end} Check [store] url and password, and that the database is up.",
            "无法打开数据库 {url}：{why}{end}请检查 [store] 的 url 和 password，并确认数据库已启动。",
        ).fill(url=_shown(url), why=why, end=Text(*end))
    )


def _shown(url: URL) -> str:
    """A URL for people: without user, password and options, which may hold a secret, too."""
    shown = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


def _busy() -> TransientError:
    return TransientError(
        Text(
            "Another process has been writing to the database for more than {seconds} seconds.",
            "另一个进程持续写入数据库已超过 {seconds} 秒。",
        ).fill(seconds=int(_BUSY_SECONDS)),
        retry_after=_BUSY_SECONDS,
    )


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _engine(url: str, **pool: Any) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as wrong:
        # The URL may hold a password: it is not repeated.
        raise ConfigError(
            Text(
                "The store's URL is not one. Write sqlite:///holdfast.db or postgresql://user@host/database.",
                "数据库地址格式不正确。请写成 sqlite:///holdfast.db 或 postgresql://user@host/database。",
            )
        ) from wrong
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError(
                Text("The store needs a file: sqlite:///holdfast.db.", "数据库需要一个文件：sqlite:///holdfast.db。")
            )
        if parsed.host or parsed.query or parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
            raise ConfigError(
                Text(
                    "An SQLite URL is sqlite:///FILE and nothing else: no host, no driver, no options behind “?”. "
                    "An absolute path has four slashes: sqlite:////var/lib/holdfast.db.",
                    "SQLite 地址只能写成 sqlite:///文件：不含主机、驱动，也不含“?”后的选项。"
                    "绝对路径须用四个斜杠：sqlite:////var/lib/holdfast.db。",
                )
            )
        folder = Path(parsed.database).parent
        if not folder.is_dir():
            raise ConfigError(
                Text(
                    "The folder {folder} of the database is not there. Make it, or change [store] url.",
                    "数据库所在的文件夹 {folder} 不存在。请创建它，或修改 [store] url。",
                ).fill(folder=folder)
            )
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if kind == "postgresql":
        try:
            options = {name: value for name, value in _PATIENCE.items() if name not in parsed.query}
            pool = {"pool_pre_ping": True, **pool}
            engine = create_engine(parsed.set(drivername="postgresql+psycopg"), connect_args=options, **pool)
        except (ArgumentError, ValueError, TypeError) as wrong:
            raise _closed(parsed, wrong) from wrong
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    raise ConfigError(
        Text(
            "The store can be SQLite or PostgreSQL, not {kind}.", "数据库可以是 SQLite 或 PostgreSQL，不支持 {kind}。"
        ).fill(kind=kind)
    )


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # Transactions begin where we say so, not where the driver guesses.
    connection.isolation_level = None
    # A product of two amounts does not fit its numbers, and would silently become a float.
    connection.create_function("share_of", 3, share_of, deterministic=True)
    for pragma in (
        "journal_mode = WAL",
        f"busy_timeout = {int(_BUSY_SECONDS * 1000)}",
        f"synchronous = {_SOON}",
        f"cache_size = -{_CACHE_KIB}",
        f"mmap_size = {_MAPPED_BYTES}",
        "foreign_keys = OFF",
        f"wal_autocheckpoint = {_LOG_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # Our statements are wide and short: compiling them takes many times as long as running them.
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
        cursor.execute("SET work_mem = '64MB'")
        # Whoever writes here notes whom it concerns (`concerns.note`); for others the database does.
        cursor.execute("SET holdfast.declares = 'yes'")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its place in the queue at once: a reader that turns writer half-way could only fail.
    writing = connection.get_execution_options().get("holdfast_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


__all__ = ["Connection", "How", "Store", "Taken"]
