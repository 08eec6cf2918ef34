"""Looking at a connected system: whether it can be used, with which rights and fields, how it holds, how it calls us."""

from __future__ import annotations

from connector.adapter import Finding
from connector.config import Config
from connector.connect import Connected
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
