"""Mappings as administrators change them: versions saved, put in use, gone back to, each told in the trail.

Saving changes nothing that is in use; what is in use counts from the next run on, which applies it to the kept records.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from connector import adapter as adapters
from connector import mapping as mappings
from connector.config import Config, System
from connector.connect import Chosen, chosen_mapping, loaded
from connector.credit.authority import Person
from connector.errors import Problem
from connector.mapping import Mapping
from connector.store import Connection, audit, documents
from connector.store.audit import Entry
from connector.store.documents import Activation, Version
from connector.text import Text
from jobs.administrator import demand_administrator
from jobs.overtaken import not_overtaken


@dataclass(frozen=True)
class Listed:
    """The mapping of one system: which is in use, what it reads and writes, and what is wrong with it. `newer`: a version
    that is kept and younger than the one in use."""

    system: System
    title: Text
    chosen: Chosen
    mapping: Mapping | None
    problems: list[Problem] = field(default_factory=list)
    newer: Version | None = None


def listing(tx: Connection, config: Config) -> list[Listed]:
    """The mappings of all systems."""
    return [one(tx, config, system.name) for system in config.systems]


def one(tx: Connection, config: Config, name: str) -> Listed:
    """The mapping of one system. ConfigError for a name that is no system's."""
    system = config.system(name)
    adapter = adapters.load(system.adapter)
    chosen = chosen_mapping(config, system, tx)
    mapping, problems = mappings.load(chosen.text, name=chosen.name, adapter=adapter)
    kept = documents.versions(tx, documents.MAPPING, name)
    newer = kept[0] if kept and kept[0].number > (chosen.version or 0) else None
    return Listed(system, adapter.title, chosen, mapping, problems, newer)


def checked(config: Config, name: str, text: str) -> tuple[Mapping | None, list[Problem]]:
    """A draft for a system, or all that is wrong with it, each with its line; cheap enough to be asked as one types."""
    return mappings.load(text, name=name, adapter=adapters.load(config.system(name).adapter))


def history(tx: Connection, name: str) -> tuple[list[Version], list[Activation]]:
    """All versions of a system's mapping, newest first, and who put which in use when."""
    return documents.versions(tx, documents.MAPPING, name), documents.activations(tx, documents.MAPPING, name)


def text_of(tx: Connection, config: Config, name: str, number: int | None = None) -> str:
    """The text of a version; None: of what is in use."""
    if number is not None:
        return documents.version(tx, documents.MAPPING, name, number).text
    return chosen_mapping(config, config.system(name), tx).text


def save(
    tx: Connection,
    config: Config,
    name: str,
    text: str,
    *,
    person: Person,
    now: dt.datetime,
    note: str = "",
    seen: int | None = None,
) -> Version:
    """Keeps a new version of a system's mapping and gives it; nothing is in use by that.

    NotAllowed for who is no administrator; ConfigError listing every problem; Overtaken where the newest version is
    another than `seen`, from which the draft was made.
    """
    demand_administrator(person)
    documents.lock(tx)
    system = config.system(name)
    mapping = loaded(text, name, adapters.load(system.adapter))
    before = documents.versions(tx, documents.MAPPING, name)
    not_overtaken(before, seen)
    made = documents.save(tx, documents.MAPPING, name, text, author=person.id, now=now, note=note)
    if not before or made.number != before[0].number:
        told = {"version": made.number, "sha": made.sha, "reads": list(mapping.streams())}
        audit.append(tx, [Entry("mapping.save", f"mapping:{name}", person.actor, note, None, told)], now)
    return made


def activate(
    tx: Connection, config: Config, name: str, number: int | None, *, person: Person, now: dt.datetime, note: str = ""
) -> Version | None:
    """Puts a kept version in use from the next run on; None: none of them, so that the file is used again.

    NotAllowed for who is no administrator; ConfigError where there is no such version, or this program does not
    understand it any more.
    """
    demand_administrator(person)
    documents.lock(tx)
    system = config.system(name)
    old = chosen_mapping(config, system, tx)
    if number is not None:
        text = documents.version(tx, documents.MAPPING, name, number).text
    else:
        text = chosen_mapping(config, system, None).text
    new = loaded(text, name, adapters.load(system.adapter))
    if old.version == number:
        return documents.active(tx, documents.MAPPING, name)
    made = documents.activate(tx, documents.MAPPING, name, number, author=person.id, now=now, note=note)
    was, _ = mappings.load(old.text, name=name)
    after = {"version": number, "changes": mappings.diff(was, new)[:50] if was is not None else None}
    entry = Entry("mapping.activate", f"mapping:{name}", person.actor, note, {"version": old.version}, after)
    audit.append(tx, [entry], now)
    return made


__all__ = ["Listed", "activate", "checked", "history", "listing", "one", "save", "text_of"]
