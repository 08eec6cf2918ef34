"""Scoring of many at once: members, currencies, segments, statements; and a real ledger, judged by what came after."""

import csv
import datetime as dt
import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.clock import FixedClock
from connector.config import load as load_config
from connector.credit.limit import Effective
from connector.credit.position import Exposure, Position
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.credit.statements import Statement
from connector.model import Rate
from connector.policy import default_policy, load
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import same
from jobs.frame import frame
from jobs.score import Cards, Scorer, ledger_inputs, scorer, statement_inputs
from jobs.score_quality import quality

D = Decimal
DAY = dt.date(2026, 11, 23)
IBM = Path(__file__).resolve().parents[3] / "shared" / "data" / "ibm-ar" / "invoices_as_of_2013-06-30.csv"


def rates(*known: tuple[str, str, str]) -> Rates:
    return Rates([Rate(on=DAY, from_currency=a, to_currency=b, rate=D(r)) for a, b, r in known], "CNY", 35)


def member(key: int, **more: Any) -> CustomerRow:
    return CustomerRow(key, "books", f"C{key}", f"Customer {key}", debtor=1, **more)


def position(**more: Any) -> Position:
    zero = D(0)
    limit = Effective(kind="none")
    made = Position(1, "CNY", DAY, {}, zero, zero, zero, 0, zero, 0, zero, Exposure(), limit, None, None, None)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def at(*known: tuple[str, str, str], policy: str = "", **more: Any) -> Scorer:
    config: Any = SimpleNamespace(path=Path)
    return Scorer(Cards(config, load(policy) if policy else default_policy()), rates(*known), DAY, **more)


# --- what is known -------------------------------------------------------------------------------------------------------
def test_all_customers_of_a_debtor_are_one_payer_in_one_currency() -> None:
    paid: Any = {1: {"CNY": [(0, 0, 700_00, 2)]}, 2: {"JPY": [(0, 30, 14_000, 1)]}}
    found, no_rate = at(("JPY", "CNY", "0.05"), paid=paid).habits([member(1), member(2)], "CNY")
    # ¥700 on terms, JPY 14,000 = ¥700 thirty days late.
    assert (found.payment_index, found.experiences, no_rate) == (D(65), 3, False)
    assert found.late_recent == D(15)


def test_without_a_rate_nothing_is_said_of_a_part() -> None:
    paid: Any = {1: {"CNY": [(0, 0, 700_00, 5)]}, 2: {"JPY": [(0, 30, 14_000, 1)]}}
    scores = at(paid=paid)
    assert scores.habits([member(1), member(2)], "CNY")[1] is True
    inputs = scores.inputs(1, [member(1), member(2)], position(), scores.cards.of(None))
    assert (inputs["payment_index"].value, inputs["payment_index"].flags) == (None, ("no_rate",))


@pytest.mark.parametrize(
    ("since", "years"), [("2025-11-24", 0), ("2025-11-23", 1), ("2023-01-01", 3), ("2026-11-23", 0)]
)
def test_years_are_counted_when_they_are_full(since: str, years: int) -> None:
    scores = at(since={1: dt.date.fromisoformat(since), 2: DAY})
    known = scores.inputs(1, [member(1), member(2)], position(), scores.cards.of(None))["years_as_customer"]
    assert known.value == years
    assert known.source == ("customer", since)


def test_who_has_never_bought_has_no_years() -> None:
    scores = at(since={1: DAY + dt.timedelta(days=1)})
    assert scores.inputs(1, [member(1)], position(), scores.cards.of(None))["years_as_customer"].flags == ("no_sale",)


def test_a_ledger_that_could_not_be_converted_says_nothing() -> None:
    known = ledger_inputs(position(unclear=(Reason("no_rate", same("no rate")),), open_total=D(5), utilisation=D(1)))
    assert {k.value for k in known.values()} == {None}
    assert {k.flags for k in known.values()} == {("no_rate",)}


