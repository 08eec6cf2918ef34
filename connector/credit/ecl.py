"""Expected credit loss 预期信用损失: loss rates from a ledger's own past, and the allowance by a provision matrix (domain 12).

Buckets come in the order of `ageing.labels`, youngest first. Rates and factors are fractions of 1. Amounts are of one
currency and unrounded; whoever shows a sum rounds it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from connector.credit import kpi
from connector.money import EXACT

ZERO, ONE = Decimal(0), Decimal(1)

# Where a rate comes from: the segment's own past, the past of the whole book, or the policy's fixed rates.
Scope = Literal["segment", "book", "policy"]
Method = Literal["migration", "cohort", "fixed"]


@dataclass(frozen=True, slots=True)
class LossRate:
    """What share of a bucket is finally lost, and what that is known from.

    `observations` are month ends with an opening balance for a migration, months with due invoices for a cohort, 0 for a
    fixed rate.
    """

    rate: Decimal
    method: Method
    scope: Scope
    observations: int = 0


# --- cohort: finally unpaid ÷ what reached the bucket -----------------------------------------------------------------
def cohort_rates(reached: Sequence[Decimal], lost: Decimal) -> list[Decimal | None]:
    """The loss rate of each bucket; None where nothing has reached it: that is no observation, not 0.

    `reached` is what was invoiced, then what was unpaid at the end of the due date and of each bucket's last day but the
    last one's; `lost` is what was never paid.
    """
    return [None if balance <= 0 else min(max(EXACT.divide(lost, balance), ZERO), ONE) for balance in reached]


# --- migration: how balances roll from bucket to bucket ---------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Roll:
    """How much of a bucket is found in the next one a month later, on average (None: never observed)."""

    average: Decimal | None
    observations: int


def rolls(months: Sequence[Sequence[Decimal]], entered: Sequence[Decimal] | None = None) -> list[Roll]:
    """The average roll rate from each bucket but the last into the next, over consecutive month ends, oldest first.

    A bucket without an opening balance gives no observation (not 0). `entered` is what of the last bucket had come into it
    within the month, by month end: debts that nobody pays gather there for years, and do not roll once more each month (ours).
    """
    found = []
    last = len(months[0]) - 1 if months else 0
    for bucket in range(last):
        into = [month[bucket + 1] for month in months] if entered is None or bucket + 1 < last else entered
        seen = [
            rate
            for (before, _), (_, after) in pairwise(zip(months, into, strict=True))
            if (rate := kpi.roll_rate(after, before[bucket])) is not None
        ]
        average = EXACT.divide(sum(seen, ZERO), Decimal(len(seen))) if seen else None
        found.append(Roll(average, len(seen)))
    return found


def migration_rates(rolls: Sequence[Decimal], loss_given_last: Decimal) -> list[Decimal]:
    """迁徙率法: a bucket's loss rate is the product of the roll rates from it to the last, times the last one's loss.

    Never above 1, though a single roll rate may be (invoices that are issued and fall due within the month).
    """
    rates = [loss_given_last]
    for roll in reversed(rolls):
        rates.append(EXACT.multiply(rates[-1], roll))
    return [min(rate, ONE) for rate in reversed(rates)]


# --- which past is long enough ----------------------------------------------------------------------------------------
def by_migration(
    own: Sequence[Roll], book: Sequence[Roll], fixed: Sequence[Decimal], loss_given_last: Decimal, observations_min: int
) -> list[LossRate]:
    """The rate of each bucket from the rolls of a segment; where they are too few, from those of the whole book; where
    those are too few as well, the fixed one. `fixed` has a rate for each bucket."""
    rates = [LossRate(loss_given_last, "migration", "policy")]
    for place in range(len(fixed) - 2, -1, -1):
        after, found = rates[-1].rate, LossRate(fixed[place], "fixed", "policy")
        scopes: tuple[tuple[Sequence[Roll], Scope], ...] = ((own, "segment"), (book, "book"))
        for rolls, scope in scopes:
            roll = rolls[place] if place < len(rolls) else Roll(None, 0)
            if roll.average is not None and roll.observations >= observations_min:
                rate = min(EXACT.multiply(after, roll.average), ONE)
                found = LossRate(rate, "migration", scope, roll.observations)
                break
        rates.append(found)
    return rates[::-1]


@dataclass(frozen=True, slots=True)
class Past:
    """A cohort: what reached each bucket, what of it was never paid, and how many months' debts that were."""

    reached: tuple[Decimal, ...]
    lost: Decimal
    months: int


