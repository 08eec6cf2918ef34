"""Dun: every item that is due for it takes the next step of the ladder; what follows is a letter, a task, a charge.

Steps, letters, charges, tasks and the audit entries of some customers are one transaction, so that a run may be stopped
anywhere. An item takes one step a day at most, and letters and tasks bear a key of customer, level and day: a second run
on the same day adds nothing. Nothing is done on payments that are not known to be complete.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit.dun import Debt, Key, Standing, Step
from connector.policy import Policy
from connector.policy_dunning import DEMANDS
from connector.store import Connection, audit, customers, dunning, marks, order_credit, outbox
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.dunning import Charge, StepRow
from connector.store.outbox import Owed
from jobs import dun_words
from jobs.afterwards import withdraw_tasks
from jobs.dun_claims import charged, letter_key, new_charges, new_letter
from jobs.dun_plans import Dunned, candidates, plans, unfit_systems
from jobs.frame import Frame, frame
from jobs.progress import Progress, silent
from jobs.pull import context_of
from jobs.run import Run, running

_TOGETHER = 1000
ACTOR = "job:dun"


def dun(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    *,
    systems: Sequence[Connected] = (),
    debtors: Collection[int] | None = None,
    progress: Progress = silent,
) -> Run:
    """Takes the steps that are due today (`debtors`: of these only). Never raises our own errors."""
    with running(store, clock, "dun") as run:
        tasked = [
            c
            for c in systems
            if "crm" in c.system.roles
            and config.writes_to(c.system)
            and c.adapter.channel("task")
            and c.mapping.writes_to("task")
        ]
        today = day_in(clock.now(), config.business.time_zone)
        with store.reading() as tx:
            base = frame(tx, config, policy, clock, today, debtors=())
            unfit = unfit_systems(tx, base, clock.now())
            chosen = candidates(tx, base, debtors)
        for problem in unfit.values():
            run.problem(problem)
        for at in range(0, len(chosen), _TOGETHER):
            part = chosen[at : at + _TOGETHER]
            with store.writing() as tx:
                order_credit.lock(tx, part)
                base.load(tx, part)
                _take(tx, base, clock, list(plans(tx, base, part, unfit)), tasked, run)
            progress("dun", min(at + _TOGETHER, len(chosen)), len(chosen))
    return run


# --- what follows ----------------------------------------------------------------------------------------------------
def _take(
    tx: Connection, base: Frame, clock: Clock, found: Sequence[Dunned], tasked: Sequence[Connected], run: Run
) -> None:
    """Everything that follows from the plans of some debtors, in one transaction."""
    now, as_of = clock.now(), base.as_of
    charged_before: dict[int, list[Charge]] = defaultdict(list)
    for charge in dunning.charges(tx, [m.key for one in found for m in one.members]):
        charged_before[charge.customer].append(charge)
    charges = {one.debtor: new_charges(base, one, charged_before) for one in found}
    letters = [
        new_letter(base, one, charges[one.debtor], charged_before) for one in found if one.plan.letter is not None
    ]
    numbers = dunning.keep_letters(tx, letters, now)
    run.counts["letters"] += len(letters)

    history: list[StepRow] = []
    standings: dict[Key, tuple[int, str, Standing]] = {}
    entries: list[audit.Entry] = []
    owed: list[Owed] = []
    touched: set[int] = set()
    # A task that is not made yet gives way to that of the next step; all go when everything is settled.
    moved = [one.debtor for one in found if one.plan.level or (one.turned and not one.level)]
    accounts = _accounts(tx, tasked, moved)
    for one in found:
        number = numbers.get(letter_key(one, as_of)) if one.plan.letter is not None else None
        for key, debt, before, what in one.turned:
            known = debt or _gone(key, one.first.key, base.config.business.currency)
            history.append(StepRow(known, what, one.standings[key].in_force))
            standings[key] = (known.customer, known.currency, one.standings[key])
            run.counts[what] += 1
            if before.level:
                touched.add(known.customer)
        for step in one.plan.steps:
            lettered = number if step.rung.channel in DEMANDS or not step.level else None
            what = "step" if step.level else "notice"
            history.append(StepRow(step.debt, what, step.level, step.rung.channel, lettered))
            standings[step.debt.key] = (step.debt.customer, step.debt.currency, _after(step, as_of))
            touched.update([step.debt.customer] if step.level else [])
            run.counts["steps" if step.level else "notices"] += 1
        run.counts["skipped"] += len(one.plan.skipped)
        run.counts["dunned"] += bool(one.plan.steps)
        if one.plan.steps:
            entries.append(_entry(one, as_of, number))
        if one.plan.level:
            owed += _tasks(base, one, accounts.get(one.debtor, ()), number)
    dunning.keep_steps(tx, history, as_of, now)
    dunning.keep_standings(tx, standings)
    dunning.looked_at(tx, [m.key for one in found for m in one.members])
    new = [replace(c, letter=numbers.get(letter_key(one, as_of))) for one in found for c in charges[one.debtor]]
    run.counts["charges"] += dunning.keep_charges(tx, new, now)
    marks.touch(tx, touched)  # what the level brings with it is the decision's to say
    run.counts["owed"] += outbox.owe(tx, owed, now)
    stepping = {one.debtor for one in found if one.plan.level}
    of_step = {debtor: pairs for debtor, pairs in accounts.items() if debtor in stepping}
    settled = {debtor: pairs for debtor, pairs in accounts.items() if debtor not in stepping}
    run.counts["withdrawn"] += withdraw_tasks(tx, of_step, owed, now, ("dunning",), stands=None)
    run.counts["withdrawn"] += withdraw_tasks(tx, settled, owed, now, ("dunning",))
    audit.append(tx, entries, now)


def _after(step: Step, as_of: dt.date) -> Standing:
    """How far an item is after its step."""
    if not step.level:
        return replace(step.standing, noticed_on=as_of)
    return replace(step.standing, level=step.level, since=as_of)


def _gone(key: Key, customer: int, currency: str) -> Debt:
    """What stands in the history for an item that is in the books no more."""
    zero = Decimal(0)
    return Debt(key[0], customer, key[1], key[2], None, "", dt.date.min, None, currency, zero, zero, zero)


def _entry(one: Dunned, as_of: dt.date, letter: int | None) -> audit.Entry:
    after = {
        "as_of": as_of,
        "letter": letter,
        "items": [
            {"document": s.debt.document, "part": s.debt.part, "level": s.level, "channel": s.rung.channel,
             "open": s.debt.open, "currency": s.debt.currency}
            for s in one.plan.steps
        ],
    }  # fmt: skip
    return audit.Entry("dunning.step", f"customer:{one.first.system}/{one.first.ref}", ACTOR, after=after)


# --- tasks -----------------------------------------------------------------------------------------------------------
def _accounts(
    tx: Connection, tasked: Sequence[Connected], debtors: Sequence[int]
) -> dict[int, list[tuple[Connected, CustomerRow]]]:
    """By debtor, one account of it in each system that takes tasks."""
    found: dict[int, dict[str, tuple[Connected, CustomerRow]]] = defaultdict(dict)
    by_name = {c.name: c for c in tasked}
    if by_name and debtors:
        for row in customers.customers(tx, systems=sorted(by_name), debtors=debtors):
            if row.debtor is not None and row.known:
                found[row.debtor].setdefault(row.system, (by_name[row.system], row))
    return {debtor: list(own.values()) for debtor, own in found.items()}


def _tasks(
    base: Frame, one: Dunned, accounts: Sequence[tuple[Connected, CustomerRow]], letter: int | None
) -> Iterator[Owed]:
    """One task a system for all steps of a run."""
    for connected, account in accounts:
        key = f"dunning:{one.first.system}:{one.first.ref}:{one.plan.level}/{base.as_of}"
        name = account.name or one.first.name
        language = base.config.language_for(connected.system)
        said = dun_words.of_task(one.plan, name, one.first.ref, account, key, base.as_of, language, letter)
        values, digest = connected.mapping.write("task", said, context=context_of(connected))
        yield Owed(connected.name, "task", account.ref, key, values, digest, account.key)


__all__ = ["Dunned", "candidates", "charged", "dun", "plans", "unfit_systems"]
