"""`holdfast plugin`: listing, building with and without a configured system, and taking away what was provisioned."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector.sandbox import SandboxOptions
from tests.cli.calling import call as holdfast

Make = Callable[..., list[str]]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """A config.toml whose systems are sandboxes over a socket, by name and adapter; gives the secrets that it refers to."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as open_:
        secrets: list[str] = []

        def make(more: str = "", **systems: str) -> list[str]:
            lines = ["[store]", f'url = "sqlite:///{tmp_path / "plugins.db"}"', more]
            for name, adapter in systems.items():
                box = adapters.sandbox(adapter, SandboxOptions(customers=4))
                url = open_.enter_context(box.served())
                settings = {k: v.format(url=url) for k, v in adapters.load(adapter).demo_settings.items()}
                lines += [
                    "[[systems]]",
                    f'name = "{name}"',
                    f'adapter = "{adapter}"',
                    'roles = ["crm"]',
                    "allow_private = true",
                ]
                lines += [
                    f"settings = {{ {', '.join(f'{k} = {json.dumps(v)}' for k, v in settings.items())} }}",
                    "[systems.secrets]",
                ]
                for secret, value in box.credentials().items():
                    secrets.append(value)
                    monkeypatch.setenv(f"{name}_{secret}".upper(), value)
                    lines.append(f'{secret} = "env:{f"{name}_{secret}".upper()}"')
            path = tmp_path / "config.toml"
            path.write_text("\n".join(lines), encoding="utf-8")
            return secrets

        yield make


def text_of(folder: Path) -> str:
    return "\n".join(p.read_text(encoding="utf-8", errors="replace") for p in sorted(folder.rglob("*")) if p.is_file())


def test_the_list_says_what_each_is_needs_and_how_it_was_proved() -> None:
    told = holdfast("plugin", "list", "--format", "json").json["plugins"]
    names = {(p["for"], p["name"]) for p in told}
    assert {
        ("zoho_crm", "widget"),
        ("zoho_crm", "launch"),
        ("fxiaoke", "panel"),
        ("fxiaoke", "bulk"),
        ("odoo", "view"),
        ("generic", "frame"),
    } <= names
    assert all(p["evidence"] and p["install"] for p in told)
    assert {p["name"] for p in told if p["needs_address"]} == {"launch", "frame"}
    shown = holdfast("plugin", "list", lang="zh").out
    assert "小组件" in shown
    assert "plugin build" in shown


def test_it_is_built_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    called = holdfast("plugin", "build", "zoho_crm")
    assert called.code == 0, called.err
    assert "the signed panel is left out" in called.out
    assert "The system was not asked" in called.out
    assert (tmp_path / "plugins/zoho_crm/widget/holdfast-zoho-widget.zip").is_file()
    assert not (tmp_path / "plugins/zoho_crm/launch").exists()
    again = {p: p.read_bytes() for p in (tmp_path / "plugins").rglob("*") if p.is_file()}
    assert holdfast("plugin", "build", "zoho_crm").code == 0
    assert {p: p.read_bytes() for p in (tmp_path / "plugins").rglob("*") if p.is_file()} == again


def test_the_address_comes_from_the_option_or_the_service(config: Make, tmp_path: Path) -> None:
    config('[service]\naddress = "https://credit.example.com"', crm="odoo")
    assert holdfast("plugin", "build", "generic", "--system", "crm").code == 0
    assert 'LAUNCH", "https://credit.example.com/launch/crm"' in text_of(tmp_path / "plugins/generic")
    called = holdfast(
        "plugin", "build", "generic", "--address", "https://other.example.com/", "--to", "there", "--format", "json"
    )
    assert called.json["built"][0]["address"] == "https://other.example.com"
    assert "https://other.example.com/launch/" in text_of(tmp_path / "there")
    wrong = holdfast("plugin", "build", "generic", "--address", "ftp://x")
    assert wrong.code == 2
    assert "ftp://x" in wrong.err


def test_fxiaokes_fields_are_those_of_the_tenant_and_its_secrets_nowhere(config: Make, tmp_path: Path) -> None:
    secrets = config(fx="fxiaoke")
    called = holdfast("plugin", "build", "fx", "--address", "https://credit.example.com")
    assert called.code == 0, called.err
    made = text_of(tmp_path / "plugins/fx")
    assert "label:" not in made, "a label is no name that a component could read"
    guard = (tmp_path / "plugins/fx/guard/order_guard.apl").read_text(encoding="utf-8")
    [hold, reason] = re.findall(r'context\.data\["([^"]+)"\]', guard)
    assert hold.endswith("__c")
    assert reason.endswith("__c")
    assert hold not in ("field_hold__c", reason)
    settings: Any = json.loads(
        (tmp_path / "plugins/fx/panel/credit_panel/settings.js")
        .read_text(encoding="utf-8")
        .partition("export default ")[2]
        .rstrip(";\n")
    )
    level = settings["objects"]["AccountObj"]["fields"]["level"]
    assert level["label"] == "信用预警等级"
    assert level["values"].keys() == {"green", "yellow", "orange", "red"}
    assert '"https://credit.example.com/launch/fx"' in made
    assert len(secrets) == 3
    for secret in secrets:
        assert secret not in made
        assert secret not in called.out


def test_offline_the_labels_stay_and_that_is_all(config: Make, tmp_path: Path) -> None:
    config(fx="fxiaoke")
    assert holdfast("plugin", "build", "fx", "--plugin", "guard", "--offline").code == 0
    assert 'context.data["field_hold__c"]' in text_of(tmp_path / "plugins/fx/guard")


def test_a_name_that_is_none_shows_the_right_ones(config: Make) -> None:
    config(one="odoo", two="odoo")
    several = holdfast("plugin", "build", "odoo")
    assert several.code == 2
    assert "one, two" in several.err
    wrong = holdfast("plugin", "build", "zoho_cmr")
    assert wrong.code == 2
    assert "zoho_crm" in wrong.err
    other = holdfast("plugin", "build", "one", "--plugin", "vew")
    assert other.code == 2
    assert "view" in other.err


def test_what_provisioning_made_is_taken_away_again(config: Make) -> None:
    config(crm="odoo")
    assert holdfast("provision").code == 0
    dry = holdfast("plugin", "remove", "crm", "--dry-run", "--format", "json").json["removed"]
    assert {line["state"] for line in dry} == {"would"}
    assert {line["state"] for line in holdfast("plugin", "remove", "crm", "--format", "json").json["removed"]} == {
        "made"
    }
    assert {line["state"] for line in holdfast("plugin", "remove", "crm", "--format", "json").json["removed"]} == {
        "fine"
    }


def test_what_was_installed_by_hand_is_removed_by_hand(config: Make) -> None:
    config(fx="fxiaoke")
    called = holdfast("plugin", "remove", "fx")
    assert called.code == 2
    assert "by hand" in called.err
