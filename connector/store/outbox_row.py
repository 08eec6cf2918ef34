"""A row of the outbox: one write we owe, its values as they are stored, and the rows as people list them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import simplejson
from sqlalchemy import Connection, func, select

from connector.store import bulk
from connector.store.keys import known_system, system_names
from connector.store.tables import outbox
from connector.store.tables import pushed as pushed_table
from connector.text import Text

# Made once under a key; everything else is desired state of its target.
ONCE = frozenset({"task", "close_task"})
UNSETTLED = ("owed", "claimed", "parked", "dropped")
# Codes of our own: a write that puts back what somebody changed; `undone:FIELD,FIELD` for what a person has undone there.
RESTORED = "restored"
UNDONE = "undone:"
OPEN = ("owed", "claimed", "parked", "undone")


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row of the outbox. `attempts` counts how often the system has put this very write off or refused it: a system
    that cannot be reached counts against none of its rows. State `undone`: a person has undone it there."""

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
    return str(_JSON.encode(values))


def _said(value: object) -> dict[str, str]:
    if isinstance(value, dt.datetime):
        return {"$at": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$on": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be owed")


# Made once: an encoder made anew for every row takes longer than the row.
_JSON = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, sort_keys=True, default=_said)


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


def row_of(row: Any, names: Mapping[int, str]) -> OutboxRow:
    """A row of the table as ours; `names` are the systems by key."""
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


def listing(
    tx: Connection,
    *,
    states: Collection[str] | None = OPEN,
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
    return [row_of(row, names) for row in tx.execute(asked)]


def get(tx: Connection, row_id: int) -> OutboxRow | None:
    """One row by its number."""
    row = tx.execute(select(outbox).where(outbox.c.id == row_id)).one_or_none()
    return None if row is None else row_of(row, system_names(tx))


def pushed(tx: Connection, system: str, kind: str) -> dict[str, str]:
    """What was last settled of each target: its digest."""
    p = pushed_table.c
    asked = select(p.target, p.digest).where(p.system == known_system(tx, system), p.kind == kind)
    return {row.target: row.digest for row in tx.execute(asked)}


def targets(tx: Connection, system: str, kind: str, among: Collection[str] | None = None) -> set[str]:
    """What was ever told of desired state, or is about to be (of these only): only that can be taken back."""
    known = known_system(tx, system)
    o, p = outbox.c, pushed_table.c
    waiting = select(o.target).where(o.system == known, o.kind == kind, o.state.in_(UNSETTLED)).distinct()
    settled = select(p.target).where(p.system == known, p.kind == kind)
    if among is not None:
        waiting, settled = (
            one.where(bulk.among(tx, c, among)) for one, c in ((waiting, o.target), (settled, p.target))
        )
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


def standing(tx: Connection, system: str, kind: str, targets: Collection[str] | None = None) -> list[OutboxRow]:
    """What we last wrote of each target of a desired state (of these only), where nothing else is under way for it: by
    rights it stands there now."""
    known = known_system(tx, system)
    o, other = outbox.c, outbox.alias("other")
    newest = (
        select(func.max(o.id))
        .where(o.system == known, o.kind == kind, o.state == "done", o.kind.not_in(tuple(ONCE)))
        .group_by(o.target)
    )
    if targets is not None:
        newest = newest.where(bulk.among(tx, o.target, targets))
    waiting = (
        select(other.c.id)
        .where(
            other.c.system == o.system,
            other.c.kind == o.kind,
            other.c.target == o.target,
            other.c.state.in_(("owed", "claimed", "parked")),
        )
        .exists()
    )
    asked = select(outbox).where(o.id.in_(newest), ~waiting).order_by(o.id)
    names = system_names(tx)
    return [row_of(row, names) for row in tx.execute(asked)]


def last_settled(tx: Connection, system: str, kind: str, targets: Collection[str]) -> dict[str, dict[str, Any]]:
    """The values that we last wrote of these targets, whatever is under way."""
    o = outbox.c
    newest = (
        select(func.max(o.id))
        .where(o.system == known_system(tx, system), o.kind == kind, o.state == "done")
        .where(bulk.among(tx, o.target, targets))
        .group_by(o.target)
    )
    asked = select(o.target, o["values"]).where(o.id.in_(newest))
    return {row.target: unpacked(row.values) for row in tx.execute(asked)}


def expire(tx: Connection, before: dt.datetime) -> int:
    """Deletes rows of desired state that were settled or superseded before a moment, save the last word on each target.

    Tasks stay: their keys are what keeps them from being made twice.
    """
    o, later = outbox.c, outbox.alias("later")
    newer = (
        select(later.c.id)
        .where(
            later.c.system == o.system,
            later.c.kind == o.kind,
            later.c.target == o.target,
            later.c.state == "done",
            later.c.id > o.id,
        )
        .exists()
    )
    old = select(o.id).where(o.settled_at < before, o.kind.not_in(tuple(ONCE)))
    ids = [
        *tx.execute(old.where(o.state == "superseded")).scalars(),
        *tx.execute(old.where(o.state == "done", newer)).scalars(),
    ]
    bulk.delete(tx, outbox, ids)
    return len(ids)
