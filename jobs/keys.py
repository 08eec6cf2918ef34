"""Keys of the API as they are made, renewed and ended by people: each step in the audit trail, in the same transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.credit.authority import Person
from connector.errors import NotAllowed
from connector.store import Connection, api_keys, audit
from connector.store.api_keys import Key
from connector.store.audit import Entry
from connector.text import Text

STATES = {
    "active": Text("good", "有效"),
    "expired": Text("expired", "已过期"),
    "revoked": Text("revoked", "已吊销"),
}


def create(
    tx: Connection,
    by: Person,
    owner: str,
    *,
    roles: tuple[str, ...],
    rights: tuple[str, ...] | None,
    note: str,
    expires_at: dt.datetime,
    now: dt.datetime,
    here: bool = False,
) -> tuple[Key, str]:
    """A new key of somebody ("person:li.wei", "app:webshop"), and its token, which is shown once and kept nowhere.

    NotAllowed where it is another person's: whoever sees the token could act as him. `here`: at the machine, where whoever
    works has the database anyway.
    """
    _his(by, owner, here)
    key = Key("", owner, note.strip(), roles, rights, now, by.actor, expires_at)
    made, token = api_keys.create(tx, key)
    audit.append(tx, [Entry("key.create", f"key:{made.id}", by.actor, made.note, after=short(made, now))], now)
    return made, token


def rotate(
    tx: Connection,
    by: Person,
    key: Key,
    *,
    overlap: dt.timedelta,
    expires_at: dt.datetime,
    why: str,
    now: dt.datetime,
    here: bool = False,
) -> tuple[Key, str]:
    """A new secret for a key; the old one stays good for `overlap`. Raises ConfigError for one that is revoked, and as
    `create` does."""
    _his(by, key.owner, here)
    token = api_keys.rotate(tx, key, now, overlap, expires_at)
    made = api_keys.get(tx, key.id)
    audit.append(tx, [Entry("key.rotate", f"key:{key.id}", by.actor, why, short(key, now), short(made, now))], now)
    return made, token


def _his(by: Person, owner: str, here: bool) -> None:
    if owner.startswith("person:") and owner != by.actor and not (here or by.alone):
        raise NotAllowed(
            Text(
                "The secret of a person's key is seen by that person alone: `holdfast key` at the machine, or a new key.",
                "人员密钥的密钥串仅本人可见：请在服务器上使用 `holdfast key`，或另建密钥。",
            )
        )


def revoke(tx: Connection, by: Person, key: Key, *, why: str, now: dt.datetime) -> bool:
    """Ends a key for good; False where that was done before."""
    if not api_keys.revoke(tx, key, now):
        return False
    audit.append(tx, [Entry("key.revoke", f"key:{key.id}", by.actor, why, short(key, now))], now)
    return True


def plain(key: Key, now: dt.datetime) -> dict[str, Any]:
    """A key as an answer, without its secret."""

    def said(moment: dt.datetime | None) -> str | None:
        return None if moment is None else moment.isoformat(timespec="seconds")

    return {
        "id": key.id,
        "owner": key.owner,
        "state": key.state(now),
        "roles": list(key.roles),
        "rights": None if key.rights is None else list(key.rights),
        "note": key.note,
        "created_at": said(key.created_at),
        "created_by": key.created_by,
        "expires_at": said(key.expires_at),
        "rotated_at": said(key.rotated_at),
        "old_until": said(key.old_until),
        "revoked_at": said(key.revoked_at),
        "used_at": said(key.used_at),
    }


def short(key: Key, now: dt.datetime) -> dict[str, Any]:
    """What the audit trail keeps of a key."""
    left_out = ("id", "note", "created_by")
    return {name: value for name, value in plain(key, now).items() if value and name not in left_out}
