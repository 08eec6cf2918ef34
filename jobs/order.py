"""Order checks and what people do with held orders: check, request, release, refuse, hold, lift, check again.

Each is one transaction that first takes the lock of the customer and its whole group, then judges them as the night does,
and records what has become of all their orders: two orders that each fit but together do not never both pass, however
many processes ask at once. The flags that follow for the systems are owed in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from connector.clock import Clock, stopped
from connector.config import Config
from connector.connect import Connected
from connector.credit.authority import Person, able, may, settled
from connector.credit.decide import OrderDecision
from connector.credit.release import Release, grown
from connector.errors import ConfigError, NotAllowed
from connector.money import rounded, show
from connector.policy import Policy
from connector.store import order_credit
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.order_credit import OrderAt, Standing
from connector.store.order_values import OrderRow
from jobs import order_words as say
from jobs.judge import Judged
from jobs.moved import Moved, seated
from jobs.order_desk import (
    Desk,
    deciding,
    desk,
    held,
    keep_standing,
    name_of,
    reasoned,
    rules_in,
    snapshot,
    so_far,
)
from jobs.order_outcome import Check, origin, told
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
    with desk(
        store, config, policy, clock, wanted, actor, point=point, systems=systems, scores=False, again=False
    ) as at:
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
    clock = stopped(clock)
    count, left = 0, set(debtors)
    while left:
        debtor = min(left)
        with suppress(Moved), store.writing(concern=Concern()) as tx:
            base, found = seated(tx, config, policy, clock, debtor)
            nobody = OrderAt(0, "", "", None, None, None, debtor, None)
            at = Desk(tx, base, policy, nobody, Check(base.as_of, clock.now(), actor), systems, found)
            count += len(at.settle().lines)
            left -= base.family([debtor]) | {debtor}
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
        standing, row, decision = held(at)
        asked, _ = so_far(at.tx, config, row.key)
        ask = release_request(at.base, at.whose, row, decision, at.order, person.actor, asked)
        people = able(at.rules_of(), [p.person for p in config.people], ask)
        now = replace(standing, state="requested", since=at.check.on, at=at.check.at, rules=rules_in(decision))
        keep_standing(at, standing, now)
        at.settle(told(now, "requested", at.check, snapshot(at, row, decision), row, why))
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
    reasoned(why)
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems, attempt="release", why=why) as at:
        standing, row, decision = held(at)
        rules = at.rules_of()
        asked, already = so_far(at.tx, config, row.key)
        ask = release_request(at.base, at.whose, row, decision, at.order, asked[-1] if asked else "", asked)
        if (refused := may(rules, person, ask, already)) is not None:
            raise NotAllowed(refused)
        body = snapshot(at, row, decision)
        if not settled(rules, ask, [*already, person]):
            now = replace(standing, state="requested", since=at.check.on, at=at.check.at, rules=rules_in(decision))
            keep_standing(at, standing, now)
            at.settle(told(now, "approved", at.check, body, row, why))
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
            rules=rules_in(decision),
            manual=None,
            release=given,
            ended_on=None,
        )
        keep_standing(at, standing, now)
        body |= {"max_total": show(most, row.currency), "valid_until": until.isoformat()}
        # It still counts for the next one: what it takes may hold others.
        at.again()
        at.settle(told(now, "released", at.check, body, row, why))
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
    reasoned(why)
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems, attempt="refuse", why=why) as at:
        deciding(person)
        standing, row, decision = held(at)
        now = replace(standing, state="refused", since=at.check.on, at=at.check.at, rules=rules_in(decision))
        keep_standing(at, standing, now)
        at.settle(told(now, "refused", at.check, snapshot(at, row, decision), row, why))
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
    reasoned(why)
    attempt = "lift" if lift else "hold"
    with desk(store, config, policy, clock, wanted, person.actor, systems=systems, attempt=attempt, why=why) as at:
        deciding(person)
        row, _ = at.find()
        before = at.whose.standings.get(row.key)
        if lift and (before is None or before.manual is None):
            raise ConfigError(say.NOT_BY_HAND.fill(ref=name_of(at.order)))
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
        keep_standing(at, before, now)
        at.again()
        body = {"note": why, **origin(at.whose, before, row.key)}
        first = told(now, "lifted" if lift else "manual", at.check, body, row, why)
        at.settle(first)
        kept = order_credit.state(at.tx, row.key)
        assert kept is not None, "it has just been kept"
        return kept
