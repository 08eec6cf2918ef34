"""Papers of the credit file at the desk and over the API: brought by a form, taken out as bytes, by whom and what for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from connector.config_people import PersonSettings
from connector.model import Customer
from connector.store import audit, customers, papers
from connector.store.db import Store
from connector.store.papers import PaperRow
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of
from jobs.papers import plain_name
from tests.jobs.shop import PEOPLE, Shop, config
from tests.web.conftest import Made, bearer
from tests.web.visiting import Browser, visit

PAGE = b"<html><script>alert(1)</script>"
ADA = PersonSettings(id="ada", name="Ada", roles=("auditor",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One database: what is asked of it here is asked of both elsewhere."""
    made = Store.open(f"sqlite:///{tmp_path / 'papers.db'}")
    yield made
    made.close()


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    made = Shop(store, config(tmp_path, (*PEOPLE, ADA)))
    made.customers(
        Customer(id="C1", name="华东机械有限公司", currency="CNY"),
        Customer(id="C2", name="Seven & Sons", currency="CNY"),
        limits={"C1": 1000, "C2": 500},
    )
    made.run()
    return made


def bring(browser: Browser, name: str = "营业执照 2026.html", content: bytes = PAGE, **fields: str) -> Response:
    """Sends the form with a file."""
    given = {"csrf": csrf_of(browser.token), "system": "books", "customer": "C1", "kind": "licence", **fields}
    return browser.client.post("/desk/papers", data=given, files={"file": (name, content, "text/html")})


def kept(store: Store) -> list[PaperRow]:
    with store.reading() as tx:
        return papers.papers(tx)


def told(store: Store, action: str) -> list[tuple[str, str, str, Any]]:
    with store.reading() as tx:
        found = [line.entry for line in audit.listing(tx) if line.entry.action == action]
    return [(e.actor, e.subject, e.why, (e.after or {}).get("paper")) for e in found]


