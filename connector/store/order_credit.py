"""The credit state of orders: the newest of each, and all that happened to it, append-only.

States: `passed`; `held` by rules or by hand; `requested`: held, and a person has asked for a release; `released`: let
through by a person; `refused`: held, and a release was refused; `expired`: held again, its release covers it no more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Select, select

from connector.credit.release import Release
from connector.money import to_minor
from connector.store import bulk, concerns, quick
from connector.store.keys import known_system, system_names
from connector.store.outbox_row import packed, unpacked
from connector.store.tables import debtor, link, notice_due, order_event, order_state, sales_order, utc

State = Literal["passed", "held", "requested", "released", "refused", "expired"]
THROUGH: frozenset[State] = frozenset({"passed", "released"})
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest state of one order. `total` (in `currency`, gross) is what it was last checked with or passed with;
    `point` the check point of that. `rules` are the reasons that applied. `manual` is the note of a hold by hand.
    `ended_on`: it was not open any more on that day."""

    order: int
    debtor: int
    state: State
    since: dt.date
    at: dt.datetime
    point: str
    total: Decimal
    currency: str
    terms: str | None = None
    rules: tuple[str, ...] = ()
    manual: str | None = None
    release: Release | None = None
    ended_on: dt.date | None = None

    @property
    def through(self) -> bool:
        """Whether the order may go on."""
        return self.state in THROUGH


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of an order's history. `what`: passed, held, changed, auto_released, requested, approved, released, refused,
    expired, manual, lifted, reopened, ended, taken_over (from the same order in another system)."""

    order: int
    debtor: int
    on: dt.date
    at: dt.datetime
    what: str
    state: str
    point: str
    actor: str
    why: str = ""
    body: Mapping[str, Any] | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class OrderAt:
    """An order as a system has it now, whatever its status, and whose it is."""

    key: int
    system: str
    ref: str
    number: str | None
    status: str | None
    customer: int | None
    debtor: int | None
    owner: str | None


def lock(tx: Connection, debtors: Collection[int]) -> None:
    """Waits for whoever decides on orders of these debtors or duns them now, and keeps others out until this one ends.

    Always in the order of keys, so that two never wait for each other. (SQLite has one writer anyway.)
    """
    if debtors and not bulk.is_sqlite(tx):
        mine = select(debtor.c.id).where(bulk.among(tx, debtor.c.id, debtors)).order_by(debtor.c.id)
        tx.execute(mine.with_for_update()).all()


# --- states ----------------------------------------------------------------------------------------------------------
def states(tx: Connection, debtors: Collection[int] | None = None, also: Collection[int] = ()) -> dict[int, Standing]:
    """The newest states of the orders of some debtors (None: of all), by the order's key; `also` of these orders, which
    may have belonged to somebody else."""
    if debtors is None:
        return {row.sales_order: _standing(row) for row in tx.execute(select(order_state)).all()}
    of_debtors, of_orders = _states(bulk.is_sqlite(tx))
    found = {row.sales_order: row for row in quick.rows(tx, of_debtors, {"ids": bulk.given(tx, debtors)})}
    others = [key for key in also if key not in found]
    if others:
        given = {"ids": bulk.given(tx, others)}
        found |= {row.sales_order: row for row in quick.rows(tx, of_orders, given)}
    return {key: _standing(row) for key, row in found.items()}


@cache
def _states(sqlite: bool) -> tuple[Select[Any], Select[Any]]:
    """The states of some debtors' orders, and of some orders."""
    s = order_state.c
    every = select(order_state)
    return every.where(bulk.among_ids(sqlite, s.debtor)), every.where(bulk.among_ids(sqlite, s.sales_order))


def due_to_change(tx: Connection, after: dt.date, until: dt.date) -> set[int]:
    """The debtors of whom a release was valid to a day in [`after`, `until`): it is over since."""
    s = order_state.c
    asked = select(s.debtor).where(s.valid_until >= after, s.valid_until < until)
    return set(tx.execute(asked).scalars())


def state(tx: Connection, order: int) -> Standing | None:
    """The newest state of one order; None where it was never checked."""
    row = tx.execute(select(order_state).where(order_state.c.sales_order == order)).one_or_none()
    return None if row is None else _standing(row)


def _standing(row: Any) -> Standing:
    release = None
    if row.released_by is not None:
        release = Release(
            row.released_by,
            row.released_on,
            row.max_total,
            row.currency,
            row.valid_until,
            row.terms,
            bool(row.was_red),
        )
    rules = tuple(row.rules.split()) if row.rules else ()
    return Standing(
        row.sales_order,
        row.debtor,
        row.state,
        row.since,
        row.at,
        row.point,
        row.total,
        row.currency,
        row.terms,
        rules,
        row.manual,
        release,
        row.ended_on,
    )


_COLUMNS = (
    "debtor", "state", "since", "at", "point", "total", "minor", "currency", "terms", "rules", "manual", "released_by",
    "released_on", "max_total", "valid_until", "was_red", "ended_on",
)  # fmt: skip


def keep(tx: Connection, new: Sequence[Standing], changed: Sequence[Standing]) -> None:
    """Keeps states of orders: those that had none, and those that had another."""
    if concerns.is_declared(tx):
        # An order that has another customer now stood in the book of the former one, too.
        concerns.of_this(tx).debtors.update([one.debtor for one in (*new, *changed)])
        if changed:
            given = {"ids": bulk.given(tx, [one.order for one in changed])}
            concerns.of_this(tx).debtors.update(quick.column(tx, _had_by(bulk.is_sqlite(tx)), given))
    bulk.insert(tx, order_state, (*_COLUMNS, "sales_order"), [_row(one) for one in new])
    bulk.update(tx, order_state, _COLUMNS, [_row(one) for one in changed], by=("sales_order",))


