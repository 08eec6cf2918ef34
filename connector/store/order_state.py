"""The state of orders: which of some are open, done or cancelled, and whose they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from connector.store import bulk
from connector.store.keys import known_system
from connector.store.tables import link, sales_order


@dataclass(frozen=True, slots=True)
class OrderState:
    """One order that the system still has. `debtor` is None where its customer is linked to nobody."""

    ref: str
    number: str | None
    status: str | None
    customer: int | None
    debtor: int | None

    @property
    def is_open(self) -> bool:
        """Whether it may still be stopped: neither delivered in full nor cancelled."""
        return self.status in ("open", "draft")


def order_states(tx: Connection, system: str, refs: Collection[str]) -> list[OrderState]:
    """The state of these orders of a system; those that are gone there are left out."""
    known, o = known_system(tx, system), sales_order.c
    if known is None or not refs:
        return []
    asked = (
        select(o.ref, o.number, o.status, o.customer, link.c.debtor)
        .select_from(sales_order.outerjoin(link, link.c.customer == o.customer))
        .where(o.system == known, o.known.is_(True), bulk.among(tx, o.ref, refs))
        .order_by(o.id)
    )
    return [OrderState(*row) for row in tx.execute(asked)]
