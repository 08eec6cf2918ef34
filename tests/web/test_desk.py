"""The desk's pages: work list, customers, collection, reviews; who sees and who does what; nothing hostile comes through."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import openpyxl
import pytest

from connector.config_people import PersonSettings
from connector.model import Customer
from connector.store import alerts, audit, contacts, customers, exclusions, papers, reviews
from connector.store.db import Store
from connector.store.papers import PaperRow
from connector.web.front import Front
from connector.web.session import csrf_of
from jobs.dun import dun
from jobs.review import review
from tests.jobs.shop import PEOPLE, TODAY, Shop, config
from tests.web.visiting import Browser, visit

HOSTILE = '<img src=x onerror=alert(1)>"\'=HYPERLINK("http://evil")'
FORMULA = '=HYPERLINK("http://evil.example","pay here")'
MORE = (
    PersonSettings(id="vera", name="Vera", roles=("viewer",)),
    PersonSettings(id="ada", name="Ada", roles=("auditor",)),
    PersonSettings(id="sun.li", name="Sun Li", roles=("credit_controller",)),
)
TABS = ("", "documents", "orders", "file", "score", "warnings", "changes", "papers")


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    return Shop(store, config(tmp_path, PEOPLE + MORE))


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """C1 is over its limit and late, with a held order; C2 owes nothing; C3 and C4 have names that no page may take amiss."""
    shop.customers(
        Customer(id="C1", name="华东机械有限公司", currency="CNY", tax_id="9131", owner="u7", phone="+86 21 5550 1234"),
        Customer(id="C2", name="Seven & Sons", currency="CNY"),
        Customer(id="C3", name=HOSTILE, currency="CNY"),
        Customer(id="C4/../x y", name=FORMULA, currency="CNY"),
        limits={"C1": 1000, "C2": 50_000, "C3": 5000},
    )
    shop.invoice("I1", "C1", 800, TODAY - dt.timedelta(days=100), number="R-100")
    shop.invoice("I2", "C1", 400, TODAY + dt.timedelta(days=10), number="R-101")
    shop.invoice("I3", "C3", 100, TODAY - dt.timedelta(days=5), number="<b>R-3</b>")
    shop.invoice("I4", "C4/../x y", 30, TODAY + dt.timedelta(days=5))
    shop.order("SO1", "C1", 500, number="N-1", owner="u7")
    shop.fresh()
    shop.run()
    return shop


def one(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough here: the pages' own questions are asked on both elsewhere in this file")


def plain(page: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


# --- each page, both languages ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_answers_in_both_languages(busy: Shop, front: Front, language: str) -> None:
    review(busy.store, busy.config, busy.policy, busy.clock)
    dun(busy.store, busy.config, busy.policy, busy.clock)
    browser = visit(front, "wang.fang", language)
    pages = ["/desk", "/desk?show=mine", "/desk?q=华东", "/desk/customers", "/desk/collection", "/desk/reviews"]
    pages += [f"/desk/customers/books/C1?tab={tab}" for tab in TABS]
    pages += ["/desk/customers/books/C2", "/desk/customers/books/C3", "/desk/customers/books/C4/../x%20y"]
    pages += ["/desk/reviews/books/C1", "/desk/reviews?show=started", "/desk/collection?show=steps"]
    pages.remove("/desk/customers/books/C4/../x%20y")
    pages.append("/desk/customers/books/C4%2F..%2Fx%20y")
    for address in pages:
        answer = browser.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {plain(answer.text)[:300]}"
        if language == "zh":
            assert "信用工作台" in answer.text
    words = {"en": ("is held", "Red warning"), "zh": ("已冻结", "红色预警")}[language]
    page = plain(browser.get("/desk").text)
    assert all(word in page for word in words), page[:800]


def test_the_work_list_puts_what_waits_for_me_first_and_leads_there(busy: Shop, front: Front) -> None:
    busy.request("SO1", "chen.jie")
    approver, seller = visit(front, "li.wei"), visit(front, "chen.jie")
    page = approver.get("/desk").text
    first = re.search(r"<tbody>.*?</tr>", page, re.DOTALL)
    assert first is not None
    assert "Release of order N-1 waits for you" in first[0]
    assert 'href="/desk/orders/books/SO1"' in first[0]
    assert "华东机械有限公司" in first[0]
    assert "Release of order N-1 was asked for" in seller.get("/desk").text
    assert "waits for you" not in seller.get("/desk").text
    assert "show=mine" not in seller.get("/desk").text
    assert "N-1" not in approver.get("/desk?q=Seven").text
    assert "Nothing that waits fits these words." in approver.get("/desk?q=nobody").text


def test_broken_promises_and_dunning_wait_until_somebody_speaks_with_the_customer(busy: Shop, front: Front) -> None:
    dun(busy.store, busy.config, busy.policy, busy.clock)
    browser = visit(front, "wang.fang")
    fields = {"system": "books", "customer": "C1", "kind": "phone", "result": "promised"}
    assert "华东机械" in browser.get("/desk?show=collection").text
    due = TODAY + dt.timedelta(days=2)
    answer = browser.post("/desk/contacts", **fields, promise_on=due.isoformat(), amount="800", document="R-100")
    assert answer.status_code == 303
    with busy.store.reading() as tx:
        assert contacts.contacts(tx)[0].document == "I1", "by the number that people know it by"
    left = browser.get("/desk?show=collection").text
    assert "Dunning, level" in left  # another customer's
    assert "华东机械" not in left
    assert "A promise to pay was not kept" not in browser.get("/desk").text
    busy.days(12)
    busy.run()
    browser = visit(front, "wang.fang")
    page = plain(browser.get("/desk?show=promise").text)
    assert "A promise to pay was not kept" in page
    assert "CNY 800.00" in page
    assert "Broke a promise 1" in plain(browser.get("/desk/collection").text)


# --- the list of customers ---------------------------------------------------------------------------------------------------
def listed(browser: Browser, query: str) -> list[str]:
    """The ids of the customers that a list shows, in its order."""
    page = browser.get(f"/desk/customers?{query}").text
    return re.findall(r'<span class="sub">([^<]+?)</span></td>', page.partition("<tbody>")[2])


def test_customers_are_found_filtered_and_sorted(busy: Shop, front: Front) -> None:
    browser = visit(front, "vera")
    assert listed(browser, "")[0] == "C1"
    assert listed(browser, "sort=exposure")[-1] == "C1"
    assert listed(browser, "q=9131") == ["C1"]
    assert listed(browser, "q=seven") == ["C2"]
    assert listed(browser, "q=%25") == []
    assert listed(browser, "state=overdue&sort=-overdue") == ["C1", "C3"]
    assert listed(browser, "state=over") == ["C1"]
    assert listed(browser, "level=red") == ["C1", "C3"]  # all that C3 owes is overdue
    assert set(listed(browser, "level=green")) == {"C2", "C4/../x y"}
    assert set(listed(browser, "state=nonsense&level=pink&sort=evil&after=99999")) == {"C1", "C2", "C3", "C4/../x y"}
    for sort in ("name", "used", "late", "limit", "available", "level", "score"):
        assert len(listed(browser, f"sort={sort}")) == len(listed(browser, f"sort=-{sort}")) == 4


def test_a_new_decision_is_on_the_list_at_once(busy: Shop, front: Front) -> None:
    browser = visit(front, "vera")
    assert "50,000.00" in browser.get("/desk/customers?q=C2").text
    assert listed(browser, "state=overdue") == ["C1", "C3"]
    busy.invoice("I9", "C2", 77, TODAY - dt.timedelta(days=40))
    busy.fresh()
    busy.run()
    assert set(listed(browser, "state=overdue")) == {"C1", "C2", "C3"}


def test_exports_say_what_the_list_says_and_run_nothing(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "vera")
    answer = browser.get("/desk/customers?as=csv&sort=-exposure")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:2] == ["Customer", "Name"]
    assert rows[1][0] == "books/C1"
    assert "1200.00" in rows[1] or "1700.00" in rows[1]
    names = [row[1] for row in rows[1:]]
    assert "'" + FORMULA in names
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "@"))]
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/desk/customers?as=xlsx").content))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert any(cell.value == FORMULA for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)
    chinese = visit(front, "vera", "zh").get("/desk/collection?as=csv").content.decode("utf-8-sig")
    assert chinese.startswith("客户,名称")
    assert "books/C1" in chinese
    assert "5550" not in chinese  # who only looks is shown nobody's telephone number
    assert "+86 21 5550 1234" in visit(front, "wang.fang").get("/desk/collection?as=csv").text
    for address in ("/desk?as=xlsx", "/desk/customers/books/C1?tab=documents&as=csv", "/desk/reviews?as=csv"):
        assert browser.get(address).headers["content-disposition"].startswith("attachment")


# --- one customer --------------------------------------------------------------------------------------------------------------
def test_a_customers_page_says_what_is_known(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "wang.fang")
    page = plain(browser.get("/desk/customers/books/C1").text)
    for words in ("On hold", "CNY 1,000.00", "oldest: 100 days", "N-1", "tax number 9131"):
        assert words in page, words
    documents = plain(browser.get("/desk/customers/books/C1?tab=documents").text)
    assert documents.index("R-100") < documents.index("R-101")
    only = browser.get("/desk/customers/books/C1?tab=documents&only=overdue").text
    assert "R-100" in only
    assert "R-101" not in only
    assert "R-101" in browser.get("/desk/customers/books/C1?tab=documents&sort=-due").text
    changed = plain(browser.get(f"/desk/customers/books/C1?tab=changes&from={TODAY - dt.timedelta(days=120)}").text)
    assert "R-100" in changed
    assert "exposure" in changed
    swapped = browser.get("/desk/customers/books/C1?tab=changes&from=2026-11-19&to=2026-11-01").text
    assert "The first day comes after the second." in swapped


def test_nobody_comes_to_a_customer_of_another_system_or_to_none(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "vera")
    for address in ("/desk/customers/other/C1", "/desk/customers/books/C9", "/desk/reviews/other/C1"):
        assert browser.get(address).status_code == 404, address
    assert browser.get("/desk/customers/books/C1%27%20OR%20%271%27=%271").status_code == 404


def test_hostile_texts_are_shown_as_texts(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "wang.fang")
    note = "<script>alert(2)</script>{{ 7*7 }}"
    answer = browser.post("/desk/contacts", system="books", customer="C3", kind="phone", result="reached", note=note)
    assert answer.status_code == 303
    pages = ["/desk", "/desk/customers", "/desk/collection", "/desk/customers/books/C3"]
    pages += [f"/desk/customers/books/C3?tab={tab}" for tab in TABS[1:]]
    pages += ["/desk?q=<script>alert(3)</script>", '/desk/customers?q="><script>alert(3)</script>']
    for address in pages:
        page = browser.get(address).text
        assert "<img src=x" not in page, address
        assert "<script>alert" not in page, address
        assert "<b>R-3</b>" not in page, address
    assert "{{ 7*7 }}" in browser.get("/desk/customers/books/C3").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in browser.get("/desk/customers").text


# --- who does what ---------------------------------------------------------------------------------------------------------------
FORMS = {
    "/desk/contacts": {"kind": "phone", "result": "reached"},
    "/desk/customer-holds": {"why": "wait for the contract"},
    "/desk/customer-holds/end": {"why": "settled", "number": "1"},
    "/desk/warnings": {"why": "we talk", "until": "2026-12-01"},
    "/desk/reviews/start": {},
    "/desk/reviews/conclude": {"conclusion": "keep", "why": "fine"},
    "/desk/reviews/approve": {},
    "/desk/reviews/return": {"why": "not yet"},
}


def test_who_only_looks_does_nothing_and_is_offered_nothing(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    for person in ("vera", "ada"):
        browser = visit(front, person)
        pages = "".join(
            browser.get(f"/desk/{at}").text
            for at in ("customers/books/C1", "customers/books/C1?tab=warnings", "reviews/books/C1", "collection")
        )
        assert "limits/new" not in pages
        for address, fields in FORMS.items():
            assert browser.post(address, system="books", customer="C1", **fields).status_code == 403, address
            assert f'action="{address}"' not in pages


def test_a_form_without_our_token_or_from_elsewhere_is_refused(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "wang.fang")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for address, more in {**FORMS, "/desk/personal": {"why": "x"}}.items():
        fields = {"system": "books", "customer": "C1", **more}
        assert browser.client.post(address, data=fields).status_code == 403, address
        assert browser.client.post(address, data={**fields, "csrf": "0" * 40}).status_code == 403, address
        ours = {**fields, "csrf": csrf_of(browser.token)}
        assert browser.client.post(address, data=ours, headers=foreign).status_code == 403, address
    with store.reading() as tx:
        assert contacts.contacts(tx) == []
        assert exclusions.listing(tx) == []
        assert not [line for line in audit.listing(tx) if line.entry.actor == "person:wang.fang"]


def test_sales_note_contacts_and_hold_nothing(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "chen.jie")
    page = browser.get("/desk/customers/books/C1").text
    assert 'action="/desk/contacts"' in page
    assert 'action="/desk/customer-holds"' not in page
    fields = {"system": "books", "customer": "C1", "why": "because"}
    assert browser.post("/desk/customer-holds", **fields).status_code == 403
    answer = browser.post("/desk/contacts", system="books", customer="C1", kind="visit", result="reached", note="tea")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/customers/books/C1")
    with store.reading() as tx:
        (kept,) = contacts.contacts(tx)
    assert (kept.kind, kept.result, kept.note, kept.actor) == ("visit", "reached", "tea", "person:chen.jie")


# --- what is done ------------------------------------------------------------------------------------------------------------------
def test_a_promise_sent_twice_counts_once(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    page = browser.get("/desk/customers/books/C1").text
    key = re.search(r'name="once" value="([^"]+)"', page)
    assert key is not None
    fields = {
        "system": "books", "customer": "C1", "kind": "phone", "result": "promised", "amount": "800.00",
        "promise_on": "2026-11-25", "document": "I1", "once": key[1], "back": "/desk/collection?show=all",
    }  # fmt: skip
    first, second = (browser.post("/desk/contacts", **fields) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == "/desk/collection?show=all"
    with busy.store.reading() as tx:
        kept = contacts.contacts(tx)
        told = [line.entry for line in audit.listing(tx) if line.entry.action == "contact.add"]
    assert [(k.promise_on, k.amount, k.document) for k in kept] == [(dt.date(2026, 11, 25), 800, "I1")]
    assert [entry.actor for entry in told] == ["person:wang.fang"]
    assert "promised to pay" in plain(browser.get("/desk/customers/books/C1").text)


UNFIT = [
    ({"kind": "phone", "result": "promised", "promise_on": "2026-11-25"}, "amount", "A plain number above zero"),
    ({"kind": "phone", "result": "promised", "amount": "12.345", "promise_on": "2026-11-25"}, "amount", "decimals"),
    ({"kind": "phone", "result": "promised", "amount": "-5", "promise_on": "2026-11-25"}, "amount", "above zero"),
    ({"kind": "phone", "result": "promised", "amount": "NaN", "promise_on": "2026-11-25"}, "amount", "above zero"),
    ({"kind": "phone", "amount": "5", "promise_on": "2026-11-01"}, "promise", "before the day of the contact"),
    ({"kind": "phone", "result": "reached", "on": "2027-01-01"}, "on", "still to come"),
    ({"kind": "phone", "result": "reached", "on": "yesterday"}, "on", "A day, such as"),
    ({"kind": "séance", "result": "reached"}, "kind", "Choose one of these"),
    ({"kind": "phone", "result": "reached", "document": "I3"}, "document", "no document I3"),
    ({"kind": "phone"}, "note", "Say what was said"),
]


def test_what_cannot_be_is_told_beside_its_field_and_kept_nowhere(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "wang.fang")
    for fields, field, words in UNFIT:
        answer = browser.post("/desk/contacts", system="books", customer="C1", **fields)
        assert answer.status_code == 422, fields
        place = re.search(rf'id="c\d+-{field}-about"><p class="wrong">([^<]*)', answer.text)
        assert place is not None, fields
        assert words in place[1]
    with store.reading() as tx:
        assert contacts.contacts(tx) == []


def test_credit_is_held_by_hand_until_somebody_ends_it(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    busy.order("SO2", "C2", 10, number="N-2")
    busy.run()
    assert busy.states()["SO2"] == "passed"
    fields = {"system": "books", "customer": "C2"}
    assert browser.post("/desk/customer-holds", **fields, why="").status_code == 422
    assert browser.post("/desk/customer-holds", **fields, why="x", until="2020-01-01").status_code == 422
    assert browser.post("/desk/customer-holds", **fields, why="rumours", until="2026-12-31").status_code == 303
    assert busy.states()["SO2"] == "held"
    page = browser.get("/desk/customers/books/C2").text
    assert "Held by Wang Fang" in page
    number = re.search(r'name="number" value="(\d+)"', page)
    assert number is not None
    elsewhere = browser.post("/desk/customer-holds/end", system="books", customer="C1", why="x", number=number[1])
    assert elsewhere.status_code == 422
    assert browser.post("/desk/customer-holds/end", **fields, why="", number=number[1]).status_code == 422
    assert browser.post("/desk/customer-holds/end", **fields, why="nothing in it", number=number[1]).status_code == 303
    assert busy.states()["SO2"] == "passed"
    with busy.store.reading() as tx:
        actions = [(line.entry.action, line.entry.actor) for line in audit.listing(tx)]
    assert ("exclusion.add", "person:wang.fang") in actions
    assert ("exclusion.end", "person:wang.fang") in actions


def test_a_warning_that_was_noted_leaves_the_work_list(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    assert "华东机械" in browser.get("/desk?show=warning").text
    assert 'action="/desk/warnings"' in browser.get("/desk/customers/books/C1?tab=warnings").text
    fields = {"system": "books", "customer": "C1", "why": "they pay on Friday"}
    assert browser.post("/desk/warnings", **fields, until="2020-01-01").status_code == 422
    assert browser.post("/desk/warnings", **fields, until="2026-11-27").status_code == 303
    assert "华东机械" not in browser.get("/desk?show=warning").text
    page = plain(browser.get("/desk/customers/books/C1?tab=warnings").text)
    assert "they pay on Friday" in page
    with busy.store.reading() as tx:
        (noted,) = alerts.acknowledged(tx).values()
    assert {one.by for one in noted.values()} == {"person:wang.fang"}
    busy.days(8)
    busy.run()
    browser = visit(front, "wang.fang")
    assert "华东机械" in browser.get("/desk?show=warning").text


def test_a_review_is_begun_concluded_and_approved_by_another(busy: Shop, front: Front) -> None:
    review(busy.store, busy.config, busy.policy, busy.clock)
    reviewer, approver = visit(front, "wang.fang"), visit(front, "li.wei")
    who = {"system": "books", "customer": "C1"}
    assert reviewer.post("/desk/reviews/start", **who).headers["location"] == "/desk/reviews/books/C1"
    page = reviewer.get("/desk/reviews/books/C1").text
    points = re.findall(r'name="(check-[^"]+)"', page)
    assert points
    assert "Wang Fang has begun it" in plain(approver.get("/desk/reviews/books/C1").text)
    missing = reviewer.post("/desk/reviews/conclude", **who, conclusion="stop", why="it does not pay")
    assert missing.status_code == 422
    assert "it does not pay" in missing.text
    answers = dict.fromkeys(points, "looked at")
    wrong = reviewer.post("/desk/reviews/conclude", **who, conclusion="cut", why="less", limit="a lot", **answers)
    assert wrong.status_code == 422
    more = reviewer.post("/desk/reviews/conclude", **who, conclusion="cut", why="less", limit="5,000", **answers)
    assert "The limit is CNY 1,000.00 now: to cut it takes less." in more.text
    not_his = visit(front, "sun.li").post("/desk/reviews/conclude", **who, conclusion="keep", why="x", **answers)
    assert not_his.status_code == 422
    done = reviewer.post("/desk/reviews/conclude", **who, conclusion="keep", why="it will pay", **answers)
    assert done.status_code == 303
    with busy.store.reading() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs={"C1"})
        state = reviews.history(tx, row.debtor or 0)[0].state
    if state == "proposed":
        assert "Credit review concluded: keep the limit" in plain(approver.get("/desk?show=mine").text)
        assert reviewer.post("/desk/reviews/approve", **who).status_code in (403, 422)
        assert approver.post("/desk/reviews/return", **who, why="").status_code == 422
        assert approver.post("/desk/reviews/approve", **who).status_code == 303
    with busy.store.reading() as tx:
        finished = next(each for each in reviews.history(tx, row.debtor or 0) if each.state == "done")
        told = {line.entry.action for line in audit.listing(tx)}
    assert (finished.conclusion, finished.reviewer, finished.reason) == ("keep", "wang.fang", "it will pay")
    assert {"review.start", "review.conclude", "review.finish"} <= told
    assert "it will pay" in reviewer.get("/desk/reviews/books/C1").text


def test_what_speaks_of_persons_is_masked_until_somebody_who_may_says_what_for(
    busy: Shop, front: Front, store: Store
) -> None:
    one(store)
    with store.writing() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs={"C1"})
        papers.add(
            tx,
            PaperRow(
                debtor=row.debtor or 0, kind="other", dated_on=TODAY, source="person:li.wei", added_by="li.wei",
                added_at=busy.clock.now(), note="passport of Mr Wu", personal=True, purpose="guarantee",
            ),
        )  # fmt: skip
    controller, viewer = visit(front, "wang.fang"), visit(front, "vera")
    for browser in (controller, viewer):
        for tab in ("file", "papers"):
            page = browser.get(f"/desk/customers/books/C1?tab={tab}").text
            assert "Mr Wu" not in page
            assert "masked" in page
    who = {"system": "books", "customer": "C1"}
    assert viewer.post("/desk/personal", **who, why="curious").status_code == 403
    assert controller.post("/desk/personal", **who, why=" ").status_code == 422
    shown = controller.post("/desk/personal", **who, why="the guarantee is called")
    assert shown.status_code == 200
    assert "Mr Wu" in shown.text
    with store.reading() as tx:
        seen = [line.entry for line in audit.listing(tx) if line.entry.action == "file.personal"]
    assert [(e.actor, e.why, (e.after or {}).get("lines")) for e in seen] == [
        ("person:wang.fang", "the guarantee is called", 1)
    ]


def test_what_answers_a_form_leads_back_to_the_page_it_was_on(busy: Shop, front: Front, store: Store) -> None:
    one(store)
    browser = visit(front, "wang.fang")
    page = "http://testserver/desk/customers/books/C1?tab=file&kind=order"
    fields = {"csrf": csrf_of(browser.token), "system": "books", "customer": "C1", "kind": "order", "why": "a call"}
    answer = browser.client.post("/desk/personal", data=fields, headers={"Referer": page})
    assert answer.status_code == 200
    assert (
        'name="back" value="/desk/customers/books/C1?tab=file&amp;kind=order"' in answer.text
    )  # the choice of language
    assert '<option value="order" selected>' in answer.text
    strange = browser.client.post("/desk/personal", data=fields, headers={"Referer": "http://evil.example/desk"})
    assert 'name="back" value="/"' in strange.text
