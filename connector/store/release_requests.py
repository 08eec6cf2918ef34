"""Release requests: what people ask for in a field of an order inside their system, and what of it was heeded."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, or_, select

from connector.store.keys import system_names
from connector.store.tables import release_request


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands in the field of one order; `ref` is the order's id in its system, `by` the id there of who asks."""

    id: int
    system: str
    ref: str
    reason: str
    by: str | None


def _new() -> object:
    r = release_request.c
    return or_(r.heeded.is_(None), r.heeded != r.reason)


def waits(tx: Connection) -> bool:
    """Whether anybody asks for what was not heeded yet."""
    return bool(tx.execute(select(exists().where(_new()))).scalar())  # type: ignore[arg-type]


def waiting(tx: Connection) -> list[Wanted]:
    """What was not heeded yet, the oldest first."""
    names = system_names(tx)
    asked = select(release_request).where(_new()).order_by(release_request.c.id)  # type: ignore[arg-type]
    return [Wanted(row.id, names[row.system], row.ref, row.reason, row.by) for row in tx.execute(asked)]


def heed(tx: Connection, one: Wanted) -> None:
    """Notes that this was heeded: the same words are no new request as long as they stand there."""
    asked = release_request.update().where(release_request.c.id == one.id, release_request.c.reason == one.reason)
    tx.execute(asked.values(heeded=one.reason))
