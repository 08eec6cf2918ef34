"""Plans of dunning: what is to be done with each debtor today, from the facts in the store; nothing is written."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.config import Config
from connector.connect import mapping_in_use
from connector.credit import dun as rules_of
from connector.credit.dun import Debt, Key, Mail, Plan, Standing
from connector.errors import Problem
from connector.policy import Policy
from connector.policy_dunning import Dunning
from connector.store import Connection, debts, dunning, facts, promises
from connector.store.customers import CustomerRow
from connector.store.debts import DebtRow
from connector.text import Text
from jobs.frame import Frame

_PAID = frozenset({"payment", "application"})


@dataclass
class Dunned:
    """One debtor on a day: its ERP customers (the first is who is written to), its debts, what has become of items since
    they were last looked at, and the plan. `standings` are those before the steps of the plan; `changed` are settled items
    whose facts have changed since, with the level they had reached."""

    debtor: int
    members: tuple[CustomerRow, ...]
    rules: Dunning
    debts: dict[Key, DebtRow]
    standings: dict[Key, Standing]
    plan: Plan
    turned: list[tuple[Key, Debt | None, Standing, str]] = field(default_factory=list)
    changed: dict[Key, int] = field(default_factory=dict)

    @property
    def first(self) -> CustomerRow:
        return self.members[0]

    @property
    def level(self) -> int:
        """The highest level of its open items, before the steps of the plan."""
        return max((standing.in_force for standing in self.standings.values()), default=0)


def candidates(tx: Connection, base: Frame, debtors: Collection[int] | None = None) -> list[int]:
    """The debtors that have anything to be looked at, in order."""
    until = base.as_of + dt.timedelta(days=_lead(base.policy))
    found = debts.debtors_to_look_at(tx, base.as_of, until)
    if debtors is None:
        return found
    wanted = set(debtors)
    return [debtor for debtor in found if debtor in wanted]


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
    changed = dunning.changed(tx, keys)
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
        one.changed = {k: changed[k] for k in mine if k in changed}
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


NEVER = Text(
    "Nobody is dunned for debts in {system}: its payments have never been read completely.",
    "{system} 的客户暂不催收：其收款数据从未完整拉取。",
)
OLD = Text(
    "Nobody is dunned for debts in {system}: its payments are from {at}, older than {hours:hour|hours} or not complete.",
    "{system} 的客户暂不催收：其收款数据停留在 {at}，已超过 {hours} 小时或不完整。",
)
PULL = Text("Pull it first: holdfast pull {system}", "请先拉取：holdfast pull {system}")
