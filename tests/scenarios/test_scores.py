"""Stories of a credit analyst: a good payer slows down, a newcomer brings a balance sheet, a court's list outweighs it all.

Policy: the shipped scorecard (A from 80, B from 65, C from 50; no score where less than 40 % of the weight is known).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from connector.credit.score import Part, Score, as_kept
from connector.credit.score_inputs import flags_text, source_text, value_text
from connector.model import Application, Customer, Document, Event, Financial, Payment
from connector.policy import default_policy
from connector.store import customers, scores
from connector.store.db import Store
from jobs.evaluate import evaluate
from jobs.frame import frame
from jobs.judge import judge
from jobs.score import again
from tests.jobs.ledger import CONFIG, Books
from tests.store.books import save

POLICY = default_policy()
DAY = dt.date.fromisoformat


class Analyst(Books):
    """The analyst's desk: one customer, what it bought and paid, what is told of it, and its score of the day."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.told: list[Event] = []
        self.items: list[Financial] = []

    def on(self, day: str) -> None:
        self.clock.at = dt.datetime.fromisoformat(f"{day}T02:00:00+00:00")

    def sold(self, name: str, due: str, yuan: int, paid: str | None = None) -> None:
        """An invoice at 30 days, paid in full on a day, or not at all."""
        due_on, fen = DAY(due), yuan * 100
        self.say(
            "documents",
            Document(id=name, customer_id="C1", kind="invoice", issued_on=due_on - dt.timedelta(days=30), due_on=due_on,
                     currency="CNY", amount=fen),
        )  # fmt: skip
        if paid is not None:
            day = DAY(paid)
            self.say("payments", Payment(id=name, customer_id="C1", received_on=day, currency="CNY", amount=fen))
            self.say(
                "applications",
                Application(id=name, from_id=name, to_id=name, amount=Decimal(yuan), applied_on=day),
            )

    def happened(self, name: str, kind: str, on: str, ended: str | None = None) -> None:
        self.told = [event for event in self.told if event.id != name]
        self.told.append(
            Event(id=name, customer_id="C1", on=DAY(on), kind=kind, source="qichacha", ended_on=ended and DAY(ended))
        )

    def pull(self) -> None:
        super().pull()
        with self.store.writing(durable=False) as tx:
            save(tx, "events", self.told if hasattr(self, "told") else [], full=True, now=self.clock.now())
            save(tx, "financials", self.items if hasattr(self, "items") else [], full=True, now=self.clock.now())

    def score(self) -> Score:
        """The score of today, as a night concludes it."""
        self.pull()
        run = evaluate(self.store, CONFIG, POLICY, self.clock, full=True)
        assert run.failed is None
        with self.store.reading() as tx:
            row = next(r for r in customers.customers(tx) if r.ref == "C1")
            base = frame(tx, CONFIG, POLICY, self.clock, self.today)
            (judged,) = (j for j in judge(tx, base, scores=True) if row.key in j.own)
            kept = scores.latest(tx, [judged.debtor])[judged.debtor]
            # Years later it comes out the same, from what was kept beside it alone.
            assert all(as_kept(again(tx, row)) == row.body for row in scores.history(tx, judged.debtor))
        assert judged.score is not None
        assert (judged.decision.score, judged.decision.grade) == (judged.score.points, judged.score.grade)
        assert (kept.points, kept.grade) == (judged.score.points, judged.score.grade)
        return judged.score


def points(score: Score) -> dict[str, Decimal | None]:
    return {part.input: part.points for part in score.parts if part.rule is None}


def said(score: Score, name: str) -> tuple[str, str]:
    """What a person reads of one criterion: the value, or why there is none, in both languages."""
    part: Part = next(p for p in score.parts if p.input == name)
    text = flags_text(part.known.flags, part.known.missing) or value_text(name, part.value)
    return text.en, text.zh


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Analyst]:
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield Analyst(store)
    store.close()


def a_year_on_terms(desk: Analyst) -> None:
    """Twelve invoices of CNY 100,000, due on the 15th of every month of 2025, each paid on the day."""
    for month in range(1, 13):
        due = f"2025-{month:02}-15"
        desk.sold(f"F{month}", due, 100_000, due)


def test_a_good_payer_slows_down(desk: Analyst) -> None:
    """A year on terms makes an A. Then one invoice comes a month late, and the next does not come at all."""
    a_year_on_terms(desk)
    desk.on("2026-01-10")
    good = desk.score()
    # On terms is an index of 80; a full year as customer gives 50: (30 × 100 + 10 × 100 + 10 × 50) ÷ 50.
    assert points(good) == {"payment_index": 100, "slowdown_days": 100, "years_as_customer": 50}
    assert (good.points, good.grade) == (Decimal("90.00"), "A")
    assert said(good, "overdue_percent") == ("nothing is open", "无未清项")

    desk.sold("F13", "2026-01-15", 100_000, "2026-02-14")
    desk.sold("F14", "2026-02-15", 100_000)
    desk.on("2026-03-17")
    slow = desk.score()
    # (12 × 80 + 50 + 50) ÷ 14: the open invoice counts with its 30 days so far.
    assert said(slow, "payment_index") == ("75.71", "75.71")
    assert said(slow, "slowdown_days") == ("30 days", "30 天")
    assert said(slow, "overdue_percent") == ("100 %", "100 %")
    assert points(slow) == {"payment_index": 80, "slowdown_days": 0, "overdue_percent": 0, "years_as_customer": 50}
    assert (slow.points, slow.grade) == (Decimal("44.62"), "D")

    with desk.store.reading() as tx:
        (debtor,) = (k for k, row in scores.latest(tx).items() if row.points == slow.points)
        course = [(row.as_of, row.grade) for row in scores.history(tx, debtor)]
    assert course == [(DAY("2026-03-17"), "D"), (DAY("2026-01-10"), "A")]


