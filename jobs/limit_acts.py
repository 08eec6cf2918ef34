"""What a person may do with a request for a limit: approve it, reject it; and why not, in words."""

from __future__ import annotations

from dataclasses import dataclass

from connector.config_people import named
from connector.credit import authority
from connector.credit.authority import Need, Person
from connector.credit.granting import standing
from connector.store import Connection
from connector.store.customers import CustomerRow
from connector.store.limits import Asked
from connector.text import Text
from jobs.grant import Desk, frozen, matter
from jobs.grant_matter import rises
from jobs.grant_words import FROZEN, NO_DECISION


@dataclass(frozen=True, slots=True)
class Acts:
    """Whom an open request needs, and who has approved it. `refused` says why this person may not approve it as it stands,
    `undecided` why he rejects none; None: he may."""

    need: Need | None
    approved: tuple[Person, ...]
    refused: Text | None
    undecided: Text | None


def acts(tx: Connection, desk: Desk, row: CustomerRow, asked: Asked, person: Person | None) -> Acts:
    """What one person may do with an open request; None: nobody in particular."""
    policy = desk.policy.of(row.segment)
    stands = standing(asked.request, asked.events)
    asks = matter(tx, desk, row, asked, stands)
    approved = [one for name in stands.approvers if (one := named(desk.config.people, name)) is not None]
    refused = undecided = None
    if person is not None:
        refused = authority.may(policy, person, asks, approved)
        sits = person.alone or any(one.role in person.roles for one in policy.approval.rows("limit"))
        if not sits and person.actor != stands.requested_by:
            undecided = NO_DECISION.fill(person=person.name or person.id)
    if refused is None and rises(tx, desk, row, asked, stands) and (why := frozen(tx, policy, row)) is not None:
        refused = FROZEN.fill(why=why)
    return Acts(authority.needed(policy, asks), tuple(approved), refused, undecided)
