"""Positions: what customers have open, in draft and on order on a day, summed in SQL; and the items behind a figure.

The sums are plain: what is open is `opened`'s, the boundaries of the buckets are `credit.ageing.bounds`'s.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    func,
    null,
    or_,
    select,
    union_all,
)

from connector.credit.ageing import Basis, OpenItem, Placement, bounds
from connector.credit.totals import Totals
from connector.money import exponent, from_minor
from connector.store import balances, bulk
from connector.store.history import payment_experience as payment_experience
from connector.store.history import sales_by_month as sales_by_month
from connector.store.items import BILL
from connector.store.keys import system_ids, system_names
from connector.store.opened import Asked, open_ids, opened
from connector.store.orders import REST_DIGITS
from connector.store.tables import customer, item, link, order_line, sales_order

ZERO = Decimal(0)
View = Literal["document", "ledger"]


def totals(
    tx: Connection,
    as_of: dt.date,
    *,
    customers: Collection[int] | None = None,
    edges: Sequence[int] | None = (30, 60, 90),
    basis: Basis = "due",
    placement: Placement = "separate",
    view: View = "document",
    ledger_currency: str | None = None,
    company: str | None = None,
    horizon_days: int | None = None,
    systems: Collection[str] | None = None,
) -> list[Totals]:
    """One row for each customer and currency that has anything open, in draft or on order on a day (domain 4).

    `view="ledger"` adds the documents' own base amounts, in `ledger_currency`; what has none stays in its own currency.
    `systems` are those that own the ledger (None: all), `company` one legal entity. `horizon_days` leaves out what is
    not yet delivered and ships later than so many days from then.
    """
    asked = Asked(tx, as_of, customers, system_ids(tx, systems), company, view == "ledger", ledger_currency)
    limits = bounds(as_of, tuple(edges) if edges else None, basis)
    count = len(limits) + 1
    sums: dict[tuple[int, str], _Sum] = {}
    for row in tx.execute(_aged(asked, limits, basis, placement)):
        key, currency, *figures = tuple(row)
        sums[key, currency] = _Sum(figures[:count], figures[count:])
    for key, currency, value in tx.execute(_drafts(asked)):
        sums.setdefault((key, currency), _Sum([0] * count)).drafts = int(value)
    for key, currency, delivered, ordered in _on_order(asked, horizon_days):
        one = sums.setdefault((key, currency), _Sum([0] * count))
        one.delivered, one.ordered = delivered, ordered
    return [one.totals(key, currency, placement) for (key, currency), one in sums.items()]


@dataclass(slots=True)
class _Sum:
    """The sums of one customer and currency while they come together."""

    buckets: Sequence[int]
    figures: Sequence[Any] = (0, 0, 0, 0, None, 0, None, 0, 0, 0, 0)
    drafts: int = 0
    delivered: Decimal = ZERO
    ordered: Decimal = ZERO

    def totals(self, key: int, currency: str, placement: Placement) -> Totals:
        receivables, cash, notes, overdue, oldest, undisputed, undisputed_oldest, *counts = self.figures
        disputed, commercial, bank, dateless = (int(x) for x in counts)
        receivables, cash, notes = int(receivables), int(cash), int(notes)
        left_cash, left_notes = cash, notes
        if placement == "own_bucket":
            left_cash = left_notes = 0
        elif placement == "fifo":
            # What the debts did not take up: credit notes were used first, cash is the last to go.
            left_cash = min(cash, max(cash + notes - receivables, 0))
            left_notes = max(notes - receivables, 0)
        return Totals(
            customer=key,
            currency=currency,
            buckets=tuple(int(x) for x in self.buckets),
            unapplied_cash=left_cash,
            unapplied_notes=left_notes,
            cash=cash,
            notes=notes,
            receivables=receivables,
            overdue=int(overdue),
            oldest_due_on=oldest,
            undisputed_overdue=int(undisputed),
            undisputed_oldest_due_on=undisputed_oldest,
            disputed=disputed,
            bills_commercial=commercial,
            bills_bank=bank,
            drafts=self.drafts,
            without_due_date=dateless,
            delivered_not_invoiced=self.delivered,
            ordered_not_delivered=self.ordered,
        )


# --- open items ---------------------------------------------------------------------------------------------------------
def _aged(asked: Asked, limits: Sequence[dt.date], basis: Basis, placement: Placement) -> Select[Any]:
    pieces = opened(asked)
    if placement == "fifo":
        pieces = _netted(asked.tx, pieces)
    o = pieces.c
    rest = o.rest if placement == "fifo" else o.value
    bill = o.kind == BILL
    debt, credit = and_(~bill, o.value > 0), and_(~bill, o.value < 0)
    due = func.coalesce(o.due_on, o.issued_on)
    day = due if basis == "due" else o.issued_on
    aged = ~bill if placement == "own_bucket" else and_(~bill, rest > 0)
    late = and_(~bill, rest > 0, due < asked.as_of)
    doubt = case((o.disputed < rest, o.disputed), else_=rest)
    doubt_before = case((o.disputed < o.value, o.disputed), else_=o.value)
    bank = o.acceptance == "bank"
    return select(
        o.customer,
        o.currency,
        *(_sum(and_(aged, inside), rest) for inside in _buckets(day, limits)),
        _sum(debt, o.value),
        _sum(and_(credit, o.family == "p"), -o.value),
        _sum(and_(credit, o.family == "d"), -o.value),
        _sum(late, rest),
        func.min(case((late, due), else_=null())),
        _sum(late, rest - doubt),
        func.min(case((and_(late, rest > doubt), due), else_=null())),
        _sum(debt, doubt_before),
        _sum(and_(bill, or_(o.acceptance.is_(None), ~bank)), o.value),
        _sum(and_(bill, bank), o.value),
        _sum(and_(debt, o.due_on.is_(None)), bulk.literal(1)),
    ).group_by(o.customer, o.currency)


def _buckets(day: Any, limits: Sequence[dt.date]) -> Iterator[ColumnElement[bool]]:
    """Each bucket as a condition: the first whose bound is on or before the day; before every bound is the last."""
    yield day >= limits[0]
    for younger, bound in pairwise(limits):
        yield and_(day >= bound, day < younger)
    yield day < limits[-1]


def _sum(when: ColumnElement[bool], what: Any) -> Any:
    return func.sum(case((when, what), else_=bulk.literal(0)))


def _netted(tx: Connection, pieces: Any) -> Any:
    """The same pieces with `rest`: what unapplied credits leave of a debt, netted against the earliest due first."""
    o = pieces.c
    debt, credit = and_(o.kind != BILL, o.value > 0), and_(o.kind != BILL, o.value < 0)
    who = (o.customer, o.currency)
    # Ids in one order everywhere, whatever the database's own language is.
    name = o.ref if bulk.is_sqlite(tx) else o.ref.collate("C")
    order = (func.coalesce(o.due_on, o.issued_on), o.issued_on, name)
    credits = cast(func.sum(case((credit, -o.value), else_=bulk.literal(0))).over(partition_by=who), BigInteger)
    upto = func.sum(case((debt, o.value), else_=bulk.literal(0))).over(partition_by=who, order_by=order, rows=(None, 0))
    ranked = select(pieces, credits.label("credits"), cast(upto, BigInteger).label("upto")).subquery("ranked")
    r = ranked.c
    before = r.upto - r.value
    rest = case(
        (or_(r.value <= 0, r.kind == BILL), r.value),
        (r.credits <= before, r.value),
        (r.credits >= r.upto, bulk.literal(0)),
        else_=r.upto - r.credits,
    )
    return select(ranked, rest.label("rest")).subquery("netted")


def _drafts(asked: Asked) -> Select[Any]:
    """Documents entered and not posted, signed. Bills are no drafts of receivables."""
    i = item.c
    currency, value = asked.currency(i.currency, i.base_value), asked.value(i.value, i.base_value)
    chosen = select(i.customer.label("customer"), currency.label("currency"), value.label("value")).where(
        i.posted == bulk.literal(0), i.issued_on <= asked.as_of, i.kind != BILL
    )
    chosen = asked.mine(chosen, i)
    voided_later = and_(i.open == bulk.literal(0), i.settled_on > asked.as_of)
    d = union_all(chosen.where(i.open == bulk.literal(1)), chosen.where(voided_later)).subquery("drafts").c
    return select(d.customer, d.currency, func.sum(d.value)).group_by(d.customer, d.currency)


def open_items(tx: Connection, customers: Collection[int], as_of: dt.date) -> list[OpenItem]:
    """What is open of each document, instalment and payment of some customers on a day, by issue date, then id."""
    return [piece for _, piece in open_items_of(tx, customers, as_of)]


def open_items_of(tx: Connection, customers: Collection[int], as_of: dt.date) -> list[tuple[int, OpenItem]]:
    """The same, each with its customer's key."""
    found = []
    ids = open_ids(Asked(tx, as_of, customers))
    numbers = {
        row.id: row.number for row in tx.execute(select(item.c.id, item.c.number).where(bulk.among(tx, item.c.id, ids)))
    }
    for balance in balances.load(tx, ids):
        for piece in balances.pieces(balance, as_of):
            if piece.open_value:
                one = OpenItem(
                    ref=f"{balance.ref}/{piece.number}" if piece.number else balance.ref,
                    number=numbers[balance.id],
                    kind=balance.kind,
                    issued_on=balance.issued_on,
                    due_on=piece.due_on,
                    currency=balance.currency,
                    amount=from_minor(piece.open_value, balance.currency),
                    disputed=from_minor(piece.disputed, balance.currency),
                )
                found.append((balance.customer, one))
    return sorted(found, key=lambda one: (one[1].issued_on, one[1].ref))


