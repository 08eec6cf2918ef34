"""Staged limits: which invoices belong to which tranche, and the share of them that the next one asks for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connector.credit.limit import effective
from connector.credit.stage import Behaviour, begun_on
from connector.model import Limit

TODAY = dt.date(2026, 11, 20)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def tranche(ref: str, condition: str | None = None, valid_from: str | None = None, **more: Any) -> Limit:
    first = day(valid_from) if valid_from else None
    return Limit(
        id=ref,
        customer_id="C",
        kind="stage",
        amount=100_00,
        currency="CNY",
        valid_from=first,
        condition=condition,
        **more,
    )


ASKING = tranche("T2", "paid>=80%", "2026-02-01")


@pytest.mark.parametrize(
    ("first", "released", "since"),
    [
        (tranche("T1", None, "2026-01-01"), {}, "2026-01-01"),
        (tranche("T1", "from:2026-01-15", "2026-01-01"), {}, "2026-01-15"),
        (tranche("T1", "late<=10 released:2026-01-20", "2026-01-01"), {}, "2026-01-20"),
        (tranche("T1", "late<=10", "2026-01-01"), {"T1": "2026-01-25"}, "2026-01-25"),
        (tranche("T1", None, "2026-01-01"), {"T1": "2026-01-25"}, "2026-01-01"),
        (tranche("T1"), {}, "0001-01-01"),
    ],
)
def test_a_tranche_begins_when_it_is_released(first: Limit, released: dict[str, str], since: str) -> None:
    begun = begun_on([ASKING, first], {ref: day(on) for ref, on in released.items()})
    assert begun == {"T1": (day(since), None)}


def test_a_tranche_that_waits_has_no_invoices_of_its_own() -> None:
    assert begun_on([tranche("T1", "late<=10", "2026-01-01"), ASKING], {}) == {}


def test_the_next_release_ends_the_days_of_a_tranche() -> None:
    first = tranche("T1", None, "2026-01-01")
    assert begun_on([first, ASKING], {"T2": day("2026-04-01")}) == {
        "T1": (day("2026-01-01"), day("2026-04-01")),
        "T2": (day("2026-04-01"), None),
    }
    on_one_day = begun_on([first, ASKING], {"T2": day("2026-01-01")})
    assert on_one_day["T1"] == (day("2026-01-01"), None), "both on one day: the invoices are the same ones"


def test_nothing_is_looked_up_where_no_condition_asks() -> None:
    assert begun_on([tranche("T1"), tranche("T2", "late<=10"), tranche("T3", "whatever")], {}) == {}


def test_each_tranche_asks_for_the_invoices_of_the_one_before() -> None:
    tranches = [tranche("T1", None, "2026-01-01"), ASKING, tranche("T3", "paid>=90%", "2026-03-01")]
    shares = {"T1": Decimal("0.80"), "T2": Decimal("0.89")}
    assert effective(tranches, TODAY, Behaviour(paid_of=shares)).amount == 200
    shares["T2"] = Decimal("0.90")
    assert effective(tranches, TODAY, Behaviour(paid_of=shares)).released == ("T1", "T2", "T3")
    shares["T1"] = Decimal("0.7999")
    assert effective(tranches, TODAY, Behaviour(paid_of=shares)).released == ("T1", "T3")


def test_without_an_invoice_before_it_nothing_is_known_and_nothing_released() -> None:
    tranches = [tranche("T1", None, "2026-01-01"), ASKING]
    assert effective(tranches, TODAY, Behaviour(late_days=0)).amount == 100
    first_asks = [tranche("T1", "paid>=1%", "2026-01-01")]
    assert effective(first_asks, TODAY, Behaviour(paid_of={"T1": Decimal(1)})).amount == 0, "there is none before"


def test_a_share_that_falls_suspends_what_was_released() -> None:
    tranches = [tranche("T1", None, "2026-01-01"), tranche("T2", "paid>=80% suspend:paid<50%", "2026-02-01")]
    released = frozenset({"T1", "T2"})
    fallen = Behaviour(released=released, paid_of={"T1": Decimal("0.49")})
    assert effective(tranches, TODAY, fallen).amount == 100
    assert effective(tranches, TODAY, Behaviour(released=released, paid_of={"T1": Decimal("0.5")})).amount == 200
