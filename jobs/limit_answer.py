"""Requests for limits as answers for programs: where one stands, whom it waits for, all its steps."""

from __future__ import annotations

from typing import Any

from connector.money import show
from connector.store.customers import CustomerRow
from jobs.grant import Outcome


def answer(row: CustomerRow, done: Outcome) -> dict[str, Any]:
    """One request; amounts are decimal strings in its currency, no amount is unlimited."""
    one, request, amount = done.asked, done.asked.request, done.stands.amount_minor
    return {
        "number": one.number,
        "system": row.system,
        "customer_id": row.ref,
        "kind": request.kind,
        "amount": None if amount is None else show(request.decimal(amount), request.currency),
        "currency": request.currency,
        "before": None if one.before is None else show(one.before, request.currency),
        "valid_from": request.valid_from.isoformat(),
        "valid_to": None if request.valid_to is None else request.valid_to.isoformat(),
        "condition": request.condition,
        "tranches": [{"amount": show(part, request.currency), "condition": words} for part, words in request.parts],
        "state": done.stands.state,
        "requested_by": done.stands.requested_by,
        "approvers": list(done.stands.approvers),
        "waits_for": [p.id for p in done.others],
        "why": one.why,
        "binding": one.body.get("binding"),
        "events": [{"at": e.at.isoformat(), "what": e.what, "actor": e.actor, "why": e.why} for e in one.events],
    }
