"""Lists of orders by their credit state, a page at a time: for programs by key, for people sorted and searched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Connection, Date, Select, func, literal, or_, select
from sqlalchemy import text as sql

from connector.store import bulk, by_worth
from connector.store.keys import system_names
from connector.store.sorted_pages import Place, paged, said
from connector.store.tables import alert, customer, order_state, sales_order
from connector.store.tables_order import HELD

Sort = Literal["ship", "since", "total", "customer", "order"]
SORTS: tuple[Sort, ...] = get_args(Sort)
_NEVER = dt.date(9999, 12, 31)


class Listed(NamedTuple):
    """One order of a page: its key and its debtor."""

    order: int
    debtor: int


def page(
    tx: Connection,
    *,
    states: Collection[str] | None = None,
    debtors: Collection[int] | None = None,
    after: int = 0,
    most: int = 50,
) -> list[Listed]:
    """So many open orders at most, of some states in which an order is held (None: of all) and debtors (None: all), by key, those after one."""
    s = order_state.c
    live = [s.ended_on.is_(None)] if states is None else [sql(HELD), s.state.in_(sorted(states))]
    asked = select(s.sales_order, s.debtor).where(s.sales_order > after, *live)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, s.debtor, debtors))
    return [Listed(*tuple(row)) for row in tx.execute(asked.order_by(s.sales_order).limit(most)).all()]


# --- for people ------------------------------------------------------------------------------------------------------
class Line(NamedTuple):
    """One open order as a list shows it, by what was decided last. `rules` are those that applied, `manual` the note of a
    hold by hand, `customer` its customer in the order's own system."""

    order: int
    debtor: int
    system: str
    ref: str
    number: str | None
    customer: str
    name: str | None
    state: str
    since: dt.date
    rules: tuple[str, ...]
    manual: str | None
    total: Decimal
    currency: str
    ordered_on: dt.date | None
    ship_on: dt.date | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which open orders: of some `states` (None: of all; all of these hold it where `held`), of some `orders`, whose
    customer stands under a warning (`warned`), with these `words` in number or customer."""

    states: frozenset[str] | None = None
    held: bool = False
    orders: frozenset[int] | None = None
    warned: bool = False
    words: str = ""


def lines(
    tx: Connection,
    wanted: Filter,
    *,
    sort: Sort = "ship",
    down: bool = False,
    after: Place | None = None,
    worth: Mapping[str, Decimal] | None = None,
    most: int = 50,
) -> tuple[list[Line], Place | None]:
    """So many orders at most, sorted, those after one; and what the next page comes after, None: nothing is left.

    `worth` is what one unit of each currency is in one of them: by it amounts are put in order, and nothing else. Raises
    ValueError where the place is none.
    """
    s = order_state.c
    if sort == "total":
        chosen = _chosen(tx, select(s.sales_order), wanted)
        numbers, more = by_worth.ordered(
            tx, chosen, s.sales_order, s.minor, s.currency, worth or {}, down=down, after=after, most=most
        )
        asked = _chosen(tx, _asked(), Filter()).where(bulk.among(tx, s.sales_order, numbers))
        known = {row.sales_order: row for row in tx.execute(asked)} if numbers else {}
        return _lines(tx, [known[number] for number in numbers]), more
    key = _key(sort)
    asked = _chosen(tx, _asked().add_columns(key.label("sorted_by")), wanted)
    place = None if after is None else (_value(sort, after[0]), after[1])
    rows = tx.execute(paged(asked, key, s.sales_order, down, place, most + 1)).all()
    more = (said(rows[most - 1].sorted_by), rows[most - 1].sales_order) if len(rows) > most else None
    return _lines(tx, rows[:most]), more


def _asked() -> Select[Any]:
    s, o, c = order_state.c, sales_order.c, customer.c
    return select(
        s.sales_order, s.debtor, o.system, o.ref, o.number, c.ref, c.name, s.state, s.since, s.rules, s.manual, s.total,
        s.currency, o.ordered_on, o.ship_on, o.owner,
    )  # fmt: skip


def _lines(tx: Connection, rows: Sequence[Any]) -> list[Line]:
    names = system_names(tx)
    return [
        Line(r[0], r[1], names[r[2]], r[3], r[4], r[5] or "", r[6], r[7], r[8], tuple(r[9].split()), *r[10:16])
        for r in rows
    ]


def count(tx: Connection, wanted: Filter) -> int:
    """How many orders a filter finds."""
    return int(tx.execute(_chosen(tx, select(func.count()), wanted)).scalar_one())


def _chosen(tx: Connection, asked: Select[Any], wanted: Filter) -> Select[Any]:
    s, o, c = order_state.c, sales_order.c, customer.c
    asked = asked.select_from(
        order_state.join(sales_order, o.id == s.sales_order).outerjoin(customer, c.id == o.customer)
    )
    # Written as the index has it, or it is not used.
    asked = asked.where(sql(HELD)) if wanted.held else asked.where(s.ended_on.is_(None))
    if wanted.states is not None:
        asked = asked.where(s.state.in_(sorted(wanted.states)))
    if wanted.orders is not None:
        asked = asked.where(bulk.among(tx, s.sales_order, wanted.orders))
    if wanted.warned:
        warned = select(alert.c.debtor).where(alert.c.closed_on.is_(None), alert.c.level != "green")
        asked = asked.where(s.debtor.in_(warned))
    for word in wanted.words.split():
        small = word.lower()
        asked = asked.where(
            or_(
                o.ref == word,
                c.ref == word,
                func.lower(o.number).contains(small, autoescape=True),
                func.lower(c.name).contains(small, autoescape=True),
            )
        )
    return asked


def _key(sort: Sort) -> Any:
    s, o = order_state.c, sales_order.c
    if sort == "ship":
        return func.coalesce(o.ship_on, o.ordered_on, literal(_NEVER, Date))
    if sort == "since":
        return s.since
    if sort == "order":
        return func.coalesce(o.number, o.ref)
    return func.lower(func.coalesce(customer.c.name, ""))


def _value(sort: Sort, said: str) -> Any:
    """A place in the list. Raises ValueError where it is none."""
    return dt.date.fromisoformat(said) if sort in ("ship", "since") else said
