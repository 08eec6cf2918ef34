"""Two policies over the receivables sample's own eighteen months, against csv, datetime and Decimal alone.

The sample has no orders and no limits: a sale is stopped where the customer has an undisputed invoice that is too old on
the day of the new one. The file says who disputed, not since when: disputed counts as disputed all along.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.calling import call
from tests.unit.files.test_ibm_ar import DAY, FILE, SETTINGS, _toml, mapping

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the receivables sample (shared/data/ibm-ar) is not here")
D = Decimal
LATE = dt.timedelta(days=10)
FIRST, LAST = DAY("2012-01-01"), DAY("2013-06-30")
STRICT = "[hold.oldest_overdue]\ngrace_days = 5\n"


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("ibm-simulated")
    (folder / "ibm-ar.toml").write_text(mapping(), encoding="utf-8")
    (folder / "strict.toml").write_text(STRICT, encoding="utf-8")
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
    days = ("--from", FIRST.isoformat(), "--to", LAST.isoformat(), "--late-days", "10")
    done = call("-c", config, "policy", "simulate", folder / "strict.toml", *days, "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out, parse_float=Decimal, parse_int=Decimal)
    return found


def by_hand(grace: int) -> dict[str, Decimal]:
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    mine: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        mine[row["customerID"]].append(row)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        on, amount = DAY(row["InvoiceDate"]), D(row["InvoiceAmount"])
        if not FIRST <= on <= LAST:
            continue
        stopped = any(
            DAY(other["InvoiceDate"]) <= on
            and not (other["SettledDate"] and DAY(other["SettledDate"]) <= on)
            and other["Disputed"] != "Yes"
            and (on - DAY(other["DueDate"])).days > grace
            for other in mine[row["customerID"]]
        )
        late = not row["SettledDate"] or DAY(row["SettledDate"]) > DAY(row["DueDate"]) + LATE
        found["sales"] += 1
        found["sales_value"] += amount
        if late:
            found["late_met" if stopped else "late_missed"] += amount
        if stopped:
            found["stopped"] += 1
            found["stopped_value"] += amount
            found["stopped_good"] += 0 if late else amount
    return found


@pytest.mark.parametrize(("place", "grace"), [(0, 30), (1, 5)], ids=["shipped", "strict"])
def test_what_a_policy_would_have_stopped_and_met(answer: dict[str, Any], place: int, grace: int) -> None:
    total, wanted = answer["policies"][place]["total"], by_hand(grace)
    assert (wanted["stopped"] > 0) is (grace == 5)  # nobody was undisputedly more than 30 days late and ordered again
    assert wanted["late_met"] + wanted["late_missed"] > 0
    for key in ("sales", "stopped"):
        assert total[key] == wanted[key]
    for key in ("sales_value", "late_met", "late_missed", "stopped_value", "stopped_good"):
        assert abs(total[key] - wanted[key]) <= D("0.5"), key  # told in whole units


def test_the_stricter_one_stops_more(answer: dict[str, Any]) -> None:
    shipped, strict = (policy["total"] for policy in answer["policies"])
    assert strict["stopped"] > shipped["stopped"]
    assert strict["late_met"] + strict["late_missed"] == shipped["late_met"] + shipped["late_missed"]
