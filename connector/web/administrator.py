"""Administrators on pages: who acts, as jobs and the audit trail know him, and what somebody else did meanwhile."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from connector.credit.authority import Person
from connector.text import Text
from connector.web.session import Visitor, visits

Admin = Annotated[Visitor, Depends(visits("configure"))]

CHANGED = Text(
    "{who} has saved version {number} since you opened this page. Nothing of yours is lost: look at what differs, and save again.",
    "您打开此页后，{who} 已保存版本 {number}。您的内容并未丢失：请查看差异后再次保存。",
)


def acting(visitor: Visitor) -> Person:
    """The visitor as a person who acts; somebody whom only the issuer knows has the roles that it gives him."""
    caller = visitor.caller
    if caller.person is not None:
        return caller.person
    return Person(caller.name, caller.name, caller.roles)  # type: ignore[arg-type]
