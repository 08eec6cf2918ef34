"""The desk's limits in a browser: proposed, tried, approved and rejected by forms; lists; what is refused to whom."""

from __future__ import annotations

import re

import pytest

from connector.config import LimitSettings
from connector.credit.granting import Request
from connector.model import Customer, Limit
from connector.store import customers, limits
from connector.store.db import Store
from connector.web.front import Front
from jobs.grant import Desk
from jobs.grant_ask import ask
from tests.jobs.shop import TODAY, Shop
from tests.web.test_desk_orders import token
from tests.web.visiting import Browser, visit

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def either(shop: Shop, front: Front) -> Shop:
    """C1 may owe 1,000 and has an order of 1,100 that is held; C2 may owe 50,000. Limits are kept here."""
    front.config = front.config.model_copy(update={"limits": LimitSettings(master="here")})
    shop.config = front.config
    rows = [Customer(id="C1", name="华东机械", currency="CNY"), Customer(id="C2", name=f"Seven {EVIL}", currency="CNY")]
    shop.customers(*rows, limits={"C1": 1000, "C2": 50_000})
    shop.order("SO1", "C1", 1100, number="N-1", owner="u7")
    shop.run()
    return shop


@pytest.fixture
def busy(either: Shop) -> Shop:
    if either.store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: the lists' own SQL is tested on both")
    return either


def propose(browser: Browser, customer: str = "books/C2", **fields: str) -> int:
    """Asks for a limit by the form; gives the number of the request."""
    answer = browser.post("/desk/limits/new", customer=customer, do="ask", **{"why": "it grows", **fields})
    assert answer.status_code == 303, re.findall(r'class="(?:wrong|notice bad)[^>]*>(.*?)</', answer.text, re.DOTALL)
    return int(answer.headers["location"].rpartition("/")[2])


def decide(browser: Browser, number: int, do: str, **fields: str) -> tuple[int, str]:
    answer = browser.post(f"/desk/limits/{number}", do=do, **fields)
    if answer.status_code == 303:
        return 303, browser.get(answer.headers["location"]).text
    return answer.status_code, answer.text


def limit_of(store: Store, ref: str) -> list[tuple[str, int | None]]:
    with store.reading() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs=[ref])
        return [(piece.kind, piece.amount) for piece in limits.pieces(tx, [row.key], "here", ["books"])[row.key]]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Waiting for approval", "It needs", "What it would change at once")),
        ("zh", ("待审批", "批准", "生效后的直接影响")),
    ],
)
def test_a_limit_is_proposed_and_approved_by_somebody_else(
    busy: Shop, front: Front, language: str, words: tuple[str, ...]
) -> None:
    asking, deciding = visit(front, "wang.fang", language), visit(front, "li.wei", language)
    number = propose(asking, amount="60,000", to="2027-12-31")
    listed = deciding.get("/desk/limits").text
    assert f"/desk/limits/{number}" in listed
    assert words[0] in listed
    page = deciding.get(f"/desk/limits/{number}").text
    assert words[1] in page
    assert words[2] in page
    assert "60,000.00" in page
    assert "it grows" in page
    status, _ = decide(asking, number, "approve")
    assert status == 422, "nobody approves what he has asked for himself"
    status, page = decide(deciding, number, "approve", why="agreed")
    assert status == 303
    assert ("base", 6_000_000) in limit_of(front.store, "C2")
    assert f"/desk/limits/{number}" not in deciding.get("/desk/limits").text
    assert f"/desk/limits/{number}" in deciding.get("/desk/limits?show=all").text
    assert decide(deciding, number, "approve")[0] == 422, "it is decided"


def test_a_higher_amount_is_ones_own_request_and_a_lower_one_is_not(busy: Shop, front: Front) -> None:
    first, second = visit(front, "li.wei"), visit(front, "zhao.min")
    number = propose(visit(front, "wang.fang"), amount="60000")
    _, page = decide(first, number, "approve", amount="70000")
    assert "waits for" in page
    assert decide(first, number, "approve")[0] == 422
    decide(second, number, "approve", amount="65000")
    assert ("base", 6_500_000) in limit_of(front.store, "C2")


def test_a_request_is_rejected_with_the_reason(busy: Shop, front: Front) -> None:
    browser = visit(front, "li.wei")
    number = propose(visit(front, "wang.fang"), amount="60000")
    status, page = decide(browser, number, "reject", why="")
    assert (status, "Fill this in." in page) == (422, True)
    status, page = decide(browser, number, "reject", why="wait for the accounts")
    assert status == 303
    assert "wait for the accounts" in page
    assert "rejected" in page
    assert limit_of(front.store, "C2") == [("base", 5_000_000)]


