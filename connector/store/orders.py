"""Orders and their lines: what is delivered and not invoiced, and what is ordered and not delivered (domain 1).

A line's values are exact: whole units of the currency in one integer, 10^-12 of a unit in another, so that sums stay
exact in every database and the currency need not be known yet. An order without lines goes by its own amounts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, select

from connector.model import Order, OrderLine
from connector.money import EXACT
from connector.store import bulk, echoes, quick
from connector.store.echoes import Said, Word
from connector.store.keys import interned
from connector.store.page import Saving, newest
from connector.store.tables import customer, order_line, sales_order

REST_DIGITS = 12
_REST = 10**REST_DIGITS
_STEP = Decimal(1).scaleb(-REST_DIGITS)
ZERO = Decimal(0)

ORDER = (
    "record",
    "known",
    "customer",
    "number",
    "reference",
    "ordered_on",
    "ship_on",
    "currency",
    "amount",
    "invoiced_amount",
    "delivered_amount",
    "terms",
    "status",
    "owner",
    "priority",
    "company",
    "delivered",
    "ordered",
)
LINE = (
    "record",
    "sales_order",
    "line",
    "quantity",
    "quantity_delivered",
    "quantity_invoiced",
    "quantity_cancelled",
    "unit_price",
    "tax_rate",
    "ship_on",
    "total",
    "total_rest",
    "delivered",
    "delivered_rest",
    "ordered",
    "ordered_rest",
)


def save_orders(saving: Saving, facts: Sequence[tuple[int, Order]]) -> None:
    """Orders of a page, each with its record."""
    if not facts:
        return
    customers = interned(saving.tx, customer, saving.system, {fact.customer_id for _, fact in facts})
    interned(saving.tx, sales_order, saving.system, {fact.id for _, fact in facts})
    words, before = newest(facts)
    said = Said(
        {fact.id: _order(record, customers[fact.customer_id], fact) for record, fact in words},
        [(fact.id, _order(record, customers[fact.customer_id], fact)) for record, fact in before],
    )
    save_said_orders(saving, said)


def _order(record: int, key: int, fact: Order) -> Word:
    return (
        record,
        True,
        key,
        fact.number,
        fact.reference,
        fact.ordered_on,
        fact.ship_on,
        fact.currency,
        fact.amount,
        fact.invoiced_amount,
        fact.delivered_amount,
        fact.terms,
        fact.status,
        fact.owner,
        fact.priority,
        fact.company,
        *_whole(fact),
    )


def save_said_orders(saving: Saving, said: Said) -> None:
    """Orders as the table has them; each has its key already."""
    there = echoes.standing(saving, sales_order, ORDER, said.words)
    changed, replaced = [], []
    for ref, now in said.words.items():
        key, before = there[ref]
        if now != before:
            changed.append((*now, key))
            saving.touched.update(whose for whose in (now[2], before[2]) if whose is not None)
        if now[0] != before[0]:
            replaced.append((ref, before))
    bulk.update(saving.tx, sales_order, ORDER, changed)
    echoes.keep(saving, "order", ORDER, said, replaced)


def _whole(fact: Order) -> tuple[int, int]:
    """Delivered not invoiced and ordered not delivered of an order that goes by its own amounts."""
    delivered, invoiced = fact.delivered_amount or 0, fact.invoiced_amount or 0
    return max(delivered - invoiced, 0), max((fact.amount or 0) - max(delivered, invoiced), 0)


def save_lines(saving: Saving, facts: Sequence[tuple[int, OrderLine]]) -> None:
    """Order lines of a page, each with its record."""
    if not facts:
        return
    orders = interned(saving.tx, sales_order, saving.system, {fact.order_id for _, fact in facts})
    words, before = newest(facts)
    said = Said(
        {fact.ref: _line(record, orders[fact.order_id], fact) for record, fact in words},
        [(fact.ref, _line(record, orders[fact.order_id], fact)) for record, fact in before],
    )
    save_said_lines(saving, said)


def _line(record: int, key: int, fact: OrderLine) -> Word:
    return (
        record,
        key,
        fact.line,
        fact.quantity,
        fact.quantity_delivered,
        fact.quantity_invoiced,
        fact.quantity_cancelled,
        fact.unit_price,
        fact.tax_rate,
        fact.ship_on,
        *_values(fact),
    )


def save_said_lines(saving: Saving, said: Said) -> None:
    """Order lines as the table has them."""
    tx, there = saving.tx, echoes.standing(saving, order_line, LINE, said.words)
    new, changed, replaced, parents = [], [], [], set()
    for ref, now in said.words.items():
        if ref not in there:
            new.append((ref, now))
        elif there[ref][1] != now:
            changed.append((*_plain(now), there[ref][0]))
            parents.add(there[ref][1][1])
            if there[ref][1][0] != now[0]:
                replaced.append((ref, there[ref][1]))
        else:
            continue
        parents.add(now[1])
    ids = bulk.new_ids(tx, order_line, len(new))
    rows = [(key, saving.system, ref, *_plain(now)) for key, (ref, now) in zip(ids, new, strict=True)]
    bulk.insert(tx, order_line, ("id", "system", "ref", *LINE), rows)
    bulk.update(tx, order_line, LINE, changed)
    echoes.keep(saving, "order_line", LINE, said, replaced)
    _touch(saving, parents)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(format(v, "f") if v.__class__ is Decimal else v for v in row)


def _values(fact: OrderLine) -> tuple[int, ...]:
    """Total, delivered not invoiced, ordered not delivered, each in whole units and the rest."""
    delivered, invoiced = fact.quantity_delivered or ZERO, fact.quantity_invoiced or ZERO
    wanted = fact.quantity - (fact.quantity_cancelled or ZERO)
    price = EXACT.multiply(fact.unit_price, 1 + (fact.tax_rate or ZERO))
    quantities = (wanted, max(delivered - invoiced, ZERO), max(wanted - max(delivered, invoiced), ZERO))
    made: list[int] = []
    for quantity in quantities:
        parts = int(EXACT.multiply(quantity, price).quantize(_STEP, ROUND_HALF_UP, EXACT).scaleb(REST_DIGITS, EXACT))
        sign = -1 if parts < 0 else 1
        whole, rest = divmod(abs(parts), _REST)
        made += (sign * whole, sign * rest)
    return tuple(made)


def remove_orders(saving: Saving, ids: Collection[int]) -> None:
    """Orders that are gone; lines that still name them keep the key."""
    if not ids:
        return
    _touch(saving, ids)
    saving.tx.execute(
        sales_order.update()
        .where(bulk.among(saving.tx, sales_order.c.id, ids))
        .values(known=False, record=None, status=None)
    )


def remove_lines(saving: Saving, ids: Collection[int]) -> None:
    """Lines that are gone."""
    if not ids:
        return
    asked = select(order_line.c.sales_order).where(bulk.among(saving.tx, order_line.c.id, ids))
    _touch(saving, set(saving.tx.execute(asked).scalars()))
    bulk.delete(saving.tx, order_line, ids)


def _touch(saving: Saving, orders: Collection[int]) -> None:
    if orders:
        tx = saving.tx
        saving.touched.update(quick.column(tx, _owners(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, orders)}))


@cache
def _owners(sqlite: bool) -> Select[Any]:
    c = sales_order.c
    return select(c.customer).where(bulk.among_ids(sqlite, c.id), c.customer.is_not(None))
