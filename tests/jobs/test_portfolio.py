"""The portfolio and the allowance of a whole ledger against plain loops over the same facts, on both databases."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from connector.clock import FixedClock
from connector.config import Business, Config, System
from connector.credit import kpi
from connector.credit.portfolio import month_ends
from connector.credit.terms import months_later
from connector.errors import ConfigError
from connector.example import company
from connector.model import Application, Customer, Document, Event, Limit, Payment, Rate
from connector.policy import LEVELS, default_policy, load
from connector.store import customers as all_customers
from connector.store import links
from connector.store.db import Store
from jobs.ecl import provision
from jobs.frame import frame
from jobs.judge import judge
from jobs.portfolio import portfolio
from tests.store.books import Book, save
from tests.store.books import load as load_book
from tests.store.conftest import emptied
from tests.store.conftest import shared_store as shared_store

AS_OF = dt.date(2026, 10, 31)
CLOCK = FixedClock(dt.datetime(2026, 10, 31, 2, tzinfo=dt.UTC))
CONFIG = Config(systems=(System(name="books", adapter="files", roles=("erp",), settings={"path": "book"}),))
POLICY = default_policy()
EDGES = (30, 60, 90)
D = Decimal


def random_book(seed: int, count: int = 9) -> Book:
    """Three years of invoices of some customers in one currency, paid in one or two parts, some never."""
    luck = Random(seed)
    book = Book()
    for c in range(count):
        segment = ("retail", "export", None)[c % 3]
        book.customers.append(Customer(id=f"C{c}", name=f"C{c}", currency="CNY", segment=segment))
        for n in range(30):
            issued = AS_OF - dt.timedelta(days=luck.randrange(1, 1000))
            due, amount, name = issued + dt.timedelta(days=30), luck.randrange(10_000, 900_000), f"{c}-{n}"
            book.documents.append(
                Document(
                    id=name, customer_id=f"C{c}", kind="invoice", issued_on=issued, due_on=due, currency="CNY",
                    amount=amount, disputed_amount=amount // 2 if luck.random() < 0.1 else None,
                )
            )  # fmt: skip
            rest = amount
            for part in range(luck.choice((0, 1, 1, 1, 2))):
                paid_on = due + dt.timedelta(days=luck.randrange(-30, 130))
                now = rest if part else luck.choice((rest, rest // 3))
                if paid_on > AS_OF or paid_on < issued:
                    continue
                rest -= now
                book.payments.append(
                    Payment(id=f"P{name}-{part}", customer_id=f"C{c}", received_on=paid_on, currency="CNY", amount=now)
                )
                book.applications.append(
                    Application(
                        id=f"A{name}-{part}", from_id=f"P{name}-{part}", to_id=name, amount=D(now) / 100,
                        applied_on=paid_on,
                    )
                )  # fmt: skip
    return book


def stored(store: Store, book: Book) -> None:
    emptied(store)
    load_book(store, book, page=500)
    with store.writing() as tx:
        links.ensure_debtors(tx, [row.key for row in all_customers.customers(tx)])


# --- plain loops ------------------------------------------------------------------------------------------------------
def left_of(book: Book, document: Document, day: dt.date) -> int:
    paid = sum(
        (a.amount for a in book.applications if a.to_id == document.id and a.applied_on <= day),
        D(0),
    )
    return document.amount - int(paid * 100)


def open_debts(book: Book, day: dt.date) -> Iterator[tuple[Document, int, int]]:
    """Document, what is open of it in fen, days past due."""
    for document in book.documents:
        left = left_of(book, document, day) if document.issued_on <= day else 0
        if left:
            assert document.due_on is not None
            yield document, left, (day - document.due_on).days


def aged(book: Book, day: dt.date, segment: str | None = None, every: bool = True) -> list[D]:
    of = {c.id: c.segment for c in book.customers}
    sums = [0] * 5
    for document, left, days in open_debts(book, day):
        if every or of[document.customer_id] == segment:
            sums[0 if days <= 0 else 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4] += left
    return [D(s) / 100 for s in sums]


def just_come(book: Book, day: dt.date, segment: str | None) -> D:
    """What of the last bucket had come into it within the month."""
    of = {c.id: c.segment for c in book.customers}
    found = [
        left
        for document, left, days in open_debts(book, day)
        if of[document.customer_id] == segment and 90 < days <= 120
    ]
    return D(sum(found)) / 100


def index_of(book: Book, day: dt.date) -> D | None:
    due = {d.id: d.due_on for d in book.documents}
    start = months_later(day, -24)
    seen = [
        kpi.Paid(a.amount, (a.applied_on - due[a.to_id]).days)  # type: ignore[operator]
        for a in book.applications
        if start < a.applied_on <= day
    ]
    for document, left, days in open_debts(book, day):
        free = left - min(document.disputed_amount or 0, left)
        if days > 0 and free:
            seen.append(kpi.Paid(D(free) / 100, days))
    return kpi.payment_index(seen)


# --- the portfolio ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_every_month_end_is_what_plain_loops_say(shared_store: Store, seed: int) -> None:
    book = random_book(seed)
    stored(shared_store, book)
    with shared_store.reading() as tx:
        found = portfolio(tx, CONFIG, POLICY, CLOCK, AS_OF, months=24, window=3)
    assert [end.day for end in found.ends] == month_ends(AS_OF, 23)
    assert found.ties
    due = {d.id: d.due_on for d in book.documents}
    before = found.ends[0].day.replace(day=1) - dt.timedelta(days=1)
    for end, figures, checks in zip(found.ends, found.figures, found.checks, strict=True):
        assert list(end.buckets) == aged(book, end.day)
        by_customer: dict[str, int] = defaultdict(int)
        for document, left, _ in open_debts(book, end.day):
            by_customer[document.customer_id] += left
        assert sorted(end.owed) == sorted(D(v) / 100 for v in by_customer.values())
        assert [c.ledger.balance for c in checks] == [sum(by_customer.values())]
        wanted = index_of(book, end.day)
        assert wanted is not None
        assert figures.payment_index is not None
        assert abs(figures.payment_index - wanted) < D("1e-20")
        paid = [
            kpi.Paid(a.amount, (a.applied_on - due[a.to_id]).days)  # type: ignore[operator]
            for a in book.applications
            if before < a.applied_on <= end.day
        ]
        late = kpi.weighted_days_late(paid)
        assert late is not None
        assert (figures.late_signed, figures.late_floored) == (late.signed, late.floored)
        first = months_later(end.day + dt.timedelta(days=1), -3)
        sales = sum(d.amount for d in book.documents if first <= d.issued_on <= end.day)
        assert figures.sales == D(sales) / 100
        before = end.day
    assert found.ends[-1].overdue > 0


def test_levels_of_month_ends_are_those_that_the_days_gave(shared_store: Store) -> None:
    """Without orders, states and other signs, a day judged by itself says the same."""
    book = random_book(7)
    stored(shared_store, book)
    with shared_store.writing() as tx:
        limits = [
            Limit(id=f"L{n}", customer_id=f"C{n}", kind="base", amount=2_000_000 * (n + 1), currency="CNY",
                  valid_from=AS_OF - dt.timedelta(days=200 * n))
            for n in range(5)
        ]  # fmt: skip
        save(tx, "limits", limits, ledger_currency="CNY")
    policy = load(
        "[warning.overdue_ratio_percent]\nyellow = 60\norange = 80\nred = 95\n"
        "[warning.oldest_overdue_days]\nyellow = 350\norange = 500\nred = 800"
    )
    ledger_only = {"overdue_ratio", "oldest_overdue", "utilisation"}
    with shared_store.reading() as tx:
        found = portfolio(tx, CONFIG, policy, CLOCK, AS_OF, months=24)
        seen = set()
        for end in found.ends:
            counted = dict.fromkeys(LEVELS, 0)
            for judged in judge(tx, frame(tx, CONFIG, policy, CLOCK, end.day), orders=False):
                signs = [i.level for i in judged.decision.indicators if i.name in ledger_only]
                if judged.position.open_total:
                    counted[max(signs, key=LEVELS.index)] += 1
            assert end.levels == counted, end.day
            seen.update(level for level, count in counted.items() if count)
    assert seen == set(LEVELS), "not every level was compared"


def test_other_currencies_count_at_the_rate_of_the_day_and_what_has_none_is_said(shared_store: Store) -> None:
    book = Book(customers=[Customer(id=c, name=c, currency=c) for c in ("USD", "EUR")])
    for currency in ("USD", "EUR"):
        book.documents.append(
            Document(id=currency, customer_id=currency, kind="invoice", issued_on=AS_OF - dt.timedelta(days=60),
                     due_on=AS_OF - dt.timedelta(days=40), currency=currency, amount=10_000)
        )  # fmt: skip
    stored(shared_store, book)
    with shared_store.writing() as tx:
        save(
            tx, "rates", [Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=D("7.1"))], ledger_currency="CNY"
        )
    with shared_store.reading() as tx:
        found = portfolio(tx, CONFIG, POLICY, CLOCK, AS_OF, months=3)
        assert found.left_out == {"EUR"}
        assert [end.receivables for end in found.ends] == [0, 710, 710]
        assert found.ties, "each currency ties by itself"
        allowed = provision(tx, CONFIG, POLICY, CLOCK, AS_OF)
    assert allowed.left_out == {"EUR"}
    assert (allowed.ledger, allowed.difference) == (710, 0)


# --- the allowance ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_the_matrix_ties_to_the_ledger_and_its_rates_to_the_months(shared_store: Store, seed: int) -> None:
    book = random_book(seed)
    stored(shared_store, book)
    policy = load(
        "[ecl]\nobservations_min = 3\nobservation_months = 18\nforward_factor_percent = 120\n"
        'individual = [{ system = "books", customer = "C1", loss_percent = 60, why = "in court" }]'
    )
    with shared_store.reading() as tx:
        found = provision(tx, CONFIG, policy, CLOCK, AS_OF)
    assert found.difference == 0
    assert found.before_on == dt.date(2026, 9, 30)
    alone = sum((D(left) / 100 for d, left, _ in open_debts(book, AS_OF) if d.customer_id == "C1"), D(0))
    [one] = found.assessed
    assert (one.balance, one.allowance) == (alone, alone * D("0.6"))
    months = month_ends(AS_OF, 18)
    assert set(found.cells) == {"", "export", "retail"}
    for name, cells in found.cells.items():
        rows = [aged(book, day, name or None, every=False) for day in months]
        into_last = [just_come(book, day, name or None) for day in months]
        rate = D(1)
        for place in range(4, -1, -1):
            if place < 4:
                into = into_last if place == 3 else [row[place + 1] for row in rows]
                seen = [into[n + 1] / row[place] for n, row in enumerate(rows[:-1]) if row[place]]
                assert cells[place].rate.observations == len(seen) >= 3
                assert cells[place].rate.scope == "segment"
                rate = min(rate * sum(seen) / len(seen), D(1))
            assert abs(cells[place].rate.rate - rate) < D("1e-20")
            balance = rows[-1][place]
            if name == "export":
                mine = [(left, days) for d, left, days in open_debts(book, AS_OF) if d.customer_id == "C1"]
                inside = [left for left, days in mine if (0 if days <= 0 else min((days + 29) // 30, 4)) == place]
                balance -= D(sum(inside)) / 100
            assert cells[place].balance == balance
            assert cells[place].allowance <= balance
            assert abs(cells[place].allowance - min(balance * rate * D("1.2"), balance)) < D("1e-12")


def test_too_little_past_is_the_whole_book_s_then_the_policy_s(shared_store: Store) -> None:
    book = random_book(1)
    few = replace(book.customers[0], id="NEW", segment="new")
    book.customers.append(few)
    book.documents.append(
        Document(id="NEW", customer_id="NEW", kind="invoice", issued_on=AS_OF, due_on=AS_OF, currency="CNY", amount=100_000)
    )  # fmt: skip
    stored(shared_store, book)
    with shared_store.reading() as tx:
        found = provision(tx, CONFIG, load("[ecl]\nobservations_min = 6"), CLOCK, AS_OF)
        assert {cell.rate.scope for cell in found.cells["new"][:-1]} == {"book"}
        assert {cell.rate.scope for cell in found.cells["retail"][:-1]} == {"segment"}
        fixed = provision(tx, CONFIG, load("[ecl]\nobservations_min = 100"), CLOCK, AS_OF)
        assert [cell.rate.rate * 100 for cell in fixed.cells["new"]] == [D("0.5"), 2, 5, 20, 100]
        assert [cell.rate.method for cell in fixed.cells["new"]] == ["fixed"] * 4 + ["migration"]
        one = provision(tx, CONFIG, load("[ecl]\nby_segment = false\nmethod = 'cohort'"), CLOCK, AS_OF)
    [cells] = one.cells.values()
    until = AS_OF - dt.timedelta(days=365)
    after = months_later(until, -24)
    due = [d for d in book.documents if d.due_on is not None and after < d.due_on <= until]
    invoiced, lost = sum(d.amount for d in due), sum(left_of(book, d, AS_OF) for d in due)
    assert 0 < lost < invoiced
    assert abs(cells[0].rate.rate - D(lost) / invoiced) < D("1e-20")
    unpaid = sum(left_of(book, d, d.due_on + dt.timedelta(days=30)) for d in due if d.due_on)
    assert abs(cells[2].rate.rate - D(lost) / unpaid) < D("1e-20")
    assert cells[0].rate.method == "cohort"


def test_a_bankrupt_in_the_matrix_is_named(shared_store: Store) -> None:
    book = random_book(2)
    stored(shared_store, book)
    events = [
        Event(id="E1", customer_id="C2", on=AS_OF - dt.timedelta(days=5), kind="bankruptcy", source="court"),
        Event(id="E2", customer_id="C3", on=AS_OF + dt.timedelta(days=5), kind="bankruptcy", source="court"),
        Event(id="E3", customer_id="C4", on=AS_OF - dt.timedelta(days=90), kind="bankruptcy", source="court",
              ended_on=AS_OF - dt.timedelta(days=1)),
        Event(id="E4", customer_id="C5", on=AS_OF, kind="lawsuit", source="court"),
    ]  # fmt: skip
    with shared_store.writing() as tx:
        save(tx, "events", events, ledger_currency="CNY")
    alone = load('[ecl]\nindividual = [{ system = "books", customer = "C2", loss_percent = 100, why = "bankrupt" }]')
    with shared_store.reading() as tx:
        assert [row.ref for row in provision(tx, CONFIG, POLICY, CLOCK, AS_OF).insolvent] == ["C2"]
        assert provision(tx, CONFIG, alone, CLOCK, AS_OF).insolvent == []


def test_a_rate_for_each_bucket_is_needed(shared_store: Store) -> None:
    emptied(shared_store)
    with shared_store.reading() as tx:
        with pytest.raises(ConfigError, match="5 rates, but there are 4 ageing buckets"):
            provision(tx, CONFIG, load("[ageing]\nedges_days = [30, 60]"), CLOCK, AS_OF)
        policy = load("[segment.export.ecl]\nrates_percent = [1, 2]")
        with pytest.raises(ConfigError, match=r"\[segment.export.ecl\] rates_percent has 2"):
            provision(tx, CONFIG, policy, CLOCK, AS_OF)
        empty = provision(tx, CONFIG, POLICY, CLOCK, AS_OF)
    assert (empty.allowance, empty.ledger, empty.difference) == (0, 0, 0)


def test_a_company_with_instalments_credits_and_currencies_ties(shared_store: Store) -> None:
    made = company(16, seed=4, documents_per_customer=25)
    book = Book(
        customers=made.customers,
        documents=made.documents,
        instalments=made.instalments,
        payments=made.payments,
        applications=made.applications,
    )
    stored(shared_store, book)
    config = CONFIG.model_copy(update={"business": Business(currency="CNY")})
    with shared_store.writing() as tx:
        rates = [
            Rate(on=made.as_of, from_currency=c, to_currency="CNY", rate=r)
            for c, r in (("EUR", D("7.8")), ("JPY", D("0.047")), ("USD", D("7.1")))
        ]
        save(tx, "rates", rates, ledger_currency="CNY")
    with shared_store.reading() as tx:
        found = portfolio(tx, config, POLICY, CLOCK, made.as_of, months=12)
        allowed = provision(tx, config, POLICY, CLOCK, made.as_of)
    assert found.ties
    assert not found.left_out
    assert len({check.currency for check in found.checks[-1]}) > 1
    assert allowed.difference == 0
    assert abs(allowed.ledger - found.ends[-1].balance) < D("1e-12")
    assert 0 < allowed.allowance < found.ends[-1].receivables
