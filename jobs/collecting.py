"""Collecting: whom a collector asks next, of everybody with something overdue, a page at a time.

The order is the one of the whole work list, from the figures that were decided last; what is shown of the page is asked now.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from connector.clock import Clock, day_in
from connector.config import Config
from connector.policy import Policy
from connector.store import Connection, customer_list, desk_waits, promises
from jobs.customer_board import Home, Line
from jobs.worklist import WorkRow, worklist

Show = Literal["all", "broken", "steps"]
SHOWS: tuple[Show, ...] = get_args(Show)
_BROKEN_DAYS, _STEP_DAYS = 90, 14
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page: its rows in order, how many there are in all, and the totals in the reporting currency."""

    today: dt.date
    currency: str
    rows: list[WorkRow]
    count: int
    overdue: Decimal
    counts: Mapping[Show, int]


def collecting(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    board: Mapping[int, Line],
    *,
    show: Show = "all",
    words: str = "",
    start: int = 0,
    most: int = 25,
) -> Listed:
    """So many from a place on: all with anything overdue, those who broke a promise lately, or those whose step of dunning
    nobody has followed up."""
    today = day_in(clock.now(), config.business.time_zone)
    home = Home(tx, config, policy, today)
    erps = [s.name for s in config.with_role("erp")]
    among = set(customer_list.debtors(tx, erps, words)) if words and erps else None
    late = {d: one for d, one in board.items() if one.overdue > 0 and (among is None or d in among)}
    broken = _broken(tx, policy, today) if late else Counter[int]()
    stepped = {one.debtor for one in desk_waits.steps_to_take(tx, today - dt.timedelta(days=_STEP_DAYS))}
    chosen: dict[Show, list[int]] = {
        "all": list(late),
        "broken": [debtor for debtor in late if broken[debtor]],
        "steps": [debtor for debtor in late if debtor in stepped],
    }
    worth = {debtor: home(late[debtor].overdue, late[debtor].currency) or ZERO for debtor in chosen[show]}

    def matters(debtor: int) -> tuple[Decimal, int]:
        age = 1 + Decimal(late[debtor].late_on(today)) / 30
        return (-worth[debtor] * age * (1 + broken[debtor]), debtor)

    order = sorted(chosen[show], key=matters)[start : start + most]
    found = {row.work.debtor: row for row in worklist(tx, config, policy, clock, today, order)} if order else {}
    return Listed(
        today,
        home.currency,
        [found[debtor] for debtor in order if debtor in found],
        len(chosen[show]),
        sum(worth.values(), ZERO),
        {name: len(some) for name, some in chosen.items()},
    )


def _broken(tx: Connection, policy: Policy, today: dt.date) -> Counter[int]:
    promised = desk_waits.promising(tx)
    if not promised:
        return Counter()
    since, grace = today - dt.timedelta(days=_BROKEN_DAYS), policy.dunning.promise_grace_days
    rows = promises.outcomes(tx, promised, today, grace_days=grace, since=since)
    return Counter(row.debtor for row in rows if not row.kept)
