"""The portfolio's report: month ends, payments, sales and control totals of the whole ledger, put together from the store.

Everything is in the reporting currency at the rates of one day, that of the report, so that a trend shows customers
and not exchange rates. Debts without a rate are left out, and said to be.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from connector.clock import Clock
from connector.config import Config
from connector.credit import ecl, kpi
from connector.credit.ageing import labels
from connector.credit.limit import added, effective
from connector.credit.portfolio import Figures, MonthEnd, Sales, figures, month_ends
from connector.credit.position import position
from connector.credit.rates import Quote, Rates
from connector.credit.terms import months_later
from connector.credit.totals import Totals
from connector.credit.warn import indicators, worst
from connector.model import Limit
from connector.money import EXACT, exponent
from connector.policy import LEVELS, Level, Policy
from connector.store import Connection, flows
from connector.store.customers import CustomerRow
from connector.store.flows import Control, Payment
from connector.store.limits import pieces as limit_pieces
from connector.store.month_ends import day_ends
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.progress import Progress, silent

ZERO = Decimal(0)
INDEX_MONTHS = 24


class RatesOf(Rates):
    """The rates of one day, whatever day is asked for."""

    def __init__(self, rates: Rates, on: dt.date) -> None:
        super().__init__((), rates.base, rates.max_age_days)
        self._all, self._on = rates, on

    def quote(self, frm: str, to: str, on: dt.date) -> Quote | None:
        """What converts one currency into another on that day."""
        return self._all.quote(frm, to, self._on)

    def home(self, minor: int | Decimal, currency: str) -> Decimal | None:
        """Minor units of a currency as an amount in the reporting currency, unrounded; None where no rate is known."""
        return self.convert(Decimal(minor).scaleb(-exponent(currency), EXACT), currency, self.base, self._on)


@dataclass(frozen=True, slots=True)
class Risk:
    """A debtor on the day of the report, in the reporting currency; None where it cannot be converted."""

    first: CustomerRow
    level: Level
    hold: bool
    receivables: Decimal | None
    overdue: Decimal | None
    oldest_days: int
    exposure: Decimal | None
    limit_kind: str
    utilisation: Decimal | None


@dataclass(frozen=True, slots=True)
class Checked:
    """One currency: what the ledger says, and what all customers together say; both in minor units."""

    currency: str
    ledger: Control
    customers: int

    @property
    def difference(self) -> int:
        """Nothing, or somebody has to look."""
        return self.customers - self.ledger.balance


@dataclass
class Portfolio:
    """The whole report of one day. `ends`, `figures` and `checks` are of the same days, oldest first.

    `rolls` are the average roll rates over those days, `rolls_last` the newest ones. `left_out` are currencies without
    a rate, `rates` those of the day.
    """

    as_of: dt.date
    currency: str
    buckets: tuple[str, ...]
    window: int
    ends: list[MonthEnd]
    figures: list[Figures]
    checks: list[list[Checked]]
    rolls: list[ecl.Roll]
    rolls_last: list[Decimal | None]
    risks: list[Risk]
    top: int
    left_out: set[str] = field(default_factory=set)
    rates: RatesOf | None = None

    @property
    def ties(self) -> bool:
        """Whether on every day the customers' sum is the ledger's."""
        return all(check.difference == 0 for day in self.checks for check in day)


def portfolio(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    as_of: dt.date,
    *,
    months: int = 24,
    window: int = 3,
    top: int = 10,
    progress: Progress = silent,
) -> Portfolio:
    """The portfolio at the end of a day and at so many month ends, that day among them."""
    base = frame(tx, config, policy, clock, as_of)
    days = month_ends(as_of, months - 1 + window)
    reading = _Reading(tx, base, days, window)
    reading.open_items(progress)
    reading.payments(flows.payments(tx, months_later(days[0], -INDEX_MONTHS), as_of, base.systems))
    sales = Sales(
        (on, until, home)
        for currency, on, until, value in flows.sold(tx, as_of, base.systems)
        if (home := reading.home(value, currency)) is not None
    )
    made = [figures(reading.ends, place, sales, window=window, top=top) for place in range(window, len(days))]
    shown = reading.ends[window:]
    # The last interval is a month only where the day of the report ends one.
    whole = [end.buckets for end in (shown if (as_of + dt.timedelta(days=1)).day == 1 else shown[:-1])]
    last = whole[-2:] if len(whole) > 1 else []
    return Portfolio(
        as_of,
        config.business.currency,
        reading.buckets,
        window,
        shown,
        made,
        reading.checks(flows.control(tx, days[window:], base.systems)),
        ecl.rolls(whole),
        [kpi.roll_rate(last[1][n + 1], last[0][n]) for n in range(len(last[0]) - 1)] if last else [],
        sorted((_risk(judged, reading.rates, as_of) for judged in judge(tx, base, orders=False)), key=_worst_first),
        top,
        reading.left_out,
        reading.rates,
    )


class _Reading:
    """The month ends while they are being added up: per currency in whole minor units, converted once at the end."""

    def __init__(self, tx: Connection, base: Frame, days: Sequence[dt.date], shown: int) -> None:
        self.tx, self.base, self.days, self.shown = tx, base, days, shown
        self.edges = base.policy.ageing.edges_days
        self.buckets = labels(self.edges, "due")
        self.rates = RatesOf(base.rates, base.as_of)
        self.left_out: set[str] = set()
        self.ends = [MonthEnd(day, ()) for day in days]
        self.sums: list[dict[str, list[int]]] = [{} for _ in days]
        self.experience: list[dict[str, list[Decimal]]] = [defaultdict(lambda: [ZERO, ZERO]) for _ in days]
        self.limits: dict[int, list[Limit]] = limit_pieces(tx, None, base.config.limits.master, base.systems)

    def home(self, minor: int | Decimal, currency: str) -> Decimal | None:
        """An amount in the reporting currency; a currency without a rate is remembered."""
        found = self.rates.home(minor, currency)
        if found is None and minor:
            self.left_out.add(currency)
        return found

    # --- what is open ---
    def open_items(self, progress: Progress) -> None:
        """Adds up every customer's open items; debtors are judged as soon as all their customers are there."""
        base, places = self.base, len(self.buckets)
        base.load(self.tx)
        waiting: dict[int, dict[int, list[Totals]]] = defaultdict(lambda: defaultdict(list))
        told = day_ends(self.tx, self.days, edges=self.edges, systems=base.systems)
        for done, (key, cells) in enumerate(told, 1):
            progress("portfolio", done)
            row = base.rows.get(key)
            debtor = row.debtor if row is not None else None
            alone = debtor is None or len(base.members[debtor]) == 1
            own: dict[int, list[Totals]] = defaultdict(list) if alone else waiting[debtor or 0]
            for cell in cells:
                totals, place = cell.totals, cell.place
                there = self.sums[place].setdefault(totals.currency, [0] * (places + 3))
                credits = totals.cash + totals.notes
                for n, amount in enumerate((*totals.buckets, credits, totals.disputed, totals.undisputed_overdue)):
                    there[n] += amount
                own[place].append(totals)
                self._late(place, totals.currency, cell.late)
            if alone:
                self._debtor([row] if row is not None else [], own)
        for debtor, own in waiting.items():
            self._debtor([base.rows[key] for key in base.members[debtor]], own)
        for end, sums in zip(self.ends, self.sums, strict=True):
            total = [ZERO] * (places + 3)
            for currency, own_sums in sums.items():
                homes = [self.home(amount, currency) for amount in own_sums]
                total = [EXACT.add(a, b or ZERO) for a, b in zip(total, homes, strict=True)]
            end.buckets = tuple(total[:places])
            end.unapplied, end.disputed, end.undisputed_overdue = total[places:]

    def _late(self, place: int, currency: str, late: Iterable[tuple[int, int]]) -> None:
        for days, amount in late:
            self._experience(place, place + 1, currency, amount, amount * _points(days))
            self.ends[place].experiences += 1

    def _debtor(self, members: Sequence[CustomerRow], own: dict[int, list[Totals]]) -> None:
        for place, rows in own.items():
            if place < self.shown:
                continue
            owed = [self.home(row.receivables, row.currency) for row in rows]
            total = sum((amount for amount in owed if amount is not None), ZERO)
            if total > 0:
                self.ends[place].owed.append(total)
            if members:
                self.ends[place].levels[self._level(members, place, rows)] += 1

    def _level(self, members: Sequence[CustomerRow], place: int, rows: Sequence[Totals]) -> Level:
        """The level that the ledger of the day gives by itself, without yesterday's and without orders on hand."""
        day, first, policy = self.days[place], members[0], self.base.policy
        convert = self.rates.convert
        currency = first.currency or self.base.config.business.currency
        granted = [
            effective(self.limits.get(one.key, ()), day, None, convert, currency=one.currency or currency)
            for one in members
        ]
        limit = granted[0] if len(granted) == 1 else added(granted, day, convert)
        stood = position(first.key, currency, rows, limit, self.rates, day, policy, self.edges, "due", "separate")
        return worst(indicators(stood, policy.of(first.segment).warning))

    # --- what was paid ---
    def payments(self, paid: Iterable[Payment]) -> None:
        """Adds payments to the days late of their month, and to the payment index of the 24 months that follow."""
        starts = [months_later(day, -INDEX_MONTHS) for day in self.days]
        late: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        changes: list[dict[str, list[Decimal]]] = [defaultdict(lambda: [ZERO, ZERO]) for _ in range(len(self.days) + 1)]
        times = [0] * (len(self.days) + 1)
        for one in paid:
            low = bisect_left(self.days, one.since)
            high = min(bisect_left(starts, one.since), len(self.days))
            if one.until is not None:
                high = min(high, bisect_left(self.days, one.until))
            if low >= high:
                continue
            if one.given_up:
                # Giving up is no payment: it stays past due, longer and longer.
                for place in range(low, high):
                    days = (self.days[place] - one.due_on).days
                    if days > 0:
                        self._experience(place, place + 1, one.currency, one.amount, one.amount * _points(days))
                        self.ends[place].experiences += 1
                continue
            days = (one.paid_on - one.due_on).days
            points = one.amount * _points(days)
            for place, sign in ((low, 1), (high, -1)):
                change = changes[place][one.currency]
                change[0] += sign * one.amount
                change[1] += sign * points
                times[place] += sign
            month = late[low, one.currency]
            month[0] += one.amount
            month[1] += one.amount * days
            month[2] += one.amount * max(days, 0)
        self._run_up(changes, times)
        for (place, currency), amounts in late.items():
            end = self.ends[place]
            money, signed, floored = (self.home(amount, currency) or ZERO for amount in amounts)
            end.paid, end.days_signed, end.days_floored = (
                end.paid + money,
                end.days_signed + signed,
                end.days_floored + floored,
            )

    def _run_up(self, changes: Sequence[dict[str, list[Decimal]]], times: Sequence[int]) -> None:
        running: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        count = 0
        for place, end in enumerate(self.ends):
            count += times[place]
            end.experiences += count
            for currency, (weight, points) in changes[place].items():
                running[currency][0] += weight
                running[currency][1] += points
            for currency, (weight, points) in running.items():
                self._experience(place, place + 1, currency, weight, points)
            for currency, (weight, points) in self.experience[place].items():
                end.weight += self.home(weight, currency) or ZERO
                end.points += self.home(points, currency) or ZERO

    def _experience(self, low: int, high: int, currency: str, weight: int | Decimal, points: Decimal) -> None:
        for place in range(low, high):
            there = self.experience[place][currency]
            there[0] += weight
            there[1] += points

    # --- whether it ties ---
    def checks(self, control: Sequence[dict[str, Control]]) -> list[list[Checked]]:
        """By day and currency, the ledger beside the sum of the customers."""
        found = []
        for place, ledger in enumerate(control, self.shown):
            sums = self.sums[place]
            count = len(self.buckets)
            found.append(
                [
                    Checked(
                        currency,
                        ledger.get(currency, Control()),
                        sum(sums[currency][:count]) - sums[currency][count] if currency in sums else 0,
                    )
                    for currency in sorted({*ledger, *sums})
                ]
            )
        return found


@lru_cache(maxsize=4096)
def _points(days_late: int) -> Decimal:
    return kpi.payment_points(kpi.Paid(ZERO, days_late))


def _risk(judged: Judged, rates: RatesOf, as_of: dt.date) -> Risk:
    own = judged.position

    def home(amount: Decimal) -> Decimal | None:
        return rates.convert(amount, own.currency, rates.base, as_of)

    return Risk(
        judged.members[0],
        judged.decision.level,
        judged.decision.hold,
        home(own.open_total),
        home(own.overdue),
        own.overdue_days,
        home(own.exposure.total),
        own.limit.kind,
        own.utilisation,
    )


def _worst_first(risk: Risk) -> tuple[int, Decimal, Decimal, int]:
    return (-LEVELS.index(risk.level), -(risk.overdue or ZERO), -(risk.receivables or ZERO), risk.first.key)
