"""Webhooks heeded: a call is proved, stored and answered at once; later the truth is read and the story goes on from there.

`take_in` is what the front door does for each call: one small transaction. `heed` is the job: for all events that are
due it reads the changes of the streams they touch, once however many they are, then goes on as every short round does. Events are marked heeded after that, so that whatever dies on the way is made up for. A webhook that never
came is made up for by the next poll: the cursor is the same.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.clock import Clock
from connector.config import Config, System
from connector.connect import Connected
from connector.hook import Delivery, HookReply, Known, Refused, challenged, heard
from connector.policy import Policy
from connector.store import Connection, inbox, subscriptions
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.text import Text
from jobs.hook_secrets import hook_of, secrets_of
from jobs.night import connected_systems
from jobs.progress import Progress, silent
from jobs.run import Run
from jobs.short import short_round

log = logging.getLogger("holdfast.hooks")


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of one call. `outcome`: `stored`, `repeated` (known already), `silent` (it tells nothing), `challenge`,
    or the code of a refusal. `new` events were not known before."""

    reply: HookReply
    outcome: str
    new: int = 0
    refused: Refused | None = None


def take_in(store: Store, config: Config, clock: Clock, system: System, delivery: Delivery) -> TakenIn:
    """Proves a call and keeps what it tells; whoever gets the answer can rely on it. Raises no error for what was sent.

    ConfigError where the system's webhooks are not set up.
    """
    hook, secrets = hook_of(config, system), secrets_of(config, system)
    now = clock.now()
    with store.reading() as tx:
        known = Known(system.name, secrets, now, subscriptions.ids(tx, system.name))
    asked = challenged(hook, delivery, known)
    if isinstance(asked, HookReply):
        return TakenIn(asked, "challenge")
    if asked is None and delivery.method != "POST":
        asked = Refused(405, "method", Text("A webhook is a POST.", "Webhook 应使用 POST。"))
    found = asked or heard(hook, delivery, known)
    if isinstance(found, Refused):
        return TakenIn(HookReply(found.status), found.code, refused=found)
    if not found.events:
        return TakenIn(found.reply, "silent")
    with store.writing(concern=Concern()) as tx:
        new = inbox.store(tx, system.name, found.events, now)
    return TakenIn(found.reply, "stored" if new else "repeated", new)


# --- heeding -------------------------------------------------------------------------------------------------------------
def pauses(config: Config) -> dict[str, dt.timedelta]:
    """The systems that may call, and how long each is left alone after its events were heeded."""
    return {s.name: dt.timedelta(seconds=s.hook.pause_seconds) for s in config.systems if s.hook is not None}


def pending(tx: Connection, config: Config, now: dt.datetime) -> list[str]:
    """The systems with events to heed now."""
    return inbox.due(tx, now, pauses(config))


def pending_at(tx: Connection, config: Config, now: dt.datetime) -> dt.datetime | None:
    """When `pending` names a system next, as far as is known; None: nothing waits."""
    return inbox.due_at(tx, now, pauses(config))


def heed(
    store: Store,
    config: Config,
    policy: Policy | None,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    progress: Progress = silent,
    told: Callable[[Run], None] = lambda run: None,
) -> list[Run]:
    """Reads what the events that are due say has changed, and goes on from there; nothing where none is due. Gives the
    runs that did anything.

    `systems` are all that are configured (they are written to, too). For whoever holds the lease of `run`: two pulls of
    one stream at a time would only do the work twice.
    """
    with store.writing(concern=Concern()) as tx:
        names = pending(tx, config, clock.now())
        taken = {name: inbox.take(tx, name, clock.now()) for name in names}
    taken = {name: events for name, events in taken.items() if events}
    if not taken:
        return []
    pulls = {name: _streams(events) for name, events in taken.items()}
    log.info("heeding %s", ", ".join(f"{name}: {len(events)}" for name, events in taken.items()))
    chosen = systems or connected_systems(config, clock, store=store)
    runs = short_round(store, config, policy, clock, pulls=pulls, systems=chosen, progress=progress, told=told)
    failed = {run.system for run in runs if run.job == "pull" and run.failed}
    good = {connected.name for connected in chosen} - failed
    read = [event.id for name, events in taken.items() if name in good for event in events]
    with store.writing(concern=Concern()) as tx:
        inbox.heed(tx, read, clock.now())
    return runs


def _streams(events: Sequence[inbox.Kept]) -> tuple[str, ...] | None:
    """The streams that events touch; None: one of them does not say."""
    if any(not event.streams for event in events):
        return None
    return tuple(sorted({stream for event in events for stream in event.streams}))


def forgotten(config: Config, tallies: Mapping[str, inbox.Tally]) -> list[str]:
    """Systems that are not configured to call any more, and whose events nobody will heed."""
    may = pauses(config)
    return sorted(name for name, tally in tallies.items() if tally.unheeded and name not in may)
