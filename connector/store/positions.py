"""Positions: what customers have open, in draft and on order on a day, summed in SQL; and the items behind a figure.

The sums are plain: what is open is `opened`'s, the boundaries of the buckets are `credit.ageing.bounds`'s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Select,
    and_,
    bindparam,
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
from connector.money import from_minor
from connector.store import balances, bulk, quick
from connector.store.history import payment_experience as payment_experience
from connector.store.history import sales_by_month as sales_by_month
from connector.store.items import BANK_BILL, COMMERCIAL_BILL, DOCUMENT, DRAFT, PAYMENT
from connector.store.opened import DAY, Asked, Shape, open_ids, sources, split_later, stage_pieces
from connector.store.order_values import on_order
from connector.store.pieces import pieces
from connector.store.tables import item

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
    ledger = (ledger_currency or "") if view == "ledger" else None
    asked = Asked(tx, as_of, customers, systems, company, ledger)
    edges = tuple(edges) if edges else None
    staged = stage_pieces(asked, _split_later(asked.shape))
    limits = bounds(as_of, edges, basis)
    question = _question(asked.shape, staged, len(limits), basis, placement)
    parameters = asked.parameters | {f"bound{n}": bound for n, bound in enumerate(limits)}
    empty = (0,) * (len(limits) + 1)
    sums: dict[tuple[int, str], Totals] = {}
    for row in quick.rows(tx, question, parameters):
        made = _totals(row, len(empty), placement)
        sums[made.customer, made.currency] = made
    for key, currency, delivered, ordered in on_order(asked, horizon_days):
        there = sums.get((key, currency))
        if there is None:
            there = sums[key, currency] = Totals(key, currency, empty)
        there.delivered_not_invoiced, there.ordered_not_delivered = delivered, ordered
    return list(sums.values())


def _totals(row: tuple[Any, ...], buckets: int, placement: Placement) -> Totals:
    """One row of the question below, with what placement leaves of the credits."""
    aged = row[2 : 2 + buckets]
    receivables, cash, notes, overdue, oldest, undisputed, undisputed_oldest, *counts = row[2 + buckets :]
    disputed, commercial, bank, drafts, dateless = counts
    left_cash, left_notes = cash, notes
    if placement == "own_bucket":
        left_cash = left_notes = 0
    elif placement == "fifo":
        # What the debts did not take up: credit notes were used first, cash is the last to go.
        left_cash = min(cash, max(cash + notes - receivables, 0))
        left_notes = max(notes - receivables, 0)
    return Totals(
        row[0],
        row[1],
        aged,
        left_cash,
        left_notes,
        cash,
        notes,
        receivables,
        overdue,
        oldest,
        undisputed,
        undisputed_oldest,
        disputed,
        commercial,
        bank,
        drafts,
        dateless,
    )


# --- open items ---------------------------------------------------------------------------------------------------------
@cache
def _split_later(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    return split_later(shape)


@cache
def _question(shape: Shape, staged: bool, bounds: int, basis: Basis, placement: Placement) -> Select[Any]:
    """One row a customer and currency, in the order that `_totals` reads."""
    limits = [bindparam(f"bound{n}", type_=Date) for n in range(bounds)]
    parts = sources(shape, staged)
    if placement == "fifo":
        return _summed(_netted(shape, union_all(*parts).subquery("opened")), limits, basis, placement)
    # Each source is summed by itself, in the order of its index; what is left to add up is small.
    summed = union_all(*(_summed(one.subquery("opened"), limits, basis, placement) for one in parts)).subquery("summed")
    columns = [
        func.min(c).label(c.name) if isinstance(c.type, Date) else _whole(func.sum(c)).label(c.name)
        for c in summed.c
        if c.name not in ("customer", "currency")
    ]
    return select(summed.c.customer, summed.c.currency, *columns).group_by(summed.c.customer, summed.c.currency)


def _summed(pieces: Any, limits: Sequence[Any], basis: Basis, placement: Placement) -> Select[Any]:
    o = pieces.c
    rest = o.rest if placement == "fifo" else o.value
    zero = bulk.literal(0)
    counted = o.sort < bulk.literal(COMMERCIAL_BILL)
    debt, credit = and_(counted, o.value > zero), and_(counted, o.value < zero)
    due = func.coalesce(o.due_on, o.issued_on)
    day = due if basis == "due" else o.issued_on
    aged = counted if placement == "own_bucket" else and_(counted, rest > zero)
    late = and_(counted, rest > zero, due < DAY)
    doubt = case((o.disputed < rest, o.disputed), else_=rest)
    doubt_before = case((o.disputed < o.value, o.disputed), else_=o.value)
    columns = [
        *(_sum(and_(aged, inside), rest) for inside in _buckets(day, limits)),
        _sum(debt, o.value),
        _sum(and_(credit, o.sort == bulk.literal(PAYMENT)), -o.value),
        _sum(and_(credit, o.sort == bulk.literal(DOCUMENT)), -o.value),
        _sum(late, rest),
        func.min(case((late, due), else_=null())),
        _sum(late, rest - doubt),
        func.min(case((and_(late, rest > doubt), due), else_=null())),
        _sum(debt, doubt_before),
        *(_sum(o.sort == bulk.literal(sort), o.value) for sort in (COMMERCIAL_BILL, BANK_BILL, DRAFT)),
        _sum(and_(debt, o.due_on.is_(None)), bulk.literal(1)),
    ]
    named = [c.label(f"figure{n}") for n, c in enumerate(columns)]
    return select(o.customer, o.currency, *named).group_by(o.customer, o.currency)


def _buckets(day: Any, limits: Sequence[Any]) -> Iterator[ColumnElement[bool]]:
    """Each bucket as a condition: the first whose bound is on or before the day; before every bound is the last."""
    yield day >= limits[0]
    for younger, bound in pairwise(limits):
        yield and_(day >= bound, day < younger)
    yield day < limits[-1]


def _sum(when: ColumnElement[bool], what: Any) -> Any:
    return _whole(func.sum(case((when, what), else_=bulk.literal(0))))


def _whole(total: Any) -> Any:
    # A SUM of whole numbers is a NUMERIC on PostgreSQL; it is exact, and whole again.
    return cast(total, BigInteger)


def _netted(shape: Shape, pieces: Any) -> Any:
    """The same pieces with `rest`: what unapplied credits leave of a debt, netted against the earliest due first."""
    o, zero = pieces.c, bulk.literal(0)
    counted = o.sort < bulk.literal(COMMERCIAL_BILL)
    debt, credit = and_(counted, o.value > zero), and_(counted, o.value < zero)
    who = (o.customer, o.currency)
    # Ids in one order everywhere, whatever the database's own language is.
    name = o.ref if shape.sqlite else o.ref.collate("C")
    order = (func.coalesce(o.due_on, o.issued_on), o.issued_on, name)
    credits = _whole(func.sum(case((credit, -o.value), else_=zero)).over(partition_by=who))
    upto = _whole(func.sum(case((debt, o.value), else_=zero)).over(partition_by=who, order_by=order, rows=(None, 0)))
    ranked = select(pieces, credits.label("credits"), upto.label("upto")).subquery("ranked")
    r = ranked.c
    rest = case(
        (or_(r.value <= zero, r.sort >= bulk.literal(COMMERCIAL_BILL)), r.value),
        (r.credits <= r.upto - r.value, r.value),
        (r.credits >= r.upto, zero),
        else_=r.upto - r.credits,
    )
    return select(ranked, rest.label("rest")).subquery("netted")


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
        for piece in pieces(balance, as_of):
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
