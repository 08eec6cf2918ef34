"""The answer: a position and its decision as the outside contract writes them (`formats/book.md`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connector.credit.decide import Decision
from connector.credit.limit import Effective
from connector.credit.position import Position
from connector.credit.reason import Reason
from connector.money import show


def as_answer(position: Position, decision: Decision | None, customer_id: str, system: str) -> dict[str, Any]:
    """One element of `positions`: money as strings with the currency's decimals, null where a figure means nothing.

    `customer_id` is the id in `system`, which owns the ledger. Without a decision (`None`: figures of a day that
    nobody decided on) hold, warning level, score and grade are null and there are no reasons.
    """
    currency = position.currency

    def money(amount: Decimal | None) -> str | None:
        return None if amount is None else show(amount, currency)

    exposure = position.exposure
    return {
        "customer_id": customer_id,
        "system": system,
        "currency": currency,
        "buckets": {name: money(amount) for name, amount in position.buckets.items()},
        "unapplied": money(position.unapplied),
        "balance": money(position.balance),
        "overdue": money(position.overdue),
        "disputed": money(position.disputed),
        "oldest_overdue_days": position.overdue_days,
        "exposure": {
            "open_receivables": money(exposure.open_receivables),
            "unapplied_cash": money(exposure.unapplied_cash),
            "unapplied_credit_notes": money(exposure.unapplied_credit_notes),
            "delivered_not_invoiced": money(exposure.delivered_not_invoiced),
            "ordered_not_delivered": money(exposure.ordered_not_delivered),
            "bills": money(exposure.bills),
            "drafts": money(exposure.drafts),
            "total": money(exposure.total),
        },
        "limit": _limit(position.limit, position),
        "available": money(decision.available if decision else position.available),
        "utilisation": None if position.utilisation is None else f"{position.utilisation:f}",
        "hold": decision.hold if decision else None,
        "warning_level": decision.level if decision else None,
        "score": None if decision is None or decision.score is None else f"{decision.score:f}",
        "grade": decision.grade if decision else None,
        "reasons": [_reason(reason) for reason in (decision.reasons if decision else position.unclear)],
    }


def _limit(limit: Effective, position: Position) -> dict[str, Any]:
    if limit.kind != "amount":
        return {"kind": limit.kind, "amount": None}
    answer: dict[str, Any] = {"kind": "amount", "amount": None}
    if position.limit_amount is not None:
        answer["amount"] = show(position.limit_amount, position.currency)
    if limit.currency != position.currency:
        answer |= {"own_amount": f"{limit.amount:f}", "own_currency": limit.currency}
    if limit.expired:
        answer["expired"] = True
    return answer


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "en": reason.text.en,
        "zh": reason.text.zh,
        "numbers": reason.numbers,
        "documents": list(reason.documents),
    }
