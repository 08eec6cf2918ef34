"""A real Odoo calls us: rules made by the connector, a confirmed order and a payment told within a second, forged calls
refused, nothing told once it is asked to stop.

The server is `../shared/live/odoo` in a folder of its own: `HOLDFAST_ODOO_LAB` names the folder. A database of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.hook import address_token
from connector.sandbox_hooks import post
from connector.store import inbox
from jobs import channels
from jobs.hooks import heed
from jobs.night import work
from tests.web.calling import SECRET, Called, served

SHARED = Path(__file__).resolve().parents[3] / "shared" / "live" / "odoo"
LAB = os.environ.get("HOLDFAST_ODOO_LAB", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (SHARED / "up").is_file(), reason="../shared/live/odoo is not there"),
    pytest.mark.skipif(not LAB, reason="HOLDFAST_ODOO_LAB names no folder for a real Odoo"),
]
CONFIG = """
[business]
currency = "USD"
time_zone = "Asia/Shanghai"
[[systems]]
name = "erp"
adapter = "odoo"
roles = ["erp"]
settings = {{ base_url = "{url}", database = "{db}" }}
[systems.secrets]
api_key = "env:HOLDFAST_TEST_ODOO_KEY"
admin_key = "env:HOLDFAST_TEST_ODOO_ADMIN"
"""


@dataclass
class Office:
    """A real Odoo that has been asked to call the service."""

    called: Called
    admin: Any

    def events(self) -> list[inbox.Kept]:
        with self.called.store.reading() as tx:
            return inbox.events(tx)

    def told(self, wanted: Callable[[inbox.Kept], bool]) -> inbox.Kept:
        """The event, as soon as it has come."""
        for _ in range(100):
            if found := next((e for e in self.events() if wanted(e)), None):
                return found
            time.sleep(0.1)
        raise AssertionError(f"nothing of it was told: {[(e.streams, e.key) for e in self.events()]}")

    def order(self) -> int:
        """A salesperson makes an order and confirms it; its id."""
        (partner,) = self.admin.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=1)
        (product,) = self.admin.ids("product.product", [["sale_ok", "=", True]], limit=1)
        line = [0, 0, {"product_id": product, "product_uom_qty": 1, "price_unit": 120}]
        values = [{"partner_id": partner, "order_line": [line]}]
        (made,) = self.admin.call("sale.order", "create", safe=False, vals_list=values)
        self.admin.call("sale.order", "action_confirm", safe=False, ids=[made])
        return int(made)

    def paid(self) -> int:
        """A customer pays an invoice in full; its id."""
        asked = [["move_type", "=", "out_invoice"], ["state", "=", "posted"], ["payment_state", "=", "not_paid"]]
        (invoice,) = self.admin.ids("account.move", asked, limit=1)
        context = {"active_model": "account.move", "active_ids": [invoice]}
        made = self.admin.call("account.payment.register", "create", safe=False, vals_list=[{}], context=context)
        self.admin.call("account.payment.register", "action_create_payments", safe=False, ids=list(made))
        return int(invoice)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    options = ["--db", "holdfast_hooks", "--seed", "5", "--customers", "20", "--invoices", "60"]
    up = subprocess.run([str(SHARED / "up"), LAB, *options], capture_output=True, text=True, check=True)
    lab = json.loads(up.stdout)
    os.environ["HOLDFAST_TEST_ODOO_KEY"] = lab["keys"]["connector"]
    os.environ["HOLDFAST_TEST_ODOO_ADMIN"] = lab["keys"]["admin"]
    os.environ["HOLDFAST_TEST_HOOK"] = SECRET
    path = tmp_path_factory.mktemp("live") / "config.toml"
    path.write_text(CONFIG.format(url=lab["url"], db=lab["db"]))
    with served(path, {"erp": "env:HOLDFAST_TEST_HOOK"}) as called:
        erp = called.connected("erp")
        work(called.store, called.config, None, called.front.clock)
        made = channels.subscribe(called.store, called.config, erp, actor="person:test")
        assert {s.id for s in made} >= {"sale.order", "account.move", "res.partner"}
        try:
            yield Office(called, erp.client.as_administrator())
        finally:
            channels.unsubscribe(called.store, called.config, erp, actor="person:test")


def test_a_confirmed_order_is_told_and_read(office: Office) -> None:
    order = office.order()
    told = office.told(lambda e: e.key == str(order))
    assert told.streams == ("orders",)
    runs = heed(office.called.store, office.called.config, None, office.called.front.clock)
    (pulled,) = [r for r in runs if r.job == "pull"]
    assert pulled.failed is None
    assert pulled.counts["new"] + pulled.counts["changed"] >= 1
    assert not [e for e in office.events() if e.heeded_at is None]


def test_a_payment_is_told_and_read(office: Office) -> None:
    invoice = office.paid()
    told = office.told(lambda e: e.key == str(invoice))
    assert "items" in told.streams
    assert "applications" in told.streams
    runs = heed(office.called.store, office.called.config, None, office.called.front.clock)
    (pulled,) = [r for r in runs if r.job == "pull"]
    assert pulled.counts["new"] >= 2, "the payment and what it was set against"


def test_one_change_is_one_event_and_the_next_is_another(office: Office) -> None:
    """`write_date` tells one change from the next: two in a row are two, and nothing is dropped as a repetition."""
    (partner,) = office.admin.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=1)
    before = len([e for e in office.events() if e.key == str(partner)])
    for number in range(4):
        office.admin.call("res.partner", "write", safe=True, ids=[partner], vals={"ref": f"H{number}"})
    office.told(lambda e: e.key == str(partner) and e.attempts == 0)
    time.sleep(1)
    assert len([e for e in office.events() if e.key == str(partner)]) - before == 4


def test_a_forged_call_is_refused(office: Office) -> None:
    base = f"{office.called.url}/hooks/erp"
    body = json.dumps({"_model": "sale.order", "_id": 1, "_action": "x(#1)"}).encode()
    before = len(office.events())
    for token in ("", "/wrong", f"/{address_token('another secret of the operator', 'erp')}"):
        assert post(base + token, body, {"content-type": "application/json"})[0] == 401
    assert len(office.events()) == before


def test_what_an_administrator_broke_is_mended(office: Office) -> None:
    rules = office.admin.rows("base.automation", [["name", "=like", "Holdfast: tell of %"]], ["name"])
    office.admin.call("base.automation", "write", safe=True, ids=[r["id"] for r in rules], vals={"active": False})
    order = office.order()
    time.sleep(1)
    assert str(order) not in {e.key for e in office.events() if e.streams == ("orders",)}
    run = channels.renew(office.called.store, office.called.config, office.called.connected("erp"), force=True)
    assert run.failed is None
    assert run.counts["renewed"] == len(rules)
    again = office.order()
    office.told(lambda e: e.key == str(again))


def test_asked_to_stop_it_tells_nothing(office: Office) -> None:
    erp = office.called.connected("erp")
    channels.unsubscribe(office.called.store, office.called.config, erp, actor="person:test")
    before = len(office.events())
    office.order()
    time.sleep(1.5)
    assert len(office.events()) == before
    urls = office.admin.rows("ir.actions.server", [["name", "=like", "Holdfast: tell of %"]], ["webhook_url"])
    assert urls
    assert not [u for u in urls if u["webhook_url"]], "the address, which holds a token, stays there"
