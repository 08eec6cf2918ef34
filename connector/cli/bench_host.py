"""The host of a virtual machine: how much of its time it took away while something was measured, as Linux counts it.

What is measured then says more about the neighbours of the machine than about what was measured, the slowest in a hundred
most of all: at 1 % taken they are those that just then had to wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# user, nice, system, idle, iowait, irq, softirq, steal; guests are counted under user.
_COUNTED, _STEAL = 8, 7


class Moment(NamedTuple):
    """What was counted up to now: ticks of all cores, and those that were taken away."""

    ticks: int
    taken: int

    @classmethod
    def now(cls) -> Moment | None:
        """This moment; None where the system does not count it."""
        try:
            words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        except OSError:
            return None
        counted = [int(word) for word in words[:_COUNTED]]
        return cls(sum(counted), counted[_STEAL]) if len(counted) == _COUNTED else None

    def share_since(self, before: Moment) -> float:
        """The share of the time since a moment that was taken away, 0 to 1."""
        return (self.taken - before.taken) / max(1, self.ticks - before.ticks)
