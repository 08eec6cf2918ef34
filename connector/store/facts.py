"""Facts: saving a page of records and what they say, with its cursor and the marks of changed customers, as one.

The caller's transaction holds it all, so that a crash after any page loses and doubles nothing. A record that has not
changed is only stamped. What a record said before and does not say now is removed, unless another one says it, too; a
record that cannot be read any more is quarantined with its problem and keeps its last good facts. A reading of everything
stamps each record with its generation; what it has not seen by its last page is gone.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import simplejson
from sqlalchemy import BigInteger, Connection, Select, String, bindparam, select

from connector.errors import Problem
from connector.model import KIND_OF, Fact
from connector.store import (
    amendments,
    applications,
    balances,
    bulk,
    concerns,
    echoes,
    items,
    keys,
    marks,
    orders,
    plain,
    problems,
    quick,
    records,
    unsaid,
)
from connector.store.page import Nameless, Saving, said_twice, uncollected, unfit
from connector.store.tables import record as record_table
from connector.store.tables import stream as stream_table
from connector.store.tables import system as system_table

Json = Any
# Any number will do that no other program takes for its own lock; the system's key is the second half.
_LOCK = 474_130_266


@dataclass(frozen=True, slots=True)
class Kept:
    """One record as it is saved. Without body and facts it has not changed and is only stamped; with a body and problems
    but without facts it is quarantined."""

    key: str
    body: Json
    hash: str
    facts: Sequence[Fact] | None
    problems: Sequence[Problem] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a page came to, in records. `gone` includes those that a full reading did not see any more."""

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    quarantined: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@uncollected()
def save_page(
    tx: Connection,
    system: str,
    stream: str,
    *,
    records: Sequence[Kept],
    cursor: Json,
    full: bool,
    last: bool,
    gone: Sequence[str] = (),
    now: dt.datetime,
    mapping_version: str = "",
    ledger_currency: str | None = None,
    more: bool = False,
    said: Nameless | None = None,
) -> Counts:
    """Saves a page in the caller's transaction. `cursor` is where a later read goes on; `gone` are keys of records that
    the system says are deleted. `ledger_currency` is that of the system's base amounts.

    A page may come in portions, each in a transaction of its own: with all but the last `more` follows, and the rest that
    is told here counts only then. `said` is the same dictionary for all portions of a page.
    """
    saving = _begin(tx, system, now, ledger_currency)
    stream_id = keys.stream_id(tx, saving.system, stream)
    generation = _generation(tx, stream_id, full)
    counts = _save(
        saving, system, stream, stream_id, records, generation, mapping_version, {} if said is None else said
    )
    if more:
        _finish(saving)
        return counts
    left = _remove_keys(saving, system, stream, stream_id, gone)
    if full and last:
        left += _remove_unseen(saving, system, stream, stream_id, generation)
    _finish(saving)
    given = {"in_it": stream_id, "place": simplejson.dumps(cursor, use_decimal=True), "moment": now}
    quick.write(tx, _READ_TO_ITS_END if last else _READ_SO_FAR, given)
    concerns.of_this(tx).ground = True
    return replace(counts, gone=left)


@uncollected()
def save_again(
    tx: Connection,
    system: str,
    stream: str,
    *,
    records: Sequence[Kept],
    now: dt.datetime,
    mapping_version: str,
    ledger_currency: str | None = None,
) -> Counts:
    """Saves what a changed mapping makes of records that were kept; cursor and stamps stay as they are."""
    saving = _begin(tx, system, now, ledger_currency)
    stream_id = keys.stream_id(tx, saving.system, stream)
    counts = _save(saving, system, stream, stream_id, records, None, mapping_version, {})
    _finish(saving)
    return counts


def unchanged(
    tx: Connection, system: str, stream: str, hashed: Sequence[tuple[str, str]], mapping_version: str
) -> set[str]:
    """The keys of those records that are stored with the same hash and were mapped by the same mapping."""
    stream_id = keys.known_stream(tx, keys.known_system(tx, system), stream)
    if stream_id is None or not hashed:
        return set()
    wanted = dict(hashed)
    given = {"in_it": stream_id, "ids": bulk.given(tx, wanted), "by": mapping_version}
    return {key for key, own in quick.rows(tx, _hashes(bulk.is_sqlite(tx)), given) if wanted[key] == own}


def cursor(tx: Connection, system: str, stream: str) -> Json:
    """Where the last page left off; None where nothing was read yet, or everything is to be read again."""
    stream_id = keys.known_stream(tx, keys.known_system(tx, system), stream)
    if stream_id is None:
        return None
    text = quick.value(tx, _CURSOR, {"in_it": stream_id})
    return None if text is None else simplejson.loads(text, use_decimal=True)


