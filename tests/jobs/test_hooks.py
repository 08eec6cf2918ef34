"""Webhooks heeded: read once for a burst, made up for after a crash or a failure, caught by the poll if lost; channels
that are renewed long before they end."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from connector.clock import SystemClock
from connector.config import Config
from connector.config_toml import system_text
from connector.connect import Connected
from connector.errors import ConfigError, TransientError
from connector.hook import Delivery
from connector.store import audit, documents, inbox, subscriptions
from connector.store.customers import customers
from connector.store.db import Store
from connector.text import Text
from jobs import channels
from jobs.hooks import heed, pending, pending_at, take_in
from jobs.night import work
from jobs.run import Run
from tests.jobs.world import Machine, World, world
from tests.web.calling import SECRET, Called, served


# --- the job, with real systems on sockets ---------------------------------------------------------------------------------
@dataclass
class Scene:
    """A world, the service that it calls, and what tests ask of them."""

    world: World
    called: Called

    @property
    def store(self) -> Store:
        return self.called.store

    @property
    def config(self) -> Config:
        return self.called.config

    @property
    def crm(self) -> Any:
        return self.world.crm

    def connected(self, name: str = "crm") -> Connected:
        return self.called.connected(name)

    def run(self) -> list[Run]:
        return work(self.store, self.config, None, SystemClock())

    def heed(self, seconds: float = 0, told: Callable[[Run], None] = lambda run: None) -> list[Run]:
        """The job, so many seconds from now."""
        return heed(self.store, self.config, None, Ahead(seconds), told=told)

    def edit(self, number: int = 0, name: str = "") -> str:
        """Somebody renames an account in the CRM; it has called when this returns."""
        row = self.crm.shelf.all("Accounts")[number]
        row |= {"Account_Name": name or f"{row['Account_Name']}*", "Modified_Time": self.crm.records.later()}
        self.crm.records.put("Accounts", row)
        self.crm.watch.sender.settle()
        return str(row["id"])

    def name_of(self, key: str) -> str:
        with self.store.reading() as tx:
            return next(str(r.name) for r in customers(tx, systems=["crm"]) if r.ref == key)

    def events(self, unheeded: bool = False) -> list[inbox.Kept]:
        with self.store.reading() as tx:
            return inbox.events(tx, unheeded=unheeded)

    def held(self) -> list[subscriptions.Held]:
        with self.store.reading() as tx:
            return subscriptions.held(tx, "crm")


@dataclass
class Ahead(SystemClock):
    """The machine's clock, so many seconds ahead."""

    seconds: float = 0

    def now(self) -> dt.datetime:
        return super().now() + dt.timedelta(seconds=self.seconds)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Set up once; every test leaves the subscription as it found it."""
    os.environ["HOLDFAST_TEST_HOOK"] = SECRET
    with (
        world(tmp_path_factory.mktemp("hooks"), erp="odoo", crm="zoho_crm") as made,
        served(made.config, {"crm": "env:HOLDFAST_TEST_HOOK", "erp": "env:HOLDFAST_TEST_HOOK"}, world=made) as called,
    ):
        machine = Machine()
        code, output = machine.run(made.config, "provision")
        machine.close()
        assert code == 0, output
        one = Scene(made, called)
        one.run()
        yield one


@pytest.fixture
def subscribed(scene: Scene) -> Iterator[Scene]:
    channels.subscribe(scene.store, scene.config, scene.connected(), actor="person:admin")
    scene.crm.watch.sender.sent.clear()
    yield scene
    os.environ["HOLDFAST_TEST_HOOK"] = SECRET
    scene.crm.watch.sender.silent = False
    channels.unsubscribe(scene.store, scene.config, scene.connected(), actor="person:admin")
    with scene.store.writing() as tx:
        inbox.heed(tx, [e.id for e in inbox.events(tx, unheeded=True)], SystemClock().now() - dt.timedelta(hours=1))


def test_what_is_told_is_read_and_nothing_else(subscribed: Scene) -> None:
    key = subscribed.edit(0, "New Name Ltd")
    (told,) = subscribed.events(unheeded=True)
    assert (told.system, told.streams, told.key) == ("crm", ("accounts",), key)
    assert subscribed.name_of(key) != "New Name Ltd", "a webhook is a hint: its words are nobody's facts"
    subscribed.crm.calls.clear()
    runs = subscribed.heed()
    assert [(r.job, r.system) for r in runs if r.job == "pull"] == [("pull", "crm")]
    assert subscribed.name_of(key) == "New Name Ltd"
    assert subscribed.events(unheeded=True) == []
    assert not [c for c in subscribed.crm.calls if "users" in c.path], "only what is told of is read"
    assert subscribed.heed() == [], "nothing waits"


def test_a_burst_is_read_once(subscribed: Scene) -> None:
    for number in range(20):
        subscribed.edit(number % 5, f"Burst {number}")
    assert len(subscribed.events(unheeded=True)) == 20
    runs = subscribed.heed()
    (pulled,) = [r for r in runs if r.job == "pull"]
    assert pulled.counts["changed"] == 5
    assert subscribed.events(unheeded=True) == []


def test_the_same_call_again_is_the_same_event(subscribed: Scene) -> None:
    key = subscribed.edit(1)
    (sent,) = subscribed.crm.watch.sender.sent
    system = subscribed.config.system("crm")
    token = sent.url.rpartition("/")[2]
    again = Delivery("POST", {"content-type": "text/html"}, sent.body, token=token, url=sent.url)
    taken = take_in(subscribed.store, subscribed.config, SystemClock(), system, again)
    assert (taken.outcome, taken.new, taken.reply.status) == ("repeated", 0, 200)
    subscribed.heed()
    taken = take_in(subscribed.store, subscribed.config, SystemClock(), system, again)
    assert (taken.outcome, taken.new) == ("repeated", 0)
    assert subscribed.events(unheeded=True) == []
    assert subscribed.name_of(key)
    late = take_in(subscribed.store, subscribed.config, Ahead(7200), system, again)
    assert (late.outcome, late.reply.status) == ("late", 403)


def test_a_system_that_is_out_is_asked_to_call_no_more_until_it_has(subscribed: Scene) -> None:
    others = tuple(s for s in subscribed.config.systems if s.name != "crm")
    out, clock, store = subscribed.config.model_copy(update={"systems": others}), SystemClock(), subscribed.store
    [unknown] = channels.end_left(store, out, clock)
    assert "taken out of config.toml" in unknown.problems[0].what.en, "what nobody knows any more is told, not dropped"
    with store.writing() as tx:
        # What the ERP uses, too, is the operator's.
        text = system_text(subscribed.config.system("crm")).replace("HOLDFAST_TEST_HOOK", "HOLDFAST_TEST_HOOK_CRM")
        documents.save(tx, documents.SYSTEM, "crm", text, author="ada", now=clock.now())
        documents.activate(tx, documents.SYSTEM, "crm", 1, author="ada", now=clock.now())
        documents.activate(tx, documents.SYSTEM, "crm", None, author="ada", now=clock.now())
    promised = len(subscribed.held())
    assert promised > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.zoho_crm.hook._call", Mock(side_effect=TransientError(Text("away", "不可用"))))
        [down] = channels.end_left(store, out, clock)
    assert [p.code for p in down.problems] == ["hooks_left"]
    assert len(subscribed.held()) == promised, "nothing is lost where the system does not answer"
    [ended] = channels.end_left(store, out, clock)
    assert (ended.problems, ended.counts["ended"], subscribed.held()) == ([], promised, [])
    subscribed.edit(4)
    assert subscribed.crm.watch.sender.sent == [], "it calls no more"
    assert channels.end_left(store, out, clock) == []


def test_what_is_lost_is_caught_by_the_poll(subscribed: Scene) -> None:
    subscribed.crm.watch.sender.silent = True
    key = subscribed.edit(2, "Nobody told")
    assert subscribed.events(unheeded=True) == []
    assert subscribed.heed() == []
    subscribed.run()
    assert subscribed.name_of(key) == "Nobody told"


@pytest.mark.parametrize("step", range(3))
def test_stopped_at_any_step_it_is_made_up_for(subscribed: Scene, step: int) -> None:
    """The process dies after each step in turn; another takes the events once they are due again."""
    key = subscribed.edit(3, f"Step {step}")
    done = 0

    def die(run: Run) -> None:
        nonlocal done
        done += 1
        if done > step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        subscribed.heed(told=die)
    assert len(subscribed.events(unheeded=True)) == 1, "nothing is heeded that was not read to the end"
    assert subscribed.heed() == [], "it is put off, not tried at once"
    subscribed.heed(31)
    assert subscribed.name_of(key) == f"Step {step}"
    assert subscribed.events(unheeded=True) == []


def test_a_system_that_fails_is_asked_again_later(subscribed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    key = subscribed.edit(4, "Asked again")
    variable = "HOLDFAST_TEST_ZOHO_CRM_REFRESH_TOKEN"
    right = os.environ[variable]
    monkeypatch.setenv(variable, "wrong-token")
    runs = subscribed.heed()
    assert [r.failed is not None for r in runs if r.job == "pull"] == [True]
    (left,) = subscribed.events(unheeded=True)
    assert left.attempts == 1
    with subscribed.store.reading() as tx:
        assert pending(tx, subscribed.config, SystemClock().now()) == []
        at = pending_at(tx, subscribed.config, SystemClock().now())
    assert at is not None
    assert dt.timedelta(seconds=20) < at - SystemClock().now() <= dt.timedelta(seconds=30)
    monkeypatch.setenv(variable, right)
    subscribed.heed(31)
    assert subscribed.name_of(key) == "Asked again"
    assert subscribed.events(unheeded=True) == []


def test_killed_while_heeding_nothing_is_lost(subscribed: Scene) -> None:
    """kill -9 of the job's own process at different moments, an account renamed before each."""
    machine = Machine()
    try:
        names = {}
        for number, after in enumerate((0.02, 0.1, 0.2, 0.3, 0.45)):
            key = subscribed.edit(number, f"Killed {number}")
            names[key] = f"Killed {number}"
            path = subscribed.world.config.with_name("hooked.toml")
            code, output = machine.run(path, "job", "run", "hooks", kill_after=after)
            assert code in (0, -9), output
    finally:
        machine.close()
    subscribed.heed(3601)
    assert {key: subscribed.name_of(key) for key in names} == names
    assert subscribed.events(unheeded=True) == []


