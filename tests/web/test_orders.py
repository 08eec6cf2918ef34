"""Orders over HTTP: held, asked for, released by whom it needs, done once for each key; customers, limits and the trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connector.errors import ConfigError
from connector.model import Customer
from connector.store import audit, contacts, customers, idempotent
from connector.store.db import Store
from connector.text import Text
from connector.web.front import Front
from jobs import order as orders
from jobs.housekeeping import housekeeping
from tests.jobs.shop import Shop
from tests.web.conftest import Made, bearer

API = "/api/v1"


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """C1 may owe 1,000 and orders 1,500; C2 may owe 50,000 and orders 10.50."""
    rows = [Customer(id="C1", name="华东机械", currency="CNY"), Customer(id="C2", name="Seven & Sons", currency="CNY")]
    shop.customers(*rows, limits={"C1": 1000, "C2": 50_000})
    shop.order("SO1", "C1", 1500, number="N-1", owner="u7")
    shop.order("SO2", "C2", "10.50", number="N-2")
    shop.run()
    return shop


class As:
    """One caller."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client, self.token = client, token

    def get(self, path: str) -> Any:
        return self.client.get(API + path, headers=bearer(self.token))

    def post(self, path: str, body: Any = None, once: str | None = None) -> Any:
        more = {"Idempotency-Key": once} if once is not None else {}
        return self.client.post(API + path, json=body, headers={**bearer(self.token), **more})


@pytest.fixture
def people(client: TestClient, key: Made) -> dict[str, As]:
    return {name: As(client, key(name)) for name in ("wang.fang", "li.wei", "zhao.min", "chen.jie", "he.ping")}


def test_held_orders_are_listed_with_reasons_and_numbers(busy: Shop, people: dict[str, As]) -> None:
    told = people["chen.jie"].get("/orders").json()
    (line,) = told["orders"]
    assert (line["id"], line["number"], line["total"], line["state"], line["hold"]) == (
        "SO1",
        "N-1",
        "1500.00",
        "held",
        True,
    )
    reason = next(r for r in line["reasons"] if r["rule"] == "limit_exceeded")
    assert reason["en"].startswith("with this order exposure is CNY 1,500.00")
    assert "1,500.00" in reason["zh"]
    assert told["next"] is None
    every = people["chen.jie"].get("/orders?state=all&most=1").json()
    rest = people["chen.jie"].get(f"/orders?state=all&most=1&after={every['next']}").json()
    assert [o["id"] for o in every["orders"] + rest["orders"]] == ["SO1", "SO2"]
    assert [o["id"] for o in people["chen.jie"].get("/orders?state=all&customer=C2").json()["orders"]] == ["SO2"]


@pytest.mark.parametrize("name", ["SO1", "N-1", "books/SO1"])
def test_an_order_is_explained_by_any_of_its_names(busy: Shop, people: dict[str, As], name: str) -> None:
    told = people["chen.jie"].get(f"/orders/{name}").json()
    assert (told["order_id"], told["hold"], told["customer_id"]) == ("SO1", True, "C1")
    assert told["remedies"], "what would let it pass"
    # 500 above a limit of 1,000: he.ping sells, but nothing of this customer.
    assert {"li.wei", "zhao.min"} <= set(told["who_may_release"])
    assert "chen.jie" not in told["who_may_release"]


def test_an_order_is_asked_for_and_released_by_somebody_else(busy: Shop, people: dict[str, As]) -> None:
    asked = people["chen.jie"].post("/orders/SO1/request", {"why": "a good customer"})
    assert (asked.status_code, asked.json()["state"]) == (200, "requested")
    assert [o["id"] for o in people["li.wei"].get("/orders?state=requested").json()["orders"]] == ["SO1"]
    assert people["chen.jie"].post("/orders/SO1/release", {"why": "mine"}).status_code == 403
    given = people["li.wei"].post("/orders/SO1/release", {"why": "paid tomorrow", "up_to": "1600.00"}).json()
    assert (given["state"], given["hold"]) == ("released", False)
    assert (given["released"]["by"], given["released"]["max_total"]) == ("Li Wei", "1600.00")
    assert [line["what"] for line in given["history"]][-2:] == ["requested", "released"]
    assert busy.states()["SO1"] == "released"


