"""Limitation: until when a debt can be sued for, and what makes the time run anew (民法典 arts. 188, 189, 195; domain 11).

Three years from the due date, for one debt in instalments from the due date of the last; a demand that has verifiably
reached the debtor, an acknowledgement, a promise or part payment (they acknowledge the debt), or a suit makes it run
anew from its day. What happens after the time is over is left out: only the debtor's own will could mend that. This is
a calendar, not legal advice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from connector.credit.terms import months_later

YEARS = 3
How = Literal["demand", "acknowledgement", "promise", "part_payment", "suit"]


@dataclass(frozen=True, slots=True)
class Restart:
    """Something that may make the time run anew. A demand counts from the day on which it was delivered, and only with
    proof of that; the others are the debtor's or the court's own acts."""

    on: dt.date
    how: How
    proof: bool = True

    @property
    def counts(self) -> bool:
        return self.proof or self.how != "demand"


def limitation_ends(due_on: dt.date, restarts: Iterable[Restart] = (), years: int = YEARS) -> dt.date:
    """The last day on which the debt can be sued for. `due_on` is that of the last instalment of one debt (art. 189)."""
    ends = months_later(due_on, 12 * years)
    for restart in sorted((r for r in restarts if r.counts), key=lambda r: r.on):
        if restart.on <= ends:
            ends = max(ends, months_later(restart.on, 12 * years))
    return ends
