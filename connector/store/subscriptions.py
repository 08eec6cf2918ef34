"""Subscriptions: what systems have promised to call us about, and until when."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.hook import Subscription
from connector.store import bulk
from connector.store.keys import known_system, system_id, system_names
from connector.store.tables_inbox import hook_subscription


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription that we hold. `told` is a hash of the address and token that the system was given for it."""

    system: str
    subscription: Subscription
    made_at: dt.datetime
    renewed_at: dt.datetime | None
    told: str


def held(tx: Connection, system: str | None = None) -> list[Held]:
    """Those of one system, or all."""
    s, names = hook_subscription.c, system_names(tx)
    asked = select(hook_subscription).order_by(s.system, s.id)
    if system is not None:
        asked = asked.where(s.system == known_system(tx, system))
    return [
        Held(
            names[row.system],
            Subscription(row.ref, tuple(json.loads(row.streams)), row.until),
            row.made_at,
            row.renewed_at,
            row.told,
        )
        for row in tx.execute(asked).all()
    ]


def ids(tx: Connection, system: str) -> frozenset[str]:
    """The ids of the subscriptions that we hold in a system."""
    asked = select(hook_subscription.c.ref).where(hook_subscription.c.system == known_system(tx, system))
    return frozenset(tx.execute(asked).scalars())


def keep(tx: Connection, system: str, subscription: Subscription, told: str, now: dt.datetime) -> None:
    """Notes a subscription that was made, or made longer."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    said = {"streams": json.dumps(list(subscription.streams)), "until": subscription.until, "told": told}
    key = {"system": system_id(tx, system), "ref": subscription.id}
    row = make(hook_subscription).values(**key, **said, made_at=now)
    s = hook_subscription.c
    tx.execute(row.on_conflict_do_update(index_elements=[s.system, s.ref], set_={**said, "renewed_at": now}))


def drop(tx: Connection, system: str, refs: Sequence[str]) -> int:
    """Forgets subscriptions that are no more."""
    s = hook_subscription.c
    mine = (s.system == known_system(tx, system), bulk.among(tx, s.ref, list(refs)))
    return tx.execute(hook_subscription.delete().where(*mine)).rowcount
