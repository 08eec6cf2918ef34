"""A running front follows what is put in use in the database: people, systems, their webhooks; nobody restarts anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connector.config import Config, parse
from connector.config_seal import make_key
from connector.credit.authority import Person
from connector.mapping import shipped
from connector.store import documents
from connector.store.db import Connection
from connector.web.app import make
from connector.web.front import Front
from jobs import people, systems
from tests.jobs.shop import NOON, Shop
from tests.web.conftest import Made, bearer

ME = "/api/v1/me"
ROOT = Person("root", roles=frozenset({"admin"}))
FILE = """
[store]
seal_key = "file:seal.key"
[service]
address = "https://credit.example.com"
[[people]]
id = "root"
roles = ["admin"]
"""
ODOO = """
[[systems]]
name = "odoo"
adapter = "odoo"
roles = ["crm"]
settings = { base_url = "https://odoo.example.com" }
[systems.secrets]
api_key = "sealed:odoo/api_key"
[systems.hook]
secret = "sealed:odoo/hook"
"""
SECRETS = {"odoo/api_key": "k" * 40, "odoo/hook": "a-long-and-random-secret-of-webhooks"}


class Clock:
    """The process's own seconds, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("connector.web.people.time.monotonic", lambda: clock.seconds)
    return clock


@pytest.fixture
def config(tmp_path: Path) -> Config:
    make_key(tmp_path / "seal.key")
    made, problems = parse(FILE, "config.toml", tmp_path)
    assert made is not None, problems
    return made


@pytest.fixture
def front(shop: Shop, config: Config) -> Front:
    return Front(shop.store, config, shop.clock)


@pytest.fixture
def client(front: Front, seconds: Clock) -> Iterator[TestClient]:
    with TestClient(make(front), raise_server_exceptions=False) as made:
        yield made


def act(shop: Shop, done: Callable[[Connection], Any]) -> None:
    with shop.store.writing() as tx:
        done(tx)


def test_who_is_entered_comes_in_and_who_is_taken_out_is_out(
    client: TestClient, shop: Shop, config: Config, key: Made, seconds: Clock
) -> None:
    token, other = key("ada"), key("root")

    def status() -> tuple[int, int]:
        seconds.pass_(1.0)
        return client.get(ME, headers=bearer(token)).status_code, client.get(ME, headers=bearer(other)).status_code

    assert status() == (401, 200)
    act(shop, lambda tx: people.add(tx, config, {"id": "ada", "roles": ["sales"]}, person=ROOT, now=NOON))
    assert status() == (200, 200)
    act(shop, lambda tx: people.change(tx, config, "ada", {"roles": ["viewer"]}, person=ROOT, now=NOON))
    assert status() == (200, 200)
    assert client.get(ME, headers=bearer(token)).json()["rights"] == ["read"]
    act(shop, lambda tx: people.remove(tx, config, "ada", person=ROOT, now=NOON))
    assert status() == (401, 200)


def test_a_system_is_there_when_it_is_connected_and_gone_when_it_is_taken_out(
    client: TestClient, shop: Shop, config: Config, front: Front, seconds: Clock
) -> None:
    def call() -> int:
        seconds.pass_(1.0)
        return client.post("/hooks/odoo", json={"_model": "res.partner", "_id": 1}).status_code

    assert call() == 404
    assert front.systems == ()
    act(shop, lambda tx: systems.connect_system(tx, config, ODOO, person=ROOT, now=NOON, secrets=SECRETS))
    assert call() in (401, 403), "it is known now, and this call is a forgery"
    (connected,) = front.systems
    assert connected.connection.secret("api_key") == "k" * 40
    act(
        shop,
        lambda tx: systems.connect_system(
            tx, config, ODOO.replace("odoo.example", "erp.example"), person=ROOT, now=NOON, secrets=SECRETS
        ),
    )
    call()
    (changed,) = front.systems
    assert changed is not connected
    assert changed.connection.settings.base_url == "https://erp.example.com"
    call()
    assert list(front.systems) == [changed], "what has not changed keeps its connections"
    act(shop, lambda tx: systems.remove(tx, config, "odoo", person=ROOT, now=NOON))
    assert call() == 404
    assert list(front.systems) == []


def test_a_mapping_that_is_put_in_use_counts_at_once(
    client: TestClient, shop: Shop, config: Config, front: Front, key: Made, seconds: Clock
) -> None:
    act(shop, lambda tx: systems.connect_system(tx, config, ODOO, person=ROOT, now=NOON, secrets=SECRETS))
    token = key("root")

    def version() -> str:
        seconds.pass_(1.0)
        assert client.get(ME, headers=bearer(token)).status_code == 200
        (connected,) = front.systems
        return str(connected.chosen.name)

    assert version() == "odoo.toml"
    before = front.config

    def put(tx: Connection) -> None:
        made = documents.save(tx, documents.MAPPING, "odoo", "# our own\n" + shipped("odoo"), author="root", now=NOON)
        documents.activate(tx, documents.MAPPING, "odoo", made.number, author="root", now=NOON)

    act(shop, put)
    assert version() == "odoo@1"
    assert front.config is before
    assert front.systems[0].mapping.writes_to("customer_fields")


def test_who_comes_often_never_waits_for_a_look(client: TestClient, key: Made, front: Front, seconds: Clock) -> None:
    """Between two looks nothing is asked, and one look is enough for many who come at once."""
    looks: list[float] = []
    sign_in = client.app.state.sign_in  # type: ignore[attr-defined]
    real = sign_in.people._read

    def read() -> Config:
        looks.append(seconds.seconds)
        return real()  # type: ignore[no-any-return]

    sign_in.people._read = read
    token = key("root")
    for step in (1.0, 0.0, 0.4, 0.0, 0.2, 0.0):
        seconds.pass_(step)
        assert client.get(ME, headers=bearer(token)).status_code == 200
    until = time.time() + 10
    while len(looks) < 2 and time.time() < until:
        client.get(ME, headers=bearer(token))
    assert looks == [1001.0, 1001.6]


def test_a_database_that_is_away_changes_nothing(
    client: TestClient, key: Made, front: Front, seconds: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = key("root")
    assert client.get(ME, headers=bearer(token)).status_code == 200
    before = front.config

    def away() -> Config:
        raise RuntimeError("whatever it is")

    monkeypatch.setattr(client.app.state.sign_in.people, "_read", away)  # type: ignore[attr-defined]
    seconds.pass_(1.0)
    assert client.get(ME, headers=bearer(token)).status_code == 200
    assert front.config is before
