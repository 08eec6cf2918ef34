"""`holdfast panel`: an address for trying it, and what is said where there can be none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.store import audit
from connector.store.db import Store
from jobs import panel_launch
from tests.cli.calling import Called
from tests.cli.calling import call as holdfast

CONFIG = """
[service]
address = "https://credit.example.com"
[[people]]
id = "li.wei"
name = "李伟"
roles = ["approver"]
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
settings = { data_center = "cn" }
[systems.panel]
secret = "env:T_PANEL"
[systems.secrets]
client_id = "env:T_ID"
client_secret = "env:T_SECRET"
refresh_token = "env:T_TOKEN"
[[systems]]
name = "plain"
adapter = "odoo"
roles = ["erp"]
settings = { base_url = "https://erp.example.com", database = "d" }
[systems.secrets]
api_key = "env:T_KEY"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def call(folder: Path, *words: str) -> Called:
    return holdfast("-c", str(folder / "config.toml"), "panel", *words)


def test_an_address_is_printed_that_opens_the_panel_once(folder: Path) -> None:
    done = call(folder, "link", "crm", "Accounts", "A/1", "--as", "li.wei")
    assert done.code == 0, done.err
    assert "once" in done.err
    found = re.fullmatch(r"https://credit\.example\.com/panel/crm\?code=([A-Za-z0-9_-]{43})\n", done.out)
    assert found
    from connector.clock import SystemClock
    from connector.config import load

    config = load(folder / "config.toml")
    store = Store.open(config.store_url)
    try:
        look, _ = panel_launch.redeem(store, SystemClock(), config.system("crm"), found[1]) or (None, "")
        assert look is not None
        assert (look.kind, look.record, look.person) == ("customer", "A/1", "li.wei")
        with store.reading() as tx:
            (line,) = [one for one in audit.listing(tx) if one.entry.action == "panel.link"]
        assert line.entry.actor == "person:li.wei"
    finally:
        store.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plain", "customer", "1"), "[systems.panel]"),
        (("crm", "Leads", "1"), "Accounts"),
        (("nobody", "customer", "1"), "crm"),
        (("crm", "customer", "1", "--as", "nobody"), "li.wei"),
    ],
)
def test_where_there_can_be_none_it_says_what_to_do(folder: Path, words: tuple[str, ...], said: str) -> None:
    more = () if "--as" in words else ("--as", "li.wei")
    done = call(folder, "link", *words, *more)
    assert done.code == 2
    assert said in done.err
    assert "code=" not in done.out


def test_without_an_address_it_is_tried_on_this_machine(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(CONFIG.replace('address = "https://credit.example.com"', "port = 8788"))
    assert call(folder, "link", "crm", "customer", "1", "--as", "li.wei").out.startswith(
        "http://127.0.0.1:8788/panel/crm?code="
    )
    config.write_text(CONFIG.replace('address = "https://credit.example.com"', "port = 0"))
    done = call(folder, "link", "crm", "customer", "1", "--as", "li.wei")
    assert (done.code, done.out) == (2, "")
    assert "[service]" in done.err


def test_every_system_is_listed_with_who_may_frame_it(folder: Path) -> None:
    done = call(folder, "list")
    assert "crm: customer, order, Accounts, Sales_Orders; framed by: https://crm.zoho.com.cn" in done.out
    assert "plain: no panel" in done.out
