"""Names of orders: which orders of two systems are one order, and which of them stands for both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from connector.store.order_values import OrderRow

if TYPE_CHECKING:
    from jobs.frame import Frame


def named(ledgers: Collection[str], rows: Sequence[OrderRow]) -> list[OrderRow]:
    """The orders of one debtor; one of another system that is an order of a ledger bears its name.

    It is the same where either knows the other's number (its own number, else its id there, or its reference). What has
    the same number in two ledgers is two orders.
    """
    names: dict[str, str] = {}
    references: dict[str, str] = {}
    whose: dict[str, str] = {}
    found = []
    for row in rows:
        if row.system in ledgers:
            if whose.setdefault(row.name, row.system) != row.system:
                row = row._replace(twin=f"{row.system}/{row.name}")
            else:
                names[row.name] = row.name
            if row.reference:
                references.setdefault(row.reference, row.name)
        found.append(row)
    for at, row in enumerate(found):
        if row.system in ledgers:
            continue
        own = row.reference or ""
        same = names.get(row.name) or names.get(own) or references.get(row.name) or references.get(own)
        if same is not None and same != row.name:
            found[at] = row._replace(twin=same)
    return found


def firsts(frame: Frame, rows: Sequence[OrderRow]) -> dict[str, OrderRow]:
    """Which of the orders of one debtor stands for each name: the open one of the ledger, else one that is open elsewhere,
    else the ledger's quote. Nothing where all are the ledger's own."""
    ledgers = frame.systems
    if all(row.system in ledgers for row in rows):
        return _OWN
    found: dict[str, OrderRow] = {}
    ranks: dict[str, int] = {}
    for row in rows:
        mine = row.system in ledgers
        rank = (0 if mine else 1) if row.status == "open" else (2 if mine else 3)
        if rank < ranks.get(row.name, 4):
            found[row.name], ranks[row.name] = row, rank
    return found


def stands_for(first: Mapping[str, OrderRow], row: OrderRow) -> OrderRow:
    """The order that is checked in place of one: of the same name in another system, else itself."""
    found = first.get(row.name, row)
    return found if found.system != row.system else row


_OWN: dict[str, OrderRow] = {}


__all__ = ["firsts", "named", "stands_for"]
