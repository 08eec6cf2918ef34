"""The desk's orders in a browser: lists, the whole way from a hold to a release by forms, and what is refused to whom."""

from __future__ import annotations

import csv
import io
import re

import pytest

from connector.model import Customer
from connector.store import audit
from connector.web.front import Front
from tests.jobs.shop import Shop
from tests.web.visiting import Browser, visit

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def either(shop: Shop) -> Shop:
    """C1 may owe 1,000 and orders 1,500; C2 may owe 50,000 and orders 10.50."""
    rows = [Customer(id="C1", name="华东机械", currency="CNY"), Customer(id="C2", name=f"Seven {EVIL}", currency="CNY")]
    shop.customers(*rows, limits={"C1": 1000, "C2": 50_000})
    shop.order("SO1", "C1", 1500, number="N-1", owner="u7")
    shop.order("SO2", "C2", "10.50", number="N-2")
    shop.run()
    return shop


@pytest.fixture
def busy(either: Shop) -> Shop:
    if either.store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: the lists' own SQL is tested on both")
    return either


def token(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def rows_of(page: str) -> list[str]:
    """The numbers of the orders of a list, in its order."""
    return re.findall(r'<td class="main"><a href="[^"]+">([^<]+)</a>', page)


def act(browser: Browser, order: str, do: str, **fields: str) -> tuple[int, str]:
    """Sends a form of the order's page and gives the status and the page that the browser then shows."""
    answer = browser.post(f"/desk/orders/books/{order}", do=do, **fields)
    if answer.status_code == 303:
        return 303, browser.get(answer.headers["location"]).text
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Held orders", "limit exceeded", "What would let it go", "Release the order")),
        ("zh", ("被冻结的订单", "超过信用额度", "解除冻结的办法", "放行订单")),
    ],
)
def test_what_is_held_is_listed_and_explained(busy: Shop, front: Front, language: str, words: tuple[str, ...]) -> None:
    browser = visit(front, "li.wei", language)
    page = browser.get("/desk/orders").text
    assert rows_of(page) == ["N-1"]
    assert words[0] in page
    assert words[1] in page
    one = browser.get("/desk/orders/books/SO1").text
    assert "1,500.00" in one
    assert words[2] in one
    assert words[3] in one
    assert "/desk/customers/books/C1" in one


