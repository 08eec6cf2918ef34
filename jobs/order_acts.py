"""What a person may do with an order now: ask for its release, release, refuse, hold, lift; and why not, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from connector.config import Config
from connector.credit.authority import Person, may
from connector.credit.release import grown
from connector.money import rounded
from connector.policy_approval import DECIDING
from connector.store import Connection, order_credit
from connector.text import Text
from jobs.order_answer import Explained
from jobs.order_desk import so_far
from jobs.order_request import release_request
from jobs.order_words import NOT_DECIDING


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody's request for the release."""

    by: str
    at: dt.datetime
    why: str


@dataclass(frozen=True, slots=True)
class Acts:
    """`refused` says why this person may not release the order, `undecided` why he decides on none; None: he may.

    `until` and `most` are how far a release reaches where nothing else is said.
    """

    asked: tuple[Asked, ...]
    approved: tuple[Person, ...]
    refused: Text | None
    undecided: Text | None
    until: dt.date
    most: Decimal
    held: bool
    by_hand: str | None


def acts(tx: Connection, config: Config, one: Explained, person: Person | None) -> Acts:
    """What one person may do with an order that was explained in the same transaction; None: nobody in particular."""
    row, judged, decision = one.row, one.judged, one.decision
    policy = one.base.policy.of(judged.members[0].segment)
    asked, approved = so_far(tx, config, row.key)
    lines = {line.actor: line for line in order_credit.history(tx, orders=[row.key]) if line.what == "requested"}
    refused = undecided = None
    if person is not None:
        ask = release_request(one.base, judged, row, decision, one.order, asked[-1] if asked else "", asked)
        refused = may(policy, person, ask, approved) if decision.hold else None
        if not person.alone and not person.roles & DECIDING:
            undecided = NOT_DECIDING.fill(person=person.name or person.id)
    rules = policy.hold.released
    total = rounded(row.total, row.currency)
    standing = one.standing
    return Acts(
        tuple(Asked(name, lines[name].at, lines[name].why) for name in asked if name in lines),
        tuple(approved),
        refused,
        undecided,
        one.base.as_of + dt.timedelta(days=rules.valid_days),
        grown(total, rules.growth_percent, row.currency),
        decision.hold,
        standing.manual if standing is not None else None,
    )
