"""Sales, payments, control totals and cohorts of a whole ledger equal what plain Python makes of the same facts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.example import company
from connector.model import Application, Customer, Document, Payment
from connector.money import to_minor
from connector.store import customers, flows
from connector.store.db import Store
from connector.store.month_ends import day_ends
from tests.store.books import DAY0, Book, books, days, load, reference
from tests.store.conftest import emptied

relaxed = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@relaxed
@given(books(), st.lists(days(), min_size=1, max_size=5, unique=True), st.integers(0, 9))
def test_the_control_total_is_the_sum_of_all_customers(
    shared_store: Store, book: Book, chosen: list[dt.date], seed: int
) -> None:
    """Made without ageing, from documents, payments and what was set off; the plain rules sum open items."""
    chosen.sort()
    emptied(shared_store)
    load(shared_store, book, seed=seed)
    with shared_store.reading() as tx:
        found = flows.control(tx, chosen)
        sums: list[dict[str, int]] = [defaultdict(int) for _ in chosen]
        for _, cells in day_ends(tx, chosen):
            for cell in cells:
                row = cell.totals
                sums[cell.place][row.currency] += row.receivables - row.cash - row.notes
    for day, ledger, customers_sum in zip(chosen, found, sums, strict=True):
        plain: dict[str, int] = defaultdict(int)
        for items in reference(book, day).values():
            for one in items:
                if one.kind != "bill_of_exchange":
                    plain[one.currency] += to_minor(one.amount, one.currency)
        for currency in {*plain, *ledger, *customers_sum}:
            balance = ledger[currency].balance if currency in ledger else 0
            assert balance == plain[currency] == customers_sum[currency], (day, currency)


def test_sales_by_day_and_until_voided(shared_store: Store) -> None:
    made = company(8, seed=11, documents_per_customer=20)
    emptied(shared_store)
    load(shared_store, Book(customers=made.customers, documents=made.documents), page=200)
    until = made.as_of - dt.timedelta(days=30)
    plain: dict[tuple[str, dt.date, dt.date | None], int] = defaultdict(int)
    for d in made.documents:
        if d.status == "posted" and d.issued_on <= until and d.kind != "bill_of_exchange":
            plain[d.currency, d.issued_on, d.voided_on] += -d.amount if d.kind == "credit_note" else d.amount
    with shared_store.reading() as tx:
        found = flows.sold(tx, until)
    assert {(s.currency, s.on, s.until): s.value for s in found} == plain
    assert len(found) > 20


def _cohort_book() -> Book:
    """Ten invoices of 100 each, due on the first ten days; how each fared is plain from its number."""
    book = Book(customers=[Customer(id="C", name="C", currency="CNY")])
    fates = [None, 0, 1, 30, 31, 60, 61, 90, 91, 400]
    for n, days_late in enumerate(fates):
        due = DAY0 + dt.timedelta(days=n)
        issued = due - dt.timedelta(days=30)
        book.documents.append(
            Document(id=f"D{n}", customer_id="C", kind="invoice", issued_on=issued, due_on=due, currency="CNY", amount=10_000)
        )  # fmt: skip
        if days_late is not None:
            on = due + dt.timedelta(days=days_late)
            book.payments.append(Payment(id=f"P{n}", customer_id="C", received_on=on, currency="CNY", amount=10_000))
            book.applications.append(
                Application(id=f"A{n}", from_id=f"P{n}", to_id=f"D{n}", amount=Decimal(100), applied_on=on)
            )
    return book


def test_a_cohort_counts_what_was_unpaid_at_the_end_of_each_bucket(store: Store) -> None:
    load(store, _cohort_book())
    with store.reading() as tx:
        after, until = DAY0 - dt.timedelta(days=1), DAY0 + dt.timedelta(days=9)
        known = until + dt.timedelta(days=365)
        [key] = [row.key for row in customers.customers(tx)]
        found = flows.cohorts(tx, after, until, known, (30, 60, 90))
        one = found[key, "CNY"]
        # Unpaid after the due date are all but the one paid on it, after 30 days seven, after 60 five, after 90 three:
        # the one of 91 days, the one of 400 (after `known`), and the one that is never paid.
        assert one.reached == [100_000, 90_000, 70_000, 50_000, 30_000]
        assert one.lost == 20_000
        assert one.months == {2026 * 12 + 6}
        assert flows.cohorts(tx, until, known, known, (30, 60, 90)) == {}


def test_giving_up_is_no_payment_and_a_credit_note_no_loss(store: Store) -> None:
    book = Book(customers=[Customer(id="C", name="C", currency="CNY")])
    for n in range(2):
        book.documents.append(
            Document(id=f"D{n}", customer_id="C", kind="invoice", issued_on=DAY0, due_on=DAY0, currency="CNY", amount=10_000)
        )  # fmt: skip
    late = DAY0 + dt.timedelta(days=45)
    book.payments.append(
        Payment(id="W", customer_id="C", received_on=late, currency="CNY", amount=10_000, kind="write_off")
    )
    book.documents.append(
        Document(id="N", customer_id="C", kind="credit_note", issued_on=late, currency="CNY", amount=10_000)
    )
    for name, to in (("W", "D0"), ("N", "D1")):
        book.applications.append(Application(id=name, from_id=name, to_id=to, amount=Decimal(100), applied_on=late))
    load(store, book)
    with store.reading() as tx:
        before, known = DAY0 - dt.timedelta(days=1), DAY0 + dt.timedelta(days=400)
        [one] = flows.cohorts(tx, before, DAY0, known, (30, 60, 90)).values()
        assert one.reached == [20_000, 20_000, 20_000, 10_000, 10_000]
        assert one.lost == 10_000
        [given_up] = flows.payments(tx, before, known)
        assert (given_up.given_up, given_up.amount, given_up.since) == (True, 10_000, late)
