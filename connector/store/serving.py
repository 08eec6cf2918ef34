"""Serving: one service at a time on an SQLite file; commands beside it work as ever.

Its jobs and its answers count on being the only ones that are begun by themselves: a second service would do each job
twice. A lock of the system on a file beside the database says so. It goes with the processes of the service, however they
end, so that there is nothing to clear up; what stands in the file only tells whoever is refused who is there. Services on
PostgreSQL share their work, and need none of this.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import time
from collections.abc import Iterator
from multiprocessing import reduction
from pathlib import Path
from typing import Any

import simplejson
from sqlalchemy.engine import make_url

from connector.errors import ConfigError
from connector.text import Text

try:
    import fcntl
except ImportError:  # Windows has locks of its own
    import msvcrt

    def _locked(file: int) -> bool:
        # A locked byte cannot be read there: it is one far behind what stands in the file.
        os.lseek(file, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True

else:

    def _locked(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_TAKEN = Text(
    "A service is running on {file} already: process {pid} on {host}, since {since}. Stop it first, or give each service a "
    "database of its own; several share one on PostgreSQL only.",
    "{file} 上已有服务在运行：{host} 上的进程 {pid}，自 {since} 起。请先停止该服务，或为各服务配置单独的数据库；"
    "多个服务共用一个数据库须使用 PostgreSQL。",
)


class Held:
    """That a store is held. Given to another process while that begins, it is held by both, until both have ended."""

    def __init__(self, file: int | None = None) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Held, ()) if self._file is None else (_held_too, (reduction.DupFd(self._file),))


def _held_too(file: Any) -> Held:
    return Held(file.detach())


# The processes of a service that was killed may take so long to end.
_ENDING_SECONDS = 40.0


@contextlib.contextmanager
def alone(url: str, now: dt.datetime) -> Iterator[Held]:
    """Holds a store for this process as the one service on it, where it is an SQLite file. ConfigError where another does,
    which says who."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        yield Held()
        return
    database = Path(parsed.database).resolve()  # whatever it is called
    file = os.open(f"{database}-serving", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        until = time.monotonic() + _ENDING_SECONDS
        while not _locked(file):
            said = _said(file)
            if not _has_died(said) or time.monotonic() > until:
                raise ConfigError(_TAKEN.fill(file=database.name, **said))
            time.sleep(0.1)  # what it had begun is ending
        said = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{now:%Y-%m-%d %H:%M}Z"}
        os.lseek(file, 0, os.SEEK_SET)
        os.truncate(file, 0)
        os.write(file, simplejson.dumps(said).encode())
        yield Held(file)
    finally:
        os.close(file)


def _has_died(said: dict[str, object]) -> bool:
    """Whether the process that is said to hold a store is none of this machine's any more."""
    pid = said["pid"]
    if os.name != "posix" or said["host"] != socket.gethostname() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _said(file: int) -> dict[str, object]:
    os.lseek(file, 0, os.SEEK_SET)
    try:
        found = simplejson.loads(os.read(file, 1000))
        return {name: found[name] for name in ("pid", "host", "since")}
    except (ValueError, KeyError, TypeError, OSError):  # it is only just beginning
        return {"pid": "?", "host": "?", "since": "?"}
