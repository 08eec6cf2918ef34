"""The storm: eight processes at once on the orders of a few customers, in one store, with a CRM that fails and workers
that are killed; and what must be true when it is over."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connector import adapter as adapters
from connector.config import Business, Config, System
from connector.connect import connect
from connector.policy import default_policy
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import audit, order_credit, outbox
from connector.store.db import Store
from jobs.evaluate import evaluate
from jobs.link import link
from jobs.push import push
from tests.jobs.shop import NOON, PEOPLE, SYSTEM
from tests.jobs.storm_said import TABLES
from tests.jobs.storm_trail import prove
from tests.jobs.storm_work import (
    CUSTOMERS,
    KINDS,
    PROOFS,
    WORKERS,
    Weather,
    account_of,
    crm_order,
    customer_of,
    opening,
    read_again,
    systems_of,
    work,
)
from tests.store.watched import watch_store

TROUBLE = ("503", "late", "429", "reset", "late")


@dataclass
class Passed:
    """What a storm came to."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    proved: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        shown = [f"{kind} {self.done[kind]}/{self.done[kind] + self.refused[kind]}" for kind in KINDS]
        more = [f"{name} {count}" for name, count in self.proved.items()]
        return f"seed {self.seed}, {self.seconds:.0f} s: {', '.join(shown)}; {', '.join(more)}"


@contextlib.contextmanager
def crm(folder: Path, orders: int) -> Iterator[tuple[Sandbox, System]]:
    """A CRM on a socket with the accounts of the customers and room for so many orders, and how it is configured."""
    data = folder / "zoho"
    data.mkdir()
    accounts = [{"id": account_of(c), "Account_Name": f"{c} account", "ERP_Customer_No": c} for c in CUSTOMERS]
    placed = [
        {
            "id": crm_order(n),
            "Subject": f"S{n}",
            "SO_Number": f"S{n}",
            "Account_Name": {"id": account_of(customer_of(n)), "name": f"{customer_of(n)} account"},
            "Status": "Approved",
            "Grand_Total": 1,
        }
        for n in range(orders)
        if "crm" in systems_of(n)
    ]
    (data / "Accounts.json").write_text(json.dumps(accounts), encoding="utf-8")
    (data / "Sales_Orders.json").write_text(json.dumps(placed), encoding="utf-8")
    box = adapters.sandbox("zoho_crm", SandboxOptions(data=data, customers=1, as_of=NOON.date()))
    secrets = {}
    for name, value in box.credentials().items():
        os.environ[variable := f"HOLDFAST_STORM_{name}".upper()] = value
        secrets[name] = f"env:{variable}"
    with box.served() as url:
        settings = {k: v.format(url=url) for k, v in adapters.load("zoho_crm").demo_settings.items()}
        yield box, System(name="crm", adapter="zoho_crm", roles=("crm",), settings=settings, secrets=secrets)


