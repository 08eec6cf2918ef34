"""Keys: the store's small integers for systems, streams, customers and orders, made when first mentioned."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Select, String, Table, bindparam, select
from sqlalchemy import text as sql

from connector.store import bulk, concerns, quick
from connector.store.tables import customer as customer_table
from connector.store.tables import stream as stream_table
from connector.store.tables import system as system_table


def system_id(tx: Connection, name: str) -> int:
    """The key of a system, made where it is new."""
    found = known_system(tx, name)
    if found is not None:
        return found
    # Two streams may meet here at the very first page, each in a transaction of its own.
    tx.execute(sql("INSERT INTO system (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"), {"name": name})
    tx.info.pop(_NAMES, None)
    return int(tx.execute(select(system_table.c.id).where(system_table.c.name == name)).scalar_one())


def known_system(tx: Connection, name: str) -> int | None:
    """The key of a system, or None where nothing was ever heard of it."""
    found: int | None = quick.value(tx, _SYSTEM, {"called": name})
    return found


def system_names(tx: Connection) -> dict[int, str]:
    """All systems, key → name. Asked once a transaction: nearly every question needs them."""
    transaction, names = tx.info.get(_NAMES, (None, None))
    if names is None or transaction is not tx.get_transaction():
        names = _Names(tx)
        tx.info[_NAMES] = tx.get_transaction(), names
    return cast(dict[int, str], names)


class _Names(dict[int, str]):
    """Names of systems by key; one that another transaction has made meanwhile is asked for."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        super().__init__(quick.rows(tx, _SYSTEMS))

    def __missing__(self, key: int) -> str:
        self.update(quick.rows(self._tx, _SYSTEMS))
        if key not in self:
            raise KeyError(key)
        return self[key]


_NAMES = "holdfast_system_names"
_SYSTEMS = select(system_table.c.id, system_table.c.name)
_SYSTEM = select(system_table.c.id).where(system_table.c.name == bindparam("called", type_=String))
_STREAM = select(stream_table.c.id).where(
    bulk.of_system(stream_table.c.system), stream_table.c.name == bindparam("called", type_=String)
)


def system_ids(tx: Connection, names: Collection[str] | None) -> list[int] | None:
    """The keys of some systems; names nothing was heard of are left out. None stays None: all of them."""
    if names is None:
        return None
    wanted = set(names)
    return sorted(key for key, name in system_names(tx).items() if name in wanted)


def stream_id(tx: Connection, system: int, name: str) -> int:
    """The key of a system's stream, made where it is new."""
    found = known_stream(tx, system, name)
    if found is not None:
        return found
    made = stream_table.insert().values(system=system, name=name).returning(stream_table.c.id)
    return int(tx.execute(made).scalar_one())


def known_stream(tx: Connection, system: int | None, name: str) -> int | None:
    """The key of a stream, or None where nothing was ever read from it."""
    if system is None:
        return None
    found: int | None = quick.value(tx, _STREAM, {"of": system, "called": name})
    return found


def interned(tx: Connection, table: Table, system: int, refs: Collection[str]) -> dict[str, int]:
    """The keys of customers or orders by their ids in a system; those not heard of before are made, not yet known."""
    wanted = set(refs)
    if not wanted:
        return {}
    asked = _by_ref(bulk.is_sqlite(tx), table)
    found: dict[str, int] = dict(quick.rows(tx, asked, {"of": system, "ids": bulk.given(tx, wanted)}))
    missing = sorted(wanted - found.keys())
    if missing:
        ids = list(bulk.new_ids(tx, table, len(missing)))
        rows = [(key, system, ref, False) for key, ref in zip(ids, missing, strict=True)]
        bulk.insert(tx, table, ("id", "system", "ref", "known"), rows)
        if table is customer_table:
            concerns.of_this(tx).names = True
        found.update(zip(missing, ids, strict=True))
    return found


@cache
def _by_ref(sqlite: bool, table: Table) -> Select[Any]:
    return select(table.c.ref, table.c.id).where(bulk.of_system(table.c.system), bulk.among_ids(sqlite, table.c.ref))
