"""What the API answers, as models: they are its OpenAPI document, and no answer leaves that is not of this form.

Amounts are decimal strings with their currency's own number of decimals, sentences are there in both languages. Keys may be
added, never renamed.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["1234.50"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-23"])]


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    """A part of an answer that may carry more keys than are named here."""

    model_config = ConfigDict(extra="allow")


class Words(Answer):
    """A sentence in both languages."""

    en: str
    zh: str


class WrongField(Answer):
    """One field that is not usable."""

    field: str
    what: str


class Problem(Answer):
    """What is wrong (RFC 9457): `code` is for programs, `detail` for people, in the language that was asked for."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: list[WrongField] | None = None


class Reason(Answer):
    """Why something is held, released in spite of, or to be noted."""

    rule: str
    en: str
    zh: str
    numbers: dict[str, Any]
    documents: list[str]


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


class WaitingOrder(OrderLine):
    """An order whose release was asked for: by whom, who has approved it already, and who may."""

    requested_by: list[str]
    approved_by: list[str]
    release_needs: Words | None
    who_may_release: list[str]


class WaitingOrders(Answer):
    """Orders that wait for somebody's decision."""

    as_of: Day
    orders: list[WaitingOrder]


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
    """One line of the credit file; what speaks of a person is masked."""

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


class WarningLine(Answer):
    """One warning: which, how high, since when, and why it stands."""

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


class WarningList(Answer):
    """Warnings, the highest level first."""

    warnings: list[WarningLine]
    left_out: int


class RunLine(Answer):
    """One run of a job."""

    number: int
    job: str
    system: str
    started_at: str
    finished_at: str | None
    state: str
    counts: dict[str, Any]


class RunList(Answer):
    """Runs, newest first."""

    runs: list[RunLine]


class ProblemLine(Answer):
    """Something that is wrong with the data, and what mends it."""

    code: str
    where: str
    field: str
    what: Words
    fix: Words
    first_seen: str
    last_seen: str


class ProblemList(Answer):
    """Problems that nobody has mended yet, newest first."""

    problems: list[ProblemLine]


class AuditLine(Answer):
    """One entry of the audit trail."""

    lane: str
    number: int
    at: str
    action: str
    subject: str
    actor: str
    why: str
    before: Any
    after: Any
    hash: str


class AuditPage(Answer):
    """Entries, newest first."""

    audit: list[AuditLine]


class AuditProof(Answer):
    """Whether the trail is what was appended; `heads` are to be kept elsewhere."""

    whole: bool
    entries: int
    heads: list[str]
    found: list[ProblemLine]


class Me(Answer):
    """Who calls, with which rights."""

    name: str
    actor: str
    roles: list[str]
    rights: list[str]