def test_lists_are_sorted_searched_and_shown_by_pages(
    either: Shop, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    either.order("SO3", "C2", 99, number="N-3")
    either.order("SO4", "C2", 20, number="N-4", currency="USD")
    either.run()
    browser = visit(front, "li.wei")
    assert rows_of(browser.get("/desk/orders?show=all&sort=-total").text) == ["N-1", "N-3", "N-4", "N-2"]
    assert rows_of(browser.get("/desk/orders?show=all&sort=order").text) == ["N-1", "N-2", "N-3", "N-4"]
    assert rows_of(browser.get("/desk/orders?show=all&q=seven+n-3").text) == ["N-3"]
    assert rows_of(browser.get("/desk/orders?show=all&q=100%25").text) == []
    monkeypatch.setattr("connector.web.desk_orders.PAGE", 3)
    for sort in ("total", "-total", "ship", "-since", "customer", "order"):
        first = browser.get(f"/desk/orders?show=all&sort={sort}").text
        found = re.search(r'rel="next" href="([^"]+)"', first)
        assert found is not None
        rest = browser.get(found.group(1).replace("&amp;", "&")).text
        assert sorted(rows_of(first) + rows_of(rest)) == ["N-1", "N-2", "N-3", "N-4"]
        assert 'rel="next"' not in rest
    assert browser.get("/desk/orders?sort=ship&after=1~never").status_code == 422


def test_a_list_is_exported_without_anything_that_runs(busy: Shop, front: Front) -> None:
    busy.order("SO5", "C2", 5, number="=cmd|' /C calc'!A0")
    busy.run()
    answer = visit(front, "li.wei").get("/desk/orders?show=all&as=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert {row[0] for row in rows[1:]} == {"N-1", "N-2", "'=cmd|' /C calc'!A0"}
    assert rows[1][4] in ("1500.00", "10.50", "5.00")


def test_a_release_is_asked_for_and_given_by_somebody_else(busy: Shop, front: Front) -> None:
    sales, approver = visit(front, "chen.jie"), visit(front, "li.wei")
    assert "Nobody waits for your decision." in approver.get("/desk/orders?show=mine").text
    status, page = act(sales, "SO1", "request", why="a good customer")
    assert status == 303
    assert "The release is asked for." in page
    assert rows_of(approver.get("/desk/orders?show=mine").text) == ["N-1"]
    assert "a good customer" in approver.get("/desk/orders/books/SO1").text
    # Who owns the order decides nothing about it, and is not offered to.
    assert "Release the order" not in sales.get("/desk/orders/books/SO1").text
    assert act(sales, "SO1", "release", why="mine")[0] == 403
    status, page = act(approver, "SO1", "release", why="paid tomorrow", most="1,600.00")
    assert status == 303
    assert "The order is released." in page
    assert busy.states()["SO1"] == "released"
    assert busy.happened("SO1")[-2:] == ["requested", "released"]
    assert rows_of(approver.get("/desk/orders").text) == []


def test_two_people_release_what_needs_two(busy: Shop, front: Front) -> None:
    busy.order("BIG", "C1", 3_000_000, number="N-9")
    busy.run()
    first, second = visit(front, "li.wei"), visit(front, "zhao.min")
    page = first.get("/desk/orders/books/BIG").text
    assert "two different people" in page
    _, page = act(first, "BIG", "release", why="known for years")
    assert "a second person has to approve" in page
    assert busy.states()["BIG"] == "requested"
    status, page = act(first, "BIG", "release", why="once more")
    assert status == 303 or "has approved it already" in page
    assert busy.states()["BIG"] == "requested"
    act(second, "BIG", "release", why="agreed")
    assert busy.states()["BIG"] == "released"


def test_the_owner_is_refused_though_he_approves_elsewhere(busy: Shop, front: Front) -> None:
    busy.order("OWN", "C1", 1200, number="N-7", owner="u8")
    busy.run()
    owner = visit(front, "he.ping")
    page = owner.get("/desk/orders/books/OWN").text
    assert "You may not release it:" in page
    status, page = act(owner, "OWN", "release", why="my own")
    assert status == 422
    assert "somebody else has to approve it" in page
    assert busy.states()["OWN"] == "held"
    with front.store.reading() as tx:
        denied = [row.entry for row in audit.everything(tx) if row.entry.action == "order.denied"]
    assert [(one.subject, one.actor) for one in denied] == [("order:books/OWN", "person:he.ping")]


def test_a_release_that_has_ended_holds_again(busy: Shop, front: Front) -> None:
    approver = visit(front, "li.wei")
    act(approver, "SO1", "release", why="until tomorrow", until="2026-11-21")
    busy.days(2)
    busy.run()
    approver = visit(front, "li.wei")  # two days of silence end a session
    page = approver.get("/desk/orders/books/SO1").text
    assert "held again" in page
    assert rows_of(approver.get("/desk/orders").text) == ["N-1"]


def test_a_second_click_does_nothing(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    once = token(browser.get("/desk/orders/books/SO2").text)
    assert act(browser, "SO2", "hold", why="wait for the contract", once=once)[0] == 303
    _, page = act(browser, "SO2", "hold", why="wait for the contract", once=once)
    assert "That was done already." in page
    assert busy.happened("SO2").count("manual") == 1
    _, page = act(browser, "SO2", "lift", why="it is here", once=once)
    assert "taken back" in page
    assert busy.states()["SO2"] == "passed"


def test_a_mistake_is_told_beside_its_field_and_what_was_typed_stays(busy: Shop, front: Front) -> None:
    browser = visit(front, "li.wei")
    for fields, words in (
        ({"why": "good", "until": "soon"}, "A day such as"),
        ({"why": "good", "most": "a lot"}, "An amount such as"),
        ({"why": ""}, "Fill this in."),
        ({"why": "good", "most": "1.00"}, "reaches at least"),
        ({"why": "good", "until": "2020-01-01"}, "reaches at least"),
        ({"why": "bell \x07"}, "control characters"),
    ):
        answer = browser.post("/desk/orders/books/SO1", do="release", **fields)
        assert answer.status_code == 422, fields
        assert words in answer.text, fields
    assert ">\ngood</textarea>" in browser.post("/desk/orders/books/SO1", do="release", why="good", most="x").text
    assert busy.states()["SO1"] == "held"


@pytest.mark.parametrize(
    ("person", "do", "status"),
    [
        ("chen.jie", "release", 403),
        ("chen.jie", "refuse", 403),
        ("chen.jie", "hold", 403),
        ("chen.jie", "lift", 403),
        ("li.wei", "nonsense", 422),
        ("li.wei", "lift", 422),
        ("li.wei", "recheck", 303),
    ],
)
def test_each_act_needs_its_right(busy: Shop, front: Front, person: str, do: str, status: int) -> None:
    assert act(visit(front, person), "SO1", do, why="because")[0] == status


def test_what_others_wrote_is_shown_as_text(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    act(browser, "SO2", "hold", why=EVIL)
    for address in ("/desk/orders?show=all", "/desk/orders/books/SO2", f"/desk/orders?q={EVIL}"):
        page = browser.get(address).text
        assert EVIL not in page, address
        assert "&lt;script&gt;" in page, address


@pytest.mark.parametrize("address", ["/desk/orders/books/NONE", "/desk/orders/other/SO1", "/desk/orders/books/"])
def test_an_order_that_is_not_there_is_said_to_be_missing(busy: Shop, front: Front, address: str) -> None:
    assert visit(front, "li.wei").get(address).status_code == 404


def test_an_order_that_is_open_no_more_shows_its_history(busy: Shop, front: Front) -> None:
    browser = visit(front, "li.wei")
    act(browser, "SO1", "release", why="paid tomorrow")
    busy.order("SO1", "C1", 1500, number="N-1", owner="u7", status="done")
    busy.run()
    answer = browser.get("/desk/orders/books/SO1")
    assert answer.status_code == 200
    assert "is not open" in answer.text
    assert "paid tomorrow" in answer.text
    assert "Release the order" not in answer.text
    assert act(browser, "SO1", "release", why="again")[0] == 422
