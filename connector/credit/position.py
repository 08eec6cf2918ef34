"""The position: what one customer owes and has on order on one day, aged, against the limit (domain 1, 3).

Rows of several currencies (and of several ERP customers, where they are one debtor) come in; each figure is converted
unrounded at the day's rate, added, and rounded once. What cannot be converted is not guessed: it stays out of the
figures, and the position says in `unclear` that nothing may be decided on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from connector.credit.ageing import Basis, Placement, labels
from connector.credit.limit import Effective, added
from connector.credit.rates import Quote, Rates
from connector.credit.reason import Reason, money
from connector.credit.totals import Totals
from connector.money import EXACT, exponent, rounded
from connector.policy import Exposure as Counting
from connector.policy import Policy
from connector.text import Text

ZERO, ONE = Decimal(0), Decimal(1)
SHARE = Decimal("0.0001")


# Positions and totals are made by the hundred thousand, which is why they are not frozen (half the time); nobody changes one.
@dataclass(slots=True)
class Exposure:
    """信用占用 by component, in the position's currency; a component that the policy leaves out is 0.

    `unapplied_cash` and `unapplied_credit_notes` are zero or negative; `total` may be negative (a customer in credit).
    """

    open_receivables: Decimal = ZERO
    unapplied_cash: Decimal = ZERO
    unapplied_credit_notes: Decimal = ZERO
    delivered_not_invoiced: Decimal = ZERO
    ordered_not_delivered: Decimal = ZERO
    bills: Decimal = ZERO
    drafts: Decimal = ZERO
    total: Decimal = ZERO


@dataclass(slots=True)
class Position:
    """One customer's figures of one day, in `currency`.

    `unapplied` is zero or negative; `balance` is buckets and unapplied together. `overdue_days` are days past due of
    the oldest item, 0 where nothing is overdue; the `undisputed_` twins leave disputed amounts out. `open_total` is the
    sum of the open debts, which ratios of overdue are taken of. `limit_amount` is the limit in `currency`, None where
    it is none, unlimited, or cannot be converted; then `available` and `utilisation` (4 decimals, 1 = 100 %) are None
    too. `unit` is one unit of the reporting currency in `currency` (1 where they are the same, None without a rate):
    the policy's amounts are multiplied by it. `unclear` says why nothing can be decided.
    """

    customer: int
    currency: str
    as_of: dt.date
    buckets: dict[str, Decimal]
    unapplied: Decimal
    balance: Decimal
    overdue: Decimal
    overdue_days: int
    undisputed_overdue: Decimal
    undisputed_overdue_days: int
    disputed: Decimal
    exposure: Exposure
    limit: Effective
    limit_amount: Decimal | None
    available: Decimal | None
    utilisation: Decimal | None
    open_total: Decimal = ZERO
    unit: Decimal | None = ONE
    unclear: tuple[Reason, ...] = ()


def position(
    customer: int,
    currency: str,
    totals: Sequence[Totals],
    limit: Effective,
    rates: Rates,
    as_of: dt.date,
    policy: Policy,
    edges: tuple[int, ...] | None = None,
    basis: Basis | None = None,
    placement: Placement | None = None,
) -> Position:
    """The position of a customer from its rows of totals; edges, basis and placement are those the rows were made by.

    Raises ValueError where a row has another number of buckets than the edges make.
    """
    names = _names(edges or policy.ageing.edges(basis), basis or policy.ageing.basis)
    count = len(names)
    fifo = (placement or policy.ageing.placement) == "fifo"
    sums = _by_currency(totals, count, policy.exposure, fifo)
    unclear = _without_due_date(totals, policy)
    if limit.no_rate or limit.unread:
        unclear += _limit_unclear(limit, currency, as_of)
    if not sums or (len(sums) == 1 and currency in sums):
        figures = _own(sums.get(currency), count, currency)
    else:
        figures = _converted(sums, count, currency, rates, as_of, unclear)

    unapplied, balance, overdue, undisputed, disputed, open_total = figures[count : count + 6]
    exposure = Exposure(*figures[count + 6 :])
    limit_amount = _in_currency(limit, currency, rates, as_of, unclear)
    oldest = undisputed_oldest = as_of
    for row in totals:
        if row.oldest_due_on and row.oldest_due_on < oldest:
            oldest = row.oldest_due_on
        if row.undisputed_oldest_due_on and row.undisputed_oldest_due_on < undisputed_oldest:
            undisputed_oldest = row.undisputed_oldest_due_on
    available = utilisation = None
    if limit_amount is not None and not (unclear and any(reason.rule == "no_rate" for reason in unclear)):
        available = limit_amount - exposure.total
        utilisation = share(exposure.total, limit_amount)
    return Position(
        customer,
        currency,
        as_of,
        dict(zip(names, figures, strict=False)),
        unapplied,
        balance,
        overdue,
        (as_of - oldest).days,
        undisputed,
        (as_of - undisputed_oldest).days,
        disputed,
        exposure,
        limit,
        limit_amount,
        available,
        utilisation,
        open_total,
        ONE if rates.base == currency else rates.rate(rates.base, currency, as_of),
        tuple(unclear),
    )


def combine(positions: Sequence[Position]) -> Position:
    """The positions of several ERP customers that are one debtor, as one; the first one gives customer and currency.

    Their limits add up (`limit.added`). Raises TypeError where they are not of one currency and day: then give
    `position` the rows of all of them instead, so that each figure is still rounded only once.
    """
    first = positions[0]
    if len(positions) == 1:
        return first
    if any((other.currency, other.as_of) != (first.currency, first.as_of) for other in positions):
        raise TypeError("positions of two currencies or days cannot be added")

    def total(figure: str) -> Decimal:
        return sum((getattr(p, figure) for p in positions), ZERO)

    unclear = tuple(reason for p in positions for reason in p.unclear)
    exposure = Exposure(
        *(sum((getattr(p.exposure, name) for p in positions), ZERO) for name in Exposure.__dataclass_fields__)
    )
    limit = added([p.limit for p in positions], first.as_of)
    known = [p.limit_amount for p in positions if p.limit.kind == "amount"]
    limit_amount = None
    if limit.kind == "amount" and None not in known:
        limit_amount = sum((amount for amount in known if amount is not None), ZERO)
    decidable = limit_amount is not None and not any(reason.rule == "no_rate" for reason in unclear)
    return replace(
        first,
        buckets={name: sum((p.buckets[name] for p in positions), ZERO) for name in first.buckets},
        unapplied=total("unapplied"),
        balance=total("balance"),
        overdue=total("overdue"),
        overdue_days=max(p.overdue_days for p in positions),
        undisputed_overdue=total("undisputed_overdue"),
        undisputed_overdue_days=max(p.undisputed_overdue_days for p in positions),
        disputed=total("disputed"),
        exposure=exposure,
        limit=limit,
        limit_amount=limit_amount,
        available=limit_amount - exposure.total if decidable and limit_amount is not None else None,
        utilisation=share(exposure.total, limit_amount) if decidable else None,
        open_total=total("open_total"),
        unclear=unclear,
    )


def share(part: Decimal, whole: Decimal | None) -> Decimal | None:
    """A ratio to four decimals, half up; None where the whole is not known or not positive."""
    if whole is None or whole <= 0:
        return None
    return EXACT.quantize(EXACT.divide(part, whole), SHARE) + ZERO  # no minus zero


# --- figures: the buckets, six sums, then the eight of the exposure, in this order ---------------------------------
_Figures = list[Decimal]
_AFTER_BUCKETS = 14


@lru_cache(maxsize=64)
def _names(edges: tuple[int, ...] | None, basis: Basis) -> tuple[str, ...]:
    return labels(edges, basis)


def _figures(row: Totals, count: int, counting: Counting, fifo: bool) -> list[int | Decimal]:
    """The figures of one row, in minor units of its currency, unrounded."""
    if len(row.buckets) != count:
        raise ValueError(f"{len(row.buckets)} buckets where there are {count} names")
    unapplied = -row.unapplied_cash - row.unapplied_notes
    aged = sum(row.buckets)
    cash = -row.cash if counting.unapplied_cash else 0
    notes = -row.notes if counting.unapplied_credit_notes else 0
    bills = (row.bills_commercial if counting.bills_commercial else 0) + (row.bills_bank if counting.bills_bank else 0)
    drafts = row.drafts if counting.draft_invoices else 0
    delivered = row.delivered_not_invoiced if counting.delivered_not_invoiced else ZERO
    ordered = row.ordered_not_delivered if counting.ordered_not_delivered else ZERO
    total: int | Decimal = row.receivables + cash + notes + bills + drafts
    if delivered or ordered:
        total = EXACT.add(EXACT.add(Decimal(total), delivered), ordered)
    return [
        *row.buckets,
        unapplied,
        aged + unapplied,
        row.overdue,
        row.undisputed_overdue,
        row.disputed,
        aged if fifo else row.receivables,
        row.receivables,
        cash,
        notes,
        delivered,
        ordered,
        bills,
        drafts,
        total,
    ]


def _by_currency(
    totals: Sequence[Totals], count: int, counting: Counting, fifo: bool
) -> dict[str, list[int | Decimal]]:
    sums: dict[str, list[int | Decimal]] = {}
    for row in totals:
        figures = _figures(row, count, counting, fifo)
        before = sums.get(row.currency)
        if before:
            figures = [EXACT.add(Decimal(a), Decimal(b)) for a, b in zip(before, figures, strict=True)]
        sums[row.currency] = figures
    return sums


def _own(figures: list[int | Decimal] | None, count: int, currency: str) -> _Figures:
    """Figures that need no conversion: only orders may have fractions of a minor unit."""
    nothing = _nothing(currency)
    if figures is None:
        return [nothing] * (count + _AFTER_BUCKETS)
    places = -exponent(currency)
    return [
        nothing
        if not x
        else Decimal(x).scaleb(places, EXACT)
        if x.__class__ is int
        else EXACT.to_integral_value(Decimal(x)).scaleb(places, EXACT) + ZERO  # no minus zero
        for x in figures
    ]


@lru_cache(maxsize=256)
def _nothing(currency: str) -> Decimal:
    return rounded(ZERO, currency)


def _converted(
    sums: dict[str, list[int | Decimal]], count: int, currency: str, rates: Rates, as_of: dt.date, unclear: list[Reason]
) -> _Figures:
    total = [ZERO] * (count + _AFTER_BUCKETS)
    for frm, figures in sums.items():
        amounts = [Decimal(x).scaleb(-exponent(frm), EXACT) for x in figures]
        quote: Quote | None = rates.quote(frm, currency, as_of)
        if quote:
            total = [EXACT.add(sum_, quote.convert(amount)) for sum_, amount in zip(total, amounts, strict=True)]
        elif any(amounts):
            unclear.append(_no_rate(frm, currency, as_of, amounts[-1]))
    return [rounded(amount, currency) for amount in total]


def _in_currency(
    limit: Effective, currency: str, rates: Rates, as_of: dt.date, unclear: list[Reason]
) -> Decimal | None:
    if limit.kind != "amount" or limit.amount is None:
        return None
    frm = limit.currency or currency
    if frm == currency:
        return limit.amount
    amount = rates.convert(limit.amount, frm, currency, as_of)
    if amount is None:
        unclear.append(no_rate_for_limit(frm, currency, as_of))
        return None
    return rounded(amount, currency)


# --- why nothing can be decided --------------------------------------------------------------------------------------
NO_RATE = Text(
    "no exchange rate from {frm} to {to} on {on}: {amount} of exposure is not in the figures",
    "{on} 没有 {frm} 兑 {to} 的汇率：{amount} 的信用占用未计入",
)
NO_RATE_LIMIT = Text(
    "no exchange rate from {frm} to {to} on {on}: the limit cannot be compared",
    "{on} 没有 {frm} 兑 {to} 的汇率：无法与额度比较",
)
NO_DUE_DATE = Text(
    "{count:open item|open items} without a due date: how much is overdue cannot be told",
    "{count} 笔未清项没有到期日：无法判断逾期金额",
)
UNREAD_LIMIT = Text(
    "limit {ref} has no amount, or a condition that nobody can read: the limit cannot be relied on",
    "额度 {ref} 没有金额，或其条件无法识别：额度不可靠",
)


def _no_rate(frm: str, to: str, on: dt.date, amount: Decimal) -> Reason:
    numbers = {"from": frm, "to": to, "on": str(on), "exposure": f"{rounded(amount, frm):f}"}
    return Reason("no_rate", NO_RATE.fill(frm=frm, to=to, on=on, amount=money(amount, frm)), numbers)


def no_rate_for_limit(frm: str, to: str, on: dt.date) -> Reason:
    """Why a limit in another currency cannot be compared."""
    return Reason("no_rate", NO_RATE_LIMIT.fill(frm=frm, to=to, on=on), {"from": frm, "to": to, "on": str(on)})


def _without_due_date(totals: Sequence[Totals], policy: Policy) -> list[Reason]:
    count = sum(row.without_due_date for row in totals)
    if not count or policy.ageing.missing_due_date == "issue_date":
        return []
    return [Reason("no_due_date", NO_DUE_DATE.fill(count=count), {"count": str(count)})]


def _limit_unclear(limit: Effective, currency: str, as_of: dt.date) -> list[Reason]:
    pairs = [pair.partition("/") for pair in limit.no_rate]
    found = [no_rate_for_limit(frm or "?", to or currency, as_of) for frm, _, to in pairs]
    return found + [Reason("unclear_limit", UNREAD_LIMIT.fill(ref=ref), {"limit": ref}) for ref in limit.unread]
