"""Contact log: what was said with a customer, what it promised, and proof of what has reached it; append-only."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, select

from connector.credit.limitation import Restart
from connector.model import Promise
from connector.money import from_minor, to_minor
from connector.store import bulk
from connector.store.outbox import unpacked
from connector.store.tables import contact, customer, letter, utc

# delivery: proof that a letter has reached the customer; suit: a suit was filed.
KINDS = ("phone", "email", "visit", "delivery", "acknowledgement", "suit")
RESULTS = ("reached", "promised", "disputed", "refused", "no_answer", "wrong_contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One contact. `on` is the day it happened; a delivery names the letter or the document that was delivered, and the
    file that proves it by its SHA-256. A promise has a day, an amount and its currency; without document it is for
    whatever is due."""

    customer: int
    on: dt.date
    kind: str
    actor: str
    result: str | None = None
    note: str = ""
    document: str | None = None
    letter: int | None = None
    promise_on: dt.date | None = None
    amount: Decimal | None = None
    currency: str | None = None
    file_name: str | None = None
    file_sha: str | None = None
    file_size: int | None = None
    id: int = 0
    made_at: dt.datetime | None = None


def add(tx: Connection, one: Contact, now: dt.datetime) -> int:
    """Appends a contact; gives its number."""
    made = contact.insert().values(
        customer=one.customer,
        on=one.on,
        kind=one.kind,
        result=one.result,
        note=one.note,
        document_ref=one.document,
        letter=one.letter,
        promise_on=one.promise_on,
        amount=None if one.amount is None or one.currency is None else to_minor(one.amount, one.currency),
        currency=one.currency,
        file_name=one.file_name,
        file_sha=one.file_sha,
        file_size=one.file_size,
        actor=one.actor,
        made_at=utc(now),
    )
    return int(tx.execute(made.returning(contact.c.id)).scalar_one())


def contacts(tx: Connection, customers: Collection[int] | None = None, limit: int | None = None) -> list[Contact]:
    """Contacts with some customers (None: all), newest first."""
    c = contact.c
    asked = select(contact).order_by(c.on.desc(), c.id.desc()).limit(limit)
    if customers is not None:
        asked = asked.where(bulk.among(tx, c.customer, customers))
    return [
        Contact(
            customer=row.customer,
            on=row.on,
            kind=row.kind,
            actor=row.actor,
            result=row.result,
            note=row.note,
            document=row.document_ref,
            letter=row.letter,
            promise_on=row.promise_on,
            amount=None if row.amount is None else from_minor(row.amount, row.currency),
            currency=row.currency,
            file_name=row.file_name,
            file_sha=row.file_sha,
            file_size=row.file_size,
            id=row.id,
            made_at=row.made_at,
        )
        for row in tx.execute(asked)
    ]


def promises(tx: Connection, customers: Collection[int] | None = None) -> dict[int, list[Promise]]:
    """Promises that were taken down here, by the customer's key; those that systems tell of are `customers.promises`."""
    c = contact.c
    asked = (
        select(contact, customer.c.ref.label("customer_ref"))
        .join_from(contact, customer, customer.c.id == c.customer)
        .where(c.promise_on.is_not(None), c.amount.is_not(None))
        .order_by(c.on, c.id)
    )
    if customers is not None:
        asked = asked.where(bulk.among(tx, c.customer, customers))
    found: dict[int, list[Promise]] = defaultdict(list)
    for row in tx.execute(asked):
        one = Promise(
            id=f"contact:{row.id}",
            customer_id=row.customer_ref,
            document_id=row.document_ref,
            made_on=row.on,
            due_on=row.promise_on,
            amount=row.amount,
            currency=row.currency,
        )
        found[row.customer].append(one)
    return dict(found)


def restarts(tx: Connection, customers: Collection[int]) -> dict[int, list[tuple[str | None, Restart]]]:
    """What made the limitation of a customer's debts run anew, by its key: the document (None: all of them) and the
    restart. A letter that was delivered is a demand for every document that it lists. (Promises are `promises`' to tell.)"""
    c = contact.c
    asked = select(contact, letter.c.payload).outerjoin(letter, letter.c.id == c.letter)
    asked = asked.where(bulk.among(tx, c.customer, customers)).order_by(c.on, c.id)
    found: dict[int, list[tuple[str | None, Restart]]] = defaultdict(list)
    for row in tx.execute(asked):
        own = found[row.customer]
        if row.kind == "delivery":
            demand = Restart(row.on, "demand", proof=row.file_sha is not None)
            if row.document_ref is not None:
                own.append((row.document_ref, demand))
            if row.payload is not None:
                own += [(line["document"], demand) for line in unpacked(row.payload)["items"]]
        elif row.kind == "suit":
            own.append((row.document_ref, Restart(row.on, "suit")))
        elif row.kind == "acknowledgement":
            own.append((row.document_ref, Restart(row.on, "acknowledgement")))
    return dict(found)
