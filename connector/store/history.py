"""History: sales by month, and how customers have paid; what the indicators of domain section 5 are computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, or_, select, union_all

from connector.credit.terms import months_later
from connector.money import from_minor
from connector.store import bulk
from connector.store.items import DOCUMENT
from connector.store.keys import system_ids
from connector.store.opened import DAY, Asked, sources, split_later, stage_pieces
from connector.store.tables import application, customer, item, part, sales


@dataclass(frozen=True, slots=True)
class MonthSales:
    """Posted sales of a customer in a month (its first day), with tax, net of credit notes."""

    customer: int
    currency: str
    month: dt.date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Experience:
    """One payment of an invoice. `paid_on` is the day the money came, `applied_on` the day it was set against it.

    `days_late` is negative where it came early, None where the invoice has no due date.
    """

    customer: int
    currency: str
    amount: Decimal
    paid_on: dt.date
    applied_on: dt.date
    due_on: dt.date | None

    @property
    def days_late(self) -> int | None:
        return None if self.due_on is None else (self.paid_on - self.due_on).days


def sales_by_month(
    tx: Connection,
    customers: Collection[int] | None = None,
    *,
    since: dt.date | None = None,
    until: dt.date | None = None,
    systems: Collection[str] | None = None,
) -> list[MonthSales]:
    """Sales of months from that of `since` to that of `until`, oldest first. Kept up page by page, so that it costs what
    there are months, not what there are documents."""
    c = sales.c
    asked = select(c.customer, c.currency, c.month, c.value).where(c.documents > 0).order_by(c.month, c.customer)
    if customers is not None:
        asked = asked.where(bulk.among(tx, c.customer, customers))
    if since is not None:
        asked = asked.where(c.month >= since.replace(day=1))
    if until is not None:
        asked = asked.where(c.month <= until)
    if systems is not None:
        asked = asked.join(customer, customer.c.id == c.customer)
        asked = asked.where(customer.c.system.in_(system_ids(tx, systems) or []))
    return [
        MonthSales(key, currency, month, from_minor(value, currency))
        for key, currency, month, value in tx.execute(asked)
    ]


def payment_experience(
    tx: Connection, customers: Collection[int] | None, as_of: dt.date, *, months: int = 24
) -> list[Experience]:
    """Every payment that was set against an invoice in so many months up to a day, oldest first."""
    a, paid, due = application.c, item.alias("paid"), part.alias("due")
    start = months_later(as_of, -months)
    asked = (
        select(
            item.c.customer,
            item.c.currency,
            a.to_value,
            paid.c.issued_on,
            a.since,
            func.coalesce(due.c.due_on, item.c.due_on),
        )
        .join_from(application, item, item.c.id == a.to_item)
        .join(paid, paid.c.id == a.from_item)
        .outerjoin(due, and_(due.c.item == item.c.id, due.c.number == a.instalment, a.instalment.is_not(None)))
        .where(
            a.since > start,
            a.since <= as_of,
            or_(a.until.is_(None), a.until > as_of),
            a.to_value < 0,
            item.c.kind.in_(("invoice", "debit_note")),
            paid.c.kind == "receipt",
        )
        .order_by(a.since, a.id)
    )
    if customers is not None:
        asked = asked.where(bulk.among(tx, item.c.customer, customers))
    return [
        Experience(key, currency, from_minor(-value, currency), paid_on, applied_on, due_on)
        for key, currency, value, paid_on, applied_on, due_on in tx.execute(asked)
    ]


class InvoicedDay(NamedTuple):
    """Invoices and debit notes of a customer issued on one day: their amounts, and what of them is still open."""

    customer: int
    currency: str
    issued_on: dt.date
    invoiced: Decimal
    open: Decimal


def invoiced_by_day(tx: Connection, customers: Collection[int], as_of: dt.date) -> list[InvoicedDay]:
    """What was invoiced to some customers day by day, as it stood at the end of a day: what was voided by then is not
    there, and what was applied later is still open. Oldest first."""
    asked = Asked(tx, as_of, customers)
    i = item.c
    whole = (
        select(i.customer, i.currency, i.issued_on, func.sum(i.value))
        .where(
            i.sort == bulk.literal(DOCUMENT),
            i.value > 0,
            i.issued_on <= DAY,
            or_(i.voided_on.is_(None), i.voided_on > DAY),
        )
        .group_by(i.customer, i.currency, i.issued_on)
        .order_by(i.issued_on, i.customer)
    )
    staged = stage_pieces(asked, split_later(asked.shape))
    pieces = union_all(*sources(asked.shape, staged)).subquery("opened")
    o = pieces.c
    left = (
        select(o.customer, o.currency, o.issued_on, func.sum(o.value))
        # A credit note to which more was set than it has is a debt, but nothing that was invoiced.
        .where(o.sort == bulk.literal(DOCUMENT), o.value > bulk.literal(0), o.whole > bulk.literal(0))
        .group_by(o.customer, o.currency, o.issued_on)
    )
    rest = {tuple(row[:3]): int(row[3]) for row in tx.execute(left, asked.parameters).all()}
    return [
        InvoicedDay(
            key,
            currency,
            day,
            from_minor(int(value), currency),
            from_minor(rest.get((key, currency, day), 0), currency),
        )
        for key, currency, day, value in tx.execute(asked.shape.mine(whole, i), asked.parameters).all()
    ]


def last_paid_on(tx: Connection, customers: Collection[int] | None, as_of: dt.date) -> dict[int, dt.date]:
    """The last day up to `as_of` on which each customer paid anything."""
    asked: dict[str, Any] = {"day": as_of}
    if customers is not None:
        asked["ids"] = bulk.given(tx, customers)
    question = _last_paid(bulk.is_sqlite(tx), customers is not None)
    return {row[0]: row[1] for row in tx.execute(question, asked).all()}


@cache
def _last_paid(sqlite: bool, some: bool) -> Select[Any]:
    i = item.c
    question = (
        select(i.customer, func.max(i.issued_on))
        .where(
            i.family == bulk.word("p"),
            i.kind == bulk.word("receipt"),
            i.issued_on <= DAY,
            or_(i.voided_on.is_(None), i.voided_on > DAY),
        )
        .group_by(i.customer)
    )
    return question.where(bulk.among_ids(sqlite, i.customer)) if some else question
