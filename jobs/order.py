"""Order checks and what people do with held orders: check, request, release, refuse, hold, lift, exclude, check again.

Each is one transaction that first takes the lock of the customer and its whole group, then judges them as the night does,
and records what has become of all their orders: two orders that each fit but together do not never both pass, however
many processes ask at once. The flags that follow for the systems are owed in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.config_people import named
from connector.connect import Connected
from connector.credit.answer import as_answer
from connector.credit.authority import Person, able, may, settled
from connector.credit.decide import OrderDecision
from connector.credit.exclusion import RULES, UNDECIDED, Effect, Exclusion, Scope
from connector.credit.release import Release, grown
from connector.errors import ConfigError
from connector.money import rounded, show
from connector.policy import Policy
from connector.policy_approval import DECIDING
from connector.store import Connection, audit, customers, exclusions, marks, order_credit, outbox
from connector.store.audit import Entry
from connector.store.db import Store
from connector.store.order_credit import OrderAt, Standing
from connector.store.positions import OrderRow
from jobs import order_words as say
from jobs.evaluate import order_flags
from jobs.judge import Frame, Judged, frame, judge
from jobs.judge_orders import BINDING
from jobs.order_outcome import Check, Outcome, keep, merged, outcome, reason_kept, told
from jobs.order_request import release_request

POINTS = ("entry", "confirmation", "release", "delivery", "change", "reopen")


@dataclass
class Checked:
    """What a check found of one order. `hold`: it may not go on now. `reply`: what the policy says of the check point;
    with "warn" the reasons do not hold it, and nothing is recorded."""

    order: OrderAt
    row: OrderRow
    judged: Judged
    decision: OrderDecision
    standing: Standing | None
    point: str
    reply: str
    hold: bool


@dataclass
class Desk:
    """One transaction on the orders of one customer and its group, with the lock taken and everything judged."""

    tx: Connection
    base: Frame
    policy: Policy
    order: OrderAt
    check: Check
    systems: Sequence[Connected]
    judged: list[Judged]
    scores: bool = True

    @property
    def whose(self) -> Judged:
        """The debtor whose order it is."""
        return next(j for j in self.judged if j.debtor == self.order.debtor)

    def find(self) -> tuple[OrderRow, OrderDecision]:
        """The order among those that are open. The same order in the ledger stands for one of the CRM."""
        for row, decision in self.whose.orders:
            if row.key == self.order.key:
                mine = next((r for r, _ in self.whose.orders if _same(r, row) and r.key in self.whose.rooms), row)
                return mine, decision
        raise ConfigError(say.NOT_OPEN.fill(ref=_name(self.order), status=self.order.status or "-"))

    def rules_of(self) -> Policy:
        """The policy of the customer's segment."""
        return self.policy.of(self.whose.members[0].segment)

    def again(self) -> None:
        """Judges anew: something has changed in this transaction."""
        self.judged = _judged(self.tx, self.base, [j.debtor for j in self.judged], self.scores)

    def settle(self, first: Outcome | None = None) -> Outcome:
        """Records what has become of all orders here, after what a person did, and owes the flags."""
        made = merged(iter([first or Outcome(), outcome(self.judged, self.check)]))
        by_name = {c.name: c for c in self.systems if c.adapter.channels and self.base.config.writes_to(c.system)}
        refs = {
            (row.system, row.ref)
            for j in self.judged
            for row, _ in j.orders
            if row.key in made.flags or _twin(j, row, made)
        }
        for judged in self.judged:
            only = replace(judged, orders=tuple(p for p in judged.orders if (p[0].system, p[0].ref) in refs))
            flags = order_flags(self.base, only, by_name, lambda system, ref: (system, ref) in refs)
            outbox.owe(self.tx, list(flags), self.check.at)
        # The decision on a customer names its held orders: it is looked at again by the next run.
        if made.flags:
            touched = [m.key for j in self.judged for m in j.members if any(r.key in made.flags for r, _ in j.orders)]
            marks.touch(self.tx, touched)
        keep(self.tx, made, self.check)
        return made


def _same(one: OrderRow, other: OrderRow) -> bool:
    return (one.number or one.ref) == (other.number or other.ref)


def _twin(judged: Judged, row: OrderRow, made: Outcome) -> bool:
    return any(_same(row, other) and other.key in made.flags for other, _ in judged.orders)


def _name(order: OrderAt) -> str:
    return f"{order.system}/{order.ref}"


