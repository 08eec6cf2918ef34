"""The portfolio's indicators: the worked example E9, young ledgers, and what is not known."""

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from connector.credit.portfolio import MonthEnd, Sales, figures, month_ends

FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"
DAY = dt.date.fromisoformat
D = Decimal


def two(value: Decimal | None) -> str:
    assert value is not None
    return str(value.quantize(D("0.01"), ROUND_HALF_UP))


@pytest.mark.live
@pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository")
def test_e9() -> None:
    [example] = [e for e in json.loads(FILE.read_text("utf-8")) if e["id"] == "E9"]
    given, expected = example["given"], example["expected"]
    current, whole = D(given["current_ar"]), D(given["ar_end"])
    ends = [MonthEnd(day, (D(given["beg_ar"]), D(0))) for day in month_ends(DAY("2026-10-31"), 3)]
    ends[-1].buckets = (current, whole - current)
    sales = Sales((DAY(f"{month}-15"), None, D(amount)) for month, amount in given["sales"].items())
    # Selling began in the middle of August; the example counts the whole month.
    sales.began_on = DAY("2026-08-01")
    found = figures(ends, 3, sales)
    assert found.days == 92
    assert two(found.dso) == expected["dso_simple"]
    assert two(found.count_back.days) == expected["dso_countback"]
    assert not found.count_back.exhausted
    assert two(found.best_dso) == expected["best_possible_dso"]
    assert two(found.delinquent) == expected["average_days_delinquent"]
    assert two(found.effectiveness) == expected["cei"]


def test_month_ends_end_with_the_day_itself() -> None:
    assert month_ends(DAY("2026-03-15"), 2) == [DAY("2026-01-31"), DAY("2026-02-28"), DAY("2026-03-15")]
    assert month_ends(DAY("2028-03-31"), 1) == [DAY("2028-02-29"), DAY("2028-03-31")]


def test_the_period_of_a_young_ledger_is_shorter() -> None:
    end = MonthEnd(DAY("2026-10-31"), (D(50), D(50)))
    found = figures([end], 0, Sales([(DAY("2026-10-12"), None, D(200))]))
    assert (found.days, found.dso) == (20, 10)  # 100 ÷ 200 × 20 days
    assert found.count_back.days == D("15.5")  # 100 ÷ 200 of October
    assert found.effectiveness is None, "no month end three months before"


def test_what_was_voided_later_was_a_sale_until_then() -> None:
    sales = Sales([(DAY("2026-09-03"), DAY("2026-10-05"), D(70)), (DAY("2026-09-04"), None, D(30))])
    first, last = DAY("2026-09-01"), DAY("2026-09-30")
    assert sales.between(first, last, last) == 100
    assert sales.between(first, last, DAY("2026-10-05")) == 30
    assert [(m.sales, m.days) for m in sales.months(DAY("2026-10-10"))] == [(0, 10), (30, 30)]


def test_nothing_at_all_says_nothing() -> None:
    found = figures([MonthEnd(DAY("2026-10-31"), (D(0), D(0)))], 0, Sales([]))
    assert (found.dso, found.overdue_share, found.payment_index, found.concentration) == (None, None, None, None)
    assert (found.count_back.days, found.count_back.exhausted) == (0, False)


def test_in_the_middle_of_a_month_nothing_is_sold_twice() -> None:
    """The window of 25 November begins on 26 August; what was sold on the 28th is owed at the end of August already."""
    ends = [MonthEnd(day, (D(100), D(0))) for day in month_ends(DAY("2026-11-25"), 3)]
    ends[-1].buckets = (D(150), D(50))
    sales = Sales(
        [(DAY("2026-08-28"), None, D(100)), (DAY("2026-10-15"), None, D(300)), (DAY("2025-01-01"), None, D(1))]
    )
    found = figures(ends, 3, sales)
    assert (found.sales, found.days) == (400, 92), "of three months, as DSO wants it"
    assert found.effectiveness == 80  # (100 + 300 - 200) ÷ (100 + 300 - 150) × 100
    assert found.turnover_days == 43  # 86 days from 1 September on ÷ (300 ÷ the average of 100 and 200)
