"""Documents: mappings, policies, systems and people as their administrators have edited them, each version with its author.

A document in the database replaces the shipped file; nothing is merged. Both tables are append-only: a version is never
changed or deleted, and going back is putting an older one in use, which is a new line of the journal too. What is in
use is read at the beginning of a run, so that every node follows without a restart.

The usual order: `save` a version (nothing changes by that), try it on kept records, then `activate` it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, func, select

from connector.errors import ConfigError
from connector.store import bulk, quick
from connector.store.tables import activation, document
from connector.text import Text

# Kinds of document. A mapping's name is that of its system, as is a system's own; of the others there is one each.
MAPPING = "mapping"
POLICY = "policy"
THE_POLICY = "policy"
SYSTEM = "system"
PEOPLE = "people"
# Of whom something rests until a second person confirms it; there is one.
UNCONFIRMED = "unconfirmed"

# Any number will do that no other program takes for its own lock.
_LOCK = 1_684_365_165


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, for good.

    `number` counts from 1 within (kind, name). `sha` is the SHA-256 of `text` in hexadecimal; its first twelve digits are
    the version that a loaded mapping bears, and every record mapped by it.
    """

    kind: str
    name: str
    number: int
    text: str
    sha: str
    author: str
    note: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Activation:
    """Who put which version in use, and when. `number` None: none of them, so that the file was used again."""

    number: int | None
    author: str
    note: str
    made_at: dt.datetime


def save(tx: Connection, kind: str, name: str, text: str, *, author: str, now: dt.datetime, note: str = "") -> Version:
    """Keeps a new version, which is not in use yet, and gives it.

    The same text as the newest version is not kept twice: that version is given as it is.
    """
    lock(tx)
    before = _newest(tx, kind, name)
    if before is not None and before.text == text:
        return before
    made = Version(
        kind=kind,
        name=name,
        number=before.number + 1 if before else 1,
        text=text,
        sha=hashlib.sha256(text.encode()).hexdigest(),
        author=author,
        note=note,
        made_at=now,
    )
    tx.execute(
        document.insert().values(
            kind=kind, name=name, version=made.number, body=text, sha=made.sha, author=author, note=note, made_at=now
        )
    )
    return made


def activate(
    tx: Connection, kind: str, name: str, number: int | None, *, author: str, now: dt.datetime, note: str = ""
) -> Version | None:
    """Puts one version in use from the next run on, and gives it; None: none, so that the file is used again.

    Nothing is written where it is in use already. Raises ConfigError where there is no such version.
    """
    lock(tx)
    chosen = None if number is None else version(tx, kind, name, number)
    now_used = active(tx, kind, name)
    if (now_used and now_used.number) != number:
        tx.execute(
            activation.insert().values(kind=kind, name=name, version=number, author=author, note=note, made_at=now)
        )
    return chosen


def active(tx: Connection, kind: str, name: str) -> Version | None:
    """The version in use, or None: then the file that config.toml names is, or the shipped one."""
    found = quick.rows(tx, _active(), {"which": kind, "called": name})
    return _version(found[0]) if found else None


@cache
def _active() -> Select[Any]:
    d, a = document.c, activation.c
    kind, name = bindparam("which", type_=String), bindparam("called", type_=String)
    newest = select(func.max(a.id)).where(a.kind == kind, a.name == name).scalar_subquery()
    used = select(a.version).where(a.id == newest).scalar_subquery()
    return select(document).where(d.kind == kind, d.name == name, d.version == used)


def in_use(tx: Connection, kind: str) -> list[Version]:
    """The versions in use of every document of a kind, by name; a document whose file is used again has none."""
    d, a = document.c, activation.c
    newest = select(func.max(a.id)).where(a.kind == kind).group_by(a.name)
    asked = select(document).join(activation, (a.kind == d.kind) & (a.name == d.name) & (a.version == d.version))
    return [_version(row) for row in tx.execute(asked.where(d.kind == kind, a.id.in_(newest)).order_by(d.name))]


def names(tx: Connection, kind: str) -> list[str]:
    """The names of all documents of a kind that were ever kept, in use or not."""
    return list(
        tx.execute(
            select(document.c.name).where(document.c.kind == kind).distinct().order_by(document.c.name)
        ).scalars()
    )


def turn(tx: Connection) -> int:
    """A number that grows whenever anything is put in use: whoever keeps what he has read sees that it is old."""
    return int(tx.execute(_TURN).scalar() or 0)


_TURN = select(func.max(activation.c.id))


def version(tx: Connection, kind: str, name: str, number: int) -> Version:
    """One version. Raises ConfigError, saying which there are, where this one is not."""
    d = document.c
    found = _one(tx, d.kind == kind, d.name == name, d.version == number)
    if found is None:
        there = tx.execute(select(d.version).where(d.kind == kind, d.name == name).order_by(d.version)).scalars().all()
        raise ConfigError(
            Text(
                "“{name}” has no version {number}. Kept: {there}.", "“{name}”没有版本 {number}。已保存：{there}。"
            ).fill(name=name, number=number, there=_shown(there))
        )
    return found


def versions(tx: Connection, kind: str, name: str) -> list[Version]:
    """All versions of a document, newest first."""
    d = document.c
    asked = select(document).where(d.kind == kind, d.name == name).order_by(d.version.desc())
    return [_version(row) for row in tx.execute(asked)]


def activations(tx: Connection, kind: str, name: str) -> list[Activation]:
    """The journal of what was put in use, newest first: its first line is what is in use now."""
    a = activation.c
    asked = select(activation).where(a.kind == kind, a.name == name).order_by(a.id.desc())
    return [Activation(row.version, row.author, row.note, row.made_at) for row in tx.execute(asked)]


def _shown(numbers: Any) -> str | Text:
    """1–3, 5 of many numbers in order."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if not runs:
        return Text("none", "无")
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def lock(tx: Connection) -> None:
    """Whoever reads a document to change it waits here for others who do; held until the transaction ends."""
    if not bulk.is_sqlite(tx):
        # Two people at the same moment would make the same number twice; on SQLite there is one writer anyway.
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _newest(tx: Connection, kind: str, name: str) -> Version | None:
    d = document.c
    top = select(func.max(d.version)).where(d.kind == kind, d.name == name).scalar_subquery()
    return _one(tx, d.kind == kind, d.name == name, d.version == top)


def _one(tx: Connection, *conditions: Any) -> Version | None:
    row = tx.execute(select(document).where(*conditions)).one_or_none()
    return None if row is None else _version(row)


def _version(row: Any) -> Version:
    return Version(row.kind, row.name, row.version, row.body, row.sha, row.author, row.note, row.made_at)


__all__ = [
    "MAPPING",
    "PEOPLE",
    "POLICY",
    "SYSTEM",
    "THE_POLICY",
    "UNCONFIRMED",
    "Activation",
    "Version",
    "activate",
    "activations",
    "active",
    "in_use",
    "lock",
    "names",
    "save",
    "turn",
    "version",
    "versions",
]
