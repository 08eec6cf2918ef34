"""Lists of requests for limits, sorted and searched, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Connection, Date, Select, func, literal, or_, select

from connector.store import bulk, by_worth
from connector.store.sorted_pages import Place, paged, said
from connector.store.tables import customer, limit_event, limit_request

Sort = Literal["number", "amount", "customer", "until"]
SORTS: tuple[Sort, ...] = get_args(Sort)
_OPEN = ("proposed", "changed", "approved")
_NEVER = dt.date(9999, 12, 31)


class Found(NamedTuple):
    """The number of a request, and its customer's key."""

    number: int
    customer: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests: those that are `open`, that a job has made (`by_job` True) or a person (False), of one customer, with
    these `words` in the customer's id or name or as the request's number."""

    open: bool = False
    by_job: bool | None = None
    customer: int | None = None
    words: str = ""


def page(
    tx: Connection,
    wanted: Filter,
    *,
    sort: Sort = "number",
    down: bool = True,
    after: Place | None = None,
    worth: Mapping[str, Decimal] | None = None,
    most: int = 50,
) -> tuple[list[Found], Place | None]:
    """So many requests at most, sorted, those after a place; and the place that the next page begins after.

    `worth` is what one unit of each currency is in one of them: by it amounts are put in order, and nothing else; what is
    unlimited is more than anything. Raises ValueError where the place is none.
    """
    if sort == "amount":
        return _by_amount(tx, wanted, worth or {}, down, after, most)
    key = _key(sort)
    asked: Select[Any] = select(limit_request.c.id, limit_request.c.customer, key.label("sorted_by"))
    place = None if after is None else (_value(sort, after[0]), after[1])
    chosen = _chosen(asked, wanted)
    rows = tx.execute(paged(chosen, key, limit_request.c.id, down, place, most + 1)).all()
    more = (said(rows[most - 1].sorted_by), rows[most - 1].id) if len(rows) > most else None
    return [Found(row.id, row.customer) for row in rows[:most]], more


def count(tx: Connection, wanted: Filter) -> int:
    """How many requests a filter finds."""
    return int(tx.execute(_chosen(select(func.count()), wanted)).scalar_one())


def _chosen(asked: Select[Any], wanted: Filter) -> Select[Any]:
    r, c, e = limit_request.c, customer.c, limit_event.c
    asked = asked.select_from(limit_request.join(customer, c.id == r.customer))
    if wanted.open:
        over = select(e.id).where(e.request == r.id, e.what.not_in(_OPEN)).exists()
        asked = asked.where(~over)
    if wanted.by_job is not None:
        job = r.requested_by.like("job:%")
        asked = asked.where(job if wanted.by_job else ~job)
    if wanted.customer is not None:
        asked = asked.where(r.customer == wanted.customer)
    for word in wanted.words.split():
        alike = [c.ref == word, func.lower(c.name).contains(word.lower(), autoescape=True)]
        if word.isascii() and word.isdecimal() and len(word) < 19:
            alike.append(r.id == int(word))
        asked = asked.where(or_(*alike))
    return asked


def _by_amount(
    tx: Connection, wanted: Filter, worth: Mapping[str, Decimal], down: bool, after: Place | None, most: int
) -> tuple[list[Found], Place | None]:
    r = limit_request.c
    chosen = _chosen(select(r.id), wanted)
    numbers, more = by_worth.ordered(tx, chosen, r.id, r.amount, r.currency, worth, down=down, after=after, most=most)
    asked = select(r.id, r.customer).where(bulk.among(tx, r.id, numbers))
    whose = {row.id: row.customer for row in tx.execute(asked)} if numbers else {}
    return [Found(number, whose[number]) for number in numbers], more


def _key(sort: Sort) -> Any:
    r = limit_request.c
    if sort == "customer":
        return func.lower(func.coalesce(customer.c.name, ""))
    if sort == "until":
        return func.coalesce(r.valid_to, literal(_NEVER, Date))
    return r.id


def _value(sort: Sort, words: str) -> Any:
    if sort == "until":
        return dt.date.fromisoformat(words)
    if sort == "number" and (not words.isascii() or not words.isdecimal() or len(words) > 18):
        raise ValueError(words)
    return int(words) if sort == "number" else words
