"""A link that an administrator makes for an approver: with it nobody decides until a second administrator has confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of
from tests.web.console import console, told
from tests.web.visiting import HTML, Browser, visit

PASSWORD = "a few words that nobody guesses"


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    yield console(store, tmp_path)
    store.close()


def _spent(front: Front, page: str) -> Browser:
    """A browser that has come by the link of a page."""
    code = re.search(r"/sign-in/with/([\w-]+)", page)
    assert code is not None
    client = TestClient(make(front), raise_server_exceptions=False, follow_redirects=False, headers=HTML)
    assert client.post("/sign-in/with", data={"code": code[1]}).status_code == 303
    return Browser(client, client.cookies["holdfast"])


def test_whoever_comes_by_the_link_of_another_decides_nothing_until_a_second_one_has_asked_him(front: Front) -> None:
    admin, other = visit(front, "sun.qiang"), visit(front, "gao.yan")
    assert "lets these roles rest" in admin.get("/admin/people/li.wei").text
    li = _spent(front, admin.post("/admin/people/li.wei/invite").text)
    assert "Some of your roles rest" in li.get("/me").text
    # A password that he sets now makes no difference: whoever has the link can set one.
    assert li.post("/me/password", password=PASSWORD, again=PASSWORD).status_code == 303
    signed = li.client.post("/sign-in", data={"name": "li.wei", "password": PASSWORD}, headers={"Cookie": ""})
    li = Browser(li.client, signed.cookies["holdfast"])
    refused = li.get("/desk/limits/new")
    assert (refused.status_code, "rests until a second administrator" in refused.text) == (403, True)
    assert "to be confirmed" in admin.get("/admin/people").text
    assert "To be confirmed by a second person: Li Wei" in admin.get("/admin/health").text

    mine = admin.get("/admin/people/li.wei").text
    assert "It is for somebody else to confirm:" in mine
    assert "Gao Yan" in mine
    assert admin.post("/admin/people/li.wei/confirm").status_code == 403
    theirs = other.get("/admin/people/li.wei").text
    assert "I have asked and confirm" in theirs
    assert "signed in" in theirs, "what has happened since is there to be asked about"
    assert other.post("/admin/people/li.wei/confirm", note="on the telephone").status_code == 303
    assert li.get("/desk/limits/new").status_code == 200
    by_hand = [one for one in told(front) if one[0] in ("session.invite", "person.rest", "person.confirm")]
    assert by_hand == [
        ("session.invite", "person:li.wei", "person:sun.qiang"),
        ("person.rest", "person:li.wei", "person:sun.qiang"),
        ("person.confirm", "person:li.wei", "person:gao.yan"),
    ]


def test_a_link_for_whoever_only_looks_needs_no_second_person(front: Front) -> None:
    admin = visit(front, "sun.qiang")
    sent = {"csrf": csrf_of(admin.token), "id": "mei", "roles": ["sales"]}
    assert admin.client.post("/admin/people", data=sent).status_code == 303
    mei = _spent(front, admin.post("/admin/people/mei/invite").text)
    assert "rest until" not in mei.get("/me").text
    assert "person.rest" not in [one[0] for one in told(front)]
