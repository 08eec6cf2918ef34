"""The log of a seat is brought home by itself, beside the writers, and does not grow for ever."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.store import homeward
from connector.store.db import Store


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    with store.writing() as tx:
        tx.exec_driver_sql("CREATE TABLE heap (what TEXT)")
    found = store.seat()
    yield found
    found.close()
    store.close()


def grow(seat: Store, times: int) -> None:
    for _ in range(times):
        with seat.writing() as tx:
            for _ in range(10):
                tx.exec_driver_sql("INSERT INTO heap VALUES (hex(randomblob(1900)))")


def soon(find: Callable[[], Any]) -> bool:
    until = time.monotonic() + 20
    while not find():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def in_the_file_alone(tmp_path: Path) -> int:
    """How many rows the file has without its log."""
    (tmp_path / "copy.db").write_bytes((tmp_path / "store.db").read_bytes())
    alone = sqlite3.connect(tmp_path / "copy.db")
    try:
        return int(alone.execute("SELECT count(*) FROM heap").fetchone()[0])
    except sqlite3.DatabaseError:
        return -1  # copied while pages were on their way
    finally:
        alone.close()


def test_what_is_written_comes_home_while_writing_goes_on(
    seat: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homeward, "_EACH_SECONDS", 0.0)
    grow(seat, 3)

    def home() -> bool:
        # What is committed while the thread is under way is left to the next commit, so there is always a next one.
        grow(seat, 1)
        return in_the_file_alone(tmp_path) >= 30

    assert soon(home)


def test_a_long_log_begins_anew(seat: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homeward, "_EACH_SECONDS", 0.0)
    monkeypatch.setattr(homeward, "_LONG", 50)
    sizes = []
    for _ in range(40):
        grow(seat, 5)
        sizes.append((tmp_path / "store.db-wal").stat().st_size)
        time.sleep(0.01)
    written = 40 * 5 * 10 * 4096
    assert max(sizes) < written / 3, "the log was used again"
    with seat.reading() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM heap").scalar() == 2000
        assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_nobody_waits_for_what_goes_wrong(
    seat: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Any) -> int:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(homeward, "_EACH_SECONDS", 0.0)
    monkeypatch.setattr(homeward.Homeward, "_pages", staticmethod(broken))
    grow(seat, 3)
    assert soon(lambda: "disk full" in caplog.text)
    grow(seat, 3)
    with seat.reading() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM heap").scalar() == 60


def test_once_it_has_ended_nothing_is_done_any_more(seat: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homeward, "_EACH_SECONDS", 0.0)
    grow(seat, 1)
    seat.close()
    seat.close()
    done: list[bool] = []
    monkeypatch.setattr(homeward.Homeward, "_pages", staticmethod(lambda _: done.append(True) or 0))
    grow(seat, 2)
    time.sleep(0.1)
    assert done == []
