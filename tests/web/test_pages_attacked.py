"""All pages and all forms under attack: hostile values in every field and address, hostile names in what systems say."""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from connector.config import LimitSettings
from connector.config_people import ALL_ROLES, PersonSettings
from connector.model import Customer
from connector.policy import default_text
from connector.store import audit
from connector.store import passwords as kept
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from connector.web.passwords import hashed
from connector.web.session import csrf_of
from jobs import demo_company
from jobs.dun import dun
from jobs.review import review
from tests.jobs.shop import TODAY, Shop
from tests.web.console import console
from tests.web.crawling import Form, Site, different, of_pages, walk
from tests.web.visiting import HTML, Browser, visit

one_database = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
NAME = f"{SCRIPT}{{{{7*7}}}}{{% raise %}}"
ODD = (
    "",
    "x" * 20_000,
    "a\x00b",
    "one\r\nSet-Cookie: holdfast=evil\r\n\r\ntwo",
    SCRIPT,
    "javascript:alert(1)",
    "{{7*7}}",
    "{% raise %}",
    "${7*7}#{7*7}%(x)s{0.__class__}",
    "=1+1",
    "../../etc/passwd",
    "//evil.example/x",
    "\\\\evil.example",
    "' OR 1=1 --",
    "9" * 40,
    "9" * 5000,
    "9223372036854775808",
    "-1",
    "-0.001",
    "NaN",
    "-Infinity",
    "1e400",
    "1e-400",
    "0x10",
    "٣",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "\ud7ff\ufffe\u202e\U0010ffff",
    "[" * 3000,
    "x = 1e99999999999999999999",
    "x = " + "[" * 3000,
    "books/",
    "/",
    "%00%0a%2e%2e%2f",
)
# Of each form, so many hostile values in each field alone; in all fields at once some more. A longer run: larger numbers.
EACH = 1
ALL_AT_ONCE = 6
MOST_FIELDS = 12
MOST_FORMS = 2
ROOT = PersonSettings(id="root", name="Root", roles=tuple(ALL_ROLES))
SECOND = PersonSettings(id="second", name="Second", roles=("approver", "credit_controller"))


