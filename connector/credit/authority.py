"""Authority: whether a person may decide something, by the approval matrix and the segregation of duties (domain 10)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.policy import Policy
from connector.policy_approval import ApprovalRow, Matter, Role
from connector.policy_section import Level
from connector.text import Text, joined

# How actors begin whom only the issuer of sign-in knows.
ISSUERS = "oidc:"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who decides here. `ids` are his user ids in systems, by system; `email` may be one, too.

    Somebody whom only the issuer of sign-in knows has the name that its token gives him, as an actor: "oidc:mei@example.com".
    `approve_up_to` bounds his own authority, an amount in the reporting currency, inclusive; None: the matrix alone.
    `resting` are roles that he has, and that count for nothing until a second person confirms them.
    `alone`: nobody was configured, so that whoever sits at the machine has every role and nobody to segregate from.
    """

    id: str
    name: str = ""
    roles: frozenset[Role] = frozenset()
    email: str | None = None
    language: str | None = None
    ids: tuple[tuple[str, str], ...] = ()
    approve_up_to: Decimal | None = None
    alone: bool = False
    resting: frozenset[Role] = frozenset()

    @property
    def actor(self) -> str:
        """The person as audit entries name him."""
        return self.id if self.id.startswith(ISSUERS) else f"person:{self.id}"

    def is_user(self, system: str, user: str) -> bool:
        """Whether a user id or e-mail address of a system is this person."""
        if (system, user) in self.ids:
            return True
        return "@" in user and self.email is not None and user.casefold() == self.email.casefold()


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be decided. Amounts are in the reporting currency, percent is a number of percent.

    `percent` None: there is nothing to compare with (a first limit). `band` None: no score. `requested_by` is the actor
    who asked, "person:li.wei" or "job:evaluate", `also_asked` who did before him; `owners` are the (system, user id) who
    own the order or the customer.
    """

    matter: Matter
    amount: Decimal | None
    percent: Decimal | None = None
    band: str | None = None
    level: Level = "green"
    requested_by: str = ""
    owners: tuple[tuple[str, str], ...] = ()
    also_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Whom a request needs: any of the `ways` suffices; `role` and `people` are of the first, the usual one."""

    ways: tuple[ApprovalRow, ...] = field(default=())

    @property
    def role(self) -> Role:
        return self.ways[0].role

    @property
    def people(self) -> int:
        return self.ways[0].people

    @property
    def text(self) -> Text:
        """The usual way in words: "an approver", "two approvers"."""
        return _WHOM[self.people].fill(role=ROLE_NAMES[self.role], a_role=_a(ROLE_NAMES[self.role]))


def needed(policy: Policy, request: Request) -> Need | None:
    """Whom a request needs; None where no row of the matrix covers it: then nobody may."""
    worse = _and_worse(policy, request.band)
    ways = tuple(
        row
        for row in policy.approval.rows(request.matter)
        if row.covers(request.amount, request.percent, request.level, worse)
    )
    return Need(ways) if ways else None


def may(policy: Policy, person: Person, request: Request, already: Sequence[Person] = ()) -> Text | None:
    """Why a person may not approve a request; None: he may. `already` are those who have approved it."""
    if person.alone:
        return None
    need = needed(policy, request)
    if need is None:
        return _NOBODY.fill(matter=MATTER_NAMES[request.matter])
    if any(person.is_user(system, user) for system, user in request.owners):
        return _OWNER.fill(person=person.name or person.id)
    if person.id in [other.id for other in already]:
        return _AGAIN.fill(person=person.name or person.id)
    mine = [way for way in need.ways if way.role in person.roles]
    if not mine and any(way.role in person.resting for way in need.ways):
        return RESTS.fill(person=person.name or person.id, roles=role_names(person.resting))
    if not mine:
        return _ROLE.fill(person=person.name or person.id, whom=need.text, roles=role_names(person.roles))
    if person.approve_up_to is not None and (request.amount is None or request.amount > person.approve_up_to):
        return _BEYOND.fill(
            person=person.name or person.id,
            most=f"{person.approve_up_to:,}",
            amount="?" if request.amount is None else f"{request.amount:,f}",
        )
    # Whoever writes a policy is one of the two people that it takes; of credit, nobody who asked for it decides.
    one_of_two = request.matter == "policy" and mine[0].people > 1
    if not one_of_two and person.actor in (request.requested_by, *request.also_asked):
        return _OWN_REQUEST.fill(person=person.name or person.id)
    return None


