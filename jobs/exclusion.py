"""Exclusions by people: rules set aside, or a hold or a pass forced, for an order, a debtor, a segment or everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from connector.clock import Clock, day_in
from connector.config import Config
from connector.connect import Connected
from connector.credit.authority import Person, Request, may
from connector.credit.exclusion import RULES, UNDECIDED, Effect, Exclusion, Scope
from connector.errors import ConfigError, NotAllowed
from connector.policy import Policy
from connector.store import audit, customers, exclusions, marks
from connector.store.audit import Entry
from connector.store.db import Store
from jobs import order_words as say
from jobs.order import recheck
from jobs.order_desk import deciding, denials, reasoned, the_order


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

    What lets orders pass is a release without bounds: it takes whoever the matrix trusts with those, and nobody who sells
    to the customer. Orders of one debtor are checked again at once, those of a segment or of everybody by the next run.
    """
    name = f"order:{order}" if order else f"segment:{segment}" if segment else f"debtor:{debtor}" if debtor else "all"
    with denials(store, clock, name, person.actor, f"exclusion.{effect}", why):
        reasoned(why)
        deciding(person)
        wrong = sorted(set(rules) - RULES - UNDECIDED)
        if wrong:
            raise ConfigError(say.NO_RULE.fill(rule=wrong[0], rules=", ".join(sorted(RULES))))
        if valid_from is not None and valid_to is not None and valid_to < valid_from:
            raise ConfigError(say.BACKWARDS)
        one = Exclusion(0, scope, effect, frozenset(rules), why, person.actor, valid_from, valid_to)
        at = clock.now()
        with store.writing() as tx:
            key = None
            owners: list[tuple[str, str]] = []
            if order is not None:
                found = the_order(tx, order)
                key, debtor = found.key, found.debtor
                owners += [(found.system, found.owner)] if found.owner else []
            told = customers.customers(tx, debtors=[debtor]) if debtor is not None else []
            owners += [(row.system, row.owner) for row in told if row.owner]
            if effect != "hold":
                rules_of = policy.of(segment or next((row.segment for row in told if row.segment), None))
                refused = may(
                    rules_of, person, Request("release", None, level="red", owners=tuple(dict.fromkeys(owners)))
                )
                if refused is not None:
                    raise NotAllowed(refused)
            twin = exclusions.same(
                tx, one, on=day_in(at, config.business.time_zone), debtor=debtor, order=key, segment=segment
            )
            if twin is not None:
                until = say.UNTIL.fill(day=twin.valid_to) if twin.valid_to is not None else ""
                raise ConfigError(say.TWICE.fill(number=twin.id, by=twin.by.removeprefix("person:"), until=until))
            number = exclusions.add(tx, one, at, debtor=debtor, order=key, segment=segment)
            subject = (
                f"order:{order}" if order else f"segment:{segment}" if segment else "all" if debtor is None else ""
            )
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
    reasoned(why)
    deciding(person)
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
