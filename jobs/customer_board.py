"""The board: what was last decided of every customer, figure by figure, kept in memory so that lists are sorted at once.

It is renewed from the store by what has changed since: of 20,000 customers a renewal reads their standings, and only the
decisions that are new.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.config import Config
from connector.credit.rates import Rates
from connector.policy import LEVELS, Policy
from connector.store import Connection, customer_list, customers, decisions

ZERO = Decimal(0)
_TOGETHER = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """The last decision of one debtor. Amounts are in `currency`; `limit` None: there is none, or it is unlimited
    (`limit_kind`); `used` is a share of 1. `late` are the days past due of the oldest item on the day `as_of`."""

    debtor: int
    decision: int
    as_of: dt.date
    system: str
    ref: str
    currency: str
    exposure: Decimal
    balance: Decimal
    overdue: Decimal
    limit_kind: str
    limit: Decimal | None
    available: Decimal | None
    used: Decimal | None
    late: int
    hold: bool
    level: str
    grade: str | None
    score: Decimal | None
    held_orders: int
    held_since: dt.date | None
    warned_since: dt.date | None

    def late_on(self, day: dt.date) -> int:
        """Days past due of the oldest item on a later day: the calendar alone makes no new decision."""
        return self.late + max(0, (day - self.as_of).days) if self.overdue > 0 and self.late > 0 else 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shows. `sort` is a key of `SORTS`, with "-" before it for the greatest first."""

    words: str = ""
    level: str = ""
    grade: str = ""
    segment: str = ""
    state: str = ""  # hold, overdue, over, orders
    sort: str = "-exposure"


@dataclass
class Board:
    """The lines of all debtors by their key; one for a process."""

    lines: dict[int, Line] = field(default_factory=dict)
    _state: customer_list.State | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def renew(self, tx: Connection) -> Mapping[int, Line]:
        """The lines as they are now in the store; while another thread renews them, as they were before."""
        if not self._lock.acquire(blocking=not self.lines):
            return self.lines
        try:
            return self._renewed(tx)
        finally:
            self._lock.release()

    def _renewed(self, tx: Connection) -> Mapping[int, Line]:
        state = customer_list.state(tx)
        if state == self._state:
            return self.lines
        now, old = dict(customer_list.standings(tx)), self.lines
        changed = [debtor for debtor, number in now.items() if debtor not in old or old[debtor].decision != number]
        lines = {debtor: line for debtor, line in old.items() if debtor in now}
        for at in range(0, len(changed), _TOGETHER):
            for debtor, row in decisions.latest(tx, changed[at : at + _TOGETHER]).items():
                lines[debtor] = line_of(debtor, row.id, row.as_of, decisions.content(row.kept))
        self.lines, self._state = lines, state
        return lines


def line_of(debtor: int, number: int, as_of: dt.date, body: Mapping[str, Any]) -> Line:
    """A decision's content as a line."""
    limit = body["limit"]
    return Line(
        debtor,
        number,
        as_of,
        body["system"],
        body["customer_id"],
        body["currency"],
        Decimal(body["exposure"]["total"]),
        Decimal(body["balance"]),
        Decimal(body["overdue"]),
        limit["kind"],
        _decimal(limit["amount"]),
        _decimal(body["available"]),
        _decimal(body["utilisation"]),
        int(body["oldest_overdue_days"] or 0),
        bool(body["hold"]),
        body["warning_level"] or "green",
        body["grade"],
        _decimal(body["score"]),
        len(body.get("orders", ())),
        _date(body.get("held_since")),
        _date(body.get("warned_since")),
    )


def _decimal(said: str | None) -> Decimal | None:
    return None if said is None else Decimal(said)


def _date(said: str | None) -> dt.date | None:
    return None if said is None else dt.date.fromisoformat(said)


class Home:
    """Amounts in the reporting currency, for putting lines in order and adding them up; each rate is looked up once."""

    def __init__(self, tx: Connection, config: Config, policy: Policy, day: dt.date) -> None:
        systems = [s.name for s in config.with_role("erp", "rates")]
        self.currency = config.business.currency
        self._day, self._tx, self._systems, self._policy = day, tx, systems, policy
        self._rates: Rates | None = None
        self._one: dict[str, Decimal | None] = {self.currency: Decimal(1)}

    def __call__(self, amount: Decimal, currency: str) -> Decimal | None:
        """None where there is no rate."""
        if currency not in self._one:
            if self._rates is None:
                most = self._policy.currency.max_rate_age_days
                since = self._day - dt.timedelta(days=most)
                found = customers.rates(self._tx, systems=self._systems, since=since, until=self._day)
                self._rates = Rates(found, self.currency, most)
            self._one[currency] = self._rates.convert(Decimal(1), currency, self.currency, self._day)
        rate = self._one[currency]
        return None if rate is None else amount * rate


# --- lists -------------------------------------------------------------------------------------------------------------------
STATES: Mapping[str, Callable[[Line], bool]] = {
    "hold": lambda line: line.hold,
    "orders": lambda line: line.held_orders > 0,
    "overdue": lambda line: line.overdue > 0,
    "over": lambda line: line.used is not None and line.used > 1,
}
SORTS = ("name", "exposure", "overdue", "used", "late", "limit", "available", "level", "score")


def listed(tx: Connection, config: Config, lines: Mapping[int, Line], wanted: Wanted, home: Home) -> list[int]:
    """The debtors that a list shows, in its order; those never judged come last."""
    systems = [s.name for s in config.with_role("erp")]
    found = customer_list.debtors(tx, systems, wanted.words, segment=wanted.segment or None) if systems else []
    if wanted.level or wanted.grade or wanted.state:
        found = [debtor for debtor in found if (line := lines.get(debtor)) is not None and _fits(line, wanted)]
    key, down = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    if key == "name":
        return found[::-1] if down else found
    value = _VALUES[key]
    ranked = [(value(lines[debtor], home), debtor) for debtor in found if debtor in lines]
    known = [pair for pair in ranked if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=down)
    last = [debtor for worth, debtor in ranked if worth is None]
    return [debtor for _, debtor in known] + last + [debtor for debtor in found if debtor not in lines]


def _fits(line: Line, wanted: Wanted) -> bool:
    return (
        (not wanted.level or line.level == wanted.level)
        and (not wanted.grade or (line.grade or "-") == wanted.grade)
        and (not wanted.state or STATES[wanted.state](line))
    )


_VALUES: Mapping[str, Callable[[Line, Home], Any]] = {
    "exposure": lambda line, home: home(line.exposure, line.currency),
    "overdue": lambda line, home: home(line.overdue, line.currency),
    "used": lambda line, home: line.used,
    "late": lambda line, home: line.late if line.overdue > 0 else 0,
    "limit": lambda line, home: None if line.limit is None else home(line.limit, line.currency),
    "available": lambda line, home: None if line.available is None else home(line.available, line.currency),
    "level": lambda line, home: LEVELS.index(line.level),
    "score": lambda line, home: line.score,
}


def grades(lines: Collection[Line]) -> Sequence[str]:
    """The grades that anybody has."""
    return sorted({line.grade for line in lines if line.grade})
