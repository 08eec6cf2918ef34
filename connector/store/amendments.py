"""Amendments: facts that were changed or removed after decisions rested on them, as they were before; append-only.

With them, and with how far the facts went when a decision was made (`upto`), a day is shown again as it was known then,
and what was posted back since is named. Facts that are only added need no line here: their keys say when they came.
Before the first decision there is nothing to amend, so that a first load writes none.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, func, select

from connector.store import bulk, quick
from connector.store.outbox_row import packed, unpacked
from connector.store.page import Saving
from connector.store.tables import amendment, application, decision, instalment, item, utc

# What is kept of each kind, in the order in which the page hands it over.
ITEM, APPLICATION, INSTALMENT = "item", "application", "instalment"
KEPT = {
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
    INSTALMENT: ["document_ref", "number", "due_on", "amount", "disputed_amount"],
}
_NOBODY = 0
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


def note(
    saving: Saving,
    kind: str,
    ids: Collection[int],
    *,
    gone: bool = False,
    named: Mapping[int, Collection[str]] | None = None,
) -> None:
    """Remembers facts as they stand before the page changes or removes them. `named` are, by key, the items that a fact
    names from now on: their customers, too, must see that it did not."""
    if not ids or not _is_decided(saving):
        return
    tx = saving.tx
    rows = [
        row._asdict() for row in quick.rows(tx, _as_it_stands(bulk.is_sqlite(tx), kind), {"ids": bulk.given(tx, ids)})
    ]
    owners = _owners(saving, kind, rows, named or {})
    for row in rows:
        whose, key = owners(row), row.pop("id")
        said = packed({name: value for name, value in row.items() if value is not None})
        system, ref = (row["system"], row["ref"]) if kind == ITEM else (None, None)
        # What names items that nobody has is told of nobody, and told all the same: its key may be another fact's later.
        saving.amended += [[customer, kind, key, system, ref, gone, said] for customer in whose or {_NOBODY}]


@cache
def _as_it_stands(sqlite: bool, kind: str) -> Select[Any]:
    c = _TABLES[kind].c
    also = (c.family,) if kind == ITEM else ()
    return select(c.id, c.system, c.ref, *also, *(c[name] for name in KEPT[kind])).where(bulk.among_ids(sqlite, c.id))


def moved(saving: Saving, customers: Mapping[int, int]) -> None:
    """Tells of items that another customer has now: he, too, must see that he did not have them."""
    for line in list(saving.amended):
        new = customers.get(line[2])
        if line[1] == ITEM and new is not None and new != line[0]:
            saving.amended.append([new, *line[1:]])


def _is_decided(saving: Saving) -> bool:
    if saving.decided is None:
        saving.decided = bool(quick.rows(saving.tx, _ANY_DECISION))
    return saving.decided


_ANY_DECISION = select(decision.c.id).limit(1)


def _owners(
    saving: Saving, kind: str, rows: Sequence[Mapping[str, Any]], named: Mapping[int, Collection[str]]
) -> Callable[[Mapping[str, Any]], set[int]]:
    """For each row the customers whose figures it moves: a payment of one may be set against an invoice of another."""
    names = {row["id"]: set(named.get(row["id"], ())) for row in rows}
    if kind == ITEM:
        for key, ref in _counterparts(saving.tx, rows):
            names[key].add(ref)
    else:
        for row in rows:
            ends = ("from_ref", "to_ref") if kind == APPLICATION else ("document_ref",)
            names[row["id"]].update(row[end] for end in ends)
    by_ref = _customers_of(saving, {row["system"] for row in rows}, {name for own in names.values() for name in own})

    def owners(row: Mapping[str, Any]) -> set[int]:
        found = set().union(*(by_ref.get((row["system"], name), ()) for name in names[row["id"]]))
        return found | {row["customer"]} if kind == ITEM else found

    return owners


def _counterparts(tx: Connection, items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """What some items are set against, by the item's key and the other's name."""
    sqlite = bulk.is_sqlite(tx)
    keys = bulk.given(tx, [row["id"] for row in items])
    for mine, other in (("from_item", "to_ref"), ("to_item", "from_ref")):
        yield from quick.rows(tx, _set_against(sqlite, mine, other), {"ids": keys})
    by_name: dict[str, list[int]] = defaultdict(list)
    for row in items:
        by_name[row["ref"]].append(row["id"])
    # Those that have lost their other end wait for it by name.
    for system in {row["system"] for row in items}:
        for mine, other in (("from_ref", "to_ref"), ("to_ref", "from_ref")):
            given = {"of": system, "ids": bulk.given(tx, by_name)}
            for ref, name in quick.rows(tx, _waiting(sqlite, mine, other), given):
                for key in by_name[ref]:
                    yield key, name


@cache
def _set_against(sqlite: bool, mine: str, other: str) -> Select[Any]:
    a = application.c
    return select(a[mine], a[other]).where(bulk.among_ids(sqlite, a[mine]))


@cache
def _waiting(sqlite: bool, mine: str, other: str) -> Select[Any]:
    a = application.c
    return _set_against(sqlite, mine, other).where(bulk.of_system(a.system), a.firm == bulk.literal(0))


def _customers_of(
    saving: Saving, systems: Collection[int], refs: Collection[str]
) -> Mapping[tuple[int, str], set[int]]:
    """Whose the items of some names are or were: what is named may be gone already."""
    tx = saving.tx
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    for customer, which, _, of, ref, *_ in saving.amended:
        if which == ITEM:
            found[of, ref].add(customer)
    names = bulk.given(tx, refs)
    for system in systems:
        for ref, customer in quick.rows(tx, _had_by(bulk.is_sqlite(tx)), {"of": system, "ids": names}):
            found[system, ref].add(customer)
    return found


@cache
def _had_by(sqlite: bool) -> CompoundSelect[Any]:
    """Who has the items of some names, and who had them."""
    c, a = item.c, amendment.c
    either = c.family.in_((bulk.word("d"), bulk.word("p")))
    here = select(c.ref, c.customer).where(bulk.of_system(c.system), either, bulk.among_ids(sqlite, c.ref))
    return here.union_all(select(a.ref, a.customer).where(bulk.of_system(a.system), bulk.among_ids(sqlite, a.ref)))


def save(saving: Saving) -> None:
    """Appends what the page amended, in its transaction."""
    at = utc(saving.now)
    ids = bulk.new_ids(saving.tx, amendment, len(saving.amended))
    columns = ("id", "at", "customer", "kind", "fact", "system", "ref", "gone", "said")
    rows = [(key, at, *row) for key, row in zip(ids, saving.amended, strict=True)]
    bulk.insert(saving.tx, amendment, columns, rows)
    saving.amended.clear()


def upto(tx: Connection) -> Upto:
    """How far the facts go now, for the decisions of this transaction."""
    return Upto(
        *(int(quick.value(tx, bulk.last_id(table)) or 0) for table in (item, application, instalment, amendment))
    )


def amended(tx: Connection, kind: str, keys: Collection[int], number: int) -> set[int]:
    """Those of some keys that were amended after a number, whosever they were: SQLite gives the key of a row that is gone
    to another one."""
    a = amendment.c
    asked = select(a.fact).where(bulk.among(tx, a.fact, keys), a.kind == kind, a.id > number)
    return set(tx.execute(asked).scalars())


def since(tx: Connection, customers: Collection[int], number: int) -> dict[tuple[str, int], Amended]:
    """How facts that concern some customers stood at a number, by kind and key, of those amended after it."""
    a = amendment.c
    asked = (
        select(a.id, a.kind, a.fact, a.at, a.gone, a.said)
        .where(bulk.among(tx, a.customer, customers), a.id > number)
        .order_by(a.id)
    )
    rows = tx.execute(asked).all()
    # Of a key that was given to another fact meanwhile, the first word of all counts, not the first that concerns them.
    firsts = (
        select(func.min(a.id))
        .where(bulk.among(tx, a.fact, {row.fact for row in rows}), a.id > number)
        .group_by(a.kind, a.fact)
    )
    told = select(a.kind, a.fact, a.said).where(a.id.in_(firsts))
    stood = {(row.kind, row.fact): row.said for row in tx.execute(told)}
    found: dict[tuple[str, int], Amended] = {}
    for row in rows:
        key = (row.kind, row.fact)
        if key not in found and row.said == stood[key]:
            found[key] = Amended(row.id, row.kind, row.fact, row.at, row.gone, unpacked(row.said))
    return found
