"""Month ends in one pass equal the plain rules of `connector.credit` on every day, and the reports of the single days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.credit.terms import months_later
from connector.example import company
from connector.store import customers, positions
from connector.store.db import Store
from connector.store.month_ends import day_ends
from tests.store.books import Book, books, days, figures, reference
from tests.store.books import load as load_book
from tests.store.conftest import emptied

relaxed = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def shown(row: Any, as_of: dt.date) -> dict[str, Any]:
    return {
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
        "undisputed_overdue": row.undisputed_overdue,
        "undisputed_oldest": row.undisputed_oldest_due_on,
    }


def _only_drafts(row: Any) -> bool:
    """Drafts are no part of what the plain rules compare."""
    return not (row.receivables or row.cash or row.notes or row.bills_commercial or row.bills_bank)


@relaxed
@given(books(), st.lists(days(), min_size=1, max_size=6, unique=True), st.integers(0, 9))
def test_every_day_is_what_the_plain_rules_say(
    shared_store: Store, book: Book, chosen: list[dt.date], seed: int
) -> None:
    chosen.sort()
    emptied(shared_store)
    load_book(shared_store, book, seed=seed)
    with shared_store.reading() as tx:
        refs = {row.key: row.ref for row in customers.customers(tx)}
        found = {
            (refs[key], cell.totals.currency, cell.place): shown(cell.totals, chosen[cell.place])
            for key, cells in day_ends(tx, chosen)
            for cell in cells
            if not _only_drafts(cell.totals)
        }
    expected = {}
    for place, day in enumerate(chosen):
        by_currency: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for ref, items in reference(book, day).items():
            for one in items:
                by_currency[ref, one.currency].append(one)
        for (ref, currency), items in by_currency.items():
            expected[ref, currency, place] = figures(items, day, "due", "separate")
    assert found == expected


def test_month_ends_of_a_company_are_its_reports_of_those_days(shared_store: Store) -> None:
    made = company(20, seed=3, documents_per_customer=30)
    emptied(shared_store)
    book = Book(
        customers=made.customers,
        documents=made.documents,
        instalments=made.instalments,
        payments=made.payments,
        applications=made.applications,
    )
    load_book(shared_store, book, seed=3, page=100)
    last = made.as_of - dt.timedelta(days=Random(3).randrange(40))
    ends = [months_later(last, -n) for n in range(12, -1, -1)]
    with shared_store.reading() as tx:
        found: dict[int, dict[tuple[int, str], Any]] = defaultdict(dict)
        for key, cells in day_ends(tx, ends, systems=["books"]):
            for cell in cells:
                found[cell.place][key, cell.totals.currency] = cell.totals
        assert list(day_ends(tx, ends, systems=["elsewhere"])) == []
        for place, day in enumerate(ends):
            rows = {(row.customer, row.currency): row for row in positions.totals(tx, day)}
            assert found[place] == rows
            assert len(rows) > (10 if place == len(ends) - 1 else 0), "nothing was compared"


def test_late_debts_are_experiences_less_what_is_disputed(shared_store: Store) -> None:
    from connector.store import behaviour

    made = company(12, seed=5, documents_per_customer=20)
    emptied(shared_store)
    book = Book(
        customers=made.customers,
        documents=made.documents,
        instalments=made.instalments,
        payments=made.payments,
        applications=made.applications,
    )
    load_book(shared_store, book, seed=5, page=100)
    with shared_store.reading() as tx:
        wanted = behaviour.overdue(tx, None, made.as_of)
        found: dict[int, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        for key, cells in day_ends(tx, [made.as_of]):
            for cell in cells:
                for late, amount in cell.late:
                    found[key][cell.totals.currency][late] += amount
    plain = {
        key: {currency: {share[1]: share[2] for share in shares} for currency, shares in own.items()}
        for key, own in wanted.items()
    }
    assert {k: {c: dict(v) for c, v in own.items()} for k, own in found.items()} == plain
    assert plain, "nothing was overdue"
