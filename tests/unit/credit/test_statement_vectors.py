"""The shared vectors of statement layouts and checks, against the public reading and checking functions."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.credit.statement_checks import arithmetic
from connector.credit.statement_labels import ITEMS, SHEET_OF
from connector.credit.statement_read import read_sheet
from connector.credit.statement_sheet import Sheet

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "financial-statements"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="shared/contracts/financial-statements is not beside the repository"
    ),
]
LAYOUTS = (
    "cas_balance_account_form", "cas_balance_in_ten_thousands", "cas_profit", "cas_profit_both_revenues",
    "small_enterprise_profit_monthly", "cash_flow", "old_labels", "uk_layout",
)  # fmt: skip
CHECKS = (
    "good", "unbalanced_by_one", "unbalanced", "part_over_total", "net_profit", "cash_flows", "negative_equity",
    "missing_item_is_no_finding",
)  # fmt: skip


def shared(part: str) -> dict[str, Any]:
    found = json.loads((FOLDER / "vectors.json").read_text("utf-8"))[part]
    return {one["name"]: one for one in found}


def decimal(amount: str | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def test_these_are_all_vectors() -> None:
    assert (set(shared("layouts")), set(shared("checks"))) == (set(LAYOUTS), set(CHECKS))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout(name: str) -> None:
    layout = shared("layouts")[name]
    read = read_sheet(Sheet(name, layout["rows"]))
    assert {x.item: (x.amount, x.opening, x.label) for x in read.lines} == {
        item: (decimal(want["amount"]), decimal(want["prior"]), want["label"])
        for item, want in layout["expect"].items()
    }
    labels = {x.cell: x.label for x in read.lines}
    twice = [f for f in read.findings if f.code == "twice"]
    assert [[f.code, f.item] for f in twice] == [problem[:2] for problem in layout["problems"]]
    for finding, problem in zip(twice, layout["problems"], strict=True):
        assert all(f"“{label}”" in finding.text.en for label in problem[2:])
        assert labels.keys() & set(finding.cells)
    if "单位" in str(layout["rows"]) or "£000" in str(layout["rows"]):
        assert read.unit == layout["header"]["unit"]


@pytest.mark.parametrize("name", CHECKS)
def test_a_check(name: str) -> None:
    check = shared("checks")[name]
    items = {item: Decimal(amount) for item, amount in check["items"].items() if amount is not None}
    assert [[f.code, f.level, f"{f.difference:f}"] for f in arithmetic(items)] == check["findings"]


def test_our_items_are_those_of_the_document_with_all_their_labels() -> None:
    told = json.loads((FOLDER / "items.json").read_text("utf-8"))["items"]
    assert [one["item"] for one in told] == list(ITEMS)
    for one in told:
        ours = ITEMS[one["item"]]
        assert SHEET_OF[one["item"]] == one["statement"]
        assert ours.total == (one["kind"] == "total")
        assert set(one["zh"]) <= set(ours.zh)
        assert set(one["en"]) <= set(ours.en)
        assert (tuple(one["ifrs_full"]), tuple(one["us_gaap"])) == (ours.ifrs, ours.us_gaap)
