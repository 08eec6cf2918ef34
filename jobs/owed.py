"""What a conclusion owes the systems: fields, holds, flags of orders, and one task an episode."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from connector.connect import Connected
from connector.store import Connection, customers, outbox
from connector.store.customers import CustomerRow
from connector.store.outbox import Owed
from jobs import words
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.order_flags import WaysOut, order_flags, state
from jobs.pull import context_of


def told_ever(tx: Connection, systems: Sequence[Connected]) -> set[tuple[str, str, str]]:
    """What has ever been told or is about to be, as (system, kind, target): only that can be taken back."""
    return {
        (c.name, kind, target)
        for c in systems
        for kind in ("hold", "order_fields")
        if c.adapter.channel(kind)
        for target in outbox.targets(tx, c.name, kind)
    }


def owed_by(
    base: Frame,
    judged: Judged,
    body: Mapping[str, Any],
    accounts: Sequence[tuple[Connected, CustomerRow]],
    told: Collection[tuple[str, str, str]],
    out: WaysOut,
) -> Iterator[Owed]:
    """Every write that follows from a conclusion; the outbox keeps only what is new."""
    tasked: set[str] = set()
    for connected, row in accounts:
        language = base.config.language_for(connected.system)
        mapping = connected.mapping
        is_crm = "crm" in connected.system.roles
        if is_crm and connected.adapter.channel("customer_fields") and mapping.writes_to("customer_fields"):
            said = words.of_customer(judged, judged.members[0], language)
            yield state(connected, "customer_fields", row.ref, row.key, said)
        # A hold that somebody else set there is not ours to lift.
        ours = judged.decision.hold or (connected.name, "hold", row.ref) in told
        if ours and connected.adapter.channel("hold") and mapping.writes_to("hold"):
            said = words.of_customer(judged, row if row.system in base.systems else judged.members[0], language)
            yield state(connected, "hold", row.ref, row.key, said, judged.decision.reasons)
        episode = _episode(body)
        if (
            episode
            and connected.name not in tasked
            and is_crm
            and connected.adapter.channel("task")
            and mapping.writes_to("task")
        ):
            tasked.add(connected.name)  # one task a system, however many accounts the debtor has there
            first = judged.members[0]
            key = f"{episode[0]}:{first.system}:{first.ref}:{episode[1]}"
            said = words.of_task(judged, row, key, base.as_of, language)
            values, digest = mapping.write("task", said, context=context_of(connected))
            yield Owed(connected.name, "task", row.ref, key, values, digest, row.key)
    by_name = {c.name: c for c, _ in accounts}
    yield from order_flags(base, judged, by_name, lambda at, ref: (at, "order_fields", ref) in told, out)


def told_kinds(connected: Connected) -> list[str]:
    """The kinds of desired state that the accounts of a system are told."""
    return [kind for kind in ("customer_fields", "hold") if connected.adapter.channel(kind)]


def orphaned(
    tx: Connection, base: Frame, systems: Sequence[Connected], strays: Mapping[str, Collection[str]]
) -> Iterator[Owed]:
    """What was told of records that belong to no customer of the ledger any more (`strays` may): the hold is lifted, figures
    cleared.

    An account may lose its customer: a link that is split or no longer true, a customer deleted in the ERP.
    """
    for connected in systems:
        refs = strays.get(connected.name)
        if not refs:
            continue
        told = {kind: outbox.targets(tx, connected.name, kind, refs) for kind in told_kinds(connected)}
        for row in customers.strays(tx, connected.name, base.systems, refs):
            for kind in told if row.known else ():
                if row.ref in told[kind] and connected.mapping.writes_to(kind):
                    yield state(connected, kind, row.ref, row.key, {"hold": False, "as_of": base.as_of})


def _episode(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a task is about and since when: a hold, else a warning of orange or red. One task an episode."""
    if body["held_since"]:
        return "hold", str(body["held_since"])
    if body["warned_since"]:
        return "warning", str(body["warned_since"])
    return None


__all__ = ["orphaned", "owed_by", "told_ever", "told_kinds"]
