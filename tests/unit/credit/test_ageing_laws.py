"""The invariants of domain section 4, on books that hypothesis invents."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.credit.ageing import age, bounds, bucket, labels, open_items
from connector.model import Application, Document, Instalment, Payment

START = dt.date(2026, 1, 1)
DAYS = st.integers(0, 400).map(lambda n: START + dt.timedelta(days=n))
AMOUNTS = st.integers(1, 10**7)
Book = tuple[list[Document], list[Instalment], list[Payment], list[Application]]


@st.composite
def documents(draw: st.DrawFn, number: int, days: st.SearchStrategy[dt.date] = DAYS) -> Document:
    issued_on = draw(days)
    return Document(
        id=f"D{number}",
        customer_id="C",
        kind=draw(st.sampled_from(["invoice", "invoice", "debit_note", "credit_note"])),
        issued_on=issued_on,
        due_on=draw(st.none() | st.integers(-5, 200).map(lambda n: issued_on + dt.timedelta(days=n))),
        currency="CNY",
        amount=draw(AMOUNTS),
        voided_on=draw(st.none() | days),
    )


@st.composite
def payments(draw: st.DrawFn, number: int, days: st.SearchStrategy[dt.date] = DAYS) -> Payment:
    kind = draw(st.sampled_from(["receipt", "receipt", "refund", "write_off"]))
    return Payment(
        id=f"P{number}", customer_id="C", received_on=draw(days), currency="CNY", amount=draw(AMOUNTS), kind=kind
    )


@st.composite
def applications(draw: st.DrawFn, papers: int, cash: int, days: st.SearchStrategy[dt.date] = DAYS) -> Application:
    ends = [f"D{n}" for n in range(papers)] + [f"P{n}" for n in range(cash)]
    frm, to = draw(st.sampled_from(ends)), draw(st.sampled_from(ends))
    applied_on = draw(days)
    amount = Decimal(draw(AMOUNTS)) / 100
    number = draw(st.none() | st.sampled_from(["1", "2", "9"]))
    reversed_on = draw(st.none() | st.integers(0, 60).map(lambda n: applied_on + dt.timedelta(days=n)))
    return Application(
        from_id=frm,
        to_id=to,
        amount=amount,
        applied_on=applied_on,
        reversed_on=reversed_on,
        instalment_number=number,
    )


@st.composite
def books(draw: st.DrawFn) -> Book:
    papers = [draw(documents(n)) for n in range(draw(st.integers(1, 5)))]
    cash = [draw(payments(n)) for n in range(draw(st.integers(0, 4)))]
    parts = []
    for paper in papers:
        if draw(st.booleans()):
            first = draw(st.integers(0, paper.amount))
            for number, minor in (("1", first), ("2", paper.amount - first)):
                due_on = paper.issued_on + dt.timedelta(days=draw(st.integers(0, 90)))
                parts.append(
                    Instalment(document_id=paper.id, number=number, due_on=due_on, amount=Decimal(minor) / 100)
                )
    set_off = [draw(applications(len(papers), len(cash))) for _ in range(draw(st.integers(0, 6)))]
    return papers, parts, cash, [a for a in set_off if a.from_id != a.to_id]


def ledger(book: Book, as_of: dt.date) -> Decimal:
    """The control account on a day, from nothing but amounts: applications only move value, they never make it."""
    sign = {"invoice": 1, "debit_note": 1, "credit_note": -1, "receipt": -1, "write_off": -1, "refund": 1}
    papers, _, cash, _ = book
    total = sum(
        sign[d.kind] * d.amount for d in papers if d.issued_on <= as_of and not (d.voided_on and d.voided_on <= as_of)
    )
    return Decimal(total + sum(sign[p.kind] * p.amount for p in cash if p.received_on <= as_of)) / 100


@given(books(), DAYS)
def test_buckets_and_unapplied_are_the_ledger_balance_however_credits_are_placed(book: Book, as_of: dt.date) -> None:
    items = open_items(*book, as_of)
    for placement in ("separate", "fifo", "own_bucket"):
        for basis in ("due", "issue", "statutory"):
            aged = age(items, as_of, None, basis, placement)  # type: ignore[arg-type]
            assert sum(aged.buckets.values()) + aged.unapplied == aged.total == ledger(book, as_of)
            assert aged.unapplied <= 0


@given(books(), DAYS)
def test_only_fifo_lessens_what_is_overdue(book: Book, as_of: dt.date) -> None:
    items = open_items(*book, as_of)
    separate = age(items, as_of)
    fifo = age(items, as_of, placement="fifo")
    assert separate.overdue == age(items, as_of, placement="own_bucket").overdue
    assert fifo.overdue == max(separate.overdue + separate.unapplied, Decimal(0))
    assert fifo.oldest_overdue_days <= separate.oldest_overdue_days
    assert all(amount >= 0 for amount in fifo.buckets.values())


@given(books(), DAYS, st.integers(1, 60), st.data())
def test_the_past_never_changes_when_later_facts_arrive(
    book: Book, as_of: dt.date, more: int, data: st.DataObject
) -> None:
    papers, parts, cash, set_off = book
    later = st.integers(1, more).map(lambda n: as_of + dt.timedelta(days=n))
    new_paper = data.draw(documents(len(papers), later))
    new_cash = data.draw(payments(len(cash), later))
    new_set_off = data.draw(applications(len(papers) + 1, len(cash) + 1, later))
    after = open_items([*papers, new_paper], parts, [*cash, new_cash], [*set_off, new_set_off], as_of)
    assert after == open_items(*book, as_of)


@given(
    st.lists(DAYS, min_size=1, max_size=30),
    DAYS,
    st.lists(st.integers(1, 500), min_size=1, max_size=6, unique=True).map(lambda edges: tuple(sorted(edges))),
)
def test_nothing_is_lost_beyond_the_last_boundary(dues: list[dt.date], as_of: dt.date, edges: tuple[int, ...]) -> None:
    names, limits = labels(edges), bounds(as_of, edges)
    assert len(set(names)) == len(names)
    for due_on in dues:
        late = (as_of - due_on).days
        expected = next((n for n, edge in enumerate((0, *edges)) if late <= edge), len(edges) + 1)
        assert names.index(bucket(due_on, as_of, edges)) == expected
        # what SQL does with the bounds: the first one at or before the date
        assert next((n for n, bound in enumerate(limits) if due_on >= bound), len(limits)) == expected


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 3000), st.integers(1, 6))
def test_statutory_years_by_the_letter_of_the_rule(as_of: dt.date, age_days: int, years: int) -> None:
    issued_on = as_of - dt.timedelta(days=age_days)
    try:
        anniversary = issued_on.replace(year=issued_on.year + years)
    except ValueError:
        anniversary = dt.date(issued_on.year + years, 2, 28)
    inside = bucket(issued_on, as_of, tuple(range(1, years + 1)), "statutory") != f"{years}y+"
    assert inside == (as_of <= anniversary)
