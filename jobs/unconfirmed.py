"""Unconfirmed: what one administrator alone has done to give somebody power gives it only when a second person confirms.

Whoever makes a sign-in link for an approver could sign in with it himself, and decide what he may not. So could whoever
enters an approver whom nobody has met, or puts an address of his own into another's entry. Therefore the roles of power (to
decide, and to administer) of a person rest from the moment when one administrator does such a thing in the console: on
pages, in the API, with every way of signing in. They are back when another administrator, who has done none of it, has
asked the person and confirms; or whoever works at the machine (`holdfast person confirm`), who has the database anyway:
that is the way of a company with one administrator. What is done at the machine, or while nobody is entered yet, needs no
second word. The person and all other administrators are told by mail, where mail is sent; the trail tells every step.

What rests is a document like the people themselves, so that every node follows with its next look.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.config import Config
from connector.config_people import PersonSettings
from connector.credit.authority import ROLE_NAMES, Person
from connector.errors import Missing, NotAllowed
from connector.policy_approval import DECIDING, Role
from connector.store import Connection, audit, documents, mails
from connector.store.audit import Entry
from connector.store.mails import Mail
from connector.text import Language, Text, joined
from jobs.administrator import demand_administrator

# The roles with which somebody decides, or says who decides.
POWER: frozenset[Role] = DECIDING | {"admin"}
_DOCUMENT = "unconfirmed"
WHY: Mapping[str, Text] = {
    "entered": Text("entered", "新增人员"),
    "role": Text("role given", "授予角色"),
    "address": Text("address or subject at the sign-in changed", "修改邮箱或登录主体标识"),
    "link": Text("sign-in link made", "生成登录链接"),
}


@dataclass(frozen=True, slots=True)
class Resting:
    """What of one person rests: the roles, since when, by whose acts (actors), and by which (keys of `WHY`)."""

    roles: frozenset[Role]
    by: tuple[str, ...]
    why: tuple[str, ...]
    since: dt.datetime


def resting(tx: Connection) -> dict[str, Resting]:
    """What rests of whom, by the ids of people."""
    kept = documents.active(tx, documents.UNCONFIRMED, _DOCUMENT)
    told = {} if kept is None else json.loads(kept.text)
    return {
        who: Resting(
            frozenset(one["roles"]), tuple(one["by"]), tuple(one["why"]), dt.datetime.fromisoformat(one["since"])
        )
        for who, one in told.items()
    }


def given(before: PersonSettings | None, after: PersonSettings) -> dict[str, frozenset[Role]]:
    """The power that a change of the people gives somebody, by the reason: the roles that he did not have, and all of them
    where he is known at the sign-in by another address or subject than before."""
    power = frozenset(after.roles) & POWER
    if before is None:
        return {"entered": power} if power else {}
    found = {"role": power - frozenset(before.roles)}
    known_by = ("email", "subject")
    if any(getattr(after, key) and getattr(after, key) != getattr(before, key) for key in known_by):
        found["address"] = power
    return {why: roles for why, roles in found.items() if roles}


def rest(
    tx: Connection,
    config: Config,
    who: PersonSettings,
    power: Mapping[str, frozenset[Role]],
    *,
    person: Person,
    now: dt.datetime,
    before: PersonSettings | None = None,
) -> None:
    """Has roles of somebody rest until they are confirmed; `before` is what stood of him. Nothing where he gets no power,
    nobody is entered yet, or it is his own entry (which gives nobody more: `jobs.people` refuses that)."""
    roles = frozenset[Role]().union(*power.values())
    if not roles or person.alone or person.id == who.id:
        return
    known = resting(tx)
    old = known.get(who.id, Resting(frozenset(), (), (), now))
    made = Resting(old.roles | roles, _more(old.by, [person.actor]), _more(old.why, power), old.since)
    _keep(tx, known | {who.id: made}, person, now)
    after = {"roles": sorted(roles), "why": sorted(power)}
    audit.append(tx, [Entry("person.rest", f"person:{who.id}", person.actor, after=after)], now)
    _tell(tx, config, [p for p in (who, before) if p is not None], made, person, now)


def confirm(
    tx: Connection,
    config: Config,
    who: str,
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    here: bool = False,
) -> Resting:
    """A second person's word that somebody is who he is said to be: what rested of him counts again. Gives what that was.

    `here`: said at the machine. Missing where nothing of him rests; NotAllowed for who is no administrator, is that person,
    or has had a part in it.
    """
    demand_administrator(person)
    documents.lock(tx)
    known = resting(tx)
    who = who.removeprefix("person:").casefold()
    one = known.pop(who, None)
    if one is None:
        raise Missing(_NOTHING.fill(name=who))
    if not here and not is_second(tx, who, one, person.actor):
        raise NotAllowed(_NOT_YOU)
    _keep(tx, known, person, now)
    before = {"roles": sorted(one.roles), "why": list(one.why), "by": list(one.by), "since": one.since.isoformat()}
    entry = Entry("person.confirm", f"person:{who}", person.actor, note, before, {"at_the_machine": here})
    audit.append(tx, [entry], now)
    return one


def forget(tx: Connection, who: str, *, person: Person, now: dt.datetime) -> None:
    """Somebody is taken out: nothing of him rests any more. If he is entered once more, that is another act."""
    known = resting(tx)
    if known.pop(who, None) is not None:
        _keep(tx, known, person, now)


def is_second(tx: Connection, who: str, one: Resting, actor: str) -> bool:
    """Whether an actor may confirm what rests of somebody: he is not that person, and could not be by any act of his."""
    return actor != f"person:{who}" and actor not in one.by and actor not in _had_part(tx, who)


def others(tx: Connection, config: Config, who: str, one: Resting) -> list[PersonSettings]:
    """Who of the administrators may confirm what rests of somebody."""
    admins = [p for p in config.people if "admin" in p.roles]
    return [p for p in admins if is_second(tx, who, one, f"person:{p.id}")]


def _had_part(tx: Connection, who: str) -> frozenset[str]:
    """Who could be that person by what he did since the last confirmation, also while it gave no power: he has entered him,
    changed what he is known by at the sign-in, or made a link for him."""
    found: set[str] = set()
    for line in audit.of(tx, f"person:{who}"):
        entry = line.entry
        if entry.action == "person.confirm":
            break
        changed = {change[0] for change in entry.after["changes"]} if entry.action == "person.change" else ()
        if entry.action in ("person.add", "session.invite") or {"email", "subject"} & set(changed):
            found.add(entry.actor)
    return frozenset(found)


def _keep(tx: Connection, known: Mapping[str, Resting], person: Person, now: dt.datetime) -> None:
    plain = {
        who: {"roles": sorted(one.roles), "by": one.by, "why": one.why, "since": one.since.isoformat()}
        for who, one in sorted(known.items())
    }
    text = json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
    made = documents.save(tx, documents.UNCONFIRMED, _DOCUMENT, text, author=person.id, now=now)
    documents.activate(tx, documents.UNCONFIRMED, _DOCUMENT, made.number, author=person.id, now=now)


def _more(old: Sequence[str], new: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*old, *new]))


def tell_of_link(tx: Connection, config: Config, who: PersonSettings, *, person: Person, now: dt.datetime) -> None:
    """Tells somebody by mail that another has made a sign-in link for him."""
    if config.mail.on and who.email:
        text = _LINK.fill(name=who.name or who.id, by=person.name or person.id)
        mails.add(tx, [_letter(config, who, _LINK_SUBJECT, text)], now)


# --- telling -------------------------------------------------------------------------------------------------------------
def _tell(
    tx: Connection, config: Config, of: Collection[PersonSettings], one: Resting, person: Person, now: dt.datetime
) -> None:
    """Mails to the person (also at the address that he had) and to all other administrators."""
    if not config.mail.on:
        return
    admins = [p for p in config.people if "admin" in p.roles and p.id != person.id]
    name = next(iter(of)).name or next(iter(of)).id
    roles = joined([ROLE_NAMES[role] for role in ROLE_NAMES if role in one.roles], ", ", "、")
    why = joined([WHY[key] for key in one.why], ", ", "、")
    text = _LETTER.fill(name=name, by=person.name or person.id, roles=roles, why=why)
    letters: dict[str, Mail] = {}
    for to in (*of, *admins):
        if to.email and to.email.casefold() not in letters:
            letters[to.email.casefold()] = _letter(config, to, _SUBJECT.fill(name=name), text)
    mails.add(tx, list(letters.values()), now)


def _letter(config: Config, to: PersonSettings, subject: Text, text: Text) -> Mail:
    tongue: Language = "zh" if (to.language or config.business.language) == "zh" else "en"
    said = text.say(tongue)
    page = "".join(f"<p>{html.escape(part)}</p>" for part in said.split("\n\n"))
    number = f"<{uuid.uuid4().hex}@{(config.mail.sender or '').rpartition('@')[2] or 'localhost'}>"
    return Mail(number, to.id, to.name or to.id, to.email or "", tongue, subject.say(tongue), said, page)


_SUBJECT = Text("To be confirmed: the roles of {name}", "待确认：{name} 的角色")
_LETTER = Text(
    "{by} has acted on the entry of {name} in Holdfast ({why}). Until another administrator confirms it, these roles of "
    "{name} rest: {roles}.\n\nAre you {name}, and do you know nothing of it? Tell another administrator.\n\nAre you an "
    "administrator? Ask {name} in person, then confirm on the page of that person; or take the entry out.",
    "{by} 在 Holdfast 中对 {name} 进行了操作（{why}）。在另一名系统管理员确认之前，{name} 的以下角色暂停：{roles}。\n\n"
    "如果您是 {name} 且不知情，请告知另一名系统管理员。\n\n如果您是系统管理员，请先向 {name} 本人核实，再在其人员页面中确认；"
    "否则请移除该人员。",
)
_LINK_SUBJECT = Text("A sign-in link was made for you", "有人为您生成了登录链接")
_LINK = Text(
    "{by} has made a sign-in link for {name} in Holdfast, good once and for 15 minutes. Whoever has it is {name} there.\n\nDo "
    "you know nothing of it? Tell another administrator.",
    "{by} 在 Holdfast 中为 {name} 生成了登录链接，15 分钟内可使用一次，持有者即以 {name} 的身份登录。\n\n"
    "如果您不知情，请告知另一名系统管理员。",
)
_NOTHING = Text("Nothing of “{name}” is to be confirmed.", "“{name}”没有待确认的内容。")
_NOT_YOU = Text(
    "A second person confirms: another administrator who had no part in it, or whoever works at the machine: holdfast person "
    "confirm.",
    "须由第二人确认：未参与该操作的另一名系统管理员，或在服务器上执行 holdfast person confirm。",
)

__all__ = [
    "POWER",
    "WHY",
    "Resting",
    "confirm",
    "forget",
    "given",
    "is_second",
    "others",
    "rest",
    "resting",
    "tell_of_link",
]
