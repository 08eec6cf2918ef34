"""What the panel shows, as one value: for the page and for whoever draws it himself. Amounts are in the panel's `currency`
unless they carry their own; None is not known, which is never zero."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connector.money import show
from connector.text import Text

# What a state means at a glance, from good to worst; every one goes with a word and a sign.
Tone = Literal["good", "watch", "warn", "alarm", "stop", "unknown"]


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands at a glance: a word, and a sentence that says more."""

    tone: Tone
    word: Text
    line: Text


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of the ageing, youngest first. `late`: its days are past due."""

    label: Text
    amount: Decimal
    late: bool


@dataclass(frozen=True, slots=True)
class Point:
    """What was owed at the end of a day, and what of that was overdue."""

    on: dt.date
    balance: Decimal
    overdue: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """A customer's figures of the day. `limit` None: there is none, it is unlimited (`limit_kind`) or cannot be told;
    `on_order` is the part of the exposure that is no receivable yet, `used` a share of 1. `late_days` are days past due of
    the oldest item; 0: nothing is overdue."""

    limit_kind: str
    limit: Decimal | None
    exposure: Decimal
    on_order: Decimal
    available: Decimal | None
    used: Decimal | None
    balance: Decimal
    unapplied: Decimal
    overdue: Decimal
    disputed: Decimal
    late_days: int
    buckets: tuple[Bucket, ...]
    trend: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Somebody's request for a release or a limit that waits. `mine`: it is that of whoever looks."""

    by: str
    at: dt.datetime
    why: str
    mine: bool
    amount: Decimal | None = None
    currency: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class OrderPart:
    """One order: its state, why, and the smallest changes that would each release it. `name` is "system/id"; `who` are the
    people who may release it now; `may_ask`: whoever looks may ask for its release."""

    name: str
    number: str
    total: Decimal | None
    currency: str | None
    status: Status
    held: bool
    reasons: tuple[Text, ...] = ()
    ways: tuple[Text, ...] = ()
    asked: AskedFor | None = None
    needs: Text | None = None
    who: tuple[str, ...] = ()
    may_ask: bool = False
    looked_at: bool = False


