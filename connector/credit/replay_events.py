"""What happens to a family of debtors and when: facts, due days, orders, and days that turn something by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connector.credit.rates import Rates
from connector.credit.replay_days import has_amounts, limit_days, rate_days
from connector.credit.replay_history import Day, Family
from connector.policy import Policy

# What happens on a day, in the order in which it is taken.
WORTH, LATE, PLACED, REST, CLOSED, LOOK, LIMIT = range(7)


class Happening(NamedTuple):
    """Something that happens: to the line or order at a place of the family's list (`nth` worth or rest of it), or to the
    debtor at a place."""

    day: Day
    what: int
    place: int
    nth: int = 0


def happenings(
    family: Family, policies: Sequence[Sequence[Policy]], rates: Sequence[Rates], first: Day, last: Day
) -> list[Happening]:
    """All that happens until `last`, in the order of days. `policies` are those of each debtor's segment."""
    debtor_of = {m.customer: at for at, d in enumerate(family.debtors) for m in d.members}
    found = [
        *_of_lines(family, last),
        *_of_orders(family, {p.exposure.order_horizon_days for p in policies[0]}, debtor_of, last),
        *_of_limits(family, first, last),
        *_of_rates(family, policies, rates, debtor_of, first, last),
    ]
    found.sort()
    return found


def _of_lines(family: Family, last: Day) -> Iterator[Happening]:
    for at, line in enumerate(family.lines):
        late_on, late_worth = line.due + 1, 0
        for place, worth in enumerate(line.worth):
            if worth.day > last:
                break
            yield Happening(worth.day, WORTH, at, place)
            if worth.day <= late_on:
                late_worth = worth.value
        # A line that is settled in time is never late, unless it is opened again.
        ever = late_worth > 0 or any(w.value > 0 and w.day > late_on for w in line.worth)
        if ever and late_on <= last:
            yield Happening(late_on, LATE, at)


def _of_orders(family: Family, horizons: set[int | None], debtor_of: dict[int, int], last: Day) -> Iterator[Happening]:
    for at, order in enumerate(family.orders):
        if order.placed > last:
            continue
        yield Happening(order.placed, PLACED, at)
        for place, rest in enumerate(order.rests[1:], 1):
            if rest.day <= last:
                yield Happening(rest.day, REST, at, place)
        if order.closes is not None and order.closes <= last:
            yield Happening(order.closes, CLOSED, at)
        until = order.closes if order.closes is not None else last + 1
        ships = {ship for rest in order.rests for ship, _ in rest.waiting if ship is not None}
        ships |= {order.ship} if order.ship is not None else set()
        for horizon in horizons:
            for ship in ships if horizon is not None else ():
                enters = ship - (horizon or 0)
                if order.placed < enters < until:
                    yield Happening(enters, LOOK, debtor_of[order.customer])


def _of_limits(family: Family, first: Day, last: Day) -> Iterator[Happening]:
    for at, debtor in enumerate(family.debtors):
        days: set[Day] = set()
        for member in debtor.members:
            days |= limit_days(member.limits, first, last)
        for day in days:
            if first < day <= last:
                yield Happening(day, LIMIT, at)


def _of_rates(
    family: Family,
    policies: Sequence[Sequence[Policy]],
    rates: Sequence[Rates],
    debtor_of: dict[int, int],
    first: Day,
    last: Day,
) -> Iterator[Happening]:
    by_debtor: dict[int, set[str]] = defaultdict(set)
    for line in family.lines:
        by_debtor[debtor_of[line.customer]].add(line.currency)
    for order in family.orders:
        by_debtor[debtor_of[order.customer]].add(order.currency)
    for at, debtor in enumerate(family.debtors):
        for member in debtor.members:
            by_debtor[at].add(member.currency)
            by_debtor[at] |= {limit.currency for limit in member.limits if limit.currency}
    base = rates[0].base
    for at, debtor in enumerate(family.debtors):
        used = set(by_debtor[at])
        for above in (at, *debtor.above):
            used |= set().union(*(by_debtor[one] for one in family.debtors[above].below))
        # Figures of one currency need no rate; amounts of the policy do.
        if len(used) > 1 or (used != {base} and any(map(has_amounts, policies[at]))):
            for day in rate_days(rates, used | {base}, first, last):
                yield Happening(day, LOOK, at)
