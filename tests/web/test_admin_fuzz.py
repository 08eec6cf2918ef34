"""Whatever a form of the console's first half is sent, it answers: no fault of ours, nothing run, nothing kept by chance."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from connector.store import documents
from connector.store.db import Store
from tests.web.console import HOSTILE, console
from tests.web.visiting import visit

FORMS = {
    "/admin/mappings/books/check": ("text", "seen", "stream", "record", "find", "note", "pair_table", "pair_name"),
    "/admin/mappings/books/edit": ("text", "seen", "act", "pair_table", "pair_name", "pair_origin", "pair_convert"),
    "/admin/mappings/books/try": ("text", "seen", "note"),
    "/admin/mappings/books/save": ("text", "seen", "act", "note"),
    "/admin/mappings/books/activate": ("version", "note"),
    "/admin/connect/odoo/check": (
        "name",
        "roles",
        "settings.base_url",
        "settings.accounts",
        "held",
        "hook.on",
        "panel.on",
    ),
    "/admin/connect/odoo/save": (
        "name",
        "roles",
        "settings.base_url",
        "typed.secrets.api_key",
        "held",
        "tried",
        "seen",
    ),
    "/admin/connect/files/check": ("name", "roles", "settings.path", "settings.files", "settings.keys", "hold"),
    "/admin/systems/books/hook": ("act",),
    "/admin/systems/books/activate": ("version", "note"),
    "/admin/people/li.wei/confirm": ("note",),
    "/admin/people/wang.fang": ("name", "roles", "email", "approve_up_to", "ids", "subject"),
    "/admin/links/decide": ("proposal", "act", "back"),
    "/admin/links/join": ("account", "customer", "back"),
    "/admin/links/part": ("account", "back"),
}
WORDS = (
    "", "0", "-1", "9" * 40, HOSTILE, "{{ 7 * 7 }}", "{% raw %}", "=cmd|' /C calc'!A1", "'; DROP TABLE record; --", "\0", "\ud7ff￿",
    "../../etc/passwd", "//evil.example", "use:read.customer.tax_id=VAT", "use:read.a.b.c=", "use:=", "pair", "drop", "read.customer",
    "write.hold", "[read", "x = " * 50, '"""', "[" * 3000, "١٢٣", "a\r\nSet-Cookie: x=1", "erp", "crm", "file", "true", "env:HOLDFAST_X", "forget",
)  # fmt: skip


def test_no_form_fails_on_what_it_is_sent(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: what reaches the database is tested on both elsewhere")
    front = console(store, tmp_path)
    browser = visit(front, "sun.qiang")
    chance = random.Random(5)
    seen: dict[int, int] = {}
    for address, fields in FORMS.items():
        for _ in range(25):
            sent = {field: chance.choice(WORDS) for field in fields if chance.random() < 0.8}
            answer = browser.post(address, **sent)
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            assert answer.status_code in (200, 303, 403, 404, 409, 422), (address, sent)
            assert "<script>alert" not in answer.text
            assert "set-cookie: x" not in str(answer.headers).lower()
            assert "<td>49</td>" not in answer.text
            assert answer.headers.get("location", "/").startswith("/")
            assert not answer.headers.get("location", "/").startswith("//")
    assert seen.get(422, 0) > 20
    with front.store.reading() as tx:
        assert documents.names(tx, documents.SYSTEM) == []
        for version in documents.versions(tx, documents.MAPPING, "books"):
            assert version.text.startswith("adapter"), "only what the loader takes is kept"
