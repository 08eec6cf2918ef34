"""Trying a policy: what it would conclude of every customer today, beside what the policy in force concludes.

Nothing is written. Both judge the same facts in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.clock import Clock
from connector.config import Config
from connector.credit.warn import RANK
from connector.policy import Policy
from connector.store import Connection
from jobs.frame import frame
from jobs.judge import Judged, judge
from jobs.progress import Progress, silent

_TOLD_EVERY = 500


class Pair(NamedTuple):
    """One customer under both policies."""

    before: Judged
    after: Judged

    @property
    def differs(self) -> bool:
        """Whether anything that is acted on is another: hold, level, the rules, the orders held, what is available."""
        return _concluded(self.before) != _concluded(self.after)

    @property
    def weight(self) -> tuple[int, int]:
        """How much it matters: holds before levels, levels before the rest."""
        a, b = self.before.decision, self.after.decision
        return int(a.hold != b.hold), abs(RANK[a.level] - RANK[b.level])


def _concluded(judged: Judged) -> tuple[object, ...]:
    decision = judged.decision
    return (
        decision.hold,
        decision.level,
        [reason.rule for reason in decision.reasons],
        [(row.ref, checked.hold) for row, checked in judged.orders],
        judged.position.limit_amount,
        decision.available,
    )


@dataclass
class Trial:
    """What came out. `before` and `after` count customers (and orders) by what was concluded; `turned` counts customers
    by how they changed (`held`, `freed`, `worse`, `better`); `changed` are those, the weightiest first."""

    as_of: dt.date
    customers: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    turned: Counter[str] = field(default_factory=Counter)
    changed: list[Pair] = field(default_factory=list)


def tried(
    tx: Connection,
    config: Config,
    old: Policy,
    new: Policy,
    clock: Clock,
    as_of: dt.date,
    progress: Progress = silent,
) -> Trial:
    """The decisions of all customers on a day under two policies."""
    sides = [frame(tx, config, policy, clock, as_of) for policy in (old, new)]
    trial = Trial(as_of)
    for before, after in zip(judge(tx, sides[0]), judge(tx, sides[1]), strict=True):
        pair = Pair(before, after)
        trial.customers += 1
        for counts, judged in ((trial.before, before), (trial.after, after)):
            _count(counts, judged)
        if pair.differs:
            trial.changed.append(pair)
            a, b = before.decision, after.decision
            if a.hold != b.hold:
                trial.turned["held" if b.hold else "freed"] += 1
            if a.level != b.level:
                trial.turned["worse" if RANK[b.level] > RANK[a.level] else "better"] += 1
        if trial.customers % _TOLD_EVERY == 0:
            progress("evaluate", trial.customers, len(sides[0].members))
    trial.changed.sort(key=lambda pair: (*(-w for w in pair.weight), pair.before.debtor))
    return trial


def _count(counts: Counter[str], judged: Judged) -> None:
    decision, limit = judged.decision, judged.position.limit
    counts["held"] += decision.hold
    counts[decision.level] += 1
    counts[f"limit_{limit.kind}"] += 1
    counts["limit_expired"] += limit.expired
    counts["orders_held"] += sum(checked.hold for _, checked in judged.orders)
    for rule in {reason.rule for reason in decision.reasons}:
        counts[f"rule_{rule}"] += 1
