"""Each job by its name: run twice it leaves what it leaves when it is run once, row for row, here and in the systems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector.clock import FixedClock
from connector.config import Config, load
from connector.policy import default_policy
from connector.store import marks
from connector.store.db import Store
from connector.store.tables import metadata
from jobs.named import JOBS, act_of, names
from jobs.shift import Shift
from jobs.slots import once
from tests.jobs.world import TODAY, Machine, World, world
from tests.store.conftest import store as store

NOW = dt.datetime.combine(TODAY, dt.time(4), dt.UTC)

# Who worked when, and in which reading a record was last seen: that is another each time.
_OWN = {"run", "slot", "lease", "counter", "concern"}
_READING = "generation"

# The jobs in an order in which each has something to do, and those that must have done something.
ORDER = (
    "pull:crm", "pull:erp", "pull", "link", "dun", "evaluate", "notices", "push:crm", "push:erp", "push", "review", "limits",
    "waiting", "reconcile:crm", "reconcile:erp", "reconcile", "orders", "hooks", "housekeeping", "regular", "nightly",
)  # fmt: skip
WORKS = {"pull:crm", "pull:erp", "link", "dun", "evaluate", "notices", "push:crm", "review", "limits", "waiting"}


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    machine = Machine()
    with world(tmp_path_factory.mktemp("named"), erp="odoo", crm="zoho_crm", customers=16) as made:
        code, output = machine.run(made.config, "provision")
        assert code in (0, 1), output
        machine.close()
        yield made


def rows(store: Store) -> dict[str, list[Any]]:
    """Every row of every table but those that say who worked when."""
    with store.reading() as tx:
        return {
            table.name: sorted(
                repr(tuple(row)) for row in tx.execute(select(*(c for c in table.columns if c.name != _READING)))
            )
            for table in metadata.sorted_tables
            if table.name not in _OWN
        }


def differing(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, list[str]]:
    """Rows that only one of two states has, by table."""
    found = {name: sorted(set(one[name]) ^ set(other[name])) for name in one}
    return {name: lines for name, lines in found.items() if lines or len(one[name]) != len(other[name])}


def do(store: Store, config: Config, job: str, slot: str) -> bool:
    act, clock = act_of(job, config), FixedClock(NOW)
    done = once(store, clock, job, slot, lambda held: act(held, Shift(config, clock, default_policy())))
    assert not [run for run in done or () if run.failed], [run.failed for run in done or ()]
    return done is not None


def test_every_job_is_tried() -> None:
    assert {name.partition(":")[0] for name in ORDER} == set(JOBS)


def test_each_job_run_twice_is_that_job_run_once(store: Store, systems: World, tmp_path: Path) -> None:
    config = load(systems.config)
    assert set(ORDER) == set(names(config))
    for job in ORDER:
        if job == "waiting":
            with store.writing() as tx:
                marks.touch(tx, [1, 2, 3])
        before, there = rows(store), systems.remote()
        assert do(store, config, job, "first")
        after, then = rows(store), systems.remote()
        if job in WORKS:
            assert differing(before, after) or there != then, f"{job} had nothing to do: nothing is proved"
        assert not do(store, config, job, "first"), "a slot that is done is not done again"
        assert differing(after, rows(store)) == {}
        assert do(store, config, job, "second"), "another slot is another asking"
        assert differing(after, rows(store)) == {}, job
        assert systems.remote() == then, job
