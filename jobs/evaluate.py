"""Evaluate: decisions for the customers whose facts changed, or for whom the day changed something; and what they owe.

A decision and the writes it owes are one transaction, and so is the withdrawal of the marks that asked for it. Whole
groups are judged together, a few thousand customers a transaction. Evaluating twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.errors import Problem
from connector.policy import Policy
from connector.store import (
    Connection,
    alerts,
    audit,
    customers,
    decisions,
    links,
    marks,
    order_credit,
    outbox,
    runs,
)
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.leases import safe_place
from connector.text import Text
from jobs import inputs, order_outcome, score, warned
from jobs.afterwards import left_over, lifted, withdraw_orphaned, withdraw_tasks
from jobs.check_return import lapse
from jobs.chosen import chosen as debtors_chosen
from jobs.chosen import for_everybody, rested_on
from jobs.concluding import Concluded, Concluder
from jobs.frame import Frame, frame
from jobs.judge import portions
from jobs.moved import torn, whole
from jobs.order_outcome import Check
from jobs.owed import orphaned, told_ever
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
        concluder = Concluder(base, systems, told, Check(today, clock.now()))
        pace = Pace(store)
        for part in portions(base, chosen, lambda: pace.size):
            pace.rest()
            safe_place(store)
            ahead = concluder.ahead(store, part)
            concern = Concern(debtors=set(part))
            # Not durable: after a power cut their marks stand there again, and they are judged once more. Whoever sends what
            # they owe commits that he does so before, which makes all that was committed until then durable, too.
            with store.writing(durable=False, concern=concern) as tx, pace.portion(len(part)), unhurried():
                order_credit.lock(tx, part)
                apart, concluded = marks.undisturbed(
                    tx,
                    lambda: (torn(tx, base, part, upto_then, began), concluder.still(tx, part, ahead)),  # noqa: B023 -- used at once
                )
                if apart:
                    # Their groups are others since: the next run judges them. Nobody else's becomes another meanwhile.
                    marks.take_turn(tx)
                    apart = torn(tx, base, part, upto_then, began)
                    part = sorted(set(part) - apart)
                    marks.touch(tx, [r.customer for r in links.linked(tx, debtors=apart)])
                    concluded = concluder.conclude(tx, part, whole(concluded.judged, apart))
                if not done:
                    inputs.keep_terms(tx, base, clock.now())
                _keep(tx, run, concluder, concluded, clock)
                # A customer touched since keeps its newer mark and is judged again.
                if seen:
                    marks.clear_marks(
                        tx, {r.customer: seen[r.customer] for r in links.linked(tx, debtors=part) if r.customer in seen}
                    )
                audit.append(tx, warned.keep(tx, run, concluded.judged, base), clock.now())
            done += len(part)
            progress("evaluate", done, len(chosen))
        with store.reading() as tx:
            over = left_over(tx, base, systems)
        with store.writing(concern=Concern()) as tx:
            if full or last_run is None or last_run.counts.get("through") != today.toordinal():
                run.counts["warnings_closed"] += alerts.close_left(tx, today)
            left = [*orphaned(tx, base, systems, over.strays), *lifted(tx, systems, base, over)]
            run.counts["owed"] += outbox.owe(tx, left, clock.now())
            run.counts["withdrawn"] += withdraw_orphaned(tx, base, systems, over, clock.now())
            marks.clear_marks(tx, seen)  # what is linked to nobody has nothing to be judged
    return run


def _keep(tx: Connection, run: Run, concluder: Concluder, concluded: Concluded, clock: Clock) -> None:
    """Writes what was concluded of some debtors."""
    judged, base, made = concluded.judged, concluder.base, concluded.outcome
    run.counts["evaluated"] += len(judged)
    run.counts["held"] += sum(one.decision.hold for one in judged)
    run.counts["orders_held"] += sum(checked.hold for one in judged for _, checked in one.orders)
    run.counts["decisions"] += decisions.conclude_all(
        tx, concluded.conclusions, as_of=base.as_of, made_at=clock.now(), policy_version=base.policy_version
    )
    scored = [(one.debtor, one.score) for one in judged if one.score is not None]
    run.counts["scores"] += score.keep(tx, base.cards, scored, clock, concluded.score_digests)
    concluded.out.asked_in(tx)  # the words of what is new are made only now
    run.counts["owed"] += outbox.owe(tx, concluded.owed, clock.now())
    run.counts["withdrawn"] += withdraw_tasks(
        tx, concluded.accounts, concluded.owed, clock.now(), stands=warned.standing(judged, base)
    )
    run.counts["orders_turned"] += len(made.lines)
    order_outcome.keep(tx, made, concluder.check)


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
