"""What records said and say no more: each fact goes, or the word of another record that says it, too, takes its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import CompoundSelect, Table, select, union_all

from connector.store import applications, bulk, echoes, items, orders, plain, quick, tables
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
    tx = saving.tx
    now = {kind: {fact.ref for _, fact in facts} for kind, facts in found.items()}
    unsaid: dict[str, dict[str, int]] = defaultdict(dict)
    for kind, key, ref in quick.rows(tx, _said_before(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, told)}):
        if ref not in now.get(kind, ()):
            unsaid[kind][ref] = key
    for kind in _HOMES:
        if not (left := unsaid.get(kind)):
            continue
        where = _HOMES[kind]
        heirs = echoes.heirs(saving, kind, where.table, where.columns, left)
        where.write(saving, Said(heirs))
        _remove(saving, kind, [key for ref, key in left.items() if ref not in heirs])


@cache
def _said_before(sqlite: bool) -> CompoundSelect[Any]:
    """The facts of some records: kind, key and id."""
    lines = []
    for kind, where in _HOMES.items():
        c = where.table.c
        asked = select(bulk.word(kind).label("kind"), c.id, c.ref).where(bulk.among_ids(sqlite, c.record))
        lines.append(asked.where(c.family == bulk.word(items.FAMILY[kind])) if kind in items.FAMILY else asked)
    return union_all(*lines)


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
