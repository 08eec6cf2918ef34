"""Sight of the personal lines of a credit file: who may have it, and that each one is kept (个人信息保护法 art. 51)."""

from __future__ import annotations

from collections.abc import Collection

from connector.clock import Clock
from connector.errors import NotAllowed
from connector.store import audit
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text

ROLES = frozenset({"credit_controller", "approver", "auditor"})
_NOT_YOURS = Text(
    "Lines that speak of persons are for finance and auditors.", "涉及个人信息的内容仅限财务与审计人员查看。"
)


def may_look(roles: Collection[str]) -> bool:
    """Whether somebody with these roles may see what speaks of persons."""
    return not ROLES.isdisjoint(roles)


def looked(store: Store, clock: Clock, row: CustomerRow, actor: str, roles: Collection[str], why: str) -> None:
    """Keeps that somebody looks at what speaks of persons, and what for. Raises NotAllowed."""
    if not may_look(roles):
        raise NotAllowed(_NOT_YOURS)
    entry = audit.Entry("file.personal", f"customer:{row.system}/{row.ref}", actor, why[:1000])
    with store.writing() as tx:
        audit.append(tx, [entry], clock.now())
