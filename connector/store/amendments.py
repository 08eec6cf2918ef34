"""Amendments: facts that were changed or removed after decisions rested on them, as they were before; append-only.

With them, and with how far the facts went when a decision was made (`upto`), a day is shown again as it was known then,
and what was posted back since is named. Facts that are only added need no line here: their keys say when they came.
Before the first decision there is nothing to amend, so that a first load writes none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from connector.store import bulk
from connector.store.outbox_row import packed, unpacked
from connector.store.page import Saving
from connector.store.tables import amendment, application, decision, instalment, item, utc

# What is kept of each kind, in the order in which the page hands it over.
ITEM, APPLICATION, INSTALMENT = "item", "application", "instalment"
_KEPT = {
    ITEM: [
        "customer",
        "kind",
        "number",
        "issued_on",
        "due_on",
        "currency",
        "value",
        "disputed",
        "posted",
        "acceptance",
        "voided_on",
    ],
    APPLICATION: ["from_ref", "to_ref", "instalment", "amount", "from_amount", "applied_on", "reversed_on"],
    INSTALMENT: ["document_ref", "number", "due_on", "amount"],
}
_TABLES = {ITEM: item, APPLICATION: application, INSTALMENT: instalment}


@dataclass(frozen=True, slots=True)
class Amended:
    """A fact as it was before it was changed or removed at a moment; `said` by the names of the table's columns, with
    its system, family and ref."""

    number: int
    kind: str
    fact: int
    at: dt.datetime
    gone: bool
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upto:
    """How far the facts went at a moment: the highest key of each table, and the number of the last amendment."""

    item: int
    application: int
    instalment: int
    amendment: int


def note(saving: Saving, kind: str, ids: Collection[int], *, gone: bool = False) -> None:
    """Remembers facts as they stand before the page changes or removes them."""
    if not ids or not _is_decided(saving):
        return
    c, tx = _TABLES[kind].c, saving.tx
    also = (c.family,) if kind == ITEM else ()
    ends = (c.from_item, c.to_item) if kind == APPLICATION else ()
    asked = select(c.id, c.system, c.ref, *also, *(c[name] for name in _KEPT[kind]), *ends)
    rows = [row._asdict() for row in tx.execute(asked.where(bulk.among(tx, c.id, ids)))]
    owners = _owners(tx, kind, rows)
    for row in rows:
        key, whose = row.pop("id"), owners(row)
        said = packed({name: value for name, value in row.items() if value is not None and "_item" not in name})
        saving.amended += [[customer, kind, key, gone, said] for customer in whose]


def moved(saving: Saving, customers: Mapping[int, int]) -> None:
    """Tells of items that another customer has now: he, too, must see that he did not have them."""
    for line in list(saving.amended):
        new = customers.get(line[2])
        if line[1] == ITEM and new is not None and new != line[0]:
            saving.amended.append([new, *line[1:]])


def _is_decided(saving: Saving) -> bool:
    if saving.decided is None:
        saving.decided = saving.tx.execute(select(decision.c.id).limit(1)).scalar() is not None
    return saving.decided


def _owners(tx: Connection, kind: str, rows: Iterable[Mapping[str, Any]]) -> Any:
    """For each row the customers whose figures it moves."""
    if kind == ITEM:
        return lambda row: {row["customer"]}
    c = item.c
    if kind == APPLICATION:
        ids = {row[end] for row in rows for end in ("from_item", "to_item")} - {None}
        by_id = dict(tuple(row) for row in tx.execute(select(c.id, c.customer).where(bulk.among(tx, c.id, ids))))
        return lambda row: {by_id[row[end]] for end in ("from_item", "to_item") if row[end] in by_id}
    papers = {row["document_ref"] for row in rows}
    systems = {row["system"] for row in rows}
    asked = select(c.system, c.ref, c.customer).where(
        c.system.in_(systems), c.family == "d", bulk.among(tx, c.ref, papers)
    )
    by_ref = {(system, ref): customer for system, ref, customer in tx.execute(asked)}
    return lambda row: {by_ref[key] for key in [(row["system"], row["document_ref"])] if key in by_ref}


def save(saving: Saving) -> None:
    """Appends what the page amended, in its transaction."""
    at = utc(saving.now)
    rows = [(customer, kind, fact, at, gone, said) for customer, kind, fact, gone, said in saving.amended]
    ids = bulk.new_ids(saving.tx, amendment, len(rows))
    columns = ("id", "customer", "kind", "fact", "at", "gone", "said")
    bulk.insert(saving.tx, amendment, columns, [(key, *row) for key, row in zip(ids, rows, strict=True)])
    saving.amended.clear()


def upto(tx: Connection) -> Upto:
    """How far the facts go now, for the decisions of this transaction."""
    return Upto(
        *(
            int(tx.execute(select(func.max(table.c.id))).scalar() or 0)
            for table in (item, application, instalment, amendment)
        )
    )


def since(tx: Connection, customers: Collection[int], number: int) -> list[Amended]:
    """The amendments that concern some customers, after a number, oldest first. The first of a fact says how it stood."""
    a = amendment.c
    asked = (
        select(a.id, a.kind, a.fact, a.at, a.gone, a.said)
        .where(bulk.among(tx, a.customer, customers), a.id > number)
        .order_by(a.id)
    )
    return [Amended(r.id, r.kind, r.fact, r.at, r.gone, unpacked(r.said)) for r in tx.execute(asked)]