# --- orders ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OrderRow:
    """An open or draft order, gross, in its own currency, unrounded. `open_value` is what it adds to the exposure inside
    the horizon, `invoiced_value` what of it is a receivable already."""

    key: int
    system: str
    ref: str
    number: str | None
    customer: int
    debtor: int | None
    status: str
    currency: str
    total: Decimal
    open_value: Decimal
    invoiced_value: Decimal
    ordered_on: dt.date
    ship_on: dt.date | None
    terms: str | None = None
    owner: str | None = None
    priority: str | None = None
    company: str | None = None


def _on_order(asked: Asked, horizon_days: int | None) -> Iterator[tuple[int, str, Decimal, Decimal]]:
    """By customer and currency: delivered not invoiced, ordered not delivered; unrounded minor units."""
    o, n = sales_order.c, order_line.c
    horizon = None if horizon_days is None else asked.as_of + dt.timedelta(days=horizon_days)
    open_now = and_(o.status == _OPEN, o.ordered_on <= asked.as_of)
    lines = (
        select(
            o.customer,
            o.currency,
            func.sum(n.delivered),
            func.sum(n.delivered_rest),
            _sum(_inside(func.coalesce(n.ship_on, o.ship_on), horizon), n.ordered),
            _sum(_inside(func.coalesce(n.ship_on, o.ship_on), horizon), n.ordered_rest),
        )
        .join_from(sales_order, order_line, n.sales_order == o.id)
        .where(open_now)
        .group_by(o.customer, o.currency)
    )
    wholes = (
        select(o.customer, o.currency, func.sum(o.delivered), _sum(_inside(o.ship_on, horizon), o.ordered))
        .where(open_now, ~select(n.id).where(n.sales_order == o.id).exists())
        .group_by(o.customer, o.currency)
    )
    sums: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for key, currency, delivered, delivered_rest, ordered, ordered_rest in asked.tx.execute(asked.mine(lines, o)):
        places = exponent(currency)
        one = sums[key, currency]
        one[0] += _exact(delivered, delivered_rest).scaleb(places)
        one[1] += _exact(ordered, ordered_rest).scaleb(places)
    for key, currency, delivered, ordered in asked.tx.execute(asked.mine(wholes, o)):
        one = sums[key, currency]
        one[0] += Decimal(int(delivered or 0))
        one[1] += Decimal(int(ordered or 0))
    for (key, currency), (delivered, ordered) in sums.items():
        if delivered or ordered:
            yield key, currency, delivered, ordered


