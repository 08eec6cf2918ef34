"""Rights: what each role opens, and who it is that calls.

A right opens a route; within it the approval matrix, the segregation of duties and the state of things still decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from connector.config_people import PersonSettings
from connector.credit.authority import Person
from connector.policy_approval import Role
from connector.text import Text

Right = Literal["read", "check", "request", "decide", "credit", "configure", "audit"]

RIGHTS: tuple[Right, ...] = get_args(Right)

RIGHTS_OF: Mapping[Role, frozenset[Right]] = {
    "viewer": frozenset({"read"}),
    "sales": frozenset({"read", "check", "request"}),
    "credit_controller": frozenset({"read", "check", "request", "decide", "credit"}),
    "approver": frozenset({"read", "check", "request", "decide"}),
    "admin": frozenset({"read", "check", "configure", "audit"}),
    "auditor": frozenset({"read", "audit"}),
}
# What only a person does who stands in config.toml: a program, or somebody whom nobody entered there, decides nothing.
PERSONAL: frozenset[Right] = frozenset({"request", "decide", "credit"})

RIGHT_NAMES: Mapping[Right, Text] = {
    "read": Text("look at orders and customers", "查看订单与客户"),
    "check": Text("check orders", "检查订单"),
    "request": Text("ask for releases and limits, note contacts", "申请放行与额度、登记联系记录"),
    "decide": Text("decide on releases and limits", "审批放行与额度"),
    "credit": Text("hold, set aside, propose by the formula, file papers", "冻结、设置例外、按公式提出额度、资料归档"),
    "configure": Text("change settings", "修改设置"),
    "audit": Text("read the audit trail", "查看审计日志"),
}


def rights_of(roles: Iterable[str]) -> frozenset[Right]:
    """All that some roles open together."""
    return frozenset(right for role in roles for right in RIGHTS_OF.get(role, frozenset()))  # type: ignore[call-overload]


def owner_of(
    people: Sequence[PersonSettings], owner: str, roles: Iterable[str]
) -> tuple[Person | None, frozenset[str]]:
    """The person whom a key belongs to, and the roles it has now; no roles where the owner is none of the people any more.

    Where nobody is configured, a key that was made by somebody then has the roles that were kept with it.
    """
    kind, _, name = owner.partition(":")
    kept = frozenset(roles)
    if kind != "person":
        return None, kept
    if not people:
        return (Person(name, name, kept, alone=True), kept) if kept else (None, frozenset())  # type: ignore[arg-type]
    found = next((one.person for one in people if one.id == name), None)
    return (found, frozenset(found.roles)) if found is not None else (None, frozenset())


def allowed(people: Sequence[PersonSettings], owner: str, roles: Iterable[str]) -> frozenset[Right]:
    """All that the owner of a key may do now."""
    person, held = owner_of(people, owner, roles)
    every = rights_of(held)
    return every if person is not None else every - PERSONAL


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `person` is None for a program and for somebody whom config.toml does not know; `actor` is how the audit
    trail names the caller: "person:li.wei", "app:webshop"; `way` how he came in: the key's id, or the issuer."""

    name: str
    roles: frozenset[str]
    rights: frozenset[Right]
    actor: str
    person: Person | None = None
    way: str = ""
