"""Warnings over HTTP: who may take note of one, what is answered, and what is left out after it."""

from __future__ import annotations

import datetime as dt

from fastapi.testclient import TestClient

from connector.model import Customer
from tests.jobs.shop import Shop
from tests.web.conftest import Made, bearer

API = "/api/v1/warnings"


def test_taking_note_of_a_warning(shop: Shop, client: TestClient, key: Made) -> None:
    shop.customers(Customer(id="C1", name="华东机械", currency="CNY"), limits={"C1": 500_000})
    shop.invoice("D1", "C1", 90_000, shop.today - dt.timedelta(days=20))
    shop.invoice("D2", "C1", 10_000, shop.today + dt.timedelta(days=20))
    shop.run()
    sales, control = bearer(key("chen.jie")), bearer(key("wang.fang"))
    names = [line["indicator"] for line in client.get(API, headers=sales).json()["warnings"]]
    assert "oldest_overdue" in names
    until = (shop.today + dt.timedelta(days=7)).isoformat()
    asked = {"customer": "books/C1", "indicators": ["oldest_overdue"], "why": "pays on Monday", "until": until}
    assert client.post(f"{API}/acknowledge", json=asked, headers=sales).status_code == 403
    program = bearer(key("app:shop", "credit_controller"))
    assert client.post(f"{API}/acknowledge", json=asked, headers=program).status_code == 403
    for wrong in ({"until": shop.today.isoformat()}, {"indicators": ["court"]}, {"why": " "}, {"customer": "nobody"}):
        refused = client.post(f"{API}/acknowledge", json=asked | wrong, headers=control)
        assert 400 <= refused.status_code < 500
    once = {**control, "Idempotency-Key": "k-1"}
    done = client.post(f"{API}/acknowledge", json=asked, headers=once)
    assert done.status_code == 200
    (noted,) = [line for line in done.json()["warnings"] if line["rests"]]
    assert noted["indicator"] == "oldest_overdue"
    assert {k: noted["acknowledged"][k] for k in ("by", "why", "until", "level")} == {
        "by": "person:wang.fang", "why": "pays on Monday", "until": until, "level": noted["level"],
    }  # fmt: skip
    assert client.post(f"{API}/acknowledge", json=asked, headers=once).json() == done.json()
    left = client.get(API, params={"rests": "false"}, headers=sales).json()["warnings"]
    assert [line["indicator"] for line in left] == [name for name in names if name != "oldest_overdue"]
