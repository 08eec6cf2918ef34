"""The outbox: every write we owe a system, until it is settled.

Fields, holds and limits are *desired state*: a newer one supersedes an undelivered older one, and one that equals what
was last settled is never sent. A task is made once: its key is never owed twice. A row is claimed for a while before it
is sent; if that process dies, another may claim it and finds it marked `uncertain`, because it may have arrived.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import simplejson
from sqlalchemy import Connection, and_, or_, select

from connector.store import bulk
from connector.store.keys import known_system, system_id, system_names
from connector.store.tables import outbox, utc
from connector.store.tables import pushed as pushed_table
from connector.text import Text

ONCE = frozenset({"task"})
_UNSETTLED = ("owed", "claimed", "parked", "dropped")


@dataclass(frozen=True, slots=True)
class Owed:
    """One write that follows from a decision: `values` in the system's own names, `digest` over those that matter."""

    system: str
    kind: str
    target: str
    key: str
    values: Mapping[str, Any]
    digest: str
    customer: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row of the outbox. `attempts` counts the claims so far, this one included."""

    id: int
    system: str
    kind: str
    target: str
    key: str
    values: dict[str, Any]
    digest: str
    customer: int | None
    state: str
    attempts: int
    uncertain: bool
    owed_at: dt.datetime
    not_before: dt.datetime | None
    settled_at: dt.datetime | None
    remote_id: str | None
    why: Text | None
    code: str | None


def packed(values: Mapping[str, Any]) -> str:
    """Values as they are stored: JSON in which numbers keep every digit and days say that they are days."""
    return simplejson.dumps(values, use_decimal=True, ensure_ascii=False, sort_keys=True, default=_said)


def _said(value: object) -> dict[str, str]:
    if isinstance(value, dt.datetime):
        return {"$at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$on": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be owed")


def unpacked(text: str) -> dict[str, Any]:
    """The values back."""
    found: dict[str, Any] = simplejson.loads(text, use_decimal=True, object_hook=_meant)
    return found


def _meant(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$on" in value:
            return dt.date.fromisoformat(value["$on"])
        if "$at" in value:
            return dt.datetime.fromisoformat(value["$at"])
    return value


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
    for (system, kind), wanted in groups.items():
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
                packed(action.values),
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
    tx: Connection, system: int, kind: str, wanted: Mapping[str, Owed], _now: dt.datetime
) -> list[tuple[Owed, bool]]:
    o = outbox.c
    asked = select(o.key).where(o.system == system, o.kind == kind, bulk.among(tx, o.key, wanted))
    there = set(tx.execute(asked).scalars())
    return [(action, False) for key, action in wanted.items() if key not in there]


def _new_states(
    tx: Connection, system: int, kind: str, wanted: Mapping[str, Owed], now: dt.datetime
) -> list[tuple[Owed, bool]]:
    """Those that differ from what waits, or from what was last settled where nothing waits; each with whether an earlier
    attempt may have arrived. What they replace is superseded."""
    o, p = outbox.c, pushed_table.c
    asked = (
        select(o.id, o.target, o.state, o.digest, o.uncertain)
        .where(o.system == system, o.kind == kind, bulk.among(tx, o.target, wanted), o.state.in_(_UNSETTLED))
        .order_by(o.id)
    )
    waiting: dict[str, list[Any]] = {}
    for row in tx.execute(asked):
        waiting.setdefault(row.target, []).append(row)
    known = select(p.target, p.digest).where(p.system == system, p.kind == kind, bulk.among(tx, p.target, wanted))
    settled = {row.target: row.digest for row in tx.execute(known)}
    new: list[tuple[Owed, bool]] = []
    replaced: list[int] = []
    for target, action in wanted.items():
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
    bulk.update(tx, outbox, ("state", "settled_at"), [("superseded", utc(now), key) for key in replaced])
    return new


def claim(
    tx: Connection, system: str, kind: str, limit: int, now: dt.datetime, lease_seconds: float = 300
) -> list[OutboxRow]:
    """Takes up to so many rows that are due, the oldest first, for so long. A row whose earlier claim ran out is taken
    again and marked uncertain. Rows of a target for which another write is under way wait for that one."""
    known = known_system(tx, system)
    if known is None:
        return []
    o, flying = outbox.c, outbox.alias("flying")
    due = or_(
        and_(o.state == "owed", or_(o.not_before.is_(None), o.not_before <= now)),
        and_(o.state == "claimed", o.claimed_until <= now),
    )
    # Written as it stands in the partial index, or PostgreSQL and SQLite do not use it.
    pending = o.state.in_(["owed", "claimed"])
    before = (
        select(flying.c.id)
        .where(
            flying.c.system == o.system,
            flying.c.kind == o.kind,
            flying.c.target == o.target,
            flying.c.state == "claimed",
            flying.c.id < o.id,
        )
        .exists()
    )
    asked = select(outbox).where(o.system == known, o.kind == kind, pending, due)
    if kind not in ONCE:
        asked = asked.where(~before)
    asked = asked.order_by(o.id).limit(limit).with_for_update(skip_locked=True)
    rows = tx.execute(asked).all()
    if not rows:
        return []
    until = now + dt.timedelta(seconds=lease_seconds)
    ids = [row.id for row in rows]
    late = [row.id for row in rows if row.state == "claimed"]
    tx.execute(
        outbox.update()
        .where(bulk.among(tx, o.id, ids))
        .values(state="claimed", claimed_until=until, attempts=o.attempts + 1)
    )
    if late:
        tx.execute(outbox.update().where(bulk.among(tx, o.id, late)).values(uncertain=True))
    taken = tx.execute(select(outbox).where(bulk.among(tx, o.id, ids)).order_by(o.id))
    return [_row(row, {known: system}) for row in taken]


def reclaim(tx: Connection, system: str) -> int:
    """Takes back what a dead process had claimed, without waiting for its lease; each may have arrived. Only for one
    who holds the job's own lease, so that nobody alive can be at work on them."""
    o = outbox.c
    mine = outbox.update().where(o.system == known_system(tx, system), o.state == "claimed")
    return tx.execute(mine.values(state="owed", uncertain=True, claimed_until=None, not_before=None)).rowcount


