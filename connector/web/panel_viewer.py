"""Who looks at the panel: the CRM's user as one of our people. Roles come from our own table, never from what a frame sends."""

from __future__ import annotations

from connector.config_people import ALL_ROLES, named
from connector.credit.authority import Person
from connector.store import customers
from connector.web.front import Front
from connector.web.rights import rights_of
from jobs.panel import Viewer
from jobs.panel_launch import Look
from jobs.recipients import Directory


def viewer_of(front: Front, look: Look) -> Viewer | None:
    """Who looks, and what he may; None: he sees nothing."""
    config = front.config
    person = _person(front, look)
    if person is not None:
        rights = rights_of(person.roles)
        if "read" in rights:
            return Viewer(person.actor, person, True, "request" in rights, "decide" in rights)
        actor = person.actor
    else:
        actor = f"person:{look.system}/{look.user}"
    panel = config.system(look.system).panel
    if panel is None or panel.unknown == "refuse" or (look.person and person is None):
        return None
    # Whoever is one of the people and was given no role is not one of those who may see everything by default.
    return Viewer(actor, person, panel.unknown == "figures" and person is None, False)


def _person(front: Front, look: Look) -> Person | None:
    people = front.config.people
    if look.person:
        if not people:
            return Person(look.person, look.person, ALL_ROLES, alone=True)
        found = named(people, look.person)
        return found if found is not None and found.id == look.person else None
    with front.store.reading() as tx:
        known = customers.people(tx)
    recipient = Directory(front.config, known).user(look.system, look.user)
    return None if recipient is None else next((p.person for p in people if p.id == recipient.key), None)
