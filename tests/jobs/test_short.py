"""The short round: what moves a hold in the ERP is in the CRM after one round, and a quiet round leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.clock import SystemClock
from connector.config import Config, load
from connector.connect import Connected
from connector.policy import default_policy
from connector.store import customers, positions, runs
from connector.store.db import Store
from jobs.night import connected_systems, work
from jobs.run import Run
from jobs.short import quick_streams, short_round
from tests.jobs.world import Machine, World, world


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[World, Config, Store]]:
    """An ERP and a CRM after their first whole job, and nothing left to do."""
    machine = Machine()
    with world(tmp_path, erp="odoo", crm="zoho_crm", customers=12) as made:
        code, output = machine.run(made.config, "provision")
        machine.close()
        assert code in (0, 1), output
        config = load(made.config)
        store = Store.open(config.store_url)
        for _ in range(2):
            work(store, config, default_policy(), SystemClock())
        yield made, config, store
        store.close()


def round_of(store: Store, config: Config, reads: bool = True) -> list[Run]:
    done = short_round(store, config, default_policy(), SystemClock(), reads=reads)
    assert not [run.failed for run in done if run.failed]
    return done


def erp_of(store: Store, config: Config) -> Connected:
    return connected_systems(config, SystemClock(), ["erp"], store)[0]


def test_a_quiet_round_writes_nothing_and_leaves_no_run(company: tuple[World, Config, Store]) -> None:
    made, config, store = company
    with store.reading() as tx:
        before = [row.id for row in runs.runs(tx, limit=1000)]
    written = len(made.crm.writes()) + len(made.erp.writes())
    assert round_of(store, config) == []
    with store.reading() as tx:
        assert [row.id for row in runs.runs(tx, limit=1000)] == before
    assert len(made.crm.writes()) + len(made.erp.writes()) == written


def test_a_payment_and_an_order_are_in_the_crm_after_one_round(company: tuple[World, Config, Store]) -> None:
    """Paid in the ERP, and ordered there: what the CRM shows of the customer follows at once, without the whole job."""
    made, config, store = company
    erp = erp_of(store, config)
    rehearsal = erp.adapter.rehearsal
    assert rehearsal is not None
    there = made.remote()["crm"]
    rehearsal.pay(erp.client, late_payer(store))
    done = round_of(store, config)
    jobs = [(run.job, run.system) for run in done]
    assert ("pull", "erp") in jobs
    assert ("pull", "crm") not in jobs, "nothing has changed there"
    assert [job for job, _ in jobs].index("evaluate") < [job for job, _ in jobs].index("push")
    assert made.remote()["crm"] != there
    pulled = next(run for run in done if run.job == "pull")
    assert pulled.partial
    assert set(pulled.streams) <= set(quick_streams(erp))
    written = len(made.crm.writes())
    assert "push" not in [run.job for run in round_of(store, config)], "our own change comes back, and asks for nothing"
    assert len(made.crm.writes()) == written
    assert round_of(store, config) == [], "and that was all"


def late_payer(store: Store) -> str:
    """The id of a customer with something past due."""
    today = SystemClock().now().date()
    with store.reading() as tx:
        for row in customers.customers(tx, systems=["erp"]):
            if any(
                item.due_on is not None and item.due_on < today for item in positions.open_items(tx, [row.key], today)
            ):
                return row.ref
    raise AssertionError("somebody must be late")


def test_without_reading_only_what_waits_is_done(company: tuple[World, Config, Store]) -> None:
    made, config, store = company
    erp = erp_of(store, config)
    assert erp.adapter.rehearsal is not None
    calls = len(made.erp.calls)
    assert round_of(store, config, reads=False) == []
    assert len(made.erp.calls) == calls, "no system is asked anything"


def test_only_what_can_be_asked_for_changes_is_read_often(company: tuple[World, Config, Store]) -> None:
    """Whatever has to be read whole each time, and what moves no hold, waits for the whole job."""
    _, config, store = company
    for connected in connected_systems(config, SystemClock(), store=store):
        quick = quick_streams(connected)
        assert quick, connected.name
        for stream in connected.adapter.streams:
            assert stream.incremental or stream.name not in quick, f"{connected.name}/{stream.name}"
    assert "people" not in quick_streams(erp_of(store, config))
