"""Events of debtors: what happened to a legal person, whichever system said so and under whichever account."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, select

from connector.model import Event
from connector.store import bulk
from connector.store.tables import customer, event, link


def by_debtor(
    tx: Connection, debtors: Collection[int] | None, as_of: dt.date, kinds: Collection[str]
) -> dict[int, list[Event]]:
    """Events of some kinds up to a day, by debtor, oldest first; debtors without any are not there."""
    e = event.c
    asked = (
        select(link.c.debtor, e.ref, customer.c.ref, e.on, e.kind, e.source, e.value, e.text, e.ended_on)
        .join_from(event, link, link.c.customer == e.customer)
        .join(customer, customer.c.id == e.customer)
        .where(e.on <= as_of, e.kind.in_(sorted(kinds)))
        .order_by(e.on, e.id)
    )
    if debtors is not None:
        asked = asked.where(bulk.among(tx, link.c.debtor, debtors))
    found: dict[int, list[Event]] = defaultdict(list)
    for debtor, ref, whose, on, kind, source, value, text, ended_on in tx.execute(asked):
        found[debtor].append(
            Event(id=ref, customer_id=whose, on=on, kind=kind, source=source, value=value, text=text, ended_on=ended_on)
        )
    return dict(found)
