"""Month ends: what every customer had open on each of many days, in one pass over the items instead of a report a day.

An item is open on some of the days only, most on one or two; it is read once, with what was set against it, and added
to the sums of those days. The figures are those of `positions.totals` for the day without orders, credits in a column
of their own (`separate`), buckets by due date. Customers come in portions: only one portion is in memory.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from connector.credit.totals import Totals
from connector.store import balances, bulk
from connector.store.items import BANK_BILL, COMMERCIAL_BILL, DOCUMENT, DRAFT_BILL, PAYMENT
from connector.store.keys import system_ids
from connector.store.pieces import pieces
from connector.store.tables import application, item

_TOGETHER = 500


@dataclass(slots=True)
class DayEnd:
    """One customer and currency at the end of a day; `place` is the day's place in the list of days.

    `late` are debts past due less what is disputed of them, as (days past due, amount): they are payment experiences.
    """

    place: int
    totals: Totals
    late: list[tuple[int, int]] = field(default_factory=list)


def day_ends(
    tx: Connection,
    days: Sequence[dt.date],
    *,
    edges: Sequence[int] = (30, 60, 90),
    systems: Collection[str] | None = None,
) -> Iterator[tuple[int, list[DayEnd]]]:
    """Every customer that had anything open on any of the days (rising), with its figures of each; by customer's key."""
    ids = None if systems is None else system_ids(tx, systems) or []
    everybody = select(item.c.customer).distinct().where(_asked(ids)).order_by(item.c.customer)
    given = {"first": days[0], "last": days[-1]}
    keys = list(tx.execute(everybody, given).scalars())
    for at in range(0, len(keys), _TOGETHER):
        portion = keys[at : at + _TOGETHER]
        yield from _portion(tx, days, tuple(edges), ids, {**given, "low": portion[0], "high": portion[-1]})


def day_ends_of(
    tx: Connection,
    days: Sequence[dt.date],
    keys: Collection[int],
    *,
    edges: Sequence[int] = (30, 60, 90),
    systems: Collection[str] | None = None,
) -> list[DayEnd]:
    """The same of a few customers, by their keys."""
    ids = None if systems is None else system_ids(tx, systems) or []
    given = {"first": days[0], "last": days[-1]}
    found = [_portion(tx, days, tuple(edges), ids, {**given, "low": key, "high": key}) for key in sorted(set(keys))]
    return [one for portion in found for _, ends in portion for one in ends]


def _asked(ids: Collection[int] | None) -> Any:
    """Items that may be open on one of the days."""
    i = item.c
    wanted = and_(
        i.issued_on <= bindparam("last"),
        # What was settled on the day it came was open at the end of none: most payments.
        or_(i.open == bulk.literal(1), and_(i.settled_on > bindparam("first"), i.settled_on > i.issued_on)),
        i.sort < bulk.literal(DRAFT_BILL),
    )
    # Added to, so that no plan begins with the key of a whole system.
    return wanted if ids is None else and_(wanted, (i.system + bulk.literal(0)).in_(ids))


def _portion(
    tx: Connection, days: Sequence[dt.date], edges: tuple[int, ...], ids: Collection[int] | None, given: dict[str, Any]
) -> Iterator[tuple[int, list[DayEnd]]]:
    i = item.c
    mine = and_(_asked(ids), i.customer >= bindparam("low"), i.customer <= bindparam("high"))
    items = select(
        i.customer, i.currency, i.id, i.sort, i.issued_on, i.due_on, func.coalesce(i.disputed, bulk.literal(0)),
        i.value, i.parts, i.settled_on,
    ).where(mine).order_by(i.customer)  # fmt: skip
    rows = tx.execute(items, given).all()
    uses: dict[int, list[tuple[dt.date, dt.date | None, int]]] = defaultdict(list)
    a = application.c
    for end, value in ((a.to_item, a.to_value), (a.from_item, a.from_value)):
        for key, *use in tx.execute(_uses(mine, end, value), given):
            uses[key].append(tuple(use))
    pieces = _pieces(tx, days, [row[2] for row in rows if row[8]])
    for customer, own in groupby(rows, itemgetter(0)):
        yield customer, _summed(customer, own, days, edges, uses, pieces)


def _uses(mine: Any, end: Any, value: Any) -> Select[Any]:
    """What was set against items or taken from them while they were open: what settled them for good is not needed."""
    i, a = item.c, application.c
    return (
        select(end, a.since, a.until, value)
        .join_from(application, item, i.id == end)
        .where(
            mine,
            i.parts == bulk.literal(0),
            a.since <= bindparam("last"),
            or_(i.open == bulk.literal(1), a.since < i.settled_on),
            or_(a.until.is_(None), and_(a.until > a.since, a.until > bindparam("first"))),
        )
    )


