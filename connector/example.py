"""A made-up trading company, the same for the same seed: for sandboxes, the demo and the benchmarks.

Everything is plain facts (`connector.model`); a sandbox dresses them in its product's shapes. ERP ids are `C0001` …;
the CRM sandboxes show the same customers as accounts of their own, some under a slightly different name.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from connector.model import (
    Application,
    Customer,
    Document,
    Instalment,
    Limit,
    Order,
    OrderLine,
    Payment,
    Person,
    Rate,
)


@dataclass
class Company:
    """All facts of a made-up company. `people` are its sales representatives; customers' `owner` is a person's id."""

    currency: str
    as_of: dt.date
    people: list[Person] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    instalments: list[Instalment] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
