"""Order values: what open and draft orders are worth, order by order, and what of them counts as exposure (domain 1).

Sums are exact: the values of lines stand in the store as whole units and a rest (`orders`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Date, Select, and_, bindparam, case, cast, func, or_, select, union_all

from connector.money import EXACT, exponent, from_minor
from connector.store import bulk, quick
from connector.store.keys import system_names
from connector.store.opened import DAY, Asked, Shape
from connector.store.orders import REST_DIGITS
from connector.store.tables import customer, link, order_line, sales_order

ZERO = Decimal(0)


class OrderRow(NamedTuple):
    """An open or draft order, gross, in its own currency, unrounded. `reference` is its number elsewhere, as its system
    says; `twin` the name of the ledger's order that it is, where it is one under another name. `open_value` is what it adds to the exposure inside
    the horizon, of that `delivered_value` is delivered and not invoiced; `invoiced_value` is what is a receivable already."""

    key: int
    system: str
    ref: str
    number: str | None
    customer: int
    debtor: int | None
    status: str
    currency: str
    total: Decimal
    open_value: Decimal
    invoiced_value: Decimal
    ordered_on: dt.date
    ship_on: dt.date | None
    terms: str | None = None
    owner: str | None = None
    priority: str | None = None
    company: str | None = None
    delivered_value: Decimal = ZERO
    reference: str | None = None
    twin: str | None = None

    @property
    def name(self) -> str:
        """What people call the order; the same order in two systems has one name."""
        return self.twin or self.number or self.ref


def on_order(asked: Asked, horizon_days: int | None) -> Iterator[tuple[int, str, Decimal, Decimal]]:
    """By customer and currency: delivered not invoiced, ordered not delivered; unrounded minor units."""
    horizon = dt.date.max if horizon_days is None else asked.as_of + dt.timedelta(days=horizon_days)
    question = _order_question(asked.shape)
    for key, currency, *wholes in quick.rows(asked.tx, question, asked.parameters | {"horizon": horizon}):
        delivered, delivered_rest, ordered, ordered_rest, delivered_minor, ordered_minor = wholes
        places = exponent(currency)
        sums = (
            EXACT.add(_exact(delivered, delivered_rest).scaleb(places, EXACT), int(delivered_minor or 0)),
            EXACT.add(_exact(ordered, ordered_rest).scaleb(places, EXACT), int(ordered_minor or 0)),
        )
        if any(sums):
            yield key, currency, *sums


@cache
def _order_question(shape: Shape) -> Select[Any]:
    o, n, zero = sales_order.c, order_line.c, bulk.literal(0)
    horizon = bindparam("horizon", type_=Date)
    open_now = and_(o.status == _OPEN, o.ordered_on <= DAY)
    inside = _inside(func.coalesce(n.ship_on, o.ship_on), horizon)
    lines = (
        select(
            o.customer,
            o.currency,
            func.sum(n.delivered).label("a"),
            func.sum(n.delivered_rest).label("b"),
            func.sum(case((inside, n.ordered), else_=zero)).label("c"),
            func.sum(case((inside, n.ordered_rest), else_=zero)).label("d"),
            zero.label("e"),
            zero.label("f"),
        )
        .join_from(sales_order, order_line, n.sales_order == o.id)
        .where(open_now)
    )
    wholes = select(
        o.customer,
        o.currency,
        *(zero.label(name) for name in "abcd"),
        func.sum(o.delivered).label("e"),
        func.sum(case((_inside(o.ship_on, horizon), o.ordered), else_=zero)).label("f"),
    ).where(open_now, ~select(n.id).where(n.sales_order == o.id).exists())
    both = [shape.mine(one, o).group_by(o.customer, o.currency) for one in (lines, wholes)]
    s = union_all(*both).subquery("ordered").c
    sums = [func.sum(s[name]) for name in "abcdef"]
    return select(s.customer, s.currency, *sums).group_by(s.customer, s.currency)


# Written as it stands in the partial index.
_OPEN = bulk.word("open")


def _inside(ship_on: Any, horizon: Any) -> Any:
    return or_(ship_on.is_(None), ship_on <= horizon)


def _exact(whole: Any, rest: Any) -> Decimal:
    return _value(_units(whole, rest))


def _units(whole: Any, rest: Any) -> int:
    """Whole units and their rest as one whole number, which is exact and quick to reckon with."""
    return int(whole or 0) * _UNIT + int(rest or 0)


def _value(units: int) -> Decimal:
    return Decimal(units).scaleb(-REST_DIGITS, EXACT) if units else ZERO


_UNIT: int = 10**REST_DIGITS


def order_values(
    tx: Connection, customers: Collection[int] | None = None, *, horizon_on: dt.date | None = None
) -> list[OrderRow]:
    """Open and draft orders of some customers and of whoever is one debtor with them (None: all), by key.

    What ships after `horizon_on` is not part of an order's `open_value`.
    """
    sqlite, given = bulk.is_sqlite(tx), dict[str, Any]()
    if customers is not None:
        beside = (row[0] for row in quick.rows(tx, _beside(sqlite), {"ids": bulk.given(tx, customers)}))
        given["ids"] = bulk.given(tx, sorted({*customers, *beside}))
    orders, lines = _order_questions(sqlite, customers is not None)
    found = quick.rows(tx, orders, given)
    if not found:
        return []
    within = {**given, "horizon": horizon_on or dt.date.max}
    by_order = {row[0]: row for row in quick.rows(tx, lines, within)}
    names = system_names(tx)
    return [_order(row, by_order.get(row[0]), names, horizon_on) for row in found]


@cache
def _beside(sqlite: bool) -> Select[Any]:
    other = link.alias("other")
    beside = select(other.c.customer).join_from(link, other, other.c.debtor == link.c.debtor)
    return beside.where(bulk.among_ids(sqlite, link.c.customer))


@cache
def _order_questions(sqlite: bool, some: bool) -> tuple[Select[Any], Select[Any]]:
    o, n = sales_order.c, order_line.c
    orders = (
        select(
            o.id,
            o.system,
            o.ref,
            o.number,
            o.customer,
            link.c.debtor,
            o.status,
            o.currency,
            o.amount,
            o.delivered,
            o.ordered,
            o.ordered_on,
            o.ship_on,
            o.terms,
            o.owner,
            o.priority,
            o.company,
            o.reference,
        )
        .join_from(sales_order, customer, customer.c.id == o.customer)
        .outerjoin(link, link.c.customer == o.customer)
        .where(bulk.one_of(o.status, "open", "draft"))
        .order_by(o.id)
    )
    inside = _inside(func.coalesce(n.ship_on, o.ship_on), bindparam("horizon", type_=Date()))
    lines = (
        select(
            n.sales_order,
            func.sum(n.total),
            func.sum(n.total_rest),
            func.sum(n.delivered),
            func.sum(n.delivered_rest),
            func.sum(n.ordered),
            func.sum(n.ordered_rest),
            *(
                cast(func.sum(case((inside, what), else_=bulk.literal(0))), BigInteger)
                for what in (n.ordered, n.ordered_rest)
            ),
            func.min(n.ship_on),
        )
        .join_from(sales_order, order_line, n.sales_order == o.id)
        .where(bulk.one_of(o.status, "open", "draft"))
        .group_by(n.sales_order)
    )
    if not some:
        return orders, lines
    mine = bulk.among_ids(sqlite, o.customer)
    return orders.where(mine), lines.where(mine)


def _order(row: tuple[Any, ...], lines: Any | None, names: dict[int, str], horizon: dt.date | None) -> OrderRow:
    key, system, ref, number, owner_key, debtor, status, currency, amount, *rest = row
    whole_delivered, whole_ordered, ordered_on, ship_on, terms, owner, priority, company, reference = rest
    stated = None if amount is None else from_minor(amount, currency)
    if lines is not None:
        _, *pairs, first_ship_on = lines
        total_units, delivered, ordered, inside = (_units(pairs[at], pairs[at + 1]) for at in (0, 2, 4, 6))
        ship_on, total = ship_on or first_ship_on, _value(total_units)
        open_value, invoiced = _value(delivered + inside), _value(max(total_units - delivered - ordered, 0))
        delivered_value = _value(delivered)
        if stated is not None and stated < total:
            total = stated  # the stated one still holds what was cancelled
    else:
        total = stated or ZERO
        delivered_value, ordered_value = (from_minor(v or 0, currency) for v in (whole_delivered, whole_ordered))
        invoiced = max(total - delivered_value - ordered_value, ZERO)
        beyond = horizon and ship_on and ship_on > horizon
        open_value = delivered_value + (ZERO if beyond else ordered_value)
    return OrderRow(
        key,
        names[system],
        ref,
        number,
        owner_key,
        debtor,
        status,
        currency,
        total,
        open_value,
        invoiced,
        ordered_on,
        ship_on,
        terms,
        owner,
        priority,
        company,
        delivered_value,
        reference,
    )


__all__ = ["OrderRow", "on_order", "order_values"]
