"""API keys: `hf_<id>_<secret>`, made, checked, rotated and revoked; the secret is shown once and kept nowhere.

The id is public, the secret 256 random bits, of which the SHA-256 is kept. A slow hash would protect what people make up;
nobody guesses 256 bits, however fast he can try, and a check of an order must not wait for a hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, or_, select

from connector.errors import ConfigError
from connector.store.tables import api_key, utc
from connector.text import Text

PREFIX = "hf"
_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_ID_LENGTH = 12
_TOKEN_MOST = 200
# How often it is written down that a key is used.
USED_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `owner` is "person:li.wei" or "app:webshop"; `roles` are an application's own, a person's stand in
    config.toml; `rights` None: all that the roles allow. `old_until`: the secret before the last rotation is good so long."""

    id: str
    owner: str
    note: str
    roles: tuple[str, ...]
    rights: tuple[str, ...] | None
    created_at: dt.datetime
    created_by: str
    expires_at: dt.datetime
    rotated_at: dt.datetime | None = None
    old_until: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    used_at: dt.datetime | None = None

    def state(self, now: dt.datetime) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if now < self.expires_at else "expired"


def split(token: str) -> tuple[str, str] | None:
    """The id and the secret of a key as it is sent; None where it does not look like one."""
    if len(token) > _TOKEN_MOST or not token.isascii():
        return None
    prefix, _, rest = token.partition("_")
    number, _, secret = rest.partition("_")
    return (number, secret) if prefix == PREFIX and number and secret else None


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(tx: Connection, key: Key) -> tuple[Key, str]:
    """Keeps a new key under an id of its own; gives it, and the token, which is known to nobody afterwards."""
    made = replace(key, id="".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)))
    secret = secrets.token_urlsafe(32)
    tx.execute(
        api_key.insert().values(
            id=made.id,
            owner=made.owner,
            note=made.note,
            roles=" ".join(made.roles),
            rights=None if made.rights is None else " ".join(made.rights),
            hash=digest(secret),
            created_at=made.created_at,
            created_by=made.created_by,
            expires_at=made.expires_at,
        )
    )
    return made, f"{PREFIX}_{made.id}_{secret}"


def check(tx: Connection, number: str, secret: str, now: dt.datetime) -> tuple[Key | None, str]:
    """The key that an id and a secret open, and "" ; or no key and why: unknown, wrong_secret, rotated_out, revoked,
    expired. Compared in constant time."""
    row = tx.execute(select(api_key).where(api_key.c.id == number)).one_or_none()
    said = digest(secret)
    if row is None:
        hmac.compare_digest(said, said)
        return None, "unknown"
    new = hmac.compare_digest(said, row.hash)
    old = hmac.compare_digest(said, row.old_hash or "")
    if not new and not old:
        return None, "wrong_secret"
    if not new and (row.old_until is None or now >= row.old_until):
        return None, "rotated_out"
    key = _key(row)
    state = key.state(now)
    return (key, "") if state == "active" else (None, state)


def used(tx: Connection, numbers: Collection[str], now: dt.datetime) -> None:
    """Writes down that keys are in use; at most once a minute each, whoever else does so."""
    k = api_key.c
    late = or_(k.used_at.is_(None), k.used_at <= utc(now) - USED_EVERY)
    tx.execute(api_key.update().where(k.id.in_(sorted(numbers)), late).values(used_at=now))


def listing(tx: Connection) -> list[Key]:
    """All keys that there ever were, oldest first."""
    return [_key(row) for row in tx.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.id))]


def get(tx: Connection, number: str) -> Key:
    """One key by its id, or by the whole token (of which only the id is looked at). ConfigError where there is none."""
    parts = split(number)
    row = tx.execute(select(api_key).where(api_key.c.id == (parts[0] if parts else number))).one_or_none()
    if row is None:
        raise ConfigError(
            Text("There is no key with that id: holdfast key list", "没有该编号的密钥：holdfast key list")
        )
    return _key(row)


def rotate(tx: Connection, key: Key, now: dt.datetime, overlap: dt.timedelta, expires_at: dt.datetime) -> str:
    """A new secret; the one before stays good for the overlap. Gives the new token. ConfigError where it was revoked."""
    if key.revoked_at is not None:
        raise ConfigError(
            Text("The key {id} was revoked: make a new one.", "密钥 {id} 已吊销：请新建。").fill(id=key.id)
        )
    secret = secrets.token_urlsafe(32)
    row = api_key.c
    tx.execute(
        api_key.update()
        .where(row.id == key.id)
        .values(
            old_hash=row.hash,
            old_until=min(now + overlap, key.expires_at),
            hash=digest(secret),
            rotated_at=now,
            expires_at=expires_at,
        )
    )
    return f"{PREFIX}_{key.id}_{secret}"


def revoke(tx: Connection, key: Key, now: dt.datetime) -> bool:
    """Ends a key for good; False where it was revoked before."""
    left = api_key.update().where(api_key.c.id == key.id, api_key.c.revoked_at.is_(None))
    return tx.execute(left.values(revoked_at=now)).rowcount > 0


def _key(row: Any) -> Key:
    return Key(
        row.id,
        row.owner,
        row.note,
        tuple(row.roles.split()),
        None if row.rights is None else tuple(row.rights.split()),
        row.created_at,
        row.created_by,
        row.expires_at,
        row.rotated_at,
        row.old_until,
        row.revoked_at,
        row.used_at,
    )
