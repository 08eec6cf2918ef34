"""The collector's work list: whom to ask first, because there it is worth most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.money import EXACT
from connector.policy_dunning import DunningStep

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Work:
    """What a collector has to know of one debtor. Amounts are in the reporting currency, unrounded; `overdue` is all that
    is overdue, `due_now` what of it is neither disputed nor promised. `left_out` are currencies without a rate."""

    debtor: int
    overdue: Decimal
    due_now: Decimal
    disputed: Decimal
    promised: Decimal
    oldest_days: int
    items: int
    level: int
    broken: int
    promise_on: dt.date | None = None
    next_on: dt.date | None = None
    next_step: DunningStep | None = None
    limitation_on: dt.date | None = None
    left_out: tuple[str, ...] = ()

    @property
    def worth(self) -> Decimal:
        """What orders the list: the amount that can be asked for now, once more for each 30 days of the oldest item, all
        of it once more for each promise broken lately. A made-up number: it ranks, it is no money."""
        if self.due_now <= 0:
            return ZERO
        age = 1 + EXACT.divide(Decimal(max(self.oldest_days, 0)), Decimal(30))
        return EXACT.multiply(EXACT.multiply(self.due_now, age), Decimal(1 + self.broken))


def ordered(works: list[Work]) -> list[Work]:
    """Whom to ask first: by worth, then by what is overdue, then by age."""
    return sorted(works, key=lambda w: (-w.worth, -w.overdue, -w.oldest_days, w.debtor))
