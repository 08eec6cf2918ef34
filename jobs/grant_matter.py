"""Where limits are decided on: the limit before and after a request, the request as a matter of authority, what freezes.

Nothing is written here.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit import authority
from connector.credit.dun import dunning_effects
from connector.credit.granting import MAIN, Request, Standing, main_amount
from connector.credit.limit import Effective, effective
from connector.credit.propose import rise_percent
from connector.credit.propose_words import LEVEL
from connector.credit.rates import Rates
from connector.credit.stage import Behaviour
from connector.credit.warn import combined
from connector.credit.warn_words import LEVEL_TEXTS
from connector.model import Limit
from connector.money import from_minor, rounded
from connector.policy import Level, Policy
from connector.store import Connection, alerts, customers, decisions, dunning, limits
from connector.store.alerts import Alert
from connector.store.customers import CustomerRow
from connector.store.decisions import DecisionRow
from connector.store.limits import Asked
from connector.text import Text
from jobs.grant_words import DUNNED
from jobs.judge_facts import released_in

HERE = "here"
# The warning that a limit runs out must not keep it from being renewed.
LIMIT_ENDS = "limit_expiry"
ZERO = Decimal(0)


@dataclass
class Desk:
    """Where limits are decided on: the rules, the day, and the systems that are told."""

    config: Config
    policy: Policy
    clock: Clock
    systems: Sequence[Connected] = ()
    rates: Rates | None = field(default=None, repr=False)  # read when first asked for: a desk is of one sitting

    @property
    def today(self) -> dt.date:
        """The calendar day in the business's zone."""
        return day_in(self.clock.now(), self.config.business.time_zone)

    def master(self, row: CustomerRow) -> str:
        """Where this customer's limit is kept: "here", or a system's name."""
        return self.config.limits.master or row.system


@dataclass(frozen=True)
class Known:
    """What requests of some customers are judged by: by debtor the newest decisions, open warnings and who sells there,
    by customer the pieces of their limits."""

    decided: Mapping[int, DecisionRow]
    warned: Mapping[int, Mapping[str, Alert]]
    sellers: Mapping[int, tuple[tuple[str, str], ...]]
    counted: Mapping[int, Sequence[Limit]]

    def concluded(self, row: CustomerRow) -> Mapping[str, Any]:
        """What was decided last of a customer."""
        found = self.decided.get(row.debtor or 0)
        return found.body if found is not None else {}

    def level(self, policy: Policy, row: CustomerRow) -> Level:
        """Its warning level after the last run, as far as limits ask."""
        return _level(policy, self.warned.get(row.debtor or 0, {}), lambda: self.concluded(row))

    def owners(self, row: CustomerRow) -> tuple[tuple[str, str], ...]:
        """Who sells to it, as (system, user id), over all records of its debtor."""
        if row.debtor is None:
            return ((row.system, row.owner),) if row.owner else ()
        return self.sellers.get(row.debtor, ())


def known(tx: Connection, desk: Desk, rows: Sequence[CustomerRow]) -> Known:
    """What is known of some customers, with a question of each kind however many they are."""
    debtors = sorted({row.debtor for row in rows if row.debtor is not None})
    sellers: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for one in customers.customers(tx, debtors=debtors):
        if one.debtor is not None and one.owner:
            sellers[one.debtor].append((one.system, one.owner))
    return Known(
        decisions.latest(tx, debtors),
        alerts.standing(tx, debtors),
        {debtor: tuple(some) for debtor, some in sellers.items()},
        limits.pieces(tx, [row.key for row in rows], desk.config.limits.master, ledgers(desk)),
    )


def matter(
    tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, stands: Standing, at: Known | None = None
) -> authority.Request:
    """A request as a matter of authority: the limit that would count, in the reporting currency, and its rise. `at`: what
    is known of its customer already.

    A cut is a matter of its amount alone: neither warning level nor grade must delay it.
    """
    at = at or known(tx, desk, [row])
    counted = at.counted.get(row.key, ())
    before = before_it(tx, desk, row, counted, asked.request, desk.today)
    amount = _resulting(asked.request, stands.amount_minor, before)
    home = desk.config.business.currency
    cut = amount is not None and before is not None and amount < before
    in_home = None if amount is None else _rates(tx, desk).convert(amount, asked.request.currency, home, desk.today)
    return authority.Request(
        "limit",
        None if in_home is None else rounded(in_home, home),
        None if amount is None else rise_percent(amount, before),
        desk.policy.of(row.segment).score.bands[0][0] if cut else at.concluded(row).get("grade"),
        "green" if cut else at.level(desk.policy.of(row.segment), row),
        stands.requested_by,
        at.owners(row),
    )


def owners(tx: Connection, row: CustomerRow) -> tuple[tuple[str, str], ...]:
    """Who sells to a customer, as (system, user id), over all records of its debtor."""
    if row.debtor is None:
        return ((row.system, row.owner),) if row.owner else ()
    return tuple((r.system, r.owner) for r in customers.customers(tx, debtors=[row.debtor]) if r.owner)


