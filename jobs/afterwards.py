"""Afterwards: what is owed for what no decision speaks of any more.

The flag of an order that is delivered, closed or cancelled is lifted, and so is that of one whose customer belongs to
nobody in the ledger any more; a task whose cause is gone is withdrawn, or closed where it was made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.connect import Connected
from connector.store import Connection, customers, order_credit, outbox
from connector.store.bulk import is_sqlite
from connector.store.customers import CustomerRow
from connector.store.order_state import order_states
from connector.store.outbox import Owed
from jobs.frame import Frame
from jobs.owed import told_kinds
from jobs.pull import context_of


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What no decision speaks of any more, by system, as it was found before the transaction that deals with it: orders
    whose flag still stands, and accounts that were told of something, or have tasks, and belong to nobody in the ledger."""

    flags: Mapping[str, Collection[str]]
    strays: Mapping[str, Collection[str]]


def left_over(tx: Connection, base: Frame, systems: Sequence[Connected]) -> LeftOver:
    """Looks for it: through all that was ever told, for which nobody who wants to write shall wait."""
    flags: dict[str, set[str]] = {}
    for one in outbox.differing(tx, list(lifted_orders(tx, systems, base.systems, base.as_of))):
        flags.setdefault(one.system, set()).add(one.target)
    strays: dict[str, set[str]] = {}
    for connected in systems:
        told = {target for kind in told_kinds(connected) for target in outbox.targets(tx, connected.name, kind)}
        if connected.adapter.channel("task"):
            told |= outbox.open_targets(tx, connected.name)
        if told:
            found = customers.strays(tx, connected.name, base.systems)
            strays[connected.name] = {row.ref for row in found if row.ref in told}
    return LeftOver(flags, {system: refs for system, refs in strays.items() if refs})


def lifted(tx: Connection, systems: Sequence[Connected], base: Frame, left: LeftOver) -> Iterable[Owed]:
    """The lifting of flags that we set and that still stand. Where there are any, the customers are locked and the orders
    looked at again: one of them may be opened again just now, checked and held."""
    if not left.flags:
        return ()
    some = [c for c in systems if c.name in left.flags]
    if not is_sqlite(tx):
        wanted = lifted_orders(tx, some, base.systems, base.as_of, left.flags)
        order_credit.lock(tx, customers.debtors_of(tx, [one.customer for one in wanted if one.customer is not None]))
    return lifted_orders(tx, some, base.systems, base.as_of, left.flags)


def lifted_orders(
    tx: Connection,
    systems: Sequence[Connected],
    ledgers: Collection[str],
    as_of: dt.date,
    among: Mapping[str, Collection[str]] | None = None,
) -> Iterator[Owed]:
    """The lifting of all flags that we ever set, or of those `among` them. Open orders of the customers of the `ledgers` are
    judged and not spoken of here."""
    for connected in systems:
        if not (connected.adapter.channel("order_fields") and connected.mapping.writes_to("order_fields")):
            continue
        told = outbox.targets(tx, connected.name, "order_fields") if among is None else among[connected.name]
        orders = order_states(tx, connected.name, told)
        judged = customers.debtors(tx, ledgers) if orders and ledgers else set()
        for order in orders:
            if order.is_open and order.debtor in judged:
                continue
            said = {"order_no": order.number or order.ref, "hold": False, "as_of": as_of}
            values, digest = connected.mapping.write("order_fields", said, context=context_of(connected))
            key = f"order_fields:{order.ref}"
            yield Owed(connected.name, "order_fields", order.ref, key, values, digest, order.customer)


def withdraw_tasks(
    tx: Connection,
    accounts: Mapping[int, Iterable[tuple[Connected, CustomerRow]]],
    owed: Iterable[Owed],
    now: dt.datetime,
    rules: Collection[str] = ("hold", "warning"),
    stands: Collection[str] | None = (),
) -> int:
    """Takes back tasks of these accounts that are not made yet and not among what is owed now; says how many. Those that
    are made will be closed, save where their key `stands` (None: none is). Only those of the caller's own `rules`: every
    job answers for its tasks alone."""
    wanted: dict[str, set[str]] = {}
    for action in owed:
        if action.kind in outbox.ONCE:
            wanted.setdefault(action.system, set()).add(action.key)
    keep: dict[str, dict[str, set[str]]] = {}
    for pairs in accounts.values():
        for connected, row in pairs:
            if connected.adapter.channel("task"):
                keep.setdefault(connected.name, {})[row.ref] = wanted.get(connected.name, set())
    return sum(outbox.withdraw(tx, system, targets, now, rules, stands=stands) for system, targets in keep.items())


def withdraw_orphaned(
    tx: Connection, base: Frame, systems: Sequence[Connected], left: LeftOver, now: dt.datetime
) -> int:
    """The same for accounts that belong to no customer of the ledgers any more; of their reviews and letters, too."""
    count = 0
    for connected in systems:
        refs = left.strays.get(connected.name)
        if not refs or not connected.adapter.channel("task"):
            continue
        strays: dict[str, set[str]] = {r.ref: set() for r in customers.strays(tx, connected.name, base.systems, refs)}
        count += outbox.withdraw(tx, connected.name, strays, now, ("hold", "warning", "review", "dunning"))
    return count
