"""First steps on a page: each told by the database, the made-up company from its button to its end, who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from connector.clock import SystemClock
from connector.errors import ConfigError
from connector.store import asked_runs, documents
from connector.store.db import Store
from connector.store.emptied import KEPT
from connector.store.tables import metadata
from connector.web.front import Front
from jobs import demo_company
from jobs.configured import configured
from jobs.demo_company import NAMES, DemoCompany
from jobs.night import connected_systems, work
from tests.jobs.shop import PEOPLE, config
from tests.web.console import ADMIN, OTHERS, console, told
from tests.web.visiting import Browser, visit

PAGE = "/admin/first-steps"


@pytest.fixture
def companies() -> list[DemoCompany]:
    """All that were made, each ended when the test is."""
    return []


@pytest.fixture
def front(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, companies: list[DemoCompany]
) -> Iterator[Front]:
    """An empty database, with nothing connected; the made-up company is a small one."""
    if store.engine.dialect.name != "sqlite":
        pytest.skip("the made-up company is for a database that one process works on")
    monkeypatch.setattr(demo_company, "_CUSTOMERS", 25)
    made = DemoCompany.__init__

    def noted(self: DemoCompany, *what: object) -> None:
        companies.append(self)
        made(self, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(DemoCompany, "__init__", noted)
    # Nobody is a user of a system that is not there.
    people = tuple(one.model_copy(update={"ids": {}}) for one in (ADMIN, *PEOPLE))
    plain = config(tmp_path, people).model_copy(update={"systems": ()})
    yield Front(store, plain, SystemClock())
    for company in companies:
        company.end()


@pytest.fixture
def admin(front: Front) -> Browser:
    return visit(front, "sun.qiang")


def run(front: Front) -> None:
    """What the worker does with what was asked for."""
    made = configured(front.store, front.config)
    done = work(front.store, made, None, front.clock, systems=connected_systems(made, front.clock, store=front.store))
    assert [one.failed for one in done if one.failed] == []


def rows(front: Front) -> dict[str, int]:
    with front.store.reading() as tx:
        return {t.name: tx.execute(select(func.count()).select_from(t)).scalar_one() for t in metadata.sorted_tables}


def test_an_empty_database_leads_here_and_says_what_to_do(admin: Browser) -> None:
    assert admin.get("/").headers["location"] == PAGE
    page = admin.get(PAGE).text
    assert "Begin with made-up data" in page
    assert "/admin/connect" in page
    assert "What you see now" not in page
    assert "使用虚构数据开始" in admin.get(PAGE, headers={"Accept-Language": "zh-CN"}).text


def test_the_made_up_company_leads_to_results_and_goes_again(front: Front, admin: Browser, tmp_path: Path) -> None:
    before = rows(front)
    answer = admin.post(f"{PAGE}/demo")
    assert answer.status_code == 303
    with front.store.reading() as tx:
        assert [one.job for one in asked_runs.waiting(tx)] == ["regular"]
        assert set(documents.names(tx, documents.SYSTEM)) == NAMES
    page = admin.get(PAGE).text
    assert "What you see is made up." in page
    assert "data-renew" in page
    run(front)
    # Every page of desk and console says so, and leads an administrator, and nobody else, to the way out.
    seller, said = visit(front, "chen.jie", "zh"), "no customer, order or figure here is real."
    for page in ("/desk", "/admin/systems"):
        assert said in admin.get(page).text
    assert f'<a href="{PAGE}">Take the made-up company away</a>' in admin.get("/desk").text
    assert "此处的客户、订单与金额均为虚构。" in seller.get("/desk").text
    assert "清除虚构公司" not in seller.get("/desk").text
    page = admin.get(PAGE).text
    assert "What you see now" in page
    assert "made up" in admin.get("/admin/systems").text
    after = rows(front)
    assert after["customer"] > 25
    assert after["standing"] > 0
    assert (tmp_path / "demo").is_dir()
    gone = admin.post(f"{PAGE}/demo/remove")
    assert gone.status_code == 303
    left = rows(front)
    assert {name: count for name, count in left.items() if count and name not in KEPT} == {}
    assert left["audit"] > before["audit"]
    assert not (tmp_path / "demo").exists()
    assert {"system.activate", "demo.begin", "system.remove", "demo.remove"} <= {act for act, _, _ in told(front)}
    assert "Begin with made-up data" in admin.get(PAGE).text


def test_a_configuration_may_say_that_all_is_made_up(front: Front) -> None:
    made = visit(front, "chen.jie")
    assert "figure here is real" not in made.get("/me").text
    front.config = front.config.model_copy(
        update={"business": front.config.business.model_copy(update={"made_up": True})}
    )
    assert "figure here is real" in made.get("/me").text


def test_it_comes_back_with_the_service(front: Front, admin: Browser, companies: list[DemoCompany]) -> None:
    admin.post(f"{PAGE}/demo")
    made = configured(front.store, front.config)
    address = str(made.system("demo_erp").settings["base_url"])
    first = requests.get(f"{address}/~sandbox/calls", timeout=5).status_code
    assert first == 200
    second = DemoCompany(front.store, front.clock)
    with pytest.raises(ConfigError, match="port"):
        second.follow(made)  # the first still answers there
    companies[0].end()
    second.follow(made)
    assert requests.get(f"{address}/~sandbox/calls", timeout=5).status_code == 200


def test_it_is_not_mixed_with_real_systems(store: Store, tmp_path: Path) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("one database is enough")
    front = console(store, tmp_path)
    admin = visit(front, "sun.qiang")
    assert "Begin with made-up data" not in admin.get(PAGE).text
    refused = admin.post(f"{PAGE}/demo")
    assert refused.status_code == 422
    assert "books" in refused.text
    before = rows(front)
    assert admin.post(f"{PAGE}/demo/remove").status_code == 422
    own = {"counter": 0, "concern": 0}
    assert rows(front) | own == before | own


def test_a_run_is_asked_for_once(front: Front, admin: Browser) -> None:
    for _ in range(3):
        assert admin.post(f"{PAGE}/run").status_code == 303
    with front.store.reading() as tx:
        [one] = asked_runs.waiting(tx)
    assert one.by == "person:sun.qiang"
    with front.store.writing() as tx:
        asked_runs.end(tx, one.id, front.clock.now())
        asked_runs.ask(tx, "regular", "person:sun.qiang", front.clock.now() - dt.timedelta(minutes=1))
    assert "Nobody takes it" in admin.get(PAGE).text


def test_only_administrators_and_only_by_our_forms(front: Front, admin: Browser) -> None:
    for person in OTHERS:
        browser = visit(front, person)
        assert browser.get(PAGE).status_code == 403
        for act in ("run", "demo", "demo/remove"):
            assert browser.post(f"{PAGE}/{act}").status_code == 403
    for act in ("run", "demo", "demo/remove"):
        assert admin.client.post(f"{PAGE}/{act}").status_code == 403
    with front.store.reading() as tx:
        assert documents.names(tx, documents.SYSTEM) == []
        assert asked_runs.waiting(tx) == []
