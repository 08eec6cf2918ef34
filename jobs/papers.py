"""Papers and reviews that orders wait for: what credit files lack, by the limit they stand for, and reviews that are late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.credit.review import Lacking, is_overdue, lacking
from connector.policy import Policy
from connector.store import Connection, decisions, papers, reviews
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


def overdue_reviews(tx: Connection, policy: Policy, as_of: dt.date, rows: Sequence[CustomerRow]) -> dict[int, dt.date]:
    """The day by which the review of a debtor should have been finished, where that and its grace are over."""
    segments = {row.debtor: row.segment for row in rows if row.debtor is not None}
    return {
        debtor: one.due_on
        for debtor, one in reviews.open_reviews(tx, list(segments)).items()
        if is_overdue(one.due_on, as_of, policy.of(segments[debtor]).review)
    }


def _limit(body: Mapping[str, Any]) -> Decimal | None:
    """The limit in force; nothing where there is none, None for unlimited."""
    limit = body["limit"]
    if limit["kind"] == "unlimited":
        return None
    return Decimal(limit["amount"] or 0)
