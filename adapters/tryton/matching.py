"""Who paid what: from lines that close each other in the ledger to applications, exact in both currencies.

A reconciliation in Tryton is a set of lines of one party and account whose debits equal their credits in the company's
currency. Which credit closed which debit is not stored. Here credits are set against debits, the earliest due first, in
the currency of the document; what is paid in another currency is set against by its value in the ledger. The values in
the company's currency then differ where the rate moved; the exchange difference that Tryton books closes that gap. Every
line comes out at exactly zero in both currencies.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.money import rounded

ZERO = Decimal(0)


@dataclass(slots=True)
class Side:
    """One line as a party to a settlement: what is left of it in its own and in the company's currency, positive.

    `fact` and `instalment` name what the rest of the connector calls it. `pays` is the invoice that the user chose for a
    receipt. An exchange difference has an amount of zero.
    """

    line: int
    fact: str
    currency: str
    amount: Decimal
    base: Decimal
    on: dt.date
    due: dt.date
    instalment: str | None = None
    invoice: int | None = None
    pays: int | None = None

    @property
    def order(self) -> tuple[dt.date, int]:
        return self.due, self.line


@dataclass(slots=True)
class Applied:
    """So much of one line set against another from a day on. `amount` is in the debit's currency."""

    credit: Side
    debit: Side
    amount: Decimal
    base: Decimal
    on: dt.date
    from_amount: Decimal | None = None


@dataclass(slots=True)
class _Open:
    side: Side
    amount: Decimal = field(init=False)
    base: Decimal = field(init=False)

    def __post_init__(self) -> None:
        self.amount, self.base = self.side.amount, self.side.base

    def take(self, amount: Decimal, base: Decimal) -> None:
        self.amount -= amount
        self.base -= base

    def base_of(self, part: Decimal, company: str) -> Decimal:
        """The value of a part of what is left, in the company's currency; the last part takes what is left of it."""
        if part == self.amount or not self.amount:
            return self.base
        return rounded(self.base * part / self.amount, company)

    def amount_of(self, part: Decimal) -> Decimal:
        """The amount of a part of the ledger value that is left."""
        if part == self.base or not self.base:
            return self.amount
        return rounded(self.amount * part / self.base, self.side.currency)


def partly(debits: Sequence[Side], credits: Sequence[Side], company: str) -> list[Applied]:
    """Receipts that a user set against an invoice without closing it: the earliest due first, at the receipt's value."""
    return list(_set_against([_Open(d) for d in debits], [_Open(c) for c in credits], company, None))


def settled(debits: Sequence[Side], credits: Sequence[Side], company: str, on: dt.date) -> list[Applied]:
    """All lines of one reconciliation, which close each other entirely.

    `on` is the day of the latest line that is not an exchange difference: Tryton may book that later, on the day on which
    the user reconciles. A receipt that had been set against the invoice before counts from its own day.
    """
    owed, paid = [_Open(d) for d in debits], [_Open(c) for c in credits]
    applied: list[Applied] = []
    # The user's own choice comes before the order of due dates.
    for credit in paid:
        if credit.side.pays is not None:
            mine = [d for d in owed if d.side.invoice == credit.side.pays]
            applied += _set_against(mine, [credit], company, None)
    applied += _set_against(owed, paid, company, on)
    applied += _across_currencies(owed, paid, on)
    applied += _differences(owed, paid, on)
    return _merged(applied)


def _set_against(owed: list[_Open], paid: list[_Open], company: str, on: dt.date | None) -> Iterator[Applied]:
    for credit in sorted(paid, key=lambda c: c.side.order):
        for debit in sorted(owed, key=lambda d: d.side.order):
            part = min(credit.amount, debit.amount)
            if part <= 0 or credit.side.currency != debit.side.currency:
                continue
            base = credit.base_of(part, company)
            credit.take(part, base)
            debit.take(part, base)
            yield Applied(credit.side, debit.side, part, base, on or max(credit.side.on, debit.side.on))


def _across_currencies(owed: list[_Open], paid: list[_Open], on: dt.date) -> Iterator[Applied]:
    """An invoice in one currency paid in another: by value in the ledger, the last part takes what is left."""
    for credit in sorted(paid, key=lambda c: c.side.order):
        for debit in sorted(owed, key=lambda d: d.side.order):
            if credit.amount <= 0 or debit.amount <= 0 or credit.side.currency == debit.side.currency:
                continue
            part = min(credit.base, debit.base)
            last_of_credit = part == credit.base or sum(d.amount > 0 for d in owed) == 1
            last_of_debit = part == debit.base or sum(c.amount > 0 for c in paid) == 1
            given = credit.amount if last_of_credit else credit.amount_of(part)
            taken = debit.amount if last_of_debit else debit.amount_of(part)
            base = credit.base if last_of_credit else part
            credit.take(given, base)
            debit.take(taken, base)
            yield Applied(credit.side, debit.side, taken, base, on, from_amount=given)


def _differences(owed: list[_Open], paid: list[_Open], on: dt.date) -> Iterator[Applied]:
    """What is left in the company's currency only, once every amount is closed: the exchange differences.

    A difference booked as a credit closes what is left of the debits. One booked as a debit, and rests that cancel each
    other, are carried across by the latest credit at amount zero. A rest may be negative: more value was set against a
    document than it was booked at.
    """
    givers, takers = [c for c in paid if c.base], [d for d in owed if d.base]
    while givers and takers:
        credit, debit = givers[-1], takers[-1]
        base = debit.base if len(takers) > 1 or len(givers) == 1 else credit.base
        credit.take(ZERO, base)
        debit.take(ZERO, base)
        yield _valued(credit.side, debit.side, base, on)
        givers, takers = [c for c in givers if c.base], [d for d in takers if d.base]
    for debit in takers:
        carrier = max(paid, key=lambda c: c.side.order)
        yield _valued(carrier.side, debit.side, debit.base, on)
    for credit in givers:
        carrier = max(owed, key=lambda d: d.side.order)
        yield _valued(credit.side, carrier.side, credit.base, on)


def _valued(credit: Side, debit: Side, base: Decimal, on: dt.date) -> Applied:
    """Value in the company's currency alone, at an amount of zero on both sides."""
    on = max(on, credit.on, debit.on)
    return Applied(credit, debit, ZERO, base, on, from_amount=ZERO if credit.currency != debit.currency else None)


def _merged(applied: list[Applied]) -> list[Applied]:
    """Two settlements of the same pair on the same day as one."""
    found: dict[tuple[int, int, dt.date], Applied] = {}
    for one in applied:
        key = (one.credit.line, one.debit.line, one.on)
        if key in found:
            found[key].amount += one.amount
            found[key].base += one.base
            if one.from_amount is not None or found[key].from_amount is not None:
                found[key].from_amount = (found[key].from_amount or ZERO) + (one.from_amount or ZERO)
        else:
            found[key] = one
    return [a for a in found.values() if a.amount or a.base]