# By item: the pieces of a document with instalments on the days on which it was open, each with the day's place.
_Pieces = dict[int, list[tuple[int, dt.date | None, int, int]]]


def _pieces(tx: Connection, days: Sequence[dt.date], split: list[int]) -> _Pieces:
    found: _Pieces = {}
    for at in range(0, len(split), _TOGETHER):
        for balance in balances.load(tx, split[at : at + _TOGETHER]):
            found[balance.id] = [
                (place, piece.due_on, piece.disputed, piece.open_value)
                for place in range(bisect_left(days, balance.issued_on), _end(days, balance.voided_on))
                for piece in pieces(balance, days[place])
                if piece.open_value
            ]
    return found


def _end(days: Sequence[dt.date], gone_on: dt.date | None) -> int:
    """The place of the first day on which something is not there any more."""
    return len(days) if gone_on is None else bisect_left(days, gone_on)


def _summed(
    customer: int,
    rows: Any,
    days: Sequence[dt.date],
    edges: tuple[int, ...],
    uses: dict[int, list[tuple[dt.date, dt.date | None, int]]],
    pieces: _Pieces,
) -> list[DayEnd]:
    cells: dict[tuple[int, str], _Sum] = {}
    for _, currency, key, sort, issued_on, due_on, disputed, value, parts, settled_on in rows:
        opened: list[tuple[int, dt.date | None, int, int]]
        if parts:
            opened = pieces.get(key, [])
        else:
            opened = []
            used = uses.get(key, ())
            for place in range(bisect_left(days, issued_on), _end(days, settled_on)):
                left, day = value, days[place]
                for since, until, change in used:
                    if since <= day and (until is None or until > day):
                        left += change
                if left:
                    opened.append((place, due_on, disputed, left))
        for place, due, doubt, left in opened:
            cell = cells.get((place, currency))
            if cell is None:
                cell = cells[place, currency] = _Sum(len(edges) + 2)
            cell.add(days[place], edges, sort, issued_on, due, doubt, left)
    return [
        DayEnd(place, cell.totals(customer, currency), cell.late) for (place, currency), cell in sorted(cells.items())
    ]


class _Sum:
    """The figures of one customer, currency and day while they are being added up."""

    __slots__ = ("buckets", "credits", "dateless", "disputed", "late", "oldest", "other", "overdue", "undisputed")

    def __init__(self, buckets: int) -> None:
        self.buckets = [0] * buckets
        self.credits = [0, 0]  # by sort: documents, payments
        self.other = {COMMERCIAL_BILL: 0, BANK_BILL: 0}
        self.overdue = [0, 0]  # all, undisputed
        self.oldest: list[dt.date | None] = [None, None]
        self.disputed = self.dateless = 0
        self.late: list[tuple[int, int]] = []

    def add(
        self,
        day: dt.date,
        edges: tuple[int, ...],
        sort: int,
        issued_on: dt.date,
        due_on: dt.date | None,
        disputed: int,
        value: int,
    ) -> None:
        if sort > PAYMENT:
            self.other[sort] = self.other.get(sort, 0) + value
            return
        if value < 0:
            self.credits[sort] -= value
            return
        due = due_on or issued_on
        days = (day - due).days
        doubt = min(disputed, value)
        self.disputed += doubt
        self.dateless += due_on is None
        if days <= 0:
            self.buckets[0] += value
            return
        self.buckets[bisect_left(edges, days) + 1] += value
        for at, amount in enumerate((value, value - doubt)):
            if amount > 0:
                self.overdue[at] += amount
                before = self.oldest[at]
                self.oldest[at] = due if before is None or due < before else before
        if sort == DOCUMENT and value > disputed and due_on is not None:
            self.late.append((days, value - disputed))

    def totals(self, customer: int, currency: str) -> Totals:
        notes, cash = self.credits
        commercial, bank, *drafts = self.other.values()
        return Totals(
            customer,
            currency,
            tuple(self.buckets),
            cash,
            notes,
            cash,
            notes,
            sum(self.buckets),
            self.overdue[0],
            self.oldest[0],
            self.overdue[1],
            self.oldest[1],
            self.disputed,
            commercial,
            bank,
            sum(drafts),
            self.dateless,
        )
