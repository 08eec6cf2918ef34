"""Documents: mappings and policies as their administrators have edited them, every version with its author.

A document in the database replaces the shipped file; nothing is merged. Versions are never changed or deleted: going back
is making an older one active.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from connector.store.tables import document


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document. `kind`: mapping or policy; `name`: the system it is for, or the policy's name."""

    kind: str
    name: str
    version: int
    body: str
    author: str
    note: str
    made_at: dt.datetime
    active: bool


def put(
    tx: Connection,
    kind: str,
    name: str,
    body: str,
    *,
    author: str,
    now: dt.datetime,
    note: str = "",
    active: bool = True,
) -> int:
    """Keeps a new version and, unless told otherwise, makes it the active one; gives its number.

    The same text as the newest version is not kept twice.
    """
    d = document.c
    mine = (d.kind == kind, d.name == name)
    newest = tx.execute(select(d.version, d.body).where(*mine).order_by(d.version.desc()).limit(1)).one_or_none()
    if newest and newest.body == body:
        number = int(newest.version)
    else:
        number = int(newest.version) + 1 if newest else 1
        tx.execute(
            document.insert().values(
                kind=kind,
                name=name,
                version=number,
                body=body,
                author=author,
                note=note,
                made_at=now,
                active=False,
            )
        )
    if active:
        activate(tx, kind, name, number)
    return number


def activate(tx: Connection, kind: str, name: str, version: int | None) -> bool:
    """Makes one version the active one (None: none, so that the shipped file is used again). False where there is no such
    version; nothing is changed then."""
    d = document.c
    mine = (d.kind == kind, d.name == name)
    if version is not None:
        there = tx.execute(select(func.count()).select_from(document).where(*mine, d.version == version)).scalar()
        if not there:
            return False
    tx.execute(document.update().where(*mine, d.active.is_(True)).values(active=False))
    if version is not None:
        tx.execute(document.update().where(*mine, d.version == version).values(active=True))
    return True


def active(tx: Connection, kind: str, name: str) -> Version | None:
    """The version in use, or None: then the shipped file is."""
    d = document.c
    row = tx.execute(select(document).where(d.kind == kind, d.name == name, d.active.is_(True))).one_or_none()
    return None if row is None else _row(row)


def get(tx: Connection, kind: str, name: str, version: int) -> Version | None:
    """One version."""
    d = document.c
    row = tx.execute(select(document).where(d.kind == kind, d.name == name, d.version == version)).one_or_none()
    return None if row is None else _row(row)


def history(tx: Connection, kind: str, name: str | None = None) -> list[Version]:
    """All versions, newest first."""
    asked = select(document).where(document.c.kind == kind).order_by(document.c.made_at.desc(), document.c.id.desc())
    if name is not None:
        asked = asked.where(document.c.name == name)
    return [_row(row) for row in tx.execute(asked)]


def _row(row: Any) -> Version:
    return Version(row.kind, row.name, row.version, row.body, row.author, row.note, row.made_at, row.active)