@contextmanager
def desk(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    actor: str,
    *,
    point: str = "recheck",
    systems: Sequence[Connected] = (),
    scores: bool = True,
) -> Iterator[Desk]:
    """The desk for one order, by its id or number, or `system/id`. Raises ConfigError where there is no such order, or
    several, or its customer is linked to nobody."""
    today = day_in(clock.now(), config.business.time_zone)
    with store.writing() as tx:
        order = the_order(tx, wanted)
        if order.debtor is None:
            raise ConfigError(say.NOBODYS.fill(ref=_name(order)))
        # Who belongs to whom may change between the look and the lock: then once more.
        for _ in range(3):
            base = frame(tx, config, policy, clock, today, debtors=[order.debtor])
            family = base.family([order.debtor])
            order_credit.lock(tx, family)
            again = base if len(family) == 1 else frame(tx, config, policy, clock, today, debtors=[order.debtor])
            if again.family([order.debtor]) == family:
                break
        again.confirming = order.key if point in BINDING else None
        check = Check(today, clock.now(), actor, point, order.key)
        yield Desk(tx, again, policy, order, check, systems, _judged(tx, again, [order.debtor], scores), scores)


def _judged(tx: Connection, base: Frame, debtors: Sequence[int], scores: bool = False) -> list[Judged]:
    return marks.undisturbed(tx, lambda: list(judge(tx, base, debtors, scores=scores)))


def the_order(tx: Connection, wanted: str) -> OrderAt:
    """The one order that is meant. Raises ConfigError otherwise. The same order in the CRM and in the ledger is one."""
    found = order_credit.find(tx, wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(say.NO_ORDER.fill(ref=wanted))
    # One order in the CRM and in the ledger: whichever, the check finds the other.
    if len({(o.number or o.ref, o.debtor) for o in found}) == 1 and len({o.system for o in found}) == len(found):
        return found[0]
    raise ConfigError(say.SEVERAL.fill(ref=wanted, refs=", ".join(map(_name, found[:8]))))


# --- checks ----------------------------------------------------------------------------------------------------------
def check(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    point: str,
    actor: str,
    *,
    systems: Sequence[Connected] = (),
) -> Checked:
    """Whether an order may go on at a check point, recorded with all that follows (`POINTS`; "recheck": by schedule)."""
    if point not in (*POINTS, "recheck"):
        raise ConfigError(say.NO_POINT.fill(point=point, points=", ".join((*POINTS, "recheck"))))
    with desk(store, config, policy, clock, wanted, actor, point=point, systems=systems, scores=False) as at:
        row, decision = at.find()
        standing = at.whose.standings.get(row.key)
        points = at.rules_of().hold.points
        reply = "hold" if point == "recheck" else str(getattr(points, point))
        if reply != "hold":
            decision = decision if reply == "warn" else decision._replace(hold=False)
            return Checked(at.order, row, at.whose, decision, standing, point, reply, False)
        if _rests(standing, row, point, at.check.on, points.grace_days):
            calm = decision._replace(hold=False)
            return Checked(at.order, row, at.whose, calm, standing, point, reply, False)
        at.check.order = row.key
        at.settle()
        return Checked(
            at.order, row, at.whose, decision, order_credit.state(at.tx, row.key), point, reply, decision.hold
        )


def _rests(standing: Standing | None, row: OrderRow, point: str, on: dt.date, grace_days: int) -> bool:
    """Whether a check is not made again: it passed a few days ago and is as it was."""
    if standing is None or standing.state != "passed" or standing.ended_on is not None or not grace_days:
        return False
    if point in ("change", "reopen") or standing.manual is not None:
        return False
    same = standing.currency == row.currency and rounded(row.total, row.currency) <= standing.total
    return same and standing.terms == row.terms and (on - standing.since).days <= grace_days


def recheck(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    actor: str,
    *,
    debtors: Collection[int],
    systems: Sequence[Connected] = (),
) -> int:
    """Checks all open orders of some debtors and their groups again; says how many have another state now."""
    today = day_in(clock.now(), config.business.time_zone)
    count, left = 0, set(debtors)
    while left:
        with store.writing() as tx:
            debtor = min(left)
            base = frame(tx, config, policy, clock, today, debtors=[debtor])
            family = base.family([debtor])
            order_credit.lock(tx, family)
            left -= family | {debtor}
            found = _judged(tx, base, [debtor])
            nobody = OrderAt(0, "", "", None, None, None, debtor, None)
            at = Desk(tx, base, policy, nobody, Check(today, clock.now(), actor), systems, found)
            count += len(at.settle().lines)
    return count


# --- what people do --------------------------------------------------------------------------------------------------
def request(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    person: Person,
    why: str,
    *,
    systems: Sequence[Connected] = (),
) -> tuple[Standing, list[Person]]:
    """Asks for the release of a held order; gives its state and the people who may release it now."""
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems) as at:
        standing, row, decision = _held(at)
        ask = release_request(at.base, at.whose, row, decision, at.order, person.actor)
        people = able(at.rules_of(), [p.person for p in config.people], ask)
        now = replace(standing, state="requested", since=at.check.on, at=at.check.at, rules=_rules(decision))
        _keep(at, standing, now)
        at.settle(told(now, "requested", at.check, _snapshot(at, row, decision), at.order, why))
        return now, people


