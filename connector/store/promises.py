"""Promises to pay: all of a debtor, whoever took them down, and what came of those that have come due."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, or_, select

from connector.credit.kpi import PromiseOutcome
from connector.model import Promise
from connector.money import from_minor
from connector.store import bulk, contacts, customers
from connector.store.tables import application, item, link


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """A promise that has come due, with its grace, and what came of it."""

    debtor: int
    promise: Promise
    outcome: PromiseOutcome

    @property
    def kept(self) -> bool:
        return self.outcome.paid >= self.outcome.promised


def by_debtor(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, list[Promise]]:
    """Promises of debtors (None: all): those that systems tell of and those of the contact log, whichever of a debtor's
    accounts they were made for: a CRM's are for the ledger's invoices."""
    asked = select(link.c.customer, link.c.debtor)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, debtors))
    owner: dict[int, int] = {row[0]: row[1] for row in tx.execute(asked)}
    keys = None if debtors is None else list(owner)
    found: dict[int, list[Promise]] = defaultdict(list)
    for source in (customers.promises(tx, keys), contacts.promises(tx, keys)):
        for key, own in source.items():
            if key in owner:
                found[owner[key]] += own
    return dict(found)


def outcomes(
    tx: Connection, debtors: Collection[int] | None, as_of: dt.date, *, grace_days: int, since: dt.date | None = None
) -> list[PromiseRow]:
    """What came of the promises of debtors (None: all) whose day and grace are over on a day, and were due on or after
    `since`.

    For a promise that names a document, what was set against it from receipts counts: received by the end of the grace, and
    set against it from the day of the promise on, also where the books were later than the money. For another one, what was
    received from the debtor in that time; each in the promise's currency. A payment that was taken back by then has never
    been made. A promise for a document that was credited away by the end of the grace is neither kept nor broken.
    """
    grace = dt.timedelta(days=grace_days)
    due = [
        (debtor, promise)
        for debtor, own in by_debtor(tx, debtors).items()
        for promise in own
        if promise.due_on + grace < as_of and (since is None or promise.due_on >= since)
    ]
    if not due:
        return []
    owners = {debtor for debtor, _ in due}
    applied, received = _applied(tx, owners, as_of), _received(tx, owners)
    made = []
    for debtor, promise in due:
        until = promise.due_on + grace
        if promise.document_id is None:
            money = received[debtor]
        else:
            document = applied.get((debtor, promise.document_id), _NOTHING)
            money = document.money
            if document.left(until) <= 0 < document.credited:
                continue
        paid = sum(
            (
                amount
                for since, on, taken_back, currency, amount in money
                if promise.made_on <= since
                and on <= until
                and currency == promise.currency
                and (taken_back is None or taken_back > until)
            ),
            Decimal(0),
        )
        made.append(PromiseRow(debtor, promise, PromiseOutcome(from_minor(promise.amount, promise.currency), paid)))
    return made


# The day of the books, the day of the money, the day on which it was taken back, currency, amount.
Money = list[tuple[dt.date, dt.date, dt.date | None, str, Decimal]]


@dataclass
class _Document:
    """What was set against a document: receipts, and everything by the day of the books."""

    value: int = 0
    credited: int = 0
    money: Money = field(default_factory=list)
    uses: list[tuple[dt.date, dt.date | None, int]] = field(default_factory=list)

    def left(self, on: dt.date) -> int:
        """What was open of it at the end of a day."""
        return self.value - sum(n for since, until, n in self.uses if since <= on and (until is None or until > on))


_NOTHING = _Document()


def _received(tx: Connection, debtors: Collection[int]) -> dict[int, Money]:
    c = item.c
    asked = (
        select(link.c.debtor, c.issued_on, c.voided_on, c.currency, c.value)
        .join_from(link, item, c.customer == link.c.customer)
        .where(bulk.among(tx, link.c.debtor, debtors), c.family == bulk.word("p"), c.kind == "receipt")
    )
    found: dict[int, Money] = defaultdict(list)
    for debtor, on, voided_on, currency, value in tx.execute(asked):
        found[debtor].append((on, on, voided_on, currency, from_minor(-value, currency)))
    return found


def _applied(tx: Connection, debtors: Collection[int], as_of: dt.date) -> dict[tuple[int, str], _Document]:
    a, c, money = application.c, item.c, item.alias("money")
    asked = (
        select(link.c.debtor, c.ref, c.value, c.currency, a.since, a.until, a.to_value, money.c.kind, money.c.issued_on)
        .join_from(link, item, c.customer == link.c.customer)
        .join(application, a.to_item == c.id)
        .join(money, money.c.id == a.from_item)
        .where(
            bulk.among(tx, link.c.debtor, debtors),
            c.family == bulk.word("d"),
            a.since.is_not(None),
            a.since <= as_of,
            or_(a.until.is_(None), a.until > a.since),
        )
    )
    found: dict[tuple[int, str], _Document] = defaultdict(_Document)
    for debtor, ref, value, currency, since, until, used, kind, on in tx.execute(asked):
        document = found[debtor, ref]
        document.value = value
        document.uses.append((since, until, -used))
        if kind == "receipt":
            document.money.append((since, on, until, currency, from_minor(-used, currency)))
        elif kind != "write_off":
            document.credited -= used
    return found