def test_an_order_in_the_ledger_reaches_the_crm(subscribed: Scene) -> None:
    """Told by the ERP, judged, and the flag is in the CRM: no poll in between."""
    erp, odoo = subscribed.connected("erp"), subscribed.world.erp
    channels.subscribe(subscribed.store, subscribed.config, erp, actor="person:admin")
    with subscribed.store.reading() as tx:
        rows = customers(tx)
    linked = {r.debtor for r in rows if r.system == "crm" and r.debtor is not None}
    partner = next(int(r.ref) for r in rows if r.system == "erp" and r.debtor in linked and r.ref.isdigit())
    crm_ref = next(r.ref for r in rows if r.system == "crm" and r.debtor == next(x.debtor for x in rows if x.system == "erp" and x.ref == str(partner)))  # fmt: skip
    before = subscribed.crm.shelf.get("Accounts", crm_ref).get("Credit_Exposure")
    order = odoo.take_order(partner, Decimal("9000000.00"), dt.date(2026, 11, 20))
    odoo.sender.settle()
    told = [e for e in subscribed.events(unheeded=True) if e.system == "erp"]
    assert (("orders",), str(order)) in [(e.streams, e.key) for e in told]
    subscribed.heed()
    after = subscribed.crm.shelf.get("Accounts", crm_ref).get("Credit_Exposure")
    assert Decimal(str(after)) - Decimal(str(before or 0)) >= Decimal(9000000)
    channels.unsubscribe(subscribed.store, subscribed.config, erp, actor="person:admin")
    odoo.take_order(partner, Decimal("1.00"), dt.date(2026, 11, 20))
    odoo.sender.settle()
    assert not [e for e in subscribed.events(unheeded=True) if e.system == "erp"], "it was asked to stop"


