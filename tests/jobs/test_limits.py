"""An approved limit reaches the ledger's own system, once, and is told where somebody changes it there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.tryton import ADAPTER
from adapters.tryton.sandbox import make
from connector.clock import FixedClock
from connector.config import Config, parse
from connector.connect import Connected
from connector.errors import ConfigError
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import customers, links, outbox
from connector.store.db import Store
from jobs.limits import limit_approved
from jobs.link import link
from jobs.night import connected_systems
from jobs.pull import pull
from jobs.push import push
from jobs.reconcile import reconcile
from tests.store.conftest import emptied

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
CONFIG = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"
[[systems]]
name = "erp"
adapter = "tryton"
roles = ["erp"]
write = {write}
settings = {{ base_url = "{url}", database = "holdfast", user = "connector", admin_user = "admin" }}
[systems.secrets]
password = "env:HOLDFAST_LIMITS"
admin_password = "env:HOLDFAST_LIMITS_ADMIN"
"""


@dataclass
class Desk:
    config: Config
    store: Store
    erp: Sandbox
    clock: FixedClock

    @property
    def systems(self) -> list[Connected]:
        return connected_systems(self.config, self.clock)

    def customer(self) -> str:
        with self.store.reading() as tx:
            return next(r.ref for r in customers.customers(tx, systems=["erp"]) if r.known and r.currency == "CNY")

    def approve(self, ref: str, amount: Decimal | None, currency: str = "CNY", **more: Any) -> int:
        with self.store.writing() as tx:
            return limit_approved(
                tx, self.systems, system="erp", ref=ref, amount=amount, currency=currency, now=self.clock.now(), **more
            )

    def push(self) -> Any:
        (erp,) = self.systems
        return push(self.store, erp)

    def there(self, ref: str) -> Any:
        """What Tryton holds, in its own words."""
        (erp,) = self.systems
        channel = ADAPTER.channel("limit")
        assert channel is not None
        assert channel.current is not None
        return channel.current(erp.client, [ref])[ref]["credit_limit_amount"]


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    erp = make(SandboxOptions(customers=12, seed=5, as_of=NOW.date()))
    secrets = erp.credentials()
    monkeypatch.setenv("HOLDFAST_LIMITS", secrets["password"])
    monkeypatch.setenv("HOLDFAST_LIMITS_ADMIN", secrets["admin_password"])
    with erp.served() as url:
        config, problems = parse(CONFIG.format(url=url, write="true"), "config.toml", tmp_path)
        assert config is not None, problems
        if request.param == "postgresql":
            store: Store = request.getfixturevalue("pg_store")
            emptied(store)
        else:
            store = Store.open(config.store_url)
        made = Desk(config, store, erp, FixedClock(NOW))
        (connected,) = made.systems
        assert not pull(store, connected).failed
        link(store, config, made.clock)
        yield made
        if request.param == "sqlite":
            store.close()


def test_an_approved_limit_is_written_once(desk: Desk) -> None:
    ref = desk.customer()
    assert desk.approve(ref, Decimal("123456.78")) == 1
    assert desk.approve(ref, Decimal("123456.780")) == 0, "the same amount"
    done = desk.push()
    assert (done.counts["done"], done.problems) == (1, [])
    assert desk.there(ref) == Decimal("123456.78")
    assert desk.approve(ref, Decimal("123456.78")) == 0
    before = len(desk.erp.writes())
    desk.push()
    assert len(desk.erp.writes()) == before


def test_a_newer_approval_supersedes_one_that_was_not_written_yet(desk: Desk) -> None:
    ref = desk.customer()
    desk.approve(ref, Decimal(100))
    desk.approve(ref, Decimal(200))
    assert desk.push().counts["done"] == 1
    assert desk.there(ref) == 200


def test_no_credit_and_no_limit_are_two_things(desk: Desk) -> None:
    ref = desk.customer()
    desk.approve(ref, Decimal(0))
    desk.push()
    assert desk.there(ref) == 0
    assert desk.there(ref) is not None, "nothing is allowed"
    desk.approve(ref, None)
    desk.push()
    assert desk.there(ref) is None, "nothing is checked"


def test_a_limit_in_another_currency_is_parked_with_the_reason(desk: Desk) -> None:
    ref = desk.customer()
    before = desk.there(ref)
    desk.approve(ref, Decimal(5000), "USD")
    done = desk.push()
    assert done.counts["parked"] == 1
    (problem,) = done.problems
    assert "The limit is in USD; limits in Tryton are in the company's currency, CNY." in problem.what.en
    assert desk.there(ref) == before
    (again,) = desk.push().problems
    assert again.code == "parked", "it stays told until somebody mends or drops it"
    desk.approve(ref, Decimal(36000))
    assert desk.push().problems == [], "the next approval supersedes it"
    assert desk.there(ref) == 36000


def test_where_limits_are_kept_nothing_is_written_back(desk: Desk) -> None:
    ref = desk.customer()
    assert desk.approve(ref, Decimal(500), master="erp") == 0
    systems = tuple(s.model_copy(update={"write": False}) for s in desk.config.systems)
    desk.config = desk.config.model_copy(update={"systems": systems})
    assert desk.approve(ref, Decimal(500)) == 0, "nothing is written to this system at all"


def test_of_several_customers_of_one_debtor_only_the_one_gets_it(desk: Desk) -> None:
    with desk.store.writing() as tx:
        one, other = [r for r in customers.customers(tx, systems=["erp"]) if r.known][:2]
        assert one.debtor is not None
        links.link(tx, other.key, one.debtor, "person", confirmed=True)
    assert desk.approve(one.ref, Decimal(777)) == 1
    with desk.store.reading() as tx:
        assert [r.target for r in outbox.listing(tx)] == [one.ref]


def test_what_is_no_limit_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="erp has no customer nobody"):
        desk.approve("nobody", Decimal(1))
    with pytest.raises(ConfigError, match="not below nought"):
        desk.approve(desk.customer(), Decimal(-1))


def test_a_limit_that_somebody_changed_there_is_told_and_left(desk: Desk) -> None:
    ref = desk.customer()
    desk.approve(ref, Decimal(1000))
    desk.push()
    party = next(p for p in desk.erp.shelf.all("party.party") if p["code"] == ref)
    desk.erp.shelf.put("party.party", party["id"], {**party, "credit_limit_amount": "2500"})
    changed = desk.there(ref)
    assert changed == 2500
    (erp,) = desk.systems
    done = reconcile(desk.store, erp)
    (problem,) = done.problems
    assert (problem.code, problem.field, done.counts["restored"]) == ("limit_changed", "credit_limit_amount", 0)
    assert "credit_limit_amount is 2500, we wrote 1000" in problem.what.en
    assert desk.there(ref) == 2500
