"""Facts: what we now believe of customers and what they owe, whichever system said so.

One frozen class per kind; the field names are the columns of the book (`formats/book.md`). Every id is the id in the
system that said it. Money is in whole minor units of the fact's `currency` (`connector.money`), positive: the kind gives
the sign. Where the currency is not part of the fact itself (an application is in its target's, a unit price has more
decimals than any currency) the value is a `Decimal`. Dates are calendar days in the business's time zone. `None` is
"not known", which is never zero (domain 0.7).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal, get_args

CustomerStatus = Literal["active", "blocked", "inactive"]
LimitKind = Literal["base", "unlimited", "override", "additive", "guarantee", "seasonal", "stage"]
DocumentKind = Literal["invoice", "debit_note", "credit_note", "bill_of_exchange"]
DocumentStatus = Literal["posted", "draft"]
Acceptance = Literal["commercial", "bank"]
PaymentKind = Literal["receipt", "refund", "write_off"]
OrderStatus = Literal["draft", "open", "closed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A company or person we sell to: a customer of an ERP or an account of a CRM.

    `external_id` of a CRM account is the customer's number in the ERP, where the CRM stores it; of an ERP customer it is
    the number by which people and other systems know it, where that is not its id. `owner` is the responsible person's id in this system (or an e-mail address).
    `terms` is `net:30`, `months:1`, `eom:30`, `day:10:1` (domain 4).
    """

    id: str
    name: str
    parent_id: str | None = None
    tax_id: str | None = None
    external_id: str | None = None
    country: str | None = None
    currency: str | None = None
    terms: str | None = None
    segment: str | None = None
    owner: str | None = None
    email: str | None = None
    phone: str | None = None
    status: CustomerStatus = "active"
    first_sold_on: dt.date | None = None

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works in a system: an owner of accounts, to whom tasks are given."""

    id: str
    name: str
    email: str | None = None
    active: bool = True

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One piece of a customer's credit limit (domain 2); several make the effective limit of a day.

    `percent` is a fraction of 1 (0.5 = 50 %), for guarantees. `condition` is the release condition of a stage, or the
    month-day range of a seasonal limit (`11-01..02-15`). Validity includes both ends; an open end never expires.
    """

    id: str | None = None
    customer_id: str
    kind: LimitKind
    amount: int | None = None
    currency: str | None = None
    percent: Decimal | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    approved_on: dt.date | None = None
    condition: str | None = None
    segment: str | None = None

    @property
    def ref(self) -> str:
        return self.id or "|".join(
            str(x) if x is not None else ""
            for x in (self.customer_id, self.kind, self.valid_from, self.approved_on, self.condition, self.segment)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An invoice, debit note, credit note or bill of exchange.

    `issued_on` is the posting date. `base_amount` is the same amount in the company's ledger currency at the document's
    own rate. An exchange difference is a document of `amount` 0 with a `base_amount`. `acceptance` tells a commercial
    (商业承兑) from a bank-accepted (银行承兑) bill. A draft is entered but not posted.
    """

    id: str
    customer_id: str
    kind: DocumentKind
    number: str | None = None
    issued_on: dt.date
    due_on: dt.date | None = None
    terms: str | None = None
    currency: str
    amount: int
    base_amount: int | None = None
    disputed_amount: int | None = None
    company: str | None = None
    order_id: str | None = None
    voided_on: dt.date | None = None
    status: DocumentStatus = "posted"
    acceptance: Acceptance | None = None

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of a document with its own due date; all parts add up to the document. `amount` is in its currency.

    `base_amount` is the same in the company's ledger currency; it counts where the document has one, too. Where a part
    says how much of it is disputed, the document's dispute beyond such parts concerns the others, earliest due first.
    """

    document_id: str
    number: str
    due_on: dt.date
    amount: Decimal
    base_amount: Decimal | None = None
    disputed_amount: Decimal | None = None

    @property
    def ref(self) -> str:
        return f"{self.document_id}/{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money received (`receipt`), paid back (`refund`) or given up (`write_off`)."""

    id: str
    customer_id: str
    received_on: dt.date
    currency: str
    amount: int
    base_amount: int | None = None
    company: str | None = None
    kind: PaymentKind = "receipt"
    voided_on: dt.date | None = None

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A payment or credit note set against a document, from the day it was applied until it was reversed.

    `amount` is in the target's currency, `from_amount` in the source's where that differs, `base_amount` in the
    company's ledger currency (may be negative for an exchange gain). `applied_on` decides, not the payment's date.
    """

    id: str | None = None
    from_id: str
    to_id: str
    instalment_number: str | None = None
    amount: Decimal
    from_amount: Decimal | None = None
    base_amount: Decimal | None = None
    applied_on: dt.date
    reversed_on: dt.date | None = None

    @property
    def ref(self) -> str:
        return self.id or f"{self.from_id}>{self.to_id}/{self.instalment_number or ''}@{self.applied_on}={self.amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A sales order. `amount` is gross; where there are lines they decide what is delivered and invoiced.

    `customer_id` is the customer who will be invoiced. `reference` is the number that the same order has in another
    system, where this one knows it. `priority` breaks ties when orders compete for credit.
    """

    id: str
    customer_id: str
    number: str | None = None
    reference: str | None = None
    ordered_on: dt.date
    ship_on: dt.date | None = None
    currency: str
    amount: int | None = None
    invoiced_amount: int | None = None
    delivered_amount: int | None = None
    terms: str | None = None
    status: OrderStatus = "open"
    owner: str | None = None
    priority: str | None = None
    company: str | None = None

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order; `unit_price` is net, `tax_rate` a fraction of 1 (0.13)."""

    order_id: str
    line: str
    quantity: Decimal
    quantity_delivered: Decimal | None = None
    quantity_invoiced: Decimal | None = None
    quantity_cancelled: Decimal | None = None
    unit_price: Decimal
    tax_rate: Decimal | None = None
    ship_on: dt.date | None = None

    @property
    def ref(self) -> str:
        return f"{self.order_id}/{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One unit of `from_currency` in `to_currency` on a day (columns `on`, `from`, `to`, `rate`)."""

    on: dt.date
    from_currency: str
    to_currency: str
    rate: Decimal

    @property
    def ref(self) -> str:
        return f"{self.from_currency}/{self.to_currency}@{self.on}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A customer's word to pay; pauses dunning, never reduces exposure."""

    id: str
    customer_id: str
    document_id: str | None = None
    made_on: dt.date
    due_on: dt.date
    amount: int
    currency: str

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Financial:
    """One item of a financial statement. `amount` is in units of `unit` (1, 1000, 10000) of the currency."""

    customer_id: str
    period_end_on: dt.date
    months: int
    currency: str
    unit: int = 1
    audited: bool | None = None
    item: str
    amount: Decimal

    @property
    def ref(self) -> str:
        return f"{self.customer_id}/{self.period_end_on}/{self.months}/{self.item}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a customer: a rating, a listing, a court case, a bounced payment."""

    id: str
    customer_id: str
    on: dt.date
    kind: str
    source: str
    value: str | None = None
    text: str | None = None
    ended_on: dt.date | None = None

    @property
    def ref(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """What stands in an order's field by which people of a system ask for its release: `reason`, in their words. `by` is
    the id there of who asks, as far as the system says: at least of who changed the order last."""

    order_id: str
    reason: str
    by: str | None = None

    @property
    def ref(self) -> str:
        return self.order_id


Fact = (
    Customer
    | Person
    | Limit
    | Document
    | Instalment
    | Payment
    | Application
    | Order
    | OrderLine
    | Rate
    | Promise
    | Financial
    | Event
    | ReleaseRequest
)

# The name of each kind as mappings and tables write it.
FACTS: dict[str, type] = {
    "customer": Customer,
    "person": Person,
    "limit": Limit,
    "document": Document,
    "instalment": Instalment,
    "payment": Payment,
    "application": Application,
    "order": Order,
    "order_line": OrderLine,
    "rate": Rate,
    "promise": Promise,
    "financial": Financial,
    "event": Event,
    "release_request": ReleaseRequest,
}
KIND_OF: dict[type, str] = {cls: name for name, cls in FACTS.items()}


def columns(kind: str) -> tuple[str, ...]:
    """The field names of a kind of fact, in order."""
    return tuple(f.name for f in fields(FACTS[kind]))


def choices(literal: object) -> tuple[str, ...]:
    """The permitted words of one of the `Literal` types above."""
    return get_args(literal)