def forget_cursor(tx: Connection, system: str, stream: str) -> None:
    """Makes the next pull read everything, as a reading of its own."""
    stream_id = keys.known_stream(tx, keys.known_system(tx, system), stream)
    tx.execute(stream_table.update().where(stream_table.c.id == stream_id).values(cursor=None, reading=False))
    concerns.of_this(tx).ground = True


def read_at(tx: Connection, system: str) -> dict[str, dt.datetime | None]:
    """When each stream of a system was last read to its end: how stale its facts are."""
    return {row[0]: row[1] for row in quick.rows(tx, _READ_AT, {"called": system})}


def complete_since(tx: Connection, system: str) -> dt.datetime | None:
    """The moment since which all of a system's streams have been read to their end; None while one never was."""
    found = list(read_at(tx, system).values())
    return min((at for at in found if at is not None), default=None) if None not in found else None


def sweep(tx: Connection, system: str, stream: str, existing: Collection[str], now: dt.datetime) -> int:
    """Removes the records whose keys are not among those that exist, with their facts; says how many."""
    saving = _begin(tx, system, now, None)
    stream_id = keys.stream_id(tx, saving.system, stream)
    there = tx.execute(select(record_table.c.key).where(record_table.c.stream == stream_id)).scalars()
    existing = existing if isinstance(existing, (set, frozenset, dict)) else set(existing)
    left = _remove_keys(saving, system, stream, stream_id, [key for key in there if key not in existing])
    _finish(saving)
    return left


_READ_AT = (
    select(stream_table.c.name, stream_table.c.complete_at)
    .join_from(stream_table, system_table, system_table.c.id == stream_table.c.system)
    .where(system_table.c.name == bindparam("called", type_=String))
)


_IN = bindparam("in_it", type_=BigInteger)
_CURSOR = select(stream_table.c.cursor).where(stream_table.c.id == _IN)
_READ_SO_FAR = (
    stream_table.update()
    .where(stream_table.c.id == _IN)
    .values(
        cursor=bindparam("place", type_=stream_table.c.cursor.type),
        read_at=bindparam("moment", type_=stream_table.c.read_at.type),
    )
)
_READ_TO_ITS_END = _READ_SO_FAR.values(
    reading=False, complete_at=bindparam("moment", type_=stream_table.c.read_at.type)
)
_READING = select(stream_table.c.generation, stream_table.c.reading).where(stream_table.c.id == _IN)
_LEDGER = select(system_table.c.ledger_currency).where(bulk.of_system(system_table.c.id))


@cache
def _keys(sqlite: bool) -> Select[Any]:
    c = record_table.c
    return select(c.key, c.id).where(c.stream == _IN, bulk.among_ids(sqlite, c.key))


@cache
def _hashes(sqlite: bool) -> Select[Any]:
    c = record_table.c
    mapped = c.mapping_version == bindparam("by", type_=String)
    return select(c.key, c.hash).where(c.stream == _IN, bulk.among_ids(sqlite, c.key), mapped)


# --- how --------------------------------------------------------------------------------------------------------------
def _begin(tx: Connection, system: str, now: dt.datetime, ledger_currency: str | None) -> Saving:
    key = keys.system_id(tx, system)
    if not bulk.is_sqlite(tx):
        # Two pulls of one system would make the same keys twice; their leases should keep them apart, this does.
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK}, {key})")
    known = quick.value(tx, _LEDGER, {"of": key})
    if ledger_currency and ledger_currency != known:
        tx.execute(system_table.update().where(system_table.c.id == key).values(ledger_currency=ledger_currency))
        concerns.of_this(tx).everybody = True
        known = ledger_currency
    return Saving(tx, key, now, known)


def _generation(tx: Connection, stream_id: int, full: bool) -> int:
    row = quick.rows(tx, _READING, {"in_it": stream_id})[0]
    if not full or row.reading:
        return int(row.generation)
    tx.execute(
        stream_table.update().where(stream_table.c.id == stream_id).values(generation=row.generation + 1, reading=True)
    )
    return int(row.generation) + 1


