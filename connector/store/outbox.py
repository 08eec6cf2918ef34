"""The outbox: every write we owe a system, until it is settled.

Fields, holds and limits are *desired state*: a newer one supersedes an undelivered older one, and one that equals what
was last settled is never sent. A task is made once: its key is never owed twice. How rows are delivered is in
`outbox_delivery`, what people undo in `outbox_undone`, what becomes of a task whose matter is decided in `outbox_over`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, or_, select

from connector.store import bulk
from connector.store.keys import known_system, system_id
from connector.store.outbox_delivery import again, claim, lock, park, reclaim, settle
from connector.store.outbox_over import (
    going_on,
    open_targets,
    owe_closing,
    renamed,
    withdraw,
    withdraw_begun,
    withdraw_keys,
)
from connector.store.outbox_row import (
    ONCE,
    RESTORED,
    UNDONE,
    UNSETTLED,
    OutboxRow,
    expire,
    forget_pushed,
    get,
    last_settled,
    listing,
    packed,
    pushed,
    standing,
    targets,
    unpacked,
)
from connector.store.outbox_undone import (
    close_undone,
    fields_of,
    keep_wanted,
    note_undone,
    restore,
    undone,
    undone_of,
    write_again,
)
from connector.store.tables import outbox, utc
from connector.store.tables import pushed as pushed_table


@dataclass(frozen=True, slots=True)
class Owed:
    """One write that follows from a decision: `values` in the system's own names, `digest` over those that matter. `more`
    makes values that are looked up only where the write is new, such as a reason in words."""

    system: str
    kind: str
    target: str
    key: str
    values: Mapping[str, Any]
    digest: str
    customer: int | None = None
    more: Callable[[], Mapping[str, Any]] | None = None


def owe(tx: Connection, actions: Sequence[Owed], now: dt.datetime | None = None) -> int:
    """Puts writes into the outbox, in the transaction of the decisions they follow from; says how many are new.

    Cheap for many at once: a handful of statements for each system and kind, however many writes there are.
    """
    now = now or dt.datetime.now(dt.UTC)
    groups: dict[tuple[str, str], dict[str, Owed]] = {}
    for action in actions:
        # Of two words on the same thing in one breath the later counts.
        name = action.key if action.kind in ONCE else action.target
        groups.setdefault((action.system, action.kind), {})[name] = action
    count = 0
    # In one order for everybody (see `outbox_delivery`).
    for (system, kind), wanted in sorted(groups.items(), key=lambda group: group[0]):
        key = system_id(tx, system)
        new = (_new_once if kind in ONCE else _new_states)(tx, key, kind, wanted, now)
        ids = bulk.new_ids(tx, outbox, len(new))
        rows = [
            (
                number,
                key,
                kind,
                action.target,
                action.key,
                packed(_whole(action)),
                action.digest,
                action.customer,
                "owed",
                0,
                doubt,
                utc(now),
            )
            for number, (action, doubt) in zip(ids, new, strict=True)
        ]
        bulk.insert(tx, outbox, _COLUMNS, rows)
        count += len(new)
    return count


def differing(tx: Connection, actions: Sequence[Owed]) -> list[Owed]:
    """Those of some desired states that are another than what waits or, where nothing waits, than what was last settled:
    at most these would be written. Nothing is."""
    o, p = outbox.c, pushed_table.c
    groups: dict[tuple[str, str], dict[str, Owed]] = {}
    for action in actions:
        groups.setdefault((action.system, action.kind), {})[action.target] = action
    found: list[Owed] = []
    for (system, kind), wanted in groups.items():
        key = known_system(tx, system)
        known = select(p.target, p.digest).where(p.system == key, p.kind == kind, bulk.among(tx, p.target, wanted))
        stands = {row.target: row.digest for row in tx.execute(known)}
        asked = (
            select(o.target, o.digest)
            .where(o.system == key, o.kind == kind, bulk.among(tx, o.target, wanted), o.state.in_(UNSETTLED))
            .order_by(o.id)
        )
        stands |= {row.target: row.digest for row in tx.execute(asked)}
        found += [action for target, action in wanted.items() if stands.get(target) != action.digest]
    return found


def _whole(action: Owed) -> Mapping[str, Any]:
    if action.more is None:
        return action.values
    return {**action.values, **{name: value for name, value in action.more().items() if name in action.values}}


_COLUMNS = (
    "id",
    "system",
    "kind",
    "target",
    "key",
    "values",
    "digest",
    "customer",
    "state",
    "attempts",
    "uncertain",
    "owed_at",
)


def _new_once(
    tx: Connection, system: int, kind: str, wanted: Mapping[str, Owed], now: dt.datetime
) -> list[tuple[Owed, bool]]:
    o = outbox.c
    late = {key: wanted[key] for key in going_on(tx, system, list(wanted), now)} if kind == "task" else {}
    if late:  # closed there already: what comes now is another task
        wanted = {key: action for key, action in wanted.items() if key not in late}
    # What was withdrawn before it was made is owed anew.
    asked = select(o.key).where(
        o.system == system, o.kind == kind, bulk.among(tx, o.key, wanted), o.state != "superseded"
    )
    there = set(tx.execute(asked).scalars())
    new = [(action, False) for key, action in wanted.items() if key not in there]
    return new + (_new_once(tx, system, kind, dict(map(_another, late.values())), now) if late else [])


def _another(action: Owed) -> tuple[str, Owed]:
    """The same task once more, under the next number of its key."""
    first, _, number = action.key.rpartition("~")
    key = f"{first}~{int(number) + 1}" if first and number.isdecimal() else f"{action.key}~2"
    return key, replace(action, key=key, values=renamed(action.values, action.key, key))


def _new_states(
    tx: Connection, system: int, kind: str, wanted: Mapping[str, Owed], now: dt.datetime
) -> list[tuple[Owed, bool]]:
    """Those that differ from what waits, or from what was last settled where nothing waits; each with whether an earlier
    attempt may have arrived. What they replace is superseded."""
    o, p = outbox.c, pushed_table.c
    asked = (
        select(o.id, o.target, o.state, o.digest, o.uncertain)
        .where(o.system == system, o.kind == kind, bulk.among(tx, o.target, wanted), o.state.in_(UNSETTLED))
        .where(or_(o.code.is_(None), o.code.not_like(f"{UNDONE}%")))
        .order_by(o.id)
    )
    waiting: dict[str, list[Any]] = {}
    for row in tx.execute(asked):
        waiting.setdefault(row.target, []).append(row)
    known = select(p.target, p.digest).where(p.system == system, p.kind == kind, bulk.among(tx, p.target, wanted))
    settled = {row.target: row.digest for row in tx.execute(known)}
    new: list[tuple[Owed, bool]] = []
    replaced: list[int] = []
    other: list[int] = []  # what was undone and is over, because we want something else
    aside_still: list[tuple[int, Owed]] = []
    put_aside = undone_of(tx, system, kind, wanted)
    for target, action in wanted.items():
        if (aside := put_aside.get(target)) is not None:
            if aside.contradicts(action.values):
                # What a person has undone stays so while we want the same; the rest of the record is kept right.
                if aside.digest != action.digest:
                    aside_still.append((aside.id, action))
                left = {name: value for name, value in action.values.items() if name not in aside.fields}
                if not left:
                    continue
                action = replace(action, values=left)
            else:
                other.append(aside.id)
        rows = waiting.get(target, [])
        if rows and rows[-1].digest == action.digest:
            continue  # waiting, under way, parked for a person, or dropped by one
        if not rows and settled.get(target) == action.digest:
            continue
        replaced += [row.id for row in rows if row.state != "claimed"]
        # Where an attempt is under way or may have arrived, nobody knows what stands there now: it is written.
        doubt = any(row.uncertain for row in rows)
        flying = any(row.state == "claimed" for row in rows)
        if settled.get(target) != action.digest or doubt or flying:
            new.append((action, doubt))
    bulk.update(tx, outbox, ("state", "settled_at"), [("superseded", utc(now), key) for key in sorted(replaced)])
    for number, action in sorted(aside_still, key=lambda one: one[0]):
        keep_wanted(tx, number, action.values, action.digest)
    close_undone(tx, other, now)
    return new


def retry(tx: Connection, row_id: int | None = None) -> int:
    """Puts a parked row (None: all of them) back among those that wait; says how many."""
    o = outbox.c
    asked = outbox.update().where(o.state == "parked")
    if row_id is not None:
        asked = asked.where(o.id == row_id)
    return tx.execute(asked.values(state="owed", attempts=0, not_before=None, settled_at=None)).rowcount


def drop(tx: Connection, row_id: int, now: dt.datetime | None = None) -> bool:
    """Gives a write up. The same values are not owed again; others are. Of what a person has undone: it is taken note
    of, and left. False where the number is not that of something that waits."""
    asked = outbox.update().where(outbox.c.id == row_id, outbox.c.state.in_(("owed", "parked", "undone")))
    return tx.execute(asked.values(state="dropped", settled_at=now or dt.datetime.now(dt.UTC))).rowcount > 0


__all__ = [
    "ONCE",
    "RESTORED",
    "OutboxRow",
    "Owed",
    "again",
    "claim",
    "close_undone",
    "differing",
    "drop",
    "expire",
    "fields_of",
    "forget_pushed",
    "get",
    "last_settled",
    "listing",
    "lock",
    "note_undone",
    "open_targets",
    "owe",
    "owe_closing",
    "packed",
    "park",
    "pushed",
    "reclaim",
    "restore",
    "retry",
    "settle",
    "standing",
    "targets",
    "undone",
    "unpacked",
    "withdraw",
    "withdraw_begun",
    "withdraw_keys",
    "write_again",
]
