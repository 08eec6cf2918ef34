"""Tryton's own dialogues for paying an invoice and for reconciling lines: used to enter a company, and by the demo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from .client import Tryton


def reconcile(client: Tryton, lines: Sequence[int]) -> None:
    """Reconciles lines that add up to zero, through Tryton's own wizard."""
    about = {"active_model": "account.move.line", "active_id": lines[0], "active_ids": list(lines)}
    wizard = "wizard.account.move.reconcile_lines"
    session, start, _ = client.call(f"{wizard}.create", safe=False, **about)
    client.call(f"{wizard}.execute", session, {}, start, safe=False, **about)
    client.call(f"{wizard}.delete", session, safe=False, **about)


def pay(client: Tryton, invoice: int, amount: Decimal, on: dt.date, method: int | None = None) -> None:
    """Pays an invoice, or a part of it, through Tryton's own wizard; amount in the invoice's currency."""
    if method is None:
        found = client.rows("account.invoice.payment.method", [], ["id"], limit=1)
        method = found[0]["id"]
    row = client.rows("account.invoice", [["id", "=", invoice]], ["currency", "company", "party"])[0]
    about = {"active_model": "account.invoice", "active_id": invoice, "active_ids": [invoice]}
    wizard = "wizard.account.invoice.pay"
    session = client.call(f"{wizard}.create", safe=False, **about)[0]
    start = {
        "payee": row["party"],
        "amount": amount,
        "currency": row["currency"],
        "company": row["company"],
        "date": on,
        "invoice_account": None,
        "payment_method": method,
        "description": None,
    }
    answer = client.call(f"{wizard}.execute", session, {"start": start}, "choice", safe=False, **about)
    if isinstance(answer, dict) and answer.get("view"):
        # Less than what is owed: it stays a partial payment.
        ask = {"type": "partial", "invoice": invoice, "amount": amount, "lines": [], "lines_to_pay": []}
        ask |= {"currency": row["currency"], "company": row["company"], "payment_lines": []}
        client.call(f"{wizard}.execute", session, {"start": start, "ask": ask}, "pay", safe=False, **about)
    client.call(f"{wizard}.delete", session, safe=False, **about)
