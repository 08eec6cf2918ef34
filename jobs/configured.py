"""The configuration as it stands now: config.toml, and the systems and people that the database has in use beside it.

config.toml is the operator's and wins; only the roles of somebody rest until they are confirmed (`jobs/unconfirmed`),
wherever he stands. What is wrong with something of the database leaves that one thing out, and is
told as a problem; what is wrong with config.toml stops whoever needs it, as ever. Every node follows a change within its
next look: no restart.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.config import Config, refusal, together
from connector.config_kept import of_file, read_people, read_system, references_of
from connector.config_people import PersonSettings
from connector.config_people import problems as people_problems
from connector.config_seal import key_reference, seal_of
from connector.config_secret import SEALED, Sealed
from connector.config_system import System
from connector.errors import ConfigError, HoldfastError, Problem
from connector.store import Connection, documents, sealed
from connector.store.db import Store
from jobs.unconfirmed import resting

log = logging.getLogger("holdfast.config")

THE_PEOPLE = "people"
_FILE = "config.toml"


@dataclass(frozen=True)
class Whole:
    """A configuration, and what of the database is left out of it because something is wrong with it."""

    config: Config
    problems: list[Problem] = field(default_factory=list)


def configured(store: Store, config: Config) -> Config:
    """What config.toml says (of whatever was added to it before, the base), with what the database has in use now.

    The same object where there is nothing to add. Raises ConfigError where the two together do not hold: people or
    limits of config.toml name a system that is nowhere. What is left out is logged.
    """
    with store.reading() as tx:
        found = whole(tx, config, opener(store, config))
    for problem in found.problems:
        log.warning("left out: %s", problem)
    return found.config


def whole(tx: Connection, config: Config, opened: Sealed | None = None) -> Whole:
    """The same in a transaction, with what was left out. `opened` gives the secrets that the database keeps."""
    base = config.base
    systems, problems = _systems(tx, base)
    people: list[PersonSettings] = []
    made = base.with_more(systems, (), opened) if systems or _refers_to_sealed(base) else base
    if wrong := together(made, _FILE):
        raise refusal([*wrong, *problems])
    kept = documents.active(tx, documents.PEOPLE, THE_PEOPLE)
    if kept is not None:
        people, lost = _people(kept.text, f"{THE_PEOPLE}@{kept.number}", base)
        problems += lost
    rests = {who: one.roles for who, one in resting(tx).items()}
    if people or rests:
        made = base.with_more(systems, people, opened, rests)
    return Whole(made, problems)


def _refers_to_sealed(base: Config) -> bool:
    return key_reference(base) is not None or any(r.startswith(f"{SEALED}:") for r in references_of(base))


def opener(store: Store, config: Config) -> Sealed:
    """What opens sealed secrets: asked at the last moment, so that a secret that was set anew counts at once."""

    def opened(name: str) -> str:
        seal = seal_of(config)
        with store.reading() as tx:
            return sealed.opened(tx, seal, name) or ""

    return opened


def _systems(tx: Connection, base: Config) -> tuple[list[System], list[Problem]]:
    systems: list[System] = []
    problems: list[Problem] = []
    of_the_file = {s.name for s in base.systems}
    for kept in documents.in_use(tx, documents.SYSTEM):
        where = f"{kept.name}@{kept.number}"
        if kept.name in of_the_file:
            problems.append(of_file("systems", kept.name, where))
            continue
        system, wrong = read_system(kept.text, where, base)
        problems += wrong
        if system is not None:
            systems.append(system)
    return systems, problems


def _people(text: str, where: str, base: Config) -> tuple[list[PersonSettings], list[Problem]]:
    """The people of the database that go with those of config.toml, one by one: a slip in one locks out no other."""
    read, problems = read_people(text, where)
    people: list[PersonSettings] = []
    taken = {p.id for p in base.people}
    for one in read:
        if one.id in taken:
            problems.append(of_file("people", one.id, where))
            continue
        # User ids in a system that there is no more stay: what he owned there is still his.
        wrong = people_problems([*base.people, *people, one], _named([*base.people, *people, one]), where)
        problems += wrong
        if not wrong:
            people.append(one)
    return people, problems


def _named(people: Sequence[PersonSettings]) -> list[str]:
    return [system for person in people for system in person.ids]


class Following:
    """The configuration of the moment, for whoever lives long: read anew only where something was put in use since."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store, self._config, self._base = store, config, config.base
        self._turn: int | None = None

    def now(self) -> Config:
        """The configuration; the same object as long as nothing has changed. Where what is in use now does not hold
        together, it stays as it was, which is logged once. Raises what the database raises."""
        with self._store.reading() as tx:
            turn = documents.turn(tx)
        if turn != self._turn:
            self._turn = turn
            self._take()
        return self._config

    @property
    def turn(self) -> int:
        """A number that all nodes have alike for the same configuration, and that grows with every change."""
        return self._turn or 0

    def base(self, config: Config) -> None:
        """config.toml was read anew: from now on this is what the database adds to."""
        self._base, self._turn = config.base, None

    def _take(self) -> None:
        try:
            made = configured(self._store, self._base)
        except HoldfastError as wrong:
            if not isinstance(wrong, ConfigError):
                self._turn = None
                raise
            log.error("the configuration stays as it was: %s", wrong.log)
            return
        was = self._config
        says = (made.systems, made.people, made.opens_sealed)
        if made.base is not was.base or says != (was.systems, was.people, was.opens_sealed):
            self._config = made


__all__ = ["THE_PEOPLE", "Following", "Whole", "configured", "opener", "whole"]
