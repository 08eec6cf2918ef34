"""Answers about customers: who they are, their credit, limits and warnings."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connector.web.answers import Amount, Answer, Currency, Day, Open, Words


class CustomerLine(Answer):
    """A customer that was found."""

    system: str
    customer_id: str
    name: str
    tax_id: str | None
    currency: str | None
    segment: str | None
    status: str | None


class CustomerPage(Answer):
    """A page of customers."""

    customers: list[CustomerLine]
    next: int | None


class Exposure(Open):
    """The exposure part by part."""

    total: Amount


class LimitToday(Open):
    """The limit that counts."""

    kind: str
    amount: Amount | None = None


class CustomerAnswer(Open):
    """Everything of one customer on a day: position, limit, conclusion, open items, orders."""

    customer_id: str
    system: str
    name: str
    as_of: Day
    currency: Currency
    buckets: dict[str, Amount]
    unapplied: Amount
    balance: Amount
    overdue: Amount
    disputed: Amount
    oldest_overdue_days: int | None
    exposure: Exposure
    limit: LimitToday
    available: Amount | None
    utilisation: str | None
    hold: bool
    warning_level: str | None
    score: str | None
    grade: str | None
    reasons: list[dict[str, Any]]
    items: list[dict[str, Any]]
    orders: list[dict[str, Any]]


class FileLine(Answer):
    """One line of the credit file; what speaks of a person is masked where nobody may see it or said what for."""

    on: Day
    kind: str
    en: str
    zh: str
    source: str
    masked: bool
    data: dict[str, Any]


class CreditFile(Answer):
    """The credit file of a customer, oldest line first."""

    system: str
    customer_id: str
    name: str
    lines: list[FileLine]
    left_out: int = Field(description="So many older lines are not shown.")


class Tranche(Answer):
    """A part of a limit that becomes free later."""

    amount: Amount
    condition: str | None


class LimitEvent(Answer):
    """One step of a request."""

    at: str
    what: str
    actor: str
    why: str


class LimitRequest(Answer):
    """A request for a limit: where it stands and whom it waits for."""

    number: int
    system: str
    customer_id: str
    kind: str
    amount: Amount | None
    currency: Currency
    before: Amount | None
    valid_from: Day
    valid_to: Day | None
    condition: str | None
    tranches: list[Tranche]
    state: str
    requested_by: str
    approvers: list[str]
    waits_for: list[str]
    why: str
    binding: str | None
    events: list[LimitEvent]


class LimitPage(Answer):
    """Requests, newest first."""

    requests: list[LimitRequest]
    next: int | None


class LimitOutcome(Answer):
    """What became of a request, in one sentence; `systems_to_tell`: so many will be told by the next push."""

    request: LimitRequest
    text: Words
    systems_to_tell: int


class AcknowledgedWarning(Answer):
    """Who has taken note of a warning, when, at which level, why, and until which day it rests."""

    by: str
    at: str
    level: str
    why: str
    until: Day


class WarningLine(Answer):
    """One warning: which, how high, since when, why it stands, and whether somebody has taken note of it.

    `rests`: until the day that he said, or until its level is raised, nobody need look at it. It stands all the same.
    """

    system: str
    customer_id: str
    name: str
    customer_level: str | None
    actions: list[str]
    indicator: str
    level: str
    since: Day | None
    value: str | None
    threshold: str | None
    clear_runs: int | None
    ended_on: Day | None
    text: Words | None
    why: Words | None
    acknowledged: AcknowledgedWarning | None
    rests: bool


class WarningList(Answer):
    """Warnings, the highest level first."""

    warnings: list[WarningLine]
    left_out: int
