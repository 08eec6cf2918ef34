"""Field mappings on pages: what the editor shows of a draft, versions, two administrators at once, hostile records."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from connector import mapping as mappings
from connector.store import documents
from connector.store.db import Store
from connector.web.front import Front
from tests.web.console import OTHERS, console, told
from tests.web.visiting import Browser, visit

HERE = "/admin/mappings/books"
SHIPPED = mappings.shipped("files")
# The shipped one with the tax id read from a column of our own.
EDITED = SHIPPED.replace('tax_id = "tax_id"', 'tax_id = "VAT"', 1)


@pytest.fixture
def front(store: Store, tmp_path: Path) -> Front:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: the jobs are tested on both")
    return console(store, tmp_path)


@pytest.fixture
def admin(front: Front) -> Browser:
    return visit(front, "sun.qiang")


def text_in(page: str) -> str:
    """What stands in the editor."""
    found = re.search(r'<textarea id="f-text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def versions(front: Front) -> list[tuple[int, str, bool]]:
    with front.store.reading() as tx:
        used = documents.active(tx, documents.MAPPING, "books")
        kept = documents.versions(tx, documents.MAPPING, "books")
    return [(v.number, v.author, used is not None and used.number == v.number) for v in kept]


def test_the_editor_shows_what_is_in_use_and_what_a_record_becomes(admin: Browser) -> None:
    page = admin.get(f"{HERE}?stream=customers&record=C1").text
    assert text_in(page) == SHIPPED
    assert "customer.name" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "VAT" in page, "a column that nothing reads is among the fields there"
    assert "Nothing." in page


def test_a_draft_is_checked_as_one_types(admin: Browser) -> None:
    page = admin.post(f"{HERE}/check", text=SHIPPED.replace('name = "name"', 'nome = "name"', 1), seen="0").text
    line = 1 + SHIPPED.splitlines().index('name = "name"')
    assert f"Line {line}" in page
    assert "Did you mean “name”?" in page
    assert 'id="checked"' in page
    page = admin.post(f"{HERE}/check", text="[read", seen="0").text
    assert "This is not TOML" in page
    page = admin.post(f"{HERE}/check", text=EDITED, seen="0", stream="customers", record="C1").text
    assert re.search(r"customer\.tax_id</code></td><td[^>]*>DE123</td>.*?<ins>DE123</ins>", page)
    assert "<ins>tax_id = &#34;VAT&#34;</ins>" in page


def test_checking_and_trying_keep_nothing(front: Front, admin: Browser) -> None:
    admin.post(f"{HERE}/check", text=EDITED, seen="0")
    page = admin.post(f"{HERE}/try", text=EDITED, seen="0").text
    assert "DE123" in page
    assert "No problems" in page
    assert versions(front) == []
    assert told(front) == []


def test_a_suggestion_and_the_small_form_change_the_draft_only(front: Front, admin: Browser) -> None:
    page = admin.post(f"{HERE}/edit", text=SHIPPED, seen="0", act="use:read.customer.tax_id=VAT").text
    assert text_in(page) == EDITED
    pair = {"pair_table": "read.customer", "pair_name": "phone", "pair_origin": "Tel"}
    page = admin.post(f"{HERE}/edit", text=SHIPPED, seen="0", act="pair", **pair).text
    assert 'phone = "Tel"' in text_in(page)
    page = admin.post(f"{HERE}/edit", text=SHIPPED, seen="0", act="drop", **pair).text
    assert "phone =" not in text_in(page).split("[read.limit]")[0]
    refused = admin.post(f"{HERE}/edit", text="[broken", seen="0", act="pair", **pair)
    assert refused.status_code == 422
    assert text_in(refused.text) == "[broken"
    assert versions(front) == []


def test_the_system_is_asked_for_its_fields(admin: Browser) -> None:
    page = admin.post(f"{HERE}/edit", text=SHIPPED, seen="0", act="ask").text
    assert "customers.csv" in page


def test_a_version_is_saved_used_and_gone_back_from(front: Front, admin: Browser) -> None:
    saved = admin.post(f"{HERE}/save", text=EDITED, seen="0", note="VAT it is", act="keep")
    assert (saved.status_code, saved.headers["location"]) == (303, f"{HERE}/history")
    assert versions(front) == [(1, "sun.qiang", False)]
    assert admin.post(f"{HERE}/save", text=SHIPPED, seen="1", act="use").status_code == 303
    assert versions(front) == [(2, "sun.qiang", True), (1, "sun.qiang", False)]
    assert admin.post(f"{HERE}/activate", version="1").status_code == 303
    assert versions(front)[1] == (1, "sun.qiang", True)
    page = admin.get(f"{HERE}/history").text
    assert "VAT it is" in page
    assert "<del>tax_id = &#34;VAT&#34;</del>" in page
    assert admin.post(f"{HERE}/activate", version="file").status_code == 303
    assert not any(used for _, _, used in versions(front))
    acts = [(action, subject, actor) for action, subject, actor in told(front)]
    who = ("mapping:books", "person:sun.qiang")
    assert [a[0] for a in acts] == [
        "mapping.save",
        "mapping.save",
        "mapping.activate",
        "mapping.activate",
        "mapping.activate",
    ]
    assert {a[1:] for a in acts} == {who}
    assert admin.get(f"{HERE}/export?version=1").text == EDITED
    assert admin.get(f"{HERE}/export").text == SHIPPED


def test_what_is_wrong_is_not_saved(front: Front, admin: Browser) -> None:
    answer = admin.post(f"{HERE}/save", text=EDITED.replace("customers", "custmers"), seen="0", act="use")
    assert answer.status_code == 422
    assert "Did you mean “customers”?" in answer.text
    assert versions(front) == []
    assert admin.post(f"{HERE}/activate", version="9").status_code == 422
    assert admin.get("/admin/mappings/nowhere").status_code == 404


def test_the_second_of_two_administrators_is_told(front: Front, admin: Browser) -> None:
    other = visit(front, "gao.yan")
    assert other.post(f"{HERE}/save", text=EDITED, seen="0", act="keep").status_code == 303
    mine = EDITED.replace('phone = "phone"', 'phone = "tel"', 1)
    late = admin.post(f"{HERE}/save", text=mine, seen="0", act="use")
    assert late.status_code == 409
    assert "gao.yan has saved version 1" in late.text
    assert text_in(late.text) == mine, "nothing of his is lost"
    assert "<ins>phone = &#34;tel&#34;</ins>" in late.text
    seen = re.search(r'name="seen" value="(\d+)"', late.text)
    assert seen is not None
    assert admin.post(f"{HERE}/save", text=mine, seen=seen[1], act="keep").status_code == 303
    assert [v[:2] for v in versions(front)] == [(2, "sun.qiang"), (1, "gao.yan")]


def test_only_administrators_come_in_and_only_by_our_forms(front: Front, admin: Browser) -> None:
    for person in OTHERS:
        browser = visit(front, person)
        for address in ("/admin/mappings", HERE, f"{HERE}/history", f"{HERE}/export"):
            assert browser.get(address).status_code == 403
        for act in ("check", "edit", "try", "save", "activate"):
            assert browser.post(f"{HERE}/{act}", text=EDITED, seen="0", version="1").status_code == 403
    for act in ("check", "edit", "try", "save", "activate"):
        assert admin.client.post(f"{HERE}/{act}", data={"text": EDITED, "seen": "0"}).status_code == 403
        stolen = admin.client.post(
            f"{HERE}/{act}", data={"text": EDITED, "csrf": "0" * 40}, headers={"Origin": "https://evil.example"}
        )
        assert stolen.status_code == 403
    assert versions(front) == []


def test_the_pages_speak_chinese(front: Front) -> None:
    browser = visit(front, "sun.qiang", "zh")
    for address, words in (
        ("/admin/mappings", "字段映射"),
        (HERE, "前后对照"),
        (f"{HERE}/history", "尚未保存任何版本"),
    ):
        assert words in browser.get(address).text
