"""The frame of a day: what is the same for everybody who is judged: rates, who belongs to whom, which systems count.

Only the customers asked for and their groups are loaded; a `View` says how figures are to be shown.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from connector import adapter as adapters
from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import chosen_mapping, loaded
from connector.credit.ageing import Basis, Placement
from connector.credit.hold import stale_data
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.model import Limit, Rate
from connector.policy import Policy
from connector.store import Connection, customers, facts
from connector.store.customers import CustomerRow
from jobs.score import Cards


@dataclass(frozen=True)
class View:
    """How figures are to be shown; None is the policy's own way. `ledger`: by the documents' own base amounts."""

    edges: tuple[int, ...] | None = None
    basis: Basis | None = None
    placement: Placement | None = None
    currency: str | None = None
    ledger: bool = False
    company: str | None = None


@dataclass
class Frame:
    """What is the same for everybody on one day.

    `rows` and `members` (a debtor's customers of systems with the role erp, by key) are of those loaded so far. `rings`
    are customers whose parent stands below them: there the chain of parents is cut. `is_today`: what holds only now (states
    of orders, dunning, exclusions, warnings) counts. `receivables`: what all customers owe, in the reporting currency, and
    how many they are. `thorough`: signs of warning are told that are calm, too. `confirming`: the key of an order that is
    being confirmed now, and would take credit. `now`: the moment at which reservations of credit count, where they do.
    `supposed`: by customer, the pieces of limit that are taken for granted instead of those that are, to see what would be.
    `fresh_until`: when the data of the next system will be too old, if it is not pulled again.
    """

    config: Config
    policy: Policy
    as_of: dt.date
    view: View
    systems: list[str]
    rates: Rates
    stale: dict[str, Reason]
    parents: dict[int, int] = field(default_factory=dict)
    children: dict[int, list[int]] = field(default_factory=dict)
    rings: list[int] = field(default_factory=list)
    rows: dict[int, CustomerRow] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    released: dict[int, Mapping[str, dt.date]] = field(default_factory=dict)
    is_today: bool = False
    receivables: tuple[Decimal, int] | None = None
    thorough: bool = False
    confirming: int | None = None
    now: dt.datetime | None = None
    fresh_until: dt.datetime | None = None
    supposed: Mapping[int, Sequence[Limit]] = field(default_factory=dict)

    def load(self, tx: Connection, debtors: Collection[int] | None = None) -> None:
        """Makes the customers of these debtors (None: of everybody) known to the frame."""
        missing = None if debtors is None else [d for d in debtors if d not in self.members]
        if not self.systems or missing == []:
            return
        for row in customers.customers(tx, systems=self.systems, debtors=missing):
            if row.key not in self.rows:
                self.rows[row.key] = row
                if row.debtor is not None:
                    self.members.setdefault(row.debtor, []).append(row.key)

    def forget(self, debtors: Collection[int]) -> None:
        """Makes the customers of these debtors unknown again: they may be others by now."""
        for debtor in debtors:
            for key in self.members.pop(debtor, ()):
                self.rows.pop(key, None)

    @cached_property
    def cards(self) -> Cards:
        """The scorecards that the policy asks for."""
        return Cards(self.config, self.policy)

    @cached_property
    def policy_version(self) -> str:
        """A short hash of the policy's content: the same rules, the same version."""
        return _version_of(self.policy)

    def family(self, debtors: Iterable[int]) -> set[int]:
        """These debtors and everybody above, below and beside them in their groups."""
        found: set[int] = set()
        left = list(debtors)
        if not self.parents:
            return set(left)
        while left:
            debtor = left.pop()
            if debtor not in found:
                found.add(debtor)
                left += self.children.get(debtor, ())
                if debtor in self.parents:
                    left.append(self.parents[debtor])
        return found

    def alone(self, debtor: int) -> bool:
        """Whether nobody stands above or below a debtor."""
        return debtor not in self.parents and debtor not in self.children

    def ancestors(self, debtor: int) -> list[int]:
        """The debtors above one, nearest first; a ring ends where it closes."""
        above: list[int] = []
        while (debtor := self.parents.get(debtor, -1)) != -1 and debtor not in above:
            above.append(debtor)
        return above

    def below(self, debtor: int) -> set[int]:
        """A debtor and everybody below it."""
        found: set[int] = set()
        left = [debtor]
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += self.children.get(node, ())
        return found


_versions: list[tuple[Policy, str]] = []


def _version_of(policy: Policy) -> str:
    # A policy is never changed: of the very same one the hash is known.
    for known, version in _versions:
        if known is policy:
            return version
    version = hashlib.blake2b(policy.model_dump_json().encode(), digest_size=8).hexdigest()
    _versions[:] = [(policy, version), *_versions[:3]]
    return version


@dataclass(frozen=True, eq=False)
class Ground:
    """What everybody is judged by beside the policy: rates, and which systems' data are too old, until when the others'
    are not. `said` are the rates as they were read."""

    said: Sequence[Rate]
    rates: Rates
    stale: dict[str, Reason]
    fresh_until: dt.datetime | None

    def is_like(self, other: Ground) -> bool:
        """Whether everybody is judged alike by either."""
        return self.said == other.said and self.stale == other.stale


def ground(tx: Connection, config: Config, policy: Policy, clock: Clock, as_of: dt.date, near: bool = False) -> Ground:
    """The ground of a day. `near`: of no other day."""
    said = _rates(tx, config, policy, as_of, near)
    rates = Rates(said, config.business.currency, policy.currency.max_rate_age_days)
    systems = [s.name for s in config.with_role("erp")]
    return Ground(said, rates, *_stale(tx, config, systems, policy, clock.now()))


def frame(
    tx: Connection,
    config: Config,
    policy: Policy,
    clock: Clock,
    as_of: dt.date,
    view: View | None = None,
    debtors: Collection[int] | None = None,
    near: bool = False,
    stand_on: Ground | None = None,
) -> Frame:
    """The frame of a day. Only systems with the role erp count: they own the ledger.

    With `debtors` only the customers of these and their groups are loaded at once; others when they are judged. `near`:
    for nobody else, and for no other day: only their groups and the rates of that day are looked up. `stand_on` is the
    ground where it is known already.
    """
    systems = [s.name for s in config.with_role("erp")]
    found = stand_on or ground(tx, config, policy, clock, as_of, near)
    made = Frame(
        config,
        policy,
        as_of,
        view or View(),
        systems,
        found.rates,
        found.stale,
        fresh_until=found.fresh_until,
    )
    made.is_today = as_of == day_in(clock.now(), config.business.time_zone)
    made.now = clock.now()
    some = debtors if near else None
    groups = customers.parents(tx, systems) if some is None else customers.relatives(tx, systems, some)
    for key, below, above in groups if systems else ():
        if below == above or below in made.parents:
            continue
        if _closes_ring(made.parents, below, above):
            made.rings.append(key)
        else:
            made.parents[below] = above
            made.children.setdefault(above, []).append(below)
    made.load(tx, made.family(debtors) if debtors is not None else None)
    return made


def _rates(tx: Connection, config: Config, policy: Policy, as_of: dt.date, near: bool) -> list[Rate]:
    systems = [s.name for s in config.with_role("erp", "rates")]
    if not systems:
        return []
    since = as_of - dt.timedelta(days=policy.currency.max_rate_age_days) if near else None
    return customers.rates(tx, systems=systems, since=since, until=as_of if near else None)


def _closes_ring(parents: Mapping[int, int], child: int, above: int) -> bool:
    while above != child:
        if above not in parents:
            return False
        above = parents[above]
    return True


def _stale(
    tx: Connection, config: Config, systems: Sequence[str], policy: Policy, now: dt.datetime
) -> tuple[dict[str, Reason], dt.datetime | None]:
    """The systems whose last complete pull is too old to decide on, each with the reason; and until when the others are
    not."""
    found, fresh = {}, []
    hours = policy.data.stale_after_hours
    zone = ZoneInfo(config.business.time_zone)
    for system in systems:
        at = complete_at(tx, config, system)
        if at is None or now - at > dt.timedelta(hours=hours):
            found[system] = stale_data(system, at.astimezone(zone) if at else None, hours)
        else:
            fresh.append(at + dt.timedelta(hours=hours))
    return found, min(fresh, default=None)


# Facts whose age matters: without today's payments nobody is let off, without today's orders nobody is over the limit.
_DECISIVE = frozenset({"customer", "document", "payment", "application", "order", "order_line", "limit"})


@lru_cache(maxsize=64)
def _decisive(text: str, name: str, adapter: str) -> tuple[str, ...]:
    """The streams that a mapping makes decisive facts of; reading one takes as long as judging a hundred customers."""
    mapping = loaded(text, name, adapters.load(adapter))
    return tuple(s for s in mapping.streams() if _DECISIVE & set(mapping.facts(s)))


def complete_at(tx: Connection, config: Config, system: str) -> dt.datetime | None:
    """Since when all decisive streams of a system are known to be complete; None: one has never been read to its end."""
    chosen = chosen_mapping(config, config.system(system), tx)
    decisive = _decisive(chosen.text, chosen.name, config.system(system).adapter)
    read = facts.read_at(tx, system)
    times = [read.get(s) for s in decisive]
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None
