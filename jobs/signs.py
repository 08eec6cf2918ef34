"""Signs of many debtors at once: what the early warning asks for beside the ledger's figures, gathered set by set.

What scores rest on is asked for once, by the `Scorer`, and read from there: payments, statements, events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit import expiry, listings
from connector.credit.position import Position
from connector.credit.score import Score
from connector.credit.terms import months_later
from connector.credit.warn_signs import READERS, Sign, Signs
from connector.model import Event, Limit
from connector.policy import Policy
from connector.policy_warning import Dishonoured, Expiry, Insurer, Warning
from connector.store import Connection, placed, promises, reviews, scores
from connector.store.customers import CustomerRow
from connector.store.history import last_paid_on
from connector.store.placed import Placed
from jobs.score import Scorer

ZERO = Decimal(0)
SPIKE_DAYS, SPIKE_MONTHS = 30, 6
_DAY = dt.timedelta(days=1)
_NONE: Sequence[Event] = ()


@dataclass
class Gathered:
    """What was gathered of some debtors. `total`: all receivables in minor units of the reporting currency, where enough
    customers owe anything."""

    scorer: Scorer
    policy: Policy
    as_of: dt.date
    total: Decimal | None = None
    asked: frozenset[str] = frozenset(READERS)
    everything: bool = False
    broken: Mapping[int, int] = field(default_factory=dict)
    before: Mapping[int, tuple[Decimal, dt.date]] = field(default_factory=dict)
    paid_on: Mapping[int, dt.date] = field(default_factory=dict)
    orders: Placed = field(default_factory=dict)

    def of(
        self,
        debtor: int,
        members: Sequence[CustomerRow],
        limits: Mapping[int, Sequence[Limit]],
        position: Position,
        score: Score | None,
        stood: Collection[str] = (),
    ) -> Signs:
        """The signs of one debtor: those that mean something, or are asked for because the warning `stood` before."""
        rules = self.policy.of(members[0].segment).warning
        found: dict[str, Sign] = {}
        if broken := self.broken.get(debtor):
            found["broken_promises"] = Sign(Decimal(broken))
        slower = self.scorer.habits(members, position.currency)[0].slowdown
        if slower is not None:
            found["slowdown"] = Sign(slower)
        if self.paid_on and (position.undisputed_overdue > 0 or self.everything):
            self._paying(found, members)
        if self.orders:
            self._ordering(found, members, position.currency)
        elif self.everything or "order_spike" in stood:
            found["order_spike"] = Sign(ZERO)
        if score is not None and score.points is not None:
            self._scored(found, debtor, score)
        self._ending(
            found, [x for m in members for x in limits.get(m.key, ()) if x.valid_to is not None or x.valid_from]
        )
        if told := self.scorer.events.get(debtor):
            found |= self._told(told, rules)
        statement = self.scorer.statements.get(debtor)
        if statement is not None:
            ended = statement.period_end_on
            found["statement_age"] = Sign(Decimal(months_begun(ended, self.as_of)), (ended.isoformat(),))
        if not self.everything and found:
            found = {name: sign for name, sign in found.items() if name in stood or _means_something(name, sign, rules)}
        return Signs(self.asked, found, self.total, self.everything)

    def _paying(self, found: dict[str, Sign], members: Sequence[CustomerRow]) -> None:
        paid = [self.paid_on[m.key] for m in members if m.key in self.paid_on]
        if paid:
            found["last_payment"] = Sign(Decimal((self.as_of - max(paid)).days), (max(paid).isoformat(),))

    def _ordering(self, found: dict[str, Sign], members: Sequence[CustomerRow], currency: str) -> None:
        older = newer = ZERO
        for member in members:
            for ordered_in, (before, now) in self.orders.get(member.key, {}).items():
                quote = self.scorer.rates.quote(ordered_in, currency, self.as_of)
                if quote is None:
                    return  # a part would look like the whole
                older, newer = older + quote.convert(before), newer + quote.convert(now)
        if older > 0:
            found["order_spike"] = Sign(newer * SPIKE_MONTHS / older)
        elif newer == 0:
            found["order_spike"] = Sign(ZERO)  # nothing is ordered: no spike

    def _scored(self, found: dict[str, Sign], debtor: int, score: Score) -> None:
        assert score.points is not None
        grade, now = score.grade or "", f"{score.points:f}"
        before = self.before.get(debtor)
        if before is None:
            found["score_drop"] = Sign(None, ("-", now, grade))
        else:
            drop = max(before[0] - score.points, ZERO)
            found["score_drop"] = Sign(drop, (f"{before[0]:f}", now, grade))

    def _ending(self, found: dict[str, Sign], pieces: Sequence[Limit]) -> None:
        for name, kinds in (("limit_expiry", expiry.LIMIT), ("insurance_expiry", expiry.INSURANCE)):
            if any(x.kind in kinds for x in pieces):
                last = expiry.last_day(pieces, kinds, self.as_of)
                if last is not None:
                    found[name] = Sign(Decimal((last - self.as_of).days), (last.isoformat(),))

    def _told(self, told: Sequence[Event], rules: Warning) -> dict[str, Sign]:
        found: dict[str, Sign] = {}
        if bounced := _fresh(told, rules.dishonoured, rules.dishonoured.kinds, self.as_of):
            found["dishonoured"] = Sign(Decimal(len(bounced)), (bounced[-1].on.isoformat(),))
        for word in ("cut", "withdrawn"):  # the worse one is said
            kinds = rules.insurer.cut_kinds if word == "cut" else rules.insurer.withdrawn_kinds
            if some := _fresh(told, rules.insurer, kinds, self.as_of):
                found["insurer"] = Sign(None, (word, some[-1].on.isoformat(), some[-1].source))
        for name, known in (
            ("registry", listings.registry(told, self.as_of, rules.registry.months_max)),
            ("court", listings.court(told, self.as_of, rules.court.months_max)),
        ):
            if isinstance(known.value, str):
                _, source, on = known.source
                found[name] = Sign(None, (known.value, on, source))
        return found


def _means_something(name: str, sign: Sign, rules: Warning) -> bool:
    """Whether a sign may raise anything; which is rarely so."""
    value = sign.value
    if value is None or name == "last_payment":
        return True
    if name in ("limit_expiry", "insurance_expiry"):
        rule: Expiry = getattr(rules, name)
        return -rule.forget_days <= value <= rule.yellow_days
    if name == "score_drop" and sign.words[2] in rules.score_drop_points.red_grades:
        return True
    return name not in rules.calm_below or value >= rules.calm_below[name]


def _fresh(told: Sequence[Event], rule: Dishonoured | Insurer, kinds: Collection[str], on: dt.date) -> list[Event]:
    """Events of some kinds that still count, oldest first."""
    since = on - rule.within_days * _DAY
    return [e for e in told if e.kind in kinds and since <= e.on <= on and (e.ended_on is None or e.ended_on > on)]


def months_begun(since: dt.date, on: dt.date) -> int:
    """How many months have begun after a day: 12 on the day a year later, 13 from the day after it on."""
    months = max((on.year - since.year) * 12 + on.month - since.month, 0)
    while months_later(since, months) < on:
        months += 1
    return months


def kinds(policy: Policy) -> frozenset[str]:
    """The kinds of event that warnings and scores ask for, in any segment."""
    found = set(listings.KINDS)
    for each in (policy, *(policy.of(segment) for segment in policy.segment)):
        rules = each.warning
        found.update(rules.dishonoured.kinds, rules.insurer.cut_kinds, rules.insurer.withdrawn_kinds)
    return frozenset(found)


def gather(
    tx: Connection,
    at: Scorer,
    policy: Policy,
    systems: Collection[str],
    debtors: Collection[int] | None,
    keys: Collection[int] | None,
    receivables: tuple[Decimal, int] | None = None,
    everything: bool = False,
    late: Collection[int] | None = None,
) -> Gathered:
    """The signs of debtors (None: all) beside what the scorer has; `keys` are their customers in `systems`, which own
    the ledger, `late` (None: all) those of debtors who owe something past due: only they are asked when they paid last.
    `receivables`: all that is owed, in the reporting currency, and by how many customers."""
    on, rules = at.as_of, policy.warning
    months = months_later(on - SPIKE_DAYS * _DAY, -SPIKE_MONTHS)
    broken: dict[int, int] = {}
    since = on - rules.broken_promises.within_days * _DAY
    for row in promises.outcomes(tx, debtors, on, grace_days=policy.dunning.promise_grace_days, since=since):
        if not row.kept:
            broken[row.debtor] = broken.get(row.debtor, 0) + 1
    total = None
    if receivables is not None and receivables[1] >= rules.concentration_percent.least_customers:
        total = receivables[0]
    asked = frozenset(READERS)
    if receivables is None:
        asked -= {"concentration"}  # a share of what is not known is not asked for
    return Gathered(
        at,
        policy,
        on,
        total,
        asked,
        everything,
        broken,
        scores.held_on(tx, debtors, reviews.last_done(tx, debtors), months_later(on, -12)),
        last_paid_on(tx, keys if everything or late is None else late, on),
        placed.placed(tx, keys, months, on - SPIKE_DAYS * _DAY, on, systems if keys is None else None),
    )
