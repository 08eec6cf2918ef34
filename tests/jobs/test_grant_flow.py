"""A limit that is kept here reaches the ERP, day by day as it turns; two who decide at once do not both decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.tryton.sandbox import make
from connector.clock import FixedClock
from connector.config import parse
from connector.config_people import acting
from connector.credit.granting import Request
from connector.errors import ConfigError
from connector.money import to_minor
from connector.policy import default_policy
from connector.sandbox import SandboxOptions
from connector.store import customers
from connector.store.db import Store
from jobs import grant, grant_ask
from jobs.evaluate import evaluate
from jobs.link import link
from jobs.pull import pull
from jobs.push import push
from tests.jobs.limit_desk import LimitDesk
from tests.jobs.test_limits import CONFIG, NOW, Desk
from tests.store.conftest import emptied
from tests.store.conftest import store as store

POLICY = default_policy()
PEOPLE = """
[limits]
master = "here"
[[people]]
id = "li"
roles = ["approver"]
[[people]]
id = "wang"
roles = ["approver"]
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    erp = make(SandboxOptions(customers=6, seed=5, as_of=NOW.date()))
    secrets = erp.credentials()
    monkeypatch.setenv("HOLDFAST_LIMITS", secrets["password"])
    monkeypatch.setenv("HOLDFAST_LIMITS_ADMIN", secrets["admin_password"])
    with erp.served() as url:
        config, problems = parse(PEOPLE + CONFIG.format(url=url, write="true"), "config.toml", tmp_path)
        assert config is not None, problems
        if request.param == "postgresql":
            kept: Store = request.getfixturevalue("pg_store")
            emptied(kept)
        else:
            kept = Store.open(config.store_url)
        made = Desk(config, kept, erp, FixedClock(NOW))
        (connected,) = made.systems
        assert connected.adapter.provision is not None
        connected.adapter.provision(connected.client, connected.needs(), False)
        assert not pull(kept, connected).failed
        link(kept, config, made.clock)
        yield made
        if request.param == "sqlite":
            kept.close()


def approved(desk: Desk, ref: str, kind: str, yuan: int, begins: int = 0, lasts: int | None = None) -> int:
    """Li asks, Wang approves; how many systems are to be told at once."""
    at = grant.Desk(desk.config, POLICY, desk.clock, desk.systems)
    since = at.today + dt.timedelta(days=begins)
    request = Request(
        kind=kind,  # type: ignore[arg-type]  # a word of the test's own
        amount_minor=to_minor(Decimal(yuan), "CNY"),
        currency="CNY",
        requested_by="person:li",
        valid_from=since,
        valid_to=None if lasts is None else since + dt.timedelta(days=lasts),
    )
    with desk.store.writing() as tx:
        (row,) = customers.customers(tx, systems=["erp"], refs=[ref])
        number = grant_ask.ask(tx, at, row, request).number
        return grant.approve(tx, at, number, acting(desk.config.people, "wang")).owed


def night(desk: Desk) -> None:
    (erp,) = desk.systems
    assert not pull(desk.store, erp).failed
    assert evaluate(desk.store, desk.config, POLICY, desk.clock, systems=[erp]).failed is None
    assert push(desk.store, erp).failed is None


def test_the_erp_follows_day_by_day(desk: Desk) -> None:
    ref = desk.customer()
    assert approved(desk, ref, "base", 70_000) == 1
    night(desk)
    assert desk.there(ref) == 70_000
    assert approved(desk, ref, "additive", 5_000, begins=1, lasts=1) == 0, "today nothing is another"
    seen = []
    for _ in range(4):
        night(desk)
        seen.append(desk.there(ref))
        desk.clock.sleep(86_400)
    assert seen == [70_000, 75_000, 75_000, 70_000], "what we wrote comes back by the pull and is not added once more"
    writes = len(desk.erp.writes())
    night(desk)
    assert len(desk.erp.writes()) == writes, "nothing turned, nothing is written"


def test_of_two_who_decide_at_once_one_does(store: Store) -> None:
    desk = LimitDesk(store)
    desk.evaluate()
    number = desk.ask("base", 300_000)

    def decide(who: str) -> str:
        try:
            if who == "li.wei":
                return desk.reject(number, who).stands.state
            return desk.approve(number, who).stands.state
        except ConfigError as wrong:
            return wrong.user.en

    with ThreadPoolExecutor(3) as several:
        said = sorted(several.map(decide, ["wang.fang", "zhao.min", "li.wei"]))
    done = [one for one in said if one in ("in_force", "rejected")]
    assert len(done) == 1, said
    assert all(one.startswith(f"Request {number} is ") for one in said if one not in done)
    assert (desk.effective().amount == 300_000) == (done == ["in_force"])
    assert len(desk.trail("limit.approve")) + len(desk.trail("limit.reject")) == 1
