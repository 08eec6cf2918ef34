"""Tasks whose matter is decided: one that is not made yet is withdrawn, one that is made is closed where it was made.

`ended` of a task says how far that is: `decided`, nobody was told yet; `closing`, a write of the kind `close_task` is in the
outbox, under the key of the task. A task that may have been made, because nobody knows how an attempt ended, is closed
like one that was made: who delivers looks for it first. Where the matter comes back before the closing is delivered the
task simply goes on; after that it is another task, under its key and a number (`hold:erp:C-1:2026-11-20~2`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy import text as sql

from connector.store import bulk
from connector.store.keys import known_system
from connector.store.outbox_row import packed
from connector.store.tables import outbox, utc
from connector.store.tables_work import OPEN_TASK

TASK, CLOSE = "task", "close_task"
DECIDED, CLOSING = "decided", "closing"
_UNMADE, _MADE = ("owed", "parked"), ("claimed", "done")
_AGAIN = re.compile(r"~\d+$")


def matter(key: str) -> str:
    """What a task is about: its key, without the number of one that was made again."""
    return _AGAIN.sub("", key)


def withdraw(
    tx: Connection,
    system: str,
    keep: Mapping[str, Collection[str]],
    now: dt.datetime,
    rules: Collection[str] | None = None,
    *,
    stands: Collection[str] | None = (),
) -> int:
    """Ends the tasks of these targets whose keys are not among those that still have their cause: what is not made yet is
    taken back, what is made will be closed, save where its key `stands` (None: nothing is closed). Says how many are taken
    back. Only tasks of these `rules` (the first word of their key, up to a colon) are looked at; None: all."""
    known = known_system(tx, system)
    if known is None or not keep:
        return 0
    asked = _open().where(outbox.c.system == known, bulk.among(tx, outbox.c.target, keep))
    gone = []
    for row in tx.execute(asked):
        about = matter(row.key)
        if about in keep[row.target] or (rules is not None and about.partition(":")[0] not in rules):
            continue
        if row.state in _UNMADE or (stands is not None and about not in stands):
            gone.append(row)
    return _end(tx, gone, now)


def withdraw_begun(tx: Connection, begins: Collection[str], now: dt.datetime) -> int:
    """The same for all tasks whose keys begin so, in any system."""
    first = tuple(dict.fromkeys(begins))
    return _end(tx, [row for row in tx.execute(_open()) if row.key.startswith(first)], now) if first else 0


def withdraw_keys(tx: Connection, keys: Collection[str], now: dt.datetime) -> int:
    """The same for the tasks of these keys, in any system."""
    wanted = set(keys)
    return _end(tx, [row for row in tx.execute(_open()) if matter(row.key) in wanted], now) if wanted else 0


def open_targets(tx: Connection, system: str) -> set[str]:
    """On whose records there are tasks that nobody has ended yet."""
    return {row.target for row in tx.execute(_open().where(outbox.c.system == known_system(tx, system)))}


def _open() -> Select[Any]:
    """All tasks whose matter goes on, as the partial index holds them."""
    o = outbox.c
    return select(o.id, o.target, o.key, o.state, o.uncertain).where(sql(OPEN_TASK))


def _end(tx: Connection, rows: Iterable[Any], now: dt.datetime) -> int:
    rows = sorted(rows, key=lambda row: row.id)
    unmade = [row for row in rows if row.state in _UNMADE]
    made = [row.id for row in rows if row.state in _MADE or row.uncertain]
    bulk.update(tx, outbox, ("state", "settled_at"), [("superseded", utc(now), row.id) for row in unmade])
    bulk.update(tx, outbox, ("ended",), [(DECIDED, key) for key in made])
    return len(unmade)


# --- closing -----------------------------------------------------------------------------------------------------------
def owe_closing(tx: Connection, system: str, values: Mapping[str, Any], digest: str, now: dt.datetime) -> int:
    """Owes the closing of every task there whose matter is decided, with these values; says how many."""
    o, known = outbox.c, known_system(tx, system)
    asked = select(o.id, o.key, o.remote_id, o.customer).where(
        o.system == known, o.kind == TASK, o.ended == DECIDED, o.state.in_(("done", "superseded"))
    )
    rows = tx.execute(asked.order_by(o.id)).all() if known is not None else []
    text = packed(values)
    ids = bulk.new_ids(tx, outbox, len(rows))
    new = [
        (number, known, CLOSE, row.remote_id or "", row.key, text, digest, row.customer, "owed", 0, False, utc(now))
        for number, row in zip(ids, rows, strict=True)
    ]
    columns = ("id", "system", "kind", "target", "key", "values", "digest", "customer", "state", "attempts")
    bulk.insert(tx, outbox, (*columns, "uncertain", "owed_at"), new)
    bulk.update(tx, outbox, ("ended",), [(CLOSING, row.id) for row in rows])
    return len(rows)


def going_on(tx: Connection, system: int, keys: Collection[str], now: dt.datetime) -> set[str]:
    """Lets the ended tasks of these keys go on, because their matter is back; gives the keys for which it is too late:
    they are closed, or are being closed."""
    o = outbox.c
    asked = select(o.id, o.key, o.ended).where(
        o.system == system, o.kind == TASK, bulk.among(tx, o.key, keys), o.ended.is_not(None)
    )
    ended = tx.execute(asked.order_by(o.id)).all() if keys else []
    told = [row.key for row in ended if row.ended == CLOSING]
    closing = select(o.id, o.key, o.state).where(
        o.system == system, o.kind == CLOSE, bulk.among(tx, o.key, told), o.state != "superseded"
    )
    writes = {row.key: row for row in tx.execute(closing)} if told else {}
    late = {key for key, row in writes.items() if row.state not in _UNMADE}
    taken_back = [row.id for key, row in writes.items() if key not in late]
    bulk.update(tx, outbox, ("state", "settled_at"), [("superseded", utc(now), key) for key in sorted(taken_back)])
    bulk.update(tx, outbox, ("ended",), [(None, row.id) for row in ended if row.key not in late])
    return late


def renamed(values: Mapping[str, Any], key: str, new: str) -> dict[str, Any]:
    """The values of a task under another key."""
    return {name: new if value == key else value for name, value in values.items()}
