"""Reservations: credit kept for a bounded time for an order that is not in the store yet.

One counts until it expires, is returned, or the order that it names arrives: from then on the order itself counts. They
are made under the lock of the customer's debtor (`order_credit.lock`), so that two never take the same credit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, or_, select

from connector.store import bulk, concerns, quick
from connector.store.tables import link, reservation, sales_order, utc
from connector.store.tables_kinds import Instant

Ended = Literal["returned", "arrived", "expired"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Credit kept for one order. `total` is gross, in its own `currency`; `ref` is the id or number of the order to come.
    `by` is who asked, as the audit trail names him. `ended`: why it counts no more."""

    id: int
    customer: int
    ref: str | None
    total: Decimal
    currency: str
    terms: str | None
    ship_on: dt.date | None
    by: str
    made_on: dt.date
    made_at: dt.datetime
    valid_until: dt.datetime
    ended: Ended | None = None


_COLUMNS = (
    "id", "customer", "ref", "total", "currency", "terms", "ship_on", "by", "made_on", "made_at", "valid_until",
)  # fmt: skip


def standing(
    tx: Connection, now: dt.datetime, debtors: Collection[int] | None = None
) -> Mapping[int, Sequence[Reservation]]:
    """The reservations of some debtors (None: of all) that count at a moment, by debtor, oldest first."""
    given: dict[str, Any] = {"now": now}
    if debtors is not None:
        given["ids"] = bulk.given(tx, debtors)
    rows = quick.rows(tx, _standing(bulk.is_sqlite(tx), debtors is not None), given)
    if not rows:
        return _NONE
    found: dict[int, list[Reservation]] = {}
    for debtor, *row in rows:
        found.setdefault(debtor, []).append(Reservation(*row))
    return found


_NONE: Mapping[int, Sequence[Reservation]] = {}


@cache
def _standing(sqlite: bool, some: bool) -> Select[Any]:
    r = reservation.c
    asked = (
        select(link.c.debtor, *(r[name] for name in _COLUMNS))
        .join_from(reservation, link, link.c.customer == r.customer)
        .where(r.ended_at.is_(None), r.valid_until > bindparam("now", type_=Instant), or_(r.ref.is_(None), ~_arrived()))
        .order_by(r.id)
    )
    return asked.where(bulk.among_ids(sqlite, link.c.debtor)) if some else asked


def _arrived() -> Any:
    """Whether the order is there, whatever has become of it; a quote is none yet."""
    r, o = reservation.c, sales_order.c
    mine, its = link.alias("mine"), link.alias("its")
    there = (
        select(o.id)
        .select_from(mine)
        .join(its, its.c.debtor == mine.c.debtor)
        .join(sales_order, o.customer == its.c.customer)
    )
    named = or_(o.ref == r.ref, o.number == r.ref, o.reference == r.ref)
    return there.where(mine.c.customer == r.customer, named, o.status != bulk.word("draft")).exists()


def keep(tx: Connection, made: Sequence[Reservation]) -> list[int]:
    """Keeps reservations; gives their numbers. The number that one has is ignored."""
    if not made:
        return []
    ids = list(bulk.new_ids(tx, reservation, len(made)))
    rows = [
        (
            number,
            one.customer,
            one.ref,
            f"{one.total:f}",
            one.currency,
            one.terms,
            one.ship_on,
            one.by,
            one.made_on,
            utc(one.made_at),
            utc(one.valid_until),
        )
        for number, one in zip(ids, made, strict=True)
    ]
    bulk.insert(tx, reservation, _COLUMNS, rows)
    concerns.of_this(tx).customers.update([one.customer for one in made])
    return ids


def find(tx: Connection, number: int) -> Reservation | None:
    """One reservation, whatever has become of it."""
    row = tx.execute(select(reservation).where(reservation.c.id == number)).one_or_none()
    return None if row is None else Reservation(*(getattr(row, name) for name in (*_COLUMNS, "ended")))


def end(tx: Connection, number: int, why: Ended, by: str, at: dt.datetime) -> bool:
    """Ends a reservation; False where it has ended already."""
    r = reservation.c
    over = reservation.update().where(r.id == number, r.ended_at.is_(None))
    return tx.execute(over.values(ended_at=at, ended=why, ended_by=by)).rowcount > 0


def over(tx: Connection, now: dt.datetime) -> bool:
    """Whether there is one that counts no more and has not been put to its end."""
    r = reservation.c
    asked = select(r.id).where(r.ended_at.is_(None), or_(r.valid_until <= now, r.ref.is_not(None) & _arrived()))
    return tx.execute(asked.limit(1)).first() is not None


def lapse(tx: Connection, now: dt.datetime, by: str) -> list[int]:
    """Puts those that expired, or whose order has arrived, to their end; gives the customers whose credit is free again."""
    r = reservation.c
    standing = r.ended_at.is_(None)
    come = (
        reservation.update()
        .where(standing, r.ref.is_not(None) & _arrived())
        .values(ended_at=now, ended="arrived", ended_by=by)
    )
    concerns.of_this(tx).customers.update(set(tx.execute(come.returning(r.customer)).scalars()))
    gone = reservation.update().where(standing, r.valid_until <= now).values(ended_at=now, ended="expired", ended_by=by)
    return sorted(set(tx.execute(gone.returning(r.customer)).scalars()))
