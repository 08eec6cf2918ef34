"""Customers as answers for programs: who is meant, and everything of one: position, conclusion, open items, orders.

Amounts are decimal strings with their currency's own number of decimals; sentences are there in both languages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.ageing import OpenItem, bucket
from connector.credit.answer import as_answer
from connector.errors import ConfigError, Missing
from connector.money import show
from connector.policy import Policy
from connector.store import Connection, customers, positions
from connector.store.customers import CustomerRow
from connector.text import Language, Text
from jobs.frame import frame
from jobs.judge import Judged, judge
from jobs.warned import shown, thorough
from jobs.words import reasons_text

NOT_LINKED = Text("{ref} is not linked yet: holdfast run", "{ref} 尚未关联：请先执行 holdfast run")
NOBODY = Text("There is no customer “{wanted}”.", "没有客户“{wanted}”。")
SEVERAL = Text("“{wanted}” fits several customers: {refs}", "“{wanted}”对应多个客户：{refs}")


def one_customer(tx: Connection, config: Config, wanted: str) -> CustomerRow:
    """The customer of the ledger with this id, or `system/id`. Raises Missing, or ConfigError where several have it."""
    erps = [s.name for s in config.with_role("erp")]
    system, slash, ref = wanted.partition("/")
    exact = [r for r in customers.customers(tx, systems=erps, refs={wanted, ref} if slash else {wanted}) if r.known]
    found = [r for r in exact if r.ref == wanted or (r.system, r.ref) == (system, ref)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Missing(NOBODY.fill(wanted=wanted))
    raise ConfigError(SEVERAL.fill(wanted=wanted, refs=", ".join(f"{r.system}/{r.ref}" for r in found[:8])))


def debtor_of(row: CustomerRow) -> int:
    """The debtor that a customer is linked to. Raises ConfigError where it is linked to nobody yet."""
    if row.debtor is None:
        raise ConfigError(NOT_LINKED.fill(ref=row.ref))
    return row.debtor


@dataclass(frozen=True, slots=True)
class Shown:
    """One customer on a day, with what it was judged from."""

    row: CustomerRow
    judged: Judged
    items: Sequence[OpenItem]
    linked: Sequence[CustomerRow]
    day: dt.date


def on_day(
    tx: Connection, config: Config, policy: Policy, clock: Clock, row: CustomerRow, as_of: dt.date | None = None
) -> Shown:
    """One customer on a day (None: today). Raises ConfigError where it is linked to nobody yet."""
    day = as_of or day_in(clock.now(), config.business.time_zone)
    debtor = debtor_of(row)
    base = frame(tx, config, policy, clock, day, debtors=[debtor])
    thorough(tx, base)
    judged = next((j for j in judge(tx, base, [debtor], scores=True) if row.key in j.own), None)
    if judged is None:
        raise ConfigError(NOT_LINKED.fill(ref=row.ref))
    items = positions.open_items(tx, [row.key], day)
    linked = [r for r in customers.customers(tx, debtors=[judged.debtor]) if r.known]
    return Shown(row, judged, items, linked, day)


def answer(one: Shown, policy: Policy, language: Language) -> dict[str, Any]:
    """Everything of one customer; `why`, a sentence for reading on, is in one language."""
    judged, row, day = one.judged, one.row, one.day
    edges, basis = policy.ageing.edges(), policy.ageing.basis
    own = judged.own[row.key]
    return as_answer(own, judged.decision, row.ref, row.system) | {
        "name": row.name,
        "as_of": day.isoformat(),
        "linked": [{"system": r.system, "id": r.ref, "name": r.name} for r in one.linked],
        "limit_steps": [{"en": s.en, "zh": s.zh} for s in own.limit.steps],
        "indicators": shown(judged.decision, policy.of(row.segment).warning),
        "why": reasons_text(judged.decision.reasons).say(language),
        "items": [
            {
                "id": i.ref,
                "number": i.number,
                "kind": i.kind,
                "issued_on": i.issued_on.isoformat(),
                "due_on": i.due_on.isoformat() if i.due_on else None,
                "days_overdue": max(0, (day - (i.due_on or i.issued_on)).days) if i.amount > 0 else None,
                "currency": i.currency,
                "open": show(i.amount, i.currency),
                "disputed": show(i.disputed, i.currency) if i.disputed else None,
                "bucket": bucket(_from(i, basis), day, edges, basis) if i.amount > 0 else None,
            }
            for i in one.items
        ],
        "orders": [
            {
                "system": o.system,
                "id": o.ref,
                "number": o.number,
                "status": o.status,
                "total": show(o.total, o.currency),
                "open": show(o.open_value, o.currency),
                "currency": o.currency,
                "hold": checked.hold,
                "reasons": [r.text.say(language) for r in checked.reasons],
            }
            for o, checked in judged.orders
        ],
    }


def _from(item: OpenItem, basis: str) -> dt.date:
    return item.issued_on if basis != "due" or item.due_on is None else item.due_on
