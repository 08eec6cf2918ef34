"""Dun: every item that is due for it takes the next step of the ladder; what follows is a letter, a task, a charge.

Steps, letters, charges, tasks and the audit entries of some customers are one transaction, so that a run may be stopped
anywhere. An item takes one step a day at most, and letters and tasks bear a key of customer, level and day: a second run
on the same day adds nothing. Nothing is done on payments that are not known to be complete.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected, mapping_in_use
from connector.credit import dun as rules_of
from connector.credit.charge import interest_claim, interest_from
from connector.credit.dun import Debt, Key, Mail, Plan, Standing, Step
from connector.credit.dun_letter import Addressee, Charged, payload
from connector.errors import Problem
from connector.policy import Policy
from connector.policy_dunning import DEMANDS, Dunning
from connector.store import Connection, audit, customers, debts, dunning, facts, marks, outbox, promises
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.debts import DebtRow
from connector.store.dunning import Charge, NewLetter, StepRow
from connector.store.outbox import Owed
from connector.text import Text
from jobs import dun_words
from jobs.afterwards import withdraw_tasks
from jobs.judge import Frame, frame
from jobs.progress import Progress, silent
from jobs.pull import context_of
from jobs.run import Run, running

_TOGETHER = 1000
_PAID = frozenset({"payment", "application"})
ACTOR = "job:dun"


@dataclass
class Dunned:
    """One debtor on a day: its ERP customers (the first is who is written to), its debts, what has become of items since
    they were last looked at, and the plan. `standings` are those before the steps of the plan."""

    debtor: int
    members: tuple[CustomerRow, ...]
    rules: Dunning
    debts: dict[Key, DebtRow]
    standings: dict[Key, Standing]
    plan: Plan
    turned: list[tuple[Key, Debt | None, Standing, str]] = field(default_factory=list)

    @property
    def first(self) -> CustomerRow:
        return self.members[0]

    @property
    def level(self) -> int:
        """The highest level of its open items, before the steps of the plan."""
        return max((standing.in_force for standing in self.standings.values()), default=0)


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
                dunning.lock(tx, part)
                base.load(tx, part)
                _take(tx, base, clock, list(plans(tx, base, part, unfit)), tasked, run)
            progress("dun", min(at + _TOGETHER, len(chosen)), len(chosen))
    return run


def candidates(tx: Connection, base: Frame, debtors: Collection[int] | None = None) -> list[int]:
    """The debtors that have anything to be looked at, in order."""
    until = base.as_of + dt.timedelta(days=_lead(base.policy))
    found = debts.debtors_to_look_at(tx, base.as_of, until)
    return found if debtors is None else [d for d in found if d in set(debtors)]


def _lead(policy: Policy) -> int:
    """How many days before the due date the earliest notice goes out."""
    ladders = [policy.dunning, *(policy.of(name).dunning for name in policy.segment)]
    return max(0, *(-rules.step[0].days for rules in ladders))


def unfit_systems(tx: Connection, base: Frame, now: dt.datetime) -> dict[str, Problem]:
    """The systems on whose data nobody is dunned: payments not known to be complete, or everything too old."""
    found = {}
    hours = base.policy.dunning.payments_within_hours
    for system in base.systems:
        at = _paid_at(tx, base.config, system)
        if at is None or now - at > dt.timedelta(hours=hours) or system in base.stale:
            since = f"{at:%Y-%m-%d %H:%M}Z" if at is not None else None
            what = NEVER.fill(system=system) if since is None else OLD.fill(system=system, at=since, hours=hours)
            found[system] = Problem("dunning_paused", system, what, PULL.fill(system=system))
    return found


def _paid_at(tx: Connection, config: Config, system: str) -> dt.datetime | None:
    """Since when the payments of a system are known to be complete; None where they never were, or none are read."""
    mapping = mapping_in_use(config, config.system(system), tx)
    streams = [s for s in mapping.streams() if _PAID & set(mapping.facts(s))]
    read = facts.read_at(tx, system)
    times = [at for at in (read.get(s) for s in streams) if at is not None]
    return min(times) if times and len(times) == len(streams) else None


def plans(
    tx: Connection, base: Frame, debtors: Sequence[int], unfit: Collection[str] = (), *, everybody: bool = False
) -> Iterator[Dunned]:
    """What is to be done with each of some debtors; nothing is written. `everybody`: also those of unfit systems and of
    ladders that are switched off, with an empty plan."""
    base.load(tx, debtors)
    members = {d: tuple(base.rows[k] for k in base.members[d]) for d in debtors if base.members.get(d)}
    keys = [row.key for rows in members.values() for row in rows]
    until = base.as_of + dt.timedelta(days=_lead(base.policy))
    owed: dict[int, list[DebtRow]] = defaultdict(list)
    for row in debts.debts(tx, keys, base.as_of, until):
        owed[row.debt.customer].append(row)
    asked = set(keys)
    elsewhere = {row.debt.key for key, rows in owed.items() if key not in asked for row in rows}
    known = dunning.standings(tx, keys, [row.debt.key for rows in owed.values() for row in rows])
    # Items whose dunning is not settled and that the books do not know any more.
    gone: dict[int, list[Key]] = defaultdict(list)
    for key, owner in dunning.owners(tx, keys).items():
        gone[owner].append(key)
    mail = dunning.mail(tx, keys)
    promised = promises.by_debtor(tx, list(members))
    for debtor, rows in members.items():
        rules = base.policy.of(rows[0].segment).dunning
        paused = not rules.on or any(row.system in unfit for row in rows)
        if paused and not everybody:
            continue
        mine = {row.debt.key: row for member in rows for row in owed.get(member.key, ())}
        every = [*mine, *(k for member in rows for k in gone[member.key] if k not in mine and k not in elsewhere)]
        standings = {k: known[k] for k in every if k in known}
        one = Dunned(debtor, rows, rules, mine, standings, Plan())
        if not paused:
            _turn(one, base.as_of)
            one.plan = rules_of.plan(
                [row.debt for row in mine.values()],
                one.standings,
                promised.get(debtor, ()),
                _mail(mail, rows),
                rules,
                base.as_of,
                lambda amount, currency: base.rates.convert(
                    amount, currency, base.config.business.currency, base.as_of
                ),
            )
        yield one


def _turn(one: Dunned, as_of: dt.date) -> None:
    for key, standing in list(one.standings.items()):
        row = one.debts.get(key)
        found = rules_of.turned(standing, row.debt if row is not None else None, as_of)
        if found is not None:
            one.standings[key] = found[0]
            one.turned.append((key, row.debt if row is not None else None, standing, found[1]))


def _mail(mail: Mapping[int, Mail], rows: Sequence[CustomerRow]) -> Mail:
    """The last letters to any customer of a debtor: to one legal person they are letters to one."""
    own = [mail[row.key] for row in rows if row.key in mail]
    return Mail(
        max((m.demand_on for m in own if m.demand_on is not None), default=None),
        max((m.notice_on for m in own if m.notice_on is not None), default=None),
    )


# --- what follows ----------------------------------------------------------------------------------------------------
def _take(
    tx: Connection, base: Frame, clock: Clock, found: Sequence[Dunned], tasked: Sequence[Connected], run: Run
) -> None:
    """Everything that follows from the plans of some debtors, in one transaction."""
    now, as_of = clock.now(), base.as_of
    charged: dict[int, list[Charge]] = defaultdict(list)
    for charge in dunning.charges(tx, [m.key for one in found for m in one.members]):
        charged[charge.customer].append(charge)
    charges = {one.debtor: _charges(base, one, charged) for one in found}
    letters = [_letter(base, one, charges[one.debtor], charged) for one in found if one.plan.letter is not None]
    numbers = dunning.keep_letters(tx, letters, now)
    run.counts["letters"] += len(letters)

    history: list[StepRow] = []
    standings: dict[Key, tuple[int, str, Standing]] = {}
    entries: list[audit.Entry] = []
    owed: list[Owed] = []
    touched: set[int] = set()
    # A task that is not made yet gives way to that of the next step, and goes when everything is settled.
    moved = [one.debtor for one in found if one.plan.level or (one.turned and not one.level)]
    accounts = _accounts(tx, tasked, moved)
    for one in found:
        number = numbers.get(_key(one, as_of)) if one.plan.letter is not None else None
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
    new = [replace(c, letter=numbers.get(_key(one, as_of))) for one in found for c in charges[one.debtor]]
    run.counts["charges"] += dunning.keep_charges(tx, new, now)
    run.counts["owed"] += outbox.owe(tx, owed, now)
    run.counts["withdrawn"] += withdraw_tasks(tx, accounts, owed, now, ("dunning",))
    marks.touch(tx, touched)  # what the level brings with it is the decision's to say
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


def _key(one: Dunned, as_of: dt.date) -> str:
    """The key of a letter: rule, customer, level and day."""
    level = one.plan.letter.level if one.plan.letter is not None else one.plan.level
    return f"dunning:{one.first.system}:{one.first.ref}:{level}/{as_of}"


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


# --- charges and letters ---------------------------------------------------------------------------------------------
def _charges(base: Frame, one: Dunned, before: Mapping[int, Sequence[Charge]]) -> list[Charge]:
    """Late interest of what the letter demands and of what was settled since, and the fee of the highest step."""
    as_of, interest = base.as_of, one.rules.interest
    claimed: dict[Key, Decimal] = defaultdict(Decimal)
    times: dict[Key, int] = defaultdict(int)
    for member in one.members:
        for charge in before.get(member.key, ()):
            if charge.kind == "interest":
                claimed[charge.system, charge.document, charge.part] += charge.amount
                times[charge.system, charge.document, charge.part] += 1
    wanted: dict[Key, int] = {}
    if one.plan.letter is not None and one.plan.letter.is_demand:
        wanted = {line.debt.key: line.level for line in one.plan.letter.lines if line.mark is None}
    wanted |= {key: standing.level for key, _, standing, what in one.turned if what == "settled"}
    made: list[Charge] = []
    for key, level in wanted.items():
        row = one.debts.get(key)
        if not interest.on or row is None or row.debt.due_on is None or level < interest.from_level:
            continue
        debt, due_on = row.debt, row.debt.due_on
        course = row.course(interest_from(due_on, interest), as_of)
        claim = interest_claim(due_on, course, debt.currency, claimed[key], interest, as_of)
        if claim is not None:
            # The number of the claim, not the day: a payment may come in between two runs of one day.
            name = f"interest:{debt.system}:{debt.document}/{debt.part}:{times[key] + 1}"
            made.append(
                Charge(debt.customer, debt.system, debt.document, debt.part, "interest", level, claim.from_on,
                       claim.to_on, claim.rate, debt.currency, claim.amount, name)
            )  # fmt: skip
    if one.plan.level:
        made += _fee(base, one)
    return made


def _fee(base: Frame, one: Dunned) -> Iterator[Charge]:
    """The fee of the highest step, in the customer's currency; in the reporting one where there is no rate."""
    fee = max(step.rung.fee for step in one.plan.steps)
    if not fee:
        return
    home, first = base.config.business.currency, one.first
    currency = first.currency or home
    amount = base.rates.convert(fee, home, currency, base.as_of)
    if amount is None:
        currency, amount = home, fee
    name = f"fee:{first.system}:{first.ref}:{one.plan.level}/{base.as_of}"
    yield Charge(first.key, first.system, "", "", "fee", one.plan.level, None, base.as_of, None, currency, amount, name)