@pytest.mark.parametrize(
    ("fields", "kind", "amount"),
    [
        ({"kind": "additive", "amount": "5000", "to": "2026-12-31"}, "additive", 500_000),
        ({"kind": "override", "amount": "55000", "to": "2026-12-31"}, "override", 5_500_000),
        ({"kind": "seasonal", "amount": "60000", "season": "11-01..02-15"}, "seasonal", 6_000_000),
        ({"kind": "guarantee", "amount": "9000", "percent": "80"}, "guarantee", 900_000),
        ({"kind": "stage", "part1": "30000", "part2": "25000", "when2": "paid>=80% late<=15"}, "stage", 2_500_000),
        ({"kind": "unlimited"}, "unlimited", None),
    ],
)
def test_each_kind_of_limit_can_be_asked_for(
    busy: Shop, front: Front, fields: dict[str, str], kind: str, amount: int | None
) -> None:
    number = propose(visit(front, "wang.fang"), **fields)
    for name in ("li.wei", "zhao.min"):
        decide(visit(front, name), number, "approve", why="agreed")
    assert (kind, amount) in limit_of(front.store, "C2")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": ""}, "An amount is needed"),
        ({"amount": "a lot"}, "An amount such as"),
        ({"amount": "1.005"}, "smaller than CNY knows"),
        ({"amount": "60000", "kind": "override"}, "needs its last day"),
        ({"amount": "60000", "kind": "seasonal"}, "A season such as"),
        ({"kind": "stage"}, "At least one tranche"),
        ({"kind": "stage", "part1": "5", "when1": "whenever"}, "cannot be read"),
        ({"amount": "5", "kind": "guarantee", "percent": "0"}, "A whole number from 1 to 100"),
        ({"amount": "5", "kind": "unlimited"}, "has no amount"),
        ({"amount": "5", "kind": "nothing"}, "Choose one of the list."),
        ({"amount": "5", "currency": "X1"}, "is no currency"),
        ({"amount": "60000", "from": "2020-01-01"}, "in the past"),
        ({"amount": "60000", "to": "2026-01-01"}, "ends after it has begun"),
        ({"amount": "60000", "why": "x" * 2001}, "At most 2000"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_mistake_is_told_and_nothing_is_asked_for(
    busy: Shop, front: Front, fields: dict[str, str], words: str
) -> None:
    answer = visit(front, "wang.fang").post("/desk/limits/new", customer="books/C2", do="ask", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    with front.store.reading() as tx:
        assert limits.requests(tx) == []


def test_what_a_limit_would_change_is_shown_and_nothing_is_written(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    page = browser.post("/desk/limits/new/check", customer="books/C1", amount="3000", kind="base").text
    part = page[page.index('id="checked"') :]
    assert "would pass" in part
    assert "/desk/orders/books/SO1" in part
    assert "1,900.00" in part, "what is available then: 3,000 less 1,100"
    cut = browser.post("/desk/limits/new/check", customer="books/C1", amount="500", kind="base").text
    assert "No order would turn." in cut, "it is held already"
    uplift = browser.get("/desk/limits/new?customer=books/C1&kind=additive&amount=200&to=2026-12-31").text
    assert "would pass" in uplift
    assert "1,200.00" in uplift
    assert "The limit cannot rise now" in uplift, "its warning is red: said before anybody asks"
    assert limit_of(front.store, "C1") == [("base", 100_000)]
    assert busy.states()["SO1"] == "held"
    with front.store.reading() as tx:
        assert limits.requests(tx) == []


def test_the_formula_proposes_with_every_step(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    assert "What the formula proposes" in browser.get("/desk/limits/new?customer=books/C2").text
    answer = browser.post("/desk/limits/new", customer="books/C2", do="formula")
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"]).text
    assert "How the formula came to it" in page
    assert "What keeps it from being higher:" in page
    number = int(answer.headers["location"].rpartition("/")[2])
    assert f"/desk/limits/{number}" in browser.get("/desk/limits?show=night").text
    again = browser.post("/desk/limits/new", customer="books/C2", do="formula")
    assert again.headers["location"] == answer.headers["location"], "what stands is not proposed again"


def test_lists_are_sorted_searched_and_shown_by_pages(
    either: Shop, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(front.config, front.policy(), front.clock)
    with front.store.writing() as tx:
        (row,) = customers.customers(tx, systems=["books"], refs=["C2"])
        for at, (amount, currency) in enumerate(((20_000, "CNY"), (9_000, "CNY"), (15_000, "USD"))):
            kinds = ("override", "additive", "seasonal")
            wanted = Request(
                kind=kinds[at],  # type: ignore[arg-type]
                amount_minor=amount * 100,
                currency=currency,
                requested_by="person:wang.fang",
                valid_from=TODAY,
                valid_to=TODAY.replace(month=12, day=20 + at),
                condition="11-01..02-15" if at == 2 else None,
            )
            ask(tx, desk, row, wanted)
    browser = visit(front, "li.wei")

    def numbers(address: str) -> list[int]:
        return [
            int(n) for n in re.findall(r'class="main short"><a href="/desk/limits/(\d+)"', browser.get(address).text)
        ]

    # A database that served another test before counts on from there.
    first, second, third = numbers("/desk/limits?sort=number")
    assert first < second < third
    assert numbers("/desk/limits?sort=-number") == [third, second, first]
    assert numbers("/desk/limits?sort=until") == [first, second, third]
    assert numbers("/desk/limits?sort=amount")[0] == second
    assert numbers("/desk/limits?q=seven") == [third, second, first]
    assert numbers(f"/desk/limits?q={second}") == [second]
    assert numbers("/desk/limits?q=nobody") == []
    assert numbers("/desk/limits?show=night") == []
    assert numbers("/desk/limits?show=all&customer=books/C1") == []
    monkeypatch.setattr("connector.web.desk_limits.PAGE", 2)
    for sort in ("number", "-number", "amount", "-amount", "until", "-until", "customer"):
        page = browser.get(f"/desk/limits?sort={sort}").text
        found = re.search(r'rel="next" href="([^"]+)"', page)
        assert found is not None
        rest = numbers(found.group(1).replace("&amp;", "&"))
        assert sorted(numbers(f"/desk/limits?sort={sort}") + rest) == [first, second, third]
    assert browser.get("/desk/limits?sort=until&after=1~x").status_code == 422
    csv = browser.get("/desk/limits?as=csv").text
    assert "20000.00" in csv


def test_limits_that_end_soon_are_listed_with_what_follows(busy: Shop, front: Front) -> None:
    ends = Limit(
        id="L-C2", customer_id="C2", kind="base", amount=5_000_000, currency="CNY", valid_to=TODAY.replace(month=12, day=5)
    )  # fmt: skip
    busy.say("limits", busy.limit("C1", 1000), ends)
    browser = visit(front, "wang.fang")
    page = browser.get("/desk/limits?show=ending").text
    assert "15 days left" in page
    assert "/desk/limits/new?customer=books/C2" in page
    assert "books/C1" not in page
    number = propose(browser, amount="50000")
    assert f"Request {number} waits" in browser.get("/desk/limits?show=ending").text


def test_a_second_click_asks_once(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    once = token(browser.get("/desk/limits/new?customer=books/C2").text)
    fields = {"customer": "books/C2", "do": "ask", "amount": "60000", "once": once}
    assert browser.post("/desk/limits/new", **fields).status_code == 303
    assert browser.post("/desk/limits/new", **fields).status_code == 303
    with front.store.reading() as tx:
        assert len(limits.requests(tx)) == 1


def test_each_page_needs_its_right(busy: Shop, front: Front) -> None:
    sales, approver = visit(front, "chen.jie"), visit(front, "li.wei")
    number = propose(visit(front, "wang.fang"), amount="60000")
    # Asking is for whoever may ask, as in the panel and over the API; the formula and another's request are not his.
    page = sales.get("/desk/limits/new?customer=books/C2").text
    assert 'name="amount"' in page
    assert 'value="formula"' not in page
    assert sales.post("/desk/limits/new", customer="books/C2", do="formula").status_code == 403
    refused = sales.post("/desk/limits/new", customer="books/C2", do="ask", amount="70000", why="it grows")
    assert f"waits already, number {number}" in refused.text
    own = propose(approver, "books/C1", amount="500")
    assert decide(approver, own, "approve")[0] == 422, "who asks does not approve"
    assert decide(sales, number, "approve")[0] == 403
    page = sales.get(f"/desk/limits/{number}").text
    assert 'value="approve"' not in page
    assert visit(front, "nobody").get(f"/desk/limits/{number}").status_code == 303, "he is sent to sign in"
    for address in ("/desk/limits/999", "/desk/limits/99999999999999999999", "/desk/limits?customer=books/NONE"):
        assert approver.get(address).status_code == 404, address


def test_what_others_wrote_is_shown_as_text(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    number = propose(browser, amount="60000", why=EVIL)
    for address in (
        "/desk/limits",
        f"/desk/limits/{number}",
        "/desk/limits/new?customer=books/C2",
        f"/desk/limits?q={EVIL}",
    ):
        page = browser.get(address).text
        assert EVIL not in page, address
        assert "&lt;img" in page, address
