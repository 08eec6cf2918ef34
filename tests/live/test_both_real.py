"""The whole product between two real systems: Tryton owns the ledger, Odoo is the CRM and refuses the held order."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.tryton import rehearsal
from adapters.tryton.server import Server
from connector.clock import SystemClock
from connector.config import Config, parse
from connector.errors import RejectedError
from connector.policy import default_policy
from connector.store import customers, decisions, outbox
from connector.store.db import Store
from jobs.night import connected_systems, work
from jobs.run import Run
from tests.live.test_odoo import LAB, SHARED
from tests.live.tryton_server import server as server
from tests.live.tryton_server import signed_in

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (SHARED / "up").is_file(), reason="../shared/live/odoo is not there"),
    pytest.mark.skipif(not LAB, reason="HOLDFAST_ODOO_LAB names no folder for a real Odoo"),
]

CONFIG = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"
language = "zh"
[[systems]]
name = "erp"
adapter = "tryton"
roles = ["erp"]
settings = {{ base_url = "{erp}", database = "{database}", user = "connector", admin_user = "admin" }}
[systems.secrets]
password = "env:HOLDFAST_BOTH_PASSWORD"
admin_password = "env:HOLDFAST_BOTH_ADMIN"
[[systems]]
name = "crm"
adapter = "odoo"
roles = ["crm"]
settings = {{ base_url = "{crm}", database = "{db}" }}
[systems.secrets]
api_key = "env:HOLDFAST_BOTH_KEY"
admin_key = "env:HOLDFAST_BOTH_ADMIN_KEY"
"""


@dataclass
class Odoo:
    """The real Odoo, asked without any of our code."""

    url: str
    db: str
    keys: dict[str, str]

    def call(self, model: str, method: str, key: str = "admin", **arguments: Any) -> tuple[int, Any]:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"bearer {self.keys[key]}",
            "X-Odoo-Database": self.db,
        }
        request = urllib.request.Request(f"{self.url}/json/2/{model}/{method}", json.dumps(arguments).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)


@pytest.fixture(scope="module")
def odoo() -> Odoo:
    command = [
        str(SHARED / "up"),
        LAB,
        "--db",
        "holdfast_both",
        "--seed",
        "17",
        "--customers",
        "24",
        "--invoices",
        "60",
    ]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    return Odoo(said["url"], said["db"], said["keys"])


@dataclass
class Both:
    store: Store
    config: Config
    odoo: Odoo
    erp: Server

    def run(self) -> dict[str, Run]:
        systems = connected_systems(self.config, SystemClock())
        done = work(self.store, self.config, default_policy(), SystemClock(), systems=systems)
        for run in done:
            assert not run.failed, (run.job, run.system, [str(p) for p in run.problems])
        return {f"{r.job} {r.system}".strip(): r for r in done}

    def judged(self) -> dict[str, Any]:
        """Each ERP customer's latest decision, by code."""
        with self.store.reading() as tx:
            rows = customers.customers(tx, systems=["erp"])
            latest = decisions.latest(tx)
        return {r.ref: latest[r.debtor].body for r in rows if r.debtor in latest}

    def partner(self, code: str) -> dict[str, Any]:
        fields = [
            "name",
            "x_credit_hold",
            "x_credit_hold_reason",
            "x_credit_exposure",
            "x_credit_limit",
            "x_credit_as_of",
        ]
        _, found = self.odoo.call("res.partner", "search_read", domain=[["ref", "=", code]], fields=fields)
        assert len(found) == 1
        return dict(found[0])


