"""Turns of signs: whose warnings the calendar alone may change between two days, though no fact and no figure did.

A superset, cheaply found: a limit or an insurance comes near its end, a promise has come due or is out of sight, a
statement has grown old. Windows of payments and orders that slide on are looked at in the nightly full run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from connector.credit.terms import months_later
from connector.store.tables import contact, credit_limit, event, financial, promise

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Turning:
    """Which days turn something: so many days before an end; so many after a promise's day; so many months after the day
    of a statement, or of an event; so many days after an event."""

    before_end: Collection[int] = ()
    after_promise: Collection[int] = ()
    months: Collection[int] = ()
    after_event: Collection[int] = ()


def signs_turned(tx: Connection, since: dt.date, until: dt.date, turning: Turning) -> set[int]:
    """Customers whose signs may be others at the end of `until` than at the end of `since`."""
    ends = [(since + days * _DAY, until + days * _DAY) for days in turning.before_end]
    kept = [(since - days * _DAY, until - days * _DAY) for days in turning.after_promise]
    aged = [(months_later(since, -n) - _DAY, months_later(until, -n)) for n in turning.months]
    told = [*aged, *((since - days * _DAY, until - days * _DAY) for days in turning.after_event)]
    found: set[int] = set()
    for column, owner, spans in (
        (credit_limit.c.valid_to, credit_limit.c.customer, ends),
        (promise.c.due_on, promise.c.customer, kept),
        (contact.c.promise_on, contact.c.customer, kept),
        (financial.c.period_end_on, financial.c.customer, aged),
        (event.c.on, event.c.customer, told),
        (event.c.ended_on, event.c.customer, [(since, until)]),
    ):
        if spans:
            within = or_(*(and_(column > low, column <= high) for low, high in spans))
            found.update(tx.execute(select(owner).distinct().where(within)).scalars())
    return found