def test_a_paper_is_brought_once_and_comes_back_as_the_bytes_it_was(shop: Shop, front: Front, store: Store) -> None:
    browser = visit(front, "wang.fang", "zh")
    sent = {"note": "年检", "dated_on": "2026-03-01", "valid_to": "2027-03-01", "once": "k1"}
    for _ in range(2):
        answer = bring(browser, **sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk/customers/books/C1?tab=papers")
    (one,) = kept(store)
    assert (one.kind, one.name, one.note, one.size) == ("licence", "营业执照 2026.html", "年检", len(PAGE))
    assert told(store, "paper.add") == [("person:wang.fang", "customer:books/C1", "年检", one.id)]
    address = f"/desk/papers/{one.id}/books/C1"
    assert f'href="{address}"' in browser.get("/desk/customers/books/C1?tab=papers").text
    assert f'href="{address}"' in browser.get("/desk/customers/books/C1?tab=file").text
    taken = browser.get(address)
    assert (taken.status_code, taken.content) == (200, PAGE)
    assert taken.headers["content-type"] == "application/octet-stream"
    assert taken.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in taken.headers["content-security-policy"]
    assert taken.headers["content-disposition"] == (
        "attachment; filename=\"_____2026.html\"; filename*=UTF-8''%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7%202026.html"
    )
    assert told(store, "paper.take") == [("person:wang.fang", "customer:books/C1", "", one.id)]


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_kept(shop: Shop, front: Front, store: Store) -> None:
    browser = visit(front, "wang.fang")
    most = front.config.service.paper_mib * 1024 * 1024
    for fields, said in (
        ({"kind": "letter"}, "Choose what kind of paper it is."),
        ({"content": b""}, "The file is empty."),
        ({"name": "", "content": b""}, "Give a file or a note."),
        ({"content": b"x" * (most + 1)}, "The file is larger than 20 MB."),
        ({"dated_on": "2099-01-01"}, "That day is still to come."),
        ({"dated_on": "soon"}, "A day, such as 2026-12-01."),
        ({"valid_to": "2020-01-01"}, "That is before the paper&#39;s own date."),
        ({"purpose": "guarantee"}, "until which day?"),
        ({"keep_until": "2027-01-01"}, "Say what personal data is kept for."),
        ({"customer": "C9"}, "C9"),
    ):
        answer = bring(browser, **fields)  # type: ignore[arg-type]
        assert answer.status_code in (404, 422), fields
        assert said in answer.text, fields
    large = bring(browser, content=b"x" * (most + 2**20))
    assert (large.status_code, "A file is at most 20 MB." in large.text) == (413, True)
    assert bring(browser, csrf="").status_code == 403
    assert bring(visit(front, "chen.jie")).status_code == 403  # what lets orders go is not for who sells
    assert kept(store) == []


def test_an_attachment_is_for_those_who_may_of_that_customer_alone_and_only_as_it_was(
    shop: Shop, front: Front, store: Store
) -> None:
    browser = visit(front, "wang.fang")
    bring(browser)
    bring(browser, content=b"\x89PNG", purpose="guarantee", keep_until="2027-01-01")
    plain, personal = kept(store)
    auditor, seller = visit(front, "ada"), visit(front, "chen.jie")
    assert seller.get(f"/desk/papers/{plain.id}/books/C1").status_code == 403
    assert f"/desk/papers/{plain.id}/" not in seller.get("/desk/customers/books/C1?tab=papers").text
    for wrong in (f"{plain.id}/books/C2", "99/books/C1", f"{plain.id}/books/C9", f"x{plain.id}/books/C1", "٣/books/C1"):
        assert browser.get(f"/desk/papers/{wrong}").status_code == 404, wrong
    # What speaks of a person asks what for.
    asked = {"system": "books", "customer": "C1", "number": str(personal.id)}
    assert browser.get(f"/desk/papers/{personal.id}/books/C1").status_code == 422
    assert "say what you need it for" in auditor.post("/desk/papers/personal", **asked, why=" ").text
    assert told(store, "paper.take") == []
    assert auditor.post("/desk/papers/personal", **asked, why="yearly audit").content == b"\x89PNG"
    assert told(store, "paper.take") == [("person:ada", "customer:books/C1", "yearly audit", personal.id)]
    (place,) = front.config.files.glob(f"*/{plain.sha}")
    place.write_bytes(b"another licence")
    answer = browser.get(f"/desk/papers/{plain.id}/books/C1")
    assert answer.status_code == 422
    assert "is not what was put in" in answer.text
    assert str(front.config.files) not in answer.text
    assert len(told(store, "paper.take")) == 1


def test_the_api_gives_an_attachment_to_who_may_have_it(shop: Shop, front: Front, store: Store, key: Made) -> None:
    with store.writing() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs={"C1"})
        sha, size = papers.keep_content(front.config.files, PAGE)
        paper = PaperRow(
            debtor=row.debtor or 0, kind="other", dated_on=shop.today, source="person:li.wei", added_by="li.wei",
            added_at=shop.clock.now(), size=size, sha=sha, personal=True, purpose="guarantee", keep_until=shop.today,
        )  # fmt: skip
        number = papers.add(tx, paper)
    client = TestClient(make(front), raise_server_exceptions=False)
    address, mine = f"/api/v1/customers/books/C1/papers/{number}", bearer(key("wang.fang"))
    assert client.get(address, headers=mine).status_code == 422
    assert client.get(address, headers=bearer(key("chen.jie")), params={"personal": "x"}).status_code == 403
    assert client.get(address.replace("C1", "C2"), headers=mine, params={"personal": "x"}).status_code == 404
    answer = client.get(address, headers={**mine, "Accept-Language": "zh"}, params={"personal": "复核"})
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-disposition"].endswith(f"%E8%B5%84%E6%96%99-{number}")
    assert told(store, "paper.take") == [("person:wang.fang", "customer:books/C1", "复核", number)]


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("C:\\scans\\licence.pdf", "licence.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..", ""),
        ("exe\u202efdp.pdf", "exefdp.pdf"),
        ('a"b\r\nSet-Cookie: x=1.pdf', "abSet-Cookie x=1.pdf"),
        ("con.txt", "_con.txt"),
        ("营业执照.pdf", "营业执照.pdf"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_the_name_of_a_file_is_plain_on_every_system(typed: str, plain: str) -> None:
    assert plain_name(typed) == plain
