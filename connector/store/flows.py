"""Flows: what was sold, paid, lost and booked over years, in a few grouped queries over the whole ledger.

Amounts are minor units of their currency. Everything says since when and until when it counted, so that any day's view
can be taken of one answer.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Integer, Select, and_, case, cast, extract, func, or_, select

from connector.store import bulk
from connector.store.items import DOCUMENT, PAYMENT
from connector.store.keys import system_ids
from connector.store.tables import application, item, part

_DEBTS = ("invoice", "debit_note")


class Sold(NamedTuple):
    """Sales of one currency and day, with tax, net of credit notes; until it was voided where it was."""

    currency: str
    on: dt.date
    until: dt.date | None
    value: int


def sold(tx: Connection, until: dt.date, systems: Collection[str] | None = None) -> list[Sold]:
    """Everything invoiced up to a day, oldest first."""
    i = item.c
    asked = (
        select(i.currency, i.issued_on, i.voided_on, _whole(func.sum(i.value)))
        .where(i.sort == bulk.literal(DOCUMENT), i.kind.in_((*_DEBTS, "credit_note")), i.issued_on <= until)
        .group_by(i.currency, i.issued_on, i.voided_on)
        .order_by(i.issued_on, i.currency)
    )
    return [Sold(*row) for row in tx.execute(_of(tx, asked, systems))]


class Payment(NamedTuple):
    """Money set against a debt with a due date on `since` (it came on `paid_on`), or a debt given up on that day."""

    customer: int
    currency: str
    since: dt.date
    until: dt.date | None
    paid_on: dt.date
    due_on: dt.date
    amount: int
    given_up: bool


def payments(tx: Connection, after: dt.date, until: dt.date, systems: Collection[str] | None = None) -> list[Payment]:
    """What was set against invoices and debit notes after one day and up to another."""
    a, paid, due = application.c, item.alias("paid"), part.alias("due")
    due_on = func.coalesce(due.c.due_on, item.c.due_on)
    asked = (
        select(
            item.c.customer,
            item.c.currency,
            a.since,
            a.until,
            paid.c.issued_on,
            due_on,
            -a.to_value,
            paid.c.kind == bulk.word("write_off"),
        )
        .join_from(application, item, item.c.id == a.to_item)
        .join(paid, paid.c.id == a.from_item)
        .outerjoin(due, and_(due.c.item == item.c.id, due.c.number == a.instalment, a.instalment.is_not(None)))
        .where(
            a.since > after,
            a.since <= until,
            or_(a.until.is_(None), a.until > a.since),
            a.to_value < bulk.literal(0),
            item.c.kind.in_(_DEBTS),
            paid.c.kind.in_(("receipt", "write_off")),
            due_on.is_not(None),
        )
    )
    return [Payment(*row) for row in tx.execute(_of(tx, asked, systems))]


@dataclass(slots=True)
class Control:
    """The ledger's own sums of one currency on a day, made without any ageing: what all customers together must give.

    `set_off` is what was set against items of another currency or against bills of exchange, which stand elsewhere.
    """

    documents: int = 0
    payments: int = 0
    set_off: int = 0

    @property
    def balance(self) -> int:
        """The balance of the control account."""
        return self.documents + self.payments + self.set_off


def control(
    tx: Connection, days: Sequence[dt.date], systems: Collection[str] | None = None
) -> list[dict[str, Control]]:
    """The control totals of each of some days (rising), by currency."""
    i, a = item.c, application.c
    booked = (
        select(i.currency, i.sort, i.issued_on, i.voided_on, _whole(func.sum(i.value)))
        .where(i.sort.in_((DOCUMENT, PAYMENT)), i.issued_on <= days[-1])
        .group_by(i.currency, i.sort, i.issued_on, i.voided_on)
    )
    found: list[dict[str, Control]] = [defaultdict(Control) for _ in days]
    for currency, sort, since, until, value in tx.execute(_of(tx, booked, systems)):
        for there in _while(found, days, since, until):
            if sort == DOCUMENT:
                there[currency].documents += value
            else:
                there[currency].payments += value
    for end, value in ((a.to_item, a.to_value), (a.from_item, a.from_value)):
        used = (
            select(i.currency, a.since, a.until, _whole(func.sum(value)))
            .join_from(application, item, i.id == end)
            .where(i.sort.in_((DOCUMENT, PAYMENT)), a.since <= days[-1])
            .group_by(i.currency, a.since, a.until)
        )
        for currency, since, until, total in tx.execute(_of(tx, used, systems)):
            for there in _while(found, days, since, until):
                there[currency].set_off += total
    return [dict(one) for one in found]


def _while(
    found: Sequence[dict[str, Control]], days: Sequence[dt.date], since: dt.date, until: dt.date | None
) -> list[dict[str, Control]]:
    return [there for there, day in zip(found, days, strict=True) if since <= day and (until is None or until > day)]


@dataclass(slots=True)
class Cohort:
    """Debts of one customer and currency that fell due in some months: how much was invoiced, how much was unpaid at the
    end of the due date and of each following bucket's last day, how much was never paid, and which months those were."""

    reached: list[int]
    lost: int
    months: set[int]


