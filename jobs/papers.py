"""Papers: what the credit files of customers lack, by the limit they stand for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.credit.review import Lacking, lacking
from connector.policy import Policy
from connector.store import Connection, decisions, papers
from connector.store.customers import CustomerRow


def lacking_of(tx: Connection, policy: Policy, as_of: dt.date, rows: Sequence[CustomerRow]) -> dict[int, list[Lacking]]:
    """What is missing or expired, by debtor, for customers (one of each debtor); by the limit of their last decision.

    A limit in another currency than the reporting one is compared as it stands: the thresholds are rough.
    """
    debtors = [row.debtor for row in rows if row.debtor is not None]
    held, concluded = papers.held(tx, debtors), decisions.latest(tx, debtors)
    found: dict[int, list[Lacking]] = {}
    for row in rows:
        if row.debtor is None or row.debtor not in concluded:
            continue
        missing = lacking(
            held.get(row.debtor, ()), _limit(concluded[row.debtor].body), policy.of(row.segment).review, as_of
        )
        if missing:
            found[row.debtor] = missing
    return found


def _limit(body: Mapping[str, Any]) -> Decimal | None:
    """The limit in force; nothing where there is none, None for unlimited."""
    limit = body["limit"]
    if limit["kind"] == "unlimited":
        return None
    return Decimal(limit["amount"] or 0)
