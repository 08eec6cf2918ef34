"""The allowance for expected credit loss of a whole ledger: balances, loss rates from its own past, and what ties them.

Everything is in the reporting currency at the rates of the day itself, for the months of the past, too: a roll rate must
not move with an exchange rate.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.clock import Clock
from connector.config import Config
from connector.credit import ecl
from connector.credit.ageing import labels
from connector.credit.ecl import Assessed, Cell, LossRate, Past, Roll
from connector.credit.portfolio import month_ends
from connector.credit.terms import months_later
from connector.errors import ConfigError
from connector.money import EXACT
from connector.policy import Ecl, Policy
from connector.store import Connection, customers, flows
from connector.store.customers import CustomerRow
from connector.store.month_ends import day_ends
from connector.text import Text
from jobs.frame import Frame, frame
from jobs.portfolio import RatesOf
from jobs.progress import Progress, silent

ZERO = Decimal(0)
Buckets = tuple[Decimal, ...]
# Into the last bucket comes within a month what is at most so many days beyond its edge.
_MONTH_DAYS = 30


@dataclass
class Provision:
    """The allowance at the end of a day. `cells` has a list for each segment; `before` the same at the month end before.

    `rolls` (migration) and `pasts` (cohort) are what the rates were taken from, by segment, the whole book under None.
    `ledger` is the balance by the ledger's own sums, `unapplied` (positive) what of it is credits that no debt takes up.
    `unknown` are customers of the policy's individual list who owe nothing or are not there; `insolvent` are those in
    the matrix over whom a bankruptcy is open.
    """

    as_of: dt.date
    before_on: dt.date
    currency: str
    buckets: tuple[str, ...]
    policy: Ecl
    cells: dict[str, list[Cell]]
    before: dict[str, list[Cell]]
    assessed: list[Assessed]
    assessed_before: list[Assessed]
    rolls: dict[str | None, list[Roll]]
    pasts: dict[str | None, Past]
    ledger: Decimal
    unapplied: Decimal
    left_out: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    insolvent: list[CustomerRow] = field(default_factory=list)

    @property
    def all_cells(self) -> list[Cell]:
        """Every cell of every segment."""
        return [cell for cells in self.cells.values() for cell in cells]

    @property
    def allowance(self) -> Decimal:
        """The whole allowance, unrounded."""
        return ecl.total([*self.all_cells, *self.assessed])

    @property
    def difference(self) -> Decimal:
        """Matrix and individually assessed balances less unapplied credits, less the ledger's balance: must be nothing."""
        covered = sum((cell.balance for cell in self.all_cells), ZERO) + sum((a.balance for a in self.assessed), ZERO)
        return covered - self.unapplied - self.ledger


def provision(
    tx: Connection, config: Config, policy: Policy, clock: Clock, as_of: dt.date, progress: Progress = silent
) -> Provision:
    """The allowance at the end of a day, and at the month end before by what was known then.

    Raises ConfigError where the policy has not a fixed rate for each bucket.
    """
    base = frame(tx, config, policy, clock, as_of)
    base.load(tx)
    buckets = labels(policy.ageing.edges_days, "due")
    for segment in (None, *policy.segment):
        _fits(policy.of(segment).ecl, buckets, segment)
    history = _History(tx, base, month_ends(as_of, policy.ecl.observation_months + 2), progress)
    before_on = history.days[-2]
    now = _Day(history, len(history.days) - 1, as_of)
    then = _Day(history, len(history.days) - 2, as_of)
    (control,) = flows.control(tx, [as_of], base.systems)
    made = Provision(
        as_of,
        before_on,
        config.business.currency,
        buckets,
        policy.ecl,
        now.cells(buckets),
        then.cells(buckets),
        now.assessed(),
        then.assessed(),
        now.rolls,
        now.pasts,
        history.home({currency: [ledger.balance] for currency, ledger in control.items()})[0],
        history.unapplied[-1],
    )
    made.left_out = history.left_out
    made.insolvent = _insolvent(tx, history, as_of)
    found = {(one.system, one.customer) for one in made.assessed}
    made.unknown = [f"{i.system}/{i.customer}" for i in policy.ecl.individual if (i.system, i.customer) not in found]
    return made


