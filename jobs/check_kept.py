"""What the order checks of one process keep from one round to the next: customers that were looked up and judged.

A kept customer is judged as one that is read anew. It is forgotten when anybody commits what concerns it, or does not say
whom it concerns (`connector.store.standstill`); everybody is when the day, the configuration, the files that it names, the
policy, a rate or the age of the data is another. Whoever has time reads ahead: everybody once, and later who was forgotten.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from connector.clock import Clock
from connector.config import Config
from connector.policy import Policy
from connector.store import Connection, customers
from connector.store.asked import Whose
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.standstill import Standstill
from jobs.check_bench import Bench
from jobs.frame import Ground, ground

PolicyOf = Callable[[Connection], Policy]
MOST = 20_000
_WORDS_MOST = 40_000


class Kept:
    """`seat` is the store through which the rounds come; None: there is one round only, and nothing is kept.

    At `most` so many debtors are kept, some 12 KB each; those that were read together go together, whose turn was longest
    ago.
    """

    def __init__(self, seat: Store | None = None, most: int = MOST) -> None:
        self.seat, self.most = seat, most
        self._still = Standstill()
        self._terms: tuple[object, ...] | None = None
        # Whom to read ahead: at first everybody. Whom anybody has asked of; whose turn was longest ago stands first.
        self._ahead: dict[int, None] | None = None
        self._asked: dict[int, None] = {}
        self.clear()

    def clear(self) -> None:
        """Forgets everything but whom anybody has asked of."""
        if self._ahead is not None:
            self._ahead = dict.fromkeys(self._asked) | self._ahead
        self.whose: dict[str, Whose] = {}
        self.ground: Ground | None = None
        self._policy: Policy | None = None
        self._since: dt.datetime | None = None
        self._until: dt.datetime | None = None
        self._benches: dict[int, Bench] = {}
        self._debtor_of: dict[int, int] = {}
        # How many of those who were judged together are still kept; whose turn was longest ago stands first.
        self._used: dict[Bench, int] = {}
        self._count = 0

    def look(self, tx: Connection, config: Config, policy: Policy | PolicyOf, clock: Clock, today: dt.date) -> Policy:
        """Forgets what may not hold any more; gives the policy. Before anything else of a transaction is read, and once
        more after it has waited for a lock."""
        given = None if callable(policy) else policy
        if self.seat is not None:
            terms = (config, given, today, _files(config))
            alike = self._terms is not None and all(a is b or a == b for a, b in zip(terms, self._terms, strict=True))
            self._terms = terms
            happened, whom = self._still.news(tx)
            if whom is None or not alike or not self._in_time(clock.now()):
                self.clear()
            elif happened:
                self._hear(tx, config, clock, today, whom)
        if self._policy is None:
            self._policy = policy(tx) if callable(policy) else policy
        return self._policy

    def wrote(self, concern: Concern) -> None:
        """The transaction that looked last has ended, and concerned these."""
        self._still.wrote(concern)

    def _in_time(self, now: dt.datetime) -> bool:
        return (self._since is None or self._since <= now) and (self._until is None or now <= self._until)

    def known(self, debtor: int) -> Bench | None:
        """Where a debtor and its group are judged already."""
        found = self._benches.get(debtor)
        if found is not None:
            self._used[found] = self._used.pop(found)
        self._asked.pop(debtor, None)
        self._asked[debtor] = None
        if len(self._asked) > self.most:
            del self._asked[next(iter(self._asked))]
        return found

    def next_ahead(self, tx: Connection, config: Config, count: int) -> list[int]:
        """So many debtors to be read before anybody asks of them. In a transaction that has looked."""
        if self._ahead is None:
            self._ahead = dict.fromkeys(
                customers.some_debtors(tx, [s.name for s in config.with_role("erp")], self.most)
            )
        found: list[int] = []
        while self._ahead and len(found) < count and self._count + len(found) < self.most:
            debtor = next(iter(self._ahead))
            del self._ahead[debtor]
            if debtor not in self._benches:
                found.append(debtor)
        return found

    def add(self, bench: Bench, now: dt.datetime) -> None:
        """Keeps who was judged together. Whose credit is reserved is not kept: that ends by itself."""
        if self.seat is None or not self.most:
            return
        if self.ground is not None and not self.ground.is_like(bench.ground):
            self._forget(list(self._used))
        self.ground, self._until = bench.ground, bench.ground.fresh_until
        self._since = now if self._since is None else max(now, self._since)
        for debtor in bench.judged:
            if debtor in self._benches:
                self._lose(debtor)
        self._benches.update(dict.fromkeys(bench.judged, bench))
        self._debtor_of.update({key: debtor for debtor, keys in bench.base.members.items() for key in keys})
        self._used[bench] = len(bench.judged)
        self._count += len(bench.judged)
        for debtor in bench.book.reserved:
            self.drop(bench, debtor)
        while self._count > self.most and len(self._used) > 1:
            self._forget([next(iter(self._used))])
        if len(self.whose) > _WORDS_MOST:
            self.whose.clear()

    def drop(self, bench: Bench, debtor: int) -> None:
        """Forgets a debtor and its group."""
        for one in bench.base.family([debtor]):
            self._lose(one)

    def _lose(self, debtor: int) -> None:
        bench = self._benches.pop(debtor, None)
        if bench is None:
            return
        self._count -= 1
        self._used[bench] -= 1
        if 2 * self._used[bench] < len(bench.judged):
            # What is left is not worth the place that the others still take: it is read again.
            left = [one for one in bench.judged if self._benches.get(one) is bench]
            self._forget([bench])
            if self._ahead is not None:
                self._ahead.update(dict.fromkeys(left))

    def _forget(self, benches: Iterable[Bench]) -> None:
        for bench in benches:
            del self._used[bench]
            for debtor in bench.judged:
                if self._benches.get(debtor) is bench:
                    del self._benches[debtor]
                    self._count -= 1

    def _hear(self, tx: Connection, config: Config, clock: Clock, today: dt.date, whom: Concern) -> None:
        """Forgets whom it concerns what others have committed. Another policy, or another mapping, concerns everybody."""
        if whom.ground and self.ground is not None and self._policy is not None:
            fresh = ground(tx, config, self._policy, clock, today, near=True)
            if self.ground.is_like(fresh):
                self.ground = replace(self.ground, fresh_until=fresh.fresh_until)
                self._until = fresh.fresh_until
            else:
                self.clear()
        if whom.names:
            self.whose.clear()
        if self._benches:
            for debtor in self._concerned(tx, config, whom):
                bench = self._benches.get(debtor)
                if bench is not None:
                    self.drop(bench, debtor)
                    if self._ahead is not None:
                        self._ahead[debtor] = None

    def _concerned(self, tx: Connection, config: Config, whom: Concern) -> Collection[int]:
        """The debtors whom it concerns: those whom these customers belong to now, or did, and their groups of now."""
        found = whom.debtors | customers.debtors_of(tx, whom.customers)
        found |= {self._debtor_of[key] for key in whom.customers if key in self._debtor_of}
        if found:
            for _, below, above in customers.relatives(tx, [s.name for s in config.with_role("erp")], found):
                found |= {below, above}
        return found


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