def release(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    person: Person,
    why: str,
    *,
    valid_until: dt.date | None = None,
    max_total: Any = None,
    systems: Sequence[Connected] = (),
) -> Standing:
    """Releases a held order, or adds this person's approval where two are needed (then the state is `requested`).

    `max_total` is in the order's own currency; None: its total and the growth that the policy allows. Raises ConfigError,
    with the reason, where the person's authority does not cover it.
    """
    _reasoned(why)
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems) as at:
        standing, row, decision = _held(at)
        rules = at.rules_of()
        asked_by, already = _so_far(at, config, row.key)
        ask = release_request(at.base, at.whose, row, decision, at.order, asked_by)
        if (refused := may(rules, person, ask, already)) is not None:
            raise ConfigError(refused)
        body = _snapshot(at, row, decision)
        if not settled(rules, ask, [*already, person]):
            now = replace(standing, state="requested", since=at.check.on, at=at.check.at, rules=_rules(decision))
            _keep(at, standing, now)
            at.settle(told(now, "approved", at.check, body, at.order, why))
            return now
        total = rounded(row.total, row.currency)
        until = valid_until or at.check.on + dt.timedelta(days=rules.hold.released.valid_days)
        most = max_total if max_total is not None else grown(total, rules.hold.released.growth_percent, row.currency)
        if until < at.check.on or most < total:
            raise ConfigError(say.TOO_NARROW.fill(total=show(total, row.currency), today=at.check.on))
        level = at.whose.risk_level
        given = Release(person.name or person.id, at.check.on, most, row.currency, until, row.terms, level == "red")
        now = replace(
            standing,
            state="released",
            since=at.check.on,
            at=at.check.at,
            total=total,
            currency=row.currency,
            terms=row.terms,
            rules=_rules(decision),
            manual=None,
            release=given,
            ended_on=None,
        )
        _keep(at, standing, now)
        body |= {"max_total": show(most, row.currency), "valid_until": until.isoformat()}
        # It still counts for the next one: what it takes may hold others.
        at.again()
        at.settle(told(now, "released", at.check, body, at.order, why))
        return now


def refuse(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    person: Person,
    why: str,
    *,
    systems: Sequence[Connected] = (),
) -> Standing:
    """Refuses to release a held order."""
    _reasoned(why)
    _decides(person)
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems) as at:
        standing, row, decision = _held(at)
        now = replace(standing, state="refused", since=at.check.on, at=at.check.at, rules=_rules(decision))
        _keep(at, standing, now)
        at.settle(told(now, "refused", at.check, _snapshot(at, row, decision), at.order, why))
        return now


def hold(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    wanted: str,
    person: Person,
    why: str,
    *,
    lift: bool = False,
    systems: Sequence[Connected] = (),
) -> Standing:
    """Holds an order by hand, which no job ever lifts; or lifts such a hold, and the rules alone decide again."""
    _reasoned(why)
    _decides(person)
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems) as at:
        row, _ = at.find()
        before = at.whose.standings.get(row.key)
        if lift and (before is None or before.manual is None):
            raise ConfigError(say.NOT_BY_HAND.fill(ref=_name(at.order)))
        start = before or Standing(
            row.key, at.whose.debtor, "passed", at.check.on, at.check.at, "recheck",
            rounded(row.total, row.currency), row.currency, row.terms,
        )  # fmt: skip
        state: order_credit.State = start.state if lift or not start.through else "held"
        now = replace(
            start,
            order=row.key,
            state=state,
            since=start.since if state == start.state else at.check.on,
            at=at.check.at,
            manual=None if lift else why,
            release=None,
            ended_on=None,
        )
        _keep(at, before, now)
        at.again()
        first = told(now, "lifted" if lift else "manual", at.check, {"note": why}, at.order, why)
        at.settle(first)
        kept = order_credit.state(at.tx, row.key)
        assert kept is not None, "it has just been kept"
        return kept


