"""Reading ahead: customers are judged before anybody asks of them, so that the first check of each is as quick as the next."""

from __future__ import annotations

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.policy import Policy
from jobs.check_bench import Bench
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
                kept.add(bench, clock.now())
            return len(debtors)
    except BaseException:
        kept.clear()
        raise
