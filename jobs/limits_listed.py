"""Limits as lists for people: requests that wait, proposals of the night, main limits that end soon, all requests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from connector.credit.granting import main_amount
from connector.credit.granting import standing as stands
from connector.model import Limit
from connector.store import Connection, customers, limit_list, limits
from connector.store.customers import CustomerRow
from connector.store.limit_list import Filter, Sort
from connector.store.limits import Asked
from connector.store.sorted_pages import Place
from jobs.grant import Desk, Outcome, outcomes
from jobs.grant_matter import ledgers
from jobs.orders_listed import worth_of

Show = Literal["waiting", "night", "ending", "all"]
SHOWS: tuple[Show, ...] = get_args(Show)
ENDING_DAYS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a list, its customer, and where it stands."""

    row: CustomerRow
    asked: Asked
    done: Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """A customer whose main limit ends soon: its last day, its amount (None: unlimited), and an open request for it."""

    row: CustomerRow
    ends_on: dt.date
    amount_minor: int | None
    currency: str
    request: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list of requests: its lines, what the next page begins after, how many there are in all."""

    lines: list[Line]
    after: Place | None
    count: int


def listed(
    tx: Connection,
    desk: Desk,
    show: Show,
    *,
    customer: int | None = None,
    words: str = "",
    sort: Sort = "number",
    down: bool = True,
    after: Place | None = None,
    most: int = 50,
) -> Listed:
    """A page of requests, sorted. Raises ValueError where there is no such place in the list."""
    wanted = Filter(show != "all", True if show == "night" else None, customer, words)
    worth = worth_of(tx, desk.config, desk.policy, desk.today) if sort == "amount" else {}
    found, more = limit_list.page(tx, wanted, sort=sort, down=down, after=after, worth=worth, most=most)
    place = {one.number: at for at, one in enumerate(found)}
    asked = limits.requests(tx, numbers=list(place)) if place else []
    asked.sort(key=lambda one: place[one.number])
    return Listed(lines_of(tx, desk, asked), more, limit_list.count(tx, wanted))


def lines_of(tx: Connection, desk: Desk, asked: Sequence[Asked]) -> list[Line]:
    """Requests with their customers, and where each stands."""
    rows = (
        {row.key: row for row in customers.customers(tx, keys=sorted({one.customer for one in asked}))} if asked else {}
    )
    return [Line(rows[one.customer], one, done) for one, done in zip(asked, outcomes(tx, desk, asked), strict=True)]


def waiting_count(tx: Connection) -> int:
    """How many requests wait for somebody."""
    return limit_list.count(tx, Filter(open=True))


def ending(tx: Connection, desk: Desk, days: int = ENDING_DAYS, words: str = "") -> list[Ending]:
    """The customers whose main limit ends within some days and is followed by no other one, the soonest first."""
    until = desk.today + dt.timedelta(days=days)
    debtors = limits.ending(tx, desk.today, until)
    erps = [system.name for system in desk.config.with_role("erp")]
    rows = (
        [row for row in customers.customers(tx, systems=erps, debtors=debtors) if row.known] if debtors and erps else []
    )
    keys = [row.key for row in rows]
    counted = limits.pieces(tx, keys, desk.config.limits.master, ledgers(desk)) if keys else {}
    open_ones = {}
    for one in limits.requests(tx, keys=keys, newest=True) if keys else ():
        if one.request.slot == ("main", None) and stands(one.request, one.events).state == "open":
            open_ones[one.customer] = one.number
    wanted = words.lower().split()
    found = []
    for row in rows:
        if not all(word in (row.name or "").lower() or word == row.ref.lower() for word in wanted):
            continue
        made = _end(row, counted.get(row.key, ()), desk, until, open_ones.get(row.key))
        if made is not None:
            found.append(made)
    return sorted(found, key=lambda one: (one.ends_on, one.row.name or "", one.row.key))


def _end(row: CustomerRow, pieces: Sequence[Limit], desk: Desk, until: dt.date, request: int | None) -> Ending | None:
    unlimited, base = main_amount(pieces, desk.today)
    if unlimited or base is None or base.valid_to is None or base.valid_to > until:
        return None
    after = main_amount(pieces, base.valid_to + dt.timedelta(days=1))
    if after != (False, None):
        return None
    currency = base.currency or row.currency or desk.config.business.currency
    return Ending(row, base.valid_to, base.amount, currency, request)
