"""Orders as lists for people: held, warned, waiting for who looks, all that are open; by what was decided last.

Nobody is judged anew for a list, but for the one of what waits for somebody: who may decide depends on the figures of now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.authority import Person
from connector.credit.rates import Rates
from connector.credit.warn import combined
from connector.policy import Level, Policy
from connector.store import Connection, alerts, customers, order_list
from connector.store.customers import CustomerRow
from connector.store.order_list import Filter, Line, Sort
from connector.store.sorted_pages import Place
from jobs.waiting import found

Show = Literal["held", "mine", "warned", "all"]
SHOWS: tuple[Show, ...] = get_args(Show)
HELD = frozenset({"held", "requested", "refused", "expired"})
_PASSED = frozenset({"passed", "released"})
# Of more requests than these the ones that matter first are looked at.
_ASKED_MOST = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list: its lines, what the next page comes after, how many there are in all. By debtor, the customer of
    the ledger and the warning level of each line."""

    today: dt.date
    lines: list[Line]
    after: Place | None
    count: int
    whose: Mapping[int, CustomerRow]
    levels: Mapping[int, Level]


def listed(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    show: Show,
    *,
    words: str = "",
    sort: Sort = "ship",
    down: bool = False,
    after: Place | None = None,
    person: Person | None = None,
    most: int = 50,
) -> Listed:
    """A page of one of the lists, sorted; `person` is for whom orders wait in "mine"."""
    today = day_in(clock.now(), config.business.time_zone)
    wanted = Filter(words=words)
    if show == "held":
        wanted = Filter(HELD, held=True, words=words)
    elif show == "warned":
        wanted = Filter(_PASSED, warned=True, words=words)
    elif show == "mine":
        wanted = Filter(frozenset({"requested"}), True, _mine(tx, config, policy, clock, person), words=words)
    lines, more = order_list.lines(
        tx, wanted, sort=sort, down=down, after=after, most=most,
        worth=worth_of(tx, config, policy, today) if sort == "total" else None,
    )  # fmt: skip
    debtors = {line.debtor for line in lines}
    whose: dict[int, CustomerRow] = {}
    erps = [system.name for system in config.with_role("erp")]
    for row in customers.customers(tx, systems=erps, debtors=debtors) if debtors and erps else ():
        if row.debtor is not None:
            whose.setdefault(row.debtor, row)
    warned = alerts.standing(tx, debtors) if debtors else {}
    levels = {
        debtor: combined([one.state.level for one in open_ones.values()], policy.warning)
        for debtor, open_ones in warned.items()
    }
    return Listed(today, lines, more, order_list.count(tx, wanted), whose, levels)


def held_count(tx: Connection) -> int:
    """How many orders are held now."""
    return order_list.count(tx, Filter(HELD, held=True))


def _mine(tx: Connection, config: Config, policy: Policy, clock: Clock, person: Person | None) -> frozenset[int]:
    if person is None:
        return frozenset()
    rows, _, _ = found(tx, config, policy, clock, person, most=_ASKED_MOST, states={"requested"})
    return frozenset(one.row.key for one in rows if one.mine and one.standing and one.standing.state == "requested")


def worth_of(tx: Connection, config: Config, policy: Policy, today: dt.date) -> dict[str, Decimal]:
    """What one unit of each currency is in the reporting currency, where that can be said."""
    systems = [system.name for system in config.with_role("erp", "rates")]
    known = customers.rates(tx, systems=systems) if systems else []
    rates = Rates(known, config.business.currency, policy.currency.max_rate_age_days)
    codes = {code for one in known for code in (one.from_currency, one.to_currency)}
    converted = {code: rates.convert(Decimal(1), code, config.business.currency, today) for code in sorted(codes)}
    return {code: one for code, one in converted.items() if one is not None}
