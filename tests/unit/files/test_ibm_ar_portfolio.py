"""The receivables sample over all its month ends: the whole product against csv, datetime and Decimal alone.

Ageing, DSO, payment index, days late and warning levels of every month end from January 2012 to June 2013, from the file
itself. The file says who disputed, not since when: as in the reports, a disputed invoice counts as disputed all along.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import call
from tests.unit.files.test_ibm_ar import BUCKETS, CUT_OFF, DAY, FILE, SETTINGS, _toml, mapping

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the receivables sample (shared/data/ibm-ar) is not here")
MONTHS = 18
D = Decimal
# Days past due and points, as the domain document gives them: straight lines between.
POINTS = ((0, 80), (15, 70), (22, 60), (30, 50), (60, 40))


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("ibm")
    (folder / "ibm-ar.toml").write_text(mapping(), encoding="utf-8")
    settings = {**SETTINGS, "unused": ["countryCode", "PaperlessDate", "PaperlessBill", "DaysToSettle", "DaysLate"]}
    config = folder / "config.toml"
    config.write_text(
        '[business]\ncurrency = "USD"\n[[systems]]\nname = "list"\nadapter = "files"\nroles = ["erp"]\n'
        'mapping = "ibm-ar.toml"\n[systems.settings]\n'
        + "\n".join(f"{name} = {_toml(value)}" for name, value in settings.items())
        + "\n",
        encoding="utf-8",
    )
    assert call("-c", config, "run").code == 0
    done = call("-c", config, "report", "portfolio", "--as-of", CUT_OFF, "--months", MONTHS, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ends() -> list[dt.date]:
    found = []
    for n in range(MONTHS):
        year, month = divmod(n, 12)
        found.append(dt.date(2012 + year, month + 1, calendar.monthrange(2012 + year, month + 1)[1]))
    return found


def open_on(rows: list[dict[str, str]], day: dt.date) -> list[tuple[dict[str, str], Decimal, int]]:
    return [
        (row, D(row["InvoiceAmount"]), (day - DAY(row["DueDate"])).days)
        for row in rows
        if DAY(row["InvoiceDate"]) <= day and not (row["SettledDate"] and DAY(row["SettledDate"]) <= day)
    ]


def rounded(value: Decimal, places: str) -> str:
    return str(value.quantize(D(places), ROUND_HALF_UP))


def points(days: int) -> Decimal:
    if days <= -20:
        return D(100)
    if days <= 0:
        return D(80)
    for (low, above), (high, below) in pairwise(POINTS):
        if days <= high:
            return D(above) - D(above - below) * (days - low) / (high - low)
    raise AssertionError(f"{days} days late: nobody in the sample is")


def test_ageing_of_every_month_end(answer: dict[str, Any], rows: list[dict[str, str]]) -> None:
    assert [row["day"] for row in answer["trend"]] == [day.isoformat() for day in ends()]
    for shown, day in zip(answer["trend"], ends(), strict=True):
        sums = dict.fromkeys(BUCKETS, D(0))
        for _, amount, days in open_on(rows, day):
            sums[BUCKETS[0 if days <= 0 else 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4]] += (
                amount
            )
        assert {k: D(v) for k, v in shown["ageing"].items()} == sums, day
        assert D(shown["receivables"]) == sum(sums.values())
    assert answer["ties"]
    assert all(D(row["difference"]) == 0 for row in answer["control_by_month"])
    assert len(answer["control_by_month"]) == MONTHS


def test_dso_of_every_month_end(answer: dict[str, Any], rows: list[dict[str, str]]) -> None:
    began = min(DAY(row["InvoiceDate"]) for row in rows)
    by_month: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for row in rows:
        on = DAY(row["InvoiceDate"])
        by_month[on.year, on.month] += D(row["InvoiceAmount"])
    for place, (shown, day) in enumerate(zip(answer["trend"], ends(), strict=True)):
        owed = sum((amount for _, amount, _ in open_on(rows, day)), D(0))
        months = [(end.year, end.month) for end in ends()[max(0, place - 2) : place + 1]]
        first = max(dt.date(*months[0], 1), began)
        sales = sum(by_month[m] for m in months)
        assert shown["dso"] == rounded(owed / sales * ((day - first).days + 1), "0.1"), day
        rest, days = owed, D(0)
        for end in reversed(ends()[: place + 1]):
            sold = by_month[end.year, end.month]
            if sold >= rest:
                days += rest / sold * end.day
                rest = D(0)
                break
            rest, days = rest - sold, days + end.day
        assert rest == 0, "the sample's sales are always enough"
        assert shown["dso_count_back"] == rounded(days, "0.1"), day


def test_payment_index_and_days_late_of_every_month_end(answer: dict[str, Any], rows: list[dict[str, str]]) -> None:
    for shown, day in zip(answer["trend"], ends(), strict=True):
        paid = [
            (D(row["InvoiceAmount"]), (DAY(row["SettledDate"]) - DAY(row["DueDate"])).days, DAY(row["SettledDate"]))
            for row in rows
            if row["SettledDate"] and DAY(row["SettledDate"]) <= day
        ]
        seen = [(amount, days) for amount, days, _ in paid]
        seen += [(amount, days) for row, amount, days in open_on(rows, day) if days > 0 and row["Disputed"] == "No"]
        weight = sum(amount for amount, _ in seen)
        assert shown["payment_index"] == rounded(sum(a * points(d) for a, d in seen) / weight, "0.01"), day
        month = [(amount, days) for amount, days, on in paid if (on.year, on.month) == (day.year, day.month)]
        whole = sum(amount for amount, _ in month)
        assert shown["days_late"] == rounded(sum(a * d for a, d in month) / whole, "0.01"), day
        assert shown["days_late_floored"] == rounded(sum(a * max(d, 0) for a, d in month) / whole, "0.01"), day


def test_warning_levels_of_every_month_end(answer: dict[str, Any], rows: list[dict[str, str]]) -> None:
    """By the shipped thresholds, undisputed: 10, 20, 30 % overdue, 15, 30, 60 days. Nobody has a limit."""
    seen = set()
    for shown, day in zip(answer["trend"], ends(), strict=True):
        owed: dict[str, Decimal] = defaultdict(Decimal)
        late: dict[str, Decimal] = defaultdict(Decimal)
        oldest: dict[str, int] = defaultdict(int)
        for row, amount, days in open_on(rows, day):
            owed[row["customerID"]] += amount
            if days > 0 and row["Disputed"] == "No":
                late[row["customerID"]] += amount
                oldest[row["customerID"]] = max(oldest[row["customerID"]], days)
        counted = dict.fromkeys(("green", "yellow", "orange", "red"), 0)
        for customer, whole in owed.items():
            share, days = late[customer] / whole * 100, oldest[customer]
            steps = max(sum(share >= s for s in (10, 20, 30)), sum(days >= s for s in (15, 30, 60)))
            counted[list(counted)[steps]] += 1
        assert {level: shown[level] for level in counted} == counted, day
        seen.update(level for level, count in counted.items() if count)
    assert seen == {"green", "yellow", "orange", "red"}


def test_the_two_figures_for_a_finance_director(answer: dict[str, Any], rows: list[dict[str, str]]) -> None:
    """Count-back DSO and the overdue share: how long money is out, and how much of it should be here already.

    Simple DSO fell by a quarter in June 2013, only because May had been the strongest month and June was the weakest in
    a year; by count-back it hardly moved, and the share overdue rose by four and a half points.
    """
    may, june = answer["trend"][-2:]
    assert (may["dso"], june["dso"]) == ("30.8", "23.2")
    assert (may["dso_count_back"], june["dso_count_back"]) == ("27.6", "26.3")
    assert (may["overdue_percent"], june["overdue_percent"]) == ("11.8", "16.3")
    late = sum(amount for _, amount, days in open_on(rows, CUT_OFF) if days > 0)
    assert june["overdue_percent"] == rounded(late / D("5119.85") * 100, "0.1")
    assert Path(FILE).name.endswith("2013-06-30.csv")