# --- channels ----------------------------------------------------------------------------------------------------------------
def _ends(scene: Scene, left: dt.timedelta) -> subscriptions.Held:
    """The channel as if so much were left of it, here and in the CRM."""
    (held,) = scene.held()
    until = (SystemClock().now() + left).replace(microsecond=0)
    one = type(held.subscription)(held.subscription.id, held.subscription.streams, until)
    with scene.store.writing() as tx:
        subscriptions.keep(tx, "crm", one, held.told, SystemClock().now())
    kept = scene.crm.shelf.get("~channels", one.id)
    scene.crm.shelf.put("~channels", one.id, {**kept, "channel_expiry": until.isoformat()})
    return held


def test_a_subscription_is_kept_and_told_in_the_trail(subscribed: Scene) -> None:
    (held,) = subscribed.held()
    assert held.subscription.streams == ("accounts", "sales_orders")
    assert held.subscription.until is not None
    assert dt.timedelta(days=6) < held.subscription.until - SystemClock().now() < dt.timedelta(days=7)
    with subscribed.store.reading() as tx:
        line = audit.listing(tx, action="hook")[0]
    assert (line.entry.action, line.entry.subject, line.entry.actor) == ("hook.subscribe", "system:crm", "person:admin")
    assert SECRET not in str(line.entry.after) + held.told
    assert not channels.is_due(subscribed.store, subscribed.config, subscribed.connected())


