"""The turnstile before an SQLite file: nobody is passed again and again, and who waits for too long is told."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest

from connector.errors import TransientError
from connector.store import db
from connector.store.db import Store
from connector.store.turnstile import Turnstile


def greedy(path: str, started: object, stop: object) -> None:
    """Goes in again as soon as it has come out."""
    turnstile = Turnstile(path, 60)
    while not stop.is_set():  # type: ignore[attr-defined]
        with turnstile:
            started.set()  # type: ignore[attr-defined]
            threading.Event().wait(0.02)


def test_a_greedy_process_lets_others_in_between(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    context = multiprocessing.get_context("forkserver")
    started, stop = context.Event(), context.Event()
    process = context.Process(target=greedy, args=(path, started, stop), daemon=True)
    process.start()
    assert started.wait(30)
    turnstile, turns = Turnstile(path, 10), 0
    for _ in range(10):
        with turnstile:
            turns += 1
    stop.set()
    process.join(10)
    assert turns == 10, "else TimeoutError: it was passed for ten seconds"


def test_who_is_inside_sees_that_somebody_waits(tmp_path: Path) -> None:
    turnstile = Turnstile(str(tmp_path / "a.db"), 10)
    through = threading.Event()

    def other() -> None:
        with Turnstile(str(tmp_path / "a.db"), 10):
            through.set()

    with turnstile:
        assert not turnstile.is_awaited()
        waiting = threading.Thread(target=other)
        waiting.start()
        for _ in range(500):
            if turnstile.is_awaited():
                break
            threading.Event().wait(0.01)
        assert turnstile.is_awaited()
        assert not through.is_set()
    waiting.join(10)
    assert through.is_set()
    assert not turnstile.is_awaited()


def test_who_waits_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_BUSY_SECONDS", 0.2)
    store = Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    with Turnstile(str(tmp_path / "a.db"), 1), pytest.raises(TransientError), store.writing():
        pass
    with store.writing() as tx:
        assert tx.exec_driver_sql("SELECT 1").scalar() == 1
    store.close()