def test_what_the_ledger_says() -> None:
    known = ledger_inputs(
        position(undisputed_overdue=D(25), undisputed_overdue_days=9, open_total=D(200), utilisation=D("0.6582"))
    )
    assert (known["overdue_percent"].value, known["oldest_overdue_days"].value) == (D("12.5"), 9)
    assert known["utilisation_percent"].value == D("65.82")
    assert ledger_inputs(position())["overdue_percent"].flags == ("nothing_open",)
    assert ledger_inputs(position())["utilisation_percent"].flags == ("no_limit",)


# --- statements ----------------------------------------------------------------------------------------------------------
def statement(**more: Any) -> Statement:
    known: dict[str, Any] = {
        "customer": 1,
        "period_end_on": dt.date(2025, 12, 31),
        "months": 12,
        "currency": "CNY",
        "basis": "cas",
        "consolidated": False,
        "audited": True,
        "opinion": None,
        "number": 1,
        "sha": None,
        # E13 of the domain document.
        "closing": {
            "current_assets": D(800),
            "current_liabilities": D(500),
            "total_assets": D(2000),
            "total_liabilities": D(1200),
            "retained_earnings": D(300),
            "ebit": D(180),
            "revenue": D(2600),
            "equity": D(800),
            "receivables": D(360),
        },
        "opening": {"receivables": D(300)},
        "prior": {"revenue": D(2000)},
    }
    return Statement(**(known | more))


def test_a_statement_gives_its_ratios_and_its_zone() -> None:
    known = statement_inputs(statement(), default_policy().score)
    assert (known["altman_zone"].value, known["statement_audit"].value) == ("safe", "audited")
    assert round(D(known["altman"].value or 0), 4) == D("6.0278")
    assert known["debt_ratio_percent"].value == 60
    assert known["revenue_growth_percent"].value == 30
    assert round(D(known["receivables_turnover"].value or 0), 4) == D("7.8788")
    assert known["quick_ratio"].missing == ("inventories", "prepayments")
    other = statement_inputs(statement(), load("[score]\naltman = 'z1'").score)
    assert other["altman_zone"].value == "grey"


@pytest.mark.parametrize(
    ("audited", "opinion", "said"),
    [(None, None, None), (True, "unqualified", "audited"), (False, None, "unaudited"), (True, "adverse", "adverse")],
)
def test_what_the_auditor_said(audited: bool | None, opinion: str | None, said: str | None) -> None:
    known = statement_inputs(statement(audited=audited, opinion=opinion), default_policy().score)
    assert known["statement_audit"].value == said


def test_an_interim_statement_has_no_zone() -> None:
    known = statement_inputs(statement(months=9), default_policy().score)
    assert (known["altman_zone"].value, known["altman_zone"].flags) == (None, ("short_period",))
    assert known["current_ratio"].value == D("1.6")


@pytest.mark.parametrize(("as_of", "used"), [("2027-06-30", True), ("2027-07-01", False)])
def test_a_statement_grows_old(as_of: str, used: bool) -> None:
    scores = at(statements={1: statement()})
    scores.as_of = dt.date.fromisoformat(as_of)
    known = scores.inputs(1, [member(1)], position(), scores.cards.of(None))["altman_zone"]
    assert (known.value == "safe", "old_statement" in known.flags) == (used, not used)


# --- scorecards ------------------------------------------------------------------------------------------------------------
SEGMENTS = """
[segment.public.score]
on = false
[segment.export.score]
min_coverage_percent = 0
"""


def test_a_segment_may_be_scored_otherwise_or_not_at_all() -> None:
    scores = at(policy=SEGMENTS, since={1: dt.date(2020, 1, 1)})
    assert scores.score(1, [member(1, segment="public")], position()) is None
    own, other = (scores.score(1, [member(1, segment=s)], position()) for s in (None, "export"))
    assert own is not None
    assert other is not None
    assert own.points is None
    assert other.points == D("100.00")
    assert own.version != other.version


