"""The `[hold]` tables of the policy: when new orders are held (domain 10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import StrictBool

from connector.policy_section import Amount, Days, Percent, Rule, Section


class LimitExceeded(Rule):
    """Exposure (after the order) above the limit plus the larger of both tolerances."""

    tolerance_amount: Amount = Decimal(0)
    tolerance_percent: Percent = Decimal(0)


class UsedShare(Rule):
    """Utilisation (after the order) above a percentage."""

    on: StrictBool = False
    above_percent: Percent = Decimal(95)


class OldestOverdue(Rule):
    """The oldest undisputed item is past due by more than the grace days."""

    grace_days: Days = 30


class OverdueAmount(Rule):
    """Undisputed overdue above an amount, and/or above a share of the limit."""

    on: StrictBool = False
    above_amount: Amount = Decimal(0)
    above_percent_of_limit: Percent = Decimal(10)
    combine: Literal["and", "or", "amount", "share"] = "and"


class OrderValue(Rule):
    """A single order above an amount."""

    on: StrictBool = False
    above_amount: Amount = Decimal(0)


class WarningLevel(Rule):
    """The customer's warning level is at least this."""

    on: StrictBool = False
    at_least: Literal["yellow", "orange", "red"] = "red"


class NoLimit(Rule):
    """The customer has no limit at all."""

    on: StrictBool = False


class Status(Rule):
    """The customer's status is on the stop list."""

    stop: tuple[Literal["active", "blocked", "inactive"], ...] = ("blocked",)


class ReviewOverdue(Rule):
    """The customer's review is overdue by more than the grace days."""

    on: StrictBool = False
    grace_days: Days = 14


class TermsWorsened(Rule):
    """The order's payment terms give more days, on average, than the customer's own and what is allowed beyond them."""

    on: StrictBool = False
    longer_by_days: Days = 0


class Documents(Rule):
    """Something that the credit file must hold is missing or has expired."""

    on: StrictBool = False


class DunningLevel(Rule):
    """Something open stands on a rung of the dunning ladder that holds orders (`hold_orders`), or above it."""


class StopCredit(Rule):
    """Credit is stopped, by dunning or by a warning: nothing of the limit can be used, cash only."""


Reply = Literal["hold", "warn", "off"]


class Points(Section):
    """What a check does at each point of an order's way: hold it, only warn, or nothing. The scheduled re-check holds.

    A check of an order that passed not more than `grace_days` ago and has not changed is not made again.
    """

    entry: Reply = "warn"
    confirmation: Reply = "hold"
    release: Reply = "hold"
    delivery: Reply = "hold"
    change: Reply = "hold"
    reopen: Reply = "hold"
    grace_days: Days = 0


class Released(Section):
    """How far a person's release of an order reaches: so many days, and so much growth of its total."""

    valid_days: Days = 30
    growth_percent: Percent = Decimal(5)


class Hold(Section):
    """When new orders are held. What cannot be decided (no rate, no due date, stale data) always holds."""

    limit_exceeded: LimitExceeded = LimitExceeded()
    used_share: UsedShare = UsedShare()
    oldest_overdue: OldestOverdue = OldestOverdue()
    overdue_amount: OverdueAmount = OverdueAmount()
    order_value: OrderValue = OrderValue()
    warning_level: WarningLevel = WarningLevel()
    limit_expired: Rule = Rule()
    no_limit: NoLimit = NoLimit()
    status: Status = Status()
    review_overdue: ReviewOverdue = ReviewOverdue()
    terms_worsened: TermsWorsened = TermsWorsened()
    documents: Documents = Documents()
    dunning_level: DunningLevel = DunningLevel()
    stop_credit: StopCredit = StopCredit()
    points: Points = Points()
    released: Released = Released()
