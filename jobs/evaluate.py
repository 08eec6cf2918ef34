"""Evaluate: decisions for the customers whose facts changed, or for whom the day changed something; and what they owe.

A decision and the writes it owes are one transaction, and so is the withdrawal of the marks that asked for it. Whole
groups are judged together, a few thousand customers a transaction. Evaluating twice changes nothing the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.errors import Problem
from connector.policy import Policy
from connector.store import (
    Connection,
    alerts,
    amendments,
    audit,
    customers,
    decisions,
    links,
    marks,
    order_credit,
    outbox,
    runs,
)
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.decisions import Conclusion
from connector.store.leases import safe_place
from connector.store.limits import kept_here
from connector.text import Text
from jobs import inputs, order_outcome, score, warned
from jobs.afterwards import left_over, lifted, withdraw_orphaned, withdraw_tasks
from jobs.ahead import judge_ahead, still_judged
from jobs.check_return import lapse
from jobs.chosen import chosen as debtors_chosen
from jobs.chosen import for_everybody, rested_on
from jobs.conclusion import body_after, digest_of
from jobs.frame import Frame, frame
from jobs.judge import portions
from jobs.limits import flowing
from jobs.moved import torn, whole
from jobs.order_flags import WaysOut
from jobs.order_outcome import Check, outcome
from jobs.owed import orphaned, owed_by, told_ever
from jobs.pace import Pace
from jobs.progress import Progress, silent
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
            resting = rested_on(base, systems) | for_everybody(tx, today)
            last_run = next((r for r in runs.runs(tx, job="evaluate") if r.state in ("done", "problems")), None)
            chosen = debtors_chosen(tx, base, today, full, resting, last_run, seen)
            if chosen:
                another_day = last_run is None or last_run.counts.get("through") != today.toordinal()
                base.receivables = warned.all_owed(tx, base, last_run, full or another_day)
            told = told_ever(tx, systems) if chosen else set()
            for problem in _rings(tx, base):
                run.problem(problem)
        run.counts.update(dict.fromkeys(resting, 1))
        run.counts["through"] = today.toordinal()
        warned.note(run, base, last_run)
        done = 0
        check = Check(today, clock.now())
        pace = Pace(store)
        for part in portions(base, chosen, lambda: pace.size):
            safe_place(store)
            ahead = judge_ahead(store, base, part)
            with store.writing() as tx, pace.portion(len(part)), unhurried():
                order_credit.lock(tx, part)
                apart, judged_all = marks.undisturbed(
                    tx,
                    lambda: (torn(tx, base, part, upto_then, began), still_judged(tx, base, part, ahead)),  # noqa: B023 -- used at once
                )
                if apart:
                    # Their groups are others since: the next run judges them.
                    part = sorted(set(part) - apart)
                    marks.touch(tx, [r.customer for r in links.linked(tx, debtors=apart)])
                accounts = _accounts(tx, systems, part)
                found = [(judged, digest_of(base, judged)) for judged in whole(judged_all, apart)]
                run.counts["evaluated"] += len(found)
                run.counts["held"] += sum(judged.decision.hold for judged, _ in found)
                run.counts["orders_held"] += sum(checked.hold for judged, _ in found for _, checked in judged.orders)
                # Yesterday's words are read, and today's written, only where something is another or is to be told.
                standing = decisions.digests(tx, part)
                other = {judged.debtor for judged, digest in found if standing.get(judged.debtor) != digest}
                wordy = [judged for judged, _ in found if judged.debtor in other or accounts.get(judged.debtor)]
                before = decisions.latest(tx, [judged.debtor for judged in wordy])
                bodies = {j.debtor: body_after(base, j, before.get(j.debtor)) for j in wordy}
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
                    for o in owed_by(base, judged, bodies[judged.debtor], accounts.get(judged.debtor, ()), told, out)
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
        with store.reading() as tx:
            over = left_over(tx, base, systems)
        with store.writing() as tx:
            if full or last_run is None or last_run.counts.get("through") != today.toordinal():
                run.counts["warnings_closed"] += alerts.close_left(tx, today)
            left = [*orphaned(tx, base, systems, over.strays), *lifted(tx, systems, base, over)]
            run.counts["owed"] += outbox.owe(tx, left, clock.now())
            run.counts["withdrawn"] += withdraw_orphaned(tx, base, systems, over, clock.now())
            marks.clear_marks(tx, seen)  # what is linked to nobody has nothing to be judged
    return run


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
