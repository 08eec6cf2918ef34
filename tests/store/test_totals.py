"""Totals in SQL equal the plain rules of `connector.credit`, whatever the book, the day and the order of the pages."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.credit.totals import Totals
from connector.model import Document
from connector.store import customers, order_values, positions
from connector.store.db import Store
from tests.store.books import DAY0, Book, books, days, figures, load, reference, save, turning_days
from tests.store.conftest import emptied

EVERY = [(b, p) for b in ("due", "issue") for p in ("separate", "fifo", "own_bucket")]
relaxed = settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _shown(row: Totals, as_of: dt.date, placement: str) -> dict[str, Any]:
    made = {
        "buckets": row.buckets,
        "unapplied": row.unapplied_cash + row.unapplied_notes,
        "cash": row.cash,
        "notes": row.notes,
        "receivables": row.receivables,
        "overdue": row.overdue,
        "oldest_days": (as_of - row.oldest_due_on).days if row.oldest_due_on else 0,
        "disputed": row.disputed,
        "bills": row.bills_bank + row.bills_commercial,
        "without_due_date": row.without_due_date,
    }
    if placement != "fifo":
        made["undisputed_overdue"] = row.undisputed_overdue
        made["undisputed_oldest"] = row.undisputed_oldest_due_on
    return made


def _compare(store: Store, book: Book, as_of: dt.date, chosen: list[str] | None = None) -> int:
    with store.reading() as tx:
        refs = {row.key: row.ref for row in customers.customers(tx)}
        keys = None if chosen is None else [key for key, ref in refs.items() if ref in chosen]
        expected: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for ref, items in reference(book, as_of).items():
            for item in items:
                if chosen is None or ref in chosen:
                    expected[ref, item.currency].append(item)
        for basis, placement in EVERY if chosen is None else EVERY[:2]:
            edges = (30, 60, 90) if basis == "due" else (30, 60, 90, 180, 365)
            rows = positions.totals(
                tx,
                as_of,
                customers=keys,
                edges=edges,
                basis=basis,
                placement=placement,  # type: ignore[arg-type]
            )
            shown = {(refs[r.customer], r.currency): _shown(r, as_of, placement) for r in rows}
            empty = dict.fromkeys(("receivables", "cash", "notes", "bills"), 0)
            shown = {k: v for k, v in shown.items() if any(v[name] for name in empty)}
            wanted = {k: figures(v, as_of, basis, placement) for k, v in expected.items()}
            assert shown == wanted, (basis, placement, as_of)
    return len(expected)


@relaxed
@given(book=books(), as_of=days(-5, 210), pick=st.integers(0, 999), seed=st.integers(0, 99))
def test_totals_equal_the_plain_rules(shared_store: Store, book: Book, as_of: dt.date, pick: int, seed: int) -> None:
    emptied(shared_store)
    load(shared_store, book, seed=seed)
    _compare(shared_store, book, as_of)
    # Rules turn on the very day of something.
    turns = turning_days(book)
    _compare(shared_store, book, turns[pick % len(turns)], ["C1", "C3"] if pick % 3 == 0 else None)


@relaxed
@given(book=books(), as_of=days(0, 210))
def test_open_items_are_those_of_the_plain_rules(shared_store: Store, book: Book, as_of: dt.date) -> None:
    emptied(shared_store)
    load(shared_store, book)
    with shared_store.reading() as tx:
        refs = {row.ref: row.key for row in customers.customers(tx)}
        wanted = reference(book, as_of)
        for ref, key in refs.items():
            assert positions.open_items(tx, [key], as_of) == wanted.get(ref, [])
        assert set(wanted) <= set(refs)


@relaxed
@given(book=books(foreign=False), as_of=days(0, 210))
def test_what_happened_later_is_taken_back(shared_store: Store, book: Book, as_of: dt.date) -> None:
    """The same day gives the same figures whether or not later facts are known (the past never changes)."""
    emptied(shared_store)
    load(shared_store, book)
    with shared_store.reading() as tx:
        after = _by_ref(tx, as_of)
    earlier = Book(
        customers=book.customers,
        documents=[_then(d, as_of) for d in book.documents if d.issued_on <= as_of],
        instalments=book.instalments,
        payments=[_then(p, as_of) for p in book.payments if p.received_on <= as_of],
        applications=[_then(a, as_of) for a in book.applications if a.applied_on <= as_of],
    )
    emptied(shared_store)
    load(shared_store, earlier)
    with shared_store.reading() as tx:
        assert _by_ref(tx, as_of) == after


def _then(fact: Any, as_of: dt.date) -> Any:
    from dataclasses import replace

    name = "reversed_on" if hasattr(fact, "reversed_on") else "voided_on"
    end = getattr(fact, name)
    return replace(fact, **{name: end if end and end <= as_of else None})


def _by_ref(tx: Any, as_of: dt.date) -> dict[Any, Any]:
    from dataclasses import replace

    refs = {row.key: row.ref for row in customers.customers(tx)}
    rows = positions.totals(tx, as_of)
    return {
        (refs[r.customer], r.currency): replace(r, customer=0)
        for r in rows
        if r.receivables or r.cash or r.notes or r.bills_bank or r.bills_commercial
    }


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_an_empty_store_has_no_totals(store: Store) -> None:
    with store.reading() as tx:
        assert positions.totals(tx, DAY0) == []
        assert positions.totals(tx, DAY0, customers=[], placement="fifo") == []
        assert order_values.order_values(tx) == []


@pytest.mark.parametrize(
    ("value", "disputed", "base", "share"),
    [
        (2, 1, 5, 3),  # half a fen, half up in both databases
        (3, 1, 10**15 + 2, 333_333_333_333_334),  # a product that no 63 bits hold
        (200_000_000, 100_000_001, 200_000_000 - 1, 100_000_000),
    ],
)
def test_the_disputed_part_in_the_ledgers_currency_is_exact(
    store: Store, value: int, disputed: int, base: int, share: int
) -> None:
    about: dict[str, Any] = {"issued_on": DAY0, "due_on": DAY0, "currency": "USD", "kind": "invoice"}
    with store.writing() as tx:
        one = Document(id="D1", customer_id="C1", amount=value, disputed_amount=disputed, base_amount=base, **about)
        save(tx, "documents", [one], ledger_currency="CNY")
        (row,) = positions.totals(tx, DAY0, view="ledger", ledger_currency="CNY")
    assert (row.receivables, row.disputed) == (base, share)