def settled(policy: Policy, request: Request, approvers: Sequence[Person]) -> bool:
    """Whether these people together suffice. Who asked is never one of them (save for a policy's author, who is one of
    two); one person counts once."""
    if any(person.alone for person in approvers):
        return True
    need = needed(policy, request)
    return need is not None and any(_serves(policy, way, request, approvers) for way in need.ways)


def able(policy: Policy, people: Iterable[Person], request: Request, already: Sequence[Person] = ()) -> list[Person]:
    """Those of some people who may approve a request now, in their order."""
    return [person for person in people if may(policy, person, request, already) is None]


def _serves(policy: Policy, way: ApprovalRow, request: Request, approvers: Sequence[Person]) -> bool:
    counted = {p.id: p for p in approvers if way.role in p.roles and may(policy, p, request) is None}
    if request.matter == "policy" and way.people == 1:
        return any(p.actor != request.requested_by for p in counted.values())
    return len(counted) >= way.people


def _and_worse(policy: Policy, band: str | None) -> tuple[str, ...] | None:
    """A grade and all that are worse: a row for grades up to one of these covers it."""
    names = [name for name, _ in policy.score.bands]
    return tuple(names[names.index(band) :]) if band in names else None


# --- words ---------------------------------------------------------------------------------------------------------------
ROLE_NAMES: dict[Role, Text] = {
    "viewer": Text("viewer", "查看人员"),
    "sales": Text("salesperson", "销售人员"),
    "credit_controller": Text("credit controller", "信用专员"),
    "approver": Text("approver", "审批人"),
    "admin": Text("administrator", "系统管理员"),
    "auditor": Text("auditor", "审计人员"),
}
MATTER_NAMES: dict[Matter, Text] = {
    "limit": Text("limit", "额度"),
    "release": Text("release", "解冻"),
    "review": Text("review", "复评"),
    "write_off": Text("write-off", "核销"),
    "policy": Text("policy", "信用政策"),
}
_WHOM = {
    1: Text("one {role}", "一名{role}"),
    2: Text("two different people, each {a_role}", "两名不同的{role}"),
}
_NOBODY = Text(
    "No row of the approval matrix covers this {matter}: nobody may approve it.",
    "审批权限表中没有适用于该{matter}的规定：任何人都无权批准。",
)
_OWNER = Text(
    "{person} is the salesperson in charge: somebody else has to approve it.",
    "{person} 是该业务的负责销售，须由他人审批。",
)
_AGAIN = Text("{person} has approved it already: a second person is wanted.", "{person} 已批准过，还需另一人批准。")
_ROLE = Text("This needs {whom}; {person} is {roles}.", "须由{whom}批准；{person} 的角色为{roles}。")
_BEYOND = Text(
    "{person} may approve up to {most}; this is {amount}.", "{person} 的审批权限为 {most} 以内，本项为 {amount}。"
)
RESTS = Text(
    "What {person} may do as {roles} rests until a second administrator confirms it (People and keys).",
    "{person} 的{roles}权限暂停，待第二名系统管理员确认（人员与密钥）。",
)
_OWN_REQUEST = Text("{person} asked for it: somebody else has to approve it.", "该申请由 {person} 提出，须由他人批准。")
_NO_ROLE = Text("without a role", "无")


def _a(role: Text) -> Text:
    return Text(f"{'an' if role.en[0] in 'aeio' else 'a'} {role.en}", role.zh)


def role_names(roles: Iterable[Role]) -> Text:
    """Roles in words as what somebody is, in the order of authority."""
    given = frozenset(roles)
    names = [_a(name) for role, name in ROLE_NAMES.items() if role in given]
    return joined(names, ", ", "、") if names else _NO_ROLE


__all__ = [
    "ISSUERS",
    "MATTER_NAMES",
    "RESTS",
    "ROLE_NAMES",
    "Need",
    "Person",
    "Request",
    "able",
    "may",
    "needed",
    "role_names",
    "settled",
]
