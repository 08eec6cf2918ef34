"""Backlog: what waits to be done and how long it has waited, in a few counts for whoever watches the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from connector.store import inbox, subscriptions
from connector.store.tables import order_state, outbox, problem, run


@dataclass(frozen=True, slots=True)
class Backlog:
    """`outbox` counts unsettled writes by state; `owed_since` is when the oldest of them was owed. `orders` counts live
    orders by state. `finished` is when each job last ended well, by name. `hooks` counts events of webhooks that nobody has
    heeded, by system, `hooks_since` is when the oldest came; `promised` is until when each system calls."""

    outbox: Mapping[str, int]
    owed_since: dt.datetime | None
    orders: Mapping[str, int]
    problems: int
    finished: Mapping[str, dt.datetime]
    hooks: Mapping[str, int] = field(default_factory=dict)
    hooks_since: dt.datetime | None = None
    promised: Mapping[str, dt.datetime] = field(default_factory=dict)


def backlog(tx: Connection) -> Backlog:
    """What waits now."""
    waiting = ("owed", "claimed", "parked")
    states = select(outbox.c.state, func.count(), func.min(outbox.c.owed_at)).where(outbox.c.state.in_(waiting))
    rows = tx.execute(states.group_by(outbox.c.state)).all()
    live = select(order_state.c.state, func.count()).where(order_state.c.ended_on.is_(None))
    ended = select(run.c.job, func.max(run.c.finished_at)).where(run.c.state.in_(("done", "problems")))
    told = inbox.unheeded(tx)
    ends: dict[str, dt.datetime] = {}
    for held in subscriptions.held(tx):
        if (until := held.subscription.until) is not None:
            ends[held.system] = min(until, ends.get(held.system, until))
    return Backlog(
        {state: count for state, count, _ in rows},
        min((since for state, _, since in rows if state != "parked" and since is not None), default=None),
        {str(state): int(count) for state, count in tx.execute(live.group_by(order_state.c.state))},
        tx.execute(select(func.count()).select_from(problem).where(problem.c.resolved_at.is_(None))).scalar_one(),
        {job: at for job, at in tx.execute(ended.group_by(run.c.job)) if at is not None},
        {system: many for system, (many, _) in told.items()},
        min((since for _, since in told.values()), default=None),
        ends,
    )
