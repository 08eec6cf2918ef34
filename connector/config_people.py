"""The `[[people]]` of config.toml and of the database: who works here, with which roles, and who it is that acts now."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictInt

from connector.adapter import nearest
from connector.credit.authority import Person
from connector.errors import ConfigError, Problem
from connector.policy_approval import Role
from connector.text import Text

ALL_ROLES: frozenset[Role] = frozenset(get_args(Role))


class PersonSettings(BaseModel):
    """One person. Amounts are whole units of the reporting currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$", description="Short name, as in --as and in the audit trail."
    )
    name: str = Field("", description="Name as people write it.")
    roles: tuple[Role, ...] = Field(
        (), description="viewer, sales, credit_controller, approver, admin, auditor.", validate_default=True
    )
    language: Literal["en", "zh"] | None = Field(None, description="Language of what is written to this person.")
    email: str | None = Field(None, description="E-mail address.")
    ids: Mapping[str, str] = Field(default_factory=dict, description="User ids in systems, by system.")
    subject: str | None = Field(
        None, description="Who this is at the issuer of [sign_in] (sub), where its tokens carry no verified e-mail."
    )
    approve_up_to: StrictInt | None = Field(
        None, ge=0, description="Most that this person may approve, beside the matrix; inclusive."
    )

    # Roles that count for nothing until a second person has confirmed them; never written anywhere.
    _resting: frozenset[Role] = PrivateAttr(frozenset())

    def without(self, resting: Collection[str]) -> PersonSettings:
        """The same person while some of his roles rest: at least he may look."""
        rests = frozenset(self.roles) & frozenset(resting)
        if not rests:
            return self
        made = self.model_copy(update={"roles": tuple(r for r in self.roles if r not in rests) or ("viewer",)})
        made._resting = rests
        return made

    @property
    def person(self) -> Person:
        """The same as the rules of authority see it."""
        return Person(
            self.id,
            self.name or self.id,
            frozenset(self.roles),
            self.email,
            self.language,
            tuple(self.ids.items()),
            None if self.approve_up_to is None else Decimal(self.approve_up_to),
            resting=self._resting,
        )


def acting(people: Sequence[PersonSettings], name: str | None = None) -> Person:
    """The person of that name (id, e-mail address, name, or a login name); None: the user of this machine.

    Where nobody is configured, whoever it is has every role and is `alone`. ConfigError where the name is nobody's.
    """
    said = (name or "").strip() or _login()
    if not people:
        return Person(said, said, ALL_ROLES, alone=True)
    found = named(people, said)
    if found is not None:
        return found
    near = nearest(said, [p.id for p in people])
    if not name:
        raise ConfigError(
            Text(
                "The user of this machine, “{name}”, is none of the people who work here. Say who you are: "
                "--as NAME or HOLDFAST_USER. Entered: {near}.",
                "本机用户“{name}”不在人员名单中。请用 --as 姓名 或 HOLDFAST_USER 指明操作人。已登记：{near}。",
            ).fill(name=said, near=near)
        )
    raise ConfigError(
        Text(
            "Nobody who works here is called “{name}”. Entered: {near}.",
            "没有名为“{name}”的人员。已登记：{near}。",
        ).fill(name=said, near=near)
    )


def actor_here(people: Sequence[PersonSettings], name: str | None = None) -> str:
    """Who does what anybody at this machine may do, as the audit trail names him: the person, else the login ("user:root")."""
    try:
        return acting(people, name).actor
    except ConfigError:
        if name:
            raise
        return f"user:{_login()}"


def named(people: Sequence[PersonSettings], name: str) -> Person | None:
    """The person of that id, e-mail address or name, whatever the case; None: nobody, or several of that name."""
    wanted = name.removeprefix("person:").casefold()
    for settings in people:
        if settings.id == wanted:
            return settings.person
    alike = [p for p in people if wanted in ((p.email or "").casefold(), p.name.casefold())]
    return alike[0].person if len(alike) == 1 else None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise ConfigError(Text("Say who you are: --as NAME.", "请用 --as 姓名 指明操作人。")) from None


def problems(people: Sequence[PersonSettings], systems: Sequence[str], where: str) -> list[Problem]:
    """What is wrong with the people together: two of one id or one user id, systems that there are not."""
    found = []
    ids = [p.id for p in people]
    for twice in sorted({x for x in ids if ids.count(x) > 1}):
        what = Text("Two people have the id “{id}”.", "有两个人的 id 都是“{id}”。").fill(id=twice)
        found.append(
            Problem("duplicate", where, what, Text("Give each an id of its own.", "请为每人取不同的 id。"), "people.id")
        )
    subjects = [p.subject for p in people if p.subject]
    for subject in sorted({x for x in subjects if subjects.count(x) > 1}):
        what = Text(
            "Two people have the subject “{value}”: nobody could tell who signs in.",
            "有两个人的 subject 都是“{value}”，登录时无法区分。",
        ).fill(value=subject)
        fix = Text("Correct one of the two.", "请更正其中一个。")
        found.append(Problem("duplicate", where, what, fix, "people.subject"))
    users: dict[tuple[str, str], str] = {}
    for person in people:
        for system, user in person.ids.items():
            place = f"people.{person.id}.ids.{system}"
            if system not in systems:
                what = Text("There is no system “{name}”.", "没有系统“{name}”。").fill(name=system)
                near = nearest(system, list(systems)) if systems else "-"
                fix = Text("Did you mean {near}?", "是否应为 {near}？").fill(near=near)
                found.append(Problem("unknown_system", where, what, fix, place))
            elif users.setdefault((system, user), person.id) != person.id:
                what = Text(
                    "{one} and {other} have the same user id there: nobody could tell who owns an order.",
                    "{one} 与 {other} 在该系统的用户编号相同，无法区分订单归属。",
                ).fill(one=users[system, user], other=person.id)
                fix = Text("Correct one of the two.", "请更正其中一个。")
                found.append(Problem("duplicate", where, what, fix, place))
    return found


__all__ = ["ALL_ROLES", "PersonSettings", "acting", "actor_here", "named", "problems"]