def by_cohort(own: Past | None, book: Past | None, fixed: Sequence[Decimal], observations_min: int) -> list[LossRate]:
    """The rate of each bucket from the cohort of a segment, else of the whole book, else the fixed one."""
    found = [LossRate(rate, "fixed", "policy") for rate in fixed]
    scopes: tuple[tuple[Past | None, Scope], ...] = ((book, "book"), (own, "segment"))
    for past, scope in scopes:
        if past is not None and past.months >= observations_min:
            for place, rate in enumerate(cohort_rates(past.reached, past.lost)):
                if rate is not None:
                    found[place] = LossRate(rate, "cohort", scope, past.months)
    return found


# --- the matrix -------------------------------------------------------------------------------------------------------
def allowance(balance: Decimal, rate: Decimal, factor: Decimal = ONE) -> Decimal:
    """balance × rate × factor, unrounded, never above the balance; a balance in the customer's favour needs none."""
    if balance <= 0:
        return ZERO
    return min(EXACT.multiply(EXACT.multiply(balance, rate), factor), balance)


@dataclass(frozen=True, slots=True)
class Cell:
    """One segment and bucket of the matrix. `base` is the balance that is provided for: without recoverable VAT."""

    segment: str
    bucket: str
    balance: Decimal
    base: Decimal
    rate: LossRate
    factor: Decimal

    @property
    def allowance(self) -> Decimal:
        """准备: unrounded."""
        return allowance(self.base, self.rate.rate, self.factor)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A customer assessed by itself 单项计提: its open items stand outside the matrix."""

    system: str
    customer: str
    name: str
    balance: Decimal
    base: Decimal
    rate: Decimal
    why: str

    @property
    def allowance(self) -> Decimal:
        """准备: unrounded."""
        return allowance(self.base, self.rate)


def without_vat(balance: Decimal, vat_percent: Decimal) -> Decimal:
    """A balance without the VAT in it that can be recovered when the debt goes bad, unrounded."""
    return EXACT.divide(balance, 1 + vat_percent / 100) if vat_percent else balance


def matrix(
    segment: str,
    buckets: Sequence[str],
    balances: Sequence[Decimal],
    rates: Sequence[LossRate],
    factor: Decimal = ONE,
    vat_percent: Decimal = ZERO,
) -> list[Cell]:
    """The cells of one segment. Raises ValueError where there is not a balance and a rate for each bucket."""
    return [
        Cell(segment, bucket, balance, without_vat(balance, vat_percent), rate, factor)
        for bucket, balance, rate in zip(buckets, balances, rates, strict=True)
    ]


def total(parts: Iterable[Cell | Assessed]) -> Decimal:
    """The allowance of many together, unrounded: it is rounded once, when it is shown."""
    return sum((part.allowance for part in parts), ZERO)


@dataclass(frozen=True, slots=True)
class Movement:
    """Why an allowance changed between two days: other balances at the old rates, then other rates on the new ones."""

    opening: Decimal
    by_balance: Decimal
    by_rate: Decimal
    closing: Decimal


def movement(before: Sequence[Cell], after: Sequence[Cell]) -> Movement:
    """The movement of one segment's matrix. Cells of a bucket that was not there before count as none at its new rate."""
    old = {cell.bucket: cell for cell in before}
    opening, closing = total(before), total(after)
    at_old_rates = ZERO
    for cell in after:
        was = old.get(cell.bucket, cell)
        at_old_rates += allowance(cell.base, was.rate.rate, was.factor)
    return Movement(opening, at_old_rates - opening, closing - at_old_rates, closing)
