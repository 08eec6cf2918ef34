"""The answer of an order check, as the outside contract has it: the result, all reasons with numbers, the way out.

Money is text with the currency's own decimals, days are ISO days, every sentence is there in both languages.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

import orjson

from connector.credit.decide import OrderDecision
from connector.credit.reason import Reason
from connector.credit.remedy import Remedy
from connector.money import show
from connector.store.order_values import OrderRow
from jobs.judge import Judged

Result = Literal["pass", "warn", "hold"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given, to the byte. `replayed`: it was given to the same question before."""

    text: str
    replayed: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """The answer as values of JSON."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def result_of(reply: str, decision: OrderDecision) -> Result:
    """What the policy says of the check point, for an order as it was judged."""
    if decision.hold and reply == "hold":
        return "hold"
    return "warn" if decision.warnings or (decision.hold and reply == "warn") else "pass"


def answer(
    judged: Judged,
    row: OrderRow,
    decision: OrderDecision,
    result: Result,
    *,
    point: str,
    order: str | None,
    credit: Mapping[str, Any],
    remedies: Sequence[Remedy],
    at: dt.datetime,
    as_of: dt.date,
    valid_until: dt.datetime,
    policy: str,
    simulated: bool = False,
) -> dict[str, Any]:
    """The answer as values of JSON. `audit`, `reservation` and `valid_until` are put in when they are known."""
    first = judged.members[0]
    return {
        "result": result,
        "customer": {"system": first.system, "id": first.ref, "name": first.name},
        "order": order,
        "point": point,
        "amount": show(row.total, row.currency),
        "currency": row.currency,
        "terms": row.terms,
        "ship_date": None if row.ship_on is None else row.ship_on.isoformat(),
        "reasons": [_reason(one) for one in decision.reasons],
        "warnings": [_reason(one) for one in decision.warnings],
        "set_aside": [_reason(one) for one in decision.set_aside],
        "released": decision.released,
        "remedies": [remedy_told(one) for one in remedies],
        "credit": credit,
        "as_of": as_of.isoformat(),
        "at": instant(at),
        "valid_until": instant(valid_until),
        "policy": policy,
        "simulated": simulated,
        "audit": None,
        "reservation": None,
    }


def credit_told(judged: Judged, available: Decimal | None) -> dict[str, Any]:
    """A customer's figures that an answer rests on, as values of JSON; `available` after what others have reserved."""
    position = judged.position
    currency = position.currency

    def money(amount: Decimal | None) -> str | None:
        return None if amount is None else show(amount, currency)

    return {
        "currency": currency,
        "exposure": money(position.exposure.total),
        "limit_kind": position.limit.kind,
        "limit": money(position.limit_amount),
        "available": money(available),
        "overdue": money(position.overdue),
        "oldest_overdue_days": position.overdue_days,
        "warning_level": judged.decision.level,
    }


def text_of(body: dict[str, Any]) -> str:
    """The answer as it is sent and kept."""
    try:
        return orjson.dumps(body).decode()
    except TypeError:  # a half of a surrogate pair in a name
        return _JSON.encode(body)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)  # a round says the same moments of all its questions
def instant(at: dt.datetime) -> str:
    """A moment as the outside contract writes it: UTC, to the second."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reason(reason: Reason) -> dict[str, Any]:
    text = reason.text
    return {
        "rule": reason.rule,
        "en": text.en,
        "zh": text.zh,
        "numbers": reason.numbers,
        "documents": [one for one in reason.documents if one],
    }


def remedy_told(one: Remedy) -> dict[str, Any]:
    """One way out as values of JSON."""
    text = one.text
    found: dict[str, Any] = {
        "kind": one.kind,
        "amount": show(one.amount, one.currency),
        "currency": one.currency,
        "en": text.en,
        "zh": text.zh,
        "items": [
            {
                "id": debt.ref,
                "number": debt.number,
                "due_on": None if debt.due_on is None else debt.due_on.isoformat(),
                "amount": show(debt.amount, one.currency),
            }
            for debt in one.items
        ],
    }
    if one.limit:
        found["limit"] = show(one.limit, one.currency)
    return found