def _letter(base: Frame, one: Dunned, new: Sequence[Charge], before: Mapping[int, Sequence[Charge]]) -> NewLetter:
    letter, first = one.plan.letter, one.first
    assert letter is not None
    every = [*(c for member in one.members for c in before.get(member.key, ())), *new]
    to = Addressee(first.system, first.ref, first.name, first.email)
    said = payload(letter, to, one.rules, base.as_of, charged(every))
    return NewLetter(
        one.debtor, first.key, base.as_of, letter.level, letter.channel, letter.is_demand, _key(one, base.as_of),
        base.policy_version, said,
    )  # fmt: skip


def charged(charges: Sequence[Charge]) -> list[Charged]:
    """What is left of fees and interest after what was settled, by kind, document and currency."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    last: dict[tuple[str, str, str, str], dt.date] = {}
    for one in charges:
        key = (one.kind.removesuffix("_settled"), one.document, one.part, one.currency)
        sums[key] += one.amount
        if not one.kind.endswith("_settled"):
            last[key] = max(last.get(key, one.to_on), one.to_on)
    return [
        Charged("fee" if kind == "fee" else "interest", document, part, currency, amount, last[key])
        for key, amount in sums.items()
        if amount and key in last
        for kind, document, part, currency in (key,)
    ]


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


NEVER = Text(
    "Nobody is dunned for debts in {system}: its payments have never been read completely.",
    "{system} 的客户暂不催收：其收款数据从未完整拉取。",
)
OLD = Text(
    "Nobody is dunned for debts in {system}: its payments are from {at}, older than {hours} hours or not complete.",
    "{system} 的客户暂不催收：其收款数据停留在 {at}，已超过 {hours} 小时或不完整。",
)
PULL = Text("Pull it first: holdfast pull {system}", "请先拉取：holdfast pull {system}")

__all__ = ["Dunned", "candidates", "charged", "dun", "plans", "unfit_systems"]
