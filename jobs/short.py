"""The short round: what moves holds is looked at every minute and whenever something waits, and what follows is written.

It reads only what a system can be asked for changes of, and of everything else it does only what is needed: a round that
finds nothing writes nothing. The whole job and the night do the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from connector.clock import Clock
from connector.config import Config
from connector.connect import Connected
from connector.policy import Policy
from connector.store.attention import waiting
from connector.store.db import Store
from connector.store.leases import Fenced
from jobs.evaluate import evaluate
from jobs.link import link
from jobs.mailing import notify
from jobs.night import connected_systems
from jobs.policy import in_force
from jobs.progress import Progress, silent
from jobs.pull import pull
from jobs.push import push
from jobs.run import Run

# What a hold is decided from.
_FACTS = {"customer", "limit", "document", "instalment", "payment", "application", "order", "order_line"}


def quick_streams(connected: Connected) -> list[str]:
    """The streams of a system that move holds and can be asked for changes only; what is to be read whole each time
    waits for the whole job."""
    read = set(connected.mapping.streams())
    return [s.name for s in connected.adapter.streams if s.incremental and s.name in read and _FACTS & set(s.facts)]


def short_round(
    store: Store,
    config: Config,
    policy: Policy | None,
    clock: Clock,
    *,
    reads: bool = True,
    pulls: Mapping[str, Collection[str] | None] | None = None,
    besides: Collection[str] = (),
    systems: Sequence[Connected] = (),
    progress: Progress = silent,
    told: Callable[[Run], None] = lambda run: None,
) -> list[Run]:
    """Reads what has changed (`reads`), judges who is marked, writes what is due. Gives the runs that did anything.

    `pulls` names the systems that are read, and of each the streams (None: all that move holds); else all are. Nothing is
    written to the systems named by `besides`."""
    systems = systems or connected_systems(config, clock, store=store)
    done: list[Run] = []

    def tell(run: Run) -> None:
        if not run.partial or run.found or run.problems or run.failed:
            done.append(run)
            told(run)
        if isinstance(store, Fenced):
            store.prove()

    if reads:
        others = False
        for connected in [c for c in systems if pulls is None or c.name in pulls]:
            if streams := (pulls or {}).get(connected.name) or quick_streams(connected):
                run = pull(store, connected, streams=streams, progress=progress)
                tell(run)
                others = others or any(run.streams[s.name] for s in connected.adapter.streams if "customer" in s.facts)
        if others:
            tell(link(store, config, clock, progress))
    with store.reading() as tx:
        marked = waiting(tx, clock.now()).marks
        policy = policy or in_force(tx, config)
    if marked:
        tell(evaluate(store, config, policy, clock, systems=systems, progress=progress))
    for run in notify(store, config, policy, clock, systems=systems):
        tell(run)
    with store.reading() as tx:
        writes = waiting(tx, clock.now()).writes
    for connected in systems:
        if (
            connected.name in writes - set(besides)
            and connected.adapter.channels
            and config.writes_to(connected.system)
        ):
            tell(push(store, connected, progress=progress))
    return done
