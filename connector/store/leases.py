"""Leases: which process may do a job now, and which slots of a schedule have been taken.

A `Fenced` store belongs to who holds a lease: each of its writing transactions proves first that the lease is still his,
so that a process that was thought dead (a sleeping machine, a long pause) cannot write over its successor.

Who is in the middle of a transaction is alive, however long it lasts. On PostgreSQL it locks the key of the lease's row,
as a foreign key does: whoever would take the lease over waits, the holder's beats pass. Where no beat came in time (an
SQLite file has one writer), the transaction extends the lease as it ends, before those who wait look again.

Whose time is over is told by the database's own clock: the clocks of nodes may differ, and one that is ahead must not
take a living node's lease. Where a caller gives a moment (a test, a simulation), that is the time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Unpack

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.clock import Clock, SystemClock
from connector.errors import TransientError
from connector.store import bulk
from connector.store.concerns import Concern
from connector.store.db import How, Store
from connector.store.marks import next_number
from connector.store.tables import lease, slot
from connector.text import Text

# So often a lease is extended within its time.
_BEATS = 4


class LeaseLost(TransientError):
    """Another process has taken the lease meanwhile: whoever meets this stops; what was committed before stays."""

    def __init__(self, job: str) -> None:
        super().__init__(
            Text(
                "Another process has taken over “{job}” meanwhile, so this one stops. What it had done stays done.",
                "“{job}”已由另一进程接管，本进程停止。已完成的部分保留有效。",
            ).fill(job=job)
        )


class Stopped(LeaseLost):
    """This process is to end: as with a lost lease nothing more is begun, and what was committed before stays."""

    def __init__(self, job: str) -> None:
        TransientError.__init__(
            self,
            Text(
                "“{job}” was stopped because the process is to end. What it had done stays done; the next run goes on.",
                "进程即将结束，“{job}”已停止。已完成的部分保留有效，下次运行会继续。",
            ).fill(job=job),
        )


@dataclass(frozen=True)
class Term:
    """For whom a lease is extended, by whose clock, and for how many seconds each time."""

    holder: str
    clock: Clock
    seconds: float

    @property
    def beat_seconds(self) -> float:
        """After so long it is to be extended anew."""
        return self.seconds / _BEATS

    def moment(self) -> dt.datetime | None:
        """A clock that is set by hand is the time itself; else the database's own time is what all nodes agree on."""
        return None if isinstance(self.clock, SystemClock) else self.clock.now()


class Fenced(Store):
    """A store for as long as a lease is held. `plain` is the same one without the fence. `stopping` says that the process
    is to end: then the work ends at its next safe place. Without a `term` nobody extends the lease."""

    def __init__(
        self,
        store: Store,
        job: str,
        slot: str,
        fence: int,
        stopping: Callable[[], bool] = lambda: False,
        term: Term | None = None,
    ) -> None:
        super().__init__(store.engine)
        # One queue of writers for the process, and one way home of the log.
        self._writer, self._homeward = store._writer, store._homeward
        self.plain, self.job, self.slot, self.fence = store, job, slot, fence
        self.lost = False
        self.stopping, self.term = stopping, term
        self._extended_at = term.clock.now() if term is not None else None

    @contextmanager
    def writing(self, **how: Unpack[How]) -> Iterator[Connection]:
        """A transaction that may write, as long as the lease is held. Raises LeaseLost where it is not any more."""
        self._fail_if_lost()
        with super().writing(**how) as tx:
            # Locked, so that nobody takes the lease over before this transaction has ended; who extends it may.
            self.lost = not holds(tx, self.job, self.slot, self.fence, lock=True)
            self._fail_if_lost()
            yield tx
            extended_at = self._extended_by_itself(tx)
        if extended_at is not None:
            self._extended_at = extended_at

    def beat(self) -> bool:
        """Extends the lease from now on, whatever transaction its holder is in; False where another has taken it."""
        assert self.term is not None, "whoever beats knows for how long"
        now = self.term.clock.now()
        with self.plain.writing(concern=Concern()) as tx:
            is_ours = heartbeat(tx, self.job, self.slot, self.term.holder, self.term.moment(), self.term.seconds)
        if is_ours:
            self._extended_at = now
        return is_ours

    def _extended_by_itself(self, tx: Connection) -> dt.datetime | None:
        """A transaction of the holder ends: where a beat is overdue, it is one. When that was, if so."""
        if self.term is None or self._extended_at is None:
            return None
        now = self.term.clock.now()
        # A clock that was set back tells nothing: better once too often.
        if abs((now - self._extended_at).total_seconds()) <= self.term.beat_seconds:
            return None
        # A beat, or another thread of ours, may be extending it just now. Waiting for them behind somebody who waits for
        # this transaction would never end.
        mine = (lease.c.job == self.job, lease.c.slot == self.slot, lease.c.fence == self.fence)
        free = select(lease.c.fence).where(*mine).with_for_update(key_share=True, skip_locked=True)
        if tx.execute(free).scalar() is None:
            return None
        until = _now(tx, self.term.moment()) + dt.timedelta(seconds=self.term.seconds)
        tx.execute(lease.update().where(*mine).values(until=until))
        return now

    def prove(self) -> None:
        """Raises LeaseLost where the lease is not held any more, Stopped where the process is to end."""
        self._fail_if_lost()
        if self.stopping():
            raise Stopped(self.job)
        with self.reading() as tx:
            self.lost = not holds(tx, self.job, self.slot, self.fence)
        self._fail_if_lost()

    def _fail_if_lost(self) -> None:
        if self.lost:
            raise LeaseLost(self.job)


