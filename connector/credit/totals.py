"""Totals: what one customer has open in one currency on one day, as the store sums it for the pure functions here.

The join between SQL and Python: one grouped query gives one row per customer and currency, in whole minor units of that
currency (in the ledger view: of the ledger currency, from the documents' own base amounts), unrounded and unconverted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


# Not frozen: made by the hundred thousand, and that takes half the time. Nobody changes one.
@dataclass(slots=True)
class Totals:
    """One customer, one currency, one day. `customer` is the store's own key of the ERP customer.

    `buckets` are the sums of positive open items per ageing bucket (labels by `ageing.labels`), after placement of
    unapplied credits. `unapplied_cash` and `unapplied_notes` are positive and are to be subtracted; they are what
    placement has left over. `cash` and `notes` are the same before placement (exposure does not depend on placement).
    `overdue` sums the items past due; `oldest_due_on` is the earliest due date among them. The `undisputed_` twins
    leave disputed amounts out, for the tests that disputes do not touch. `bills_commercial` and `bills_bank` are bills
    of exchange not yet cleared. `drafts` are entered, not posted, documents (signed). `without_due_date` counts open
    items that have none. `delivered_not_invoiced` and `ordered_not_delivered` are unrounded minor units.
    """

    customer: int
    currency: str
    buckets: tuple[int, ...] = ()
    unapplied_cash: int = 0
    unapplied_notes: int = 0
    cash: int = 0
    notes: int = 0
    receivables: int = 0
    overdue: int = 0
    oldest_due_on: dt.date | None = None
    undisputed_overdue: int = 0
    undisputed_oldest_due_on: dt.date | None = None
    disputed: int = 0
    bills_commercial: int = 0
    bills_bank: int = 0
    drafts: int = 0
    without_due_date: int = 0
    delivered_not_invoiced: Decimal = Decimal(0)
    ordered_not_delivered: Decimal = Decimal(0)
