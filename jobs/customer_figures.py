"""Figures of one customer beside its position: how it pays, how long its sales stand out, how its debts have aged."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit import kpi
from connector.credit.ageing import default_edges, labels
from connector.credit.habits import Habits
from connector.credit.kpi import CountBack, Month
from connector.credit.limit import NO_LIMIT
from connector.credit.position import position
from connector.credit.terms import months_later
from connector.credit.totals import Totals
from connector.store import Connection
from connector.store.history import sales_by_month
from connector.store.month_ends import day_ends_of
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.score import scorer

ZERO, DAY = Decimal(0), dt.timedelta(days=1)
_MONTHS = 12
_SALES_MONTHS = 24


@dataclass(frozen=True, slots=True)
class End:
    """What was owed at the end of a day, by age: `buckets` from not due to the oldest, of debts by their due date."""

    on: dt.date
    buckets: tuple[Decimal, ...]
    balance: Decimal
    overdue: Decimal


@dataclass(frozen=True, slots=True)
class Course:
    """How debts have aged over month ends, oldest first, today last; `labels` name the buckets. No `ends` where a day's
    figures cannot be told in the customer's currency."""

    labels: tuple[str, ...]
    ends: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class Paying:
    """How a customer pays. DSO is by count-back, in days; None where nothing was sold. `sold` are the sales of the last
    twelve calendar months with this one, in the customer's currency; None where a rate is missing."""

    habits: Habits
    count_back: CountBack | None
    sold: Decimal | None


def course(tx: Connection, base: Frame, judged: Judged, months: int = _MONTHS) -> Course:
    """The ageing at so many month ends before the day of the frame, and on that day."""
    days = [*_month_ends(base.as_of, months), base.as_of]
    currency = judged.position.currency
    edges = base.policy.ageing.edges("due") or default_edges("due")
    rows: dict[int, list[Totals]] = defaultdict(list)
    for one in day_ends_of(tx, days, [m.key for m in judged.members], edges=edges, systems=base.systems):
        rows[one.place].append(one.totals)
    names = tuple(labels(edges, "due"))
    found = []
    for place, day in enumerate(days):
        then = position(
            judged.position.customer, currency, rows.get(place, ()), NO_LIMIT, base.rates, day, base.policy, edges,
            "due", "separate",
        )  # fmt: skip
        if any(reason.rule == "no_rate" for reason in then.unclear):
            return Course(names, ())
        found.append(End(day, tuple(then.buckets.values()), then.balance, then.overdue))
    return Course(names, tuple(found))


def _month_ends(as_of: dt.date, count: int) -> list[dt.date]:
    first, found = as_of.replace(day=1), []
    for _ in range(count):
        found.append(first - DAY)
        first = (first - DAY).replace(day=1)
    return found[::-1]


def paying(tx: Connection, base: Frame, judged: Judged) -> Paying:
    """How a customer pays, over all accounts of the same debtor."""
    keys = [m.key for m in judged.members]
    habits = judged.habits
    if habits is None:
        known = scorer(tx, base.cards, base.rates, base.as_of, base.systems, [judged.debtor], keys)
        habits, _ = known.habits(judged.members, judged.position.currency)
    months = _sold(tx, base, judged, keys)
    if months is None:
        return Paying(habits, None, None)
    sold = sum((month.sales for month in months[:_MONTHS]), ZERO)
    receivables = sum((amount for amount in judged.position.buckets.values()), ZERO)
    any_sale = any(month.sales > 0 for month in months)
    return Paying(habits, kpi.dso_count_back(receivables, months) if any_sale else None, sold)


def _sold(tx: Connection, base: Frame, judged: Judged, keys: Sequence[int]) -> list[Month] | None:
    """Sales by calendar month, newest first, back to the first with a sale; None where one has no rate."""
    since = months_later(base.as_of.replace(day=1), -(_SALES_MONTHS - 1))
    sums: dict[dt.date, Decimal] = defaultdict(Decimal)
    for one in sales_by_month(tx, keys, since=since, until=base.as_of, systems=base.systems):
        amount = one.amount
        converted = base.rates.convert(amount, one.currency, judged.position.currency, base.as_of)
        if converted is None:
            return None
        sums[one.month] += converted
    if not sums:
        return []
    found, first, last = [], base.as_of.replace(day=1), base.as_of
    while first >= min(sums):
        found.append(Month(sums.get(first, ZERO), kpi.days_between(first, last)))
        first, last = months_later(first, -1), first - DAY
    return found