def test_what_waits_is_shown_to_whom_it_waits_for(
    busy: Shop, people: dict[str, As], client: TestClient, key: Made
) -> None:
    people["chen.jie"].post("/orders/SO1/request", {"why": "a good customer"})
    told = people["li.wei"].get("/orders/waiting").json()
    (line,) = told["orders"]
    assert (told["count"], line["id"], line["state"], line["value"]) == (1, "SO1", "requested", "1500.00")
    assert [(r["by"], r["why"]) for r in line["requests"]] == [("person:chen.jie", "a good customer")]
    assert "li.wei" in line["who_may_release"]
    assert (bool(line["release_needs"]["en"]), bool(line["remedies"])) == (True, True)

    def mine(who: As) -> list[str]:
        return [one["id"] for one in who.get("/orders/waiting?mine=true").json()["orders"]]

    desk = As(client, key("app:desk", "approver"))
    assert [mine(who) for who in (people["li.wei"], people["chen.jie"], desk)] == [["SO1"], [], []]
    assert desk.get("/orders/waiting").json()["orders"][0]["may_decide"] is None
    people["li.wei"].post("/orders/SO1/release", {"why": "paid tomorrow"})
    assert people["li.wei"].get("/orders/waiting").json()["orders"] == []


def test_nobody_releases_what_he_sells_himself(
    busy: Shop, people: dict[str, As], front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    busy.order("SO4", "C1", 1200, owner="u8")
    busy.run()
    answer = people["he.ping"].post("/orders/SO4/release", {"why": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert answer.json()["detail"] == "He Ping is the salesperson in charge: somebody else has to approve it."
    assert [r.reason for r in caplog.records if hasattr(r, "reason")] == ["no_authority"]
    assert 'holdfast_refusals_total{reason="no_authority"} 1.0' in front.metrics.text().decode()
    with busy.store.reading() as tx:
        (kept,) = audit.listing(tx, action="order.denied")
    assert (kept.entry.actor, kept.entry.subject) == ("person:he.ping", "order:books/SO4")


def test_refusing_holding_and_lifting(busy: Shop, people: dict[str, As]) -> None:
    wang = people["wang.fang"]
    assert wang.post("/orders/SO1/refuse", {"why": "too much at once"}).json()["state"] == "refused"
    assert wang.post("/orders/SO2/hold", {"why": "wait for the contract"}).json()["hold"] is True
    assert wang.post("/orders/SO2/lift", {"why": "signed"}).json()["hold"] is False
    again = wang.post("/orders/SO2/lift", {"why": "signed"})
    assert again.status_code == 422
    assert "not held by hand" in again.json()["detail"]


def test_a_check_is_recorded_with_who_asked(busy: Shop, client: TestClient, key: Made) -> None:
    shop = As(client, key("app:webshop", "sales"))
    passed = shop.post("/orders/SO2/check", {"point": "delivery"}).json()
    assert (passed["may_go_on"], passed["point"], passed["reply"]) == (True, "delivery", "hold")
    held = shop.post("/orders/SO1/check", {}).json()
    assert (held["may_go_on"], held["point"]) == (False, "confirmation")
    assert shop.post("/orders/SO1/check", {"point": "tomorrow"}).status_code == 422
    assert shop.post("/orders/SO1/request", {"why": "x"}).status_code == 403, "a program asks for no release"


def test_a_name_that_is_nobodys(busy: Shop, people: dict[str, As]) -> None:
    for path in ("/orders/SO9", "/orders/../customers/C1", "/customers/C9", "/customers/C1/../C2", "/limits/9"):
        answer = people["li.wei"].get(path.replace("..", "%2e%2e"))
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    assert people["li.wei"].get("/orders?after=1e3").status_code == 422


# --- done once -------------------------------------------------------------------------------------------------------
def test_the_same_key_gets_the_same_answer_and_acts_once(busy: Shop, people: dict[str, As]) -> None:
    first = people["li.wei"].post("/orders/SO1/release", {"why": "paid tomorrow"}, once="r-1")
    again = people["li.wei"].post("/orders/SO1/release", {"why": "paid tomorrow"}, once="r-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert (first.headers.get("idempotent-replay"), again.headers.get("idempotent-replay")) == (None, "true")
    assert busy.happened("SO1").count("released") == 1
    other = people["li.wei"].post("/orders/SO1/release", {"why": "another reason"}, once="r-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    elsewhere = people["li.wei"].post("/orders/SO2/hold", {"why": "paid tomorrow"}, once="r-1")
    assert elsewhere.status_code == 409
    stranger = people["zhao.min"].post("/orders/SO2/hold", {"why": "mine"}, once="r-1")
    assert stranger.status_code == 200, "a key is its caller's own"


def test_what_was_refused_may_be_asked_again_under_its_key(busy: Shop, people: dict[str, As]) -> None:
    assert people["li.wei"].post("/orders/SO2/refuse", {"why": "no"}, once="k").status_code == 422
    busy.order("SO2", "C2", 900_000, number="N-2")
    busy.run()
    assert people["li.wei"].post("/orders/SO2/refuse", {"why": "no"}, once="k").status_code == 200


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 201])
def test_a_key_that_is_none(busy: Shop, people: dict[str, As], name: str) -> None:
    answer = people["li.wei"].client.post(
        f"{API}/orders/SO1/release", json={"why": "x"},
        headers={**bearer(people["li.wei"].token), "Idempotency-Key": name.encode()},  # type: ignore[dict-item]
    )  # fmt: skip
    assert answer.status_code == 400
    assert busy.states()["SO1"] == "held"


def test_a_crash_between_the_act_and_its_answer_does_not_act_twice(
    busy: Shop, people: dict[str, As], front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies once the release is committed: whoever asks again learns what became of it."""

    def dead(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr("connector.web.once.idempotent.answered", dead)
        broken.setattr("connector.web.api_orders.order_answer.explain", dead)
        assert people["li.wei"].post("/orders/SO1/release", {"why": "paid"}, once="c").status_code == 500
    again = people["li.wei"].post("/orders/SO1/release", {"why": "paid"}, once="c")
    assert (again.status_code, again.json()["state"]) == (200, "released")
    assert busy.happened("SO1").count("released") == 1


def test_a_request_that_was_killed_before_it_acted_is_done_a_minute_later(busy: Shop, people: dict[str, As]) -> None:
    @contextmanager
    def killed() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(orders, "refuse", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
            yield

    with killed():
        assert people["li.wei"].post("/orders/SO1/refuse", {"why": "no"}, once="k").status_code == 500
    soon = people["li.wei"].post("/orders/SO1/refuse", {"why": "no"}, once="k")
    assert (soon.status_code, soon.json()["code"]) == (409, "key_in_use")
    busy.clock.at += dt.timedelta(seconds=181)
    assert people["li.wei"].post("/orders/SO1/refuse", {"why": "no"}, once="k").status_code == 200


def test_eight_at_once_with_one_key_act_once(busy: Shop, people: dict[str, As]) -> None:
    def ask(_: int) -> int:
        return int(people["li.wei"].post("/orders/SO2/hold", {"why": "wait"}, once="same").status_code)

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(ask, range(8)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert busy.happened("SO2").count("manual") == 1


def test_answers_are_kept_for_a_day_and_then_forgotten(busy: Shop, people: dict[str, As]) -> None:
    people["li.wei"].post("/orders/SO1/refuse", {"why": "no"}, once="k")

    def kept(store: Store) -> int:
        with store.reading() as tx:
            return int(tx.exec_driver_sql("SELECT count(*) FROM idempotent").scalar_one())

    busy.clock.at += dt.timedelta(days=1)
    housekeeping(busy.store, busy.config, busy.clock)
    assert kept(busy.store) == 1
    busy.clock.at += dt.timedelta(days=1, seconds=1)
    housekeeping(busy.store, busy.config, busy.clock)
    assert kept(busy.store) == 0


def test_a_refusal_of_the_job_gives_the_key_back(busy: Shop) -> None:
    now = busy.clock.now()
    with busy.store.writing() as tx:
        assert idempotent.begin(tx, "person:x", "k", "sha", now) is None
        idempotent.forget(tx, "person:x", "k")
        assert idempotent.begin(tx, "person:x", "k", "other", now) is None
    with pytest.raises(ConfigError), idempotent.Once(busy.store, "person:x", "k").writing():
        raise ConfigError(Text("no", "不行"))
    with busy.store.writing() as tx:
        known = idempotent.begin(tx, "person:x", "k", "other", now)
    assert known is not None
    assert known.state == "begun", "what was rolled back has not acted"
    with idempotent.Once(busy.store, "person:x", "k").writing():
        pass
    with busy.store.writing() as tx:
        idempotent.forget(tx, "person:x", "k")
        known = idempotent.begin(tx, "person:x", "k", "other", now)
    assert known is not None
    assert known.state == "acted", "what has acted is never done again, whatever went wrong after it"


# --- customers, limits, the trail ------------------------------------------------------------------------------------
def test_customers_are_found_and_shown_with_amounts_as_texts(busy: Shop, people: dict[str, As]) -> None:
    chen = people["chen.jie"]
    assert [c["customer_id"] for c in chen.get("/customers?q=华东").json()["customers"]] == ["C1"]
    assert [c["customer_id"] for c in chen.get("/customers?q=SEVEN sons").json()["customers"]] == ["C2"]
    assert [c["customer_id"] for c in chen.get("/customers?q=C2").json()["customers"]] == ["C2"]
    assert chen.get("/customers?q=%25").json()["customers"] == [], "no wildcard"
    first = chen.get("/customers?most=1").json()
    rest = chen.get(f"/customers?most=1&after={first['next']}").json()
    assert [c["customer_id"] for c in first["customers"] + rest["customers"]] == ["C1", "C2"]
    told = chen.get("/customers/C1").json()
    assert told["exposure"]["total"] == "1500.00"
    assert told["limit"] == {"kind": "amount", "amount": "1000.00"}
    assert told["available"] == "-500.00"
    file = chen.get("/customers/C1/file").json()
    assert "decision" in {line["kind"] for line in file["lines"]}


def test_what_speaks_of_persons_is_seen_by_whom_it_concerns_and_that_is_kept(
    busy: Shop, people: dict[str, As], client: TestClient, key: Made
) -> None:
    with busy.store.writing() as tx:
        row = next(r for r in customers.customers(tx) if r.ref == "C1")
        said = contacts.Contact(
            customer=row.key, on=busy.today, kind="call", actor="person:wang.fang", note="Ms Li, 138 0000 0000"
        )
        contacts.add(tx, said, busy.clock.now())

    def lines(who: As, **asked: str) -> list[dict[str, Any]]:
        told = who.client.get(f"{API}/customers/C1/file", params=asked, headers=bearer(who.token))
        assert told.status_code == 200, told.text
        return [line for line in told.json()["lines"] if line["kind"] == "contact"]

    def sights() -> list[tuple[str, str, Any]]:
        with busy.store.reading() as tx:
            found = [line.entry for line in reversed(audit.listing(tx)) if line.entry.action == "file.personal"]
        return [(one.actor, one.why, one.after) for one in found]

    auditor = As(client, key("app:auditing", "auditor"))
    scoped = As(client, key("wang.fang", rights=("read",)))
    admin = As(client, key("app:console", "admin"))
    for who in (people["wang.fang"], people["chen.jie"], auditor):
        assert [(one["masked"], one["data"], "138" in one["en"]) for one in lines(who)] == [(True, {}, False)]
    for who in (people["chen.jie"], scoped, admin):
        refused = who.get("/customers/C1/file?personal=curious")
        assert (refused.status_code, "138" in refused.text) == (403, False)
    assert people["wang.fang"].get("/customers/C1/file?personal=%20").status_code == 422
    assert sights() == [], "nobody has seen anything"
    for who in (people["wang.fang"], people["li.wei"], auditor):
        (one,) = lines(who, personal="about the promise")
        assert "138 0000 0000" in one["en"]
        assert "138 0000 0000" in one["zh"]
        assert not one["masked"]
    assert sights() == [
        (actor, "about the promise", {"lines": 1}) for actor in ("person:wang.fang", "person:li.wei", "app:auditing")
    ]
    assert people["wang.fang"].get("/customers/C2/file?personal=x").status_code == 200
    assert len(sights()) == 3, "where there is nothing of the kind nothing is seen"


def test_a_limit_is_asked_for_and_approved_by_somebody_else(busy: Shop, people: dict[str, As]) -> None:
    wang = people["wang.fang"]
    asked = wang.post("/limits", {"customer": "C2", "amount": "40000.00", "why": "less needed"}).json()
    number = asked["request"]["number"]
    assert (asked["request"]["state"], asked["request"]["amount"]) == ("open", "40000.00")
    assert [r["number"] for r in wang.get("/limits").json()["requests"]] == [number]
    assert people["chen.jie"].post(f"/limits/{number}/approve", {}).status_code == 403
    for name in asked["request"]["waits_for"]:
        done = people[name].post(f"/limits/{number}/approve", {"why": "agreed"}).json()
        if done["request"]["state"] != "open":
            break
    assert done["request"]["state"] in ("granted", "in_force")
    assert people["li.wei"].post(f"/limits/{number}/reject", {"why": "late"}).status_code == 422
    # Who sells asks here as he does in the panel, and decides nothing.
    wish = {"customer": "C2", "amount": "70000.00", "why": "turnover doubles"}
    more = people["chen.jie"].post("/limits", wish).json()["request"]
    assert (more["requested_by"], more["state"]) == ("person:chen.jie", "open")
    assert people["chen.jie"].post(f"/limits/{more['number']}/approve", {}).status_code == 403
    assert wang.post("/limits", wish).json()["request"]["number"] > more["number"]
    assert people["chen.jie"].post("/limits", wish).status_code == 422, "credit's own request waits"
    assert wang.get(f"/limits/{number}").json()["requested_by"] == "person:wang.fang"


@pytest.mark.parametrize(
    "amount", ["1e9", "NaN", "Infinity", "-5", "1,000", "10.123", "9" * 40, "", 1000, 1000.5, None]
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_amount_is_a_plain_decimal_text(busy: Shop, people: dict[str, As], amount: Any) -> None:
    answer = people["wang.fang"].post("/limits", {"customer": "C1", "amount": amount, "why": "x"})
    assert answer.status_code == 422, answer.text
    assert people["wang.fang"].get("/limits").json()["requests"] == []


def test_no_answer_is_kept_by_anybody_on_the_way(busy: Shop, people: dict[str, As]) -> None:
    for path in ("/orders", "/orders/SO1", "/customers/C1", "/me", "/orders/SO9"):
        assert people["li.wei"].get(path).headers["cache-control"] == "no-store"


def test_the_trail_is_the_auditors(busy: Shop, client: TestClient, key: Made, people: dict[str, As]) -> None:
    auditor = As(client, key("app:archive", "auditor"))
    people["li.wei"].post("/orders/SO1/release", {"why": "paid tomorrow"})
    (entry,) = auditor.get("/audit?action=order.released").json()["audit"]
    assert (entry["actor"], entry["subject"], entry["why"]) == ("person:li.wei", "order:books/SO1", "paid tomorrow")
    proof = auditor.get("/audit/verify").json()
    assert (proof["whole"], proof["found"]) == (True, [])
    assert proof["entries"] == sum(int(head.split(":")[1]) for head in proof["heads"]) > 1
    assert people["li.wei"].get("/audit").status_code == 403


def test_warnings_runs_and_problems(busy: Shop, people: dict[str, As]) -> None:
    li = people["li.wei"]
    (line,) = [w for w in li.get("/warnings?customer=C1").json()["warnings"] if w["indicator"] == "utilisation"]
    assert (line["level"], line["value"]) == ("red", "1.5000")
    assert li.get("/runs?job=evaluate").json()["runs"][0]["state"] == "done"
    assert li.get("/problems").json() == {"problems": []}
