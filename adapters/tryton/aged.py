"""Tryton's own aged balance, recomputed from what was read: for laying our figures beside Tryton's report.

`account.aged_balance` is another view than ours (domain section 4), by rules of its own (`account/account.py`; every
cell was compared with a running 8.2.1):

- every ledger line stands by itself, in the bucket of its own maturity, or of its move's date where it has none; a
  receipt that was set against an invoice is a negative amount in the receipt's bucket, not less in the invoice's;
- `term0` (“Now”) is 0 to 29 days late, `term1` 30 to 59, `term2` 60 to 89, `term3` 90 and more; what is not yet due is
  in `balance` only;
- as of a day, a line counts as open while its reconciliation is dated later; a reconciliation is dated with the latest
  day of its lines, their maturities included: an invoice paid early stays open until it would have been due.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from .books import customer, day, net

COLUMNS = ("term0", "term1", "term2", "term3", "balance")
TERMS = (0, 30, 60, 90)


def aged_balance(records: Iterable[Mapping[str, Any]], as_of: dt.date) -> dict[str, dict[str, Decimal]]:
    """Customer number → column → amount in the company's currency, from records of the stream `ledger`."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(COLUMNS, Decimal(0)))
    for record in records:
        for line in record["lines"]:
            closed = line["reconciliation"]
            if day(line["date"]) > as_of or (closed and day(closed["date"]) <= as_of):
                continue
            row, amount = found[customer(line) or ""], net(line)
            row["balance"] += amount
            late = (as_of - day(line["maturity_date"] or line["date"])).days
            if late >= 0:
                row[f"term{sum(late >= edge for edge in TERMS) - 1}"] += amount
    return {code: row for code, row in found.items() if any(row.values())}
