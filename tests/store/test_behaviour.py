"""How customers have paid, summed in SQL, against the payments one by one; scores kept and read again."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.credit import kpi
from connector.credit.habits import OLDER, RECENT, Habits, habits, starts
from connector.credit.score import score
from connector.credit.score_inputs import Known
from connector.model import Application, Customer, Document, Event, Payment
from connector.money import to_minor
from connector.policy import default_policy
from connector.store import behaviour, events, history, links, scores
from connector.store.behaviour import Paid
from connector.store.db import Store
from tests.store import books
from tests.store.books import Book, load, save
from tests.store.conftest import emptied

DAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)
D = Decimal
COUNTED = ("invoice", "debit_note", "credit_note")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(book=books.books(), seed=st.integers(0, 3), offset=st.integers(0, 220))
def test_sums_by_days_late_are_the_payments_one_by_one(shared_store: Store, book: Book, seed: int, offset: int) -> None:
    emptied(shared_store)
    load(shared_store, book, seed=seed)
    as_of = books.DAY0 + dt.timedelta(days=offset)
    bounds = [as_of - dt.timedelta(days=n) for n in (20, 50, 700)]
    expected: Counter[tuple[int, str, int, int]] = Counter()
    times: Counter[tuple[int, str, int, int]] = Counter()
    with shared_store.reading() as tx:
        for one in history.payment_experience(tx, None, as_of):
            if one.days_late is not None:
                window = next(n for n, start in enumerate(bounds) if one.applied_on > start)
                key = (one.customer, one.currency, window, one.days_late)
                expected[key] += to_minor(one.amount, one.currency)
                times[key] += 1
        found = behaviour.payments(tx, None, as_of, bounds)
        some = behaviour.payments(tx, [1], as_of, bounds, ["books"])
        nobody = behaviour.payments(tx, None, as_of, bounds, ["elsewhere"])
    came = [row for row in flat(found) if row[2] is not None]
    assert {(key, currency, w, days): (value, n) for key, currency, w, days, value, n in came} == {
        key: (value, times[key]) for key, value in expected.items()
    }
    assert sorted(flat(some)) == sorted(row for row in flat(found) if row[0] == 1)
    assert nobody == {}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(book=books.books(), seed=st.integers(0, 3), offset=st.integers(0, 220))
def test_debts_past_due_are_those_of_the_plain_rules(shared_store: Store, book: Book, seed: int, offset: int) -> None:
    emptied(shared_store)
    load(shared_store, book, seed=seed)
    as_of = books.DAY0 + dt.timedelta(days=offset)
    expected: Counter[tuple[str, str, int]] = Counter()
    times: Counter[tuple[str, str, int]] = Counter()
    for ref, items in books.reference(book, as_of).items():
        for one in items:
            due_on = one.due_on
            if one.kind in COUNTED and one.amount > one.disputed and due_on is not None and due_on < as_of:
                key = (ref, one.currency, (as_of - due_on).days)
                expected[key] += to_minor(one.amount - one.disputed, one.currency)
                times[key] += 1
    with shared_store.reading() as tx:
        refs = {row.key: row.ref for row in books_customers(tx)}
        found = behaviour.overdue(tx, None, as_of)
    assert {(refs[key], currency, days): (value, n) for key, currency, _, days, value, n in flat(found)} == {
        key: (value, times[key]) for key, value in expected.items()
    }
    assert all(row[2] is None for row in flat(found))


def flat(paid: Paid) -> list[tuple[Any, ...]]:
    return [
        (key, currency, *share)
        for key, by_currency in paid.items()
        for currency, shares in by_currency.items()
        for share in shares
    ]


def books_customers(tx):  # type: ignore[no-untyped-def]
    from connector.store import customers

    return customers.customers(tx)


def paid_book() -> Book:
    """E10 of the domain document without its discount, and one debt that is a month overdue."""
    book = Book(customers=[Customer(id="C1", name="Anlage GmbH", currency="CNY")])
    for number, (amount, late) in enumerate([(50_000, -3), (20_000, 15), (20_000, 45), (10_000, 0), (30_000, None)]):
        due_on = DAY - dt.timedelta(days=30 if late is None else 60)
        book.documents.append(
            Document(
                id=f"D{number}",
                customer_id="C1",
                kind="invoice",
                issued_on=due_on - dt.timedelta(days=30),
                due_on=due_on,
                currency="CNY",
                amount=amount * 100,
            )
        )
        if late is not None:
            day = due_on + dt.timedelta(days=late)
            book.payments.append(
                Payment(id=f"P{number}", customer_id="C1", received_on=day, currency="CNY", amount=amount * 100)
            )
            book.applications.append(
                Application(id=f"A{number}", from_id=f"P{number}", to_id=f"D{number}", amount=D(amount), applied_on=day)
            )
    return book


def test_habits_of_a_ledger_are_those_of_its_payments(store: Store) -> None:
    load(store, paid_book())
    with store.reading() as tx:
        rows = [*flat(behaviour.payments(tx, None, DAY, starts(DAY))), *flat(behaviour.overdue(tx, None, DAY))]
        since = behaviour.first_sold_on(tx)
    found = habits(row[2:] for row in rows)
    one_by_one = [
        kpi.Paid(D(amount), late)
        for amount, late in [(50_000, -3), (20_000, 15), (20_000, 45), (10_000, 0), (30_000, 30)]
    ]
    expected = kpi.payment_index(one_by_one)
    assert found.payment_index is not None
    assert expected is not None
    assert abs(found.payment_index - expected) < D("1e-20")
    assert found.experiences == 5
    # (20,000 × 15 + 20,000 × 45) ÷ 100,000, early ones as 0; all of it within 90 days, nothing to compare it with.
    assert (found.late_recent, found.late_year, found.slowdown) == (D(12), D(12), None)
    assert since == {rows[0][0]: dt.date(2026, 8, 1)}


def test_what_was_written_off_was_never_paid(store: Store) -> None:
    book = paid_book()
    gone = DAY - dt.timedelta(days=10)
    book.payments.append(
        Payment(id="W", customer_id="C1", received_on=gone, currency="CNY", amount=30_000_00, kind="write_off")
    )
    book.applications.append(Application(id="AW", from_id="W", to_id="D4", amount=D(30_000), applied_on=gone))
    load(store, book)
    with store.reading() as tx:
        assert behaviour.overdue(tx, None, DAY) == {}
        rows = flat(behaviour.payments(tx, None, DAY, starts(DAY)))
        # Thirty days past due on the day, as if it were still open; before that, nothing is known of it.
        assert [row[2:] for row in rows if row[2] is None] == [(None, 30, 30_000_00, 1)]
        before = flat(behaviour.payments(tx, None, gone - dt.timedelta(days=1), starts(DAY)))
        assert [row for row in before if row[2] is None] == []
    assert habits(row[2:] for row in rows).late_recent == D(12)


def test_slowdown_compares_the_last_90_days_with_the_12_months_before() -> None:
    found = habits([(0, 20, 100, 1), (1, -4, 50, 1), (2, 2, 50, 1), (3, 90, 999, 1)])
    assert found.slowdown == D(21)  # 20 − (−4 × 50 + 2 × 50) ÷ 100
    assert found.late_year == D(20) * 100 / 150
    assert habits([(0, 20, 100, 3), (3, 90, 999, 1)]).slowdown is None


def test_two_experiences_are_too_few() -> None:
    assert habits([(0, 0, 100, 2)]).payment_index is None
    assert habits([(0, 0, 100, 2), (None, 30, 100, 1)]).payment_index == D(65)
    assert habits([]) == Habits()


def test_windows_begin_on_the_days_that_people_expect() -> None:
    assert starts(DAY) == (
        dt.date(2026, 8, 25),
        dt.date(2025, 11, 23),
        dt.date(2025, 8, 25),
        dt.date(2024, 11, 23),
    )
    assert RECENT == 0
    assert OLDER == 3


def test_events_are_those_of_the_legal_person(store: Store) -> None:
    with store.writing() as tx:
        save(tx, "customers", [Customer(id="C1", name="A"), Customer(id="C2", name="B")])
        save(tx, "customers", [Customer(id="X9", name="A")], system="bureau")
        said = [
            Event(id="e1", customer_id="X9", on=DAY, kind="court_executed", source="qichacha"),
            Event(id="e2", customer_id="X9", on=DAY + dt.timedelta(days=1), kind="bankruptcy", source="qichacha"),
            Event(id="e3", customer_id="X9", on=DAY, kind="site_visit", source="us"),
        ]
        save(tx, "events", said, system="bureau")
        keys = {(row.system, row.ref): row.key for row in books_customers(tx)}
        links.ensure_debtors(tx, [keys["books", "C1"], keys["books", "C2"]])
        links.join(tx, keys["bureau", "X9"], keys["books", "C1"])
        ours, theirs = links.debtor_of(tx, keys["books", "C1"]), links.debtor_of(tx, keys["books", "C2"])
    assert ours is not None
    assert theirs is not None
    with store.reading() as tx:
        found = events.by_debtor(tx, None, DAY, {"court_executed", "bankruptcy"})
        assert {debtor: [e.id for e in some] for debtor, some in found.items()} == {ours: ["e1"]}
        assert found[ours][0].customer_id == "X9"
        assert events.by_debtor(tx, [theirs], DAY, {"court_executed"}) == {}


def test_a_score_is_kept_when_it_concludes_something_else(store: Store) -> None:
    rules = default_policy().score

    def scored(index: int, day: dt.date):  # type: ignore[no-untyped-def]
        return score({"payment_index": Known(D(index)), "years_as_customer": Known(D(2))}, rules, day)

    first, later = DAY - dt.timedelta(days=30), DAY
    with store.writing() as tx:
        assert scores.keep(tx, [(1, scored(80, first)), (2, scored(20, first))], NOW) == 2
        assert scores.keep(tx, [(1, scored(81, later)), (2, scored(79, later))], NOW) == 1
        scores.keep_card(tx, "v1", "the card", NOW)
        scores.keep_card(tx, "v1", "the same again", NOW)
    with store.reading() as tx:
        assert scores.card(tx, "v1") == "the card"
        assert scores.card(tx, "v2") is None
        now, then = scores.latest(tx), scores.latest(tx, [2], first)
        assert (now[1].as_of, now[2].as_of) == (first, later)
        assert list(then) == [2]
        assert then[2].points == scored(20, first).points
        assert scores.latest(tx, None, first - dt.timedelta(days=1)) == {}
        assert [row.as_of for row in scores.history(tx, 2)] == [later, first]
        parts = {part["input"]: part for part in now[2].body["parts"]}
        assert (parts["payment_index"]["value"], parts["payment_index"]["points"]) == ("79.0000", "100")
        assert parts["altman_zone"]["rule"] == "reweight"


@pytest.mark.parametrize("grade", ["A", None])
def test_a_customer_without_score_is_kept_as_such(store: Store, grade: str | None) -> None:
    rules = default_policy().score
    known = {"payment_index": Known(D(90)), "years_as_customer": Known(D(9))} if grade else {}
    with store.writing() as tx:
        scores.keep(tx, [(7, score(known, rules, DAY))], NOW)
        row = scores.latest(tx)[7]
    assert row.grade == grade
    assert (row.points is None) == (grade is None)


@given(st.integers(-60, 400))
def test_points_of_a_day_are_the_rules_own(days: int) -> None:
    found = habits([(0, days, 1, 3)]).payment_index
    assert found is not None
    assert abs(found - kpi.payment_points(kpi.Paid(D(1), days))) < D("1e-20")
