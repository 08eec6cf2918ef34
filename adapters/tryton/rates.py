"""Exchange rates into the company's currency.

Tryton keeps, for each currency, how many units of it one unit of a notional base is worth on a day
(`currency.currency.rate`); the base is whichever currency stands at 1. One unit of X in the company's currency is
therefore the company's rate divided by X's, both the latest known on the day; a record (`_from`, `_to`, `_rate`) is made
for each day on which either changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from connector.adapter import Page, Record
from connector.money import EXACT
from connector.paging import at_once

from . import wishes
from .client import Tryton

_PRECISE = Decimal(1).scaleb(-12)


def read(client: Tryton, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
    """All rates of all currencies against the company's."""
    asked = wishes.sorted_out(client, "rates", wanted, {"": "currency.currency.rate"})[""]
    rows = client.rows("currency.currency.rate", [], [*dict.fromkeys(["date", "rate", "currency.code", *asked])])
    return at_once(into(client.currency, rows))


def into(company: str, rows: Sequence[dict[str, Any]]) -> list[Record]:
    """The records from Tryton's rows. Rows without a date or a rate say nothing."""
    dated = sorted((r for r in rows if r["date"] and r["rate"]), key=lambda r: str(r["date"]))
    latest: dict[str, Decimal] = {}
    records: list[Record] = []
    for day, group in groupby(dated, key=lambda r: str(r["date"])):
        fresh = {r["currency"]["code"]: Decimal(r["rate"]) for r in group}
        latest |= fresh
        if company not in latest:
            continue
        for code, rate in sorted(latest.items()):
            if code != company and (code in fresh or company in fresh):
                value = EXACT.divide(latest[company], rate)
                exact = value if -int(value.as_tuple().exponent) <= 12 else EXACT.quantize(value, _PRECISE)
                records.append(
                    Record(f"{code}/{day}", {"date": day, "_from": code, "_to": company, "_rate": exact.normalize()})
                )
    return records
