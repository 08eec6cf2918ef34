"""Comparing two days of a customer: what moved between them and why, and what was posted back since they were shown.

A day is known twice: as it was shown, by the facts of that moment (a decision says how far they went), and as it is known
now. `back_posted` leads from the one to the other, `moved` from the earlier day to the later one as both are known now.
Orders have no history of their own in the systems: of a past day they are those that the decision of that day kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.limit import Effective, added, effective
from connector.credit.moved import Movement, Seen, figures, restate, walk
from connector.credit.moved_figures import Amounts, OnOrder
from connector.credit.position import Position
from connector.credit.rates import Rates
from connector.model import Limit
from connector.policy import Policy
from connector.store import Connection, decisions, known, order_values
from connector.store.limits import pieces as limit_pieces
from connector.store.order_values import OrderRow
from connector.text import Text
from jobs.frame import Frame, frame
from jobs.judge import judge
from jobs.recall import Kept, recall

ZERO = Decimal(0)
# So many days are looked at one by one for what the limit became.
_DAYS_MOST = 1500


@dataclass(frozen=True)
class Day:
    """One of the two days. `shown`: by the facts of the moment at which it was decided on, None where it was not or not
    enough was kept; `known`: as it is known now. `back_posted` add up to the difference."""

    day: dt.date
    known: Amounts
    shown: Amounts | None = None
    decision: int | None = None
    back_posted: list[Movement] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """Two days of one debtor, in `currency`; `moved` add up to the difference of what is known of them now."""

    currency: str
    start: Day
    end: Day
    moved: list[Movement]


def compare(
    tx: Connection, config: Config, policy: Policy, clock: Clock, debtor: int, start: dt.date, end: dt.date
) -> Comparison | None:
    """What moved from the end of one day to the end of a later one. None where the debtor has no ERP customer."""
    frames = [frame(tx, config, policy, clock, day, debtors=[debtor]) for day in (start, end)]
    found = [_position(tx, each, debtor) for each in frames]
    if found[0] is None or found[1] is None:
        return None
    today = day_in(clock.now(), config.business.time_zone)
    keys, currency = frames[1].members[debtor], found[1].currency
    rules = frames[1].policy.of(frames[1].rows[keys[0]].segment)
    kept = [_kept(tx, config, debtor, day) for day in (start, end)]
    # Both days by the same knowledge, and by that of the decisions: read once.
    moments = {one.upto: at.as_of for one, at in zip(kept, frames, strict=True) if one is not None}
    reading = known.Reading(tx, keys, moments, start)
    ledgers = reading.ledgers()
    seen = []
    for at, whole, then in zip(frames, found, kept, strict=True):
        past = then is not None and at.as_of < today
        orders = _kept_orders(then) if past and then is not None else _orders_now(tx, at, keys)
        convert = _Converter(at.rates, currency, at.as_of)
        steps = whole.limit.steps if whole else ()
        limit = whole.limit_amount if whole else None
        seen.append(Seen(at.as_of, currency, convert, ledgers, orders, limit, steps))
    days = [_day(tx, one, then, rules, reading, start) for one, then in zip(seen, kept, strict=True)]
    limits = _limits(tx, frames[1], keys, start, end)
    return Comparison(currency, days[0], days[1], walk(seen[0], seen[1], rules, limits))


def _position(tx: Connection, base: Frame, debtor: int) -> Position | None:
    return next((j.position for j in judge(tx, base, [debtor], orders=False) if j.debtor == debtor), None)


def _kept(tx: Connection, config: Config, debtor: int, day: dt.date) -> Kept | None:
    """What was kept of the decision that held on a day."""
    row = decisions.in_force(tx, debtor, day)
    return None if row is None else recall(tx, config, row)


@dataclass(frozen=True)
class _Converter:
    """Amounts in the currency of the comparison, at the rates of a day."""

    rates: Rates
    currency: str
    day: dt.date

    def __call__(self, amount: Decimal, currency: str) -> Decimal | None:
        return self.rates.convert(amount, currency, self.currency, self.day)


def _day(tx: Connection, now: Seen, kept: Kept | None, policy: Policy, reading: known.Reading, start: dt.date) -> Day:
    """A day as it is known now, and as it was shown."""
    amounts = figures(now, policy)
    if kept is None or kept.judged.position.currency != now.currency:
        return Day(now.day, amounts)
    position, members = kept.judged.position, kept.frame.members[kept.row.debtor]
    if set(members) != set(reading.customers):  # it had other accounts then
        reading = known.Reading(tx, members, {kept.upto: now.day}, start)
    then = Seen(
        now.day,
        now.currency,
        _Converter(kept.frame.rates, now.currency, kept.row.as_of),
        reading.ledgers(kept.upto),
        _kept_orders(kept),
        position.limit_amount,
        position.limit.steps,
    )
    shown, back_posted = figures(then, policy), restate(then, now, policy)
    if kept.row.as_of == now.day:
        # What stands in the decision itself: should it be another figure, that is told, too.
        missing = {name: shown[name] - amount for name, amount in _of(position).items() if name in shown}
        if any(missing.values()):
            rest = {name: amount for name, amount in missing.items() if amount}
            back_posted.append(Movement("unknown", "", "", None, None, MEANWHILE, rest))
            shown = {name: amount - missing.get(name, ZERO) for name, amount in shown.items()}
    return Day(now.day, amounts, shown, kept.row.id, back_posted)


def _of(position: Position) -> Amounts:
    exposure = position.exposure
    return {
        "exposure": exposure.total,
        "open_receivables": exposure.open_receivables,
        "unapplied_cash": exposure.unapplied_cash,
        "unapplied_credit_notes": exposure.unapplied_credit_notes,
        "delivered_not_invoiced": exposure.delivered_not_invoiced,
        "ordered_not_delivered": exposure.ordered_not_delivered,
        "bills": exposure.bills,
        "drafts": exposure.drafts,
        "balance": position.balance,
        "overdue": position.overdue,
        **{f"bucket {name}": amount for name, amount in position.buckets.items()},
        "disputed": position.disputed,
    }


# --- orders -----------------------------------------------------------------------------------------------------------
def _kept_orders(kept: Kept) -> list[OnOrder]:
    rows = [row for row, _ in kept.judged.orders]
    return [_on_order(row) for row in rows if row.status == "open" and row.system in kept.frame.systems]


def _orders_now(tx: Connection, base: Frame, keys: Sequence[int]) -> list[OnOrder]:
    horizon = base.policy.exposure.order_horizon_days
    until = None if horizon is None else base.as_of + dt.timedelta(days=horizon)
    rows = order_values.order_values(tx, keys, horizon_on=until)
    return [
        _on_order(row)
        for row in rows
        if row.customer in keys
        and row.status == "open"
        and row.system in base.systems
        and row.ordered_on is not None
        and row.ordered_on <= base.as_of
    ]


def _on_order(row: OrderRow) -> OnOrder:
    ordered = row.open_value - row.delivered_value
    return OnOrder(row.system, row.ref, row.number, row.currency, row.delivered_value, ordered)


# --- the limit, day by day --------------------------------------------------------------------------------------------
def _limits(
    tx: Connection, base: Frame, keys: Sequence[int], start: dt.date, end: dt.date
) -> list[tuple[dt.date, Effective]]:
    """The days after the one up to the other on which the limit became another one. Not of tranches: what releases them
    is not in the limit alone; the last step says what they came to."""
    pieces = limit_pieces(tx, keys, base.config.limits.master, base.systems)
    if (end - start).days > _DAYS_MOST or any(x.kind == "stage" for own in pieces.values() for x in own):
        return []
    found: list[tuple[dt.date, Effective]] = []
    last = _limit_on(base, keys, pieces, start)
    for n in range(1, (end - start).days + 1):
        day = start + dt.timedelta(days=n)
        became = _limit_on(base, keys, pieces, day)
        if (became.kind, became.amount) != (last.kind, last.amount):
            found.append((day, became))
            last = became
    return found


def _limit_on(base: Frame, keys: Sequence[int], pieces: Mapping[int, Sequence[Limit]], day: dt.date) -> Effective:
    home = base.config.business.currency
    granted = [
        effective(pieces.get(key, ()), day, None, base.rates.convert, currency=base.rows[key].currency or home)
        for key in keys
    ]
    return added(granted, day, base.rates.convert)


MEANWHILE = Text("came in while the day was being decided on", "在当日评估进行期间入账")
