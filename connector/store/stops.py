"""Stops: the holds of ours that stand in systems, by which way each holds, and what a person had set there before us.

A stop is kept before its hold is sent, so that a crash between the two never takes our own hold for a person's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from connector.store import bulk
from connector.store.keys import known_system, system_id
from connector.store.outbox_row import packed, unpacked
from connector.store.tables import stop, utc


@dataclass(frozen=True, slots=True)
class Stopped:
    """One hold of ours: `way` is the name of the block that carries it, `before` the values that a person had set there."""

    target: str
    way: str
    before: Mapping[str, Any] = field(default_factory=dict)


def stopped(tx: Connection, system: str, kind: str, targets: Collection[str]) -> dict[str, Stopped]:
    """Our holds on these targets."""
    s = stop.c
    asked = select(s.target, s.way, s.before).where(
        s.system == known_system(tx, system), s.kind == kind, bulk.among(tx, s.target, targets)
    )
    return {row.target: Stopped(row.target, row.way, unpacked(row.before)) for row in tx.execute(asked)}


def keep(tx: Connection, system: str, kind: str, made: Sequence[Stopped], now: dt.datetime) -> None:
    """Keeps holds that are about to be sent, each instead of an older one on the same target."""
    if not made:
        return
    key = system_id(tx, system)
    there = stopped(tx, system, kind, [one.target for one in made])
    columns = ("way", "before", "since", "system", "kind", "target")
    rows = {one.target: (one.way, packed(one.before), utc(now), key, kind, one.target) for one in made}
    bulk.insert(tx, stop, columns, [row for target, row in rows.items() if target not in there])
    changed = [row[:2] + row[3:] for target, row in rows.items() if target in there]
    bulk.update(tx, stop, ("way", "before"), changed, by=("system", "kind", "target"))


def forget(tx: Connection, system: str, kind: str, targets: Collection[str]) -> None:
    """The holds on these targets are lifted."""
    if targets:
        s = stop.c
        mine = (s.system == known_system(tx, system), s.kind == kind, bulk.among(tx, s.target, targets))
        tx.execute(stop.delete().where(*mine))