def safe_place(store: Store) -> None:
    """A place between two transactions where a job may end and nothing is half done. Raises Stopped where it is to."""
    if isinstance(store, Fenced) and store.stopping():
        raise Stopped(store.job)


def _now(tx: Connection, now: dt.datetime | None) -> dt.datetime:
    """The given moment, else the database's own time: SQLite's is that of this machine, as all its users are."""
    if now is not None:
        return now
    if bulk.is_sqlite(tx):
        return dt.datetime.now(dt.UTC)
    moment: dt.datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(dt.UTC)


def acquire(
    tx: Connection,
    job: str,
    slot: str,
    holder: str,
    now: dt.datetime | None,
    seconds: float,
    *,
    is_dead: Callable[[str], bool] = lambda holder: False,
) -> int | None:
    """Takes the lease of a job's slot for so long; gives its fencing number, higher than any before.

    None where another holds it, unless that one's time is over or it is known to be dead. `now` None: the database's
    own time.
    """
    # One row of a table that only grows serialises everybody who tries: two can never both find the lease free.
    fence = next_number(tx, "fence")
    mine = (lease.c.job == job, lease.c.slot == slot)
    asked = select(lease.c.holder, lease.c.until).where(*mine)

    def is_free(row: Any) -> bool:
        return row is None or row.holder == holder or row.until <= _now(tx, now) or is_dead(row.holder)

    row = tx.execute(asked).one_or_none()
    if is_free(row):
        # Looked at again once a transaction of the holder has ended: it may have been extended meanwhile.
        row = tx.execute(asked.with_for_update()).one_or_none()
    if not is_free(row):
        return None
    values = {"holder": holder, "until": _now(tx, now) + dt.timedelta(seconds=seconds), "fence": fence}
    if row:
        tx.execute(lease.update().where(*mine).values(**values))
    else:
        tx.execute(lease.insert().values(job=job, slot=slot, **values))
    return fence


def heartbeat(tx: Connection, job: str, slot: str, holder: str, now: dt.datetime | None, seconds: float) -> bool:
    """Extends a lease; False where another has taken it meanwhile: stop then. `now` None: the database's own time."""
    mine = (lease.c.job == job, lease.c.slot == slot, lease.c.holder == holder)
    # Not the key, which the holder's own transactions keep. Whoever else keeps the row: the time counts when he has ended.
    tx.execute(select(lease.c.fence).where(*mine).with_for_update(key_share=True))
    until = _now(tx, now) + dt.timedelta(seconds=seconds)
    return tx.execute(lease.update().where(*mine).values(until=until)).rowcount > 0


