"""A calculation whose node has died is worked on again by the service's rounds, and one that lives is left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.clock import FixedClock
from connector.store import calculations
from connector.store.db import Store
from jobs import calculate, portfolio_kept
from jobs.beside import Beside
from jobs.scheduler import Worker
from jobs.shift import Shift
from tests.jobs.shop import NOON, TODAY, config


class Here(Beside):
    """Works at once, in this process."""

    def __init__(self, store: Store, folder: Path, clock: FixedClock) -> None:
        super().__init__(None)
        self.work = lambda: calculate.work(store, config(folder), clock)
        self.done: list[int] = []

    def begin(self) -> None:
        self.done.append(self.work())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    yield made
    made.close()


@pytest.mark.parametrize("is_taken", [True, False], ids=["its node died at it", "its node died before it"])
def test_what_a_dead_node_has_left_is_taken_over_though_nobody_looks(
    store: Store, tmp_path: Path, is_taken: bool
) -> None:
    clock = FixedClock(NOON)
    beside = Here(store, tmp_path, clock)
    worker = Worker(store, Shift(config(tmp_path), clock), by_schedule=False, beside=beside)
    with store.writing() as tx:
        asked = portfolio_kept.ask(tx, TODAY, "person:wang.fang", clock.now())
        if is_taken:
            assert calculations.take(tx, "dead", clock.now()) is not None
    worker.tick()
    assert beside.done == [], "whoever has it may still be at it"
    clock.at += calculations.DEAD_AFTER + dt.timedelta(seconds=1)
    worker._calculations_at = 0.0
    worker.tick()
    assert beside.done == [1]
    with store.reading() as tx:
        found = calculations.get(tx, asked.id, portfolio_kept.KIND)
        assert found is not None
        assert found.state == "done"
        assert not calculations.left(tx, clock.now())
