"""The same order in the CRM and in the ledger is one order, whichever of the two knows the other's number."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector.model import Customer
from connector.store.db import Store
from connector.store.order_values import OrderRow
from jobs.order_names import firsts, named, stands_for
from tests.jobs.shop import Shop, config
from tests.jobs.test_order_together import in_the_crm
from tests.store.conftest import store as store

DAY = dt.date(2026, 11, 20)


def row(key: int, system: str, ref: str, number: str | None = None, **more: Any) -> OrderRow:
    given: dict[str, Any] = {"status": "open", "currency": "CNY", "total": Decimal(100), **more}
    return OrderRow(
        key, system, ref, number, 1, 1, given.pop("status"), given.pop("currency"), given.pop("total"), Decimal(100),
        Decimal(0), DAY, None, **given,
    )  # fmt: skip


def names(*rows: OrderRow, ledgers: tuple[str, ...] = ("erp",)) -> list[str]:
    return [one.name for one in named(ledgers, rows)]


@pytest.mark.parametrize(
    ("ledger", "crm"),
    [
        ({"ref": "107", "number": "S7"}, {"ref": "5540", "number": "S7"}),
        ({"ref": "107", "number": "S7", "reference": "SO-1"}, {"ref": "5540", "number": "SO-1"}),
        ({"ref": "107", "number": "S7"}, {"ref": "5540", "number": "SO-1", "reference": "S7"}),
        ({"ref": "107", "number": "S7", "reference": "PO 9"}, {"ref": "5540", "number": "SO-1", "reference": "PO 9"}),
        ({"ref": "107", "number": None}, {"ref": "5540", "number": "107"}),
    ],
)
def test_one_name_where_either_knows_the_others_number(ledger: dict[str, Any], crm: dict[str, Any]) -> None:
    found = names(row(1, "erp", **ledger), row(2, "crm", **crm))
    assert found == [ledger["number"] or ledger["ref"]] * 2


def test_what_nothing_joins_stays_two_orders() -> None:
    assert names(row(1, "erp", "107", "S7", reference="PO 9"), row(2, "crm", "5540", "SO-1")) == ["S7", "SO-1"]
    assert names(row(1, "erp", "107", "S7"), row(2, "erp2", "107", "S7"), ledgers=("erp", "erp2")) == ["S7", "erp2/S7"]


def test_an_order_that_the_ledger_split_in_two_stays_two_there() -> None:
    rows = named(["erp"], [row(1, "erp", "1", "S1", reference="SO-1"), row(2, "erp", "2", "S2", reference="SO-1"), row(3, "crm", "9", "SO-1")])  # fmt: skip
    first = firsts(SimpleNamespace(systems=["erp"]), rows)  # type: ignore[arg-type]
    assert [stands_for(first, one).key for one in rows] == [1, 2, 1]


@pytest.mark.parametrize(
    ("ledger", "crm", "stands"),
    [("open", "open", 1), ("draft", "open", 2), ("draft", "draft", 1), ("open", "draft", 1)],
)
def test_the_open_one_stands_and_of_two_alike_that_of_the_ledger(ledger: str, crm: str, stands: int) -> None:
    rows = named(
        ["erp"], [row(1, "erp", "1", "S1", status=ledger), row(2, "crm", "9", "S1", status=crm, currency="USD")]
    )
    first = firsts(SimpleNamespace(systems=["erp"]), rows)  # type: ignore[arg-type]
    assert [stands_for(first, one).key for one in rows] == [stands, stands]


def test_two_orders_of_one_system_with_the_same_number_are_two() -> None:
    rows = named(["erp"], [row(1, "crm", "1", "Chairs"), row(2, "crm", "2", "Chairs"), row(3, "erp", "3", "S3")])
    first = firsts(SimpleNamespace(systems=["erp"]), rows)  # type: ignore[arg-type]
    assert [stands_for(first, one).key for one in rows] == [1, 2, 3]


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    made = Shop(store, config(tmp_path))
    made.customers(Customer(id="C1", name="C1", currency="CNY"), limits={"C1": 100})
    return made


def test_an_order_that_went_from_the_crm_to_the_ledger_takes_credit_once(shop: Shop) -> None:
    in_the_crm(shop, "77", "SO-1", 80)
    shop.order("B1", "C1", 80, number="S1", reference="SO-1")
    done = shop.check("B1")
    assert not done.hold
    assert shop.states() == {"B1": "passed"}
    assert not shop.check("crm/77").hold


def test_a_quote_of_the_ledger_does_not_fight_with_the_same_order_of_the_crm(shop: Shop) -> None:
    in_the_crm(shop, "77", "SO-1", 80)
    shop.order("B1", "C1", 80, reference="SO-1", status="draft")
    shop.run()
    assert shop.states() == {"77": "passed"}
    assert not shop.check("B1").hold
    shop.order("B1", "C1", 80, number="S1", reference="SO-1")
    shop.run()
    assert shop.states()["B1"] == "passed"
