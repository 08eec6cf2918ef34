"""Charges of dunning: late interest and fees, items of their own that no payment of the invoice makes vanish (domain 11)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.interest import Balances, late_interest
from connector.money import rounded
from connector.policy_dunning import Interest


@dataclass(frozen=True, slots=True)
class Claim:
    """Late interest to be claimed now: what has arisen from `from_on` to `to_on`, less what was claimed before.
    Negative where a payment turned out to be older than was known. `total` is all of it, `rate` a fraction of 1 per day."""

    from_on: dt.date
    to_on: dt.date
    rate: Decimal
    total: Decimal
    amount: Decimal


def interest_from(due_on: dt.date, rules: Interest) -> dt.date:
    """The first day that bears interest."""
    return due_on + dt.timedelta(days=rules.from_day)


def interest_claim(
    due_on: dt.date, course: Balances, currency: str, claimed: Decimal, rules: Interest, as_of: dt.date
) -> Claim | None:
    """The interest of one item that is not claimed yet; None where there is nothing to claim.

    `course` is what was open of it by day, `claimed` what earlier claims add up to. The sum over all days is rounded
    once; what is claimed now is the difference, so that claims never drift from it.
    """
    first = interest_from(due_on, rules)
    if not rules.on or as_of < first:
        return None
    total = rounded(late_interest(course, rules.rate_per_day, first, as_of), currency)
    amount = total - claimed
    return Claim(first, as_of, rules.rate_per_day, total, amount) if amount else None
