"""Small random books, how they get into a store, and what the plain-Python rules say of them."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection

from connector.credit.ageing import OpenItem, age, bounds, open_items
from connector.model import Application, Customer, Document, Fact, Instalment, Order, OrderLine, Payment
from connector.money import to_minor
from connector.store import facts
from connector.store.db import Store
from connector.store.facts import Counts, Kept

NOW = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)
DAY0 = dt.date(2026, 6, 1)


@dataclass
class Book:
    """The facts of one small ledger."""

    customers: list[Customer] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    instalments: list[Instalment] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)

    def streams(self) -> dict[str, list[Fact]]:
        return {name: list(getattr(self, name)) for name in self.__dataclass_fields__}


def save(
    tx: Connection,
    stream: str,
    said: Sequence[Fact] | Sequence[Kept],
    *,
    system: str = "books",
    full: bool = False,
    last: bool = True,
    cursor: Any = None,
    **more: Any,
) -> Counts:
    """Saves facts, one record each, as one page."""
    kept = [s if isinstance(s, Kept) else Kept(s.ref, {"ref": s.ref}, repr(s), [s]) for s in said]
    more.setdefault("now", NOW)
    more.setdefault("mapping_version", "m1")
    return facts.save_page(tx, system, stream, records=kept, cursor=cursor, full=full, last=last, **more)


def load(store: Store, book: Book, *, seed: int = 0, page: int = 3) -> None:
    """Saves a book in small pages that come in any order, as pages of different streams may."""
    pages = [(name, rows[at : at + page]) for name, rows in book.streams().items() for at in range(0, len(rows), page)]
    random.Random(seed).shuffle(pages)
    for name, rows in pages:
        with store.writing(durable=False) as tx:
            save(tx, name, rows, ledger_currency="CNY")


# --- strategies -------------------------------------------------------------------------------------------------------
def days(low: int = 0, high: int = 120) -> st.SearchStrategy[dt.date]:
    return st.integers(low, high).map(lambda n: DAY0 + dt.timedelta(days=n))


def maybe(strategy: st.SearchStrategy[Any], chance: int = 4) -> st.SearchStrategy[Any]:
    """The strategy's value once in so many times, else None."""
    return st.integers(1, chance).flatmap(lambda n: strategy if n == 1 else st.none())


def _own(disputed: int | None, places: int) -> Decimal | None:
    return None if disputed is None else Decimal(disputed).scaleb(-places)


@st.composite
def books(draw: st.DrawFn, foreign: bool = True) -> Book:
    """Up to three customers with a handful of everything, over- and cross-applied, voided, reversed, in instalments."""
    currencies = st.sampled_from(["CNY", "USD", "JPY"] if foreign else ["CNY"])
    who = st.sampled_from(["C1", "C2", "C3"])
    amounts = st.integers(0, 20_000)
    book = Book(customers=[Customer(id=key, name=key, currency="CNY") for key in ("C1", "C2")])
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["invoice", "invoice", "invoice", "debit_note", "credit_note", "bill_of_exchange"]))
        amount = draw(amounts)
        issued_on = draw(days())
        due_on = draw(st.one_of(st.none(), days(0, 200)))
        book.documents.append(
            Document(
                id=f"D{number}",
                customer_id=draw(who),
                kind=kind,
                issued_on=issued_on,
                due_on=due_on,
                terms=draw(st.sampled_from([None, "net:30", "eom:0"])),
                currency=draw(currencies),
                amount=amount,
                disputed_amount=draw(maybe(st.integers(0, amount))),
                voided_on=draw(maybe(days(), 8)),
                status=draw(st.sampled_from(["posted"] * 6 + ["draft"])),
                acceptance=draw(st.sampled_from([None, "bank", "commercial"])) if kind == "bill_of_exchange" else None,
            )
        )
        if amount > 2 and draw(st.integers(1, 3)) == 1:
            cut = draw(st.integers(1, amount - 1))
            lost = draw(st.sampled_from([0, 0, 0, 1]))
            places = 0 if book.documents[-1].currency == "JPY" else 2
            for place, part in enumerate((cut, amount - cut - lost), 1):
                book.instalments.append(
                    Instalment(
                        document_id=f"D{number}",
                        number=str(place),
                        due_on=draw(days(0, 200)),
                        amount=Decimal(part).scaleb(-places),
                        disputed_amount=_own(draw(maybe(st.integers(0, part), 3)), places),
                    )
                )
    for number in range(draw(st.integers(0, 5))):
        book.payments.append(
            Payment(
                id=f"P{number}",
                customer_id=draw(who),
                received_on=draw(days()),
                currency=draw(currencies),
                amount=draw(amounts),
                kind=draw(st.sampled_from(["receipt", "receipt", "receipt", "refund", "write_off"])),
                voided_on=draw(maybe(days(), 8)),
            )
        )
    sources = [d.id for d in book.documents] + [p.id for p in book.payments] + ["LOST"]
    for number in range(draw(st.integers(0, 8))):
        applied_on = draw(days(0, 150))
        book.applications.append(
            Application(
                id=f"A{number}",
                from_id=draw(st.sampled_from(sources)),
                to_id=draw(st.sampled_from(sources)),
                instalment_number=draw(st.sampled_from([None, None, "1", "2", "7"])),
                amount=Decimal(draw(st.integers(1, 15_000))),
                from_amount=draw(maybe(st.integers(1, 15_000).map(Decimal), 3)),
                applied_on=applied_on,
                reversed_on=draw(maybe(days(0, 180), 5)),
            )
        )
    return book


