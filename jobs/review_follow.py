"""What follows from a finished review, in its transaction: where it ends with another limit, that limit is asked for.

The reviewer asks; whoever agreed to the review approves at once as far as his authority over limits goes. The rest of what
the approval matrix wants for a limit is wanted here, too: a review is no way around it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from connector.credit.authority import Person
from connector.credit.granting import Request
from connector.credit.terms import months_later
from connector.errors import ConfigError
from connector.store import Connection
from connector.store.customers import CustomerRow
from connector.store.reviews import ReviewRow
from jobs import grant, grant_ask, grant_matter
from jobs.review_decide import Desk, Follow


def follow(desk: Desk) -> tuple[Follow, ...]:
    """The steps that follow from reviews that are finished at a desk."""
    return (partial(_limit, desk),)


def _limit(desk: Desk, tx: Connection, row: CustomerRow, review: ReviewRow, person: Person) -> None:
    if review.conclusion not in ("raise", "cut") or review.limit is None or review.limit_currency is None:
        return
    limits = grant_matter.Desk(desk.config, desk.policy, desk.clock)
    reviewer = f"person:{review.reviewer}"
    wanted = Request(
        kind="base",
        amount_minor=review.limit,
        currency=review.limit_currency,
        requested_by=reviewer,
        valid_from=desk.today,
        valid_to=months_later(desk.today, desk.policy.of(row.segment).limit.valid_months),
    )
    why = review.reason or ""
    asked = grant_ask.ask(tx, limits, row, wanted, why=why, body={"review": review.id})
    if person.actor == reviewer and not person.alone:
        return
    # Whoever agrees to a review may not decide on every limit: then it waits for somebody who may.
    with suppress(ConfigError):
        grant.approve(tx, limits, asked.number, person, why=why)
