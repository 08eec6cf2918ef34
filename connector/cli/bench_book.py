"""The book of the benchmarks: a ledger of any size from a seed, a few customers owning much of it, told stream by stream.

Nothing is held in memory: each stream tells every customer's story anew, from the seed and the customer's number alone.
Three currencies, two years of documents; payments in full, in part and on account, credit notes, instalments, disputes,
reversals, drafts, orders with lines, limits, groups. `connector.example` makes nicer companies, this makes large ones.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any

from connector.model import (
    Application,
    Customer,
    Document,
    DocumentKind,
    Fact,
    Instalment,
    Limit,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Rate,
)
from connector.money import from_minor

AS_OF = dt.date(2026, 11, 23)
_DAYS = 720
# One unit in CNY, in millionths; two of them walk a little from week to week.
_MILLIONTHS = {"CNY": 1_000_000, "USD": 7_120_000, "EUR": 7_850_000}
_TAX = Decimal("0.13")
_TERMS = (15, 30, 30, 30, 45, 60, 60, 90)
# How late customers pay, in days from and to. The last are in trouble: they pay in part, or not at all.
_LATE = (*[(-3, 2)] * 24, *[(0, 14)] * 12, *[(8, 28)] * 2, *[(20, 90)] * 2)
_SILENT_DAYS = 150


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment set against a document: ordinal days and minor units."""

    day: int
    amount: int
    reversed_day: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """One document of a story, in ordinal days and minor units; `for_serial` is what a credit note is set against."""

    serial: int
    kind: DocumentKind
    currency: str
    day: int
    due: int
    amount: int
    disputed: int | None = None
    voided: bool = False
    draft: bool = False
    parts: int = 0
    paid: tuple[Paid, ...] = ()
    for_serial: int | None = None


