"""Links on pages: who decides them, what a decision does, and that hostile names are only names."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import Config, System
from connector.config_people import PersonSettings
from connector.model import Customer
from connector.store import audit, customers, link_list, links
from connector.store.db import Store
from connector.web.front import Front
from jobs.link import link
from tests.jobs.shop import PEOPLE, SYSTEM, Shop, config
from tests.store.books import save
from tests.web.visiting import visit

ADMIN = PersonSettings(id="sun.qiang", name="Sun Qiang", roles=("admin",))
CRM = System(name="crm", adapter="fxiaoke", roles=("crm",), secrets={"app_secret": "env:X"})
HOSTILE = "Acme <script>alert(1)</script>"


def made(store: Store, tmp_path: Path) -> Front:
    """Two ledgers' customers, and three accounts of a CRM: one linked, one much alike, one alone."""
    plain = config(tmp_path, (*PEOPLE, ADMIN))
    shop = Shop(store, Config(**{**plain.__dict__, "systems": (SYSTEM, CRM)}))
    shop.customers(
        Customer(id="C1", name="Northwind Trading Ltd", tax_id="DE1"),
        Customer(id="C2", name=HOSTILE, tax_id="DE2"),
        limits={},
    )
    accounts = [
        Customer(id="a1", name="Anything", external_id="C1"),
        Customer(id="a2", name=HOSTILE + " Holding", country="DE"),
        Customer(id="a3", name="Quite Another Company"),
    ]
    with store.writing() as tx:
        save(tx, "accounts", accounts, now=shop.clock.now(), ledger_currency="CNY", system="crm")
    link(store, shop.config, shop.clock)
    return Front(store, shop.config, shop.clock)


@pytest.fixture
def front(store: Store, tmp_path: Path) -> Front:
    return made(store, tmp_path)


def proposals(store: Store) -> list[link_list.Pair]:
    with store.reading() as tx:
        return link_list.proposed(tx, ["books"], "")


def debtors(store: Store) -> dict[str, int | None]:
    with store.reading() as tx:
        return {row.ref: row.debtor for row in customers.customers(tx)}


def told(store: Store) -> list[tuple[str, str, str]]:
    with store.reading() as tx:
        return [(line.entry.action, line.entry.subject, line.entry.actor) for line in audit.everything(tx)]


def test_each_view_shows_its_own(front: Front, store: Store) -> None:
    browser = visit(front, "sun.qiang")
    page = browser.get("/admin/links").text
    assert "a2" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    alone = browser.get("/admin/links?view=alone").text
    assert "crm/a3" in alone
    assert "crm/a1" not in alone
    linked = browser.get("/admin/links?view=linked").text
    assert "crm/a1" in linked
    assert "Northwind" in linked
    assert "crm/a3" not in linked
    assert "crm/a1" in browser.get("/admin/links?view=linked&q=northwind").text
    assert "crm/a1" not in browser.get("/admin/links?view=linked&q=nobody").text
    assert "客户关联" in visit(front, "sun.qiang", "zh").get("/admin/links").text


def test_a_confirmed_pair_is_one_debtor_and_in_the_trail(front: Front, store: Store) -> None:
    [pair] = proposals(store)
    browser = visit(front, "sun.qiang")
    answer = browser.post("/admin/links/decide", proposal=str(pair.proposal), act="same", back="/admin/links")
    assert answer.status_code == 303
    found = debtors(store)
    assert found["a2"] == found["C2"] is not None
    assert proposals(store) == []
    assert ("link.confirm", f"customer:{pair.account.system}/{pair.account.ref}", "person:sun.qiang") in told(store)
    again = browser.post("/admin/links/decide", proposal=str(pair.proposal), act="same")
    assert again.status_code == 404


def test_a_refused_pair_is_not_proposed_again(front: Front, store: Store) -> None:
    [pair] = proposals(store)
    visit(front, "sun.qiang").post("/admin/links/decide", proposal=str(pair.proposal), act="other")
    link(store, front.config, front.clock)
    assert proposals(store) == []
    assert debtors(store)["a2"] is None


def test_links_are_made_and_parted_by_hand(front: Front, store: Store) -> None:
    browser = visit(front, "sun.qiang")
    assert browser.post("/admin/links/join", account="crm/a3", customer="books/C1").status_code == 303
    assert debtors(store)["a3"] == debtors(store)["C1"]
    assert browser.post("/admin/links/part", account="crm/a3").status_code == 303
    assert debtors(store)["a3"] != debtors(store)["C1"]
    with store.reading() as tx:
        assert links.splits(tx)
    wrong = browser.post("/admin/links/join", account="crm/a3", customer="books/<b>nobody")
    assert wrong.status_code == 422
    assert "&lt;b&gt;nobody" in wrong.text
    assert browser.post("/admin/links/part", account="crm/a3").status_code == 422


def test_only_administrators_decide_links(front: Front, store: Store) -> None:
    [pair] = proposals(store)
    for person in ("wang.fang", "li.wei", "chen.jie"):
        browser = visit(front, person)
        assert browser.get("/admin/links").status_code == 403
        assert browser.post("/admin/links/decide", proposal=str(pair.proposal), act="same").status_code == 403
    browser = visit(front, "sun.qiang")
    address = "/admin/links/decide"
    assert browser.client.post(address, data={"proposal": pair.proposal, "act": "same"}).status_code == 403
    assert len(proposals(store)) == 1


def test_what_is_on_the_screen_is_exported(front: Front, store: Store) -> None:
    answer = visit(front, "sun.qiang").get("/admin/links?view=linked&as=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "crm/a1" in answer.text
    assert "crm/a3" not in answer.text


def test_odd_names_are_nobodys(front: Front, store: Store) -> None:
    browser = visit(front, "sun.qiang")
    for odd in ("books/\0", "books/" + "9" * 5000, "books/\ud7ff", "/", "books", "nowhere/C1"):
        for sent in ({"account": odd, "customer": "books/C1"}, {"account": "crm/a3", "customer": odd}):
            assert browser.post("/admin/links/join", **sent).status_code == 422, odd
        assert browser.post("/admin/links/part", account=odd).status_code == 404, odd
    assert browser.get("/admin/links?q=%00&view=linked").status_code < 500
