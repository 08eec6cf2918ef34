"""The trail of limits: what becomes of a request next, and what the audit trail tells of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.credit.granting import Event, Request, Standing, What
from connector.credit.limit import Effective
from connector.model import Limit
from connector.store.audit import Entry
from connector.store.customers import CustomerRow
from connector.store.limits import Asked


def event_after(
    asked: Asked, what: What, actor: str, at: dt.datetime, why: str = "", amount: int | None = None
) -> Event:
    """What becomes of a request next, with its number; `amount` in minor units is what it stands at since."""
    last = asked.events[-1].number if asked.events else 1
    return Event(last + 1, at, what, actor, why, amount)


def entry(
    action: str,
    row: CustomerRow,
    actor: str,
    why: str,
    before: Request | None,
    after: Request | None,
    held: Decimal | None = None,
    stands: Standing | None = None,
) -> Entry:
    """One step of a request: what stood before, and what it asks for now; `held` is the limit of that day."""
    was = None if before is None else _kept(before, before.amount_minor)
    if held is not None and after is not None:
        was = {"amount": held, "currency": after.currency}
    will = None if after is None else _kept(after, after.amount_minor if stands is None else stands.amount_minor)
    return Entry(action, subject(row), actor, why, was, will)


def changed_entry(row: CustomerRow, actor: str, why: str, asked: Asked, old: int | None, new: int) -> Entry:
    """A request that stands at another amount now."""
    request = asked.request
    return Entry("limit.change", subject(row), actor, why, _kept(request, old), _kept(request, new))


def granted_entry(
    row: CustomerRow, actor: str, why: str, before: Effective, after: Effective, asked: Asked, stands: Standing
) -> Entry:
    """A limit that was granted: the limit of the day before and after, and who approved it."""
    kept = _kept(asked.request, stands.amount_minor) | {"effective": _said(after), "approvers": list(stands.approvers)}
    return Entry("limit.approve", subject(row), actor, why, {"effective": _said(before)}, kept)


def taken_over_entry(row: CustomerRow, actor: str, pieces: Sequence[Limit]) -> Entry:
    """From here on the limit is kept here: what the ledger said goes on as our own."""
    said = [[p.ref, p.kind, p.amount, p.currency, p.valid_from, p.valid_to] for p in pieces]
    return Entry("limit.adopt", subject(row), actor, "", None, {"pieces": said})


def _said(limit: Effective) -> dict[str, Any]:
    return {"kind": limit.kind, "amount": limit.amount, "currency": limit.currency}


def _kept(request: Request, amount: int | None) -> dict[str, Any]:
    return {
        "request": request.number,
        "kind": request.kind,
        "amount": None if amount is None else request.decimal(amount),
        "currency": request.currency,
        "valid_from": request.valid_from,
        "valid_to": request.valid_to,
    }


def subject(row: CustomerRow) -> str:
    """A customer as the audit trail names it."""
    return f"customer:{row.system}/{row.ref}"
