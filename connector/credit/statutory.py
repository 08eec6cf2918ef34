"""Statutory payment terms: by when public bodies and large companies in China must pay a smaller supplier.

保障中小企业款项支付条例 (State Council, in force since 2025-06-01), arts. 3, 9, 10, 15, 17, by domain 11. Size is that at
the signing of the contract. Where a size or the day of delivery is not known, there is no clock: unknown is not "small".
This is a calendar, not legal advice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from connector.credit.debt import Debt
from connector.policy_dunning import STATUTORY_PERCENT_PER_DAY, Dunning, Interest
from connector.text import Text

# What the debtor was when the contract was signed: a public body (机关、事业单位), a large, medium, small or micro company.
Debtor = Literal["public", "large", "medium", "small", "micro"]
Size = Literal["large", "medium", "small", "micro"]

DAYS_PUBLIC = 30
DAYS_PUBLIC_MOST = 60
DAYS_LARGE = 60
DEFAULT_RATE_PER_DAY = STATUTORY_PERCENT_PER_DAY / 100
_PROTECTED = frozenset({"medium", "small", "micro"})
_BOUND = frozenset({"public", "large"})


@dataclass(frozen=True, slots=True)
class Clock:
    """The day by which payment is due by law, the article, and a sentence for a letter."""

    starts_on: dt.date
    days: int
    pay_by: dt.date
    article: str
    text: Text


def payment_clock(
    creditor: Size | None,
    debtor: Debtor | None,
    delivered_on: dt.date | None,
    *,
    accepted_on: dt.date | None = None,
    agreed_days: int | None = None,
) -> Clock | None:
    """The statutory clock of one delivery; None where the regulation does not apply or a fact is not known.

    `accepted_on` is the day of acceptance where the contract has such a clause: the term runs from it (art. 10).
    `agreed_days` is the contract's own term. With a public body it counts up to 60 days; with a large company any
    reasonable one counts, so that a longer one is kept; without one the law's own days do.
    """
    starts_on = accepted_on or delivered_on
    if creditor is None or debtor is None or starts_on is None or creditor == "large":
        return None
    if debtor == "public":
        days = DAYS_PUBLIC if agreed_days is None else min(agreed_days, DAYS_PUBLIC_MOST)
        sentence = PUBLIC
    elif debtor == "large":
        days = DAYS_LARGE if agreed_days is None else agreed_days
        sentence = LARGE
    else:
        return None
    pay_by = starts_on + dt.timedelta(days=days)
    return Clock(starts_on, days, pay_by, "9", sentence.fill(start=starts_on, days=days, day=pay_by))


def statutory_rate_per_day(agreed: Decimal | None, one_year_lpr: Decimal | None = None) -> Decimal:
    """Late interest per day as a fraction of 1 (art. 17): the agreed rate where there is one, yet not below the one-year
    loan prime rate at signing (a fraction of 1 per year, 365 days); without an agreement 0.05 % a day."""
    if agreed is None:
        return DEFAULT_RATE_PER_DAY
    return agreed if one_year_lpr is None else max(agreed, one_year_lpr / 365)


def clock_of(debt: Debt, rules: Dunning) -> Clock | None:
    """The clock of an invoice, where the policy says what either side was and that invoices bear the day of delivery.

    The contract's own term is that to the due date. A due date before the delivery is no term of payment for it. Dunning
    and late interest go by the due date all the same: where the law's day is earlier, less is claimed, never more.
    """
    known = rules.statutory
    if (
        debt.kind != "invoice"
        or known.invoiced == "unknown"
        or known.creditor == "unknown"
        or known.debtor == "unknown"
    ):
        return None
    agreed = None if debt.due_on is None else (debt.due_on - debt.issued_on).days
    if agreed is not None and agreed < 0:
        return None
    return payment_clock(known.creditor, known.debtor, debt.issued_on, agreed_days=agreed)


def interest_of(rules: Dunning) -> Interest:
    """The rules of late interest: an agreed rate is not below the one-year loan prime rate where the regulation binds the
    customer. The daily rate is that of a year of 365 days."""
    own, known = rules.interest, rules.statutory
    if own.basis != "agreed" or known.creditor not in _PROTECTED or known.debtor not in _BOUND:
        return own
    rate = statutory_rate_per_day(own.rate_per_day, known.one_year_lpr_percent / 100)
    return own if rate == own.rate_per_day else own.model_copy(update={"agreed_percent_per_day": rate * 100})


PUBLIC = Text(
    "By art. 9 of the Regulation on Ensuring Payments to Small and Medium-sized Enterprises, payment was due within "
    "{days} days of {start}, that is by {day}.",
    "依据《保障中小企业款项支付条例》第九条，贵单位应自 {start} 起 {days} 日内付款，即最迟于 {day} 前支付。",
)
LARGE = Text(
    "By art. 9 of the Regulation on Ensuring Payments to Small and Medium-sized Enterprises, payment was due within "
    "{days} days of {start}, that is by {day}; it may not be made to depend on a payment by third parties.",
    "依据《保障中小企业款项支付条例》第九条，贵公司应自 {start} 起 {days} 日内付款，即最迟于 {day} 前支付，"
    "且不得以收到第三方付款作为付款条件。",
)
