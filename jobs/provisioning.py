"""Provisioning: the fields and rules of ours that a system lacks, looked at or made; what was made is in the trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from connector.adapter import Finding
from connector.connect import Connected
from connector.credit.authority import Person
from connector.store import audit
from connector.store.audit import Entry
from connector.store.db import Store
from connector.text import Text
from jobs.administrator import demand_administrator


def lacking(connected: Connected) -> Sequence[Finding]:
    """What would be made, what is there, and what a person has to do; nothing is written. Raises what the system raises."""
    if connected.adapter.provision is None:
        return [Finding("fine", _NOTHING)]
    return connected.adapter.provision(connected.client, connected.needs(), True)


def provision(store: Store, connected: Connected, *, person: Person, now: dt.datetime) -> Sequence[Finding]:
    """Makes what is lacking, and says what became of each. NotAllowed for who is no administrator."""
    demand_administrator(person)
    if connected.adapter.provision is None:
        return [Finding("fine", _NOTHING)]
    found = connected.adapter.provision(connected.client, connected.needs(), False)
    made = [f.what.en for f in found if f.state == "made"]
    if made:
        after = {"made": made[:100]}
        with store.writing() as tx:
            audit.append(tx, [Entry("system.provision", f"system:{connected.name}", person.actor, after=after)], now)
    return found


_NOTHING = Text("Nothing of ours is needed there.", "无需在该系统中创建任何内容。")

__all__ = ["lacking", "provision"]
