"""Looking at a connected system: whether it can be used, with which rights and fields, how it holds, how it calls us."""

from __future__ import annotations

from collections import Counter

from connector.adapter import Finding
from connector.config import Config
from connector.connect import Connected
from connector.store import audit
from connector.store.audit import Entry
from connector.store.db import Store
from jobs import channels
from jobs.ways import findings


def look(store: Store, config: Config, connected: Connected) -> list[Finding]:
    """What `holdfast check` says of one system; nothing is written there. Raises our own errors where it does not answer."""
    found = list(connected.adapter.check(connected.client, connected.needs()))
    # How orders are held there is a matter of its own, once it can be written there at all.
    if config.writes_to(connected.system) and not any(f.state == "wrong" for f in found):
        found += findings(connected)
    return [*found, *(channels.findings(store, config, connected) if connected.system.hook else ())]


def looked(store: Store, config: Config, connected: Connected, *, by: str) -> list[Finding]:
    """The same for a person, `by` as the audit trail names him, where it leaves that it was looked at and with which outcome:
    so many findings of each kind, or that it did not answer."""
    outcome: dict[str, int] | str = "failed"
    try:
        found = look(store, config, connected)
        outcome = dict(Counter(finding.state for finding in found))
        return found
    finally:
        with store.writing() as tx:
            entry = Entry("system.check", f"system:{connected.name}", by, after={"outcome": outcome})
            audit.append(tx, [entry], connected.clock.now())


__all__ = ["look", "looked"]