# --- a real ledger -----------------------------------------------------------------------------------------------------
def write(folder: Path, name: str, head: list[str], rows: list[tuple[Any, ...]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(rows)


@pytest.fixture(scope="module")
def ibm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Any]:
    from tests.cli.calling import call, shop

    folder = tmp_path_factory.mktemp("ibm")
    config = shop(folder, customers="id,name,currency")
    rows = list(csv.DictReader(IBM.open(encoding="utf-8")))
    book, paid = folder / "book", [r for r in rows if r["SettledDate"]]
    write(
        book, "customers", ["id", "name", "currency"], sorted({(r["customerID"], r["customerID"], "CNY") for r in rows})
    )
    write(
        book,
        "documents",
        ["id", "customer_id", "kind", "issued_on", "due_on", "currency", "amount"],
        [
            (r["invoiceNumber"], r["customerID"], "invoice", r["InvoiceDate"], r["DueDate"], "CNY", r["InvoiceAmount"])
            for r in rows
        ],
    )
    write(
        book,
        "payments",
        ["id", "customer_id", "received_on", "currency", "amount"],
        [(f"P{r['invoiceNumber']}", r["customerID"], r["SettledDate"], "CNY", r["InvoiceAmount"]) for r in paid],
    )
    write(
        book,
        "applications",
        ["from_id", "to_id", "amount", "applied_on"],
        [(f"P{r['invoiceNumber']}", r["invoiceNumber"], r["InvoiceAmount"], r["SettledDate"]) for r in paid],
    )
    assert call("-c", config, "run").code == 0
    return Store.open(f"sqlite:///{folder / 'holdfast.db'}"), load_config(config)


@pytest.mark.live
@pytest.mark.skipif(not IBM.is_file(), reason="shared/data/ibm-ar is not beside the repository")
def test_days_late_of_a_real_ledger_are_those_that_are_told_of_it(ibm: tuple[Store, Any]) -> None:
    store, config = ibm
    with store.reading() as tx:
        found = scorer(tx, Cards(config, default_policy()), rates(), dt.date(2013, 6, 30), ["books"])
    shares = [x for c in found.paid.values() for some in c.values() for x in some if x[0] is not None]
    whole = sum(amount for _, _, amount, _ in shares)

    def two(part: Any) -> Decimal:
        return (D(part) / whole).quantize(D("0.01"), ROUND_HALF_UP)

    assert sum(times for *_, times in shares) == 1846
    assert two(sum(days * amount for _, days, amount, _ in shares)) == D("-2.65")
    assert two(sum(max(days, 0) * amount for _, days, amount, _ in shares)) == D("3.79")


@pytest.mark.live
@pytest.mark.skipif(not IBM.is_file(), reason="shared/data/ibm-ar is not beside the repository")
def test_the_shipped_scorecard_tells_bad_from_good_on_a_real_ledger(ibm: tuple[Store, Any]) -> None:
    store, config = ibm
    policy, clock = default_policy(), FixedClock(dt.datetime(2013, 6, 30, 12, tzinfo=dt.UTC))
    with store.reading() as tx:
        then, now = (frame(tx, config, policy, clock, day) for day in (dt.date(2012, 12, 31), dt.date(2013, 6, 30)))
        found = quality(tx, then, now, 10)
    bands = {band.grade: band for band in found.bands}
    assert sum(band.customers for band in found.bands) + found.unknown == 100
    assert found.auc is not None
    assert found.auc > D("0.7")
    shares = [bands[grade].share for grade in ("A", "B", "C")]
    assert shares == sorted(s for s in shares if s is not None), "a worse grade turned bad more often"
    told = [band.woe for band in found.bands if band.woe is not None]
    assert len(told) > 1
    assert told == sorted(told, reverse=True), "and speaks less for its customers"
    # The information value once more, in another way: over the grades that anybody has.
    counts = [(band.customers - band.bad, band.bad) for band in found.bands if band.customers]
    more = 0.5 if any(0 in pair for pair in counts) else 0
    good, bad = (sum(pair[side] + more for pair in counts) for side in (0, 1))
    pairs = [((g + more) / good, (b + more) / bad) for g, b in counts]
    assert found.iv is not None
    assert float(found.iv) == pytest.approx(sum((g - b) * math.log(g / b) for g, b in pairs))
