"""Reading ahead: customers are judged before anybody asks of them, so that the first check of each is as quick as the next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.errors import HoldfastError
from connector.policy import Policy
from connector.store import Connection
from jobs.check_asked import Asked
from jobs.check_bench import Bench
from jobs.check_find import Finder
from jobs.check_kept import Kept, PolicyOf
from jobs.unhurried import unhurried


def read_ahead(config: Config, policy: Policy | PolicyOf, clock: Clock, kept: Kept, count: int) -> int:
    """Reads so many customers, and what they owe; says how many, 0 where none is left.

    By whoever would check orders with `kept`, between two rounds. It waits for nobody.
    """
    if kept.seat is None:
        return 0
    clock = stopped(clock)
    today = day_in(clock.now(), config.business.time_zone)
    try:
        with unhurried(), kept.seat.reading() as tx:
            in_force = kept.look(tx, config, policy, clock, today)
            debtors = kept.next_ahead(tx, config, count)
            if debtors:
                bench = Bench(tx, config, in_force, clock, today, debtors, kept.ground)
                bench.owed(tx, list(bench.judged))
                bench.make_ready()
                kept.add(bench, clock.now())
                _call(tx, config, kept, [row.ref for row in bench.base.rows.values()])
            return len(debtors)
    except BaseException:
        kept.clear()
        raise


def _call(tx: Connection, config: Config, kept: Kept, refs: Sequence[str]) -> None:
    """Looks up who is meant by the ids that these have in the ledger."""
    words = [Asked(ref, None) for ref in refs if ref not in kept.whose]
    finder = Finder(tx, config, words)
    for one in words:
        with suppress(HoldfastError):  # two have it: whoever asks is told
            kept.whose[one.customer] = finder.whose(one.customer)
