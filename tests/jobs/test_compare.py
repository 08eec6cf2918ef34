"""Two days of a customer: what moved, what was posted back since, and that both tell every cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clock import FixedClock
from connector.credit.moved import Movement
from connector.store import customers
from connector.store.db import Store
from jobs.compare import Comparison, compare
from jobs.evaluate import evaluate
from jobs.frame import frame
from jobs.judge import judge
from jobs.link import link
from jobs.recall import replay
from tests.jobs.test_recall import NOON, Firm
from tests.jobs.test_recall import firm as firm
from tests.store.books import Book, books, load, save
from tests.store.conftest import emptied
from tests.store.conftest import shared_store as shared_store

FIRST, SECOND, LAST = NOON.date(), NOON.date() + dt.timedelta(days=1), NOON.date() + dt.timedelta(days=9)


def debtor(firm: Firm, ref: str) -> int:
    with firm.store.reading() as tx:
        [found] = [row.debtor for row in customers.customers(tx, systems=["books"]) if row.ref == ref]
    assert found is not None
    return found


def compared(firm: Firm, ref: str, start: dt.date, end: dt.date, on: dt.date = LAST) -> Comparison:
    clock = FixedClock(dt.datetime.combine(on, NOON.timetz()))
    with firm.store.reading() as tx:
        found = compare(tx, firm.config, firm.policy, clock, debtor(firm, ref), start, end)
    assert found is not None
    accounted(found)
    return found


def accounted(found: Comparison) -> None:
    """Every figure of every pair of columns is told to the cent."""

    def told(movements: list[Movement], name: str) -> Decimal:
        return sum((m.figures.get(name, Decimal(0)) for m in movements), Decimal(0))

    for name, after in found.end.known.items():
        if name in found.start.known:
            assert after - found.start.known[name] == told(found.moved, name), name
    for day in (found.start, found.end):
        for name, then in (day.shown or {}).items():
            if name in day.known:
                assert day.known[name] - then == told(day.back_posted, name), name


def lines(movements: list[Movement], *names: str) -> list[tuple[str, str, list[str]]]:
    names = names or ("exposure",)
    return [
        (m.number or m.ref, m.what.en, [f"{m.figures[n]:f}" if n in m.figures else "" for n in names])
        for m in movements
    ]


def test_nothing_is_posted_back_where_nothing_changed(firm: Firm) -> None:
    firm.night()
    for ref in ("G1", "C1", "C2", "C3", "C4", "C5", "C6"):
        found = compared(firm, ref, FIRST, FIRST, on=FIRST)
        assert found.start.shown == found.start.known
        assert (found.start.back_posted, found.moved) == ([], [])


def test_figures_are_those_of_the_report(firm: Firm) -> None:
    firm.night()
    found = compared(firm, "C1", FIRST, FIRST, on=FIRST)
    with firm.store.reading() as tx:
        base = frame(tx, firm.config, firm.policy, FixedClock(NOON), FIRST)
        [one] = [j for j in judge(tx, base, [debtor(firm, "C1")]) if j.members[0].ref == "C1"]
    assert found.start.known["exposure"] == one.position.exposure.total
    assert found.start.known["overdue"] == one.position.overdue
    assert found.start.known["limit"] == one.position.limit_amount
    assert found.start.known["bucket 91+"] == one.position.buckets["91+"]
    assert found.start.known["ordered_not_delivered"] == Decimal("4000.00")


def test_what_was_posted_back_is_named_and_the_day_stays_as_it_was_shown(firm: Firm) -> None:
    """A corrected amount, a payment dated a week ago, an invoice that is gone; all of it after the day was shown."""
    firm.night()
    before = compared(firm, "C1", FIRST, FIRST, on=FIRST).start.shown
    firm.book("documents", "6000.00", "6500.00")
    firm.book("documents", "D2,C1,credit_note,CN-1,2026-08-20,,CNY,1500.00,\n", "")
    firm.book("payments", "P1,C1,2026-11-01,CNY,2000.00", "P1,C1,2026-11-01,CNY,2000.00\nP2,C1,2026-11-16,CNY,300.00")
    firm.night(1)
    found = compared(firm, "C1", FIRST, SECOND, on=SECOND)
    assert found.start.shown == before
    assert lines(found.start.back_posted) == [
        ("INV-1", "amount: CNY 6,000.00 → CNY 6,500.00", ["500.00"]),
        ("CN-1", "was removed", ["1500.00"]),
        ("P2", "posted back to 2026-11-16, CNY 300.00", ["-300.00"]),
    ]
    assert found.moved == []
    assert found.end.back_posted == []


def test_an_order_and_a_rate_of_a_past_day_are_those_it_was_decided_by(firm: Firm) -> None:
    firm.night()
    firm.book("orders", "O1,C1,SO-1,2026-11-20,CNY,4000.00,open", "O1,C1,SO-1,2026-11-20,CNY,4000.00,closed")
    firm.book("rates", "2026-11-20,USD,CNY,7.25", "2026-11-20,USD,CNY,7.25\n2026-11-24,USD,CNY,7.35")
    firm.night(1)
    ordered = compared(firm, "C1", FIRST, SECOND, on=SECOND)
    assert ordered.start.known["ordered_not_delivered"] == Decimal("4000.00")
    assert lines(ordered.moved) == [("SO-1", "nothing of the order is open any more", ["-4000.00"])]
    assert ordered.start.back_posted == []


def test_a_limit_that_ends_is_a_movement_on_its_day(firm: Firm) -> None:
    firm.night()
    found = compared(firm, "C2", FIRST, dt.date(2027, 1, 10), on=FIRST)
    [moved] = [m for m in found.moved if m.kind == "limit"]
    assert moved.day == dt.date(2027, 1, 1)
    assert moved.figures == {"limit": Decimal("-500.00"), "available": Decimal("-500.00")}
    assert moved.what.en == "limit USD 500.00 → USD 0.00: no base limit is in force on 2027-01-01"


def test_of_days_before_the_first_decision_only_what_is_known_now_is_told(firm: Firm) -> None:
    firm.night()
    found = compared(firm, "C1", dt.date(2026, 7, 15), FIRST, on=FIRST)
    assert found.start.shown is None
    assert found.start.back_posted == []
    assert found.end.shown == found.end.known
    assert [m.number or m.ref for m in found.moved if m.kind in ("document", "payment") and m.day] == ["CN-1", "P1"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_as_a_person_reads_it(tmp_path: Path, lang: str) -> None:
    from tests.cli.calling import call

    firm = Firm(tmp_path)
    assert call("-c", firm.path, "run").code == 0
    firm.book("documents", "6000.00", "6500.00")
    assert call("-c", firm.path, "pull").code == 0
    done = call("-c", firm.path, "diff", "books/C1", "--from", "2026-07-15", lang=lang)
    assert (done.code, done.err) == (0, "")
    words = ["unapplied credit notes", "known now"] if lang == "en" else ["未核销贷项", "补记或更改"]
    assert [w for w in words[:1] if w not in done.out] == []
    assert ("amount: CNY 6,000.00 → CNY 6,500.00" if lang == "en" else "金额：CNY 6,000.00 → CNY 6,500.00") in done.out
    answer = call("-c", firm.path, "diff", "books/C1", "--from", "2026-07-15", "--format", "json").json
    assert answer["from"]["shown"] is None
    assert answer["to"]["back_posted"][0]["figures"]["exposure"] == "500.00"
    wrong = call("-c", firm.path, "diff", "books/C1", "--from", "2026-07-15", "--to", "2026-07-01")
    assert (wrong.code, wrong.err) == (2, "Error: --from comes after --to.\n")


@given(first=books(), second=books(), later=st.integers(0, 40))
@settings(max_examples=8, deadline=None)
def test_random_books_are_told_to_the_cent_and_decided_again(
    shared_store: Store, shared_firm: Firm, first: Book, second: Book, later: int
) -> None:
    """One book decided on, another one in its place afterwards: all that can be posted back, changed and removed."""
    emptied(shared_store)
    firm = shared_firm
    load(shared_store, first)
    decide(firm, 0)
    shown = {
        ref: compared(firm, ref, FIRST, FIRST, on=FIRST).start.known for ref in ("C1", "C2", "C3") if there(firm, ref)
    }
    for name, rows in second.streams().items():
        with shared_store.writing(durable=False) as tx:
            save(tx, name, rows, full=True, ledger_currency="CNY")
    decide(firm, later)
    end = FIRST + dt.timedelta(days=later)
    for ref, figures in ((r, f) for r, f in shown.items() if there(firm, r)):
        found = compared(firm, ref, FIRST, end, on=end)
        assert found.start.shown == (found.start.known if not later else figures)
        assert found.end.shown == found.end.known
    with shared_store.reading() as tx:
        again = replay(tx, firm.config)
    assert again.same > 0
    assert (again.other, again.unkept) == ([], [])


def decide(firm: Firm, days: int) -> None:
    clock = FixedClock(NOON + dt.timedelta(days=days))
    for run in (link(firm.store, firm.config, clock), evaluate(firm.store, firm.config, firm.policy, clock)):
        assert not run.failed, run.problems


def there(firm: Firm, ref: str) -> bool:
    with firm.store.reading() as tx:
        return any(row.ref == ref for row in customers.customers(tx, systems=["books"]) if row.debtor is not None)


@pytest.fixture(scope="module")
def shared_firm(shared_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return Firm(tmp_path_factory.mktemp("firm"), shared_store)
