"""Notices: what has happened to orders and is to be told, and who was told of it; each person once of each thing.

What is to be told is noted in the transaction in which it happens (`order_credit.append`), and taken away in the one in
which somebody is told: nothing is forgotten and nothing told twice, wherever the process dies and however many there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, select

from connector.store import bulk
from connector.store.order_credit import Happened, history
from connector.store.tables import notice, notice_due, utc


@dataclass(frozen=True, slots=True)
class Notice:
    """One person told of one thing. `mail` is the number of the mail that says so, `tasks` how many tasks do."""

    key: str
    order_event: int
    order: int
    what: str
    person: str
    mail: int | None = None
    tasks: int = 0


def waits(tx: Connection) -> bool:
    """Whether anything is to be told."""
    return bool(tx.execute(select(exists().select_from(notice_due))).scalar())


def due(tx: Connection) -> list[Happened]:
    """What is to be told, oldest first."""
    orders = set(tx.execute(select(notice_due.c.sales_order)).scalars())
    ids = set(tx.execute(select(notice_due.c.order_event)).scalars())
    return [line for line in history(tx, orders=orders) if line.id in ids] if ids else []


def take(tx: Connection, events: Collection[int]) -> set[int]:
    """Takes these from what is to be told; gives those that nobody else has taken meanwhile."""
    if not events:
        return set()
    gone = notice_due.delete().where(bulk.among(tx, notice_due.c.order_event, list(events)))
    return set(tx.execute(gone.returning(notice_due.c.order_event)).scalars())


def add(tx: Connection, told: Sequence[Notice], at: dt.datetime) -> None:
    """Keeps who was told of what."""
    ids = bulk.new_ids(tx, notice, len(told))
    rows = [
        (number, one.key, one.order_event, one.order, one.what, one.person, one.mail, one.tasks, utc(at))
        for number, one in zip(ids, told, strict=True)
    ]
    columns = ("id", "key", "order_event", "sales_order", "what", "person", "mail", "tasks", "made_at")
    bulk.insert(tx, notice, columns, rows)


def told_of(tx: Connection, orders: Collection[int]) -> dict[int, set[str]]:
    """By order, who was ever told of it."""
    found: dict[int, set[str]] = {}
    asked = select(notice.c.sales_order, notice.c.person).where(bulk.among(tx, notice.c.sales_order, list(orders)))
    for order, person in tx.execute(asked) if orders else ():
        found.setdefault(order, set()).add(person)
    return found


def of_orders(tx: Connection, orders: Collection[int]) -> list[Notice]:
    """Everything that was told of some orders, oldest first."""
    n = notice.c
    asked = select(notice).where(bulk.among(tx, n.sales_order, list(orders))).order_by(n.id)
    return [
        Notice(row.key, row.order_event, row.sales_order, row.what, row.person, row.mail, row.tasks)
        for row in tx.execute(asked)
    ]