def cohorts(
    tx: Connection,
    after: dt.date,
    until: dt.date,
    as_of: dt.date,
    edges: Sequence[int],
    systems: Collection[str] | None = None,
) -> dict[tuple[int, str], Cohort]:
    """What became, up to a day, of the debts that fell due after one day and up to another; by customer and currency.

    A document with instalments falls due with the last of them. Never paid is what is still open and what was written
    off; a credit note is no loss, it takes the sale back.
    """
    i, a, paid = item.c, application.c, item.alias("paid")
    last = select(func.max(part.c.due_on)).where(part.c.item == i.id).correlate(item).scalar_subquery()
    due_on = case((i.parts > bulk.literal(0), last), else_=i.due_on)
    mine = and_(
        i.sort == bulk.literal(DOCUMENT),
        i.kind.in_(_DEBTS),
        due_on > after,
        due_on <= until,
        or_(i.voided_on.is_(None), i.voided_on > as_of),
    )
    month = extract("year", due_on) * 12 + extract("month", due_on)
    found: dict[tuple[int, str], Cohort] = {}
    invoiced = select(i.customer, i.currency, month, _whole(func.sum(i.value))).where(mine)
    for key, currency, number, value in tx.execute(_of(tx, invoiced.group_by(i.customer, i.currency, month), systems)):
        one = found.setdefault((key, currency), Cohort([0] * (len(edges) + 2), 0, set()))
        one.months.add(int(number))
        one.lost += value
        one.reached = [amount + value for amount in one.reached]
    late = _days(tx, a.since, due_on)
    step = case(
        *((late <= bulk.literal(edge), bulk.literal(n)) for n, edge in enumerate((0, *edges))),
        else_=bulk.literal(len(edges) + 1),
    )
    settled = (
        select(i.customer, i.currency, step, _whole(func.sum(-a.to_value)))
        .join_from(application, item, i.id == a.to_item)
        .join(paid, paid.c.id == a.from_item)
        .where(
            mine,
            a.since <= as_of,
            or_(a.until.is_(None), a.until > as_of),
            paid.c.kind != bulk.word("write_off"),
        )
        .group_by(i.customer, i.currency, step)
    )
    for key, currency, place, value in tx.execute(_of(tx, settled, systems)):
        one = found[key, currency]
        one.lost -= value
        for bucket in range(place + 1, len(one.reached)):
            one.reached[bucket] -= value
    return found


def _of(tx: Connection, asked: Select[Any], systems: Collection[str] | None) -> Select[Any]:
    if systems is None:
        return asked
    # Added to, so that no plan begins with the key of a whole system.
    return asked.where((item.c.system + bulk.literal(0)).in_(system_ids(tx, systems) or []))


def _whole(total: Any) -> Any:
    """A sum of whole numbers as one: PostgreSQL makes a NUMERIC of it."""
    return cast(total, BigInteger)


def _days(tx: Connection, later: Any, earlier: Any) -> Any:
    """Calendar days from one date to another, as a whole number."""
    if bulk.is_sqlite(tx):
        # Julian days of two dates differ by a whole number; both end in .5, which a double holds exactly.
        return cast(func.julianday(later) - func.julianday(earlier), Integer)
    return later - earlier