@pytest.fixture(scope="module")
def both(server: Server, odoo: Odoo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    patch = pytest.MonkeyPatch()
    for name, value in {
        "PASSWORD": server.secrets()["password"],
        "ADMIN": server.secrets()["admin_password"],
        "KEY": odoo.keys["connector"],
        "ADMIN_KEY": odoo.keys["admin"],
    }.items():
        patch.setenv(f"HOLDFAST_BOTH_{name}", value)
    folder = tmp_path_factory.mktemp("both")
    text = CONFIG.format(erp=server.url, database=server.database, crm=odoo.url, db=odoo.db)
    config, problems = parse(text, "config.toml", Path(folder))
    assert config is not None, problems
    store = Store.open(config.store_url)
    # The CRM's accounts bear the ERP's numbers, as a company that runs both would have entered them.
    _, partners = odoo.call(
        "res.partner", "search_read", domain=[["customer_rank", ">", 0], ["parent_id", "=", False]], fields=["id"]
    )
    codes = [c.id for c in server.company.customers]
    for partner, code in zip(partners, codes, strict=False):
        odoo.call("res.partner", "write", ids=[partner["id"]], vals={"ref": code})
    for connected in connected_systems(config, SystemClock()):
        assert connected.adapter.provision is not None
        findings = connected.adapter.provision(connected.client, connected.needs(), False)
        assert all(f.state in ("made", "fine") for f in findings), [
            f for f in findings if f.state not in ("made", "fine")
        ]
    # What an earlier company of these tests has held there is nobody's any more.
    _, stale = odoo.call("res.partner", "search", domain=[["x_credit_hold", "=", True]])
    odoo.call("res.partner", "write", ids=stale, vals={"x_credit_hold": False})
    yield Both(store, config, odoo, server)
    store.close()
    patch.undo()


def test_fields_tasks_and_holds_are_there_and_the_held_order_is_refused_until_released(both: Both) -> None:
    both.run()
    judged = both.judged()
    _, partners = both.odoo.call("res.partner", "search_read", domain=[["ref", "!=", False]], fields=["ref"])
    linked = {p["ref"] for p in partners} & set(judged)
    assert len(linked) > 10
    held = sorted(c for c in linked if judged[c]["hold"])
    free = sorted(c for c in linked if not judged[c]["hold"])
    assert held
    assert free

    for code in (*held[:5], *free[:5]):
        shown, body = both.partner(code), judged[code]
        assert bool(shown["x_credit_hold"]) is body["hold"]
        assert Decimal(str(shown["x_credit_exposure"])) == Decimal(body["exposure"]["total"])
        if body["hold"]:
            assert any(reason["zh"] in shown["x_credit_hold_reason"] for reason in body["reasons"]), (
                "in Chinese, with numbers"
            )

    _, activities = both.odoo.call(
        "mail.activity",
        "search_read",
        domain=[["x_credit_task_key", "!=", False]],
        fields=["x_credit_task_key", "summary"],
    )
    keys = [a["x_credit_task_key"] for a in activities]
    assert len(keys) == len(set(keys)), "a task twice"
    assert {k.split(":")[2] for k in keys if k.startswith("hold:")} >= set(held)

    # In Tryton the same customers are in the category that stops their orders.
    admin = signed_in(both.erp, "admin")
    marked = admin.rows("party.party", [["categories.name", "=", "Credit hold"]], ["code"])
    assert {p["code"] for p in marked} >= set(held)

    rules = {c: {r["rule"] for r in judged[c]["reasons"]} for c in held}
    code = next(c for c in held if rules[c] <= {"limit_exceeded", "oldest_overdue", "limit_expired"})
    partner = both.partner(code)
    order = _quotation(both.odoo, partner["id"])
    status, answer = both.odoo.call("sale.order", "action_confirm", key="sales", ids=[order])
    assert status == 422, answer
    assert any(reason["zh"] in answer["message"] for reason in judged[code]["reasons"]), answer["message"]
    assert _state(both.odoo, order) == "draft"

    # In Tryton the customer pays what is overdue and finance raises the limit; the next run lets the order go.
    with contextlib.suppress(RejectedError):
        for _ in range(50):
            rehearsal.pay(admin, code)
    party = admin.rows("party.party", [["code", "=", code]], ["id"])[0]
    admin.call("model.party.party.write", [party["id"]], {"credit_limit_amount": Decimal(100_000_000)})
    done = both.run()
    assert done["evaluate"].counts["evaluated"] >= 1
    assert not both.partner(code)["x_credit_hold"]
    status, answer = both.odoo.call("sale.order", "action_confirm", key="sales", ids=[order])
    assert status == 200, answer
    assert _state(both.odoo, order) == "sale"


def test_a_quiet_run_writes_nothing(both: Both) -> None:
    both.run()
    done = both.run()
    assert done["push crm"].counts["done"] == 0
    assert done["push erp"].counts["done"] == 0
    with both.store.reading() as tx:
        assert outbox.listing(tx) == []


def _quotation(odoo: Odoo, partner: int) -> int:
    _, products = odoo.call("product.product", "search_read", domain=[["sale_ok", "=", True]], fields=["id"], limit=1)
    lines = [[0, 0, {"product_id": products[0]["id"], "product_uom_qty": 1, "price_unit": 1}]]
    status, made = odoo.call("sale.order", "create", vals_list=[{"partner_id": partner, "order_line": lines}])
    assert status == 200, made
    return int(made[0])


def _state(odoo: Odoo, order: int) -> str:
    _, found = odoo.call("sale.order", "read", ids=[order], fields=["state"])
    return str(found[0]["state"])