def settle(tx: Connection, row_id: int, remote_id: str, now: dt.datetime) -> None:
    """The write has arrived."""
    o = outbox.c
    row = tx.execute(select(o.system, o.kind, o.target, o.digest).where(o.id == row_id)).one()
    tx.execute(
        outbox.update()
        .where(o.id == row_id)
        .values(
            state="done",
            settled_at=now,
            remote_id=remote_id or None,
            uncertain=False,
            claimed_until=None,
            why_en=None,
            why_zh=None,
            code=None,
        )
    )
    if row.kind in ONCE:
        return
    p = pushed_table.c
    mine = (p.system == row.system, p.kind == row.kind, p.target == row.target)
    values = {"digest": row.digest, "remote_id": remote_id or None, "settled_at": now}
    if tx.execute(pushed_table.update().where(*mine).values(**values)).rowcount == 0:
        tx.execute(pushed_table.insert().values(system=row.system, kind=row.kind, target=row.target, **values))


def again(
    tx: Connection,
    row_id: int,
    now: dt.datetime,
    wait_seconds: float,
    why: Text | None = None,
    *,
    uncertain: bool = False,
) -> None:
    """The write is tried again, not before so many seconds from now. `uncertain`: it may have arrived."""
    values: dict[str, Any] = {
        "state": "owed",
        "not_before": now + dt.timedelta(seconds=wait_seconds),
        "claimed_until": None,
        "why_en": why.en if why else None,
        "why_zh": why.zh if why else None,
    }
    if uncertain:
        values["uncertain"] = True
    _put_back(tx, row_id, values)


def _put_back(tx: Connection, row_id: int, values: dict[str, Any]) -> None:
    """Back among those that wait, unless a newer desired state has come meanwhile: that one carries the doubt on."""
    o = outbox.c
    row = tx.execute(select(outbox).where(o.id == row_id)).one()
    if row.kind not in ONCE:
        newer = tx.execute(
            select(o.id)
            .where(
                o.system == row.system,
                o.kind == row.kind,
                o.target == row.target,
                o.state == "owed",
                o.id > row_id,
            )
            .order_by(o.id.desc())
            .limit(1)
        ).scalar()
        if newer is not None:
            doubt = bool(values.get("uncertain", row.uncertain))
            if doubt:
                tx.execute(outbox.update().where(o.id == newer).values(uncertain=True))
            values = {**values, "state": "superseded"}
    tx.execute(outbox.update().where(o.id == row_id).values(**values))