def _insolvent(tx: Connection, history: _History, as_of: dt.date) -> list[CustomerRow]:
    """Customers who owe something, are in bankruptcy and pooled with the healthy: each asks for an assessment."""
    found = []
    for key, told in customers.events(tx).items():
        row = history.base.rows.get(key)
        open_now = any(
            one.kind == "bankruptcy" and one.on <= as_of and (one.ended_on is None or one.ended_on > as_of)
            for one in told
        )
        if open_now and row is not None and key in history.owing and (row.system, row.ref) not in history.alone:
            found.append(row)
    return found


def _fits(rules: Ecl, buckets: Sequence[str], segment: str | None) -> None:
    if len(rules.rates_percent) == len(buckets):
        return
    at = "ecl" if segment is None else f"segment.{segment}.ecl"
    what = Text(
        "[{at}] rates_percent has {count} rates, but there are {buckets} ageing buckets ({names}). Give one for each.",
        "[{at}] rates_percent 有 {count} 个损失率，而账龄段有 {buckets} 个（{names}）。请逐段填写。",
    )
    raise ConfigError(what.fill(at=at, count=len(rules.rates_percent), buckets=len(buckets), names=", ".join(buckets)))


class _History:
    """Balances by segment and bucket at each month end, with and without the customers who are assessed by themselves."""

    def __init__(self, tx: Connection, base: Frame, days: Sequence[dt.date], progress: Progress) -> None:
        self.tx, self.base, self.days = tx, base, days
        self.buckets = len(base.policy.ageing.edges_days) + 2
        self.owing: set[int] = set()
        self.rates = RatesOf(base.rates, base.as_of)
        self.left_out: set[str] = set()
        rules = base.policy.ecl
        self.alone = {(one.system, one.customer): one for one in rules.individual}
        # By place: by segment, by currency. And by customer, of those assessed by themselves.
        sums: list[dict[str, dict[str, list[int]]]] = [defaultdict(dict) for _ in days]
        single: list[dict[int, dict[str, list[int]]]] = [defaultdict(dict) for _ in days]
        credits: list[dict[str, list[int]]] = [{} for _ in days]
        # What has come into the last bucket within a month stands apart, as a bucket of its own.
        edges = base.policy.ageing.edges_days
        told = day_ends(tx, days, edges=(*edges, edges[-1] + _MONTH_DAYS), systems=base.systems)
        for done, (key, ends) in enumerate(told, 1):
            progress("ecl", done)
            row = base.rows.get(key)
            segment = self.segment(row)
            for end in ends:
                totals = end.totals
                if end.place == len(days) - 1 and totals.receivables:
                    self.owing.add(key)
                _add(sums[end.place][segment], totals.currency, totals.buckets)
                _add(credits[end.place], totals.currency, (totals.cash + totals.notes,))
                if row is not None and (row.system, row.ref) in self.alone:
                    _add(single[end.place][key], totals.currency, totals.buckets)
        fine = [{segment: self.home(own) for segment, own in place.items()} for place in sums]
        self.all = [{segment: _merged(own) for segment, own in place.items()} for place in fine]
        self.entered = [{segment: own[-2] for segment, own in place.items()} for place in fine]
        self.single = [{key: _merged(self.home(own)) for key, own in place.items()} for place in single]
        self.unapplied = [self.home(place)[0] if place else ZERO for place in credits]

    def segment(self, row: CustomerRow | None) -> str:
        """The segment that a customer's debts are pooled in."""
        return (row.segment or "") if row is not None and self.base.policy.ecl.by_segment else ""

    def home(self, sums: Mapping[str, Sequence[int]]) -> Buckets:
        """Sums of several currencies as one row of amounts, unrounded; a currency without a rate is remembered."""
        size = max((len(own) for own in sums.values()), default=1)
        total = [ZERO] * size
        for currency, own in sums.items():
            for n, minor in enumerate(own):
                amount = self.rates.home(minor, currency)
                if amount is None:
                    if minor:
                        self.left_out.add(currency)
                    continue
                total[n] = EXACT.add(total[n], amount)
        return tuple(total)


def _add(sums: dict[str, list[int]], currency: str, amounts: Sequence[int]) -> None:
    there = sums.get(currency)
    sums[currency] = list(amounts) if there is None else [a + b for a, b in zip(there, amounts, strict=True)]


