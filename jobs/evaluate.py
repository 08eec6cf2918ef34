"""Evaluate: decisions for the customers whose facts changed, or for whom the day changed something; and what they owe.

A decision and the writes it owes are one transaction, and so is the withdrawal of the marks that asked for it. Whole
groups are judged together, a few thousand customers a transaction. Evaluating twice changes nothing the second time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.credit.answer import as_answer
from connector.errors import Problem
from connector.policy import Policy
from connector.store import (
    Connection,
    alerts,
    amendments,
    audit,
    customers,
    decisions,
    exclusions,
    links,
    marks,
    order_credit,
    outbox,
    runs,
)
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.decisions import Conclusion, DecisionRow
from connector.store.leases import safe_place
from connector.store.limits import kept_here
from connector.store.outbox import Owed
from connector.store.runs import RunRow
from connector.store.turns_signs import Turning, signs_turned
from connector.text import Text
from jobs import inputs, order_outcome, score, warned, words
from jobs.afterwards import lifted, withdraw_orphaned, withdraw_tasks
from jobs.check_return import lapse
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge, portions
from jobs.limits import flowing
from jobs.moved import torn, whole
from jobs.order_flags import WaysOut, order_flags, state
from jobs.order_outcome import Check, outcome
from jobs.pace import Pace
from jobs.progress import Progress, silent
from jobs.pull import context_of
from jobs.run import Run, running
from jobs.unhurried import unhurried


def evaluate(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    full: bool = False,
    progress: Progress = silent,
) -> Run:
    """Judges what needs it (`full`: everybody) and puts what follows into the outbox. Never raises our own errors."""
    with running(store, clock, "evaluate") as run, unhurried():
        systems = [c for c in systems if c.adapter.channels and config.writes_to(c.system)]
        for connected in systems:
            connected.kept_in(store)
        lapse(store, clock)
        began = stopped(clock)
        today = day_in(began.now(), config.business.time_zone)
        with store.reading() as tx:
            # Of the customers only those to be judged are read: a quiet hour must not cost what the whole book costs.
            base = frame(tx, config, policy, began, today, debtors=())
            seen, upto_then = marks.marks(tx), marks.upto(tx)
            rested_on = _rested_on(base, systems) | _for_everybody(tx, today)
            last_run = next((r for r in runs.runs(tx, job="evaluate") if r.state in ("done", "problems")), None)
            chosen = _chosen(tx, base, today, full, rested_on, last_run, seen)
            if chosen:
                another_day = last_run is None or last_run.counts.get("through") != today.toordinal()
                base.receivables = warned.all_owed(tx, base, last_run, full or another_day)
            told = _told(tx, systems) if chosen else set()
            for problem in _rings(tx, base):
                run.problem(problem)
        run.counts.update(dict.fromkeys(rested_on, 1))
        run.counts["through"] = today.toordinal()
        warned.note(run, base, last_run)
        done = 0
        check = Check(today, clock.now())
        pace = Pace(store)
        for part in portions(base, chosen, lambda: pace.size):
            safe_place(store)
            with pace.portion(len(part)), store.writing() as tx, unhurried():
                order_credit.lock(tx, part)
                apart, judged_all = marks.undisturbed(
                    tx,
                    lambda: (torn(tx, base, part, upto_then, began), list(judge(tx, base, part, scores=True))),  # noqa: B023 -- used at once
                )
                if apart:
                    # Their groups are others since: the next run judges them.
                    part = sorted(set(part) - apart)
                    marks.touch(tx, [r.customer for r in links.linked(tx, debtors=apart)])
                accounts = _accounts(tx, systems, part)
                found = [(judged, _digest(base, judged)) for judged in whole(judged_all, apart)]
                run.counts["evaluated"] += len(found)
                run.counts["held"] += sum(judged.decision.hold for judged, _ in found)
                run.counts["orders_held"] += sum(checked.hold for judged, _ in found for _, checked in judged.orders)
                # Yesterday's words are read, and today's written, only where something is another or is to be told.
                standing = decisions.digests(tx, part)
                other = {judged.debtor for judged, digest in found if standing.get(judged.debtor) != digest}
                wordy = [judged for judged, _ in found if judged.debtor in other or accounts.get(judged.debtor)]
                before = decisions.latest(tx, [judged.debtor for judged in wordy])
                bodies = {j.debtor: _body(base, j, before.get(j.debtor)) for j in wordy}
                if not done:
                    inputs.keep_terms(tx, base, clock.now())
                upto = amendments.upto(tx)
                run.counts["decisions"] += decisions.conclude_all(
                    tx,
                    [
                        Conclusion(
                            judged.debtor,
                            digest,
                            bodies[judged.debtor],
                            inputs.packed(base, judged, before.get(judged.debtor), upto),
                        )
                        if judged.debtor in other
                        else Conclusion(judged.debtor, digest, None)
                        for judged, digest in found
                    ],
                    as_of=today,
                    made_at=clock.now(),
                    policy_version=base.policy_version,
                )
                scored = [(judged.debtor, judged.score) for judged, _ in found if judged.score is not None]
                run.counts["scores"] += score.keep(tx, base.cards, scored, clock)
                out = WaysOut(tx, base, wordy)
                owed = [
                    o
                    for judged in wordy
                    for o in _owed(base, judged, bodies[judged.debtor], accounts.get(judged.debtor, ()), told, out)
                ]
                if config.limits.master == "here":
                    owed += flowing(wordy, accounts, kept_here(tx), base.systems)
                run.counts["owed"] += outbox.owe(tx, owed, clock.now())
                run.counts["withdrawn"] += withdraw_tasks(
                    tx, accounts, owed, clock.now(), stands=warned.standing([judged for judged, _ in found], base)
                )
                # A customer touched since keeps its newer mark and is judged again.
                if seen:
                    marks.clear_marks(
                        tx, {r.customer: seen[r.customer] for r in links.linked(tx, debtors=part) if r.customer in seen}
                    )
                made = outcome([judged for judged, _ in found], check)
                run.counts["orders_turned"] += len(made.lines)
                order_outcome.keep(tx, made, check)
                audit.append(tx, warned.keep(tx, run, [judged for judged, _ in found], base), clock.now())
            done += len(part)
            progress("evaluate", done, len(chosen))
        with store.writing() as tx:
            if full or last_run is None or last_run.counts.get("through") != today.toordinal():
                run.counts["warnings_closed"] += alerts.close_left(tx, today)
            left = [*_orphaned(tx, base, systems), *lifted(tx, systems, base.systems, today)]
            run.counts["owed"] += outbox.owe(tx, left, clock.now())
            run.counts["withdrawn"] += withdraw_orphaned(tx, base.systems, systems, clock.now())
            marks.clear_marks(tx, seen)  # what is linked to nobody has nothing to be judged
    return run


def _rested_on(base: Frame, systems: Sequence[Connected]) -> set[str]:
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


def _for_everybody(tx: Connection, today: dt.date) -> set[str]:
    """What persons have set aside or forced for a whole segment or for everybody."""
    found = exclusions.in_force(tx, today, ())
    return {f"exclusion {one.id}" for some in (found.everybody, *found.segments.values()) for one in some}


def _chosen(
    tx: Connection,
    base: Frame,
    today: dt.date,
    full: bool,
    rested_on: set[str],
    last_run: RunRow | None,
    touched: Collection[int],
) -> list[int]:
    """The debtors to judge: changed facts, a day that turned something, never judged, or other rules or data too old."""
    before = {k for k in (last_run.counts if last_run else {}) if k.split(" ")[0] in _BASES}
    other = rested_on ^ before
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


def _accounts(
    tx: Connection, systems: Sequence[Connected], debtors: Sequence[int]
) -> dict[int, list[tuple[Connected, CustomerRow]]]:
    """By debtor, the records of it in every system that can be written to: CRM accounts and ERP customers alike."""
    found: dict[int, list[tuple[Connected, CustomerRow]]] = defaultdict(list)
    writable = {c.name: c for c in systems}
    if writable:
        for row in customers.customers(tx, systems=sorted(writable), debtors=debtors):
            if row.debtor is not None and row.known:
                found[row.debtor].append((writable[row.system], row))
    return found


def _rings(tx: Connection, base: Frame) -> Iterator[Problem]:
    """Customers whose chain of parents comes back to themselves: the group is judged as if the last link were not there."""
    for row in customers.customers(tx, keys=base.rings) if base.rings else ():
        yield Problem(
            "parent_ring",
            f"{row.system}/{row.ref}",
            RING.fill(name=row.name, ref=row.ref),
            RING_FIX,
            "parent_id",
        )


RING = Text(
    "The chain of parents of {name} ({ref}) comes back to itself: this link of the group is left out.",
    "“{name}”（{ref}）的上级客户形成循环：该集团关系未计入。",
)
RING_FIX = Text("Correct the parent in the ERP.", "请在 ERP 中更正上级客户。")


# --- what is kept of a conclusion ------------------------------------------------------------------------------------
def _body(base: Frame, judged: Judged, before: DecisionRow | None) -> dict[str, Any]:
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


def _digest(base: Frame, judged: Judged) -> str:
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


# --- what it owes ------------------------------------------------------------------------------------------------------
def _told(tx: Connection, systems: Sequence[Connected]) -> set[tuple[str, str, str]]:
    """What has ever been told or is about to be, as (system, kind, target): only that can be taken back."""
    return {
        (c.name, kind, target)
        for c in systems
        for kind in ("hold", "order_fields")
        if c.adapter.channel(kind)
        for target in outbox.targets(tx, c.name, kind)
    }


def _owed(
    base: Frame,
    judged: Judged,
    body: Mapping[str, Any],
    accounts: Sequence[tuple[Connected, CustomerRow]],
    told: Collection[tuple[str, str, str]],
    out: WaysOut,
) -> Iterator[Owed]:
    """Every write that follows from a conclusion; the outbox keeps only what is new."""
    tasked: set[str] = set()
    for connected, row in accounts:
        language = base.config.language_for(connected.system)
        mapping = connected.mapping
        is_crm = "crm" in connected.system.roles
        if is_crm and connected.adapter.channel("customer_fields") and mapping.writes_to("customer_fields"):
            said = words.of_customer(judged, judged.members[0], language)
            yield state(connected, "customer_fields", row.ref, row.key, said)
        # A hold that somebody else set there is not ours to lift.
        ours = judged.decision.hold or (connected.name, "hold", row.ref) in told
        if ours and connected.adapter.channel("hold") and mapping.writes_to("hold"):
            said = words.of_customer(judged, row if row.system in base.systems else judged.members[0], language)
            yield state(connected, "hold", row.ref, row.key, said, judged.decision.reasons)
        episode = _episode(body)
        if (
            episode
            and connected.name not in tasked
            and is_crm
            and connected.adapter.channel("task")
            and mapping.writes_to("task")
        ):
            tasked.add(connected.name)  # one task a system, however many accounts the debtor has there
            first = judged.members[0]
            key = f"{episode[0]}:{first.system}:{first.ref}:{episode[1]}"
            said = words.of_task(judged, row, key, base.as_of, language)
            values, digest = mapping.write("task", said, context=context_of(connected))
            yield Owed(connected.name, "task", row.ref, key, values, digest, row.key)
    by_name = {c.name: c for c, _ in accounts}
    yield from order_flags(base, judged, by_name, lambda at, ref: (at, "order_fields", ref) in told, out)


def _orphaned(tx: Connection, base: Frame, systems: Sequence[Connected]) -> Iterator[Owed]:
    """What was told of records that belong to no customer of the ledger any more: the hold is lifted, figures cleared.

    An account may lose its customer: a link that is split or no longer true, a customer deleted in the ERP.
    """
    for connected in systems:
        kinds = [k for k in ("customer_fields", "hold") if connected.adapter.channel(k)]
        told = {kind: outbox.targets(tx, connected.name, kind) for kind in kinds}
        if not any(told.values()):
            continue
        rows = [row for row in customers.customers(tx, systems=[connected.name]) if row.known]
        somebody = customers.debtors(tx, base.systems) if base.systems else set()
        for row in rows:
            if row.debtor not in somebody:
                for kind in kinds:
                    if row.ref in told[kind] and connected.mapping.writes_to(kind):
                        yield state(connected, kind, row.ref, row.key, {"hold": False, "as_of": base.as_of})


def _episode(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a task is about and since when: a hold, else a warning of orange or red. One task an episode."""
    if body["held_since"]:
        return "hold", str(body["held_since"])
    if body["warned_since"]:
        return "warning", str(body["warned_since"])
    return None