def _save(
    saving: Saving,
    system: str,
    stream: str,
    stream_id: int,
    given: Sequence[Kept],
    generation: int | None,
    mapping_version: str,
    nameless: Nameless,
) -> Counts:
    tx, c = saving.tx, record_table.c
    pages = {kept.key: kept for kept in given}  # the later word of a page counts
    stamped = [key for key, kept in pages.items() if kept.facts is None and kept.body is None]
    said = [kept for kept in pages.values() if not (kept.facts is None and kept.body is None)]
    there: dict[str, int] = {}
    if said:
        given_keys = bulk.given(tx, [kept.key for kept in said])
        there = dict(quick.rows(tx, _keys(bulk.is_sqlite(tx)), {"in_it": stream_id, "ids": given_keys}))
    if stamped and generation is not None:
        tx.execute(
            record_table.update()
            .where(c.stream == stream_id, bulk.among(tx, c.key, stamped), c.generation != generation)
            .values(generation=generation)
        )
    ids = dict(there)
    new = [kept for kept in said if kept.key not in there]
    ids.update(zip((kept.key for kept in new), bulk.new_ids(tx, record_table, len(new)), strict=True))

    wrong: dict[str, list[Problem]] = {}
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    told: set[int] = set()
    quarantined: set[str] = set()
    for kept in said:
        number, where = ids[kept.key], kept.where or f"{system}/{stream}/{kept.key}"
        trouble = list(kept.problems)
        accepted = 0
        for fact in kept.facts or ():
            refused = unfit(fact, where) or said_twice(fact, where, nameless)
            if refused is None:
                found[KIND_OF[fact.__class__]].append((number, fact))
                accepted += 1
            else:
                trouble.append(refused)
        if trouble:
            # What could be read is taken over; what could not keeps its last good word, so nothing is removed.
            wrong[kept.key] = trouble
            if not accepted:
                quarantined.add(kept.key)
        else:
            told.add(number)
    records.write(saving, stream_id, said, ids, there, quarantined, generation, mapping_version)
    if there or wrong:
        problems.note(tx, "record", system, stream, wrong, saving.now, refs=list(there))
    saving.told = told
    _forget_echoes(saving, set(there.values()), found)
    unsaid.remove(saving, told & set(there.values()), found)
    _save_facts(saving, found)
    return Counts(len(new), len(there), len(stamped), 0, len(quarantined))


def _forget_echoes(saving: Saving, there: set[int], found: dict[str, list[tuple[int, Any]]]) -> None:
    """What the records of a page said before beside others: they say it anew, or no more."""
    if not there:
        return
    partly: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for kind, facts in found.items() if there - saving.told else ():
        for record, fact in facts:
            if record in there and record not in saving.told:
                partly[record].add((kind, fact.ref))
    echoes.forget(saving, there & saving.told, partly)


def _save_facts(saving: Saving, found: dict[str, list[tuple[int, Any]]]) -> None:
    """Each kind in its turn: what others refer to comes first."""
    plain.save_customers(saving, found["customer"])
    items.save_documents(saving, found["document"])
    items.save_payments(saving, found["payment"])
    orders.save_orders(saving, found["order"])
    orders.save_lines(saving, found["order_line"])
    for kind in plain.KINDS:
        plain.save(saving, kind, found[kind])
    plain.split_documents(saving)
    applications.save(saving, found["application"])


def _remove_keys(saving: Saving, system: str, stream: str, stream_id: int, gone: Sequence[str]) -> int:
    if not gone:
        return 0
    c = record_table.c
    asked = select(c.id, c.key).where(c.stream == stream_id, bulk.among(saving.tx, c.key, gone))
    return _remove_records(saving, system, stream, {row.id: row.key for row in saving.tx.execute(asked)})


def _remove_unseen(saving: Saving, system: str, stream: str, stream_id: int, generation: int) -> int:
    c = record_table.c
    asked = select(c.id, c.key).where(c.stream == stream_id, c.generation < generation)
    return _remove_records(saving, system, stream, {row.id: row.key for row in saving.tx.execute(asked)})


def _remove_records(saving: Saving, system: str, stream: str, gone: dict[int, str]) -> int:
    if gone:
        saving.told.update(gone)
        echoes.forget(saving, gone, {})
        unsaid.remove(saving, gone, defaultdict(list))
        bulk.delete(saving.tx, record_table, gone)
        problems.note(saving.tx, "record", system, stream, {}, saving.now, refs=list(gone.values()))
    return len(gone)


def _finish(saving: Saving) -> None:
    if saving.rates_changed:
        concerns.of_this(saving.tx).ground = True
    applications.save(saving, [])
    plain.split_documents(saving)
    balances.settle(saving)
    items.save_sales(saving)
    plain.touch_foreign(saving)
    amendments.save(saving)
    marks.touch(saving.tx, saving.touched)


__all__ = [
    "Counts",
    "Kept",
    "complete_since",
    "cursor",
    "forget_cursor",
    "read_at",
    "save_again",
    "save_page",
    "sweep",
    "unchanged",
]