@cache
def _had_by(sqlite: bool) -> Select[Any]:
    s = order_state.c
    return select(s.debtor).where(bulk.among_ids(sqlite, s.sales_order))


def _row(one: Standing) -> tuple[Any, ...]:
    release = one.release
    given: tuple[Any, ...] = (None,) * 5
    if release is not None:
        given = (release.by, release.on, f"{release.max_total:f}", release.valid_until, release.was_red)
    return (
        one.debtor,
        one.state,
        one.since,
        utc(one.at),
        one.point,
        f"{one.total:f}",
        max(-_MOST, min(to_minor(one.total, one.currency), _MOST)),
        one.currency,
        one.terms,
        " ".join(one.rules),
        one.manual,
        *given,
        one.ended_on,
        one.order,
    )


# --- what happened ---------------------------------------------------------------------------------------------------
# What people are told of, once it has happened (`connector.store.notices`).
TOLD = frozenset(
    {"held", "expired", "manual", "lifted", "auto_released", "requested", "approved", "released", "refused", "ended"}
)


def append(tx: Connection, lines: Sequence[Happened]) -> None:
    """Appends lines to the history of orders, and notes which of them are to be told."""
    ids = list(bulk.new_ids(tx, order_event, len(lines)))
    due = [(number, one.order) for number, one in zip(ids, lines, strict=True) if one.what in TOLD]
    bulk.insert(tx, notice_due, ("order_event", "sales_order"), due)
    rows = [
        (
            number,
            one.order,
            one.debtor,
            one.on,
            utc(one.at),
            one.what,
            one.state,
            one.point,
            one.actor,
            one.why,
            packed(one.body or {}),
        )
        for number, one in zip(ids, lines, strict=True)
    ]
    columns = ("id", "sales_order", "debtor", "on", "at", "what", "state", "point", "actor", "why", "body")
    bulk.insert(tx, order_event, columns, rows)


def history(
    tx: Connection, *, orders: Collection[int] | None = None, debtors: Collection[int] | None = None
) -> list[Happened]:
    """What happened to some orders, or to all orders of some debtors, oldest first."""
    e = order_event.c
    asked = select(order_event).order_by(e.id)
    if orders is not None:
        asked = asked.where(bulk.among(tx, e.sales_order, orders))
    if debtors is not None:
        asked = asked.where(bulk.among(tx, e.debtor, debtors))
    return [
        Happened(
            row.sales_order,
            row.debtor,
            row.on,
            row.at,
            row.what,
            row.state,
            row.point,
            row.actor,
            row.why,
            unpacked(row.body),
            row.id,
        )
        for row in tx.execute(asked)
    ]


# --- which order is meant --------------------------------------------------------------------------------------------
def find(tx: Connection, wanted: str) -> list[OrderAt]:
    """The orders with this id or number, in any system; `books/SO12` names the system, too. Cancelled ones are among them,
    those that are gone are not."""
    o = sales_order.c
    system, slash, ref = wanted.partition("/")
    where = (o.ref == wanted) | (o.number == wanted)
    known = known_system(tx, system) if slash else None
    if known is not None:
        where = where | ((o.system == known) & ((o.ref == ref) | (o.number == ref)))
    asked = (
        select(o.id, o.system, o.ref, o.number, o.status, o.customer, link.c.debtor, o.owner)
        .select_from(sales_order.outerjoin(link, link.c.customer == o.customer))
        .where(where, o.known.is_(True))
        .order_by(o.id)
    )
    names = system_names(tx)
    return [OrderAt(row[0], names[row[1]], *row[2:]) for row in tx.execute(asked)]


def orders(tx: Connection, keys: Collection[int]) -> dict[int, OrderAt]:
    """Orders by key, whatever has become of them."""
    o = sales_order.c
    asked = (
        select(o.id, o.system, o.ref, o.number, o.status, o.customer, link.c.debtor, o.owner)
        .select_from(sales_order.outerjoin(link, link.c.customer == o.customer))
        .where(bulk.among(tx, o.id, keys))
    )
    names = system_names(tx)
    return {row[0]: OrderAt(row[0], names[row[1]], *row[2:]) for row in tx.execute(asked)}


def twins(tx: Connection, keys: Collection[int]) -> dict[int, list[OrderAt]]:
    """By order, itself and the same order in other systems: of the same debtor, where either knows the other's number."""
    o = sales_order.c
    whose = select(link.c.debtor).join(sales_order, link.c.customer == o.customer).where(bulk.among(tx, o.id, keys))
    asked = (
        select(o.id, o.system, o.ref, o.number, o.status, o.customer, link.c.debtor, o.owner, o.reference)
        .select_from(sales_order.join(link, link.c.customer == o.customer))
        .where(link.c.debtor.in_(whose), o.known.is_(True))
        .order_by(o.id)
    )
    names, wanted = system_names(tx), set(keys)
    mine: list[tuple[OrderAt, set[str]]] = []
    by_name: dict[tuple[int, str], dict[int, OrderAt]] = {}
    for key, system, ref, number, status, customer, debtor_key, owner, reference in tx.execute(asked):
        at = OrderAt(key, names[system], ref, number, status, customer, debtor_key, owner)
        called = {name for name in (number or ref, reference) if name}
        for name in called:
            by_name.setdefault((debtor_key, name), {})[key] = at
        if key in wanted:
            mine.append((at, called))
    return {
        at.key: [
            one
            for _, one in sorted({k: v for name in called for k, v in by_name[at.debtor or 0, name].items()}.items())
        ]
        for at, called in mine
    }