def _merged(fine: Buckets) -> Buckets:
    """The policy's own buckets: the last two are one."""
    return (*fine[:-2], EXACT.add(fine[-2], fine[-1]))


def _together(rows: Iterable[Buckets]) -> Buckets:
    return tuple(sum(column, ZERO) for column in zip(*rows, strict=True))


class _Day:
    """One of the days: what it takes from the months before it."""

    def __init__(self, history: _History, place: int, known_on: dt.date) -> None:
        self.history, self.place, self.day = history, place, history.days[place]
        base = history.base
        rules = base.policy.ecl
        # Whole months only: the last interval of a day within a month is none.
        last = place + 1 if (self.day + dt.timedelta(days=1)).day == 1 else place
        begin = max(0, last - rules.observation_months - 1)
        window, entered = history.all[begin:last], history.entered[begin:last]
        nothing = (ZERO,) * history.buckets
        self.segments = sorted({segment for place in history.all for segment in place})
        self.rolls: dict[str | None, list[Roll]] = {
            segment: ecl.rolls(
                [month.get(segment, nothing) for month in window], [month.get(segment, ZERO) for month in entered]
            )
            for segment in self.segments
        }
        whole = [_together(month.values()) if month else nothing for month in window]
        self.rolls[None] = ecl.rolls(whole, [sum(month.values(), ZERO) for month in entered])
        self.pasts: dict[str | None, Past] = {}
        if any(base.policy.of(segment or None).ecl.method == "cohort" for segment in self.segments):
            self._read_cohorts()

    def _read_cohorts(self) -> None:
        history, base = self.history, self.history.base
        rules, edges = base.policy.ecl, base.policy.ageing.edges_days
        until = self.day - dt.timedelta(days=max(rules.lost_after_days, edges[-1]))
        after = months_later(until, -rules.observation_months)
        sums: dict[str | None, dict[str, list[int]]] = defaultdict(dict)
        months: dict[str | None, set[int]] = defaultdict(set)
        found = flows.cohorts(history.tx, after, until, self.day, edges, base.systems)
        for (key, currency), cohort in found.items():
            for pool in (history.segment(base.rows.get(key)), None):
                _add(sums[pool], currency, (*cohort.reached, cohort.lost))
                months[pool] |= cohort.months
        for pool, own in sums.items():
            *reached, lost = history.home(own)
            self.pasts[pool] = Past(tuple(reached), lost, len(months[pool]))

    def rates(self, segment: str) -> list[LossRate]:
        """The loss rate of each bucket of a segment, by its own method."""
        rules = self.history.base.policy.of(segment or None).ecl
        fixed = [percent / 100 for percent in rules.rates_percent]
        if rules.method == "migration":
            last = rules.loss_given_last_percent / 100
            return ecl.by_migration(self.rolls[segment], self.rolls[None], fixed, last, rules.observations_min)
        if rules.method == "cohort":
            return ecl.by_cohort(self.pasts.get(segment), self.pasts.get(None), fixed, rules.observations_min)
        return [LossRate(rate, "fixed", "policy") for rate in fixed]

    def cells(self, buckets: Sequence[str]) -> dict[str, list[Cell]]:
        """The matrix of each segment that had anything open on one of the months."""
        history, made = self.history, {}
        for segment in self.segments:
            rules = history.base.policy.of(segment or None).ecl
            left = list(history.all[self.place].get(segment, (ZERO,) * len(buckets)))
            for key, own in history.single[self.place].items():
                if history.segment(history.base.rows[key]) == segment:
                    left = [EXACT.subtract(a, b) for a, b in zip(left, own, strict=True)]
            factor = rules.forward_factor_percent / 100
            made[segment] = ecl.matrix(segment, buckets, left, self.rates(segment), factor, rules.vat_excluded_percent)
        return made

    def assessed(self) -> list[Assessed]:
        """The customers outside the matrix."""
        history, made = self.history, []
        for key, own in sorted(history.single[self.place].items()):
            row = history.base.rows[key]
            rule = history.alone[row.system, row.ref]
            vat = history.base.policy.of(row.segment).ecl.vat_excluded_percent
            balance = sum(own, ZERO)
            made.append(
                Assessed(
                    row.system,
                    row.ref,
                    row.name,
                    balance,
                    ecl.without_vat(balance, vat),
                    rule.loss_percent / 100,
                    rule.why,
                )
            )
        return made