def storm(url: str, folder: Path, operations: int, seed: int, kills: int) -> Passed:
    """So many operations by eight workers, of whom now and then one is killed; then everything is proved."""
    began = time.monotonic()
    per_worker = -(-operations // WORKERS)
    with crm(folder, operations) as (box, system):
        config = Config(
            business=Business(currency="CNY", time_zone="Asia/Shanghai", language="en"),
            systems=(SYSTEM, system), people=PEOPLE, root=folder,
        )  # fmt: skip
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.jobs.storm_work"])
        zeros = lambda count: context.RawArray("q", count)  # noqa: E731
        weather = Weather(
            url, str(folder), config, seed, began,
            days=context.RawValue("q", 0), stop=context.RawValue("q", 0), left=context.RawArray("q", [per_worker] * WORKERS),
            born=zeros(WORKERS), done=zeros(WORKERS * len(KINDS)), refused=zeros(WORKERS * len(KINDS)),
            proved=zeros(WORKERS * PROOFS),
        )  # fmt: skip
        store = Store.open(url)
        try:
            with store.writing() as tx:
                for statement in TABLES:
                    tx.execute(text(statement))
                opening(tx, weather.clock.now())
            link(store, config, weather.clock)
            at = connect(config, "crm", weather.clock, store)
            assert at.adapter.provision is not None
            at.adapter.provision(at.client, at.needs(), False)
            for number, name in enumerate(TROUBLE):
                box.faults.plan(name, times=operations, share=0.04, seed=seed + number)  # type: ignore[arg-type]
            watch_store(store)
            _blow(context, weather, random.Random(seed), kills)
            _settle(store, weather, box)
            with store.reading() as tx:
                found = prove(tx, box)
        finally:
            store.close()
    passed = Passed(seed, proved=found, seconds=time.monotonic() - began)
    for at_, kind in enumerate(KINDS):
        passed.done[kind] = sum(weather.done[me * len(KINDS) + at_] for me in range(WORKERS))
        passed.refused[kind] = sum(weather.refused[me * len(KINDS) + at_] for me in range(WORKERS))
    for at_, name in enumerate(("judged", "let through", "near", "reserved")):
        passed.proved[name] = sum(weather.proved[me * PROOFS + at_] for me in range(WORKERS))
    passed.proved["killed"] = kills
    passed.proved["faults"] = len(box.faults.happened)
    return passed


def _blow(context: Any, weather: Weather, dice: random.Random, kills: int) -> None:
    """Lets the workers work; kills one of them so many times, and puts another in its place."""
    total = sum(weather.left)
    moments = sorted(dice.randrange(total) for _ in range(kills))
    lives = [0] * WORKERS
    living = {}
    for me in range(WORKERS):
        living[me] = context.Process(target=work, args=(weather, me, 0), daemon=True)
        living[me].start()
    while living:
        done = total - sum(weather.left)
        if moments and done >= moments[0]:
            moments.pop(0)
            victim = living[dice.choice(sorted(living))]
            os.kill(victim.pid, signal.SIGKILL)
        for me, process in list(living.items()):
            if process.is_alive():
                continue
            del living[me]
            if weather.left[me] > 0 and not weather.stop.value:
                lives[me] += 1
                living[me] = context.Process(target=work, args=(weather, me, lives[me]), daemon=True)
                living[me].start()
        time.sleep(0.005)
    told = [weather.failed(me).read_text("utf-8") for me in range(WORKERS) if weather.failed(me).exists()]
    assert not told, "\n".join(told)
    assert sum(weather.left) == 0
    assert not moments or not total, f"{len(moments)} workers were never killed"


def _settle(store: Store, weather: Weather, box: Sandbox) -> None:
    """The storm is over: everything is read again, judged, and written until nothing is owed."""
    box.faults.planned.clear()
    weather.days.value += 1
    clock, config = weather.clock, weather.config
    with store.writing() as tx:
        read_again(tx, clock.now())
    systems = [connect(config, "crm", clock, store)]
    for _ in range(2):
        run = evaluate(store, config, default_policy(), clock, systems=systems)
        assert run.failed is None, run.failed
    with store.reading() as tx:
        before = audit.heads(tx), len(order_credit.history(tx))
    # Judging everybody anew finds nothing that was forgotten.
    run = evaluate(store, config, default_policy(), clock, systems=systems, full=True)
    assert run.failed is None, run.failed
    assert run.counts["orders_turned"] == 0, "a full run turns orders that the runs before left"
    with store.reading() as tx:
        assert (audit.heads(tx), len(order_credit.history(tx))) == before
    for _ in range(12):
        clock.began -= 3700  # whatever waits to be tried again is due
        run = push(store, systems[0])
        with store.reading() as tx:
            left = outbox.listing(tx, states=("owed", "parked", "claimed"), system="crm")
        if not left:
            return
    raise AssertionError(f"never settled: {left[:5]}")
