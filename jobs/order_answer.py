"""Orders as answers for programs: one with reasons, numbers, remedies, who may release it and its history; lists of them.

Amounts are decimal strings with their currency's own number of decimals; sentences are there in both languages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.credit.ageing import OpenItem
from connector.credit.authority import Need, Person
from connector.credit.decide import OrderDecision
from connector.credit.reason import Reason
from connector.credit.remedy import Remedy
from connector.errors import ConfigError
from connector.money import rounded, show
from connector.policy import Policy
from connector.store import Connection, order_credit, positions
from connector.store.order_credit import Happened, OrderAt, Standing
from connector.store.order_values import OrderRow
from jobs import order_words as say
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.order_desk import so_far, the_order
from jobs.order_remedy import remedies_of, who_may


@dataclass(frozen=True, slots=True)
class Explained:
    """One open order as it is judged now. `ways` would release it, `need` and `people`: whom a release needs, and who may
    give it now; `late` are its customer's overdue items."""

    order: OrderAt
    row: OrderRow
    judged: Judged
    decision: OrderDecision
    standing: Standing | None
    history: Sequence[Happened]
    ways: Sequence[Remedy]
    need: Need | None
    people: Sequence[Person]
    late: Sequence[OpenItem]
    base: Frame


def explain(tx: Connection, config: Config, policy: Policy, clock: Clock, wanted: str) -> Explained:
    """One order, by its id or number, or `system/id`. Raises ConfigError where there is no such open order, or several."""
    clock = stopped(clock)
    today = day_in(clock.now(), config.business.time_zone)
    order = the_order(tx, wanted)
    name = f"{order.system}/{order.ref}"
    if order.debtor is None:
        raise ConfigError(say.NOBODYS.fill(ref=name))
    base = frame(tx, config, policy, clock, today, debtors=[order.debtor])
    found = list(judge(tx, base, [order.debtor], scores=True))
    judged = next(one for one in found if one.debtor == order.debtor)
    pair = next(((row, decision) for row, decision in judged.orders if row.key == order.key), None)
    if pair is None:
        raise ConfigError(say.NOT_OPEN.fill(ref=name, status=order.status or "-"))
    row, decision = pair
    # The same order in the ledger stands for one of the CRM.
    row = judged.checked_as(row)
    ways: Sequence[Remedy] = ()
    need, people = None, list[Person]()
    if decision.hold:
        ways = remedies_of(tx, base, judged, row)
        asked, already = so_far(tx, config, row.key)
        need, people = who_may(base, config, judged, row, decision, order, asked, already)
    items = positions.open_items(tx, [m.key for m in judged.members], today)
    return Explained(
        order,
        row,
        judged,
        decision,
        judged.standings.get(row.key),
        order_credit.history(tx, orders=[row.key, order.key]),
        ways,
        need,
        people,
        [item for item in items if item.amount > 0 and item.due_on is not None and item.due_on < today],
        base,
    )


def answer(one: Explained) -> dict[str, Any]:
    """Everything of one order."""
    row, decision, standing, first = one.row, one.decision, one.standing, one.judged.members[0]
    return {
        "as_of": one.base.as_of.isoformat(),
        "system": row.system,
        "order_id": row.ref,
        "number": row.number,
        "customer_id": first.ref,
        "name": first.name,
        "status": one.order.status,
        "total": show(rounded(row.total, row.currency), row.currency),
        "currency": row.currency,
        "state": standing.state if standing is not None else None,
        "since": standing.since.isoformat() if standing is not None else None,
        "hold": decision.hold,
        "released": release_answer(standing),
        "policy": one.base.policy_version,
        "level": one.judged.decision.level,
        "reasons": [reason_answer(reason) for reason in decision.reasons],
        "set_aside": [reason_answer(reason) for reason in decision.set_aside],
        "warnings": [reason_answer(reason) for reason in decision.warnings],
        "overdue_items": [
            {
                "id": item.ref,
                "number": item.number,
                "due_on": item.due_on.isoformat() if item.due_on else None,
                "open": show(item.amount, item.currency),
                "currency": item.currency,
            }
            for item in one.late
        ],
        "remedies": [remedy_answer(way) for way in one.ways],
        "release_needs": None if one.need is None else {"en": one.need.text.en, "zh": one.need.text.zh},
        "who_may_release": [person.id for person in one.people],
        "history": [line_answer(line) for line in one.history],
    }


def in_list(judged: Judged, row: OrderRow, decision: OrderDecision, today: dt.date) -> dict[str, Any]:
    """One line of a list of orders."""
    standing, first = judged.standings.get(row.key), judged.members[0]
    return {
        "id": row.ref,
        "number": row.number or row.ref,
        "system": row.system,
        "customer_id": first.ref,
        "name": first.name,
        "total": show(rounded(row.total, row.currency), row.currency),
        "currency": row.currency,
        "ordered_on": row.ordered_on.isoformat(),
        "ship_on": row.ship_on.isoformat() if row.ship_on else None,
        "days": (today - standing.since).days if standing is not None else None,
        "state": standing.state if standing is not None else None,
        "hold": decision.hold,
        "reasons": [reason_answer(reason) for reason in decision.reasons],
    }


def remedy_answer(way: Remedy) -> dict[str, Any]:
    """What would release an order, with its sentence in both languages."""
    return {
        "kind": way.kind,
        "amount": show(way.amount, way.currency),
        "limit": show(way.limit, way.currency) if way.limit else None,
        "currency": way.currency,
        "items": [debt.ref for debt in way.items],
        "en": way.text.en,
        "zh": way.text.zh,
    }


def reason_answer(reason: Reason) -> dict[str, Any]:
    """A reason with its sentence in both languages, its numbers and its documents."""
    return {
        "rule": reason.rule,
        "en": reason.text.en,
        "zh": reason.text.zh,
        "numbers": reason.numbers,
        "documents": list(reason.documents),
    }


def release_answer(standing: Standing | None) -> dict[str, Any] | None:
    """The release that an order goes on with; None where there is none."""
    if standing is None or standing.release is None:
        return None
    given = standing.release
    return {
        "by": given.by,
        "on": given.on.isoformat(),
        "max_total": show(given.max_total, given.currency),
        "currency": given.currency,
        "valid_until": given.valid_until.isoformat(),
        "terms": given.terms,
    }


def line_answer(line: Happened) -> dict[str, Any]:
    """One line of an order's history."""
    return {
        "at": line.at.isoformat(),
        "what": line.what,
        "state": line.state,
        "point": line.point,
        "actor": line.actor,
        "why": line.why,
        **(line.body or {}),
    }
