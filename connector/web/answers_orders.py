"""Answers about orders."""

from __future__ import annotations

from pydantic import Field

from connector.web.answers import Amount, Answer, Currency, Day, Open, Reason, Words


class OrderLine(Answer):
    """An order in a list."""

    id: str
    number: str
    system: str
    customer_id: str
    name: str
    total: Amount
    currency: Currency
    ordered_on: Day
    ship_on: Day | None
    days: int | None = Field(description="Days since the state began.")
    state: str | None
    hold: bool
    reasons: list[Reason]


class OrderPage(Answer):
    """A page of orders; `next` goes into `after` for the one that follows, null: there is none."""

    as_of: Day
    orders: list[OrderLine]
    next: int | None


class Released(Answer):
    """The release that an order goes on with."""

    by: str
    on: Day
    max_total: Amount
    currency: Currency
    valid_until: Day
    terms: str | None


class OverdueItem(Answer):
    """An overdue item of the customer."""

    id: str
    number: str | None
    due_on: Day | None
    open: Amount
    currency: Currency


class Remedy(Answer):
    """What alone would let the order pass."""

    kind: str
    amount: Amount
    limit: Amount | None
    currency: Currency
    items: list[str]
    en: str
    zh: str


class ReleaseRequest(Answer):
    """Who has asked for a release, when and why."""

    by: str
    at: str
    why: str


class WaitingOrder(OrderLine):
    """An order that waits for somebody. `value` is its total in the reporting currency, null without a rate; `may_decide`:
    whether the caller may decide on it now, null for a program."""

    value: Amount | None
    level: str
    requests: list[ReleaseRequest]
    approved_by: list[str]
    remedies: list[Remedy]
    release_needs: Words | None
    who_may_release: list[str]
    may_decide: bool | None


class WaitingOrders(Answer):
    """Orders that wait; `count` is how many there are in all."""

    as_of: Day
    currency: Currency
    count: int
    orders: list[WaitingOrder]


class HistoryLine(Open):
    """One thing that has happened to an order, with its numbers."""

    at: str
    what: str
    state: str
    point: str
    actor: str
    why: str


class OrderAnswer(Answer):
    """One order: what holds it, with numbers; what would release it; who may; all that has happened to it."""

    as_of: Day
    system: str
    order_id: str
    number: str | None
    customer_id: str
    name: str
    status: str | None
    total: Amount
    currency: Currency
    state: str | None
    since: Day | None
    hold: bool
    released: Released | None
    policy: str
    level: str
    reasons: list[Reason]
    set_aside: list[Reason]
    warnings: list[Reason]
    overdue_items: list[OverdueItem]
    remedies: list[Remedy]
    release_needs: Words | None
    who_may_release: list[str]
    history: list[HistoryLine]


class CheckedOrder(OrderAnswer):
    """An order that was checked at a point: whether it may go on there."""

    point: str
    reply: str
    may_go_on: bool


class Rechecked(Answer):
    """How many orders have another state now."""

    changes: int