# Written as it stands in the partial index.
_OPEN = bulk.word("open")


def _inside(ship_on: Any, horizon: dt.date | None) -> Any:
    return bulk.literal(1) == bulk.literal(1) if horizon is None else or_(ship_on.is_(None), ship_on <= horizon)


def _exact(whole: Any, rest: Any) -> Decimal:
    return Decimal(int(whole or 0)) + Decimal(int(rest or 0)).scaleb(-REST_DIGITS)


def order_values(
    tx: Connection, customers: Collection[int] | None = None, *, horizon_on: dt.date | None = None
) -> list[OrderRow]:
    """Open and draft orders of some customers and of whoever is one debtor with them (None: all), by key.

    What ships after `horizon_on` is not part of an order's `open_value`.
    """
    o, n = sales_order.c, order_line.c
    asked = (
        select(
            o.id,
            o.system,
            o.ref,
            o.number,
            o.customer,
            link.c.debtor,
            o.status,
            o.currency,
            o.amount,
            o.delivered,
            o.ordered,
            o.ordered_on,
            o.ship_on,
            o.terms,
            o.owner,
            o.priority,
            o.company,
        )
        .join_from(sales_order, customer, customer.c.id == o.customer)
        .outerjoin(link, link.c.customer == o.customer)
        .where(o.status.in_(("open", "draft")))
        .order_by(o.id)
    )
    wanted: set[int] | None = None
    if customers is not None:
        other = link.alias("other")
        beside = select(other.c.customer).join_from(link, other, other.c.debtor == link.c.debtor)
        beside = beside.where(bulk.among(tx, link.c.customer, customers))
        wanted = set(customers) | set(tx.execute(beside).scalars())
        asked = asked.where(bulk.among(tx, o.customer, wanted))
    lines = select(
        n.sales_order,
        func.sum(n.total),
        func.sum(n.total_rest),
        func.sum(n.delivered),
        func.sum(n.delivered_rest),
        func.sum(n.ordered),
        func.sum(n.ordered_rest),
        _sum(_inside(func.coalesce(n.ship_on, o.ship_on), horizon_on), n.ordered),
        _sum(_inside(func.coalesce(n.ship_on, o.ship_on), horizon_on), n.ordered_rest),
        func.min(n.ship_on),
    ).join_from(sales_order, order_line, n.sales_order == o.id)
    lines = lines.where(o.status.in_(("open", "draft"))).group_by(n.sales_order)
    if wanted is not None:
        lines = lines.where(bulk.among(tx, o.customer, wanted))
    by_order = {row[0]: tuple(row)[1:] for row in tx.execute(lines)}
    names = system_names(tx)
    return [_order(row, by_order.get(row.id), names, horizon_on) for row in tx.execute(asked)]


def _order(row: Any, lines: tuple[Any, ...] | None, names: dict[int, str], horizon: dt.date | None) -> OrderRow:
    stated = None if row.amount is None else from_minor(row.amount, row.currency)
    if lines is not None:
        total, delivered, ordered, inside = (_exact(lines[at], lines[at + 1]) for at in (0, 2, 4, 6))
        ship_on, invoiced = row.ship_on or lines[8], total - delivered - ordered
        total = total if stated is None else stated
    else:
        total = stated or ZERO
        delivered, ordered = (from_minor(value or 0, row.currency) for value in (row.delivered, row.ordered))
        ship_on, invoiced = row.ship_on, total - delivered - ordered
        inside = ZERO if horizon and ship_on and ship_on > horizon else ordered
    return OrderRow(
        key=row.id,
        system=names[row.system],
        ref=row.ref,
        number=row.number,
        customer=row.customer,
        debtor=row.debtor,
        status=row.status,
        currency=row.currency,
        total=total,
        open_value=delivered + inside,
        invoiced_value=max(invoiced, ZERO),
        ordered_on=row.ordered_on,
        ship_on=ship_on,
        terms=row.terms,
        owner=row.owner,
        priority=row.priority,
        company=row.company,
    )