def test_the_open_invoice_is_paid_and_the_score_recovers_by_and_by(desk: Analyst) -> None:
    """What was paid late stays in the index for 24 months; what is overdue no longer is."""
    a_year_on_terms(desk)
    desk.sold("F13", "2026-01-15", 100_000, "2026-02-14")
    desk.sold("F14", "2026-02-15", 100_000)
    desk.on("2026-03-17")
    assert desk.score().grade == "D"
    desk.sold("F14", "2026-02-15", 100_000, "2026-03-18")
    desk.on("2026-03-18")
    paid = desk.score()
    assert said(paid, "overdue_percent") == ("nothing is open", "无未清项")
    # (30 × 80 + 10 × 0 + 10 × 50) ÷ 50
    assert (paid.points, paid.grade) == (Decimal("58.00"), "C")
    # Half a year later nothing has been bought: of the last 90 days nothing is known, which is not zero.
    desk.on("2026-09-18")
    later = desk.score()
    assert said(later, "slowdown_days") == ("no payment in this time", "该期间无付款记录")
    assert (later.points, later.grade, later.coverage) == (Decimal("72.50"), "B", Decimal("0.40"))


def test_a_newcomer_is_no_bad_customer_and_brings_a_balance_sheet(desk: Analyst) -> None:
    """Nothing is known of a new customer but one invoice that is not due: no score. Its statement of 2025 makes a B."""
    desk.sold("F1", "2026-04-15", 80_000)
    desk.on("2026-03-20")
    new = desk.score()
    assert (new.points, new.grade, new.coverage) == (None, None, Decimal("0.25"))
    assert said(new, "payment_index") == ("fewer than three payment experiences", "付款记录不足三笔")
    assert said(new, "altman_zone") == ("no financial statement on file", "无财务报表")

    brought = {
        "current_assets": 800, "current_liabilities": 500, "total_assets": 2000, "total_liabilities": 1200, "equity": 800,
        "surplus_reserve": 100, "undistributed_profit": 200, "profit_before_tax": 140, "interest_expense": 40,
        "net_profit": 105, "revenue": 2600,
    }  # fmt: skip
    desk.items = [
        Financial(customer_id="C1", period_end_on=DAY("2025-12-31"), months=12, currency="CNY", unit=10_000, item=item,
                  amount=Decimal(amount))
        for item, amount in brought.items()
    ]  # fmt: skip
    known = desk.score()
    assert said(known, "current_ratio") == ("1.6", "1.6")
    assert said(known, "debt_ratio_percent") == ("60 %", "60 %")
    assert said(known, "altman_zone") == ("safe", "安全区")
    source = source_text(next(p for p in known.parts if p.input == "altman_zone").known.source)
    assert source is not None
    assert (source.en, source.zh) == ("statement of 2025-12-31", "2025-12-31 财务报表")
    # (15 × 100 + 10 × 20 + 5 × 100 + 5 × 60 + 10 × 100) ÷ 45
    assert (known.points, known.grade, known.coverage) == (Decimal("77.78"), "B", Decimal("0.45"))


def test_on_the_list_of_dishonest_debtors_the_best_payer_is_a_d(desk: Analyst) -> None:
    """The listing leaves the points and takes the grade; when it ends, the grade comes back."""
    a_year_on_terms(desk)
    desk.on("2026-01-10")
    desk.happened("X1", "court_dishonest", "2026-01-05")
    listed = desk.score()
    assert (listed.points, listed.grade, listed.capped) == (Decimal("90.00"), "D", ("court",))
    desk.happened("X1", "court_dishonest", "2026-01-05", ended="2026-02-20")
    desk.on("2026-02-19")
    assert desk.score().grade == "D"
    desk.on("2026-02-20")
    assert (desk.score().grade, desk.score().capped) == ("A", ())


def test_a_newcomer_on_the_list_needs_no_score_to_be_a_d(desk: Analyst) -> None:
    desk.say("customers", Customer(id="C1", name="新客户有限公司", currency="CNY"))
    desk.happened("X1", "registry_serious_illegal", "2025-06-30")
    desk.on("2026-03-02")
    found = desk.score()
    assert (found.points, found.grade, found.capped) == (None, "D", ("registry",))
