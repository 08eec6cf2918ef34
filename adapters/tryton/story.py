"""A made-up company as Tryton can hold it: what both the sandbox and the real server are stocked with.

An application has the day of the payment, a percentage instalment is rounded half even, the ledger value of a foreign
amount is Tryton's own conversion. So a test can compare what the adapter reads with what was meant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from connector.example import Company
from connector.model import Document, Instalment
from connector.money import exponent, from_minor

THIRDS = (Decimal("0.3"), Decimal("0.3"))
_SIX = Decimal("0.000001")


def held(made: Company) -> Company:
    """The company without what Tryton has no place for.

    Voided papers, bounced payments, write-offs and credit notes set against open invoices are left out; so are limits
    that are not a plain amount, closed orders, and what was delivered. An application has the payment's date.
    """
    documents = [
        replace(d, voided_on=None, base_amount=None, disputed_amount=None)
        for d in made.documents
        if d.voided_on is None
    ]
    known = {d.id: d for d in documents}
    payments = [
        replace(p, voided_on=None, base_amount=None)
        for p in made.payments
        if p.voided_on is None and p.kind == "receipt"
    ]
    paid = {p.id: p for p in payments}
    applications = [
        replace(a, applied_on=paid[a.from_id].received_on)
        for a in made.applications
        if a.from_id in paid and a.to_id in known and a.reversed_on is None
    ]
    disputed = {d.id for d in made.documents if d.disputed_amount}
    limits: dict[str, Any] = {}
    for limit in made.limits:
        if limit.kind == "base" and limit.amount is not None and limit.currency == made.currency:
            limits.setdefault(limit.customer_id, replace(limit, valid_from=None, valid_to=None, approved_on=None))
    orders = [o for o in made.orders if o.status in ("draft", "open", "cancelled")]
    kept = {o.id for o in orders}
    return Company(
        made.currency,
        made.as_of,
        made.people,
        [replace(c, parent_id=None, status="inactive" if c.status == "inactive" else "active") for c in made.customers],
        list(limits.values()),
        [replace(d, disputed_amount=d.amount) if d.id in disputed else d for d in documents],
        [i for d in documents for i in _thirds(d, [i for i in made.instalments if i.document_id == d.id])],
        payments,
        applications,
        orders,
        [
            replace(line, quantity_delivered=None, quantity_invoiced=Decimal(0), quantity_cancelled=None)
            for line in made.order_lines
            if line.order_id in kept
        ],
        made.rates,
    )


def _thirds(document: Document, parts: Sequence[Instalment]) -> list[Instalment]:
    """Three tenths, three tenths and the rest, each rounded as Tryton's payment terms round."""
    left = from_minor(document.amount, document.currency)
    cent = unit(document.currency)
    amounts = [(left * ratio).quantize(cent, ROUND_HALF_EVEN) for ratio in THIRDS]
    amounts.append(left - sum(amounts, Decimal(0)))
    return [replace(part, amount=amount) for part, amount in zip(parts, amounts, strict=False)] if parts else []


def unit(currency: str) -> Decimal:
    """The smallest amount of a currency."""
    return Decimal(1).scaleb(-exponent(currency))


def tryton_rate(rate: Decimal) -> Decimal:
    """A rate into our currency as Tryton keeps it: how many units one of ours is worth, with six decimals."""
    return (1 / rate).quantize(_SIX)


def ledger_value(made: Company, amount: int, currency: str, on: dt.date) -> Decimal:
    """The value of minor units in the company's currency: at the latest rate, rounded half even."""
    value = from_minor(amount, currency)
    if currency == made.currency:
        return value
    row = max((r for r in made.rates if r.from_currency == currency and r.on <= on), key=lambda r: r.on)
    return (value / tryton_rate(row.rate)).quantize(unit(made.currency), ROUND_HALF_EVEN)