def is_held(
    tx: Connection, job: str, slot: str, now: dt.datetime | None, is_dead: Callable[[str], bool] = lambda holder: False
) -> bool:
    """Whether somebody who is not dead holds a lease now: a look that writes nothing, for those who ask often."""
    row = tx.execute(
        select(lease.c.holder, lease.c.until).where(lease.c.job == job, lease.c.slot == slot)
    ).one_or_none()
    return row is not None and row.until > _now(tx, now) and not is_dead(row.holder)


def holds(tx: Connection, job: str, slot: str, fence: int, *, lock: bool = False) -> bool:
    """Whether this fencing number is still the newest: checked in the transaction that must not be overtaken. `lock`:
    and nobody takes the lease over before that transaction ends, though it may be extended."""
    asked = select(lease.c.fence).where(lease.c.job == job, lease.c.slot == slot)
    return tx.execute(asked.with_for_update(read=True, key_share=True) if lock else asked).scalar() == fence


def release(tx: Connection, job: str, slot: str, holder: str) -> None:
    """Gives a lease back."""
    tx.execute(lease.delete().where(lease.c.job == job, lease.c.slot == slot, lease.c.holder == holder))


def claim_slot(
    tx: Connection,
    job: str,
    time: str,
    holder: str,
    now: dt.datetime,
    *,
    is_dead: Callable[[str], bool] = lambda holder: False,
) -> bool:
    """Takes one slot of a schedule; False where it is finished, or somebody who is not dead has taken it before.

    Whoever claims slots only under a lease knows that all who did so before are dead or stopped.
    """
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    row = make(slot).values(job=job, time=time, holder=holder, claimed_at=now).on_conflict_do_nothing()
    if tx.execute(row.returning(slot.c.job)).scalar() is not None:
        return True
    mine = (slot.c.job == job, slot.c.time == time)
    before = tx.execute(select(slot.c.holder).where(*mine).with_for_update()).scalar()
    if not before or not is_dead(before):
        return False
    tx.execute(slot.update().where(*mine).values(holder=holder, claimed_at=now))
    return True


def finish_slot(tx: Connection, job: str, time: str) -> None:
    """The slot's work is done: nobody holds it any more, and nobody takes it again."""
    tx.execute(slot.update().where(slot.c.job == job, slot.c.time == time).values(holder=""))


def is_finished(tx: Connection, job: str, time: str) -> bool:
    """Whether a slot's work is done."""
    return tx.execute(select(slot.c.holder).where(slot.c.job == job, slot.c.time == time)).scalar() == ""


@dataclass(frozen=True, slots=True)
class TakenSlot:
    """A slot that somebody took. `holder` is empty once its work is done."""

    job: str
    time: str
    holder: str
    claimed_at: dt.datetime


def newest_slots(tx: Connection) -> dict[str, TakenSlot]:
    """Of each job the slot that was taken last."""
    newest = select(slot.c.job, func.max(slot.c.claimed_at).label("at")).group_by(slot.c.job).subquery()
    asked = select(slot).join(newest, (slot.c.job == newest.c.job) & (slot.c.claimed_at == newest.c.at))
    rows = tx.execute(asked.order_by(slot.c.time)).all()
    return {row.job: TakenSlot(row.job, row.time, row.holder, row.claimed_at) for row in rows}


def newest_slot(tx: Connection, job: str) -> str | None:
    """The latest slot of a job that anybody took."""
    return tx.execute(select(func.max(slot.c.time)).where(slot.c.job == job)).scalar()


def holder_of(tx: Connection, job: str, time: str = "") -> tuple[str, dt.datetime] | None:
    """Who holds the lease of a job, and until when if it is not extended."""
    row = tx.execute(
        select(lease.c.holder, lease.c.until).where(lease.c.job == job, lease.c.slot == time)
    ).one_or_none()
    return None if row is None else (row.holder, row.until)


def is_unfinished(tx: Connection, job: str, time: str) -> bool:
    """Whether a slot was taken and not finished: somebody is at work on it, or was stopped."""
    return bool(tx.execute(select(slot.c.holder).where(slot.c.job == job, slot.c.time == time)).scalar())


def forget_slots(tx: Connection, before: dt.datetime, job: str | None = None) -> int:
    """Deletes slots taken before a moment, of one job or of all."""
    asked = slot.delete().where(slot.c.claimed_at < before)
    return tx.execute(asked if job is None else asked.where(slot.c.job == job)).rowcount