@pytest.fixture
def front(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A company with something on every page: all that other systems and people can write is hostile."""
    if store.engine.dialect.name != "sqlite":
        pytest.skip("pages are the same on both databases")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the made-up company is tested elsewhere")

    monkeypatch.setattr(demo_company.DemoCompany, "begin", never)
    made = console(store, tmp_path)
    made.config = made.config.model_copy(
        update={"limits": LimitSettings(master="here"), "people": (*made.config.people, ROOT, SECOND)}
    )
    shop = Shop(store, made.config, clock=made.clock)  # type: ignore[arg-type]
    shop.customers(
        Customer(id="C1", name=NAME, currency="CNY", tax_id=NAME, owner="u7", phone=NAME, email=NAME, country="CN"),
        Customer(id="C2", name=f"Seven {NAME}", currency="CNY"),
        Customer(id=SCRIPT, name="=1+1", currency="CNY"),
        limits={"C1": 1000, "C2": 50_000},
    )
    shop.invoice("I1", "C1", 800, TODAY - dt.timedelta(days=100), number=NAME)
    shop.invoice("I2", "C1", 400, TODAY + dt.timedelta(days=10), number="=1+1")
    shop.invoice("I3", SCRIPT, 100, TODAY - dt.timedelta(days=40))
    shop.order("SO1", "C1", 500, number=NAME, owner="u7")
    shop.order("SO2", "C1", 700, number="N-2", owner="u8")
    shop.order(SCRIPT, "C2", 700, number=NAME)
    shop.fresh()
    shop.run()
    shop.request("SO1", "chen.jie", NAME)
    review(shop.store, shop.config, shop.policy, shop.clock)
    dun(shop.store, shop.config, shop.policy, shop.clock)
    yield made
    made.close()


@pytest.fixture
def root(front: Front) -> Browser:
    """Somebody who may everything, who has left something on each page."""
    browser = visit(front, "root")
    left = {
        "/desk/contacts": {"system": "books", "customer": "C1", "kind": "phone", "result": "reached", "note": NAME},
        "/desk/customer-holds": {"system": "books", "customer": "C2", "why": NAME},
        "/desk/limits/new": {"customer": "books/C2", "do": "ask", "why": NAME, "amount": "60000"},
        "/desk/reviews/start": {"system": "books", "customer": "C1"},
        "/admin/people": {"id": "eve", "name": NAME[:90], "roles": ["sales"]},
        "/admin/keys": {"app": "webshop", "roles": ["sales"], "note": NAME[:90]},
        "/admin/policy/save": {"text": default_text() + "\n# changed", "seen": "0", "act": "keep", "note": NAME},
    }
    for address, fields in left.items():
        answer = browser.post(address, **fields)
        assert answer.status_code in (200, 303), (address, answer.status_code, answer.text)
    return browser


STARTS = (
    "/desk/customers/books/C1?tab=warnings",
    "/desk/customers/books/C1?tab=papers",
    "/desk/customers/books/C2?tab=changes",
    "/desk/customers/books/C2",
    "/desk/reviews/books/C1",
    "/desk/reviews/books/C2",
    "/admin/people/eve",
    "/desk",
    "/admin/first-steps",
    "/me",
    "/sign-in/with/abc",
    "/desk/customers/books/C1?tab=file",
)


def reach(browser: Browser) -> Site:
    return walk(browser, STARTS)


def harmless(answer: Response, what: object) -> None:
    """What came back is no fault, and nothing that was sent is more in it than words."""
    assert answer.status_code < 500, (what, answer.text[-300:])
    assert "\n" not in answer.headers.get("location", ""), what
    # A slash too many is taken off by the router, which sends to the host that was asked.
    to = answer.headers.get("location", "/").removeprefix("http://testserver")
    assert to.startswith("/") and not to.startswith(("//", "/\\")), (what, to)  # noqa: PT018
    assert answer.headers.get_list("set-cookie") == [
        c for c in answer.headers.get_list("set-cookie") if "evil" not in c
    ]
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "<script>" not in answer.text, what
        assert "<img src=x" not in answer.text, what
        assert "Traceback" not in answer.text, what


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        f"{r.getMessage()} {r.exc_info[1] if r.exc_info else ''!r}"
        for r in caplog.records
        if r.levelno >= logging.ERROR
    ]


def usual(form: Form) -> dict[str, str]:
    """What a browser sends of a form as it stands, by its first button."""
    sent = dict(form.offered[::-1])
    return sent | {name: value for name, value in form.fields if value or name not in sent}


@one_database
def test_no_form_lets_anything_through(front: Front, root: Browser, caplog: pytest.LogCaptureFixture) -> None:
    site, rng = reach(root), Random(5)
    assert site.odd == []
    for path in of_pages(root.client.app, "POST"):
        if f"POST {path}" not in site.forms:
            made = [(name, "") for name in ("act", "do", "why", "note", "text", "seen", "version", "number", *KEYS)]
            site.forms[f"POST {path}"] = [Form("", "POST", filled(path), made)]
    caplog.clear()
    bad: list[str] = []
    sent_forms = 0
    for route, forms in sorted(site.forms.items()):
        if not route.startswith("POST") or route in LEFT_OUT:
            continue
        for form in list(different(forms))[:MOST_FORMS]:
            sent_forms += 1
            whole, names = usual(form), form.names
            some = rng.sample(names, min(MOST_FIELDS, len(names)))
            tries: list[dict[str, object]] = [dict.fromkeys(names, odd) for odd in rng.sample(ODD, ALL_AT_ONCE)]
            tries += [whole | {name: odd} for name in some for odd in rng.sample(ODD, EACH)]
            tries += [{k: v for k, v in whole.items() if k != name} for name in some]
            tries += [whole | {name: [whole.get(name, ""), rng.choice(ODD)]} for name in names[:3]]
            for fields in tries:
                answer = root.client.post(form.action, data={**fields, "csrf": csrf_of(root.token)})
                ended = answer.headers.get("location", "").startswith("/sign-in")
                if ended or "holdfast=" in answer.headers.get("set-cookie", ""):
                    root = visit(front, "root")
                try:
                    harmless(answer, (form.action, short(fields)))
                except AssertionError as wrong:
                    bad.append(str(wrong)[:400])
    assert sent_forms > 30
    assert bad == []
    assert faults(caplog) == []


def filled(path: str) -> str:
    """An address of a route, of something that there is."""
    names = {"system": "books", "name": "books", "customer": "C1", "order": "SO1", "adapter": "files", "who": "eve"}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: names.get(found[1], "1"), path)


def short(fields: dict[str, object]) -> dict[str, str]:
    return {name: str(value)[:40] for name, value in fields.items() if value}


# More fields of forms that no page of this company shows.
KEYS = ("system", "customer", "account", "proposal", "kind", "code", "back", "until", "conclusion", "amount")
# Spent or ended by the first that is sent; each has its own tests.
LEFT_OUT = {"POST /sign-out", "POST /admin/first-steps/demo", "POST /admin/first-steps/demo/remove"}


CHARSETS = ("utf-7", "unicode_escape", "punycode", "undefined", "idna", "utf-16", "x\x00", "utf-8; charset=utf-7")


@one_database
@pytest.mark.parametrize("charset", CHARSETS)
def test_a_form_in_another_character_set_is_not_read(
    front: Front, caplog: pytest.LogCaptureFixture, charset: str
) -> None:
    browser = visit(front, "root")
    fields = {"csrf": b"+2AA-\\ud800", "name": b"+2AA-\\ud800", "password": b"+2AA-\\ud800"}
    parts = [
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v) for k, v in fields.items()
    ]
    head = {"Content-Type": f"multipart/form-data; boundary=B; charset={charset}"}
    for address in ("/sign-in", "/me/password", "/desk/contacts"):
        answer = browser.client.post(address, content=b"".join(parts) + b"--B--\r\n", headers=head)
        assert answer.status_code == 400, address
        assert "UTF-8" in answer.text
    assert faults(caplog) == []


@one_database
def test_a_number_without_end_in_an_address_is_nothing(root: Browser, caplog: pytest.LogCaptureFixture) -> None:
    for figures in (19, 30, 3900, 5000):
        for path in ("/desk/limits/", "/desk/simulator/"):
            assert root.get(path + "9" * figures).status_code == 404
            assert root.post(path + "9" * figures, do="approve").status_code in (404, 405)
    assert faults(caplog) == []


# --- addresses ---------------------------------------------------------------------------------------------------------------
ASKED = (
    "q", "show", "sort", "after", "as", "day", "part", "view", "tab", "kind", "customer", "begin", "system", "stream", "version",
    "new", "old", "subject", "action", "actor", "since", "until", "next", "state", "level", "amount", "look", "lang",
)  # fmt: skip


@one_database
def test_no_address_lets_anything_through(root: Browser, caplog: pytest.LogCaptureFixture) -> None:
    site, rng = reach(root), Random(7)
    caplog.clear()
    bad: list[str] = []
    pages = {route: at[0] for route, at in site.pages.items()}
    for route in of_pages(root.client.app, "GET"):
        pages.setdefault(route, filled(route))
    assert len(pages) > 40
    for route, address in sorted(pages.items()):
        path = address.partition("?")[0]
        tries: list[tuple[str, dict[str, object]]] = [
            (path, {name: rng.choice(ODD)[:1500] for name in ASKED}) for _ in range(2)
        ]
        tries += [(path, {name: odd}) for name in rng.sample(ASKED, 6) for odd in rng.sample(ODD, EACH)]
        tries.append((path, {"q": [SCRIPT, "{{7*7}}"], "after": "9" * 30 + "," + SCRIPT}))
        if "{" in route:
            names = [re.sub(r"\{\w+(:\w+)?\}", lambda _, odd=odd: quote(odd[:900], safe=""), route) for odd in ODD]
            tries += [(name, {}) for name in names]
        for at, asked in tries:
            try:
                harmless(root.client.get(at, params=asked), (at[:80], short(asked)))
            except AssertionError as wrong:
                bad.append(str(wrong)[:400])
    assert bad == []
    assert faults(caplog) == []


# --- what stands around a page -----------------------------------------------------------------------------------------------
@one_database
def test_no_page_is_framed_and_none_loads_or_runs_what_is_not_ours(root: Browser) -> None:
    site = reach(root)
    addresses = [at[0] for at in site.pages.values()] + [
        "/sign-in",
        "/nowhere",
        "/desk/limits/999",
        "/desk/orders/books/no",
    ]
    for address in addresses:
        answer = root.get(address)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, address
        assert answer.headers["x-frame-options"] == "DENY", address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        assert answer.headers["cache-control"] == "no-store", address
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", address
        assert "default-src 'none'" in policy, address
        assert re.search(r"(script|default)-src[^;]*('unsafe|\*|http|data:)", policy) is None, address
    assert len(addresses) > 30
    assert site.odd == []


@one_database
def test_what_others_wrote_is_words_on_every_page(root: Browser) -> None:
    site = reach(root)
    shown = 0
    for addresses in site.pages.values():
        for address in addresses:
            answer = root.get(address)
            harmless(answer, address)
            if answer.headers.get("content-type", "").startswith("text/html"):
                shown += "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
                # What is shown of the name is what was written, nothing worked out of it.
                assert "{{7*7}}" in answer.text or "alert(1)" not in answer.text or "}}" not in answer.text, address
            if "as=csv" in address:
                rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
                cells = [cell for row in rows for cell in row]
                assert [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r")] == [], address
    assert shown > 10, "the hostile names stand on pages, otherwise nothing is shown"


@one_database
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_cookies_are_for_this_host_and_not_for_scripts(front: Front, tls: bool) -> None:
    if tls:
        service = front.config.service.model_copy(update={"address": "https://credit.example.com"})
        front.config = front.config.model_copy(update={"service": service})
    with front.store.writing() as tx:
        kept.put(tx, "root", hashed("correct-horse-battery"), by="person:root", now=front.clock.now())
    base = "https://credit.example.com" if tls else "http://testserver"
    client = TestClient(make(front), base_url=base, follow_redirects=False, headers=HTML)
    answer = client.post(
        "/sign-in", data={"name": "root", "password": "correct-horse-battery", "next": "//evil.example"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    name = "__Host-holdfast" if tls else "holdfast"
    token = client.cookies[name]
    said = [*answer.headers.get_list("set-cookie")]
    sent = {"csrf": csrf_of(token), "language": "zh", "theme": "dark", "back": "//evil.example"}
    looked = client.post("/look", data=sent)
    assert looked.headers["location"] == "/"
    said += looked.headers.get_list("set-cookie")
    held = client.post("/desk/customer-holds", data={**sent, "system": "books", "customer": "C1", "why": "x"})
    assert held.status_code == 303
    said += held.headers.get_list("set-cookie")
    assert len(said) == 3
    for cookie in said:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/"} <= parts, cookie
        assert {"samesite=lax", "samesite=strict"} & parts, cookie
        assert ("secure" in parts) == tls, cookie
        assert not [part for part in parts if part.startswith("domain")], "no other host of the domain gets it"
    if tls:
        fixed = TestClient(
            make(front), base_url=base, follow_redirects=False, headers=HTML, cookies={"holdfast": token}
        )
        assert fixed.get("/desk").status_code == 303, "without the prefix another host could have set it"


# --- addresses of others -----------------------------------------------------------------------------------------------------
ELSEWHERE = (
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example",
    "/\r\nLocation: https://evil.example", " //evil.example", "data:text/html,x", "http:evil.example", "///evil.example", "@evil.example",
)  # fmt: skip


@one_database
def test_no_form_and_no_address_leads_elsewhere(front: Front, root: Browser) -> None:
    site, stranger = reach(root), TestClient(make(front), follow_redirects=False, headers=HTML)
    tried = 0
    for route, forms in site.forms.items():
        form = next((form for form in forms if {"next", "back"} & set(form.names)), None)
        if form is None or route.startswith("GET"):
            continue
        for address in ELSEWHERE:
            tried += 1
            answer = root.post(form.action, **{**usual(form), "next": address, "back": address})
            harmless(answer, (route, address))
            assert "evil.example" not in answer.headers.get("location", ""), (route, address)
            assert 'href="//evil' not in answer.text
    assert tried >= 4 * len(ELSEWHERE)
    for address in ELSEWHERE:
        assert root.get("/sign-in", params={"next": address}).headers["location"] == "/"
        page = stranger.get("/sign-in", params={"next": address}).text
        assert 'name="next" value="/"' in page
        page = root.get(
            "/desk/limits/999", headers={"Referer": f"http://testserver{address}"} if address.isprintable() else {}
        )
        assert 'href="//evil' not in page.text
    for path in ("//evil.example/desk/", "///evil.example", "/%2f%2fevil.example/", "/%5cevil.example/"):
        harmless(root.client.get(f"http://testserver{path}"), path)


@one_database
@pytest.mark.parametrize(
    "path",
    [
        "/desk/../admin/people", "/desk/%2e%2e/admin/people", "/desk/orders/books/%2e%2e%2f%2e%2e%2fadmin/people", "//admin/people",
        "/desk//admin/people", "/admin%2fpeople", "/%61dmin/people", "/admin/people/", "/admin/people;x=/desk", "/ADMIN/people",
        "/static/x/..%2f..%2fpages.py", "/static/x/%2e%2e/pages.py", "/static/%2e%2e/%2e%2e/app.py", "/static/x//etc/passwd",
        "/desk/customers/books/..%2f..%2f..%2fadmin%2fpeople", "/desk/portfolio/charts/..%2f..%2fx.svg", "/admin/policy/export",
        "/admin/systems/books", "/admin/mappings/books/export", "/admin/people/root", "/admin/audit", "/admin/keys/1",
    ],
)  # fmt: skip
def test_who_may_not_comes_to_nothing_by_any_way(front: Front, path: str) -> None:
    seller = visit(front, "chen.jie")
    answer = seller.get(path)
    assert answer.status_code in (303, 307, 403, 404, 405), path
    for word in ("sun.qiang", "root:", "from __future__", "[hold]", "settings.path"):
        assert word not in answer.text, path
    if answer.status_code == 307:
        assert seller.get(answer.headers["location"]).status_code in (403, 404)


@one_database
def test_numbers_of_others_open_nothing_that_is_not_ones_own_right(front: Front, root: Browser) -> None:
    seller, stranger = visit(front, "chen.jie"), TestClient(make(front), follow_redirects=False, headers=HTML)

    def acts() -> list[str]:
        with front.store.reading() as tx:
            return [row.entry.action for row in audit.everything(tx) if row.entry.action.startswith("limit.")]

    before = acts()
    for number in (1, 2, 99):
        for do in ("approve", "reject", "withdraw"):
            answer = seller.post(f"/desk/limits/{number}", do=do, why="x", once="x")
            assert answer.status_code in (403, 404), (number, do)
            assert acts() == before
        for path in (f"/desk/limits/{number}", f"/desk/simulator/{number}", "/desk/orders/books/SO1", "/admin/runs"):
            assert stranger.get(path).headers["location"].startswith("/sign-in"), path
    assert root.post("/desk/limits/1", do="approve", why="x", once="y").status_code == 422, "it is his own request"
    assert acts() == before
