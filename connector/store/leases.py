"""Leases: which process may do a job now, and which slots of a schedule have been taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.store import bulk
from connector.store.marks import next_number
from connector.store.tables import lease, slot


def acquire(
    tx: Connection,
    job: str,
    slot: str,
    holder: str,
    now: dt.datetime,
    seconds: float,
    *,
    is_dead: Callable[[str], bool] = lambda holder: False,
) -> int | None:
    """Takes the lease of a job's slot for so long; gives its fencing number, higher than any before.

    None where another holds it, unless that one's time is over or it is known to be dead.
    """
    # One row of a table that only grows serialises everybody who tries: two can never both find the lease free.
    fence = next_number(tx, "fence")
    mine = (lease.c.job == job, lease.c.slot == slot)
    row = tx.execute(select(lease.c.holder, lease.c.until).where(*mine)).one_or_none()
    if row and row.holder != holder and row.until > now and not is_dead(row.holder):
        return None
    values = {"holder": holder, "until": now + dt.timedelta(seconds=seconds), "fence": fence}
    if row:
        tx.execute(lease.update().where(*mine).values(**values))
    else:
        tx.execute(lease.insert().values(job=job, slot=slot, **values))
    return fence


def heartbeat(tx: Connection, job: str, slot: str, holder: str, now: dt.datetime, seconds: float) -> bool:
    """Extends a lease; False where another has taken it meanwhile: stop then."""
    mine = (lease.c.job == job, lease.c.slot == slot, lease.c.holder == holder)
    return tx.execute(lease.update().where(*mine).values(until=now + dt.timedelta(seconds=seconds))).rowcount > 0


def holds(tx: Connection, job: str, slot: str, fence: int) -> bool:
    """Whether this fencing number is still the newest: checked in the transaction that must not be overtaken."""
    mine = (lease.c.job == job, lease.c.slot == slot)
    return tx.execute(select(lease.c.fence).where(*mine)).scalar() == fence


def release(tx: Connection, job: str, slot: str, holder: str) -> None:
    """Gives a lease back."""
    tx.execute(lease.delete().where(lease.c.job == job, lease.c.slot == slot, lease.c.holder == holder))


def claim_slot(tx: Connection, job: str, time: str, holder: str, now: dt.datetime) -> bool:
    """Takes one slot of a schedule for good; False where anybody has taken it before."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    row = make(slot).values(job=job, time=time, holder=holder, claimed_at=now).on_conflict_do_nothing()
    return tx.execute(row.returning(slot.c.job)).scalar() is not None


def forget_slots(tx: Connection, before: dt.datetime) -> int:
    """Deletes slots taken before a moment."""
    return tx.execute(slot.delete().where(slot.c.claimed_at < before)).rowcount
