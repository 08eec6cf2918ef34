"""Conclusions: what is kept of a judgement, and what makes one another than the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from connector.credit.answer import as_answer
from connector.store.decisions import DecisionRow
from jobs import warned
from jobs.frame import Frame
from jobs.judge import Judged


def body_after(base: Frame, judged: Judged, before: DecisionRow | None) -> dict[str, Any]:
    """The decision as the store keeps it, after the one before it."""
    # Only where it matters since when, what was said before is read.
    return body_of(base, judged, before.body if before and judged.lasts else {})


def body_of(base: Frame, judged: Judged, said: Mapping[str, Any]) -> dict[str, Any]:
    """The decision as the store keeps it: all figures and reasons, and since when it has been held or warned of.

    `said` is what the decision before it said: its `held_since`, `held_until` and `warned_since` go on.
    """
    decision, first = judged.decision, judged.members[0]
    today = base.as_of.isoformat()
    rules = base.policy.of(first.segment).warning
    held_since = (said.get("held_since") or today) if decision.hold else None
    held_until = None if decision.hold else today if said.get("held_since") else said.get("held_until")
    # A release is an event that stays; `released` of the frame is what earlier decisions kept.
    earlier = {ref: day.isoformat() for ref, day in base.released.get(judged.debtor, {}).items()}
    return {
        **as_answer(judged.position, decision, first.ref, first.system),
        "as_of": today,
        "members": [[m.system, m.ref] for m in judged.members],
        "held_since": held_since,
        "held_until": held_until,
        "warned_since": warned.since(decision, rules, said, base.as_of, held_until),
        "warnings": warned.told(decision, rules),
        "actions": list(decision.actions),
        "released": dict.fromkeys(judged.position.limit.released, today) | earlier,
        "orders": [
            {"system": row.system, "order_id": row.ref, "hold": True, "reasons": [r.rule for r in checked.lasting]}
            for row, checked in judged.orders
            if checked.hold
        ],
    }


def digest_of(base: Frame, judged: Judged) -> str:
    """What makes a decision another one: every figure but those that the calendar alone moves, and of the reasons the
    rules. Since when it has been held follows from what came before."""
    position, decision = judged.position, judged.decision
    limit, exposure = position.limit, position.exposure
    lasting = (
        [(m.system, m.ref) for m in judged.members],
        position.currency,
        [*position.buckets, *map(str, position.buckets.values())],
        f"{position.unapplied} {position.balance} {position.overdue} {position.disputed}",
        f"{exposure.open_receivables} {exposure.unapplied_cash} {exposure.unapplied_credit_notes} {exposure.bills}",
        f"{exposure.delivered_not_invoiced} {exposure.ordered_not_delivered} {exposure.drafts} {exposure.total}",
        f"{limit.kind} {limit.amount} {limit.currency} {limit.expired} {position.limit_amount} {decision.available}",
        f"{position.utilisation} {decision.hold} {decision.level} {decision.score} {decision.grade}",
        [r.rule for r in decision.reasons],
        warned.lasting(decision),
        sorted({*base.released.get(judged.debtor, ()), *limit.released}),
        [(row.system, row.ref, [r.rule for r in c.lasting]) for row, c in judged.orders if c.hold],
    )
    return hashlib.blake2b(repr(lasting).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


__all__ = ["body_after", "body_of", "digest_of"]
