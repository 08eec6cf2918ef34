"""How each system stands, as the database knows it: its newest reading, its streams, its open problems, what it is owed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from connector.store import bulk
from connector.store.keys import system_names
from connector.store.runs import RunRow, runs
from connector.store.tables import customer, outbox, problem, stream


@dataclass
class SystemState:
    """One system. `read`: by stream, when its last page came and when it was read to its end. `pulled` is the newest
    reading, `owed` how many writes wait to be sent there."""

    read: dict[str, tuple[dt.datetime | None, dt.datetime | None]] = field(default_factory=dict)
    problems: int = 0
    pulled: RunRow | None = None
    customers: int = 0
    owed: int = 0

    @property
    def newest(self) -> dt.datetime | None:
        """When it was last heard of."""
        return max((at for at, _ in self.read.values() if at is not None), default=None)


def states(tx: Connection, names: list[str]) -> dict[str, SystemState]:
    """The state of some systems; one that was never heard of has nothing."""
    found: dict[str, SystemState] = defaultdict(SystemState)
    known = system_names(tx)
    for row in tx.execute(select(stream.c.system, stream.c.name, stream.c.read_at, stream.c.complete_at)):
        found[known[row.system]].read[row.name] = (row.read_at, row.complete_at)
    p = problem.c
    wrong = select(p.system, func.count()).where(p.resolved_at.is_(None), p.system.in_(names)).group_by(p.system)
    for name, count in tx.execute(wrong):
        found[name].problems = count
    counted = select(customer.c.system, func.count()).where(customer.c.known.is_(True)).group_by(customer.c.system)
    for key, count in tx.execute(counted):
        found[known[key]].customers = count
    o = outbox.c
    owed = select(o.system, func.count()).where(bulk.one_of(o.state, "owed", "claimed")).group_by(o.system)
    for key, count in tx.execute(owed):
        found[known[key]].owed = count
    for name in names:
        found[name].pulled = next(iter(runs(tx, job="pull", system=name, limit=1)), None)
    return {name: found[name] for name in names}


__all__ = ["SystemState", "states"]