def park(tx: Connection, row_id: int, now: dt.datetime, why: Text, code: str = "") -> None:
    """The system refuses the write: it waits for a person."""
    values = {
        "state": "parked",
        "claimed_until": None,
        "settled_at": now,
        "why_en": why.en,
        "why_zh": why.zh,
        "code": code or None,
    }  # a doubt stays: an earlier attempt may have arrived all the same
    _put_back(tx, row_id, values)


def retry(tx: Connection, row_id: int | None = None) -> int:
    """Puts a parked row (None: all of them) back among those that wait; says how many."""
    o = outbox.c
    asked = outbox.update().where(o.state == "parked")
    if row_id is not None:
        asked = asked.where(o.id == row_id)
    return tx.execute(asked.values(state="owed", attempts=0, not_before=None, settled_at=None)).rowcount


def drop(tx: Connection, row_id: int, now: dt.datetime | None = None) -> bool:
    """Gives a write up. The same values are not owed again; others are. False where it is not waiting or parked."""
    asked = outbox.update().where(outbox.c.id == row_id, outbox.c.state.in_(("owed", "parked")))
    return tx.execute(asked.values(state="dropped", settled_at=now or dt.datetime.now(dt.UTC))).rowcount > 0


def listing(
    tx: Connection,
    *,
    states: Collection[str] | None = ("owed", "claimed", "parked"),
    system: str | None = None,
    kind: str | None = None,
    limit: int | None = None,
) -> list[OutboxRow]:
    """Rows of the outbox, newest first; `states=None`: all there ever were."""
    o = outbox.c
    asked = select(outbox).order_by(o.id.desc()).limit(limit)
    if states is not None:
        asked = asked.where(o.state.in_(list(states)))
    if system is not None:
        asked = asked.where(o.system == known_system(tx, system))
    if kind is not None:
        asked = asked.where(o.kind == kind)
    names = system_names(tx)
    return [_row(row, names) for row in tx.execute(asked)]


def get(tx: Connection, row_id: int) -> OutboxRow | None:
    """One row by its number."""
    row = tx.execute(select(outbox).where(outbox.c.id == row_id)).one_or_none()
    return None if row is None else _row(row, system_names(tx))


def pushed(tx: Connection, system: str, kind: str) -> dict[str, str]:
    """What was last settled of each target: its digest."""
    p = pushed_table.c
    asked = select(p.target, p.digest).where(p.system == known_system(tx, system), p.kind == kind)
    return {row.target: row.digest for row in tx.execute(asked)}


def targets(tx: Connection, system: str, kind: str) -> set[str]:
    """What was ever told of desired state, or is about to be: only that can be taken back."""
    known = known_system(tx, system)
    o, p = outbox.c, pushed_table.c
    waiting = select(o.target).where(o.system == known, o.kind == kind, o.state.in_(_UNSETTLED)).distinct()
    settled = select(p.target).where(p.system == known, p.kind == kind)
    return {*tx.execute(waiting).scalars(), *tx.execute(settled).scalars()}


def forget_pushed(tx: Connection, system: str, kind: str | None = None, target: str | None = None) -> int:
    """Makes desired state be written again although it has not changed: somebody changed it there."""
    p = pushed_table.c
    asked = pushed_table.delete().where(p.system == known_system(tx, system))
    if kind is not None:
        asked = asked.where(p.kind == kind)
    if target is not None:
        asked = asked.where(p.target == target)
    return tx.execute(asked).rowcount


def expire(tx: Connection, before: dt.datetime) -> int:
    """Deletes rows of desired state that were settled or superseded before a moment. Tasks stay: their keys are what
    keeps them from being made twice."""
    o = outbox.c
    old = outbox.delete().where(o.state.in_(("done", "superseded")), o.settled_at < before, o.kind.not_in(tuple(ONCE)))
    return tx.execute(old).rowcount


def _row(row: Any, names: Mapping[int, str]) -> OutboxRow:
    return OutboxRow(
        row.id,
        names[row.system],
        row.kind,
        row.target,
        row.key,
        unpacked(row.values),
        row.digest,
        row.customer,
        row.state,
        row.attempts,
        row.uncertain,
        row.owed_at,
        row.not_before,
        row.settled_at,
        row.remote_id,
        Text(row.why_en, row.why_zh or row.why_en) if row.why_en else None,
        row.code,
    )
