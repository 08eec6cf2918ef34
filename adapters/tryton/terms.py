"""Payment terms: Tryton's, in our words where they are a single instalment.

A term is a list of lines (a part of the amount, and deltas in days, weeks, months, or to a day of the month). One line
for the whole amount with one delta can be said as `net:30`, `months:1`, `eom:0` or `day:10:1`; anything else is left
unsaid: the due dates of documents come from the ledger and do not need it.
"""

from __future__ import annotations

from typing import Any

from .client import Tryton

_DELTA = ("day", "month", "weekday", "months", "weeks", "days")


def terms(client: Tryton) -> dict[int, str | None]:
    """All payment terms by id; asked once per client."""
    if "terms" not in client.memory:
        client.memory["terms"] = _read(client)
    found: dict[int, str | None] = client.memory["terms"]
    return found


def _read(client: Tryton) -> dict[int, str | None]:
    model = "account.invoice.payment_term"
    if not client.can_read(model):
        return {}
    paths = ["lines.type", *(f"lines.relativedeltas.{name}" for name in _DELTA)]
    # `month` and `weekday` are references to calendar records; only whether they are set matters here.
    return {row["id"]: said(row["lines"] or []) for row in client.rows(model, [], paths)}


def said(lines: list[dict[str, Any]]) -> str | None:
    """One term in our words, or None where they do not suffice."""
    if len(lines) != 1 or lines[0]["type"] != "remainder":
        return None
    deltas = lines[0]["relativedeltas"] or []
    if not deltas:
        return "net:0"
    if len(deltas) > 1 or deltas[0]["month"] or deltas[0]["weekday"]:
        return None
    delta = deltas[0]
    months, days = delta["months"] or 0, (delta["weeks"] or 0) * 7 + (delta["days"] or 0)
    match delta["day"], months, days:
        case None, 0, _:
            return f"net:{days}"
        case None, _, 0:
            return f"months:{months}"
        case day, 0, _ if day is not None and day >= 31:
            return f"eom:{days}"
        case day, _, 0 if day is not None:
            return f"day:{day}:{months}"
    return None
