"""The receivables sample, a list of invoices that is nothing like the book, read by a mapping only.

Expected figures are computed here from the file itself with csv, datetime and Decimal, and compared with those that its
README publishes; nothing of our own arithmetic is used for them.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from connector.credit.ageing import age, open_items
from connector.credit.kpi import Paid, weighted_days_late
from connector.model import Application, Customer, Document, Payment
from connector.money import from_minor

ROOT = Path(__file__).parents[3]
FOLDER = ROOT.parent / "shared" / "data" / "ibm-ar"
FILE = FOLDER / "invoices_as_of_2013-06-30.csv"
DAY = dt.date.fromisoformat
CUT_OFF = DAY("2013-06-30")
BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the receivables sample (shared/data/ibm-ar) is not here")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SETTINGS: dict[str, Any] = {
    "path": str(FOLDER),
    "files": {"customers": "invoices*.csv", "documents": "invoices*.csv"},
    "keys": {"customers": ["customerID"], "documents": ["invoiceNumber"]},
    "repeated": ["customers"],
}


def mapping() -> str:
    return (resources.files("adapters") / "files" / "samples" / "ibm-ar.toml").read_text(encoding="utf-8")


@pytest.fixture
def facts(books: Any) -> dict[type, list[Any]]:
    sorted_out: dict[type, list[Any]] = defaultdict(list)
    for stream in ("customers", "documents"):
        found = books.read(stream, mapping=mapping(), base="USD", **SETTINGS)
        # some columns are of no use to us, and that is said once
        assert [p.code for p in found.problems] == ["unknown_column"] * (stream == "documents")
        assert found.pages[-1].full
        for fact in found.facts:
            sorted_out[type(fact)].append(fact)
    return sorted_out


def test_what_is_in_it(facts: dict[type, list[Any]]) -> None:
    assert len({c.id for c in facts[Customer]}) == len(facts[Customer]) == 100
    assert len({d.id for d in facts[Document]}) == 1930
    assert sum(d.amount for d in facts[Document]) == 11_544_459
    assert sum(d.disputed_amount is not None for d in facts[Document]) == 439
    assert len(facts[Payment]) == len(facts[Application]) == 1930 - 84
    assert {(d.due_on - d.issued_on).days for d in facts[Document]} == {30}


def test_open_on_the_cut_off(facts: dict[type, list[Any]]) -> None:
    items = open_items(facts[Document], [], facts[Payment], facts[Application], CUT_OFF)
    aged = age(items, CUT_OFF)
    assert len(items) == 84
    assert aged.total == Decimal("5119.85")
    assert aged.buckets == dict(zip(BUCKETS, map(Decimal, ("4284.29", "835.56", "0", "0", "0")), strict=True))
    late = [i for i in items if i.due_on and i.due_on < CUT_OFF]
    assert (len(items) - len(late), len(late)) == (72, 12)


def test_weighted_days_late(facts: dict[type, list[Any]]) -> None:
    documents = {d.id: d for d in facts[Document]}
    paid = [Paid(a.amount, (a.applied_on - documents[a.to_id].due_on).days) for a in facts[Application]]
    late = weighted_days_late(paid)
    assert late is not None
    cent = Decimal("0.01")
    assert late.signed.quantize(cent, ROUND_HALF_UP) == Decimal("-2.65")
    assert late.floored.quantize(cent, ROUND_HALF_UP) == Decimal("3.79")
    assert round(100 * sum(p.days_late > 0 for p in paid) / len(paid), 1) == 36.8
    assert max(p.days_late for p in paid) == 45


def by_hand(rows: list[dict[str, str]], as_of: dt.date) -> dict[str, dict[str, Decimal]]:
    """Buckets by customer, from the file with csv, datetime and Decimal alone."""
    expected: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(BUCKETS, Decimal(0)))
    for row in rows:
        issued, settled = DAY(row["InvoiceDate"]), row["SettledDate"]
        if issued <= as_of and not (settled and DAY(settled) <= as_of):
            days = (as_of - DAY(row["DueDate"])).days
            bucket = BUCKETS[0 if days <= 0 else 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4]
            expected[row["customerID"]][bucket] += Decimal(row["InvoiceAmount"])
    assert sum(sum(b.values()) for b in expected.values()) > 1000
    return expected


DATES = [DAY("2012-09-30"), DAY("2013-03-31"), CUT_OFF]


@pytest.mark.parametrize("as_of", DATES)
def test_ageing_on_three_dates(facts: dict[type, list[Any]], rows: list[dict[str, str]], as_of: dt.date) -> None:
    expected = by_hand(rows, as_of)
    by_customer: dict[str, list[str]] = defaultdict(list)
    for document in facts[Document]:
        by_customer[document.customer_id].append(document.id)
    for customer, ids in by_customer.items():
        known = set(ids)
        items = open_items(
            [d for d in facts[Document] if d.id in known],
            [],
            [p for p in facts[Payment] if p.customer_id == customer],
            [a for a in facts[Application] if a.to_id in known],
            as_of,
        )
        aged = age(items, as_of)
        assert aged.buckets == expected[customer], customer
        assert aged.unapplied == 0
        disputed = sum((i.disputed for i in items), Decimal(0))
        said = {r["invoiceNumber"]: r for r in rows if r["Disputed"] == "Yes"}
        assert disputed == sum((i.amount for i in items if i.ref in said), Decimal(0))


def test_amounts_are_the_file_s(facts: dict[type, list[Any]], rows: list[dict[str, str]]) -> None:
    assert {d.id: from_minor(d.amount, "USD") for d in facts[Document]} == {
        r["invoiceNumber"]: Decimal(r["InvoiceAmount"]) for r in rows
    }


def test_through_the_whole_product(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    """Configuration and mapping only: pulled, evaluated and reported on three dates."""
    (tmp_path / "ibm-ar.toml").write_text(mapping(), encoding="utf-8")
    settings = {**SETTINGS, "unused": ["countryCode", "PaperlessDate", "PaperlessBill", "DaysToSettle", "DaysLate"]}
    (tmp_path / "config.toml").write_text(
        '[business]\ncurrency = "USD"\n[[systems]]\nname = "list"\nadapter = "files"\nroles = ["erp"]\n'
        'mapping = "ibm-ar.toml"\n[systems.settings]\n'
        + "\n".join(f"{name} = {_toml(value)}" for name, value in settings.items())
        + "\n",
        encoding="utf-8",
    )
    said = _holdfast(tmp_path, "run")
    assert "new 2,030" in said, "1,930 invoices and 100 customers"
    assert "ignored" not in said, "every column is mapped or said to be unused"
    for as_of in DATES:
        answer = json.loads(
            _holdfast(tmp_path, "report", "positions", "--as-of", str(as_of), "--format", "json"), parse_float=Decimal
        )
        found = {p["customer_id"]: {k: Decimal(v) for k, v in p["buckets"].items()} for p in answer["positions"]}
        expected = by_hand(rows, as_of)
        assert {c: b for c, b in found.items() if any(b.values())} == {
            c: b for c, b in expected.items() if any(b.values())
        }


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def _holdfast(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", "-c", str(folder / "config.toml"), "--lang", "en", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