@dataclass(frozen=True, slots=True)
class PromisePart:
    """A promise to pay: `open`, or `broken` in the last 90 days."""

    amount: Decimal
    currency: str
    due_on: dt.date
    state: Literal["open", "broken"]


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """Money that came in."""

    on: dt.date
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class TaskPart:
    """A task that is open for the customer, in the system where people work."""

    text: Text
    since: dt.datetime
    made: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything. Without `status` there is nothing to show, and `nothing` says why. `figures` None: whoever looks sees the
    reduced view. `data_at`: since when the ledger's data are complete. `limit_frozen`: why no limit may rise now, told to whoever
    could ask for one."""

    kind: Literal["customer", "order"]
    system: str
    record: str
    name: str
    as_of: dt.date
    nothing: Text | None = None
    customer: str = ""
    currency: str = ""
    data_at: dt.datetime | None = None
    stale: Text | None = None
    status: Status | None = None
    grade: str | None = None
    score: Decimal | None = None
    figures: Figures | None = None
    reasons: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    orders: tuple[OrderPart, ...] = ()
    held_orders: int = 0
    promises: tuple[PromisePart, ...] = ()
    receipts: tuple[ReceiptPart, ...] = ()
    tasks: tuple[TaskPart, ...] = ()
    review_on: dt.date | None = None
    limit_asked: AskedFor | None = None
    may_ask_limit: bool = False
    limit_frozen: Text | None = None

    @property
    def order(self) -> OrderPart | None:
        """The order that is looked at, where it is one."""
        return next((one for one in self.orders if one.looked_at), None)

    @property
    def shared_way(self) -> Text | None:
        """The smallest change that would release each of several held orders, where it is one and the same."""
        held = [one for one in self.orders if one.held and not one.looked_at]
        firsts = {one.ways[0] if one.ways else None for one in held}
        return firsts.pop() if len(held) > 1 and len(firsts) == 1 else None


# --- as an answer for programs ---------------------------------------------------------------------------------------------
def answer(panel: Panel) -> dict[str, Any]:
    """The same as values of JSON: amounts are decimal strings with their currency's decimals, sentences in both languages."""
    one, money = panel.figures, panel.currency

    def amount(value: Decimal | None) -> str | None:
        return None if value is None else show(value, money)

    return {
        "kind": panel.kind,
        "system": panel.system,
        "record_id": panel.record,
        "name": panel.name,
        "customer": panel.customer,
        "as_of": panel.as_of.isoformat(),
        "data_at": _moment(panel.data_at),
        "stale": _said(panel.stale),
        "nothing": _said(panel.nothing),
        "status": _status(panel.status),
        "grade": panel.grade,
        "score": None if panel.score is None else f"{panel.score:f}",
        "currency": money or None,
        "figures": None
        if one is None
        else {
            "limit_kind": one.limit_kind,
            "limit": amount(one.limit),
            "exposure": amount(one.exposure),
            "on_order": amount(one.on_order),
            "available": amount(one.available),
            "used": None if one.used is None else f"{one.used:f}",
            "balance": amount(one.balance),
            "unapplied": amount(one.unapplied),
            "overdue": amount(one.overdue),
            "disputed": amount(one.disputed),
            "days_overdue": one.late_days,
            "buckets": [{**_words(b.label), "amount": amount(b.amount), "overdue": b.late} for b in one.buckets],
            "trend": [
                {"on": p.on.isoformat(), "balance": amount(p.balance), "overdue": amount(p.overdue)} for p in one.trend
            ],
        },
        "reasons": [_words(text) for text in panel.reasons],
        "warnings": [_words(text) for text in panel.warnings],
        "held_orders": panel.held_orders,
        "orders": [_order(each) for each in panel.orders],
        "promises": [
            {
                "amount": show(p.amount, p.currency),
                "currency": p.currency,
                "due_on": p.due_on.isoformat(),
                "state": p.state,
            }
            for p in panel.promises
        ],
        "payments": [
            {"on": r.on.isoformat(), "amount": show(r.amount, r.currency), "currency": r.currency}
            for r in panel.receipts
        ],
        "tasks": [{**_words(t.text), "since": _moment(t.since), "made": t.made} for t in panel.tasks],
        "next_review": None if panel.review_on is None else panel.review_on.isoformat(),
        "limit_asked": _asked(panel.limit_asked),
        "may_ask_limit": panel.may_ask_limit,
        "limit_frozen": _said(panel.limit_frozen),
    }


def _order(one: OrderPart) -> dict[str, Any]:
    total = None if one.total is None or one.currency is None else show(one.total, one.currency)
    return {
        "order": one.name,
        "number": one.number,
        "total": total,
        "currency": one.currency,
        "status": _status(one.status),
        "held": one.held,
        "reasons": [_words(text) for text in one.reasons],
        "remedies": [_words(text) for text in one.ways],
        "asked": _asked(one.asked),
        "release_needs": _said(one.needs),
        "who_may_release": list(one.who),
        "may_ask": one.may_ask,
        "looked_at": one.looked_at,
    }


def _asked(one: AskedFor | None) -> dict[str, Any] | None:
    if one is None:
        return None
    amount = None if one.amount is None or one.currency is None else show(one.amount, one.currency)
    return {
        "number": one.number,
        "by": one.by,
        "at": _moment(one.at),
        "why": one.why,
        "amount": amount,
        "currency": one.currency,
        "mine": one.mine,
    }


def _status(one: Status | None) -> dict[str, Any] | None:
    return None if one is None else {"tone": one.tone, "word": _words(one.word), "line": _words(one.line)}


def _words(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _said(text: Text | None) -> dict[str, str] | None:
    return None if text is None else _words(text)


def _moment(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
