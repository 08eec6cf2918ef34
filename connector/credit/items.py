"""Open items: what is still open of each document, instalment and payment on a day (domain 4, as-of rule).

The rule in plain Python over facts, for small books and as the reference for the store's SQL:

- a document counts from its issue date, a payment from the day it was received, until the day it is voided;
- an application counts from the day it was applied until the day it was reversed, while both its ends count: so
  what leaves one end reaches the other, and the items always add up to the ledger's balance;
- applications that name an instalment go to it, the others fill the instalments, earliest due first;
- a bill of exchange is an item of its own beside the balance; applying it closes the invoice, not the bill.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit.terms import due_date
from connector.model import Application, Document, Instalment, Payment
from connector.money import from_minor

ZERO = Decimal(0)
BILL = "bill_of_exchange"
# The sign each kind has in the receivable ledger: positive = the customer owes us.
SIGN = {"invoice": 1, "debit_note": 1, "credit_note": -1, BILL: 1, "receipt": -1, "write_off": -1, "refund": 1}


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still open of one document, instalment or payment on a day.

    `amount` is in `currency`, signed: a debt while positive, an unapplied credit while negative, whatever the kind
    (an over-applied invoice is a credit). `disputed` is the disputed part of a debt, never more than it. `due_on` is
    None where an invoice has no due date: it is aged by `issued_on` and has to be reported. Payments and credit notes
    without terms are due on their own day.
    """

    ref: str
    number: str | None
    kind: str
    issued_on: dt.date
    due_on: dt.date | None
    currency: str
    amount: Decimal
    disputed: Decimal = ZERO


@dataclass(slots=True)
class _End:
    """One end of applications: a document or payment that counts on the day, and what was taken from it."""

    item: OpenItem  # amount: the whole of it, positive
    sign: int
    cash: bool
    posted: bool
    voided_on: dt.date | None
    disputed: Decimal = ZERO  # of the document, beyond what its instalments say of themselves
    applied: Decimal = ZERO  # without a stated instalment; positive lessens the open amount
    to_instalments: dict[str, Decimal] = field(default_factory=dict)

    def counts(self, as_of: dt.date) -> bool:
        """Whether it is in the ledger at the end of a day."""
        return self.posted and self.item.issued_on <= as_of and not (self.voided_on and self.voided_on <= as_of)

    def take(self, amount: Decimal, instalment: str | None = None) -> None:
        if instalment is None:
            self.applied += amount
        else:
            self.to_instalments[instalment] = self.to_instalments.get(instalment, ZERO) + amount


def open_items(
    documents: Iterable[Document],
    instalments: Iterable[Instalment],
    payments: Iterable[Payment],
    applications: Iterable[Application],
    as_of: dt.date,
) -> list[OpenItem]:
    """The items with something open at the end of a day, ordered by issue date, then id.

    An application resolves `from_id` among receipts, then credit notes, then refunds, `to_id` among debts, then
    refunds, then credit notes: documents and payments may bear the same ids. One between two currencies without
    `from_amount` is not counted.
    """
    ends = [*map(_of_document, documents), *map(_of_payment, payments)]
    sources = {end.item.ref: end for end in sorted(ends, key=lambda end: -_FROM.get(end.item.kind, 3))}
    aims = {end.item.ref: end for end in sorted(ends, key=lambda end: -_TO.get(end.item.kind, 3))}
    parts: dict[str, list[Instalment]] = {}
    for part in instalments:
        parts.setdefault(part.document_id, []).append(part)

    for application in applications:
        if application.applied_on <= as_of and not (application.reversed_on and application.reversed_on <= as_of):
            source, aim = sources.get(application.from_id), aims.get(application.to_id)
            if source and aim and source.counts(as_of) and aim.counts(as_of):
                _apply(application, source, aim, parts)

    found = [
        item
        for end in ends
        if end.counts(as_of)
        for item in _open(end, () if end.cash else parts.get(end.item.ref, ()))
    ]
    return sorted(found, key=lambda item: (item.issued_on, item.ref))


# Whom an application means where several bear the id: the lowest rank.
_FROM = {"receipt": 0, "write_off": 0, "credit_note": 1, "refund": 2}
_TO = {"invoice": 0, "debit_note": 0, BILL: 0, "refund": 1, "credit_note": 2}


def _of_document(fact: Document) -> _End:
    due_on = fact.due_on
    if due_on is None and fact.terms:
        # Terms that nobody can read are no due date, and are reported as such.
        with contextlib.suppress(ValueError):
            due_on = due_date(fact.issued_on, fact.terms)
    if fact.kind == "credit_note":
        due_on = due_on or fact.issued_on
    amount = from_minor(fact.amount, fact.currency)
    disputed = from_minor(fact.disputed_amount or 0, fact.currency)
    item = OpenItem(fact.id, fact.number, fact.kind, fact.issued_on, due_on, fact.currency, amount)
    return _End(item, SIGN[fact.kind], False, fact.status == "posted", fact.voided_on, disputed)


def _of_payment(fact: Payment) -> _End:
    amount = from_minor(fact.amount, fact.currency)
    item = OpenItem(fact.id, None, fact.kind, fact.received_on, fact.received_on, fact.currency, amount)
    return _End(item, SIGN[fact.kind], True, True, fact.voided_on)


def _apply(application: Application, source: _End, aim: _End, parts: dict[str, list[Instalment]]) -> None:
    given = application.from_amount
    if given is None:
        if source.item.currency != aim.item.currency:
            return
        given = application.amount
    # Usually a credit meets a debt and both shrink. A second credit set against a credit note does the opposite to it:
    # the debt side may only grow by what the credit side loses.
    direction = -1 if source.sign > 0 > aim.sign and source.item.kind != BILL else 1
    known = not aim.cash and application.instalment_number in {p.number for p in parts.get(aim.item.ref, ())}
    aim.take(aim.sign * direction * application.amount, application.instalment_number if known else None)
    if source.item.kind != BILL:
        source.take(-source.sign * direction * given)


def _open(end: _End, parts: Sequence[Instalment]) -> Iterable[OpenItem]:
    """The open parts of one document or payment: itself, or its instalments and whatever they do not cover."""
    pieces: list[tuple[str, dt.date | None, Decimal]] = [
        (part.number, part.due_on, part.amount - end.to_instalments.get(part.number, ZERO))
        for part in sorted(parts, key=lambda part: (part.due_on, part.number))
    ]
    own = {part.number: part.disputed_amount for part in parts if part.disputed_amount is not None}
    end.disputed = max(end.disputed - sum(own.values(), ZERO), ZERO)
    rest = end.item.amount - sum((part.amount for part in parts), ZERO)
    if rest or not pieces:
        pieces.append(("", end.item.due_on, rest))
    left = end.applied
    for place, (number, due_on, amount) in enumerate(pieces):
        # The last piece takes what is left: an over-application shows as a credit, it does not vanish.
        taken = left if place == len(pieces) - 1 else min(left, max(amount, ZERO))
        left -= taken
        amount -= taken
        if amount:
            yield _piece(end, number, due_on, amount, own.get(number))


def _piece(end: _End, number: str, due_on: dt.date | None, amount: Decimal, own: Decimal | None) -> OpenItem:
    item, signed = end.item, end.sign * amount
    disputed = min(end.disputed if own is None else own, max(signed, ZERO))
    if own is None:
        end.disputed -= disputed
    ref = f"{item.ref}/{number}" if number else item.ref
    return OpenItem(ref, item.number, item.kind, item.issued_on, due_on, item.currency, signed, disputed)
