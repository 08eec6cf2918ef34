"""Sealed secrets: kept encrypted under a name, opened at the last moment, shown to nobody.

The database holds no key: what is stolen with it opens nothing (`connector.config_seal`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, select

from connector.config_seal import Seal
from connector.errors import Missing
from connector.store.tables import sealed
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Kept:
    """That a secret is kept, never what it is. `changed_by` is the actor who set it, "person:ada"."""

    name: str
    changed_at: dt.datetime
    changed_by: str
    sealed_at: dt.datetime


def put(tx: Connection, seal: Seal, name: str, value: str, *, actor: str, now: dt.datetime) -> bool:
    """Keeps a secret under a name; whether there was one before, which it replaces."""
    row = {"value": seal.close(name, value), "changed_at": now, "changed_by": actor, "sealed_at": now}
    if tx.execute(sealed.update().where(sealed.c.name == name).values(**row)).rowcount:
        return True
    tx.execute(sealed.insert().values(name=name, **row))
    return False


def opened(tx: Connection, seal: Seal, name: str) -> str | None:
    """The secret of a name; None where none is kept. ConfigError where no key opens it."""
    token = tx.execute(select(sealed.c.value).where(sealed.c.name == name)).scalar()
    return None if token is None else seal.open(name, token)


def listing(tx: Connection) -> list[Kept]:
    """All that are kept, by name."""
    s = sealed.c
    asked = select(s.name, s.changed_at, s.changed_by, s.sealed_at).order_by(s.name)
    return [Kept(*tuple(row)) for row in tx.execute(asked)]


def names(tx: Connection) -> set[str]:
    """The names of all that are kept."""
    return set(tx.execute(select(sealed.c.name)).scalars())


def rotate(tx: Connection, seal: Seal, now: dt.datetime) -> int:
    """Seals everything anew under the first key; how many. ConfigError, and nothing is changed, where one does not open."""
    rows = tx.execute(select(sealed.c.name, sealed.c.value).with_for_update()).all()
    for name, token in rows:
        anew = seal.close(name, seal.open(name, token))
        tx.execute(sealed.update().where(sealed.c.name == name).values(value=anew, sealed_at=now))
    return len(rows)


def remove(tx: Connection, name: str) -> None:
    """Forgets a secret. Missing where none of that name is kept."""
    if not tx.execute(sealed.delete().where(sealed.c.name == name)).rowcount:
        raise Missing(Text("No secret “{name}” is kept.", "未保存名为“{name}”的密钥。").fill(name=name))


__all__ = ["Kept", "listing", "names", "opened", "put", "remove", "rotate"]
