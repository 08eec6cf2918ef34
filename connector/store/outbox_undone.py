"""Undone: what a person has undone in a system of what we wrote there. It is an event, not a fight.

Such a row has the state `undone` (or `dropped`, once somebody has taken note of it), names the fields in its code and
keeps the newest values we want. As long as we still want what was undone, those fields are left as the person set them
and the rest is written; it is over when we want something else, when the record agrees again, or when somebody here
puts it back (`restore`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from connector.store import bulk
from connector.store.keys import known_system, system_names
from connector.store.outbox_over import withdraw_begun
from connector.store.outbox_row import RESTORED, UNDONE, OutboxRow, packed, row_of, unpacked
from connector.store.tables import outbox
from connector.text import Text

_STATES = ("undone", "dropped")


@dataclass(frozen=True, slots=True)
class Undone:
    """What was undone of one target: the fields, and the values that we want in them."""

    id: int
    fields: tuple[str, ...]
    wanted: Mapping[str, Any]
    digest: str

    def contradicts(self, values: Mapping[str, Any]) -> bool:
        """Whether these values still want what was undone. A value that they do not speak of (the way in which something
        is held) is wanted as long as the rest is."""
        return all(name not in values or values[name] == self.wanted.get(name) for name in self.fields)


def fields_of(row: OutboxRow) -> tuple[str, ...]:
    """The fields that a person has changed, of a row of what was undone."""
    code = row.code or ""
    return tuple(code.removeprefix(UNDONE).split(",")) if code.startswith(UNDONE) else ()


def undone_of(tx: Connection, system: int, kind: str, targets: Collection[str]) -> dict[str, Undone]:
    """What was undone of these targets and is not over."""
    o = outbox.c
    asked = (
        select(o.id, o.target, o.code, o["values"], o.digest)
        .where(o.system == system, o.kind == kind, bulk.among(tx, o.target, targets), o.state.in_(_STATES))
        .where(o.code.like(f"{UNDONE}%"))
        .order_by(o.id)
    )
    return {
        row.target: Undone(row.id, tuple(row.code.removeprefix(UNDONE).split(",")), unpacked(row.values), row.digest)
        for row in tx.execute(asked)
    }


def undone(tx: Connection, system: str) -> list[OutboxRow]:
    """All that people have undone in a system and that is not over."""
    o = outbox.c
    asked = select(outbox).where(o.system == known_system(tx, system), o.state.in_(_STATES), o.code.like(f"{UNDONE}%"))
    names = system_names(tx)
    return [row_of(row, names) for row in tx.execute(asked.order_by(o.id))]


def note_undone(tx: Connection, row: OutboxRow, fields: Collection[str], why: Text, now: dt.datetime) -> int:
    """A person has undone these fields of a settled row; the text says what stands there, and who did it when. Gives the
    number under which it is kept."""
    mine = known_system(tx, row.system)
    assert mine is not None, "it has been written to"
    code = UNDONE + ",".join(sorted(fields))
    there = undone_of(tx, mine, row.kind, [row.target]).get(row.target)
    if there is None:
        values = packed(row.values)
        return _insert(tx, mine, row, "undone", values, now, code=code, why_en=why.en, why_zh=why.zh)
    tx.execute(outbox.update().where(outbox.c.id == there.id).values(code=code, why_en=why.en, why_zh=why.zh))
    return there.id


def close_undone(tx: Connection, ids: Collection[int], now: dt.datetime) -> None:
    """The records agree with us again: it is over."""
    if ids:
        withdraw_begun(tx, _tasks(tx, ids), now)
        over = outbox.update().where(bulk.among(tx, outbox.c.id, ids))
        tx.execute(over.values(state="superseded", settled_at=now))


def _tasks(tx: Connection, ids: Collection[int]) -> list[str]:
    """How the keys of the tasks begin by which people were told of what was undone (`jobs.undone`)."""
    names, o = system_names(tx), outbox.c
    rows = tx.execute(select(o.system, o.kind, o.target).where(bulk.among(tx, o.id, ids)))
    return [f"undone:{names[row.system]}:{row.kind}:{row.target}:" for row in rows]


def keep_wanted(tx: Connection, row_id: int, values: Mapping[str, Any], digest: str) -> None:
    """The newest values that we want where a person has undone something."""
    tx.execute(outbox.update().where(outbox.c.id == row_id).values(values=packed(values), digest=digest))


def write_again(tx: Connection, row: OutboxRow, now: dt.datetime, without: Collection[str] = ()) -> int:
    """A settled desired state is owed once more, as it was, save some fields: somebody has overwritten it there."""
    mine = known_system(tx, row.system)
    assert mine is not None, "it has been written to"
    values = {name: value for name, value in row.values.items() if name not in without}
    return _insert(tx, mine, row, "owed", packed(values), now, code=RESTORED, uncertain=True)


def restore(tx: Connection, row_id: int, now: dt.datetime) -> bool:
    """Owes again what a person has undone, whole; what waits for the same target gives way. False where the number is
    not one of something undone."""
    o = outbox.c
    found = tx.execute(
        select(outbox).where(o.id == row_id, o.state.in_(_STATES), o.code.like(f"{UNDONE}%"))
    ).one_or_none()
    if found is None:
        return False
    row = row_of(found, system_names(tx))
    withdraw_begun(tx, _tasks(tx, [row_id]), now)
    waiting = outbox.update().where(
        o.system == found.system, o.kind == row.kind, o.target == row.target, o.state.in_(("owed", "parked", *_STATES))
    )
    tx.execute(waiting.values(state="superseded", settled_at=now))
    _insert(tx, found.system, row, "owed", packed(row.values), now, code=RESTORED, uncertain=True)
    return True


def _insert(tx: Connection, system: int, row: OutboxRow, state: str, values: str, now: dt.datetime, **more: Any) -> int:
    made = outbox.insert().values(
        {
            "system": system,
            "kind": row.kind,
            "target": row.target,
            "key": row.key,
            "values": values,
            "digest": row.digest,
            "customer": row.customer,
            "state": state,
            "owed_at": now,
            **more,
        }
    )
    return int(tx.execute(made.returning(outbox.c.id)).scalar_one())
