"""People whom administrators enter: added, changed, taken out, each step a version; those of config.toml stay as they are.

Somebody who is an administrator must remain, and nobody gives himself more than he has: another administrator does, or
the operator in config.toml. Nor does one administrator alone make somebody who decides: what he gives rests until a second
person confirms it (`jobs/unconfirmed`), except where it is done at the machine (`here`) by whoever has the database anyway.
Whoever is taken out is out on every node with its next look; what he did keeps his name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from connector import adapter as adapters
from connector.config import Config, refusal
from connector.config_kept import of_file, read_people
from connector.config_people import PersonSettings
from connector.config_people import problems as people_problems
from connector.config_system import problems_of
from connector.config_toml import people_text
from connector.credit.authority import Person
from connector.errors import Missing, NotAllowed, Problem
from connector.store import Connection, api_keys, audit, documents, passwords, sessions
from connector.store.audit import Entry
from connector.store.documents import Activation, Version
from connector.text import Text
from jobs import keys, unconfirmed
from jobs.administrator import demand_administrator, differences
from jobs.configured import THE_PEOPLE, whole
from jobs.unconfirmed import Resting


@dataclass(frozen=True, slots=True)
class Listed:
    """One person for a list, with all the roles that he is to have. `kept`: where he stands; only those of the database are
    changed here. `problems`: why one of the database counts for nothing now. `resting`: what of him is to be confirmed."""

    settings: PersonSettings
    kept: Literal["file", "database"]
    problems: tuple[Problem, ...] = ()
    resting: Resting | None = None


def listing(tx: Connection, config: Config) -> list[Listed]:
    """Everybody: those of config.toml first, then those of the database in their order."""
    base = {p.id for p in config.base.people}
    counted = {p.id for p in config.people}
    rests = unconfirmed.resting(tx)
    found = [Listed(p, "file", (), rests.get(p.id)) for p in config.base.people]
    for one in _kept(tx):
        problems = [of_file("people", one.id, one.id)] if one.id in base else []
        if not problems and one.id not in counted:
            problems = _together(config, [*config.base.people, one])
        found.append(Listed(one, "database", tuple(problems), rests.get(one.id)))
    return found


def history(tx: Connection) -> tuple[list[Version], list[Activation]]:
    """All versions of the people of the database, newest first, and who put which in use when."""
    return documents.versions(tx, documents.PEOPLE, THE_PEOPLE), documents.activations(tx, documents.PEOPLE, THE_PEOPLE)


# --- checking ------------------------------------------------------------------------------------------------------------
def check_person(config: Config, values: Mapping[str, Any], *, instead_of: str | None = None) -> list[Problem]:
    """All that is wrong with one person's settings, together with everybody else; empty: they will do.

    `values` by the names of `[[people]]`; `instead_of` is the id of whom they replace.
    """
    return _read(config, _of_database(config), values, instead_of)[1]


def _read(
    config: Config, kept: Sequence[PersonSettings], values: Mapping[str, Any], instead_of: str | None
) -> tuple[PersonSettings | None, list[Problem]]:
    where = str(instead_of or values.get("id") or "new")
    try:
        made = PersonSettings.model_validate(dict(values))
    except ValidationError as wrong:
        return None, problems_of(wrong, where, PersonSettings)
    if made.id in {p.id for p in config.base.people}:
        return made, [of_file("people", made.id, made.id)]
    others = [p for p in kept if p.id != instead_of]
    return made, _together(config, [*config.base.people, *others, made], made)


def _together(config: Config, people: Sequence[PersonSettings], new: PersonSettings | None = None) -> list[Problem]:
    """What is wrong with people beside each other. A system that was taken out since one was entered harms nobody; one
    that nobody knows is a slip in who is new."""
    before = next((p for p in config.people if new is not None and p.id == new.id), None)
    elsewhere = [p for p in people if p is not new] + ([before] if before is not None else [])
    known = [*(s.name for s in config.systems), *(system for p in elsewhere for system in p.ids)]
    return people_problems(people, known, "people")


def _of_database(config: Config) -> list[PersonSettings]:
    return list(config.people[len(config.base.people) :])


def _kept(tx: Connection) -> list[PersonSettings]:
    used = documents.active(tx, documents.PEOPLE, THE_PEOPLE)
    return [] if used is None else read_people(used.text, THE_PEOPLE)[0]


# --- changing ------------------------------------------------------------------------------------------------------------
def add(
    tx: Connection,
    config: Config,
    values: Mapping[str, Any],
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    here: bool = False,
) -> PersonSettings:
    """Enters somebody, by the names of `[[people]]` (`id`, `name`, `roles`, …), and gives him.

    NotAllowed for who is no administrator; ConfigError listing every problem, for the first one also that nobody would be
    an administrator.
    """
    kept, config = _begin(tx, config, person)
    made, problems = _read(config, kept, values, None)
    if problems or made is None:
        raise refusal(problems)
    _keep(tx, config, [*kept, made], person, now, note, Entry("person.add", f"person:{made.id}", person.actor, note, None, _plain(made)))  # fmt: skip
    if not here:
        unconfirmed.rest(tx, config, made, unconfirmed.given(None, made), person=person, now=now)
    return made


def change(
    tx: Connection,
    config: Config,
    who: str,
    values: Mapping[str, Any],
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    here: bool = False,
) -> PersonSettings:
    """Changes some settings of somebody and gives him; None takes a setting out. The id does not change.

    Missing where he is none of the database's. NotAllowed where an administrator would give himself more.
    """
    kept, config = _begin(tx, config, person)
    before = _found(config, kept, who)
    new = {**_plain(before), **values, "id": before.id}
    made, problems = _read(config, kept, {k: v for k, v in new.items() if v is not None}, before.id)
    if problems or made is None:
        raise refusal(problems)
    _refuse_more(person, before, made)
    changes = differences(_plain(before), _plain(made))
    if changes:
        others = [made if p.id == before.id else p for p in kept]
        entry = Entry("person.change", f"person:{made.id}", person.actor, note, None, {"changes": changes})
        _keep(tx, config, others, person, now, note, entry)
        if not here:
            power = unconfirmed.given(before, made)
            unconfirmed.rest(tx, config, made, power, person=person, now=now, before=before)
    return made


def remove(tx: Connection, config: Config, who: str, *, person: Person, now: dt.datetime, note: str = "") -> None:
    """Takes somebody out: his sign-in, his keys and his approvals to come count for nothing any more.

    Missing where he is none of the database's; ConfigError where no administrator would remain.
    """
    kept, config = _begin(tx, config, person)
    gone = _found(config, kept, who)
    entry = Entry("person.remove", f"person:{gone.id}", person.actor, note, _plain(gone))
    _keep(tx, config, [p for p in kept if p.id != gone.id], person, now, note, entry)
    unconfirmed.forget(tx, gone.id, person=person, now=now)
    # Who is entered under his name later begins anew.
    sessions.end_all(tx, gone.id, now)
    passwords.drop(tx, gone.id)
    for key in api_keys.listing(tx):
        if key.owner == f"person:{gone.id}":
            keys.revoke(tx, person, key, why=note, now=now)


def activate(
    tx: Connection,
    config: Config,
    number: int,
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    here: bool = False,
) -> Version:
    """Goes back to a kept version of the people of the database. Raises as `change` does."""
    kept, config = _begin(tx, config, person)
    before = {p.id: p for p in kept}
    chosen = documents.version(tx, documents.PEOPLE, THE_PEOPLE, number)
    people, problems = read_people(chosen.text, f"{THE_PEOPLE}@{number}")
    problems += [of_file("people", p.id, p.id) for p in people if p.id in {b.id for b in config.base.people}]
    problems += _together(config, [*config.base.people, *people])
    if problems:
        raise refusal(problems)
    mine = next((p for p in people if p.id == person.id), None)
    if mine is not None:
        _refuse_more(person, before.get(mine.id, PersonSettings(id=mine.id)), mine)  # type: ignore[call-arg]
    _demand_admin(tx, config, people)
    documents.activate(tx, documents.PEOPLE, THE_PEOPLE, number, author=person.id, now=now, note=note)
    changes = differences({i: _plain(p) for i, p in before.items()}, {p.id: _plain(p) for p in people})
    after = {"version": number, "changes": changes}
    audit.append(tx, [Entry("person.activate", "people:people", person.actor, note, None, after)], now)
    for one in people if not here else ():
        old = before.get(one.id)
        unconfirmed.rest(tx, config, one, unconfirmed.given(old, one), person=person, now=now, before=old)
    return chosen


def invite(
    tx: Connection, config: Config, who: str, *, person: Person, now: dt.datetime, here: bool = False
) -> tuple[PersonSettings | None, str]:
    """A code that signs somebody in, once, within a quarter of an hour; with whom it is for (None: nobody is entered yet).

    Whoever has it is that person: where another made it, and not at the machine, his roles of power rest. Missing where
    there is nobody of that name; NotAllowed for who is no administrator and makes one for somebody else.
    """
    found = next((one.settings for one in listing(tx, config) if one.settings.id == who), None)
    is_his = person.id == who
    if not is_his:
        demand_administrator(person)
    if found is None and not person.alone:
        raise Missing(_NOBODY.fill(name=who))
    code = sessions.make_code(
        tx, sessions.SIGN_IN, now, sessions.SIGN_IN_LASTS, person=who, said="" if is_his else person.actor
    )
    audit.append(tx, [Entry("session.invite", f"person:{who}", person.actor)], now)
    if found is not None and not is_his and not here:
        power = frozenset(found.roles) & unconfirmed.POWER
        documents.lock(tx)
        if power:
            unconfirmed.rest(tx, config, found, {"link": power}, person=person, now=now)
        else:
            unconfirmed.tell_of_link(tx, config, found, person=person, now=now)
    return found, code


_NOBODY = Text("Nobody who works here is called “{name}”.", "没有名为“{name}”的人员。")


def _begin(tx: Connection, config: Config, person: Person) -> tuple[list[PersonSettings], Config]:
    """One change after the other, each looking at what the one before has left."""
    demand_administrator(person)
    documents.lock(tx)
    return _kept(tx), whole(tx, config).config


def _found(config: Config, kept: Sequence[PersonSettings], who: str) -> PersonSettings:
    wanted = who.removeprefix("person:").casefold()
    for one in kept:
        if one.id == wanted:
            return one
    if any(p.id == wanted for p in config.base.people):
        raise refusal([of_file("people", wanted, wanted)])
    near = adapters.nearest(wanted, [p.id for p in kept]) if kept else "-"
    raise Missing(
        Text("Nobody in the database is called “{name}”. There are: {near}.", "数据库中没有名为“{name}”的人员。已有：{near}。").fill(
            name=who, near=near
        )
    )  # fmt: skip


def _refuse_more(person: Person, before: PersonSettings, after: PersonSettings) -> None:
    """Nobody gives himself a role, or a higher bound, that he has not; to look at things everybody may."""
    if person.alone or person.id != after.id:
        return
    more = set(after.roles) - set(before.roles) - {"viewer"}
    bound, new = before.approve_up_to, after.approve_up_to
    if more or (bound is not None and (new is None or new > bound)):
        raise NotAllowed(
            Text(
                "Nobody gives himself roles or authority: another administrator does, or the operator in config.toml.",
                "不得为本人增加角色或审批权限：须由其他系统管理员，或由运维人员在 config.toml 中设置。",
            )
        )


def _keep(
    tx: Connection,
    config: Config,
    people: Sequence[PersonSettings],
    person: Person,
    now: dt.datetime,
    note: str,
    entry: Entry,
) -> None:
    _demand_admin(tx, config, people)
    made = documents.save(tx, documents.PEOPLE, THE_PEOPLE, people_text(people), author=person.id, now=now, note=note)
    documents.activate(tx, documents.PEOPLE, THE_PEOPLE, made.number, author=person.id, now=now, note=note)
    audit.append(tx, [entry], now)


def _demand_admin(tx: Connection, config: Config, people: Sequence[PersonSettings]) -> None:
    """ConfigError where nobody would be an administrator any more, of those who may act now."""
    rests = {who for who, one in unconfirmed.resting(tx).items() if "admin" in one.roles}
    if not any("admin" in p.roles and p.id not in rests for p in (*config.base.people, *people)):
        what = Text("Nobody would be an administrator.", "将没有任何系统管理员。")
        fix = Text("Give somebody the role admin first.", "请先为某人设置 admin 角色。")
        raise refusal([Problem("no_admin", "people", what, fix, "roles")])


def _plain(person: PersonSettings) -> dict[str, Any]:
    return person.model_dump(mode="json", exclude_defaults=True)


__all__ = ["Listed", "activate", "add", "change", "check_person", "history", "invite", "listing", "remove"]
