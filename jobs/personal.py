"""Personal lines: what of the credit file speaks of persons, who may see it, and that each sight of it is kept.

The law asks for a purpose, for roles that need it, and for a record of who looked (个人信息保护法 art. 6, 51). Elsewhere such
a line is there, and masked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from connector.errors import ConfigError
from connector.policy_approval import Role
from connector.store import Connection, audit
from connector.store.customers import CustomerRow
from connector.text import Text

ROLES: frozenset[Role] = frozenset({"credit_controller", "approver", "auditor"})
MASKED = Text("(about a person: masked)", "（涉及个人信息，已隐去）")
NOT_YOURS = Text(
    "What speaks of persons is for credit controllers, approvers and auditors.",
    "涉及个人的内容仅供信用专员、审批人与审计人员查看。",
)


def may_see(roles: Collection[str]) -> bool:
    """Whether somebody with these roles may see what speaks of persons."""
    return not ROLES.isdisjoint(roles)


def looked(tx: Connection, row: CustomerRow, actor: str, why: str, count: int, now: dt.datetime) -> None:
    """Keeps in the audit trail that somebody was shown so many personal lines of a customer, and what for. ConfigError
    where no purpose is given."""
    if not why.strip():
        raise ConfigError(_WHAT_FOR)
    subject = f"customer:{row.system}/{row.ref}"
    audit.append(tx, [audit.Entry("file.personal", subject, actor, why.strip(), after={"lines": count})], now)


_WHAT_FOR = Text("--personal: say what for.", "--personal：请说明用途。")
