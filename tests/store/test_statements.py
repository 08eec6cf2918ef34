"""Statements on file on both databases: versions, drafts, confirmation, and which one counts on a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.credit.statement_join import Brought
from connector.credit.statement_read import Line
from connector.credit.statement_sheet import Finding
from connector.errors import ConfigError
from connector.model import Customer, Financial
from connector.store import audit, links, marks, statement_entry, statements
from connector.store import customers as all_customers
from connector.store.db import Connection, Store
from connector.text import Text
from tests.store.books import NOW, save

END = dt.date(2025, 12, 31)
TODAY = dt.date(2026, 4, 1)
OFF = Finding(
    "assets_vs_claims", "refuse", Text("off by {n}", "相差 {n}").fill(n=5), difference=Decimal(-5), cells=("S!B9",)
)


def line(item: str, amount: str | None, opening: str | None = None) -> Line:
    def some(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return Line(
        item=item, label=item, amount=some(amount), opening=some(opening), unit=10_000, sheet="S", cell="S!B9",
        raw=amount or "-", opening_cell="S!C9", opening_raw=opening or "",
    )  # fmt: skip


BROUGHT = Brought(
    period_end_on=END, months=12, currency="CNY", unit=10_000, basis="cas", consolidated=None, company=None,
    lines=(line("total_assets", "12.5", "10"), line("receivables", None, "3"), line("revenue", "7", "6.5")),
)  # fmt: skip


def customer(tx: Connection, ref: str = "C1") -> tuple[int, int]:
    """A customer of the books and its debtor."""
    save(tx, "customers", [Customer(id=ref, name=f"Customer {ref}")], last=False)
    row = all_customers.customers(tx, refs=[ref])[0]
    links.ensure_debtors(tx, [row.key])
    debtor = links.debtor_of(tx, row.key)
    assert debtor is not None
    return row.key, debtor


def bring(
    tx: Connection,
    key: int,
    brought: Brought = BROUGHT,
    *,
    confirmed: bool = True,
    today: dt.date = TODAY,
    **more: object,
) -> int:
    given: dict[str, object] = {
        "file": "报表.xlsx", "sha": "ab" * 32, "audited": True, "opinion": None, "received_on": None, "findings": (),
        "reason": "", "actor": "person:li.wei", "now": NOW,
    }  # fmt: skip
    return statement_entry.add(tx, key, brought, confirmed=confirmed, today=today, **(given | more))  # type: ignore[arg-type]


def test_a_confirmed_statement_counts_from_its_day_in_whole_units(store: Store) -> None:
    with store.writing() as tx:
        key, debtor = customer(tx)
        number = bring(tx, key)
        assert statements.latest(tx, [debtor], TODAY - dt.timedelta(days=1)) == {}
        found = statements.latest(tx, [debtor], TODAY)[debtor]
        assert statements.latest(tx, None, TODAY) == {debtor: found}
        assert statements.latest(tx, [], TODAY) == {}
    assert found.closing == {"total_assets": Decimal(125_000), "revenue": Decimal(70_000)}
    assert found.opening == {"total_assets": Decimal(100_000), "receivables": Decimal(30_000)}
    assert found.prior == {"revenue": Decimal(65_000)}
    assert (found.number, found.sha, found.months, found.currency) == (number, "ab" * 32, 12, "CNY")
    assert found.flags == ()


def test_a_draft_feeds_nothing_until_it_is_confirmed_with_a_reason(store: Store) -> None:
    with store.writing() as tx:
        key, debtor = customer(tx)
        marks.touch(tx, [])
        number = bring(tx, key, confirmed=False, findings=(OFF,))
        assert statements.latest(tx, [debtor], TODAY) == {}
        with pytest.raises(ConfigError, match="Say why"):
            statement_entry.settle(tx, number, confirm=True, reason=" ", actor="person:wang", now=NOW, today=TODAY)
        settled = statement_entry.settle(
            tx, number, confirm=True, reason="rounded by the accountant", actor="person:wang", now=NOW, today=TODAY
        )
        assert (settled.status, settled.confirmed_by, settled.reason) == (
            "confirmed",
            "person:wang",
            "rounded by the accountant",
        )
        assert settled.findings == (OFF,)
        assert statements.latest(tx, [debtor], TODAY)[debtor].flags == ("assets_vs_claims",)
        with pytest.raises(ConfigError, match="already"):
            statement_entry.settle(tx, number, confirm=True, reason="x", actor="person:wang", now=NOW, today=TODAY)
        assert key in marks.changed(tx)
    with store.reading() as tx:
        trail = [entry.entry for entry in audit.listing(tx, subject="customer:books/C1")]
        assert audit.verify(tx) == []
    assert sorted((e.action, e.actor, e.why) for e in trail) == [
        ("statement.confirm", "person:wang", "rounded by the accountant"),
        ("statement.import", "person:li.wei", ""),
    ]


def test_a_refused_statement_counts_for_the_days_before(store: Store) -> None:
    with store.writing() as tx:
        key, debtor = customer(tx)
        number = bring(tx, key)
        later = TODAY + dt.timedelta(days=30)
        statement_entry.settle(
            tx, number, confirm=False, reason="of another company", actor="person:wang", now=NOW, today=later
        )
        assert debtor in statements.latest(tx, [debtor], later - dt.timedelta(days=1))
        assert statements.latest(tx, [debtor], later) == {}
        with pytest.raises(ConfigError, match="refused already"):
            statement_entry.settle(tx, number, confirm=True, reason="x", actor="person:w", now=NOW, today=later)


def test_what_is_brought_again_is_a_new_version_and_the_old_one_stays(store: Store) -> None:
    better = replace(BROUGHT, lines=(line("total_assets", "13"),))
    with store.writing() as tx:
        key, debtor = customer(tx)
        first, second = bring(tx, key), bring(tx, key, better, today=TODAY + dt.timedelta(days=1))
        filed = statement_entry.filed(tx, [key])
        assert [(f.one.number, f.one.version) for f in filed] == [(second, 2), (first, 1)]
        assert statements.latest(tx, [debtor], TODAY)[debtor].closing["total_assets"] == 125_000
        newer = statements.latest(tx, [debtor], TODAY + dt.timedelta(days=1))[debtor]
        assert newer.closing == {"total_assets": Decimal(130_000)}, "versions are never mixed"
        group = bring(tx, key, replace(BROUGHT, consolidated=True))
        assert [f.one.version for f in statement_entry.filed(tx, numbers=[group])] == [1]


def test_a_draft_without_unit_or_currency_cannot_be_confirmed(store: Store) -> None:
    with store.writing() as tx:
        key, _ = customer(tx)
        number = bring(tx, key, replace(BROUGHT, unit=None, currency=None), confirmed=False)
        with pytest.raises(ConfigError, match="--unit"):
            statement_entry.settle(tx, number, confirm=True, reason="x", actor="person:w", now=NOW, today=TODAY)
        with pytest.raises(ConfigError, match=r"no statement no\. 99"):
            statement_entry.settle(tx, 99, confirm=True, reason="x", actor="person:w", now=NOW, today=TODAY)


def test_every_item_keeps_its_proof(store: Store) -> None:
    with store.writing() as tx:
        key, _ = customer(tx)
        number = bring(tx, key)
        proofs = statement_entry.proofs(tx, number)
    assert [(p.item, p.amount, p.opening, p.cell, p.raw) for p in proofs] == [
        ("total_assets", Decimal(125_000), Decimal(100_000), "S!B9", "12.5"),
        ("receivables", None, Decimal(30_000), "S!B9", "-"),
        ("revenue", Decimal(70_000), Decimal(65_000), "S!B9", "7"),
    ]


def said(item: str, amount: str, **more: object) -> Financial:
    given: dict[str, object] = {
        "customer_id": "C1", "period_end_on": END, "months": 12, "currency": "CNY", "unit": 1000, "audited": None,
        "item": item, "amount": Decimal(amount),
    }  # fmt: skip
    return Financial(**(given | more))  # type: ignore[arg-type]


def test_what_a_system_says_is_a_statement_too(store: Store) -> None:
    with store.writing() as tx:
        key, debtor = customer(tx)
        past = {"period_end_on": dt.date(2024, 12, 31)}
        save(
            tx, "financials",
            [said("Assets", "20"), said("营业收入", "9"), said("total_assets", "18", **past), said("revenue", "8", **past)],
        )  # fmt: skip
        found = statements.latest(tx, [debtor], TODAY)[debtor]
        assert (found.closing, found.opening, found.prior) == (
            {"total_assets": Decimal(20_000), "revenue": Decimal(9_000)},
            {"total_assets": Decimal(18_000)},
            {"revenue": Decimal(8_000)},
        )
        assert (found.number, found.customer) == (None, key)
        assert set(found.flags) == {"opening_from_file", "audit_unknown"}
        # A file is trusted more; it takes the opening that it does not print from what the system said.
        number = bring(tx, key, replace(BROUGHT, lines=(line("total_assets", "2"),)))
        newer = statements.latest(tx, [debtor], TODAY)[debtor]
        assert (newer.number, newer.closing, newer.opening) == (
            number, {"total_assets": Decimal(20_000)}, {"total_assets": Decimal(18_000)},
        )  # fmt: skip


def test_what_a_system_says_and_does_not_balance_feeds_nothing(store: Store) -> None:
    with store.writing() as tx:
        _, debtor = customer(tx)
        save(tx, "financials", [said("total_assets", "20"), said("total_liabilities", "9"), said("equity", "9")])
        assert statements.latest(tx, [debtor], TODAY) == {}
        [held_back] = statements.known(tx, [debtor], TODAY)[debtor]
        assert (held_back.findings, held_back.confirmed_on) == (("assets_vs_claims",), None)


def test_interim_statements_can_be_passed_over(store: Store) -> None:
    half = replace(BROUGHT, period_end_on=dt.date(2026, 3, 31), months=3)
    with store.writing() as tx:
        key, debtor = customer(tx)
        bring(tx, key)
        bring(tx, key, half)
        assert statements.latest(tx, [debtor], TODAY)[debtor].months == 3
        assert "interim" in statements.latest(tx, [debtor], TODAY)[debtor].flags
        assert statements.latest(tx, [debtor], TODAY, full_years=True)[debtor].months == 12
