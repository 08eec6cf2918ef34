"""What was invoiced day by day, and what of it was open then: the same as the plain rules say, on both databases."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Application, Customer, Document
from connector.money import from_minor
from connector.store import customers
from connector.store.db import Store
from connector.store.history import invoiced_by_day
from tests.store.books import Book, books, days, load, reference, turning_days
from tests.store.conftest import emptied

Key = tuple[str, str, dt.date]


def _expected(book: Book, as_of: dt.date) -> dict[Key, tuple[Decimal, Decimal]]:
    whole: dict[Key, Decimal] = defaultdict(Decimal)
    left: dict[Key, Decimal] = defaultdict(Decimal)
    for d in book.documents:
        counts = d.kind in ("invoice", "debit_note") and d.status == "posted" and d.issued_on <= as_of and d.amount
        if counts and not (d.voided_on and d.voided_on <= as_of):
            whole[d.customer_id, d.currency, d.issued_on] += from_minor(d.amount, d.currency)
    for ref, items in reference(book, as_of).items():
        for item in items:
            if item.kind in ("invoice", "debit_note") and item.amount > 0:
                left[ref, item.currency, item.issued_on] += item.amount
    return {key: (amount, left[key]) for key, amount in whole.items()}


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(book=books(), as_of=days(-5, 210), pick=st.integers(0, 999))
def test_invoiced_and_open_by_day(shared_store: Store, book: Book, as_of: dt.date, pick: int) -> None:
    emptied(shared_store)
    load(shared_store, book)
    turns = turning_days(book)
    for on in (as_of, turns[pick % len(turns)]):
        with shared_store.reading() as tx:
            refs = {row.key: row.ref for row in customers.customers(tx)}
            found = invoiced_by_day(tx, list(refs), on)
        assert {(refs[f.customer], f.currency, f.issued_on): (f.invoiced, f.open) for f in found} == _expected(book, on)
        assert [f.issued_on for f in found] == sorted(f.issued_on for f in found)


def test_a_credit_note_with_more_set_to_it_than_it_has_is_nothing_that_was_invoiced(shared_store: Store) -> None:
    """Found by chance: an invoice set against a void credit note of nothing, the day before it was voided."""
    day = dt.date(2026, 6, 1)
    emptied(shared_store)
    book = Book(
        customers=[Customer(id="C1", name="C1", currency="CNY")],
        documents=[
            Document(id="I", customer_id="C1", kind="invoice", issued_on=day, currency="CNY", amount=3),
            Document(
                id="N", customer_id="C1", kind="credit_note", issued_on=day, currency="CNY", amount=0,
                voided_on=day + dt.timedelta(days=1),
            ),
        ],
        applications=[Application(id="A", from_id="I", to_id="N", amount=Decimal(1), applied_on=day)],
    )  # fmt: skip
    load(shared_store, book)
    with shared_store.reading() as tx:
        keys = [row.key for row in customers.customers(tx)]
        (found,) = invoiced_by_day(tx, keys, day)
    assert (found.invoiced, found.open) == (Decimal("0.03"), Decimal(0))
