"""Chosen: whom an evaluation judges, and what all decisions rest on beside the facts and the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from decimal import Decimal

from connector.connect import Connected
from connector.policy import Policy
from connector.store import Connection, alerts, customers, exclusions, marks, order_credit
from connector.store.runs import RunRow
from connector.store.turns_signs import Turning, signs_turned
from jobs.frame import Frame


def rested_on(base: Frame, systems: Sequence[Connected]) -> set[str]:
    """What every decision rests on beside facts and the day, as words that are kept with the run."""
    business = base.config.business
    return {
        f"policy {base.policy_version}",
        f"business {business.currency} {business.time_zone} {','.join(base.systems)}",
        *(f"mapping {c.name} {c.mapping.version}" for c in systems),
        *([f"business limits {base.config.limits.master}"] if base.config.limits.master else []),
        *(f"stale {system}" for system in base.stale),
        *(f"scorecard {version}" for version in base.cards.files()),
    }


def for_everybody(tx: Connection, today: dt.date) -> set[str]:
    """What persons have set aside or forced for a whole segment or for everybody."""
    found = exclusions.in_force(tx, today, ())
    return {f"exclusion {one.id}" for some in (found.everybody, *found.segments.values()) for one in some}


def chosen(
    tx: Connection,
    base: Frame,
    today: dt.date,
    full: bool,
    rests_on: set[str],
    last_run: RunRow | None,
    touched: Collection[int],
) -> list[int]:
    """The debtors to judge: changed facts, a day that turned something, never judged, or other rules or data too old."""
    before = {k for k in (last_run.counts if last_run else {}) if k.split(" ")[0] in _BASES}
    other = rests_on ^ before
    if full or any(not word.startswith("stale ") for word in other):
        base.load(tx)
        return sorted(base.members)
    turned = {word.removeprefix("stale ") for word in other}
    keys = set(touched)
    if turned:
        keys.update(row.key for row in customers.customers(tx, systems=sorted(turned)))
    last = dt.date.fromordinal(last_run.counts["through"]) if last_run and "through" in last_run.counts else today
    if last < today:
        # A rate of today, or one that has grown too old, moves everybody with another currency than the books'.
        keys |= set(customers.foreign(tx, base.config.business.currency))
        keys |= signs_turned(tx, last, today, _turning(base.policy))
        keys |= set(
            marks.due_to_change(
                tx,
                last,
                today,
                edges=base.policy.ageing.edges_days,
                grace_days=base.policy.hold.oldest_overdue.grace_days,
                horizon_days=base.policy.exposure.order_horizon_days,
                days=_warning_days(base.policy),
            )
        )
    # An order of a CRM account matters to the customer it is linked to.
    debtors = customers.debtors_of(tx, keys)
    if last < today:
        debtors |= alerts.open_debtors(tx)  # a day without the trouble counts for lowering its level
    if last < today:
        debtors |= exclusions.changed_debtors(tx, last, today) | order_credit.due_to_change(tx, last, today)
    if base.systems:
        debtors |= customers.debtors(tx, base.systems, unjudged=True)
    family = base.family(debtors)
    base.load(tx, family)
    return sorted(d for d in family if d in base.members)


# What decisions rest on, by the first word under which a run keeps it.
_BASES = ("policy", "business", "mapping", "stale", "scorecard", "exclusion")


def _warning_days(policy: Policy) -> list[int]:
    """Days past due from which on the oldest item has another warning level."""
    steps = policy.warning.oldest_overdue_days
    return [int(s) for s in (steps.yellow, steps.orange, steps.red) if s is not None] if steps.on else []


def _turning(policy: Policy) -> Turning:
    """The days on which the signs of warnings turn by themselves, in any segment."""
    every = [each.warning for each in (policy, *(policy.of(segment) for segment in policy.segment))]
    ends = {d for w in every for e in (w.limit_expiry, w.insurance_expiry) for d in (e.yellow_days, e.orange_days)}
    ends |= {-1, *(-1 - e.forget_days for w in every for e in (w.limit_expiry, w.insurance_expiry))}
    grace = policy.dunning.promise_grace_days
    steps = {int(s) for w in every for s in w.ladders["statement_age"][:3] if isinstance(s, Decimal)}
    return Turning(
        ends,
        {grace + 1, *(w.broken_promises.within_days + 1 for w in every)},
        steps | {m for w in every for m in (w.registry.months_max, w.court.months_max)},
        {0, *(d + 1 for w in every for d in (w.dishonoured.within_days, w.insurer.within_days))},
    )


__all__ = ["chosen", "for_everybody", "rested_on"]
