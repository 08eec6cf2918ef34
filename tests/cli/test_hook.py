"""`holdfast hook`: what is set up and what came, subscribing over the real command, and what is refused to whom."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import adapter as adapters
from connector.hook import Event, address_token
from connector.sandbox import Sandbox, SandboxOptions
from connector.store import audit, inbox
from connector.store.db import Store
from tests.cli.calling import Called
from tests.cli.calling import call as holdfast

SECRET = "any-long-random-text-of-the-operator"
PEOPLE = """
[[people]]
id = "li.wei"
name = "Li Wei"
roles = ["admin"]
[[people]]
id = "chen.jie"
name = "Chen Jie"
roles = ["sales"]
"""


@pytest.fixture
def crm() -> Iterator[tuple[Sandbox, str]]:
    box = adapters.sandbox("zoho_crm", SandboxOptions(customers=6))
    with box.served() as url:
        yield box, url


@pytest.fixture
def folder(tmp_path: Path, crm: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    box, url = crm
    for name, value in box.credentials().items():
        monkeypatch.setenv(f"T_{name}".upper(), value)
    monkeypatch.setenv("T_HOOK", SECRET)
    (tmp_path / "config.toml").write_text(
        f"""
[service]
address = "https://credit.example.com"
{PEOPLE}
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
settings = {{ base_url = "{url}", accounts_url = "{url}" }}
[systems.hook]
secret = "env:T_HOOK"
[systems.secrets]
client_id = "env:T_CLIENT_ID"
client_secret = "env:T_CLIENT_SECRET"
refresh_token = "env:T_REFRESH_TOKEN"

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = {{ path = "book" }}
"""
    )
    return tmp_path


def call(folder: Path, *arguments: str, user: str = "li.wei") -> Called:
    who = ["--as", user] if arguments[0] in ("address", "subscribe", "unsubscribe", "replay") else []
    return holdfast("-c", str(folder / "config.toml"), "--lang", "en", "hook", *arguments, *who)


def hooks(folder: Path) -> dict[str, dict[str, object]]:
    told = json.loads(call(folder, "list", "--format", "json").out)["hooks"]
    return {row["system"]: row for row in told}


def test_from_nothing_to_subscribed_and_back(folder: Path, crm: tuple[Sandbox, str]) -> None:
    before = hooks(folder)
    assert before["crm"]["state"] == "not subscribed"
    assert before["books"]["state"] == "cannot; polled"
    made = call(folder, "subscribe", "crm")
    assert made.code == 0, made.err
    assert "accounts, sales_orders" in made.out
    after = hooks(folder)["crm"]
    assert after["state"] == "subscribed"
    assert str(after["until"]) > dt.datetime.now(dt.UTC).isoformat()
    (channel,) = crm[0].shelf.all("~channels")
    assert channel["notify_url"] == f"https://credit.example.com/hooks/crm/{address_token(SECRET, 'crm')}"
    renewed = call(folder, "renew")
    assert (renewed.code, renewed.out.strip()) == (0, "crm: 1 renewed, 0 made anew")
    ended = call(folder, "unsubscribe", "crm")
    assert ended.code == 0
    assert crm[0].shelf.all("~channels") == []
    assert hooks(folder)["crm"]["state"] == "not subscribed"
    with Store.open(f"sqlite:///{folder}/holdfast.db").reading() as tx:
        lines = audit.listing(tx, action="hook")
    assert [(x.entry.action, x.entry.actor) for x in lines] == [
        ("hook.unsubscribe", "person:li.wei"), ("hook.subscribe", "person:li.wei"),
    ]  # fmt: skip
    assert SECRET not in str(lines)


def test_check_says_how_the_webhooks_stand(
    folder: Path, crm: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked() -> list[tuple[str, str]]:
        told = holdfast("-c", str(folder / "config.toml"), "check", "crm", "--format", "json").json
        return [(r["state"], r["what"]) for r in told if "ebhook" in r["what"]]

    assert checked() == [("todo", "Webhooks are not asked for yet.")]
    call(folder, "subscribe", "crm")
    ((state, what),) = checked()
    assert state == "fine"
    assert "until" in what
    monkeypatch.setenv("T_HOOK", "short")
    assert [state for state, _ in checked()] == ["wrong"]


def test_the_address_for_those_set_up_by_hand(folder: Path) -> None:
    shown = call(folder, "address", "crm")
    assert shown.out.strip() == f"https://credit.example.com/hooks/crm/{address_token(SECRET, 'crm')}"
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize(
    "arguments", [("address", "crm"), ("subscribe", "crm"), ("unsubscribe", "crm"), ("replay", "1")]
)
def test_only_an_administrator_may(folder: Path, arguments: tuple[str, ...]) -> None:
    refused = call(folder, *arguments, user="chen.jie")
    assert refused.code == 2
    assert "administrator" in refused.err
    assert address_token(SECRET, "crm") not in refused.out + refused.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("subscribe", "books"), "no webhooks"),
        (("subscribe", "nobody"), "No system is called"),
        (("events", "nobody"), "No system is called"),
    ],
)
def test_what_cannot_be_is_said(folder: Path, arguments: tuple[str, ...], why: str) -> None:
    refused = call(folder, *arguments)
    assert refused.code == 2
    assert why in refused.err


def test_a_hook_of_a_product_that_has_none_is_a_mistake_of_the_configuration(folder: Path) -> None:
    path = folder / "config.toml"
    path.write_text(path.read_text() + '\n[systems.hook]\nsecret = "env:T_HOOK"\n')
    refused = call(folder, "list")
    assert refused.code == 2
    assert "sends no webhooks" in refused.err
    path.write_text(
        path.read_text().replace('secret = "env:T_HOOK"\n[systems.secrets]', 'secret = "plain-text"\n[systems.secrets]')
    )
    refused = call(folder, "list")
    assert refused.code == 2
    assert "plain-text" not in refused.err


def test_events_are_shown_and_heeded_again(folder: Path) -> None:
    at = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    assert call(folder, "events").code == 0
    store = Store.open(f"sqlite:///{folder}/holdfast.db")
    with store.writing() as tx:
        inbox.store(tx, "crm", [Event("e1", ("accounts",), "K1", "update", at), Event("e2", (), "", "", None)], at)
        inbox.heed(tx, [1], at)
    shown = json.loads(call(folder, "events", "crm", "--format", "json").out)["events"]
    assert [(e["id"], e["record"], e["heeded_at"] is None) for e in shown] == [(2, "", True), (1, "K1", False)]
    left = json.loads(call(folder, "events", "--unheeded", "--format", "json").out)["events"]
    assert [e["id"] for e in left] == [2]
    again = call(folder, "replay", "1", "77")
    assert again.code == 0
    assert "1 of these numbers are no events" in again.err
    with store.reading() as tx:
        assert [e.id for e in inbox.events(tx, unheeded=True)] == [2, 1]
