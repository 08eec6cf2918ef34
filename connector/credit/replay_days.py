"""The days on which a conclusion can turn without any new fact: ages of debts, limits, rates, seasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from decimal import ROUND_CEILING

from connector.credit.rates import Rates
from connector.credit.replay_history import Day
from connector.credit.stage import in_season, parse_condition
from connector.model import Limit
from connector.policy import Policy


def overdue_days(policies: Iterable[Policy]) -> list[int]:
    """The ages in days, rising, at which the oldest undisputed debt changes a conclusion of one of the policies."""
    found: set[int] = set()
    for policy in policies:
        if policy.hold.oldest_overdue.on:
            found.add(policy.hold.oldest_overdue.grace_days + 1)
        steps = policy.warning.oldest_overdue_days
        if steps.on:
            given = (steps.yellow, steps.orange, steps.red)
            found |= {int(s.to_integral_value(ROUND_CEILING)) for s in given if s is not None}
    return sorted(found)


def limit_days(limits: Sequence[Limit], first: Day, last: Day) -> set[Day]:
    """The days from which on a limit may be another one."""
    found: set[Day] = set()
    for limit in limits:
        if limit.valid_from:
            found.add(limit.valid_from.toordinal())
        if limit.valid_to and limit.valid_to < dt.date.max:
            found.add(limit.valid_to.toordinal() + 1)
        if limit.kind == "seasonal":
            found |= _season_days(limit, first, last)
        elif limit.kind == "stage":
            try:
                condition = parse_condition(limit.condition)
            except ValueError:
                continue  # told where the limit is reckoned up
            days = (condition.from_on, condition.released_on)
            found |= {day.toordinal() for day in days if day is not None}
            asked = (condition.late_days, condition.paid, condition.suspend_late_days, condition.suspend_paid)
            if any(one is not None for one in asked):
                found.update(range(first, last + 1))  # what it asks for moves from day to day
    return found


def _season_days(limit: Limit, first: Day, last: Day) -> set[Day]:
    found, before = set(), False
    for day in range(first, last + 1):
        try:
            now = in_season(limit.condition, dt.date.fromordinal(day))
        except ValueError:
            return set()
        if now != before:
            found.add(day)
        before = now
    return found


def rate_days(rates: Iterable[Rates], currencies: Collection[str], first: Day, last: Day) -> list[Day]:
    """The days from which on amounts of some currencies may be converted otherwise: a new rate, or one too old."""
    found = {day.toordinal() for one in rates for day in one.days(currencies)}
    return sorted(day for day in found if first < day <= last)


def has_amounts(policy: Policy) -> bool:
    """Whether a rule compares with an amount of the policy, which is in the reporting currency."""
    hold = policy.hold
    return bool(hold.limit_exceeded.tolerance_amount) or hold.overdue_amount.on or hold.order_value.on
