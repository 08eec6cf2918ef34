"""The trend of one customer: what it owed at the last month ends and owes today, and what of that was overdue."""

from __future__ import annotations

import datetime as dt

from connector.credit.ageing import default_edges
from connector.credit.limit import NO_LIMIT
from connector.credit.position import position
from connector.credit.totals import Totals
from connector.store import Connection
from connector.store.month_ends import day_ends_of
from jobs.customer_figures import Course
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.panel_shape import Point

_MONTHS = 6


def trend(tx: Connection, base: Frame, judged: Judged, aged: Course | None = None) -> tuple[Point, ...]:
    """The points, oldest first; today is the last one. Empty where a day's figures cannot be told in the customer's currency:
    a line with a gap would be read as a fall. `aged`: its course over more month ends, where that is known already."""
    if aged is not None and len(aged.ends) > _MONTHS:
        before = [Point(end.on, end.balance, end.overdue) for end in aged.ends[-_MONTHS - 1 : -1]]
        return (*before, Point(base.as_of, judged.position.balance, judged.position.overdue))
    days = [*month_ends(base.as_of, _MONTHS), base.as_of]
    now, currency = judged.position, judged.position.currency
    edges = base.policy.ageing.edges("due") or default_edges("due")
    rows: dict[int, list[Totals]] = {}
    for one in day_ends_of(tx, days, [m.key for m in judged.members], edges=edges, systems=base.systems):
        rows.setdefault(one.place, []).append(one.totals)
    found = []
    for place, day in enumerate(days[:-1]):
        then = position(
            now.customer,
            currency,
            rows.get(place, ()),
            NO_LIMIT,
            base.rates,
            day,
            base.policy,
            edges,
            "due",
            "separate",
        )
        if any(reason.rule == "no_rate" for reason in then.unclear):
            return ()
        found.append(Point(day, then.balance, then.overdue))
    return (*found, Point(base.as_of, now.balance, now.overdue))


def month_ends(as_of: dt.date, count: int) -> list[dt.date]:
    """The last days of so many months before the one of a day, oldest first."""
    found = []
    first = as_of.replace(day=1)
    for _ in range(count):
        last = first - dt.timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]
