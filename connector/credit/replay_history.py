"""History for a replay: one family of debtors, compact: what was open from which day on, ordered and invoiced when.

Days are ordinals (`date.toordinal`), which compare and add quickly. Values of lines are whole minor units of their
currency, signed (positive: the customer owes us); those of orders are whole 10^-12 of a currency unit, so that quantity
times price stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.model import Limit

Day = int
# What a line counts as.
DOCUMENT, PAYMENT, COMMERCIAL_BILL, BANK_BILL, DRAFT = range(5)
# Units of orders in one unit of the currency.
UNIT_DIGITS = 12


class Worth(NamedTuple):
    """What is open of a line from a day on, and what of that is disputed as far as it is open."""

    day: Day
    value: int
    disputed: int


@dataclass(slots=True)
class Line:
    """One document, instalment or payment of a customer. `due` is its due day, or that of issue where there is none."""

    customer: int
    currency: str
    sort: int
    issued: Day
    due: Day
    dated: bool
    ref: str
    worth: list[Worth]

    def open_at(self, day: Day) -> int:
        """What is open at the end of a day."""
        value = 0
        for worth in self.worth:
            if worth.day > day:
                break
            value = worth.value
        return value


@dataclass(slots=True)
class Sale:
    """One invoice or debit note: its `lines` are places in the family's list, `order` the place of its order there.

    `lost` is what was written off of it, `voided` the day from which on it does not count.
    """

    customer: int
    ref: str
    number: str | None
    issued: Day
    currency: str
    amount: int
    lines: tuple[int, ...]
    order: int | None = None
    lost: int = 0
    voided: Day | None = None


class Rest(NamedTuple):
    """What is not invoiced of an order from a day on: delivered, and by ship day not delivered; and what is invoiced."""

    day: Day
    delivered: int
    waiting: tuple[tuple[Day | None, int], ...]
    invoiced: int


@dataclass(slots=True)
class Placed:
    """One order of the ledger. It is open from `placed` until the day before `closes` (None: it still is)."""

    customer: int
    system: str
    ref: str
    number: str | None
    currency: str
    total: int
    placed: Day
    ship: Day | None
    closes: Day | None
    rests: list[Rest]
    terms: str | None = None
    priority: str | None = None


@dataclass(slots=True)
class Member:
    """One customer of a ledger, in the currency it is judged in, with all pieces of its limit."""

    customer: int
    currency: str
    limits: list[Limit] = field(default_factory=list)


@dataclass(slots=True)
class Debtor:
    """One legal person. `above` are places of its parents in the family, nearest first; `below` itself and everybody
    under it, empty where there is nobody."""

    key: int
    system: str
    ref: str
    name: str
    members: tuple[Member, ...]
    segment: str | None = None
    status: str = "active"
    terms: str | None = None
    above: tuple[int, ...] = ()
    below: tuple[int, ...] = ()


@dataclass(slots=True)
class Family:
    """Debtors that are judged together, and all that happened to them."""

    debtors: list[Debtor]
    lines: list[Line] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)


class Part(NamedTuple):
    """A line of an order as it stands today, or the order itself where it has none."""

    ship: Day | None
    total: int
    delivered: int
    ordered: int


def placed_order(
    customer: int,
    system: str,
    ref: str,
    number: str | None,
    currency: str,
    placed: Day,
    ship: Day | None,
    stated: int | None,
    parts: Sequence[Part],
    invoices: Sequence[tuple[Day, int]],
    is_open: bool,
    last: Day,
) -> Placed:
    """An order's course, told from how it stands today and from its invoices (day, gross value).

    What history does not say is taken thus: the earliest ship day is invoiced first; what is invoiced today without an
    invoice that names the order was invoiced with the last one, else on the ship day, else on the day of the order; what
    is delivered and not invoiced today was delivered on the ship day; a closed order was closed with its last invoice.
    """
    total = sum(part.total for part in parts)
    own = [max(part.total - part.delivered - part.ordered, 0) for part in parts]
    whole = sum(own)
    first_ship = ship if ship is not None else min((p.ship for p in parts if p.ship is not None), default=None)
    course: list[tuple[Day, int]] = []
    done = 0
    for day, value in sorted(invoices):
        more = min(value, whole - done)
        if more > 0:
            done += more
            course.append((max(day, placed), more))
    usual = min(max(first_ship if first_ship is not None else placed, placed), max(last, placed))
    if done < whole:
        course.append((course[-1][0] if course else usual, whole - done))
    delivered_on = usual if any(part.delivered for part in parts) else None
    closes = None if is_open else (max(day for day, _ in course) if course else usual + 1)
    # The earliest ship day first; what has none counts at once, so it goes before all.
    order = sorted(range(len(parts)), key=lambda at: (parts[at].ship or 0, at))
    rests: list[Rest] = []
    days = {placed, *(day for day, _ in course)} | ({delivered_on} if delivered_on is not None else set())
    for day in sorted(days):
        if closes is not None and day >= closes and rests:
            break
        left = invoiced = sum(value for at, value in course if at <= day)
        waiting: dict[Day | None, int] = {}
        out = delivered_on is not None and day >= delivered_on
        for at in order:
            part = parts[at]
            taken = min(left, own[at])
            left -= taken
            rest = own[at] - taken + part.ordered + (0 if out else part.delivered)
            if rest:
                waiting[part.ship if part.ship is not None else ship] = (
                    waiting.get(part.ship if part.ship is not None else ship, 0) + rest
                )
        delivered = sum(part.delivered for part in parts) if out else 0
        rests.append(Rest(day, delivered, tuple(waiting.items()), invoiced))
    if stated is not None and stated < total:
        total = stated  # the stated one no longer holds what was cancelled
    return Placed(customer, system, ref, number, currency, total, placed, first_ship, closes, rests)
