"""Debts: open invoices and instalments one by one, how far dunning has come with each, and which wait for a promise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from connector.model import Promise
from connector.money import from_minor

# System, document, part: what an item is known by, whichever key the store gives it.
Key = tuple[str, str, str]
What = Literal["settled", "reopened", "renewed"]


@dataclass(frozen=True, slots=True)
class Debt:
    """An open invoice or debit note, or one instalment of it (`part`), of a customer by the store's key.

    `value` is the whole of it, `open` what is open of that, `disputed` the disputed part of `open`; all in `currency`.
    """

    system: str
    customer: int
    document: str
    part: str
    number: str | None
    kind: str
    issued_on: dt.date
    due_on: dt.date | None
    currency: str
    value: Decimal
    open: Decimal
    disputed: Decimal

    @property
    def key(self) -> Key:
        return self.system, self.document, self.part

    @property
    def ref(self) -> str:
        """How people name it: the document, or the document and its instalment."""
        return f"{self.document}/{self.part}" if self.part else self.document

    @property
    def undisputed(self) -> Decimal:
        return self.open - self.disputed

    def days(self, as_of: dt.date) -> int | None:
        """Days past due; negative before the due date, None without one."""
        return None if self.due_on is None else (as_of - self.due_on).days


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an item is: its level, the day of its last step, and since when nothing of it has been open."""

    level: int = 0
    since: dt.date | None = None
    noticed_on: dt.date | None = None
    closed_on: dt.date | None = None
    closed_value: Decimal | None = None

    @property
    def in_force(self) -> int:
        """The level that counts: 0 while nothing is open."""
        return 0 if self.closed_on else self.level


# --- settled, opened again -------------------------------------------------------------------------------------------
def turned(standing: Standing, debt: Debt | None, as_of: dt.date) -> tuple[Standing, What] | None:
    """What has become of an item since it was last looked at; None where it is as it was.

    Without anything open it is settled, and its level does not count. Open again it has its level back: a payment was
    reversed. But where the document itself has grown, that is a new debt, and it begins anew.
    """
    is_open = debt is not None and debt.open > 0
    if standing.closed_on is None:
        if is_open:
            return None
        value = debt.value if debt is not None else None
        return replace(standing, closed_on=as_of, closed_value=value), "settled"
    if not is_open or debt is None:
        return None
    if standing.closed_value is not None and debt.value > standing.closed_value:
        return Standing(), "renewed"
    return replace(standing, closed_on=None, closed_value=None), "reopened"


# --- promises --------------------------------------------------------------------------------------------------------
def promised(debts: Iterable[Debt], promises: Iterable[Promise], as_of: dt.date, grace_days: int) -> dict[Key, Promise]:
    """The unexpired promise that an item of one customer waits for, by item.

    A promise for a document pauses it, earliest due instalment first as far as its amount goes; one that names none is
    laid on the items of its currency, earliest due first. Any part of an item pauses all of it.
    """
    own = sorted(debts, key=by_due)
    found: dict[Key, Promise] = {}
    for promise in sorted(promises, key=lambda p: (p.document_id is None, p.made_on, p.id)):
        if promise.made_on > as_of or promise.due_on + dt.timedelta(days=grace_days) < as_of:
            continue
        left = promise_amount(promise)
        for debt in own:
            if promise.document_id is None:
                meant = debt.currency == promise.currency and debt.key not in found
            else:
                meant = promise.document_id == debt.document
            if not meant:
                continue
            if left <= 0:
                break
            before = found.get(debt.key)
            if before is None or before.due_on < promise.due_on:
                found[debt.key] = promise
            if debt.currency == promise.currency:
                left -= debt.open
    return found


def promise_amount(promise: Promise) -> Decimal:
    """What was promised, as an amount."""
    return from_minor(promise.amount, promise.currency)


def by_due(debt: Debt) -> tuple[dt.date, str, str]:
    return debt.due_on or debt.issued_on, debt.document, debt.part
