"""Exclusions: what a person has set aside or forced for an order, a debtor, a segment or everybody; ended, never deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, Select, bindparam, or_, select

from connector.credit.exclusion import Exclusion
from connector.store import bulk, quick
from connector.store.tables import exclusion, utc


@dataclass(slots=True)
class Exclusions:
    """Those in force on a day, by what they are for."""

    everybody: tuple[Exclusion, ...] = ()
    segments: dict[str, tuple[Exclusion, ...]] = field(default_factory=dict)
    debtors: dict[int, tuple[Exclusion, ...]] = field(default_factory=dict)
    orders: dict[int, tuple[Exclusion, ...]] = field(default_factory=dict)

    def of(self, debtor: int, segment: str | None) -> tuple[Exclusion, ...]:
        """Those of one debtor, its segment and everybody."""
        mine = self.debtors.get(debtor, ())
        return (*mine, *(self.segments.get(segment, ()) if segment is not None else ()), *self.everybody)


def in_force(tx: Connection, on: dt.date, debtors: Collection[int] | None = None) -> Exclusions:
    """The exclusions in force on a day: of some debtors (None: of all) and their orders, of segments and everybody."""
    given: dict[str, Any] = {"day": on}
    if debtors is not None:
        given["ids"] = bulk.given(tx, debtors)
    found = Exclusions()
    for row in quick.rows(tx, _in_force(bulk.is_sqlite(tx), debtors is not None), given):
        one = _exclusion(row)
        if one.scope == "all":
            found.everybody += (one,)
        elif one.scope == "segment":
            found.segments[row.segment] = (*found.segments.get(row.segment, ()), one)
        elif one.scope == "customer":
            found.debtors[row.debtor] = (*found.debtors.get(row.debtor, ()), one)
        else:
            found.orders[row.sales_order] = (*found.orders.get(row.sales_order, ()), one)
    return found


@cache
def _in_force(sqlite: bool, some: bool) -> Select[Any]:
    x, day = exclusion.c, bindparam("day", type_=Date)
    asked = (
        select(exclusion)
        .where(
            x.ended_at.is_(None),
            or_(x.valid_from.is_(None), x.valid_from <= day),
            or_(x.valid_to.is_(None), x.valid_to >= day),
        )
        .order_by(x.id)
    )
    return asked.where(or_(x.debtor.is_(None), bulk.among_ids(sqlite, x.debtor))) if some else asked


def add(
    tx: Connection,
    one: Exclusion,
    at: dt.datetime,
    *,
    debtor: int | None = None,
    order: int | None = None,
    segment: str | None = None,
) -> int:
    """Adds an exclusion; its number. `debtor` is given for orders, too: whose they are."""
    made = exclusion.insert().values(
        scope=one.scope,
        debtor=debtor,
        sales_order=order,
        segment=segment,
        effect=one.effect,
        rules=" ".join(sorted(one.rules)),
        note=one.note,
        by=one.by,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        made_at=at,
    )
    return int(tx.execute(made.returning(exclusion.c.id)).scalar_one())


def same(
    tx: Connection,
    one: Exclusion,
    *,
    on: dt.date,
    debtor: int | None = None,
    order: int | None = None,
    segment: str | None = None,
) -> Exclusion | None:
    """One that says the same of the same for all the days of `one`, from `on` on; the oldest, None where there is none."""
    x = exclusion.c
    asked = select(exclusion).where(
        x.ended_at.is_(None),
        x.scope == one.scope,
        x.effect == one.effect,
        x.debtor.is_not_distinct_from(debtor),
        x.sales_order.is_not_distinct_from(order),
        x.segment.is_not_distinct_from(segment),
    )
    for found in map(_exclusion, tx.execute(asked.order_by(x.id))):
        # Without rules it speaks of all of them.
        covers = not found.rules or (bool(one.rules) and one.rules <= found.rules)
        begins = found.valid_from is None or found.valid_from <= max(one.valid_from or on, on)
        ends = found.valid_to is None or (one.valid_to is not None and found.valid_to >= one.valid_to)
        if covers and begins and ends:
            return found
    return None


def end(tx: Connection, number: int, by: str, at: dt.datetime) -> bool:
    """Ends an exclusion; False where there is none of this number that has not ended."""
    asked = exclusion.update().where(exclusion.c.id == number, exclusion.c.ended_at.is_(None))
    return tx.execute(asked.values(ended_at=utc(at), ended_by=by)).rowcount > 0


def changed_debtors(tx: Connection, after: dt.date, until: dt.date) -> set[int]:
    """The debtors for whom an exclusion begins or ends by its days in (`after`, `until`]."""
    x = exclusion.c
    day = dt.timedelta(days=1)
    turned = or_(
        (x.valid_from > after) & (x.valid_from <= until),
        (x.valid_to > after - day) & (x.valid_to <= until - day),
    )
    asked = select(x.debtor).where(x.debtor.is_not(None), x.ended_at.is_(None), turned)
    return set(tx.execute(asked).scalars())


def turned_for_all(tx: Connection, after: dt.date, until: dt.date) -> bool:
    """Whether one of a segment or of everybody begins or ends by its days in (`after`, `until`]."""
    x = exclusion.c
    day = dt.timedelta(days=1)
    turned = or_(
        (x.valid_from > after) & (x.valid_from <= until),
        (x.valid_to > after - day) & (x.valid_to <= until - day),
    )
    return tx.execute(select(x.id).where(x.debtor.is_(None), x.ended_at.is_(None), turned).limit(1)).first() is not None


def listing(tx: Connection, *, ended: bool = False) -> list[tuple[Exclusion, Any]]:
    """All exclusions, newest first, each with its row (`debtor`, `sales_order`, `segment`, `made_at`, `ended_at`)."""
    asked = select(exclusion).order_by(exclusion.c.id.desc())
    if not ended:
        asked = asked.where(exclusion.c.ended_at.is_(None))
    return [(_exclusion(row), row) for row in tx.execute(asked)]


def _exclusion(row: Any) -> Exclusion:
    rules = frozenset(row.rules.split()) if row.rules else frozenset()
    return Exclusion(row.id, row.scope, row.effect, rules, row.note, row.by, row.valid_from, row.valid_to)
