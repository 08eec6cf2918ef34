"""Administrators on pages: who acts, as jobs and the audit trail know him."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from connector.credit.authority import Person
from connector.web.session import Visitor, visits

Admin = Annotated[Visitor, Depends(visits("configure"))]


def acting(visitor: Visitor) -> Person:
    """The visitor as a person who acts; somebody whom only the issuer knows has the roles that it gives him."""
    caller = visitor.caller
    if caller.person is not None:
        return caller.person
    return Person(caller.name, caller.name, caller.roles)  # type: ignore[arg-type]
