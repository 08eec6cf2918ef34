"""Sealed secrets as administrators keep them: set, listed, sealed anew, removed. The trail tells that, never what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connector.config import Config
from connector.config_kept import references_of
from connector.config_seal import USUAL, Seal, key_reference, make_key
from connector.config_secret import SEALED, SEALED_NAME
from connector.credit.authority import Person
from connector.errors import ConfigError
from connector.http import hide
from connector.store import Connection, audit, sealed
from connector.store.audit import Entry
from connector.text import Text
from jobs.administrator import demand_administrator

_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Sealing:
    """One secret that is kept, without its value. `systems` are those that refer to it now."""

    name: str
    changed_at: dt.datetime
    changed_by: str
    sealed_at: dt.datetime
    systems: tuple[str, ...] = ()


def sealed_name(system: str, secret: str) -> str:
    """The usual name of a system's secret: `sealed:` + this is its reference."""
    return f"{system}/{secret}"


def listing(tx: Connection, config: Config) -> list[Sealing]:
    """All that are kept, by name, with the systems that use them."""
    users: dict[str, list[str]] = {}
    for system in config.systems:
        for reference in references_of(system):
            users.setdefault(reference, []).append(system.name)
    for reference in references_of(config.mail):
        users.setdefault(reference, []).append("mail")
    return [
        Sealing(k.name, k.changed_at, k.changed_by, k.sealed_at, tuple(users.get(f"{SEALED}:{k.name}", ())))
        for k in sealed.listing(tx)
    ]


def put(
    tx: Connection, seal: Seal, values: Mapping[str, str], *, person: Person, now: dt.datetime, why: str = ""
) -> None:
    """Keeps secrets by their names (without `sealed:`), in place of those that were there.

    NotAllowed for who is no administrator; ConfigError for a name or a value that will not do (the value is not repeated).
    """
    demand_administrator(person)
    entries = []
    for name, value in values.items():
        checked(name, value)
        hide(value)
        was = sealed.put(tx, seal, name, value, actor=person.actor, now=now)
        entries.append(Entry("secret.set", f"secret:{name}", person.actor, why, None, {"replaced": was}))
    audit.append(tx, entries, now)


def checked(name: str, value: str) -> None:
    """ConfigError for a name or a value that will not do."""
    if not SEALED_NAME.fullmatch(name):
        raise ConfigError(
            Text(
                "“{name}” is no name for a secret: small letters, digits, and . _ / - between them, such as erp/password.",
                "“{name}”不能用作密钥名称：仅限小写字母、数字及 . _ / -，例如 erp/password。",
            ).fill(name=name[:80])
        )
    if not value.strip() or len(value) > _LONGEST or "\0" in value:
        raise ConfigError(Text("The secret “{name}” is empty or too long.", "密钥“{name}”为空或过长。").fill(name=name))


def make_usual_key(tx: Connection, config: Config, *, person: Person, now: dt.datetime) -> None:
    """Makes the key beside config.toml, for whoever has none yet. NotAllowed for who is no administrator; ConfigError where
    there is one, or the folder cannot be written to."""
    demand_administrator(person)
    if key_reference(config) is not None:
        raise ConfigError(Text("There is a key already.", "主密钥已存在。"))
    make_key(config.root / USUAL)
    audit.append(tx, [Entry("secret.key", "secret", person.actor, after={"file": USUAL})], now)


def rotate(tx: Connection, seal: Seal, *, person: Person, now: dt.datetime, why: str = "") -> int:
    """Seals all anew under the first key; how many. The former key may be taken away afterwards."""
    demand_administrator(person)
    count = sealed.rotate(tx, seal, now)
    audit.append(tx, [Entry("secret.rotate", "secret", person.actor, why, None, {"count": count})], now)
    return count


def remove(
    tx: Connection, config: Config, name: str, *, person: Person, now: dt.datetime, why: str = "", force: bool = False
) -> None:
    """Forgets a secret. ConfigError where a system uses it (`force`: all the same), Missing where there is none."""
    demand_administrator(person)
    users = next((one.systems for one in listing(tx, config) if one.name == name), ())
    if users and not force:
        raise ConfigError(
            Text(
                "The secret “{name}” is used by {systems}: give these another first.",
                "密钥“{name}”正被 {systems} 使用：请先为其更换密钥。",
            ).fill(name=name, systems=Text(", ".join(users), "、".join(users)))
        )
    sealed.remove(tx, name)
    audit.append(tx, [Entry("secret.remove", f"secret:{name}", person.actor, why)], now)


def unset(tx: Connection, references: Collection[str]) -> list[str]:
    """The names of sealed secrets that are referred to and not kept."""
    kept = sealed.names(tx)
    wanted = {r.removeprefix(f"{SEALED}:") for r in references if r.startswith(f"{SEALED}:")}
    return sorted(wanted - kept)


__all__ = ["Sealing", "checked", "listing", "make_usual_key", "put", "remove", "rotate", "sealed_name", "unset"]
