"""Questions and answers of the order check, as models: its part of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from connector.web.answers import Amount, Answer, Currency, Day, Reason

_Number = Annotated[str, Field(pattern=r"^[+-]?[0-9]+(\.[0-9]+)?$", max_length=60, examples=["1200.00"])]
_Line = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", examples=["2026-11-23T08:15:00Z"])]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LineAsked(_Asked):
    """A line: its `amount`, or `quantity` times `price`, with `tax_percent` added. All are texts."""

    amount: _Number | None = None
    quantity: _Number | None = None
    price: _Number | None = None
    tax_percent: _Number | None = None


class OrderAsked(_Asked):
    """An order that may not be in any system yet: whose, how much, when.

    One of `amount` and `lines`; neither where `order` names one that is known already. Keys may be left out.
    """

    customer: _Line = Field(description="Its id, SYSTEM/ID, or its tax number.", examples=["books/C001"])
    amount: _Number | None = Field(None, description="Gross, as a text.")
    lines: list[LineAsked] | None = Field(None, max_length=1000, description="Added up exactly.")
    currency: Currency | None = Field(None, description="Else the customer's own.")
    terms: _Line | None = Field(None, description="Payment terms, as the ledger writes them.")
    ship_date: Day | None = Field(None, description="The requested ship date.")
    order: _Line | None = Field(None, description="The id or number that the order has or will have in its system.")
    point: Literal["entry", "confirmation", "release", "delivery", "change", "reopen"] | None = None
    reserve: bool | None = Field(None, description="Keep the credit for it, where it passes.")
    reserve_minutes: Annotated[int, Field(ge=1, le=1440)] | None = Field(
        None, description="For so long; 15 by default."
    )
    simulate: bool | None = Field(None, description="Answer and leave no trace.")
    key: _Line | None = Field(None, description="The Idempotency-Key, for those who cannot send the header.")


class Whose(Answer):
    """The customer in the ledger."""

    system: str
    id: str
    name: str


class Credit(Answer):
    """The customer's figures that the answer rests on. `available`: without this order, after what others have reserved."""

    currency: Currency
    exposure: Amount
    limit_kind: str
    limit: Amount | None
    available: Amount | None
    overdue: Amount
    oldest_overdue_days: int
    warning_level: str


class Item(Answer):
    """A document to be paid."""

    id: str
    number: str | None
    due_on: Day | None
    amount: Amount


class WayOut(Answer):
    """The smallest change of one kind that alone would let the order pass. `limit`: the rise that goes with the payment."""

    kind: str
    amount: Amount
    currency: Currency
    en: str
    zh: str
    items: list[Item]
    limit: Amount | None = None


class Reserved(Answer):
    """The credit that is kept."""

    id: int
    amount: Amount
    currency: Currency
    valid_until: Moment


class OrderChecked(Answer):
    """The answer. `valid_until`: so long the credit is kept; where none is, the end of the business day, and until then it
    holds only as long as nothing else changes."""

    result: Literal["pass", "warn", "hold"]
    customer: Whose
    order: str | None
    point: str
    amount: Amount
    currency: Currency
    terms: str | None
    ship_date: Day | None
    reasons: list[Reason]
    warnings: list[Reason]
    set_aside: list[Reason]
    released: bool
    remedies: list[WayOut]
    credit: Credit
    as_of: Day
    at: Moment
    valid_until: Moment
    policy: str
    simulated: bool
    audit: int | None = Field(description="The number of its line in the audit trail.")
    reservation: Reserved | None


class Returned(Answer):
    """A reservation that was given back."""

    id: int
    amount: Amount
    currency: Currency


class Standing(Answer):
    """A reservation that counts."""

    id: int
    customer: Whose
    order: str | None
    amount: Amount
    currency: Currency
    by: str
    made_at: Moment
    valid_until: Moment


class Reservations(Answer):
    """The reservations that count now, oldest first."""

    reservations: list[Standing]
