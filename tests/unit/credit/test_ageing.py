"""Buckets: E6, their boundaries by all three bases, and E8, the placement of unapplied credits."""

import datetime as dt
from decimal import Decimal

import pytest

from connector.credit.ageing import OpenItem, age, bounds, bucket, default_edges, labels

DAY = dt.date.fromisoformat
AS_OF = DAY("2026-11-23")


def item(
    ref: str, amount: str, issued_on: str, due_on: str | None = None, kind: str = "invoice", currency: str = "CNY"
) -> OpenItem:
    return OpenItem(ref, ref, kind, DAY(issued_on), DAY(due_on) if due_on else None, currency, Decimal(amount))


def test_names() -> None:
    assert labels() == ("current", "1-30", "31-60", "61-90", "91+")
    assert labels(basis="issue") == ("0-30", "31-60", "61-90", "91-180", "181-365", "365+")
    assert labels(basis="statutory") == ("0-1y", "1-2y", "2-3y", "3-4y", "4-5y", "5y+")
    assert labels((15,)) == ("current", "1-15", "16+")


@pytest.mark.parametrize("basis", ["due", "issue", "statutory"])
def test_there_is_one_bound_fewer_than_names(basis: str) -> None:
    for edges in (None, (7,), (1, 2, 3, 4)):
        assert len(bounds(AS_OF, edges, basis)) == len(labels(edges, basis)) - 1  # type: ignore[arg-type]
    assert len(default_edges("due")) == 3


@pytest.mark.parametrize(
    ("due_on", "expected"),
    [
        ("2026-11-24", "current"),
        ("2026-11-23", "current"),  # due today is not overdue
        ("2026-11-22", "1-30"),
        ("2026-10-24", "1-30"),
        ("2026-10-23", "31-60"),
        ("2026-09-24", "31-60"),
        ("2026-09-23", "61-90"),
        ("2026-08-25", "61-90"),
        ("2026-08-24", "91+"),
        ("1999-01-01", "91+"),
        ("2099-01-01", "current"),
    ],
)
def test_e6_by_due_date(due_on: str, expected: str) -> None:
    assert bucket(DAY(due_on), AS_OF) == expected


@pytest.mark.parametrize(
    ("age_days", "expected"),
    [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "91-180"),
     (180, "91-180"), (181, "181-365"), (365, "181-365"), (366, "365+"), (5000, "365+")],
)  # fmt: skip
def test_by_issue_date(age_days: int, expected: str) -> None:
    assert bucket(AS_OF - dt.timedelta(days=age_days), AS_OF, basis="issue") == expected


@pytest.mark.parametrize(
    ("as_of", "issued_on", "expected"),
    [
        ("2026-11-23", "2025-11-23", "0-1y"),  # 1年以内（含1年）
        ("2026-11-23", "2025-11-22", "1-2y"),
        ("2026-11-23", "2024-11-23", "1-2y"),
        ("2026-11-23", "2021-11-23", "4-5y"),
        ("2026-11-23", "2021-11-22", "5y+"),
        ("2025-02-28", "2024-02-29", "0-1y"),  # 02-29 + 1 year is 02-28
        ("2025-03-01", "2024-02-29", "1-2y"),
        ("2024-02-29", "2023-03-01", "0-1y"),
        ("2024-02-29", "2023-02-28", "1-2y"),
    ],
)
def test_statutory_years(as_of: str, issued_on: str, expected: str) -> None:
    assert bucket(DAY(issued_on), DAY(as_of), basis="statutory") == expected


# --- E8: 6,000 (115 days late), 4,000 (53 days), 5,000 (not due), credits 8,500 ---
E8 = [
    item("I1", "6000", "2026-07-01", "2026-07-31"),
    item("I2", "4000", "2026-09-01", "2026-10-01"),
    item("I3", "5000", "2026-11-01", "2026-12-01"),
    item("C1", "-1500", "2026-10-05", "2026-10-05", "credit_note"),
    item("P1", "-7000", "2026-11-20", "2026-11-20", "receipt"),
]


def nonzero(buckets: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in buckets.items() if amount}


def test_e8_separate() -> None:
    aged = age(E8, AS_OF)
    assert nonzero(aged.buckets) == {"91+": "6000", "31-60": "4000", "current": "5000"}
    assert (aged.unapplied, aged.total) == (-8500, 6500)
    assert (aged.overdue, aged.oldest_overdue_days) == (10000, 115)


def test_e8_fifo() -> None:
    aged = age(E8, AS_OF, placement="fifo")
    assert nonzero(aged.buckets) == {"31-60": "1500", "current": "5000"}
    assert (aged.unapplied, aged.total) == (0, 6500)
    assert (aged.overdue, aged.oldest_overdue_days) == (1500, 53)


def test_e8_own_bucket() -> None:
    aged = age(E8, AS_OF, placement="own_bucket")
    # C1 is 49 days old, P1 three
    assert nonzero(aged.buckets) == {"91+": "6000", "31-60": "2500", "1-30": "-7000", "current": "5000"}
    assert (aged.unapplied, aged.total) == (0, 6500)
    assert (aged.overdue, aged.oldest_overdue_days) == (10000, 115)


def test_fifo_keeps_what_no_debt_can_take() -> None:
    aged = age([item("I", "100", "2026-01-01", "2026-02-01"), item("P", "-130", "2026-03-01")], AS_OF, placement="fifo")
    assert nonzero(aged.buckets) == {}
    assert (aged.unapplied, aged.total, aged.overdue, aged.oldest_overdue_days) == (-30, -30, 0, 0)


def test_fifo_goes_by_due_date_then_issue_date() -> None:
    items = [
        item("B", "10", "2026-02-01", "2026-10-30"),
        item("A", "10", "2026-03-01", "2026-10-30"),
        item("C", "10", "2026-09-01", "2026-09-30"),
        item("P", "-20", "2026-11-01"),
    ]
    # C was due first, then B, which was issued before A
    aged = age(items, AS_OF, basis="issue", placement="fifo")
    assert nonzero(aged.buckets) == {"181-365": "10"}


def test_an_item_without_a_due_date_is_aged_by_its_issue_date() -> None:
    assert nonzero(age([item("I", "7", "2026-10-23")], AS_OF).buckets) == {"31-60": "7"}


def test_what_is_due_today_is_not_overdue() -> None:
    aged = age([item("I", "7", "2026-10-01", "2026-11-23")], AS_OF)
    assert (aged.overdue, aged.oldest_overdue_days) == (0, 0)
    aged = age([item("I", "7", "2026-10-01", "2026-11-22")], AS_OF)
    assert (aged.overdue, aged.oldest_overdue_days) == (7, 1)


def test_bills_of_exchange_are_no_part_of_the_balance() -> None:
    aged = age([item("B", "500", "2026-01-01", "2026-02-01", "bill_of_exchange")], AS_OF)
    assert (aged.total, aged.overdue) == (0, 0)


def test_an_over_applied_invoice_is_a_credit() -> None:
    assert age([item("I", "-5", "2026-01-01", "2026-02-01")], AS_OF).unapplied == -5


def test_two_currencies_are_not_added() -> None:
    with pytest.raises(TypeError, match="two currencies"):
        age([item("A", "1", "2026-01-01"), item("B", "1", "2026-01-01", currency="USD")], AS_OF)
