"""What was said in the storm, kept a second time in plain tables, so that it can be added up without the engine.

A row is written in the transaction that saves the fact. Amounts are whole yuan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

THROUGH = ("passed", "released")
Name = tuple[str, str]  # of an order: its system and its id there
TABLES = (
    "CREATE TABLE storm_said (kind TEXT NOT NULL, ref TEXT NOT NULL, customer TEXT NOT NULL, amount BIGINT NOT NULL,"
    " status TEXT NOT NULL, number TEXT NOT NULL DEFAULT '', more TEXT NOT NULL DEFAULT '', PRIMARY KEY (kind, ref))",
    "CREATE INDEX storm_said_status ON storm_said (kind, status)",
    "CREATE TABLE storm_proof (line BIGINT NOT NULL, node TEXT NOT NULL, most BIGINT NOT NULL, owed BIGINT NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Row:
    """`kind`: customer (amount: its limit; more: its parent), books or crm (an order there; more: its terms), invoice
    (amount: what is still open)."""

    kind: str
    ref: str
    customer: str
    amount: int
    status: str = "open"
    number: str = ""
    more: str = ""


@dataclass
class Said:
    """All that counts at one moment."""

    limits: dict[str, int] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    orders: list[Row] = field(default_factory=list)

    def chain(self, customer: str) -> Iterator[str]:
        """A customer and everybody above it."""
        while customer:
            yield customer
            customer = self.parents[customer]

    def members(self, node: str) -> set[str]:
        """A customer and everybody below it."""
        return {ref for ref in self.limits if node in self.chain(ref)}

    def owes(self, node: str) -> int:
        return sum(self.owed.get(ref, 0) for ref in self.members(node))

    def competing(self) -> list[Row]:
        """The orders that want credit: of the same order in both systems that of the ledger."""
        booked = {(o.number, o.customer) for o in self.orders if o.kind == "books"}
        return [o for o in self.orders if o.kind == "books" or (o.number, o.customer) not in booked]


def said(tx: Connection) -> Said:
    """All that counts now."""
    found = Said()
    for row in rows(tx, "kind = 'customer' OR status = 'open'"):
        if row.kind == "customer":
            found.limits[row.ref], found.parents[row.ref] = row.amount, row.more
        elif row.kind == "invoice":
            found.owed[row.customer] = found.owed.get(row.customer, 0) + row.amount
        else:
            found.orders.append(row)
    return found


def rows(tx: Connection, where: str, **values: Any) -> list[Row]:
    asked = f"SELECT kind, ref, customer, amount, status, number, more FROM storm_said WHERE {where} ORDER BY kind, ref"
    return [Row(*row) for row in tx.execute(text(asked), values)]


def add(tx: Connection, row: Row) -> None:
    tx.execute(
        text("INSERT INTO storm_said VALUES (:kind, :ref, :customer, :amount, :status, :number, :more)"),
        {name: getattr(row, name) for name in Row.__slots__},
    )


def change(tx: Connection, row: Row, **more: Any) -> Row | None:
    """The row with something else, as it is now; None where another has changed its status meanwhile."""
    words = ", ".join(f"{name} = {f'{name} + :{name}' if name == 'amount' and row.kind != 'customer' else f':{name}'}" for name in more)  # fmt: skip
    asked = f"UPDATE storm_said SET {words} WHERE kind = :k AND ref = :r AND status = :s RETURNING *"
    found = tx.execute(text(asked), {**more, "k": row.kind, "r": row.ref, "s": row.status}).one_or_none()
    return None if found is None else Row(*found)


def reserved(tx: Connection, now: dt.datetime) -> dict[str, int]:
    """What is reserved of each customer's credit for orders that have not arrived; read past the engine."""
    asked = (
        "SELECT c.ref, r.total, r.valid_until FROM reservation r JOIN customer c ON c.id = r.customer"
        " WHERE r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM storm_said s WHERE s.number = r.ref)"
    )
    found: dict[str, int] = {}
    for ref, total, until in tx.execute(text(asked)):
        if str(until)[:19] > now.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S"):
            found[ref] = found.get(ref, 0) + int(Decimal(str(total)))
    return found


# --- what follows from it --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class State:
    """What the engine keeps of an order."""

    key: int
    state: str
    ended: bool
    manual: bool
    rules: frozenset[str]


def states(tx: Connection, *, also_ended: bool = False) -> dict[Name, State]:
    """The states of orders by system and id, read past the engine."""
    asked = (
        "SELECT y.name, o.ref, s.sales_order, s.state, s.ended_on, s.manual, s.rules FROM order_state s"
        " JOIN sales_order o ON o.id = s.sales_order JOIN system y ON y.id = o.system"
    )
    if not also_ended:
        asked += " WHERE s.ended_on IS NULL"
    return {
        (row[0], row[1]): State(
            row[2], row[3], row[4] is not None, row[5] is not None, frozenset((row[6] or "").split())
        )
        for row in tx.execute(text(asked))
    }


def used(now: Said, of: Mapping[Name, State], node: str, kinds: Iterable[str]) -> int:
    """What orders in these states take of a customer's or a group's limit."""
    members = now.members(node)
    return sum(
        o.amount
        for o in now.competing()
        if o.customer in members and (found := of.get((o.kind, o.ref))) is not None and found.state in kinds
    )