@dataclass(frozen=True)
class Book:
    """So many customers and documents, always the same for one seed."""

    customers: int
    documents: int
    seed: int = 1
    as_of: dt.date = AS_OF

    @cached_property
    def shares(self) -> list[int]:
        """Documents of each customer by its place: every customer has one, the rest follows a power law."""
        order = list(range(self.customers))
        Random(self.seed).shuffle(order)  # noqa: S311 - repeatable, not secret
        weights = [0.0] * self.customers
        for rank, place in enumerate(order, 1):
            weights[place] = rank**-0.75
        rest, whole, told, so_far = self.documents - self.customers, sum(weights), 0, 0.0
        counts = []
        for weight in weights:
            so_far += weight
            upto = round(rest * so_far / whole)
            counts.append(1 + max(upto - told, 0))
            told = upto
        return counts

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams in the order in which they are pulled, by the names of the adapter `files`."""
        return tuple(_TELL)

    def facts(self, stream: str) -> Iterator[Fact]:
        """Every fact of one stream."""
        if stream == "rates":
            yield from _rates(self)
            return
        tell = _TELL[stream]
        for place in range(self.customers):
            yield from tell(Story(self, place))

    def pages(self, stream: str, size: int) -> Iterator[list[Fact]]:
        """The same in pages."""
        page: list[Fact] = []
        for fact in self.facts(stream):
            page.append(fact)
            if len(page) == size:
                yield page
                page = []
        if page:
            yield page

    def changed(self, count: int, turn: int) -> list[Document]:
        """So many documents drawn at random, each by one unit more than in the book (or, later, the turn before)."""
        return [story.document(bill, 100 * (turn + 1)) for story, bill in self.drawn(count, turn)]

    def drawn(self, count: int, turn: int) -> list[tuple[Story, Bill]]:
        """So many documents drawn at random. All those of their customers are made for it, which takes its time."""
        rng = Random(f"{self.seed}/changed/{turn}/{count}")  # noqa: S311 - repeatable, not secret
        upto = list(accumulate(self.shares))
        found = []
        for index in sorted(rng.sample(range(upto[-1]), min(count, upto[-1]))):
            place = bisect_right(upto, index)
            story = Story(self, place)
            found.append((story, story.bills[index - (upto[place] - self.shares[place])]))
        return found


class Story:
    """One customer: who it is, and its documents, from the seed and its place alone."""

    def __init__(self, book: Book, place: int) -> None:
        self.book, self.place = book, place
        self.rng = rng = Random(book.seed * 1_000_003 + place)  # noqa: S311 - repeatable, not secret
        self.id = f"C{place + 1:05d}"
        self.last = book.as_of.toordinal()
        draw = rng.random()
        self.currency = "CNY" if draw < 0.72 else "USD" if draw < 0.88 else "EUR"
        self.mixed = rng.random() < 0.1
        self.terms = _TERMS[int(rng.random() * len(_TERMS))]
        self.late = _LATE[int(rng.random() * len(_LATE))]
        self.trouble = self.late == _LATE[-1]
        self.silent = self.trouble and rng.random() < 0.3
        self.scale = int(200_000 * rng.lognormvariate(0, 0.8))
        self.draws = [rng.random() for _ in range(6)]

    @cached_property
    def bills(self) -> list[Bill]:
        """Its documents, in no order of days."""
        made: list[Bill] = []
        count = self.book.shares[self.place]
        while len(made) < count:
            self._bill(made, more=len(made) + 1 < count)
        return made

    def _bill(self, made: list[Bill], more: bool) -> None:
        draw = self.rng.random
        serial, day = len(made) + 1, self.last - int(draw() * _DAYS)
        currency = self.currency
        if self.mixed and draw() < 0.25:
            currency = "USD" if currency != "USD" else "CNY"
        amount = 1_000 + int(self.scale * (0.2 + 1.6 * draw()))
        due, chance = day + self.terms, draw()
        if chance < 0.005:
            made.append(Bill(serial, "invoice", currency, day, due, amount, voided=True))
        elif self.last - day < 4 and chance < 0.3:
            made.append(Bill(serial, "invoice", currency, day, due, amount, draft=True))
        elif chance < 0.015:
            made.append(Bill(serial, "debit_note", currency, day, due, amount // 10))
        elif chance < 0.045 and more:
            credit, taken = amount // 8, chance < 0.035
            paid = self._paid(due, amount - credit if taken else amount)
            made.append(Bill(serial, "invoice", currency, day, due, amount, paid=paid))
            back = min(day + 10, self.last)
            made.append(
                Bill(serial + 1, "credit_note", currency, back, back, credit, for_serial=serial if taken else None)
            )
        elif chance < 0.065:
            made.append(Bill(serial, "invoice", currency, day, due, amount, parts=3, paid=self._paid(due, amount)))
        else:
            disputed = amount // 4 if chance > 0.985 else None
            made.append(Bill(serial, "invoice", currency, day, due, amount, disputed, paid=self._paid(due, amount)))

    def _paid(self, due: int, amount: int) -> tuple[Paid, ...]:
        low, high = self.late
        draw = self.rng.random
        day, chance = due + low + int(draw() * (high - low)), draw()
        if day > self.last - (_SILENT_DAYS if self.silent else 0):
            return ()
        if chance < 0.93 or (chance >= 0.963 and not self.trouble):
            return (Paid(day, amount),)
        if chance < 0.9625:
            half, then = amount // 2, min(day + 20, self.last)
            return (Paid(day, half), Paid(then, amount - half))
        if chance < 0.963:
            return (Paid(day, amount, min(day + 3, self.last)),)
        return (Paid(day, amount * 6 // 10),) if chance < 0.985 else ()

    # --- as facts ----------------------------------------------------------------------------------------------------
    def customer(self) -> Iterator[Fact]:
        group = self.place % 20
        parent = self.place - group if group in (1, 2) else None
        yield Customer(
            id=self.id,
            name=f"Customer {self.place + 1:,} Trading Co., Ltd.",
            parent_id=f"C{parent + 1:05d}" if parent is not None else None,
            country="CN",
            currency=self.currency,
            terms=f"net:{self.terms}",
            status="blocked" if self.draws[0] < 0.005 else "active",
        )

    def limits(self) -> Iterator[Fact]:
        kind = self.draws[1]
        if kind < 0.07:
            return
        if kind < 0.10:
            yield Limit(id=f"L{self.id}", customer_id=self.id, kind="unlimited")
            return
        left = sum(b.amount - sum(p.amount for p in b.paid) for b in self.bills if not b.voided and b.amount > 0)
        wanted = int((left * 0.7 + self.scale * 3) * (0.6 + 2.4 * self.draws[2]))
        step = 10 ** max(2, len(str(wanted)) - 2)
        yield Limit(
            id=f"L{self.id}",
            customer_id=self.id,
            kind="base",
            amount=max(step, wanted // step * step),
            currency=self.currency,
            valid_from=dt.date(2025, 1, 1),
            valid_to=dt.date(2026, 11, 1) if kind < 0.12 else dt.date(2027, 12, 31),
        )

    def document(self, bill: Bill, more: int = 0) -> Document:
        """One of its documents as a fact, by so many minor units more."""
        amount = bill.amount + more
        foreign = bill.currency != "CNY"
        return Document(
            id=f"{self.id}-{bill.serial}",
            number=f"{bill.kind[0].upper()}{bill.serial:06d}",
            customer_id=self.id,
            kind=bill.kind,
            issued_on=_day(bill.day),
            due_on=_day(bill.due),
            currency=bill.currency,
            amount=amount,
            base_amount=amount * _MILLIONTHS[bill.currency] // 1_000_000 if foreign else None,
            disputed_amount=bill.disputed,
            voided_on=_day(min(bill.day + 2, self.last)) if bill.voided else None,
            status="draft" if bill.draft else "posted",
        )

    def documents(self) -> Iterator[Fact]:
        return (self.document(bill) for bill in self.bills)

    def instalments(self) -> Iterator[Fact]:
        for bill in self.bills:
            for part in range(1, bill.parts + 1):
                amount = bill.amount // bill.parts
                amount += bill.amount % bill.parts if part == bill.parts else 0
                yield Instalment(
                    document_id=f"{self.id}-{bill.serial}",
                    number=str(part),
                    due_on=_day(bill.due + 30 * (part - 1)),
                    amount=from_minor(amount, bill.currency),
                )

    def payments(self) -> Iterator[Fact]:
        for bill in self.bills:
            for part, paid in enumerate(bill.paid, 1):
                yield self._payment(f"{self.id}-{bill.serial}-{part}", paid.day, bill.currency, paid.amount)
        for part in range(len(self.bills) // 40 + (self.draws[3] < 0.1)):
            on = self.last - int(self.draws[4] * 60) - part % 30
            yield self._payment(f"{self.id}-A{part + 1}", on, self.currency, 1_000 + self.scale // 3)

    def _payment(self, key: str, day: int, currency: str, amount: int) -> Payment:
        foreign = currency != "CNY"
        return Payment(
            id=key,
            customer_id=self.id,
            received_on=_day(day),
            currency=currency,
            amount=amount,
            base_amount=amount * _MILLIONTHS[currency] // 1_000_000 if foreign else None,
        )

    def applications(self) -> Iterator[Fact]:
        for bill in self.bills:
            key = f"{self.id}-{bill.serial}"
            for part, paid in enumerate(bill.paid, 1):
                yield Application(
                    id=f"{key}-{part}-1",
                    from_id=f"{key}-{part}",
                    to_id=key,
                    amount=from_minor(paid.amount, bill.currency),
                    applied_on=_day(paid.day),
                    reversed_on=_day(paid.reversed_day) if paid.reversed_day is not None else None,
                )
            if bill.for_serial is not None:
                yield Application(
                    id=f"{key}-1",
                    from_id=key,
                    to_id=f"{self.id}-{bill.for_serial}",
                    amount=from_minor(bill.amount, bill.currency),
                    applied_on=_day(bill.day),
                )

    def _orders(self) -> Iterator[tuple[Order, list[OrderLine]]]:
        rng = Random(self.book.seed * 1_000_003 + self.place + 500_009)  # noqa: S311 - repeatable, not secret
        for number in range(1, 2 + int(rng.random() * 2) + self.book.shares[self.place] // 60):
            draw = rng.random()
            status: OrderStatus = (
                "open" if draw < 0.6 else "closed" if draw < 0.85 else "draft" if draw < 0.95 else "cancelled"
            )
            day, key = self.last - int(rng.random() * 60), f"{self.id}-O{number}"
            lines = []
            for line in range(1, 2 + int(rng.random() * 3)):
                quantity = 1 + int(rng.random() * 40)
                delivered = quantity if status == "closed" else int(quantity * rng.random()) if draw < 0.3 else 0
                lines.append(
                    OrderLine(
                        order_id=key,
                        line=str(line),
                        quantity=Decimal(quantity),
                        quantity_delivered=Decimal(delivered),
                        quantity_invoiced=Decimal(delivered // 2 if status == "open" else delivered),
                        quantity_cancelled=Decimal(0),
                        unit_price=from_minor(100 + self.scale // (4 * quantity), self.currency),
                        tax_rate=_TAX,
                        ship_on=_day(day + 10 + int(rng.random() * 120)),
                    )
                )
            yield (
                Order(
                    id=key,
                    number=f"S{number:04d}",
                    customer_id=self.id,
                    ordered_on=_day(day),
                    currency=self.currency,
                    status=status,
                ),
                lines,
            )

    def orders(self) -> Iterator[Fact]:
        return (order for order, _ in self._orders())

    def order_lines(self) -> Iterator[Fact]:
        return (line for _, lines in self._orders() for line in lines)


def _rates(book: Book) -> Iterator[Rate]:
    for week in range(_DAYS // 7 + 2):
        for at, currency in enumerate(("USD", "EUR")):
            walk = (week * (7 + 4 * at) % 41 - 20) * 1_000
            rate = Decimal(_MILLIONTHS[currency] + walk) / 1_000_000
            on = book.as_of - dt.timedelta(days=7 * week)
            yield Rate(on=on, from_currency=currency, to_currency="CNY", rate=rate)


_day = dt.date.fromordinal

_TELL: dict[str, Callable[[Story], Iterator[Fact]]] = {
    "customers": Story.customer,
    "rates": Story.customer,  # told by `_rates`
    "limits": Story.limits,
    "documents": Story.documents,
    "instalments": Story.instalments,
    "payments": Story.payments,
    "applications": Story.applications,
    "orders": Story.orders,
    "order_lines": Story.order_lines,
}
_NAMES: dict[type, tuple[str, ...]] = {}


def said(fact: Fact) -> dict[str, Any]:
    """A fact as a system would have said it: a flat record of texts."""
    names = _NAMES.setdefault(type(fact), tuple(f.name for f in fields(fact)))
    return {name: str(value) for name in names if (value := getattr(fact, name)) is not None}
