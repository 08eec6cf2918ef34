"""Late interest: simple, per day, on the balance of that day (domain 11).

The day of a payment belongs to the reduced balance; first and last day both count. Interest on a debt is a claim of its
own: it does not vanish when the debt is paid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from connector.money import EXACT

ZERO = Decimal(0)
# The balance of a debt from a day on, until the next of its list; days rise.
Balances = Sequence[tuple[dt.date, Decimal]]


def after_payments(
    principal: Decimal, payments: Iterable[tuple[dt.date, Decimal]], since: dt.date
) -> list[tuple[dt.date, Decimal]]:
    """The balances of a debt from a day on, with payments of (day, amount) taken off; earlier ones lessen the first."""
    paid = sorted(payments)
    balance = principal - sum((amount for on, amount in paid if on <= since), ZERO)
    found = [(since, balance)]
    for on, amount in paid:
        if on > since:
            balance -= amount
            if found[-1][0] == on:
                found.pop()
            found.append((on, balance))
    return found


def late_interest(balances: Balances, rate_per_day: Decimal, first: dt.date, last: dt.date) -> Decimal:
    """Interest from `first` to `last`, both included, unrounded; a balance below zero bears none.

    `rate_per_day` is a fraction of 1: 0.0005 is 0.05 % a day. Before the first of the balances nothing is owed.
    """
    sum_of_days = ZERO
    for place, (since, balance) in enumerate(balances):
        until = balances[place + 1][0] - dt.timedelta(days=1) if place + 1 < len(balances) else last
        days = (min(until, last) - max(since, first)).days + 1
        if days > 0 and balance > 0:
            sum_of_days = EXACT.add(sum_of_days, EXACT.multiply(balance, Decimal(days)))
    return EXACT.multiply(sum_of_days, rate_per_day)
