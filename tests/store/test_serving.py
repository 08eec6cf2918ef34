"""One service on an SQLite file: the second is told who is there, a kill frees it, and whoever only reads or writes is let in."""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from connector.errors import ConfigError
from connector.store.db import Store
from connector.store.serving import Held, alone
from tests.cli.calling import ROOT

NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
HOLDER = """
import datetime, sys, time
from connector.store.serving import alone
with alone(sys.argv[1], datetime.datetime(2026, 11, 20, 9, 30, tzinfo=datetime.UTC)):
    print("there", flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_who_is_there_until_the_first_is_killed(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path)
    url, same = f"sqlite:///{tmp_path}/book.db", f"sqlite:///{tmp_path}/other/book.db"
    Store.open(url).close()
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, cwd=ROOT) as first:
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == b"there\n"
            for address in (url, same):
                with pytest.raises(ConfigError) as told, alone(address, NOW):
                    pass
                assert f"book.db already: process {first.pid} on {socket.gethostname()}, since 2026-11-20 09:30Z" in (
                    told.value.user.en
                )
                assert f"进程 {first.pid}" in told.value.user.zh
            store = Store.open(url)  # what a command does beside it
            with store.writing() as tx:
                assert tx.exec_driver_sql("select 1").scalar() == 1
            store.close()
        finally:
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
    with alone(url, NOW), pytest.raises(ConfigError, match=str(os.getpid())), alone(same, NOW):
        pass
    with alone(url, NOW):
        pass


def test_who_was_given_it_holds_it_too(tmp_path: Path) -> None:
    """A service that was killed still has processes that end: nobody begins beside them."""
    url = f"sqlite:///{tmp_path}/book.db"
    begins = multiprocessing.get_context("spawn")
    told, telling = begins.Pipe(duplex=False)
    with alone(url, NOW) as held:
        child = begins.Process(target=_holds, args=(held, telling), daemon=True)
        child.start()
        assert told.recv() == child.pid
    with pytest.raises(ConfigError), alone(url, NOW):
        pass
    child.kill()
    child.join()
    with alone(url, NOW):
        pass


def test_what_a_killed_service_had_begun_may_end_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/book.db"
    begins = multiprocessing.get_context("spawn")
    told, telling = begins.Pipe(duplex=False)
    service = begins.Process(target=_begins_another, args=(url, telling))
    service.start()
    child = told.recv()
    service.kill()
    service.join()
    threading.Timer(0.3, os.kill, (child, signal.SIGKILL)).start()
    with alone(url, NOW), contextlib.suppress(psutil.NoSuchProcess):  # buried already
        assert psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def _begins_another(url: str, telling: Connection) -> None:
    with alone(url, NOW) as held:
        child = multiprocessing.get_context("spawn").Process(target=_holds, args=(held, telling))
        child.start()
        time.sleep(600)


def _holds(_held: Held, telling: Connection) -> None:
    telling.send(os.getpid())
    time.sleep(600)


def test_another_file_and_a_server_are_nobodys_alone(tmp_path: Path) -> None:
    with alone(f"sqlite:///{tmp_path}/a.db", NOW), alone(f"sqlite:///{tmp_path}/b.db", NOW):
        pass
    shared = "postgresql://nobody@localhost/x"
    with alone(shared, NOW), alone(shared, NOW):
        pass


def test_whoever_is_only_just_beginning_is_not_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with alone(url, NOW):
        (tmp_path / "a.db-serving").write_bytes(b"")
        with pytest.raises(ConfigError, match=r"process \? on \?"), alone(url, NOW):
            pass
