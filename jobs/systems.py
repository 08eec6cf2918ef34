"""Systems that administrators connect: checked, kept as versions, put in use, taken out; config.toml's stay as they are.

A kept system is a document like a mapping: `save` keeps a version and changes nothing, `activate` puts it in use, every
node follows with its next look. A system that is taken out is no longer read or written to; its facts stay and count for
nothing until it is back, exactly as when one is taken out of config.toml.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector import adapter as adapters
from connector.config import Config, refusal, together
from connector.config_kept import of_file, read_system, references_of
from connector.config_seal import seal_of
from connector.config_system import System
from connector.config_toml import system_text
from connector.credit.authority import Person
from connector.errors import ConfigError, HoldfastError, Missing, Problem
from connector.store import Connection, audit, documents
from connector.store.audit import Entry
from connector.store.documents import Activation, Version
from connector.text import Text, same
from jobs import seals
from jobs.administrator import demand_administrator, differences
from jobs.configured import whole
from jobs.secret_use import elsewhere

DRAFT = "new"  # the name of a text in messages before it has one


@dataclass(frozen=True, slots=True)
class Listed:
    """One system for a list. `kept`: where it stands. `state`: `in_use`; `left_out`: it should be, and something is wrong
    with it (`problems`); `draft`: kept and never in use; `removed`. `system` is None where its text cannot be read.
    `newer`: the number of a version that is kept beside the one in use and younger than it."""

    name: str
    kept: Literal["file", "database"]
    state: Literal["in_use", "left_out", "draft", "removed"]
    system: System | None
    title: Text
    version: Version | None = None
    newer: int | None = None
    problems: tuple[Problem, ...] = ()


def listing(tx: Connection, config: Config) -> list[Listed]:
    """All systems: those of config.toml first, then those that the database keeps or ever kept, by name."""
    base = config.base
    found = [Listed(s.name, "file", "in_use", s, _title(s.adapter)) for s in base.systems]
    for name in documents.names(tx, documents.SYSTEM):
        found.append(_listed(tx, config, name))
    return found


def one(tx: Connection, config: Config, name: str) -> Listed:
    """One system by its name. Missing where there is none, with the nearest right names."""
    all_of_them = listing(tx, config)
    for listed in all_of_them:
        if listed.name == name:
            return listed
    near = adapters.nearest(name, [one.name for one in all_of_them]) if all_of_them else "-"
    raise Missing(
        Text("No system is called “{name}”. There are: {near}.", "没有名为“{name}”的系统。已有：{near}。").fill(
            name=name, near=near
        )
    )


def text_of(tx: Connection, config: Config, name: str, number: int | None = None) -> str:
    """The text of a system as it stands in config.toml: of a version, else of the one in use, else of the newest."""
    if number is not None:
        return documents.version(tx, documents.SYSTEM, name, number).text
    listed = one(tx, config, name)
    if listed.version is not None:
        return listed.version.text
    assert listed.system is not None
    return system_text(listed.system)


def history(tx: Connection, name: str) -> tuple[list[Version], list[Activation]]:
    """All versions of a system, newest first, and who put which in use when."""
    return documents.versions(tx, documents.SYSTEM, name), documents.activations(tx, documents.SYSTEM, name)


def _listed(tx: Connection, config: Config, name: str) -> Listed:
    newest = documents.versions(tx, documents.SYSTEM, name)[0]
    used = documents.active(tx, documents.SYSTEM, name)
    shown = used or newest
    system, problems = read_system(shown.text, f"{name}@{shown.number}", config.base)
    if name in {s.name for s in config.base.systems}:
        problems = [of_file("systems", name, f"{name}@{shown.number}")]
    state: Literal["in_use", "left_out", "draft", "removed"]
    if used is None:
        state = "removed" if documents.activations(tx, documents.SYSTEM, name) else "draft"
    else:
        state = "left_out" if problems else "in_use"
    newer = newest.number if used is not None and newest.number > used.number else None
    title = _title(system.adapter) if system is not None else same(name)
    return Listed(name, "database", state, system, title, shown, newer, tuple(problems))


def _title(adapter: str) -> Text:
    try:
        return adapters.load(adapter).title
    except HoldfastError:
        return same(adapter)


# --- checking ------------------------------------------------------------------------------------------------------------
def check_system(config: Config, text: str, kept: Collection[str] | None = None) -> list[Problem]:
    """All that is wrong with the text of a system, together with everything else that is configured; empty: it will do.

    Cheap enough to be asked as one types. Fields are named as in the table (`settings.base_url`, `secrets.password`).
    `kept` are the names of sealed secrets that there are (`connector.store.sealed.names`); None: not looked at.
    """
    return read_draft(config, text, kept)[1]


def read_draft(config: Config, text: str, kept: Collection[str] | None = None) -> tuple[System | None, list[Problem]]:
    """The same, with the system itself where it can be read at all."""
    base = config.base
    system, problems = read_system(text, DRAFT, base)
    if system is None:
        return None, problems
    name = system.name
    if name in {s.name for s in base.systems}:
        problems.append(of_file("systems", name, name))
        return system, problems
    before = next((s for s in config.systems if s.name == name), None)
    if before is not None and before.adapter != system.adapter:
        problems.append(_other_product(before.adapter, system.adapter, name))
    others = [s for s in _of_database(config) if s.name != name]
    problems += together(base.with_more([*others, system], ()), name)
    if kept is not None:
        wanted = {r.removeprefix("sealed:") for r in references_of(system) if r.startswith("sealed:")}
        problems += [_not_set(secret, name) for secret in sorted(wanted - set(kept))]
    return system, problems


def _of_database(config: Config) -> list[System]:
    return list(config.systems[len(config.base.systems) :])


def _other_product(before: str, after: str, name: str) -> Problem:
    what = Text(
        "“{name}” is a system of {before}; its facts would mix with those of {after}.",
        "“{name}”是 {before} 系统，其数据会与 {after} 的数据混在一起。",
    ).fill(name=name, before=before, after=after)
    fix = Text("Connect the other product under a name of its own.", "请以另一名称连接该产品。")
    return Problem("other_product", name, what, fix, "adapter")


def _not_set(secret: str, name: str) -> Problem:
    what = Text("The secret sealed:{secret} is not kept yet.", "密钥 sealed:{secret} 尚未保存。").fill(secret=secret)
    fix = Text("Set it: holdfast secret set {secret}", "请设置：holdfast secret set {secret}").fill(secret=secret)
    return Problem("not_set", name, what, fix, "secrets")


# --- changing ------------------------------------------------------------------------------------------------------------
def save(tx: Connection, config: Config, text: str, *, person: Person, now: dt.datetime, note: str = "") -> Version:
    """Keeps a new version of a system, which is not in use by that, and gives it.

    NotAllowed for who is no administrator; ConfigError listing every problem.
    """
    return _save(tx, _begin(tx, config, person), text, person, now, note)


def _save(
    tx: Connection, config: Config, text: str, person: Person, now: dt.datetime, note: str, typed: Collection[str] = ()
) -> Version:
    system = _good(tx, config, text, typed)
    before = documents.versions(tx, documents.SYSTEM, system.name)
    made = documents.save(tx, documents.SYSTEM, system.name, text, author=person.id, now=now, note=note)
    if not before or made.number != before[0].number:
        told = {"version": made.number, "sha": made.sha}
        audit.append(tx, [Entry("system.save", f"system:{system.name}", person.actor, note, None, told)], now)
    return made


def activate(
    tx: Connection, config: Config, name: str, number: int, *, person: Person, now: dt.datetime, note: str = ""
) -> Version:
    """Puts a kept version in use, on every node with its next look. Going back is putting an older one in use.

    NotAllowed for who is no administrator; ConfigError where there is no such version, or it will not do any more.
    """
    return _activate(tx, _begin(tx, config, person), name, number, person, now, note)


def _activate(
    tx: Connection,
    config: Config,
    name: str,
    number: int,
    person: Person,
    now: dt.datetime,
    note: str,
    typed: Collection[str] = (),
) -> Version:
    chosen = documents.version(tx, documents.SYSTEM, name, number)
    system = _good(tx, config, chosen.text, typed)
    if system.name != name:
        raise ConfigError(Text("The name of a system does not change.", "系统名称不可更改。"))
    used = documents.active(tx, documents.SYSTEM, name)
    if used is not None and used.number == number:
        return chosen
    documents.activate(tx, documents.SYSTEM, name, number, author=person.id, now=now, note=note)
    old, _ = read_system(used.text, name, config.base) if used is not None else (None, [])
    after = {"version": number, "changes": differences(_plain(old), _plain(system))}
    before = None if used is None else {"version": used.number}
    audit.append(tx, [Entry("system.activate", f"system:{name}", person.actor, note, before, after)], now)
    return chosen


def connect_system(
    tx: Connection,
    config: Config,
    text: str,
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    secrets: Mapping[str, str] | None = None,
) -> Version:
    """Keeps what a form has collected and puts it in use, all or nothing: `secrets` are values by the names under which
    the text refers to them (`sealed:NAME`, the name alone). Raises as `save` and `jobs.seals.put` do."""
    config = _begin(tx, config, person)
    if secrets:
        seals.put(tx, seal_of(config), secrets, person=person, now=now, why=note)
    typed = set(secrets or ())
    made = _save(tx, config, text, person, now, note, typed)
    return _activate(tx, config, made.name, made.number, person, now, note, typed)


def remove(tx: Connection, config: Config, name: str, *, person: Person, now: dt.datetime, note: str = "") -> None:
    """Takes a system out: no longer read or written to. Its versions and its facts stay, and it can be put in use again.

    NotAllowed for who is no administrator; Missing where it is none of the database's, ConfigError where it stands in
    config.toml or something else there needs it.
    """
    config = _begin(tx, config, person)
    used = documents.active(tx, documents.SYSTEM, name)
    if used is None:
        if name in {s.name for s in config.base.systems}:
            raise refusal([of_file("systems", name, name)])
        one(tx, config, name)
        raise ConfigError(Text("“{name}” is not in use.", "“{name}”未在使用。").fill(name=name))
    others = [s for s in _of_database(config) if s.name != name]
    if problems := together(config.base.with_more(others, ()), name):
        raise refusal(problems)
    documents.activate(tx, documents.SYSTEM, name, None, author=person.id, now=now, note=note)
    entry = Entry("system.remove", f"system:{name}", person.actor, note, {"version": used.number})
    audit.at_end(tx, [entry], now)


def _begin(tx: Connection, config: Config, person: Person) -> Config:
    """One change after the other, each looking at what the one before has left."""
    demand_administrator(person)
    documents.lock(tx)
    return whole(tx, config).config


def _good(tx: Connection, config: Config, text: str, typed: Collection[str] = ()) -> System:
    system, problems = read_draft(config, text)
    if system is not None:
        problems += [_not_set(name, system.name) for name in seals.unset(tx, references_of(system))]
        problems += elsewhere(tx, config, system, typed)
        # One that was taken out keeps its facts, too.
        for kept in documents.versions(tx, documents.SYSTEM, system.name)[:1]:
            old, _ = read_system(kept.text, kept.name, config.base)
            if old is not None and old.adapter != system.adapter and not any(p.field == "adapter" for p in problems):
                problems.append(_other_product(old.adapter, system.adapter, system.name))
    if problems or system is None:
        raise refusal(problems)
    return system


def _plain(system: System | None) -> dict[str, Any]:
    return {} if system is None else system.model_dump(mode="json", exclude_defaults=True)


__all__ = [
    "Listed",
    "activate",
    "check_system",
    "connect_system",
    "history",
    "listing",
    "one",
    "read_draft",
    "remove",
    "save",
    "text_of",
]
