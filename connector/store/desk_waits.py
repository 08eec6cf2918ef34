"""What waits at the desk, asked for everybody at once and cut off where nobody reads on: reviews, dunning, promises."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from connector.store import bulk
from connector.store.tables import contact, dunning_step, link, promise, review

# Of a book's steps the newest ones are looked at: older ones have had their time.
_STEPS_MOST = 5000


class ReviewDue(NamedTuple):
    """An open review of a debtor."""

    id: int
    debtor: int
    state: str
    due_on: dt.date
    why: str
    reviewer: str | None
    conclusion: str | None


class Step(NamedTuple):
    """The newest step of dunning of a debtor after which nobody has spoken with it: the highest level and its channel."""

    debtor: int
    customer: int
    on: dt.date
    level: int
    channel: str | None


def reviews_due(
    tx: Connection,
    until: dt.date,
    *,
    states: Collection[str] | None = None,
    before: dt.date | None = None,
    among: Collection[int] | None = None,
    after: tuple[dt.date, int] | None = None,
    most: int = 200,
) -> list[ReviewDue]:
    """Open reviews that are due by a day, or begun already, the soonest first; in some states, due before a day, of some
    debtors, and after one of them by its day and number."""
    r = review.c
    chosen = [_waiting(until)]
    if states is not None:
        chosen.append(r.state.in_(sorted(states)))
    if before is not None:
        chosen.append(r.due_on < before)
    if among is not None:
        chosen.append(bulk.among(tx, r.debtor, among))
    if after is not None:
        chosen.append(or_(r.due_on > after[0], and_(r.due_on == after[0], r.id > after[1])))
    asked = select(r.id, r.debtor, r.state, r.due_on, r.why, r.reviewer, r.conclusion).where(*chosen)
    return [ReviewDue(*row) for row in tx.execute(asked.order_by(r.due_on, r.id).limit(most)).all()]


def review_counts(
    tx: Connection, until: dt.date, today: dt.date, among: Collection[int] | None = None
) -> dict[str, int]:
    """How many of these there are by state, and `late`: how many of them were due before today."""
    r = review.c
    late = func.sum(case((r.due_on < today, 1), else_=0))
    asked = select(r.state, func.count(), late).where(_waiting(until)).group_by(r.state)
    if among is not None:
        asked = asked.where(bulk.among(tx, r.debtor, among))
    found = {"planned": 0, "started": 0, "proposed": 0, "late": 0}
    for state, count, overdue in tx.execute(asked):
        found[state] = count
        found["late"] += int(overdue or 0)
    return found


def _waiting(until: dt.date) -> ColumnElement[bool]:
    r = review.c
    return and_(r.state != "done", or_(r.due_on <= until, r.state != "planned"))


def steps_to_take(tx: Connection, since: dt.date) -> list[Step]:
    """Debtors with a step of dunning since a day and no contact on or after it, one line each, the highest level first."""
    s, c = dunning_step.c, contact.c
    newest = select(s.id).order_by(s.id.desc()).limit(_STEPS_MOST).subquery()
    asked = (
        select(link.c.debtor, s.customer, s.as_of, s.level, s.channel)
        .join_from(dunning_step, newest, newest.c.id == s.id)
        .join(link, link.c.customer == s.customer)
        .where(
            s.as_of >= since,
            s.what == "step",
            s.channel.is_not(None),
            ~select(c.id).where(and_(c.customer == s.customer, c.on >= s.as_of)).exists(),
        )
        .order_by(s.level, s.as_of)
    )
    found = {row[0]: Step(*row) for row in tx.execute(asked)}
    return sorted(found.values(), key=lambda one: (-one.level, one.on, one.debtor))


def promising(tx: Connection) -> set[int]:
    """The debtors that have promised anything, whoever took it down."""
    told = select(link.c.debtor).join_from(promise, link, link.c.customer == promise.c.customer)
    noted = select(link.c.debtor).join_from(contact, link, link.c.customer == contact.c.customer)
    noted = noted.where(contact.c.promise_on.is_not(None))
    return set(tx.execute(told.union(noted)).scalars())
