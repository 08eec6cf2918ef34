"""Linking: by external id, tax id, name; near names only proposed; contradictions told; what a person split stays split."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.clock import FixedClock
from connector.config import Config, parse
from connector.model import Customer
from connector.store import customers, facts, links
from connector.store.db import Store
from connector.store.facts import Kept
from jobs.link import link

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
CONFIG = """
[[systems]]
name = "erp"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
[[systems]]
name = "crm"
adapter = "fxiaoke"
roles = ["crm"]
settings = { base_url = "http://127.0.0.1:1", acting_user = "1000" }
[systems.secrets]
app_id = "env:A"
app_secret = "env:B"
permanent_code = "env:C"
"""
CODE, OTHER_CODE = "91110000600037341L", "121200004013590816"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'x.db'}")
    yield opened
    opened.close()


@pytest.fixture
def config() -> Config:
    made, problems = parse(CONFIG, "config.toml", Path())
    assert made is not None, problems
    return made


def say(store: Store, system: str, *given: Customer) -> None:
    kept = [Kept(c.id, {"id": c.id}, f"{c!r}", [c]) for c in given]
    with store.writing() as tx:
        facts.save_page(tx, system, "customers", records=kept, cursor=None, full=True, last=True, now=NOW)


def linked(store: Store) -> dict[str, str | None]:
    """CRM account → ERP customer."""
    with store.reading() as tx:
        rows = customers.customers(tx)
    owners = {r.debtor: r.ref for r in rows if r.system == "erp" and r.debtor is not None}
    return {r.ref: owners.get(r.debtor) if r.debtor is not None else None for r in rows if r.system == "crm"}


def test_each_way_in_its_order(store: Store, config: Config) -> None:
    say(
        store,
        "erp",
        Customer(id="C1", name="北京一号有限公司"),
        Customer(id="C2", name="Two", tax_id=CODE),
        Customer(id="C3", name="Three Company Limited"),
        Customer(id="C4", name="Nobody's"),
    )
    say(
        store,
        "crm",
        Customer(id="a1", name="whatever", external_id="C1"),
        Customer(id="a2", name="二号", tax_id=" 91 110000-600037341l "),
        Customer(id="a3", name="THREE Co., Ltd."),
        Customer(id="a4", name="Prospect"),
    )
    run = link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": "C1", "a2": "C2", "a3": "C3", "a4": None}
    assert run.problems == []


def test_near_names_are_proposed_and_used_only_when_confirmed(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="Westlake Quayside Plastics S.A."))
    say(store, "crm", Customer(id="a1", name="Westlak Quayside Plastics"))
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}
    with store.writing() as tx:
        (proposal,) = links.proposals(tx)
        assert proposal.score > 0.8
        links.confirm(tx, proposal.id)
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": "C1"}


def test_a_contradiction_is_told_and_not_guessed(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="One", tax_id=CODE), Customer(id="C2", name="Two", tax_id=OTHER_CODE))
    say(store, "crm", Customer(id="a1", name="One", external_id="C1", tax_id=OTHER_CODE))
    run = link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}
    (problem,) = run.problems
    assert problem.code == "link_conflict"
    assert problem.what.en == "“One” names the ERP customer C1, but its tax id is that of C2. It is not linked."
    assert problem.what.zh == "“One”记录的 ERP 客户编号是 C1，但税号属于 C2。未建立关联。"


def test_a_name_that_two_customers_bear_is_ambiguous(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="Same"), Customer(id="C2", name="SAME"))
    say(store, "crm", Customer(id="a1", name="same"))
    run = link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}
    assert [p.code for p in run.problems] == ["link_ambiguous"]
    assert "2 ERP customers by name: C1, C2" in run.problems[0].what.en


def test_the_same_name_with_another_tax_id_is_somebody_else(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="Same", tax_id=CODE))
    say(store, "crm", Customer(id="a1", name="Same", tax_id=OTHER_CODE))
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}


def test_one_legal_person_with_two_accounts_is_one_debtor(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="One", tax_id=CODE), Customer(id="C9", name="One old", tax_id=CODE))
    link(store, config, FixedClock(NOW))
    with store.reading() as tx:
        assert len({r.debtor for r in customers.customers(tx)}) == 1


def test_an_invalid_code_is_told_and_not_used(store: Store, config: Config) -> None:
    bad = CODE[:-1] + "N"
    say(store, "erp", Customer(id="C1", name="One", tax_id=bad))
    say(store, "crm", Customer(id="a1", name="Other", tax_id=bad))
    run = link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}
    assert [p.code for p in run.problems] == ["tax_id"]
    assert "校验码不正确" in run.problems[0].what.zh


def test_a_filler_tax_id_links_nobody(store: Store, config: Config) -> None:
    say(store, "erp", *(Customer(id=f"C{i}", name=f"N{i}", tax_id="DE1234567") for i in range(12)))
    run = link(store, config, FixedClock(NOW))
    with store.reading() as tx:
        assert len({r.debtor for r in customers.customers(tx)}) == 12
    assert [p.code for p in run.problems] == ["tax_id_shared"]


def test_an_external_id_that_the_erp_does_not_know_is_told_and_the_name_is_tried(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="One"))
    say(store, "crm", Customer(id="a1", name="ONE", external_id="C77"))
    run = link(store, config, FixedClock(NOW))
    assert [p.code for p in run.problems] == ["external_id"]
    assert linked(store) == {"a1": "C1"}


def test_split_is_remembered(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="One"))
    say(store, "crm", Customer(id="a1", name="One"))
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": "C1"}
    with store.writing() as tx:
        account = next(r for r in customers.customers(tx) if r.ref == "a1")
        links.split(tx, account.key)
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}


def test_a_link_ends_with_what_it_rested_on(store: Store, config: Config) -> None:
    say(store, "erp", Customer(id="C1", name="One"))
    say(store, "crm", Customer(id="a1", name="One"))
    link(store, config, FixedClock(NOW))
    say(store, "crm", Customer(id="a1", name="Renamed to something else"))
    link(store, config, FixedClock(NOW))
    assert linked(store) == {"a1": None}


def test_a_merge_takes_confirmed_accounts_along_and_is_undone_when_the_tax_id_is_corrected(
    store: Store, config: Config
) -> None:
    say(store, "erp", Customer(id="C1", name="One"), Customer(id="C9", name="Nine"))
    say(store, "crm", Customer(id="a9", name="Whatever"))
    link(store, config, FixedClock(NOW))
    with store.writing() as tx:
        rows = {r.ref: r for r in customers.customers(tx)}
        links.join(tx, rows["a9"].key, rows["C9"].key)
    say(store, "erp", Customer(id="C1", name="One", tax_id=CODE), Customer(id="C9", name="Nine", tax_id=CODE))
    link(store, config, FixedClock(NOW))
    with store.reading() as tx:
        assert len({r.debtor for r in customers.customers(tx)}) == 1, "one legal person, with its account"
    say(store, "erp", Customer(id="C1", name="One", tax_id=CODE), Customer(id="C9", name="Nine", tax_id=OTHER_CODE))
    link(store, config, FixedClock(NOW))
    with store.reading() as tx:
        by_ref = {r.ref: r.debtor for r in customers.customers(tx)}
    assert by_ref["C1"] != by_ref["C9"]
