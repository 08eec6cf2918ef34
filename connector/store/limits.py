"""Limits that are decided on here: requests, what became of each, and the pieces that were granted.

Requests and events are only ever added. Of a piece one thing changes: the day on which another one takes its place.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select, update

from connector.credit.granting import MAIN, Event, Request, What, merged
from connector.model import Limit
from connector.store import bulk, customers
from connector.store.keys import system_ids
from connector.store.outbox import packed, unpacked
from connector.store.tables import credit_limit, customer, limit_event, limit_piece, limit_request, link

_PIECE = (
    "customer", "ref", "kind", "amount", "currency", "percent", "valid_from", "valid_to", "approved_on", "condition",
    "segment", "request",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is kept: what was asked for, for which customer, and everything that has become of it.

    `before` is the limit of that day in the request's currency; `body` has what it rests on. `digest` is over that.
    """

    request: Request
    customer: int
    at: dt.datetime
    as_of: dt.date
    why: str
    before: Decimal | None
    digest: str
    body: Mapping[str, Any]
    events: tuple[Event, ...] = ()

    @property
    def number(self) -> int:
        """By which people name it."""
        return self.request.number


def lock(tx: Connection, *keys: int) -> None:
    """Holds customers until the transaction ends: of two who decide on a limit, one comes after the other. To be taken
    before the turn of those who touch customers (`marks.touch`), as a pull does. (SQLite has one writer anyway.)"""
    if not bulk.is_sqlite(tx):
        mine = select(customer.c.id).where(bulk.among(tx, customer.c.id, keys)).order_by(customer.c.id)
        tx.execute(mine.with_for_update()).all()


