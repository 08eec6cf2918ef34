"""An approved limit in a real Tryton: written by the outbox, read back, obeyed by Tryton's own check, told when changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.tryton.server import Server
from connector.clock import SystemClock
from connector.config import parse
from connector.store import customers
from connector.store.db import Store
from jobs.limits import limit_approved
from jobs.link import link
from jobs.night import connected_systems
from jobs.pull import pull
from jobs.push import push
from jobs.reconcile import reconcile
from tests.live.tryton_server import server as server
from tests.live.tryton_server import signed_in

pytestmark = pytest.mark.live

CONFIG = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"
[[systems]]
name = "erp"
adapter = "tryton"
roles = ["erp"]
write = true
settings = {{ base_url = "{base_url}", database = "{database}", user = "connector", admin_user = "admin" }}
[systems.secrets]
password = "env:HOLDFAST_LIVE_LIMIT"
admin_password = "env:HOLDFAST_LIVE_LIMIT_ADMIN"
"""


def test_an_approved_limit_stands_in_tryton_and_a_change_there_is_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = server.secrets()
    monkeypatch.setenv("HOLDFAST_LIVE_LIMIT", server.users["connector"][1])
    monkeypatch.setenv("HOLDFAST_LIVE_LIMIT_ADMIN", secrets["admin_password"])
    config, problems = parse(CONFIG.format(**server.settings()), "config.toml", tmp_path)
    assert config is not None, problems
    clock, store = SystemClock(), Store.open(config.store_url)
    systems = connected_systems(config, clock)
    (erp,) = systems
    assert not pull(store, erp).failed
    link(store, config, clock)
    with store.reading() as tx:
        ref = next(r.ref for r in customers.customers(tx, systems=["erp"]) if r.known and r.currency == "CNY")
    admin = signed_in(server, "admin")

    def limit() -> Any:
        """As Tryton's administrator sees it, without our channel."""
        (row,) = admin.rows("party.party", [["code", "=", ref]], ["credit_limit_amount"])
        return row["credit_limit_amount"]

    def approve(amount: Decimal | None) -> None:
        with store.writing() as tx:
            assert (
                limit_approved(tx, systems, system="erp", ref=ref, amount=amount, currency="CNY", now=clock.now()) == 1
            )
        done = push(store, erp)
        assert (done.counts["done"], done.problems) == (1, [])

    approve(Decimal("654321.09"))
    assert limit() == Decimal("654321.09")
    approve(Decimal(0))
    assert limit() == 0
    assert limit() is not None, "no credit at all"
    approve(None)
    assert limit() is None, "no limit is checked"
    approve(Decimal(50000))
    assert reconcile(store, erp).problems == []

    (party,) = admin.rows("party.party", [["code", "=", ref]], ["id"])
    admin.call("model.party.party.write", [party["id"]], {"credit_limit_amount": Decimal(75000)})
    (problem,) = reconcile(store, erp).problems
    assert problem.code == "limit_changed"
    assert "credit_limit_amount is 75000" in problem.what.en
    assert "Last changed by" in problem.what.en
    assert limit() == 75000
    store.close()
