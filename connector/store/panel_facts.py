"""What the panel tells beside position and decision: the last payments of a customer, and the tasks that are open for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy import text as sql

from connector.money import from_minor
from connector.store import bulk, quick
from connector.store.keys import known_system
from connector.store.tables import item, outbox
from connector.store.tables_work import OPEN_TASK


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in."""

    on: dt.date
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task whose matter goes on. `about` is the rule that asked for it (hold, warning, review, dunning …), `made`: it is in
    the system already, with the id `remote`."""

    system: str
    key: str
    about: str
    since: dt.datetime
    made: bool
    remote: str | None


def last_receipts(tx: Connection, keys: Collection[int], most: int) -> list[Receipt]:
    """The newest payments of some customers that were not taken back, newest first."""
    found: list[Receipt] = []
    # A customer each: of the whole index of several no database reads only the end.
    for key in keys:
        rows = quick.rows(tx, _receipts(), {"key": key, "most": most})
        found += [Receipt(row.issued_on, from_minor(-row.value, row.currency), row.currency) for row in rows]
    return sorted(found, key=lambda one: one.on, reverse=True)[:most]


@cache
def _receipts() -> Select[Any]:
    i = item.c
    return (
        select(i.issued_on, i.value, i.currency)
        .where(
            i.customer == bindparam("key"),
            i.family == bulk.word("p"),
            i.kind == bulk.word("receipt"),
            i.voided_on.is_(None),
        )
        .order_by(i.issued_on.desc(), i.id.desc())
        .limit(bindparam("most"))
    )


def open_tasks(tx: Connection, targets: Mapping[str, Collection[str]], most: int) -> list[Task]:
    """The newest open tasks on records of some systems, by system."""
    o = outbox.c
    found: list[Task] = []
    for system, refs in targets.items():
        known = known_system(tx, system)
        if known is None or not refs:
            continue
        asked = (
            select(o.key, o.state, o.owed_at, o.remote_id)
            .where(sql(OPEN_TASK), o.system == known, bulk.among(tx, o.target, refs))
            .order_by(o.id.desc())
            .limit(most)
        )
        for row in tx.execute(asked):
            about = row.key.partition(":")[0]
            found.append(Task(system, row.key, about, row.owed_at, row.state == "done", row.remote_id))
    return sorted(found, key=lambda one: one.since, reverse=True)[:most]
