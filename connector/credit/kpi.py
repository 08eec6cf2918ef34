"""Receivable KPIs: plain numbers in, plain numbers out, unrounded unless said (domain 5).

Money of one currency in and out; ratios are fractions of 1 (0.25 = 25 %) except CEI and the payment index, which by
custom run to 100. None is "cannot be said" (nothing was sold, nothing was paid), which is not 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

ZERO = Decimal(0)
HUNDRED = Decimal(100)


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """part ÷ whole; None where the whole is not positive: a share of nothing has no meaning."""
    return part / whole if whole > 0 else None


# --- days sales outstanding ------------------------------------------------------------------------------------------
def dso(receivables: Decimal, sales: Decimal, days: int) -> Decimal | None:
    """Simple DSO: closing receivables ÷ credit sales of the period (tax in, credit notes out) × its days."""
    return receivables / sales * days if sales > 0 else None


@dataclass(frozen=True, slots=True)
class Month:
    """Credit sales of one calendar month (incl. tax, net of credit notes; may be negative) and its days."""

    sales: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class CountBack:
    """DSO by exhaustion. `exhausted`: the history was too short, so the true figure is higher than `days`."""

    days: Decimal
    exhausted: bool


def dso_count_back(receivables: Decimal, months: Iterable[Month]) -> CountBack:
    """Count-back DSO: whole months of sales are taken from the receivables, newest first.

    The month that more than covers the rest counts rest ÷ sales × its days. A month with sales ≤ 0 counts all its days
    and adds its (negative) sales back to the rest. Nothing receivable is 0 days.
    """
    rest, total = receivables, ZERO
    for month in months:
        if rest <= 0:
            break
        if month.sales > 0 and month.sales >= rest:
            return CountBack(total + rest / month.sales * month.days, False)
        rest -= month.sales
        total += month.days
    return CountBack(total, rest > 0)


def best_possible_dso(current: Decimal, sales: Decimal, days: int) -> Decimal | None:
    """The DSO there would be if nothing were overdue: receivables not overdue ÷ sales × days."""
    return dso(current, sales, days)


def average_days_delinquent(simple: Decimal | None, best: Decimal | None) -> Decimal | None:
    """ADD: simple DSO less best possible DSO."""
    return None if simple is None or best is None else simple - best


def collection_effectiveness(opening: Decimal, sales: Decimal, closing: Decimal, current: Decimal) -> Decimal | None:
    """CEI, 100 at best: (opening + sales − closing receivables) ÷ (opening + sales − closing current) × 100."""
    collectable = opening + sales - current
    return (opening + sales - closing) / collectable * HUNDRED if collectable > 0 else None


# --- payment behaviour -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Paid:
    """Part of an item that was paid: `days_late` is paid date − due date, negative when early.

    `discount`: within a discount period that was used; no system tells us of one, so that it counts as paid on terms. An
    open overdue item counts with its days past due so far.
    """

    amount: Decimal
    days_late: int
    discount: bool = False


@dataclass(frozen=True, slots=True)
class DaysLate:
    """Money-weighted average of days late: `signed` lets early payments offset late ones, `floored` counts them as 0."""

    signed: Decimal
    floored: Decimal


def weighted_days_late(payments: Sequence[Paid]) -> DaysLate | None:
    """Average days late, weighted by what was paid, so that part payments weigh by their size."""
    paid = sum((p.amount for p in payments), ZERO)
    if paid <= 0:
        return None
    signed = sum((p.amount * p.days_late for p in payments), ZERO)
    floored = sum((p.amount * max(p.days_late, 0) for p in payments), ZERO)
    return DaysLate(signed / paid, floored / paid)


# Days beyond terms → points, in the spirit of D&B PAYDEX; straight lines between, 0 from 180 days on.
POINTS = ((0, 80), (15, 70), (22, 60), (30, 50), (60, 40), (90, 30), (120, 20), (180, 0))
EARLY_DAYS = 20
EXPERIENCES_MIN = 3


def payment_points(paid: Paid) -> Decimal:
    """Points of one experience: 100 from 20 days early, 90 with a discount taken in time, 80 on terms, 0 at 180 late."""
    if paid.days_late <= -EARLY_DAYS:
        return HUNDRED
    if paid.discount and paid.days_late <= 0:
        return Decimal(90)
    if paid.days_late <= 0:
        return Decimal(80)
    for (low, above), (high, below) in pairwise(POINTS):
        if paid.days_late <= high:
            return above - Decimal(paid.days_late - low) * (above - below) / (high - low)
    return ZERO


def payment_index(experiences: Sequence[Paid]) -> Decimal | None:
    """付款指数 0–100, 80 = on terms: the money-weighted average of the points of 24 months.

    Open overdue items are experiences too, open items not due are none. None under three experiences.
    """
    weight = sum((e.amount for e in experiences), ZERO)
    if len(experiences) < EXPERIENCES_MIN or weight <= 0:
        return None
    return sum((e.amount * payment_points(e) for e in experiences), ZERO) / weight


@dataclass(frozen=True, slots=True)
class PromiseOutcome:
    """A promise to pay that has come due: what was promised, what came by its date plus grace."""

    promised: Decimal
    paid: Decimal


def promise_kept_rate(due: Sequence[PromiseOutcome]) -> Decimal | None:
    """Promises paid in full in time ÷ promises due, by number."""
    return Decimal(sum(p.paid >= p.promised for p in due)) / len(due) if due else None


# --- the shape of the ledger -----------------------------------------------------------------------------------------
def bucket_shares(buckets: Mapping[str, Decimal]) -> dict[str, Decimal | None]:
    """Each bucket ÷ all positive open items: percent current, 90+ and so on, as fractions."""
    whole = sum(buckets.values(), ZERO)
    return {name: ratio(amount, whole) for name, amount in buckets.items()}


def overdue_ratio(overdue: Decimal | int, total: Decimal | int) -> Decimal | None:
    """逾期率: overdue ÷ total open; by amount or by number of items, which are different KPIs."""
    return ratio(Decimal(overdue), Decimal(total))


def roll_rate(next_bucket: Decimal, bucket_before: Decimal) -> Decimal | None:
    """Bucket k+1 at month m+1 ÷ bucket k at month m. An empty opening bucket gives no observation, not 0."""
    return ratio(next_bucket, bucket_before)


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of all receivables sits with few customers: share of the largest `top`, and HHI = Σ share²."""

    top: int
    top_share: Decimal
    hhi: Decimal


def concentration(receivables: Iterable[Decimal], top: int = 10) -> Concentration | None:
    """Concentration over customers; customers in credit are left out, they are no claim."""
    owed = sorted((amount for amount in receivables if amount > 0), reverse=True)
    whole = sum(owed, ZERO)
    if whole <= 0:
        return None
    squares = sum((amount * amount for amount in owed), ZERO)
    return Concentration(top, sum(owed[:top], ZERO) / whole, squares / (whole * whole))


def turnover(sales: Decimal, opening: Decimal, closing: Decimal) -> Decimal | None:
    """应收账款周转率: sales ÷ the average of opening and closing receivables."""
    return ratio(sales, (opening + closing) / 2)


def turnover_days(rate: Decimal | None, year_days: int = 360) -> Decimal | None:
    """周转天数: 360 (or 365) ÷ turnover."""
    return None if rate is None or rate <= 0 else Decimal(year_days) / rate


def days_between(first: dt.date, last: dt.date) -> int:
    """Days of a period, both ends included: the `days` of a DSO."""
    return (last - first).days + 1