def frozen(tx: Connection, policy: Policy, row: CustomerRow) -> Text | None:
    """Why nothing may rise for a customer now: its warning level, or how far it is dunned. None: it may."""
    if row.debtor is None:
        return None
    return freeze(policy, level_now(tx, policy, row), dunning.levels(tx, [row.debtor]).get(row.debtor, 0))


def level_now(tx: Connection, policy: Policy, row: CustomerRow) -> Level:
    """A customer's warning level after the last run, as far as limits ask."""
    if row.debtor is None:
        return "green"
    open_ones = alerts.standing(tx, [row.debtor]).get(row.debtor, {})
    return _level(policy, open_ones, lambda: _concluded(tx, row))


def _level(policy: Policy, open_ones: Mapping[str, Alert], decided: Callable[[], Mapping[str, Any]]) -> Level:
    if LIMIT_ENDS not in open_ones:
        level: Level = decided().get("warning_level") or "green"
        return level
    return combined([one.state.level for name, one in open_ones.items() if name != LIMIT_ENDS], policy.warning)


def freeze(policy: Policy, level: Level, dunned: int) -> Text | None:
    """Why a warning level and a level of dunning let nothing rise; None: they do."""
    if "freeze_increases" in policy.warning.actions.of(level):
        return LEVEL.fill(level=LEVEL_TEXTS[level])
    if policy.dunning.on and dunning_effects([dunned], policy.dunning).freeze:
        return DUNNED.fill(level=dunned)
    return None


def limit_of(tx: Connection, desk: Desk, row: CustomerRow, on: dt.date | None = None) -> Effective:
    """A customer's limit on a day (None: today), as everything that was granted and said makes it."""
    on = on or desk.today
    counted = limits.pieces(tx, [row.key], desk.config.limits.master, ledgers(desk), on).get(row.key, [])
    return _effective(tx, desk, row, counted, on)


def _effective(tx: Connection, desk: Desk, row: CustomerRow, counted: Sequence[Limit], on: dt.date) -> Effective:
    body = _concluded(tx, row) if any(piece.kind == "stage" for piece in counted) else {}
    # Of a past or coming day nobody knows how it pays: only what is decided today rests on it.
    late = body.get("oldest_overdue_days") if on == desk.today else None
    behaviour = Behaviour(late_days=late, released=frozenset(released_in(body))) if body else None
    convert = _rates(tx, desk).convert
    return effective(counted, on, behaviour, convert, currency=row.currency or desk.config.business.currency)


def before_it(
    tx: Connection, desk: Desk, row: CustomerRow, counted: Sequence[Limit], request: Request, on: dt.date
) -> Decimal | None:
    """The limit before a request, in its currency: for a main limit the main one, else the whole; None: none, unlimited,
    or no rate."""
    counted = [piece for piece in counted if piece.segment == request.segment]
    if request.kind in MAIN:
        unlimited, base = main_amount(counted, on)
        if unlimited or base is None or base.amount is None:
            return None
        currency = base.currency or row.currency or desk.config.business.currency
        amount: Decimal | None = from_minor(base.amount, currency)
    else:
        whole = _effective(tx, desk, row, counted, on)
        amount, currency = whole.amount, whole.currency or request.currency
    if amount is None or currency == request.currency:
        return amount
    converted = _rates(tx, desk).convert(amount, currency, request.currency, on)
    return None if converted is None else rounded(converted, request.currency)


def _resulting(request: Request, amount_minor: int | None, before: Decimal | None) -> Decimal | None:
    """The limit that a request would make, in its currency; None: unlimited."""
    if amount_minor is None:
        return None
    amount = request.decimal(amount_minor)
    if request.kind == "guarantee":
        amount *= Decimal(1) if request.percent is None else request.percent
    return amount + (before or ZERO) if request.kind in ("additive", "guarantee") else amount


def rises(tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, stands: Standing) -> bool:
    counted = limits.pieces(tx, [row.key], desk.config.limits.master, ledgers(desk)).get(row.key, [])
    if main_amount(counted, desk.today)[0] and asked.request.kind in MAIN:
        return False  # from unlimited to anything
    before = before_it(tx, desk, row, counted, asked.request, desk.today)
    after = _resulting(asked.request, stands.amount_minor, before)
    return after is None or after > (before or ZERO)


def _concluded(tx: Connection, row: CustomerRow) -> Mapping[str, Any]:
    if row.debtor is None:
        return {}
    found = decisions.latest(tx, [row.debtor]).get(row.debtor)
    return found.body if found is not None else {}


def _rates(tx: Connection, desk: Desk) -> Rates:
    if desk.rates is None:
        systems = [s.name for s in desk.config.with_role("erp", "rates")]
        known = customers.rates(tx, systems=systems) if systems else []
        desk.rates = Rates(known, desk.config.business.currency, desk.policy.currency.max_rate_age_days)
    return desk.rates


def ledgers(desk: Desk) -> list[str]:
    return [s.name for s in desk.config.with_role("erp")]