def ask(tx: Connection, asked: Sequence[Asked]) -> list[int]:
    """Adds requests, each with its first event, `proposed`; gives their numbers. The number that a request has is
    ignored."""
    numbers = list(bulk.new_ids(tx, limit_request, len(asked)))
    columns = (
        "id", "customer", "at", "as_of", "requested_by", "why", "kind", "amount", "currency", "percent", "valid_from",
        "valid_to", "condition", "segment", "before", "digest", "body",
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for number, one in zip(numbers, asked, strict=True):
        r = one.request
        before = None if one.before is None else r.minor(one.before)
        values = (
            number, one.customer, one.at, one.as_of, r.requested_by, one.why, r.kind, r.amount_minor, r.currency,
            r.percent, r.valid_from, r.valid_to, r.condition, r.segment, before, one.digest, packed(one.body),
        )  # fmt: skip
        rows.append(dict(zip(columns, values, strict=True)))
    if rows:
        tx.execute(limit_request.insert(), rows)
        tx.execute(
            limit_event.insert(),
            [
                {
                    "request": number, "number": 1, "at": one.at, "what": "proposed",
                    "actor": one.request.requested_by, "why": one.why, "amount": one.request.amount_minor,
                }
                for number, one in zip(numbers, asked, strict=True)
            ],
        )  # fmt: skip
    return numbers


def record(tx: Connection, request: int, events: Sequence[Event]) -> None:
    """Adds events to a request. Two who add the same number collide: the database refuses the second."""
    if events:
        rows = [
            {
                "request": request, "number": e.number, "at": e.at, "what": e.what, "actor": e.actor, "why": e.why,
                "amount": e.amount_minor,
            }
            for e in events
        ]  # fmt: skip
        tx.execute(limit_event.insert(), rows)


def requests(
    tx: Connection,
    *,
    numbers: Collection[int] | None = None,
    keys: Collection[int] | None = None,
    newest: bool = False,
) -> list[Asked]:
    """Requests with their events, oldest first: those of some numbers, of some customers, all; `newest`: only the last
    one of each customer and kind."""
    r, e = limit_request.c, limit_event.c
    asked = select(limit_request).order_by(r.id)
    if numbers is not None:
        asked = asked.where(bulk.among(tx, r.id, numbers))
    if keys is not None:
        asked = asked.where(bulk.among(tx, r.customer, keys))
    if newest:
        asked = asked.where(r.id.in_(select(func.max(r.id)).group_by(r.customer, r.kind, r.segment)))
    rows = tx.execute(asked).all()
    told: dict[int, list[Event]] = defaultdict(list)
    wanted = select(limit_event).where(bulk.among(tx, e.request, [row.id for row in rows]))
    for one in tx.execute(wanted.order_by(e.request, e.number)):
        told[one.request].append(Event(one.number, one.at, one.what, one.actor, one.why, one.amount))
    return [_asked(row, tuple(told[row.id])) for row in rows]


def standing_at(tx: Connection, *whats: What) -> list[int]:
    """The numbers of requests whose last event is one of these."""
    e, later = limit_event.alias("e"), limit_event.alias("later")
    followed = select(later.c.id).where(later.c.request == e.c.request, later.c.number > e.c.number).exists()
    return list(tx.execute(select(e.c.request).where(e.c.what.in_(whats), ~followed).order_by(e.c.request)).scalars())


def _asked(row: Any, events: tuple[Event, ...]) -> Asked:
    body = unpacked(row.body)
    request = Request(
        number=row.id,
        kind=row.kind,
        amount_minor=row.amount,
        currency=row.currency,
        requested_by=row.requested_by,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        percent=row.percent,
        condition=row.condition,
        segment=row.segment,
        parts=tuple((Decimal(amount), condition) for amount, condition in body.get("parts", ())),
    )
    before = None if row.before is None else request.decimal(row.before)
    return Asked(request, row.customer, row.at, row.as_of, row.why, before, row.digest, body, events)


# --- pieces ---------------------------------------------------------------------------------------------------------------
def grant(tx: Connection, key: int, pieces: Sequence[Limit], request: int, ended: Mapping[str, dt.date]) -> None:
    """Adds granted pieces of a customer's limit; `ended` are refs of those that end on a day because of them."""
    for ref, day in ended.items():
        tx.execute(update(limit_piece).where(limit_piece.c.ref == ref).values(ended_on=day))
    if pieces:
        rows = [
            {
                "customer": key, "ref": p.ref, "kind": p.kind, "amount": p.amount, "currency": p.currency,
                "percent": p.percent, "valid_from": p.valid_from, "valid_to": p.valid_to, "approved_on": p.approved_on,
                "condition": p.condition, "segment": p.segment, "request": request,
            }
            for p in pieces
        ]  # fmt: skip
        tx.execute(limit_piece.insert(), rows)


def own(tx: Connection, keys: Collection[int] | None = None) -> dict[int, list[tuple[Limit, dt.date | None]]]:
    """The pieces that were granted here, by the customer's key, each with the day on which it ended."""
    c = limit_piece.c
    asked = select(limit_piece, customer.c.ref.label("owner")).join_from(
        limit_piece, customer, customer.c.id == c.customer
    )
    if keys is not None:
        asked = asked.where(bulk.among(tx, c.customer, keys))
    found: dict[int, list[tuple[Limit, dt.date | None]]] = defaultdict(list)
    for row in tx.execute(asked.order_by(c.id)):
        piece = Limit(
            id=row.ref,
            customer_id=row.owner,
            kind=row.kind,
            amount=row.amount,
            currency=row.currency,
            percent=row.percent,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            approved_on=row.approved_on,
            condition=row.condition,
            segment=row.segment,
        )
        found[row.customer].append((piece, row.ended_on))
    return dict(found)


def kept_here(tx: Connection) -> set[int]:
    """The customers who have pieces of our own."""
    return set(tx.execute(select(limit_piece.c.customer).distinct()).scalars())


def pieces(
    tx: Connection,
    keys: Collection[int] | None,
    master: str | None,
    ledgers: Collection[str] = (),
    on: dt.date | None = None,
) -> dict[int, list[Limit]]:
    """The pieces that count for each customer, by key; customers without any are not there. `on`: as was known then.

    `master` None: what its own ledger says. "here": what was granted here, from the day of the first such piece on; before
    that, and where nothing was, what its ledger says. A system's name: what is said there, by itself or by the record of
    the same debtor; of several customers of one debtor in the `ledgers` the first has it.
    """
    if master is None:
        return customers.limits(tx, keys)
    if master == "here":
        said, granted = customers.limits(tx, keys), own(tx, keys)
        return said | {key: merged(said.get(key, ()), some, on) for key, some in granted.items()}
    return _of_master(tx, keys, master, ledgers)


def _of_master(
    tx: Connection, keys: Collection[int] | None, master: str, ledgers: Collection[str]
) -> dict[int, list[Limit]]:
    there, here = customer.alias("there"), customer.alias("here")
    mine = link.alias("mine")
    asked = (
        select(there.c.id, here.c.id)
        .join_from(link, there, there.c.id == link.c.customer)
        .join(mine, mine.c.debtor == link.c.debtor)
        .join(here, here.c.id == mine.c.customer)
        .where(there.c.system.in_(system_ids(tx, [master]) or []), here.c.system.in_(system_ids(tx, ledgers) or []))
    )
    if keys is not None:
        asked = asked.where(bulk.among(tx, here.c.id, keys))
    owner: dict[int, int] = {}
    for said_of, key in tx.execute(asked).all():
        if key == said_of or owner.get(said_of) != said_of:
            owner[said_of] = key if key == said_of else min(key, owner.get(said_of, key))
    said = customers.limits(tx, list(owner))
    found: dict[int, list[Limit]] = defaultdict(list)
    for said_of, key in sorted(owner.items()):
        found[key] += said.get(said_of, ())
    return {key: some for key, some in found.items() if some}


def ending(tx: Connection, since: dt.date, until: dt.date) -> list[int]:
    """The debtors with a main limit that ends in some days, both included."""
    c, p = credit_limit.c, limit_piece.c
    main = sorted(MAIN)
    found: set[int] = set()
    for asked in (
        select(link.c.debtor)
        .join_from(credit_limit, link, link.c.customer == c.customer)
        .where(c.kind.in_(main), c.valid_to >= since, c.valid_to <= until),
        select(link.c.debtor)
        .join_from(limit_piece, link, link.c.customer == p.customer)
        .where(p.kind.in_(main), p.valid_to >= since, p.valid_to <= until, p.ended_on.is_(None)),
    ):
        found.update(tx.execute(asked.distinct()).scalars())
    return sorted(found)
