"""The desk's portfolio and simulator in a browser: worked out beside the service, once for a question, shown with words."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from connector import config as configs
from connector.clock import SystemClock
from connector.model import Customer
from connector.policy import default_text
from connector.store import calculations
from connector.store.db import Store
from connector.web.calculating import Calculating
from connector.web.front import Front
from jobs import calculate, portfolio_kept, simulation_kept
from tests.jobs.shop import TODAY, Shop
from tests.web.visiting import Browser, visit

EVIL = "<svg onload=alert(1)>"
_BEFORE, _RULE, _AFTER = default_text().partition("[hold.oldest_overdue]")
DRAFT = _BEFORE + _RULE + _AFTER.replace("grace_days = 30", "grace_days = 5", 1)
RANGE = {"first": "2026-08-01", "last": "2026-11-20"}
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def either(shop: Shop) -> Shop:
    """C1 owes 700, due on 1 October; C2 owes 900, due on 1 December, and 100 later."""
    rows = [Customer(id="C1", name="华东机械", currency="CNY"), Customer(id="C2", name=f"Seven {EVIL}", currency="CNY")]
    shop.customers(*rows, limits={"C1": 1000, "C2": 50_000})
    shop.invoice("I1", "C1", 700, dt.date(2026, 10, 1))
    shop.invoice("I2", "C2", 900, dt.date(2026, 12, 1))
    shop.invoice("I3", "C2", 100, dt.date(2027, 6, 1))
    shop.run()
    return shop


@pytest.fixture
def busy(either: Shop) -> Shop:
    if either.store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough: what is kept is tested on both")
    return either


def work(front: Front) -> int:
    return calculate.work(front.store, front.config, front.clock)


def kept(front: Front, day: dt.date = TODAY) -> calculations.Calculation:
    with front.store.reading() as tx:
        found = portfolio_kept.kept(tx, day)
    assert found is not None
    return found


def table(browser: Browser, part: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(browser.get(f"/desk/portfolio?as=csv&part={part}").text.lstrip("\ufeff"))))


def test_what_is_kept_is_exact(either: Shop, front: Front) -> None:
    visit(front, "wang.fang").get("/desk/portfolio")
    assert work(front) == 1
    result = kept(front).result
    now = result["ends"][-1]
    assert now["day"] == TODAY.isoformat()
    assert [Decimal(amount) for amount in now["buckets"]] == [1000, 0, 700, 0, 0]
    assert (Decimal(now["receivables"]), Decimal(now["overdue"])) == (1700, 700)
    assert Decimal(now["overdue_share"]) == Decimal("0.411765")
    falling = {one["week"]: Decimal(one["amount"]) for one in result["falling"]}
    assert falling["2026-11-30"] == 900, "the week of 1 December, a Tuesday"
    assert falling[None] == 100, "after the thirteen weeks"
    assert sum(falling.values()) == 1000
    assert [(one["ref"], Decimal(one["receivables"])) for one in result["largest"]] == [("C2", 1000), ("C1", 700)]
    assert result["ties"] is True


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Being worked out", "Ageing", "What falls due when", "Roll rates")),
        ("zh", ("等待计算", "账龄", "到期分布", "迁徙率")),
    ],
)
def test_the_page_says_how_far_it_is_and_then_everything(
    busy: Shop, front: Front, language: str, words: tuple[str, ...]
) -> None:
    browser = visit(front, "wang.fang", language)
    page = browser.get("/desk/portfolio").text
    assert 'data-renew="3"' in page
    assert ("Waiting for its turn." if language == "en" else words[0]) in page
    assert "<img" not in page
    work(front)
    page = browser.get("/desk/portfolio").text
    assert "data-renew" not in page
    for word in words[1:]:
        assert word in page
    assert "1,700.00" in page
    assert "41.2%" in page
    assert EVIL not in page
    assert "Seven &lt;svg" in page


def test_figures_of_an_earlier_day_are_shown_until_todays_are_there(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    browser.get("/desk/portfolio")
    work(front)
    busy.days(1)
    browser = visit(front, "wang.fang")
    page = browser.get("/desk/portfolio").text
    assert "of an earlier day" in page
    assert "Waiting for its turn." in page
    work(front)
    assert "of an earlier day" not in browser.get("/desk/portfolio").text
    older = browser.get(f"/desk/portfolio?day={TODAY}").text
    assert "1,700.00" in older
    assert f"/desk/portfolio?day={TODAY}" in older


def test_it_is_worked_out_once_and_again_only_when_asked(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    for _ in range(3):
        browser.get("/desk/portfolio")
    assert work(front) == 1
    browser.get("/desk/portfolio")
    assert work(front) == 0
    busy.invoice("I4", "C1", 50, dt.date(2026, 12, 1))
    assert "1,700.00" in browser.get("/desk/portfolio").text
    answer = browser.post("/desk/portfolio", day=TODAY.isoformat())
    assert answer.status_code == 303
    assert "1,700.00" in browser.get("/desk/portfolio").text, "the answer from before stays until there is a new one"
    assert work(front) == 1
    assert "1,750.00" in browser.get("/desk/portfolio").text


def test_a_day_can_be_chosen_but_not_tomorrow(busy: Shop, front: Front) -> None:
    browser = visit(front, "wang.fang")
    assert browser.post("/desk/portfolio", day="2026-09-30").status_code == 303
    work(front)
    page = browser.get("/desk/portfolio?day=2026-09-30").text
    assert "30 Sep 2026" in page
    assert browser.post("/desk/portfolio", day="2026-11-21").status_code == 422
    assert browser.post("/desk/portfolio", day="1900-01-01").status_code == 422
    assert "A day such as" in browser.get("/desk/portfolio?day=soon").text
    assert "Nothing is kept of this day yet" in browser.get("/desk/portfolio?day=2026-01-05").text


@pytest.mark.parametrize("part", ["trend", "ageing", "falling", "largest", "rolls", "risks", "bands", "control"])
def test_every_part_is_exported(busy: Shop, front: Front, part: str) -> None:
    browser = visit(front, "wang.fang")
    assert browser.get(f"/desk/portfolio?as=csv&part={part}").status_code == 404, "there is nothing yet"
    work(front)
    rows = table(browser, part)
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    book = browser.get(f"/desk/portfolio?as=xlsx&part={part}")
    assert book.content[:2] == b"PK"
    if part == "ageing":
        assert [row[1] for row in rows[1:]] == ["1000.00", "0.00", "700.00", "0.00", "0.00"]
    if part == "largest":
        assert [row[0] for row in rows[1:]] == ["C2", "C1"]
        assert rows[-1][-1] == "1.000000", "all of them together"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_charts_have_words_and_nothing_that_acts(busy: Shop, front: Front, language: str) -> None:
    browser = visit(front, "wang.fang", language)
    browser.get("/desk/portfolio")
    work(front)
    page = browser.get("/desk/portfolio").text
    images = re.findall(r'<img class="chart" src="([^"]+)" alt="([^"]+)"', page)
    assert len(images) == 6
    for address, words in images:
        assert len(words) > 40
        assert (re.search("[\u4e00-\u9fff]", words) is not None) == (language == "zh")
        answer = browser.get(address.replace("&amp;", "&"))
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        root = Xml.fromstring(answer.text)
        assert root.get("role") == "img"
        assert root.find(f"{_SVG}title") is not None
        assert root.find(f"{_SVG}desc") is not None
        assert not [
            node.tag for node in root.iter() if node.tag in (f"{_SVG}script", f"{_SVG}a", f"{_SVG}foreignObject")
        ]
        assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]
        assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]+"', "", answer.text)
    dark = browser.get("/desk/portfolio/charts/dso.svg?look=dark").text
    assert "#181e28" in dark
    assert browser.get("/desk/portfolio/charts/nothing.svg").status_code == 404
    assert browser.get("/desk/portfolio/charts/dso.svg?day=2020-01-01").status_code == 404


# --- the simulator -----------------------------------------------------------------------------------------------------
def simulated(browser: Browser, **fields: str) -> str:
    answer = browser.post("/desk/simulator", **{"old": "active", "new": "draft", "draft": DRAFT, **RANGE, **fields})
    assert answer.status_code == 303, re.findall(r'class="(?:wrong|notice bad)[^>]*>(.*?)</', answer.text, re.DOTALL)
    return answer.headers["location"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Side by side", "What is different in the policies", "Month by month")),
        ("zh", ("两套政策对比", "两套政策的差异", "逐月")),
    ],
)
def test_two_policies_are_shown_side_by_side(busy: Shop, front: Front, language: str, words: tuple[str, ...]) -> None:
    busy.order("SO1", "C1", 100, ordered_on=dt.date(2026, 10, 10))
    browser = visit(front, "wang.fang", language)
    address = simulated(browser)
    assert 'data-renew="3"' in browser.get(address).text
    assert work(front) == 1
    page = browser.get(address).text
    for word in words:
        assert word in page
    assert "grace_days" in page, "the setting that differs"
    with front.store.reading() as tx:
        one = calculations.get(tx, int(address.rpartition("/")[2]), simulation_kept.KIND)
    assert one is not None
    old, new = one.result["sides"]
    # With five days of grace the order is held from 7 October on, with thirty from 1 November on.
    assert Decimal(new["total"]["days_held"]) > Decimal(old["total"]["days_held"]) > 0
    for name in ("held", "missed", "work"):
        assert browser.get(f"{address}/charts/{name}.svg").headers["content-type"] == "image/svg+xml"
    rows = list(csv.reader(io.StringIO(browser.get(f"{address}?as=csv").text)))
    held = next(row for row in rows if row[0] in ("days held, all orders together", "冻结天数合计"))
    assert Decimal(held[3]) == Decimal(held[2]) - Decimal(held[1])


def test_the_same_question_is_worked_on_once_and_can_be_shared(busy: Shop, front: Front) -> None:
    first = simulated(visit(front, "wang.fang"))
    assert simulated(visit(front, "li.wei")) == first
    assert work(front) == 1
    assert simulated(visit(front, "li.wei")) == first
    assert work(front) == 0
    assert simulated(visit(front, "li.wei"), late="10") != first
    assert visit(front, "chen.jie").get(first).status_code == 200
    assert first in visit(front, "chen.jie").get("/desk/simulator").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"draft": ""}, "Paste the draft"),
        ({"draft": "[hold\n"}, "mistakes"),
        ({"draft": "[hold]\nnonsense = 1\n"}, "mistakes"),
        ({"first": "2026-12-01", "last": "2026-11-01"}, "after the last"),
        ({"last": "2027-01-01"}, "after today"),
        ({"first": "1990-01-01"}, "At most 5 years"),
        ({"first": ""}, "Fill this in."),
        ({"new": "shipped"}, "the same text"),
        ({"new": "99"}, "no version 99"),
        ({"late": "many"}, "A whole number from 0 to 3650"),
        ({"draft": "x" * 200_001}, "At most 200000"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_no_question_is_told(busy: Shop, front: Front, fields: dict[str, str], words: str) -> None:
    sent = {"old": "active", "new": "draft", "draft": DRAFT, **RANGE, **fields}
    answer = visit(front, "wang.fang").post("/desk/simulator", **sent)
    assert answer.status_code == 422
    assert words in answer.text
    with front.store.reading() as tx:
        assert calculations.newest(tx, simulation_kept.KIND) == []


def test_who_only_looks_has_none_worked_out(busy: Shop, front: Front) -> None:
    sales = visit(front, "chen.jie")
    assert "Run the simulation" not in sales.get("/desk/simulator").text
    assert sales.post("/desk/simulator", old="active", new="draft", draft=DRAFT, **RANGE).status_code == 403
    browser = visit(front, "wang.fang")
    browser.get("/desk/portfolio")
    with front.store.reading() as tx:
        (number,) = [one.id for one in calculations.newest(tx, portfolio_kept.KIND)]
    for address in (f"/desk/simulator/{number}", "/desk/simulator/999", "/desk/simulator/99999999999999999999"):
        assert browser.get(address).status_code == 404, "a portfolio is no simulation"


# --- working on them ---------------------------------------------------------------------------------------------------
def test_what_nobody_works_on_any_more_is_taken_over(either: Shop, front: Front, store: Store) -> None:
    now = front.clock.now()
    with store.writing() as tx:
        made = portfolio_kept.ask(tx, TODAY, "person:wang.fang", now)
        taken = calculations.take(tx, "gone", now)
        assert taken is not None
        assert calculations.take(tx, "other", now) is None, "it is being worked on"
    later = now + calculations.DEAD_AFTER + dt.timedelta(seconds=1)
    with store.writing() as tx:
        assert calculations.waits(tx, later)
        again = calculations.take(tx, "other", later)
        assert again is not None
        assert again.id == made.id
        assert not calculations.answer(tx, made.id, "gone", {"a": 1}, later), "who was gone comes too late"
        assert calculations.answer(tx, made.id, "other", {"a": Decimal("1.10")}, later)
    assert str(kept(front).result["a"]) == "1.10"


def test_what_has_failed_says_why_and_may_be_asked_again(
    busy: Shop, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(calculate, "KINDS", {portfolio_kept.KIND: broken})
    browser = visit(front, "wang.fang")
    browser.get("/desk/portfolio")
    assert work(front) == 1
    page = browser.get("/desk/portfolio").text
    assert "It could not be worked out." in page
    assert "secret inside" not in page
    monkeypatch.undo()
    browser.post("/desk/portfolio", day=TODAY.isoformat())
    assert work(front) == 1
    assert "1,700.00" in browser.get("/desk/portfolio").text


# --- whatever is sent ----------------------------------------------------------------------------------------------------
ODD = (
    "\x00", "\u202e\u0661\u0662", "1e9", "-1", "9999-12-31", "0001-01-01", "x" * 5000, "';--", "{{7*7}}", "\ufffd", "=1+1",
)  # fmt: skip


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_no_form_and_no_address_brings_the_service_to_fall(busy: Shop, front: Front) -> None:
    busy.order("SO1", "C1", 5000)
    busy.run()
    browser, proposer = visit(front, "li.wei"), visit(front, "wang.fang")
    for odd in ODD:
        names = (
            "do", "why", "until", "most", "once", "kind", "amount", "currency", "from", "to", "season", "percent", "part1",
            "when1", "customer", "day", "first", "last", "late", "old", "new", "draft",
        )  # fmt: skip
        forms = ("/desk/orders/books/SO1", "/desk/limits/1", "/desk/portfolio", "/desk/simulator")
        for address in forms:
            for do in (odd, "release", "request", "hold", "approve", "reject"):
                sent = dict.fromkeys(names, odd) | {"do": do}
                assert browser.post(address, **sent).status_code < 500, (address, do)
        for do in ("ask", "try", "formula", odd):
            for kind in ("base", "stage", "seasonal", "guarantee", odd):
                sent = dict.fromkeys(names, odd) | {"do": do, "kind": kind, "customer": "books/C1"}
                for address in ("/desk/limits/new", "/desk/limits/new/check"):
                    assert proposer.post(address, **sent).status_code < 500, (address, do, kind)
            assert proposer.post("/desk/limits/new", customer=odd, do=do, amount="5").status_code < 500
        for page in ("/desk/orders", "/desk/limits", "/desk/limits/new", "/desk/portfolio", "/desk/simulator"):
            for name in ("show", "sort", "q", "after", "as", "part", "day", "customer", "begin", "kind", "amount"):
                answer = proposer.client.get(page, params={name: odd})
                assert answer.status_code < 500, (page, name)
                assert "49" not in re.findall(r'value="([^"]*)"', answer.text), "no template is made of what was sent"
            for sort in ("ship", "-total", "number", "-until", "amount", "customer"):
                answer = proposer.client.get(page, params={"sort": sort, "after": f"1~{odd}"})
                assert answer.status_code < 500, (page, sort)


def test_the_process_beside_the_service_works_on_what_waits(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[business]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\nlanguage = "en"\n', encoding="utf-8")
    config = configs.load(file)
    store = Store.open(configs.store_url(config))
    with store.writing() as tx:
        portfolio_kept.ask(tx, TODAY, "person:wang.fang", SystemClock().now())
    front = Front(store, config)
    beside = Calculating(front)
    beside.begin()
    beside.begin()
    process = beside._process
    assert process is not None
    assert process.wait(120) == 0
    done = kept(front)
    assert (done.state, Decimal(done.result["ends"][-1]["receivables"])) == ("done", 0)
    front.stopping = True
    beside.begin()
    assert beside._process is process, "a service that ends begins nothing"
    beside.end()
    store.close()
