"""A CRM that shows the panel, for tests: two CRMs beside the shop's ledger, and what their server-side code does."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from connector.config import Config, System
from connector.config_panel import PanelSettings
from connector.config_people import PersonSettings
from connector.config_service import ServiceSettings
from connector.model import Application, Customer, Limit, Order, Payment, Person, Promise
from connector.store.db import Store
from jobs.link import link
from tests.jobs.shop import PEOPLE, SYSTEM, TODAY, Shop, config
from tests.store.books import save

SECRET = "secret-of-the-panel-of-the-crm-000001"
BEFORE = "secret-of-the-panel-before-0000000001"
OTHER = "secret-of-the-panel-of-another-000001"
ADDRESS = "https://credit.example.com"
CHEN = PersonSettings(id="chen.jie", name="陈洁", roles=("sales",), ids={"books": "u7", "crm": "5001"})
NOBODY = PersonSettings(id="gu.wen", name="顾问", roles=(), ids={"crm": "5002"})
STAFF = (*(p for p in PEOPLE if p.id != "chen.jie"), CHEN, NOBODY)


def crm(name: str, variable: str, **panel: Any) -> System:
    more = {"secret": f"env:{variable}", **panel}
    return System(
        name=name, adapter="zoho_crm", roles=("crm",), settings={"data_center": "cn"}, panel=PanelSettings(**more)
    )


def framed(folder: Path, people: tuple[PersonSettings, ...] = STAFF, **panel: Any) -> Config:
    """The shop's configuration with two CRMs that show the panel, and one that does not."""
    systems = (
        SYSTEM,
        crm("crm", "PANEL", secret_before="env:PANEL_BEFORE", **panel),
        crm("crm2", "PANEL_OTHER"),
        System(name="plain", adapter="zoho_crm", roles=("crm",), settings={"data_center": "eu"}),
    )
    made = config(folder, people)
    return made.model_copy(update={"systems": systems, "service": ServiceSettings(address=ADDRESS)})


def filled(store: Store, settings: Config) -> Shop:
    """华东机械 (A1 in the CRM) may owe 100,000, is late and has an order that is held; A2 owes nothing."""
    shop = Shop(store, settings)
    rows = [
        Customer(
            id="C1", name="华东机械有限公司", currency="CNY", tax_id="91310000MA1FL0A123", email="cai@example.com"
        ),
        Customer(id="C2", name="Seven & Sons <script>alert(1)</script>", currency="CNY"),
    ]
    shop.customers(*rows, limits={"C1": 100_000, "C2": 50_000})
    shop.invoice("INV-1", "C1", "48000.50", TODAY - dt.timedelta(days=41))
    shop.invoice("INV-2", "C1", "22000", TODAY - dt.timedelta(days=12))
    shop.invoice("INV-3", "C1", "20000", TODAY + dt.timedelta(days=20))
    shop.invoice("INV-0", "C1", "30000", TODAY - dt.timedelta(days=100))
    day = TODAY - dt.timedelta(days=34)
    shop.say("payments", Payment(id="P1", customer_id="C1", received_on=day, currency="CNY", amount=3_000_000))
    from decimal import Decimal

    shop.say("applications", Application(from_id="P1", to_id="INV-0", amount=Decimal(30000), applied_on=day))
    due = TODAY + dt.timedelta(days=4)
    shop.say(
        "promises", Promise(id="R1", customer_id="C1", made_on=TODAY, due_on=due, amount=4_800_050, currency="CNY")
    )
    shop.order("SO1", "C1", "60000", number="SO-1001", owner="u9")
    shop.order("SO2", "C2", "900", number="SO-2001")
    with store.writing() as tx:
        for name in ("crm", "crm2"):
            save(
                tx, "accounts",
                [Customer(id="A1", name="华东机械", external_id="C1"), Customer(id="A2", name="Seven", external_id="C2"),
                 Customer(id="A3", name="Nobody's", owner="5001")],
                system=name, now=shop.clock.now(), ledger_currency="CNY",
            )  # fmt: skip
            save(
                tx, "sales_orders",
                [Order(id="Z1", customer_id="A1", number="SO-1001", ordered_on=TODAY, currency="CNY", amount=6_000_000)],
                system=name, now=shop.clock.now(), ledger_currency="CNY",
            )  # fmt: skip
        users = [
            Person(id="5001", name="Chen Jie"),
            Person(id="5009", name="Stranger"),
            Person(id="5010", name="Gone", active=False),
        ]
        save(tx, "users", users, system="crm", now=shop.clock.now(), ledger_currency="CNY")
    link(store, settings, shop.clock)
    shop.run()
    return shop


@dataclass
class Frame:
    """What the CRM's server-side code and its browser do."""

    client: TestClient
    shop: Shop

    def signed(self, body: bytes, secret: str = SECRET, at: dt.datetime | None = None) -> dict[str, str]:
        stamp = str(int((at or self.shop.clock.now()).timestamp()))
        told = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-Holdfast-Signature": f"t={stamp},v1={told}"}

    def call(self, path: str, secret: str = SECRET, at: dt.datetime | None = None, **said: Any) -> Any:
        whole = {"object": "Accounts", "record_id": "A1", "crm_user": "5001", **said}
        body = json.dumps({name: value for name, value in whole.items() if value is not None}).encode()
        return self.client.post(path, content=body, headers=self.signed(body, secret, at))

    def launch(self, system: str = "crm", **said: Any) -> Any:
        return self.call(f"/launch/{system}", **said)

    def code(self, system: str = "crm", **said: Any) -> str:
        answer = self.launch(system, nonce=str(next(_NUMBERS)), **said)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["code"])

    def open(self, code: str, system: str = "crm", **query: str) -> Any:
        return self.client.get(f"/panel/{system}", params={"code": code, **query})

    def page(self, system: str = "crm", **said: Any) -> Any:
        answer = self.open(self.code(system, **said), system)
        assert answer.status_code == 200, answer.text
        return answer

    def send(self, page: Any, system: str = "crm", **fields: str) -> Any:
        """Sends a form of a page: its hidden fields, and what was typed."""
        return self.client.post(f"/panel/{system}", data={**fields_of(page.text, fields.get("do", "")), **fields})


_NUMBERS = iter(range(10**9))


def fields_of(page: str, do: str) -> dict[str, str]:
    """The hidden fields of the first form of a page that does something."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
        if fields.get("do", "") == do:
            return fields
    raise AssertionError(f"no form for {do!r}")


__all__ = ["ADDRESS", "BEFORE", "OTHER", "SECRET", "Frame", "Limit", "fields_of", "filled", "framed"]
