"""Delivery: rows of the outbox are claimed for a while, then settled, put back, or parked for a person.

If the process that claimed a row dies, another may claim it and finds it marked `uncertain`, because it may have
arrived. Only a row that is still claimed is put back: what a call has settled stays settled whatever comes after.
Whoever changes several rows in one transaction does so in the order of their numbers, kind by kind: of two who change the
same ones the second waits for the first, and never each for the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from connector.store import bulk
from connector.store.keys import known_system
from connector.store.outbox_row import ONCE, RESTORED, OutboxRow, row_of
from connector.store.tables import outbox
from connector.store.tables import pushed as pushed_table
from connector.text import Text


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
    tx.execute(outbox.update().where(bulk.among(tx, o.id, ids)).values(state="claimed", claimed_until=until))
    if late:
        tx.execute(outbox.update().where(bulk.among(tx, o.id, late)).values(uncertain=True))
    taken = tx.execute(select(outbox).where(bulk.among(tx, o.id, ids)).order_by(o.id))
    return [row_of(row, {known: system}) for row in taken]


def lock(tx: Connection, rows: Sequence[OutboxRow]) -> None:
    """Before several claimed rows of one system and kind are settled or put back: nobody else changes them, or what is
    newer of their targets, until this transaction ends."""
    if rows:
        _lock(tx, known_system(tx, rows[0].system), rows[0].kind, rows)


def _lock(tx: Connection, system: int | None, kind: str, rows: Sequence[Any]) -> None:
    if bulk.is_sqlite(tx):
        return  # one writes at a time anyway
    o = outbox.c
    asked = select(o.id).where(o.system == system, o.kind == kind, o.state.in_(("owed", "claimed")))
    if kind in ONCE:
        asked = asked.where(bulk.among(tx, o.id, [row.id for row in rows]))
    else:
        targets = sorted({row.target for row in rows})
        asked = asked.where(bulk.among(tx, o.target, targets), o.id >= min(row.id for row in rows))
    tx.execute(asked.order_by(o.id).with_for_update()).all()


def reclaim(tx: Connection, system: str) -> int:
    """Takes back what a dead process had claimed, without waiting for its lease; each may have arrived. Only for one
    who holds the job's own lease, so that nobody alive can be at work on them."""
    o = outbox.c
    known = known_system(tx, system)
    mine = select(o.id, o.kind, o.target).where(o.system == known, o.state == "claimed")
    # (Each database has an order of texts of its own.)
    rows = sorted(tx.execute(mine), key=lambda row: (row.kind, row.id))
    for kind, some in groupby(rows, lambda row: row.kind):
        of_kind = list(some)  # as many as one call takes
        _lock(tx, known, kind, of_kind)
        for row in of_kind:
            _put_back(tx, row.id, {"state": "owed", "uncertain": True, "claimed_until": None, "not_before": None})
    return len(rows)


def settle(tx: Connection, row_id: int, remote_id: str, now: dt.datetime) -> None:
    """The write has arrived."""
    o = outbox.c
    row = tx.execute(select(o.system, o.kind, o.target, o.digest, o.code).where(o.id == row_id)).one()
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
            code=RESTORED if row.code == RESTORED else None,
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
    counts: bool = False,
) -> None:
    """The write is tried again, not before so many seconds from now. `uncertain`: it may have arrived. `counts`: it was
    this very write that was put off, not the whole system that could not be reached."""
    values: dict[str, Any] = {
        "state": "owed",
        "not_before": now + dt.timedelta(seconds=wait_seconds),
        "claimed_until": None,
        "why_en": why.en if why else None,
        "why_zh": why.zh if why else None,
    }
    if uncertain:
        values["uncertain"] = True
    if counts:
        values["attempts"] = outbox.c.attempts + 1
    _put_back(tx, row_id, values)


def park(tx: Connection, row_id: int, now: dt.datetime, why: Text, code: str = "") -> None:
    """The system refuses the write: it waits for a person."""
    values = {
        "state": "parked",
        "uncertain": True,  # of a write of several steps the first may have arrived: a flag, then a lock
        "claimed_until": None,
        "settled_at": now,
        "attempts": outbox.c.attempts + 1,
        "why_en": why.en,
        "why_zh": why.zh,
        "code": code or None,
    }
    _put_back(tx, row_id, values)


def _put_back(tx: Connection, row_id: int, values: dict[str, Any]) -> None:
    """Back among those that wait, unless a newer desired state has come meanwhile: that one carries the doubt on."""
    o = outbox.c
    row = tx.execute(select(outbox).where(o.id == row_id)).one()
    if row.state != "claimed":
        return  # settled before the trouble came
    if row.ended is not None:  # its matter is decided meanwhile: whoever closes it looks whether it was made
        values = {**values, "state": "superseded", "settled_at": row.owed_at}
    elif row.kind not in ONCE:
        newer = tx.execute(
            select(o.id)
            .where(
                o.system == row.system,
                o.kind == row.kind,
                o.target == row.target,
                o.state.in_(("owed", "claimed")),
                o.id > row_id,
            )
            .order_by(o.id.desc())
            .limit(1)
        ).scalar()
        if newer is not None:
            doubt = bool(values.get("uncertain", row.uncertain))
            if doubt:
                tx.execute(outbox.update().where(o.id == newer).values(uncertain=True))
            values = {**values, "state": "superseded", "settled_at": row.owed_at}
    tx.execute(outbox.update().where(o.id == row_id).values(**values))
