"""What the order checks of one process keep from one round to the next: customers that were looked up and judged.

It counts only as long as nobody else has committed anything at all (`connector.store.standstill`), and as long as the day,
the configuration, the files that it names and the policy are the same: a kept customer is judged as one that is read anew.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Sequence

from connector.config import Config
from connector.policy import Policy
from connector.store import Connection
from connector.store.asked import Whose
from connector.store.db import Store
from connector.store.standstill import Standstill
from jobs.check_bench import Bench
from jobs.frame import Frame

PolicyOf = Callable[[Connection], Policy]
# So many debtors are kept, some 11 KB each; those that were read together go together, whose turn was longest ago.
_MOST = 5_000
_WORDS_MOST = 20_000


class Kept:
    """`seat` is the store through which the rounds come; None: there is one round only, and nothing is kept."""

    def __init__(self, seat: Store | None = None) -> None:
        self.seat = seat
        self._still = Standstill()
        self._ground: tuple[object, ...] | None = None
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self.whose: dict[str, Whose] = {}
        self._policy: Policy | None = None
        self._since: dt.datetime | None = None
        self._until: dt.datetime | None = None
        self._benches: dict[int, Bench] = {}
        self._used: dict[Bench, None] = {}
        self._count = 0

    def look(
        self, tx: Connection, config: Config, policy: Policy | PolicyOf, now: dt.datetime, today: dt.date
    ) -> Policy:
        """Forgets what may not hold any more; gives the policy. Before anything else of a transaction is read, and once
        more after it has waited for a lock."""
        given = None if callable(policy) else policy
        if self.seat is not None:
            ground = (config, given, today, _files(config))
            alike = self._ground is not None and all(
                a is b or a == b for a, b in zip(ground, self._ground, strict=True)
            )
            self._ground = ground
            if not self._still.lasts(tx) or not alike or not self._in_time(now):
                self.clear()
        if self._policy is None:
            self._policy = policy(tx) if callable(policy) else policy
        return self._policy

    def _in_time(self, now: dt.datetime) -> bool:
        return (self._since is None or self._since <= now) and (self._until is None or now <= self._until)

    def known(self, debtor: int) -> Bench | None:
        """Where a debtor and its group are judged already."""
        found = self._benches.get(debtor)
        if found is not None:
            self._used[found] = self._used.pop(found, None)
        return found

    def base(self) -> Frame | None:
        """The frame of one of those who are kept."""
        return next((bench.base for bench in self._used), None)

    def add(self, bench: Bench, now: dt.datetime) -> None:
        """Keeps who was judged together. Whose credit is reserved is not kept: that ends by itself."""
        if self.seat is None:
            return
        self._benches.update(dict.fromkeys(bench.judged, bench))
        for debtor in bench.book.reserved:
            self.drop(bench, debtor)
        self._used[bench] = None
        self._count += len(bench.judged)
        self._since = now if self._since is None else max(now, self._since)
        ends = [at for at in (self._until, bench.base.fresh_until) if at is not None]
        self._until = min(ends, default=None)
        while self._count > _MOST and len(self._used) > 1:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._count -= len(oldest.judged)
            for debtor in oldest.judged:
                if self._benches.get(debtor) is oldest:
                    del self._benches[debtor]
        if len(self.whose) > _WORDS_MOST:
            self.whose.clear()

    def drop(self, bench: Bench, debtor: int) -> None:
        """Forgets a debtor and its group."""
        for one in bench.base.family([debtor]):
            self._benches.pop(one, None)


def _files(config: Config) -> Sequence[object]:
    """The state of the files that say how to judge, which may be changed without the database."""
    named: Iterable[str | None] = (config.policy, *(system.mapping for system in config.systems))
    return [_state(config, name) for name in named if name]


def _state(config: Config, name: str) -> object:
    try:
        found = os.stat(config.path(name))
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