def exclude(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    person: Person,
    *,
    effect: Effect,
    why: str,
    scope: Scope,
    order: str | None = None,
    debtor: int | None = None,
    segment: str | None = None,
    rules: Collection[str] = (),
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    systems: Sequence[Connected] = (),
) -> int:
    """Sets rules aside, or forces a hold or a pass, for an order, a debtor, a segment or everybody; its number.

    Orders of one debtor are checked again at once, those of a segment or of everybody by the next run.
    """
    _reasoned(why)
    _decides(person)
    wrong = sorted(set(rules) - RULES - UNDECIDED)
    if wrong:
        raise ConfigError(say.NO_RULE.fill(rule=wrong[0], rules=", ".join(sorted(RULES))))
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise ConfigError(say.BACKWARDS)
    one = Exclusion(0, scope, effect, frozenset(rules), why, person.actor, valid_from, valid_to)
    at = clock.now()
    with store.writing() as tx:
        key = None
        if order is not None:
            found = the_order(tx, order)
            key, debtor = found.key, found.debtor
        number = exclusions.add(tx, one, at, debtor=debtor, order=key, segment=segment)
        subject = f"order:{order}" if order else f"segment:{segment}" if segment else "all" if debtor is None else ""
        if debtor is not None:
            rows = customers.customers(tx, systems=[s.name for s in config.with_role("erp")], debtors=[debtor])
            marks.touch(tx, [row.key for row in rows])
            subject = subject or (f"customer:{rows[0].system}/{rows[0].ref}" if rows else f"debtor:{debtor}")
        after = {"number": number, "effect": effect, "rules": sorted(rules), "from": valid_from, "to": valid_to}
        audit.append(tx, [Entry("exclusion.add", subject, person.actor, why, None, after)], at)
    if debtor is not None:
        recheck(store, config, policy, clock, person.actor, debtors=[debtor], systems=systems)
    return number


def end_exclusion(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    person: Person,
    number: int,
    why: str,
    *,
    systems: Sequence[Connected] = (),
) -> None:
    """Ends an exclusion. Raises ConfigError where there is none of this number."""
    _reasoned(why)
    _decides(person)
    with store.writing() as tx:
        row = next((row for one, row in exclusions.listing(tx) if one.id == number), None)
        if row is None or not exclusions.end(tx, number, person.actor, clock.now()):
            raise ConfigError(say.NO_EXCLUSION.fill(number=number))
        if row.debtor is not None:
            marks.touch(tx, [r.key for r in customers.customers(tx, debtors=[row.debtor])])
        entry = Entry("exclusion.end", f"exclusion:{number}", person.actor, why)
        audit.append(tx, [entry], clock.now())
    if row.debtor is not None:
        recheck(store, config, policy, clock, person.actor, debtors=[row.debtor], systems=systems)


# --- what they share -------------------------------------------------------------------------------------------------
def _held(at: Desk) -> tuple[Standing, OrderRow, OrderDecision]:
    """The order as it is held now; checked first where it never was. Raises ConfigError where it is not held."""
    row, decision = at.find()
    if not decision.hold:
        raise ConfigError(say.NOT_HELD.fill(ref=_name(at.order)))
    standing = at.whose.standings.get(row.key)
    if standing is None or standing.order != row.key or standing.through or standing.ended_on is not None:
        # That the rules hold it is nobody's doing.
        by_rule = replace(at.check, actor="job:order")
        keep(at.tx, outcome(at.judged, by_rule), by_rule)
        at.again()
        row, decision = at.find()
        standing = at.whose.standings.get(row.key)
    assert standing is not None, "it has just been kept"
    return standing, row, decision


def _keep(at: Desk, before: Standing | None, now: Standing) -> None:
    """Keeps what a person did; what is judged afterwards starts from it."""
    known = before is not None and before.order == now.order
    order_credit.keep(at.tx, [] if known else [now], [now] if known else [])
    at.whose.standings = {**at.whose.standings, now.order: now}


def _rules(decision: OrderDecision) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.rule for reason in decision.reasons))


def _so_far(at: Desk, config: Config, order: int) -> tuple[str, list[Person]]:
    """Who asked for the release of an order, and who has approved it since."""
    asked_by, names = "", list[str]()
    for line in order_credit.history(at.tx, orders=[order]):
        if line.what == "requested":
            asked_by, names = line.actor, []
        elif line.what == "approved":
            names.append(line.actor)
        elif line.state in order_credit.THROUGH or line.what in ("refused", "manual", "reopened", "expired"):
            asked_by, names = "", []
    found = [named(config.people, name) for name in names]
    return asked_by, [person for person in found if person is not None]


def _snapshot(at: Desk, row: OrderRow, decision: OrderDecision) -> dict[str, Any]:
    """All numbers on which a person decides."""
    judged = at.whose
    first = judged.members[0]
    return {
        "total": show(row.total, row.currency),
        "currency": row.currency,
        "terms": row.terms,
        "policy": at.base.policy_version,
        "reasons": [reason_kept(reason) for reason in decision.reasons],
        "position": as_answer(judged.position, judged.decision, first.ref, first.system),
    }


def _reasoned(why: str) -> None:
    if not why.strip():
        raise ConfigError(say.NO_REASON)


def _decides(person: Person) -> None:
    if not person.alone and not person.roles & DECIDING:
        raise ConfigError(say.NOT_DECIDING.fill(person=person.name or person.id))
