"""What records said and say no more: each fact goes, or the word of another record that says it, too, takes its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Table, select

from connector.store import applications, bulk, echoes, items, orders, plain, tables
from connector.store.echoes import Said
from connector.store.page import Saving


@dataclass(frozen=True, slots=True)
class _Home:
    """Where the facts of one kind are: the table, its columns that a record says, and what writes them there."""

    table: Table
    columns: Sequence[str]
    write: Callable[[Saving, Said], None]


_HOMES: dict[str, _Home] = {
    "customer": _Home(tables.customer, plain.CUSTOMER, plain.save_said_customers),
    "document": _Home(tables.item, items.SAID, partial(items.save_said, kind="document")),
    "payment": _Home(tables.item, items.SAID, partial(items.save_said, kind="payment")),
    "application": _Home(tables.application, applications.SAID, applications.save_said),
    "order": _Home(tables.sales_order, orders.ORDER, orders.save_said_orders),
    "order_line": _Home(tables.order_line, orders.LINE, orders.save_said_lines),
    **{kind: _Home(how.table, how.said, partial(plain.save_said, kind=kind)) for kind, how in plain.KINDS.items()},
}


def remove(saving: Saving, told: Collection[int], found: Mapping[str, Sequence[tuple[int, Any]]]) -> None:
    """What these records said before and do not say now; where another record says it, too, its word counts now."""
    if not told:
        return
    for kind, where in _HOMES.items():
        c = where.table.c
        asked = select(c.id, c.ref).where(bulk.among(saving.tx, c.record, told))
        if kind in items.FAMILY:
            asked = asked.where(c.family == items.FAMILY[kind])
        now = {fact.ref for _, fact in found[kind]}
        left = {row.ref: row.id for row in saving.tx.execute(asked) if row.ref not in now}
        if not left:
            continue
        heirs = echoes.heirs(saving, kind, where.table, where.columns, left)
        where.write(saving, Said(heirs))
        _remove(saving, kind, [key for ref, key in left.items() if ref not in heirs])


def _remove(saving: Saving, kind: str, ids: Collection[int]) -> None:
    if not ids:
        return
    if kind == "customer":
        plain.remove_customers(saving, ids)
    elif kind in items.FAMILY:
        items.remove(saving, ids)
    elif kind == "application":
        applications.remove(saving, ids)
    elif kind == "order":
        orders.remove_orders(saving, ids)
    elif kind == "order_line":
        orders.remove_lines(saving, ids)
    else:
        plain.remove(saving, kind, ids)


__all__ = ["remove"]
