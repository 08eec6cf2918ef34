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