def turning_days(book: Book) -> list[dt.date]:
    """Every day on which something in a book happens, and the day before."""
    found = {day for d in book.documents for day in (d.issued_on, d.due_on, d.voided_on)}
    found |= {day for p in book.payments for day in (p.received_on, p.voided_on)}
    found |= {day for a in book.applications for day in (a.applied_on, a.reversed_on)}
    found |= {part.due_on for part in book.instalments}
    known = {day for day in found if day}
    return sorted(known | {day - dt.timedelta(days=1) for day in known})


# --- what the plain rules say -----------------------------------------------------------------------------------------
def reference(book: Book, as_of: dt.date) -> dict[str, list[OpenItem]]:
    """Open items of each customer by the rules in plain Python. Ids of documents and payments never collide here."""
    owner = {d.id: d.customer_id for d in book.documents} | {p.id: p.customer_id for p in book.payments}
    found: dict[str, list[OpenItem]] = defaultdict(list)
    for one in open_items(book.documents, book.instalments, book.payments, book.applications, as_of):
        found[owner[one.ref.partition("/")[0]]].append(one)
    return dict(found)


def figures(items: Collection[OpenItem], as_of: dt.date, basis: Any, placement: Any) -> dict[str, Any]:
    """What a row of totals must say of one customer's items of one currency, by the plain rules alone."""
    currency = next(iter(items)).currency

    def minor(amount: Decimal) -> int:
        return to_minor(amount, currency)

    edges = (30, 60, 90) if basis == "due" else (30, 60, 90, 180, 365)
    aged = age(items, as_of, edges, basis, placement)
    counted = [i for i in items if i.kind != "bill_of_exchange"]
    debts = [i for i in counted if i.amount > 0]
    credits = [i for i in counted if i.amount < 0]
    cash = -sum((i.amount for i in credits if i.kind in ("receipt", "refund", "write_off")), Decimal(0))
    notes = -sum((i.amount for i in credits), Decimal(0)) - cash
    bills = [i for i in items if i.kind == "bill_of_exchange"]
    late = [i for i in debts if (i.due_on or i.issued_on) < as_of]
    made: dict[str, Any] = {
        "buckets": tuple(minor(x) for x in aged.buckets.values()),
        "unapplied": minor(-aged.unapplied),
        "cash": minor(cash),
        "notes": minor(notes),
        "receivables": minor(sum((i.amount for i in debts), Decimal(0))),
        "overdue": minor(aged.overdue),
        "oldest_days": aged.oldest_overdue_days,
        "disputed": minor(sum((min(i.disputed, i.amount) for i in debts), Decimal(0))),
        "bills": minor(sum((i.amount for i in bills), Decimal(0))),
        "without_due_date": sum(1 for i in debts if i.due_on is None),
    }
    if placement != "fifo":
        made["undisputed_overdue"] = minor(sum((i.amount - i.disputed for i in late), Decimal(0)))
        open_late = [i.due_on or i.issued_on for i in late if i.amount > i.disputed]
        made["undisputed_oldest"] = min(open_late, default=None)
    assert len(made["buckets"]) == len(bounds(as_of, edges, basis)) + 1
    return made
