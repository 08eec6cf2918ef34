"""Ageing: the buckets and their date boundaries, and one customer's open items sorted into them (domain 4).

The store sums whole books in SQL with the boundaries of `bounds`; `age` says the same in plain Python for the few items
that a person looks at, and is what the tests hold the SQL against.
"""

from __future__ import annotations

import calendar
import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from connector.credit.items import OpenItem as OpenItem
from connector.credit.items import open_items as open_items
from connector.credit.terms import due_date as due_date

Basis = Literal["due", "issue", "statutory"]
Placement = Literal["separate", "fifo", "own_bucket"]

ZERO = Decimal(0)
DUE_EDGES = (30, 60, 90)  # days past due
ISSUE_EDGES = (30, 60, 90, 180, 365)  # days since issue
STATUTORY_EDGES = (1, 2, 3, 4, 5)  # years since issue
_EDGES: dict[Basis, tuple[int, ...]] = {"due": DUE_EDGES, "issue": ISSUE_EDGES, "statutory": STATUTORY_EDGES}


# --- buckets ---------------------------------------------------------------------------------------------------------
def default_edges(basis: Basis = "due") -> tuple[int, ...]:
    """The usual boundaries of a basis: days, or years for the statutory one."""
    return _EDGES[basis]


def labels(edges: tuple[int, ...] | None = None, basis: Basis = "due") -> tuple[str, ...]:
    """Names of the buckets, youngest first, one more than there are `bounds`.

    Due: `current`, `1-30`, …, `91+`. Issue: `0-30`, `31-60`, …, `365+`. Statutory: `0-1y`, `1-2y`, …, `5y+`.
    The boundaries are right-closed: an item 30 days late is in `1-30`.
    """
    edges = edges or _EDGES[basis]
    if basis == "statutory":
        return (*(f"{low}-{high}y" for low, high in zip((0, *edges), edges, strict=False)), f"{edges[-1]}y+")
    between = [f"{low + 1}-{high}" for low, high in pairwise(edges)]
    if basis == "issue":
        return (f"0-{edges[0]}", *between, f"{edges[-1]}+")
    return ("current", f"1-{edges[0]}", *between, f"{edges[-1] + 1}+")


@lru_cache(maxsize=256)
def bounds(as_of: dt.date, edges: tuple[int, ...] | None = None, basis: Basis = "due") -> tuple[dt.date, ...]:
    """The earliest date that still belongs to each bucket but the last, in the order of `labels`.

    An item belongs to the first bucket whose bound is on or before its date: its due date, or its issue date by the
    other two bases. What is before every bound is in the last bucket; nothing falls out.
    """
    edges = edges or _EDGES[basis]
    if basis == "statutory":
        return tuple(_years_before(as_of, years) for years in edges)
    first = (0,) if basis == "due" else ()
    return tuple(as_of - dt.timedelta(days=days) for days in (*first, *edges))


def _years_before(as_of: dt.date, years: int) -> dt.date:
    """The earliest date that is not more than so many years ago (as_of ≤ date + years, 02-29 clamped to 02-28)."""
    year = as_of.year - years
    if (as_of.month, as_of.day) == (2, 29) and not calendar.isleap(year):
        return dt.date(year, 3, 1)
    return as_of.replace(year=year)


def bucket(day: dt.date, as_of: dt.date, edges: tuple[int, ...] | None = None, basis: Basis = "due") -> str:
    """The bucket of an item by its due date (basis due) or its issue date (basis issue, statutory)."""
    return labels(edges, basis)[_place(day, bounds(as_of, edges, basis))]


def _place(day: dt.date, limits: tuple[dt.date, ...]) -> int:
    # bounds fall, so their distances from `day` rise: the first bound at or before the day is found by bisection
    return bisect_left(limits, True, key=lambda bound: bound <= day)


# --- one customer's items --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Ageing:
    """Items of one currency in buckets. `unapplied` is zero or negative; `total` is the ledger balance."""

    buckets: dict[str, Decimal]
    unapplied: Decimal
    total: Decimal
    overdue: Decimal
    oldest_overdue_days: int


def day_of(item: OpenItem, basis: Basis) -> dt.date:
    """The date of an item that counts by a basis; an item without a due date is aged by its issue date."""
    return item.due_on or item.issued_on if basis == "due" else item.issued_on


def days_past_due(item: OpenItem, as_of: dt.date) -> int:
    """逾期天数: calendar days since the due date; zero or less while the item is not overdue."""
    return (as_of - day_of(item, "due")).days


def age(
    items: Iterable[OpenItem],
    as_of: dt.date,
    edges: tuple[int, ...] | None = None,
    basis: Basis = "due",
    placement: Placement = "separate",
) -> Ageing:
    """Sorts open items of one currency into buckets; bills of exchange stay out, they are no part of the balance.

    Unapplied credits stand in a column of their own (`separate`), in the bucket of their own date (`own_bucket`), or
    are netted against the earliest due debt first, then by issue date, then by id (`fifo`): only then do they lessen
    what is overdue. The total is the same each way. Raises TypeError for items of two currencies.
    """
    counted = [item for item in items if item.kind != "bill_of_exchange" and item.amount]
    if len({item.currency for item in counted}) > 1:
        raise TypeError("items of two currencies cannot be aged together: convert them first")
    credit = sum((item.amount for item in counted if item.amount < 0), ZERO)
    debts = [(item, item.amount) for item in counted if item.amount > 0]
    if placement == "fifo":
        debts, credit = _netted(debts, credit)

    limits = bounds(as_of, edges, basis)
    sums = [ZERO] * (len(limits) + 1)
    for item, rest in debts:
        sums[_place(day_of(item, basis), limits)] += rest
    if placement == "own_bucket":
        for item in counted:
            if item.amount < 0:
                sums[_place(day_of(item, basis), limits)] += item.amount
        credit = ZERO

    late = [(item, rest) for item, rest in debts if days_past_due(item, as_of) > 0]
    return Ageing(
        buckets=dict(zip(labels(edges, basis), sums, strict=True)),
        unapplied=credit,
        total=sum(sums, ZERO) + credit,
        overdue=sum((rest for _, rest in late), ZERO),
        oldest_overdue_days=max((days_past_due(item, as_of) for item, _ in late), default=0),
    )


def _netted(
    debts: Sequence[tuple[OpenItem, Decimal]], credit: Decimal
) -> tuple[list[tuple[OpenItem, Decimal]], Decimal]:
    left = []
    for item, rest in sorted(debts, key=lambda debt: (day_of(debt[0], "due"), debt[0].issued_on, debt[0].ref)):
        used = min(rest, -credit)
        credit += used
        if rest > used:
            left.append((item, rest - used))
    return left, credit
