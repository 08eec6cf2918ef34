"""What moved: every cent of a difference is told, document by document."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.credit.limit import Effective
from connector.credit.moved import Movement, Seen, figures, restate, walk
from connector.credit.moved_figures import Ledger, OnOrder
from connector.model import Application, Document, Instalment, Payment
from connector.policy import Policy, default_policy
from tests.store.books import DAY0, Book, books

POLICY = default_policy()
RATES = {"CNY": Decimal(1), "USD": Decimal("7.123456"), "JPY": Decimal("0.048731")}


def at(rates: dict[str, Decimal]) -> object:
    return lambda amount, currency: amount * rates[currency] if currency in rates else None


def seen(day: dt.date, *ledgers: Ledger, rates: dict[str, Decimal] = RATES, **more: object) -> Seen:
    return Seen(day, "CNY", at(rates), ledgers, **more)  # type: ignore[arg-type]


def ledger(**facts: list[object]) -> Ledger:
    return Ledger("books", ["C1"], **facts)  # type: ignore[arg-type]


def invoice(ref: str, amount: int, issued_on: dt.date, due_on: dt.date, **more: object) -> Document:
    return Document(
        id=ref, customer_id="C1", kind="invoice", number=f"INV-{ref}", issued_on=issued_on, due_on=due_on,
        currency="CNY", amount=amount, **more,
    )  # fmt: skip


# E7 of the domain: an invoice of 10,000 due 07-01; 7,000 received and applied 07-20; 3,000 received 08-10, applied 09-02.
E7 = {
    "documents": [invoice("D1", 1_000_000, dt.date(2026, 6, 1), dt.date(2026, 7, 1))],
    "payments": [
        Payment(id="P1", customer_id="C1", received_on=dt.date(2026, 7, 20), currency="CNY", amount=700_000),
        Payment(id="P2", customer_id="C1", received_on=dt.date(2026, 8, 10), currency="CNY", amount=300_000),
    ],
    "applications": [
        Application(id="A1", from_id="P1", to_id="D1", amount=Decimal(7000), applied_on=dt.date(2026, 7, 20)),
        Application(id="A2", from_id="P2", to_id="D1", amount=Decimal(3000), applied_on=dt.date(2026, 9, 2)),
    ],
}


def told(movements: list[Movement]) -> list[tuple[str, str, str, dict[str, str]]]:
    """Day, reference and English words, and the figures without those that only repeat them."""
    return [
        (
            str(m.day or ""),
            m.number or m.ref,
            m.what.en,
            {
                n: f"{a:f}"
                for n, a in m.figures.items()
                if n in ("open_receivables", "unapplied_cash", "overdue", "limit")
            },
        )
        for m in movements
    ]


def test_a_month_is_told_payment_by_payment() -> None:
    book = ledger(**E7)
    assert told(walk(seen(dt.date(2026, 7, 19), book), seen(dt.date(2026, 8, 31), book), POLICY)) == [
        (
            "2026-07-20",
            "INV-D1",
            "CNY 7,000.00 set against P1",
            {"open_receivables": "-7000.00", "overdue": "-7000.00"},
        ),
        ("2026-08-10", "P2", "received, CNY 3,000.00", {"unapplied_cash": "-3000.00"}),
        ("", "INV-D1", "61 days overdue on 2026-08-31", {}),  # it moved buckets only
    ]


def test_what_the_calendar_did_is_told_apart() -> None:
    book = ledger(documents=[invoice("D1", 5_000, dt.date(2026, 6, 1), dt.date(2026, 7, 1))])
    [moved] = walk(seen(dt.date(2026, 6, 30), book), seen(dt.date(2026, 7, 11), book), POLICY)
    assert moved.day is None
    assert moved.what.en == "10 days overdue on 2026-07-11"
    assert moved.what.zh == "2026-07-11 已逾期 10 天"
    assert moved.figures == {
        "overdue": Decimal("50.00"),
        "bucket current": Decimal("-50.00"),
        "bucket 1-30": Decimal("50.00"),
    }


def test_an_exchange_rate_is_a_movement_of_its_own() -> None:
    """USD 1,000 at 7.10, then USD 1,500 at 7.20: 500 more at the new rate, and 0.10 on the old thousand."""
    first = Document(
        id="D1", customer_id="C1", kind="invoice", issued_on=dt.date(2026, 6, 1), due_on=dt.date(2026, 12, 1),
        currency="USD", amount=100_000,
    )  # fmt: skip
    second = Document(
        id="D2", customer_id="C1", kind="invoice", issued_on=dt.date(2026, 6, 20), due_on=dt.date(2026, 12, 1),
        currency="USD", amount=50_000,
    )  # fmt: skip
    book = ledger(documents=[first, second])
    before = seen(dt.date(2026, 6, 10), book, rates={"USD": Decimal("7.10")})
    after = seen(dt.date(2026, 6, 30), book, rates={"USD": Decimal("7.20")})
    moved = {(m.kind, m.ref): (m.what.en, m.figures["exposure"]) for m in walk(before, after, POLICY)}
    assert moved == {
        ("document", "D2"): ("posted, USD 500.00", Decimal("3600.00")),
        ("rate", "USD"): ("exchange rate USD/CNY: 7.1 → 7.2", Decimal("100.00")),
    }


def test_a_limit_and_an_order_move_the_room() -> None:
    day, order = dt.date(2026, 7, 1), OnOrder("books", "SO1", None, "CNY", Decimal(0), Decimal(800))
    delivered = OnOrder("books", "SO1", None, "CNY", Decimal(500), Decimal(300))
    before = seen(day, orders=[order], limit=Decimal("10000.00"))
    after = seen(day + dt.timedelta(days=9), orders=[delivered], limit=Decimal("12000.00"))
    raised = [(day + dt.timedelta(days=3), Effective("amount", Decimal("12000.00"), "CNY"))]
    found = walk(before, after, POLICY, raised)
    assert [(m.kind, m.day, dict(m.figures)) for m in found] == [
        ("limit", dt.date(2026, 7, 4), {"limit": Decimal("2000.00"), "available": Decimal("2000.00")}),
        (
            "order",
            None,
            {"delivered_not_invoiced": Decimal("500.00"), "ordered_not_delivered": Decimal("-500.00")},
        ),
    ]


def test_back_postings_are_named() -> None:
    """Of 07-31: a payment of 07-20 that came later, a corrected amount, and an invoice that was removed."""
    then = ledger(documents=[*E7["documents"], invoice("D2", 900, dt.date(2026, 7, 2), dt.date(2026, 8, 2))])
    corrected = invoice("D1", 990_000, dt.date(2026, 6, 1), dt.date(2026, 7, 1))
    now = ledger(**{**E7, "documents": [corrected]})
    day = dt.date(2026, 7, 31)
    assert told(restate(seen(day, then), seen(day, now), POLICY)) == [
        (
            "",
            "INV-D1",
            "amount: CNY 10,000.00 → CNY 9,900.00; CNY 7,000.00 set against P1, dated 2026-07-20, came later",
            {"open_receivables": "-7100.00", "overdue": "-7100.00"},
        ),
        ("", "INV-D2", "was removed", {"open_receivables": "-9.00"}),
    ]


def in_full(book: Book) -> list[Ledger]:
    """What the store would hand over: the customer's facts, and others' as the other ends."""
    return [
        Ledger("books", {"C1"}, book.documents, book.instalments, book.payments, book.applications),
        Ledger("more", {"C2"}, book.documents, book.instalments, book.payments, book.applications),
    ]


def accounted(before: Seen, after: Seen, movements: list[Movement], policy: Policy) -> None:
    was, now = figures(before, policy), figures(after, policy)
    assert len(was) >= 10
    for name in now:
        told = sum((m.figures.get(name, Decimal(0)) for m in movements), Decimal(0))
        assert now[name] - was[name] == told, name
    for movement in movements:
        assert movement.what.en, movement
        assert movement.what.zh, movement
    rounding = [m for m in movements if m.kind == "rounding"]
    assert all(abs(a) < 1 for m in rounding for a in m.figures.values()), rounding


PLACEMENTS = st.sampled_from(["separate", "own_bucket", "fifo"])
DAYS = st.integers(-5, 220).map(lambda n: DAY0 + dt.timedelta(days=n))


def placed(placement: str) -> Policy:
    return POLICY.model_copy(update={"ageing": POLICY.ageing.model_copy(update={"placement": placement})})


@given(book=books(), days=st.tuples(DAYS, DAYS), placement=PLACEMENTS)
@settings(max_examples=150, deadline=None)
def test_every_cent_between_two_days_is_told(book: Book, days: tuple[dt.date, dt.date], placement: str) -> None:
    policy = placed(placement)
    other = {"CNY": Decimal(1), "USD": Decimal("7.2"), "JPY": Decimal("0.05")}
    before, after = seen(min(days), *in_full(book)), seen(max(days), *in_full(book), rates=other)
    accounted(before, after, walk(before, after, policy), policy)


@given(one=books(), other=books(), day=DAYS, placement=PLACEMENTS)
@settings(max_examples=150, deadline=None)
def test_every_cent_between_two_states_of_knowledge_is_told(
    one: Book, other: Book, day: dt.date, placement: str
) -> None:
    """Two books that have nothing to do with one another: all that could be posted back, changed or removed."""
    policy = placed(placement)
    then, now = seen(day, *in_full(one)), seen(day, *in_full(other))
    accounted(then, now, restate(then, now, policy), policy)


def test_instalments_fall_due_one_by_one() -> None:
    book = ledger(
        documents=[invoice("D1", 30_000, dt.date(2026, 6, 1), dt.date(2026, 9, 1))],
        instalments=[
            Instalment(document_id="D1", number="1", due_on=dt.date(2026, 7, 1), amount=Decimal(100)),
            Instalment(document_id="D1", number="2", due_on=dt.date(2026, 8, 1), amount=Decimal(200)),
        ],
    )
    [moved] = walk(seen(dt.date(2026, 7, 1), book), seen(dt.date(2026, 7, 20), book), POLICY)
    assert moved.figures["overdue"] == Decimal("100.00")
