"""Systems on pages: connected after a trial, changed, gone back, removed; secrets nowhere, addresses guarded, roles, races."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector import adapter as adapters
from connector.config import Config
from connector.config_seal import seal_of
from connector.hook import Subscription
from connector.sandbox import SandboxOptions
from connector.store import documents, sealed, subscriptions
from connector.store.db import Store
from connector.web.front import Front
from tests.web.console import HOSTILE, OTHERS, console, told, whole_trail
from tests.web.visiting import Browser, visit

SECRET = "correct-horse-battery"
NEW = "/admin/connect/odoo"
ODOO = {"name": "odoo", "roles": "crm", "settings.base_url": "https://odoo.invalid", "typed.secrets.api_key": SECRET}


@pytest.fixture
def front(store: Store, tmp_path: Path) -> Front:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: the jobs are tested on both")
    return console(store, tmp_path)


@pytest.fixture
def admin(front: Front) -> Browser:
    return visit(front, "sun.qiang")


def versions(front: Front, name: str = "odoo") -> list[tuple[int, str, bool]]:
    with front.store.reading() as tx:
        used = documents.active(tx, documents.SYSTEM, name)
        kept = documents.versions(tx, documents.SYSTEM, name)
    return [(v.number, v.author, used is not None and used.number == v.number) for v in kept]


def everything(front: Front) -> str:
    """All that the database says of systems, and the trail."""
    with front.store.reading() as tx:
        texts = [
            v.text
            for name in documents.names(tx, documents.SYSTEM)
            for v in documents.versions(tx, documents.SYSTEM, name)
        ]
    return "\n".join([*texts, whole_trail(front)])


def test_what_is_configured_is_shown_and_stays_the_operators(admin: Browser) -> None:
    page = admin.get("/admin/systems").text
    assert "books" in page
    assert "in config.toml" in page
    one = admin.get("/admin/systems/books").text
    assert "This system stands in config.toml" in one
    assert "/admin/systems/books/change" not in one
    assert admin.get("/admin/systems/books/change").status_code == 422
    assert admin.post("/admin/systems/books/remove").status_code == 422
    assert admin.get("/admin/systems/nowhere").status_code == 404
    assert "连接系统" in admin.get("/admin/systems", headers={"Accept-Language": "zh"}).text


def test_each_product_has_a_form_of_what_it_wants(admin: Browser) -> None:
    for name in adapters.names():
        page = admin.get(f"/admin/connect/{name}")
        assert page.status_code == 200
        adapter = adapters.load(name)
        for setting in adapter.settings.model_fields:
            assert f'name="settings.{setting}"' in page.text, setting
        for secret in adapter.secrets:
            assert f'name="typed.secrets.{secret.name}"' in page.text
    assert admin.get("/admin/connect/nothing").status_code == 404
    assert admin.get("/admin/products/../../etc").status_code == 404
    assert "JSON-2" in admin.get("/admin/products/odoo").text


def test_a_form_is_checked_as_one_types_and_keeps_nothing(front: Front, admin: Browser) -> None:
    page = admin.post(f"{NEW}/check", **{**ODOO, "name": "Odoo!", "settings.base_url": "http://odoo.example.com"}).text
    checked = page[page.index('id="checked"') :]
    assert "settings.base_url" in checked
    assert "use https" in checked
    assert "name" in checked
    page = admin.post(f"{NEW}/check", **ODOO).text
    assert "The form is complete." in page
    assert SECRET not in page
    assert versions(front) == []
    assert told(front) == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://169.254.169.254", "never talked to"),
        ("http://100.100.100.200", "http"),
        ("https://me:pass@odoo.example.com", "user or password"),
        ("file:///etc/passwd", "not an http(s) address"),
        ("gopher://127.0.0.1", "not an http(s) address"),
        ("https://odoo.example.com/?x=1", "must end with its path"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_addresses_that_must_not_be_talked_to_are_refused(front: Front, admin: Browser, address: str, why: str) -> None:
    for act in ("check", "try", "save"):
        answer = admin.post(f"{NEW}/{act}", **{**ODOO, "settings.base_url": address})
        assert why in answer.text or "public host" in answer.text, (act, address)
    assert versions(front) == []


def test_other_secrets_than_his_own_are_not_an_administrators(front: Front, admin: Browser) -> None:
    for reference in ("file:seal.key", "file:/etc/passwd", "env:HOME", "keyring:x"):
        fields = {k: v for k, v in ODOO.items() if not k.startswith("typed.")}
        answer = admin.post(f"{NEW}/save", **fields, **{"secrets.api_key": reference}, act="untried")
        assert answer.status_code == 422, reference
    assert versions(front) == []


def test_a_secret_is_typed_once_and_stands_nowhere(front: Front, admin: Browser) -> None:
    tried = admin.post(f"{NEW}/try", **ODOO)
    assert "it cannot be used yet" in tried.text
    assert SECRET not in tried.text
    astray = {k: v for k, v in ODOO.items() if not k.startswith("typed.")} | {"secrets.api_key": SECRET}
    assert SECRET not in admin.post(f"{NEW}/try", **astray).text
    held = re.search(r'name="held" value="([^"]+)"', tried.text)
    assert held is not None
    assert versions(front) == []
    # It need not be typed again; what nobody can use is kept only by a word of its own.
    again = {k: v for k, v in ODOO.items() if not k.startswith("typed.")} | {"held": held[1]}
    assert admin.post(f"{NEW}/save", **again).status_code == 422
    saved = admin.post(f"{NEW}/save", **again, act="untried", note="first")
    assert (saved.status_code, saved.headers["location"]) == (303, "/admin/systems/odoo")
    assert versions(front) == [(1, "sun.qiang", True)]
    with front.store.reading() as tx:
        assert sealed.opened(tx, seal_of(front.config), "odoo/api_key") == SECRET
    assert SECRET not in everything(front)
    tries = ["system.try", "system.try"]
    assert [a[0] for a in told(front)] == [*tries, "secret.set", "system.save", "system.activate"]
    for address in (
        "/admin/systems",
        "/admin/systems/odoo",
        "/admin/systems/odoo/change",
        "/admin/systems/odoo/history",
    ):
        page = admin.get(address)
        assert page.status_code == 200
        assert SECRET not in page.text


def test_what_was_held_for_a_page_is_good_in_no_other_session(front: Front, admin: Browser) -> None:
    held = re.search(r'name="held" value="([^"]+)"', admin.post(f"{NEW}/try", **ODOO).text)
    assert held is not None
    fields = {k: v for k, v in ODOO.items() if not k.startswith("typed.")} | {"held": held[1]}
    other = visit(front, "gao.yan").post(f"{NEW}/check", **fields).text
    assert "The form is complete." not in other
    assert "The form is complete." in admin.post(f"{NEW}/check", **fields).text


def test_a_tried_system_is_connected_changed_gone_back_and_removed(
    front: Front, admin: Browser, tmp_path: Path
) -> None:
    box = adapters.sandbox("zoho_crm", SandboxOptions(customers=20))
    place, secrets = "/admin/connect/zoho_crm", {f"typed.secrets.{k}": v for k, v in box.credentials().items()}
    with box.served() as url:
        urls = {"settings.base_url": url, "settings.accounts_url": url}
        tried = admin.post(f"{place}/try", name="zoho", roles="crm", **urls, **secrets).text
        assert "it can be used" in tried
        assert "accounts can be read" in tried
        assert box.writes() == []
        assert admin.post(f"{place}/save", name="zoho", roles="crm", **urls, **secrets).status_code == 303
        assert versions(front, "zoho") == [(1, "sun.qiang", True)]
        page = admin.get("/admin/systems/zoho/change").text
        assert "sealed:zoho/client_id" in page
        change = {"secrets.client_id": "sealed:zoho/client_id", "secrets.client_secret": "sealed:zoho/client_secret"}
        change |= {"secrets.refresh_token": "sealed:zoho/refresh_token", "hold": "flag", "seen": "1"}
        answer = admin.post("/admin/systems/zoho/change/save", roles="crm", **urls, **change)
        assert answer.status_code == 303
        lacks = admin.post("/admin/systems/zoho/provision", act="look").text
        assert "would be made" in lacks
        assert box.writes() == []
        assert "made" in admin.post("/admin/systems/zoho/provision", act="make").text
        assert box.writes() != []
    assert versions(front, "zoho") == [(2, "sun.qiang", True), (1, "sun.qiang", False)]
    history = admin.get("/admin/systems/zoho/history").text
    assert "<ins>hold = &#34;flag&#34;</ins>" in history
    assert admin.post("/admin/systems/zoho/activate", version="1").status_code == 303
    assert versions(front, "zoho")[1][2]
    with front.store.writing() as tx:
        subscriptions.keep(tx, "zoho", Subscription("7", ("accounts",)), "", front.clock.now())
    asked = admin.get("/admin/systems/zoho/remove").text
    assert "What follows" in asked
    assert "The next run asks it to call no more" in asked
    assert admin.post("/admin/systems/zoho/remove", note="no more").status_code == 303
    assert "until then its calls are refused" in admin.get("/admin/systems").text
    assert admin.client.post("/hooks/zoho", json={"token": "x"}).status_code == 404
    assert "Webhooks to be ended there" in admin.get("/admin/systems/zoho").text
    assert admin.post("/admin/systems/zoho/hook", act="forget").status_code == 303
    assert "Webhooks to be ended there" not in admin.get("/admin/systems/zoho").text
    assert not any(used for _, _, used in versions(front, "zoho"))
    acts = [a[0] for a in told(front) if a[1] == "system:zoho"]
    assert acts == [
        "system.try",
        "system.try",
        "system.save",
        "system.activate",
        "system.try",
        "system.save",
        "system.activate",
        "system.provision",
        "system.activate",
        "system.remove",
        "hook.unsubscribe",
    ]


def test_the_second_of_two_administrators_is_told(front: Front, admin: Browser) -> None:
    assert admin.post(f"{NEW}/save", **ODOO, act="untried").status_code == 303
    change = {"roles": "crm", "settings.base_url": "https://odoo.invalid", "secrets.api_key": "sealed:odoo/api_key"}
    other = visit(front, "gao.yan")
    first = other.post(
        "/admin/systems/odoo/change/save", **change, **{"settings.database": "one"}, seen="1", act="untried"
    )
    assert first.status_code == 303
    late = admin.post(
        "/admin/systems/odoo/change/save", **change, **{"settings.database": "two"}, seen="1", act="untried"
    )
    assert late.status_code == 409
    assert "gao.yan has saved version 2" in late.text
    assert 'value="two"' in late.text
    assert [v[:2] for v in versions(front)] == [(2, "gao.yan"), (1, "sun.qiang")]
    taken = admin.post(f"{NEW}/save", **ODOO, act="untried")
    assert taken.status_code == 422
    assert "is called “odoo” already" in taken.text


def test_hostile_words_are_only_words(front: Front, admin: Browser) -> None:
    answer = admin.post(f"{NEW}/try", **{**ODOO, "name": HOSTILE, "settings.database": HOSTILE, "note": HOSTILE})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    admin.post(f"{NEW}/save", **{**ODOO, "settings.database": HOSTILE, "note": HOSTILE}, act="untried")
    for address in (
        "/admin/systems/odoo",
        "/admin/systems/odoo/change",
        "/admin/systems/odoo/history",
        "/admin/systems",
    ):
        page = admin.get(address).text
        assert "<script>alert" not in page
    assert "&lt;script&gt;" in admin.get("/admin/systems/odoo").text


def test_only_administrators_come_in_and_only_by_our_forms(front: Front, admin: Browser) -> None:
    posts = [f"{NEW}/{act}" for act in ("check", "try", "save", "seal")]
    posts += [f"/admin/systems/books/{act}" for act in ("look", "provision", "hook", "activate", "remove")]
    posts += [f"/admin/systems/books/change/{act}" for act in ("check", "try", "save", "seal")]
    gets = [
        "/admin/systems",
        "/admin/systems/books",
        "/admin/systems/books/history",
        "/admin/connect",
        NEW,
        "/admin/products/odoo",
    ]
    for person in OTHERS:
        browser = visit(front, person)
        assert [browser.get(address).status_code for address in gets] == [403] * len(gets)
        assert [browser.post(address, **ODOO).status_code for address in posts] == [403] * len(posts)
    for address in posts:
        assert admin.client.post(address, data=ODOO).status_code == 403
    assert versions(front) == []


def test_without_a_key_nothing_is_typed_and_it_is_said_how_to_make_one(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough")
    front = console(store, tmp_path, seal=False)
    admin = visit(front, "sun.qiang")
    page = admin.get(NEW).text
    assert "holdfast secret key seal.key" in page
    assert "typed.secrets" not in page
    answer = admin.post(f"{NEW}/save", **ODOO, act="untried")
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert versions(front) == []


def test_the_key_is_made_beside_config_toml(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough")
    front = console(store, tmp_path, seal=False)
    plain = front.config
    plain._file = tmp_path / "config.toml"
    assert isinstance(plain, Config)
    admin = visit(front, "sun.qiang")
    page = admin.post(f"{NEW}/seal", **ODOO)
    assert page.status_code == 200
    assert "typed.secrets.api_key" in page.text
    assert (tmp_path / "seal.key").stat().st_mode & 0o077 == 0
    assert ("secret.key", "secret", "person:sun.qiang") in told(front)
    assert admin.post(f"{NEW}/seal", **ODOO).status_code == 422
    assert admin.post(f"{NEW}/save", **ODOO, act="untried").status_code == 303
    with front.store.reading() as tx:
        assert sealed.opened(tx, seal_of(front.config), "odoo/api_key") == SECRET
