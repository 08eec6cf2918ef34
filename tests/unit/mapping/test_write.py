"""Writing: our words in a system's own names, what is worth a call, and which fields must be made first."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import mapping as mappings
from connector.adapter import Need
from connector.mapping import Context, Mapping
from connector.mapping_write import band_labels

TEXT = """
adapter = "any"
[write.customer_fields.fields]
Credit_Limit = { from = "limit", field = { label = "Credit Limit", type = "money" } }
Status = { from = "level", values = { green = "Good", yellow = "Watch", orange = "Warning", red = "Stop" }, field = { label = "状态", type = "choice" } }
Overdue = { from = "overdue_days", band = [0, 30, 60, 90], field = { type = "choice" } }
Hold = { from = "hold", values = { true = "yes", false = "no" } }
Reason = { from = "hold_reason", default = "-", field = { type = "text", length = 10 } }
As_Of = { from = "as_of", quiet = true }
As_Of_Ms = { from = "as_of", convert = "epoch_ms", quiet = true }
Day = { from = "as_of", format = "%d/%m/%Y", quiet = true }
Kind = { value = "credit" }
No = { from = "customer_no", prefix = "ERP-", field = { type = "text", unique = true } }

[write.task.fields]
Subject = "subject"
Owner = "owner"
"""
WORDS: dict[str, object] = {
    "limit": Decimal("1000.00"),
    "level": "red",
    "overdue_days": 31,
    "hold": True,
    "hold_reason": "exceeds the limit by 5",
    "as_of": dt.date(2026, 11, 23),
    "customer_no": "C1",
}


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    made, problems = mappings.load(TEXT, name="any.toml")
    assert made is not None, problems
    return made


def test_the_values(mapping: Mapping) -> None:
    values, digest = mapping.write("customer_fields", WORDS, context=Context(time_zone="Asia/Shanghai"))
    assert values == {
        "Credit_Limit": Decimal("1000.00"),
        "Status": "Stop",
        "Overdue": "31-60",
        "Hold": "yes",
        "Reason": "exceeds t…",
        "As_Of": "2026-11-23",
        "As_Of_Ms": 1795363200000,  # 2026-11-22T16:00:00Z
        "Day": "23/11/2026",
        "Kind": "credit",
        "No": "ERP-C1",
    }
    assert digest


def test_what_is_absent_clears_its_field_but_not_in_a_task(mapping: Mapping) -> None:
    values, _ = mapping.write("customer_fields", {"hold": False})
    assert values["Credit_Limit"] is None
    assert (values["Hold"], values["Reason"]) == ("no", "-")
    assert mapping.write("task", {"subject": "Call", "owner": None})[0] == {"Subject": "Call"}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"as_of": dt.date(2026, 11, 24)}, True),
        ({"limit": Decimal(1000)}, True),
        ({"limit": Decimal("1E+3")}, True),
        ({"limit": Decimal("1000.01")}, False),
        ({"overdue_days": 60}, True),
        ({"overdue_days": 61}, False),
        ({"hold": False}, False),
        ({"limit": None}, False),
    ],
)
def test_only_what_matters_changes_the_digest(mapping: Mapping, change: dict[str, Any], same: bool) -> None:
    before = mapping.write("customer_fields", WORDS)[1]
    assert (mapping.write("customer_fields", {**WORDS, **change})[1] == before) is same


def test_nothing_mapped_is_nothing_to_write(mapping: Mapping) -> None:
    assert mapping.write("hold", {"hold": True}) == ({}, "")
    assert not mapping.writes_to("hold")
    assert mapping.writes_to("task")


def test_the_fields_that_must_be_made(mapping: Mapping) -> None:
    assert mapping.needs("customer_fields", "Accounts") == [
        Need("Accounts", "Credit_Limit", "Credit Limit", "money"),
        Need("Accounts", "Status", "状态", "choice", options=("Good", "Watch", "Warning", "Stop")),
        Need("Accounts", "Overdue", "Overdue", "choice", options=("0", "1-30", "31-60", "61-90", "91+")),
        Need("Accounts", "Reason", "Reason", "text", length=10),
        Need("Accounts", "No", "No", "text", unique=True),
    ]
    assert mapping.needs("hold", "Accounts") == []


@given(st.integers(min_value=-50, max_value=5000))
def test_a_number_is_in_exactly_the_band_that_names_it(days: int) -> None:
    mapping, _ = mappings.load(TEXT, name="any.toml")
    assert mapping is not None
    label = mapping.write("customer_fields", {"overdue_days": days})[0]["Overdue"]
    low, _, high = label.rstrip("+").partition("-")
    if label.endswith("+"):
        assert days >= int(low)
    elif high:
        assert int(low) <= days <= int(high)
    else:
        assert days <= int(low)


def test_bands_of_percent() -> None:
    assert band_labels([Decimal(50), Decimal(80), Decimal(100)]) == ["0-50", "51-80", "81-100", "101+"]