@pytest.mark.parametrize(("days", "renewed"), [(5.5, False), (4.9, True), (0.1, True)])
def test_a_run_renews_a_channel_long_before_it_ends(subscribed: Scene, days: float, renewed: bool) -> None:
    before = _ends(subscribed, dt.timedelta(days=days))
    runs = subscribed.run()
    assert [r.counts["renewed"] for r in runs if r.job == "hooks"] == ([1] if renewed else [])
    (held,) = subscribed.held()
    assert held.subscription.id == before.subscription.id, "a channel stays the same while it lives"
    assert held.subscription.until is not None
    assert (held.subscription.until - SystemClock().now() > dt.timedelta(days=6)) is renewed
    key = subscribed.edit(7)
    assert key in {e.key for e in subscribed.events(unheeded=True)}, (
        "it still tells (of what the run itself wrote, too)"
    )


def test_a_channel_that_ended_is_made_anew(subscribed: Scene) -> None:
    before = _ends(subscribed, -dt.timedelta(days=1))
    subscribed.edit(0)
    assert subscribed.events(unheeded=True) == [], "it tells nothing any more"
    run = channels.renew(subscribed.store, subscribed.config, subscribed.connected())
    assert (run.failed, run.counts["made"]) == (None, 1)
    (held,) = subscribed.held()
    assert held.subscription.id != before.subscription.id
    subscribed.edit(0)
    assert len(subscribed.events(unheeded=True)) == 1


def test_a_new_secret_is_told_with_the_next_run_and_the_former_counts_until_then(
    subscribed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_TEST_HOOK", "the-next-secret-of-the-operator-9876543210")
    subscribed.edit(0)
    assert subscribed.crm.watch.sender.sent[-1].status == 401, "the former secret is gone without notice"
    assert channels.is_due(subscribed.store, subscribed.config, subscribed.connected())
    run = channels.renew(subscribed.store, subscribed.config, subscribed.connected())
    assert run.counts["renewed"] == 1
    subscribed.edit(0)
    assert subscribed.crm.watch.sender.sent[-1].status == 200


def test_what_is_missing_is_said(subscribed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = subscribed.config.model_copy(
        update={"service": subscribed.config.service.model_copy(update={"address": None})}
    )
    with pytest.raises(ConfigError, match=r"address under \[service\]"):
        channels.subscribe(subscribed.store, nowhere, subscribed.connected(), actor="person:admin")
    monkeypatch.setattr(subscribed.crm, "switches", {"denied": ["notifications"]})
    with pytest.raises(ConfigError, match=r"ZohoCRM\.notifications\.ALL"):
        channels.subscribe(subscribed.store, subscribed.config, subscribed.connected(), actor="person:admin")
    monkeypatch.setattr(subscribed.crm, "switches", {})
    monkeypatch.setenv("HOLDFAST_TEST_HOOK", "short")
    assert channels.is_due(subscribed.store, subscribed.config, subscribed.connected())
    runs = subscribed.run()  # the rest of the run goes on
    assert [r.failed is not None for r in runs if r.job == "hooks"] == [True]
    assert [r.failed for r in runs if r.job == "pull"] == [None, None]
