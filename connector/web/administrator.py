"""Administrators on pages: who acts, as jobs and the audit trail know him."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends

from connector.credit.authority import Person
from connector.policy_approval import DECIDING
from connector.web.session import Visitor, visits

Admin = Annotated[Visitor, Depends(visits("configure"))]


def acting(visitor: Visitor) -> Person:
    """The visitor as a person who acts.

    Who has no roles of his own has those that his issuer gives him, as far as they decide nothing of credit; whom only the
    issuer knows is in the trail under the name that it gives him, as in the API.
    """
    caller = visitor.caller
    if caller.person is not None and caller.person.roles:
        return caller.person
    given: frozenset[Any] = caller.roles - DECIDING
    if caller.person is not None:
        return replace(caller.person, roles=given)
    return Person(caller.actor, caller.name, given)
