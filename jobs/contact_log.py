"""Contact log: what was said with a customer is checked, kept and told to the audit trail; a promise has a day and an amount.

What is wrong is told field by field, so that a form can say it beside the field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.clock import Clock
from connector.errors import HoldfastError
from connector.money import from_minor, is_currency, parse, to_minor_exact
from connector.store import Connection, audit, contacts, debts
from connector.store.contacts import Contact
from connector.store.customers import CustomerRow
from connector.text import Text
from jobs import contact_words as say
from jobs.contact_words import KINDS, RESULTS

NOTE_MOST = 4000


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody enters, as it was typed."""

    kind: str
    result: str = ""
    on: str = ""
    note: str = ""
    document: str = ""
    promise_on: str = ""
    amount: str = ""
    currency: str = ""


class Unfit(HoldfastError):
    """Something of what was entered cannot be: the sentence for each field."""

    def __init__(self, fields: Mapping[str, Text]) -> None:
        first = next(iter(fields.values()))
        super().__init__(first, first.en)
        self.fields = dict(fields)


def note(tx: Connection, clock: Clock, row: CustomerRow, said: Said, actor: str, *, today: dt.date, home: str) -> int:
    """Keeps a contact and gives its number; `home` is the currency where neither it nor the customer says one.

    Raises Unfit where something of it cannot be.
    """
    one = _checked(tx, row, said, actor, today, home)
    return write(tx, clock, row, one)


def write(tx: Connection, clock: Clock, row: CustomerRow, one: Contact) -> int:
    """Keeps a contact that was checked, with its line in the audit trail; gives its number."""
    number = contacts.add(tx, one, clock.now())
    subject = f"customer:{row.system}/{row.ref}"
    entry = audit.Entry("contact.add", subject, one.actor, one.note, after=after(number, one))
    audit.append(tx, [entry], clock.now())
    return number


def after(number: int, one: Contact) -> dict[str, Any]:
    """What the audit trail keeps of a contact."""
    figures: dict[str, Any] = {
        "contact": number,
        "on": one.on,
        "kind": one.kind,
        "result": one.result,
        "document": one.document,
        "letter": one.letter,
        "promise_on": one.promise_on,
        "amount": one.amount,
        "currency": one.currency,
        "file": one.file_name,
        "sha256": one.file_sha,
    }
    return {key: value for key, value in figures.items() if value is not None}


def _checked(tx: Connection, row: CustomerRow, said: Said, actor: str, today: dt.date, home: str) -> Contact:
    wrong: dict[str, Text] = {}
    promised = bool(said.promise_on or said.amount) or said.result == "promised"
    result = said.result or ("promised" if promised else "")
    if said.kind not in KINDS:
        wrong["kind"] = say.CHOOSE
    if result and result not in RESULTS:
        wrong["result"] = say.CHOOSE
    on = day_of(said.on) if said.on else today
    if on is None:
        wrong["on"] = say.NO_DAY
    elif on > today:
        wrong["on"] = say.TO_COME
    if len(said.note) > NOTE_MOST:
        wrong["note"] = say.TOO_LONG.fill(most=NOTE_MOST)
    named = said.document.strip()
    document = debts.ref_of(tx, row.key, named) if named else None
    if named and document is None:
        wrong["document"] = say.NOT_ITS.fill(document=named)
    if not result and not said.note.strip():
        wrong["note"] = say.NOTHING
    promise_on, amount, currency = None, None, None
    if promised:
        currency = said.currency.strip() or row.currency or home
        promise_on = day_of(said.promise_on)
        amount = _amount(said.amount, currency)
        if promise_on is None:
            wrong["promise_on"] = say.NO_DAY
        elif on is not None and promise_on < on:
            wrong["promise_on"] = say.BEFORE
        if not is_currency(currency):
            wrong["currency"] = say.NO_CURRENCY
        elif amount is None:
            wrong["amount"] = say.NO_AMOUNT.fill(currency=currency)
    if wrong or on is None:
        raise Unfit(wrong)
    return Contact(
        customer=row.key,
        on=on,
        kind=said.kind,
        actor=actor,
        result=result or None,
        note=said.note.strip(),
        document=document,
        promise_on=promise_on,
        amount=amount,
        currency=currency,
    )


def day_of(text: str) -> dt.date | None:
    """A day as forms write it; None: it is none."""
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None


def _amount(text: str, currency: str) -> Decimal | None:
    try:
        value = from_minor(to_minor_exact(parse(text.strip().replace(",", "")), currency), currency)
    except (ValueError, KeyError):
        return None
    return value if value > 0 else None
