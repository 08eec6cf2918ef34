"""Records: what a system said, verbatim while it is fresh, so that a changed mapping is re-applied without pulling."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simplejson
from sqlalchemy import Connection, func, select

from connector.store import bulk, keys
from connector.store.page import Saving
from connector.store.tables import record, utc

if TYPE_CHECKING:
    from connector.store.facts import Kept

Json = Any
# Below this many bytes there is nothing to win by compressing.
_WORTH_BYTES = 400
# So many rows are looked at for a few examples.
_LOOKED_AT = 4_000
_BY_KEY = 1_000


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record as it was kept. `body` is None where it has expired."""

    key: str
    hash: str
    mapping_version: str
    fetched_at: dt.datetime
    quarantined: bool
    where: str
    body: Json


def packed(body: Json) -> bytes:
    """A body as it is stored: JSON, compressed where that pays. Numbers keep every digit; days become ISO text."""
    plain = _JSON.encode(body).encode("utf-8", "surrogatepass")
    return zlib.compress(plain, 1) if len(plain) > _WORTH_BYTES else plain


def _said(value: object) -> object:
    if isinstance(value, (dt.date, dt.datetime, dt.time)):
        return value.isoformat()
    if isinstance(value, (set, frozenset, Mapping)):
        return dict(value) if isinstance(value, Mapping) else sorted(value)
    return str(value)


_JSON = simplejson.JSONEncoder(use_decimal=True, ensure_ascii=False, separators=(",", ":"), default=_said)


def unpacked(stored: bytes | None) -> Json:
    """The body back from what is stored."""
    if stored is None:
        return None
    plain = zlib.decompress(stored) if stored[:1] == b"\x78" else stored
    return simplejson.loads(plain.decode("utf-8", "surrogatepass"), use_decimal=True)


def write(
    saving: Saving,
    stream_id: int,
    said: Sequence[Kept],
    ids: Mapping[str, int],
    there: Collection[str],
    quarantined: Collection[str],
    generation: int | None,
    mapping_version: str,
) -> None:
    """Stores the records of a page, new and changed."""
    at = utc(saving.now)
    new, changed = [], []
    for kept in said:
        bad, body = kept.key in quarantined, packed(kept.body)
        if kept.key in there:
            stamp = () if generation is None else (generation, at)
            changed.append((kept.hash, mapping_version, bad, kept.where or None, body, *stamp, ids[kept.key]))
        else:
            new.append(
                (
                    ids[kept.key],
                    stream_id,
                    kept.key,
                    kept.hash,
                    mapping_version,
                    generation or 0,
                    at,
                    bad,
                    kept.where or None,
                    body,
                )
            )
    bulk.insert(saving.tx, record, tuple(c.name for c in record.c), new)
    stamps = () if generation is None else ("generation", "fetched_at")
    bulk.update(saving.tx, record, ("hash", "mapping_version", "quarantined", "place", "body", *stamps), changed)


def _of(tx: Connection, system: str, stream: str) -> int:
    return keys.known_stream(tx, keys.known_system(tx, system), stream) or -1


def kept(tx: Connection, system: str, stream: str, limit: int | None = None) -> list[KeptRecord]:
    """The newest records that still have their bodies."""
    c = record.c
    asked = (
        select(record)
        .where(c.stream == _of(tx, system, stream), c.body.is_not(None))
        .order_by(c.fetched_at.desc(), c.id.desc())
        .limit(limit)
    )
    return [_row(row) for row in tx.execute(asked)]


def some(tx: Connection, system: str, stream: str, limit: int) -> list[KeptRecord]:
    """So many records that still have their bodies, the latest that came for the first time, filled up with others by key;
    each look is bounded, however many records there are."""
    c, of = record.c, _of(tx, system, stream)
    newest = tx.execute(select(func.max(c.id))).scalar() or 0
    mine = select(record).where(c.stream == of, c.body.is_not(None))
    # By the primary key, backwards: no index of a stream is asked to sort a million rows.
    late = mine.where(c.id > newest - _LOOKED_AT).order_by(c.id.desc()).limit(limit)
    found = {row.id: _row(row) for row in tx.execute(late)}
    if len(found) < limit:
        by_key = select(c.id).where(c.stream == of).order_by(c.key).limit(max(_BY_KEY, limit)).subquery()
        more = select(record).where(c.id.in_(select(by_key.c.id)), c.body.is_not(None)).limit(limit)
        for row in tx.execute(more):
            if len(found) < limit:
                found.setdefault(row.id, _row(row))
    return list(found.values())


def one(tx: Connection, system: str, stream: str, key: str) -> KeptRecord | None:
    """One record by its key."""
    row = tx.execute(
        select(record).where(record.c.stream == _of(tx, system, stream), record.c.key == key)
    ).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> KeptRecord:
    return KeptRecord(
        row.key,
        row.hash,
        row.mapping_version,
        row.fetched_at,
        row.quarantined,
        row.place or "",
        unpacked(row.body),
    )


@dataclass(frozen=True, slots=True)
class Stale:
    """A record that was mapped by another mapping than the present one."""

    key: str
    hash: str
    where: str


def mapped_otherwise(tx: Connection, system: str, stream: str, mapping_version: str) -> list[Stale]:
    """Records whose facts an older mapping made."""
    c = record.c
    asked = select(c.key, c.hash, c.place).where(
        c.stream == _of(tx, system, stream), c.mapping_version != mapping_version
    )
    return [Stale(row.key, row.hash, row.place or "") for row in tx.execute(asked.order_by(c.id))]


def bodies(tx: Connection, system: str, stream: str, wanted: Sequence[str]) -> Bodies:
    """The bodies of some records, by key, unpacked as they are asked for; those that have expired are not there."""
    c = record.c
    asked = select(c.key, c.body).where(
        c.stream == _of(tx, system, stream), bulk.among(tx, c.key, wanted), c.body.is_not(None)
    )
    return Bodies({row.key: row.body for row in tx.execute(asked)})


class Bodies(Mapping[str, Json]):
    """Packed bodies that are unpacked one at a time: many of them fit in memory only as they are stored."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, key: str) -> Json:
        return unpacked(self._packed[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, key: object) -> bool:
        return key in self._packed


def expire(tx: Connection, before: dt.datetime) -> int:
    """Drops the bodies of records fetched before a moment, hash and facts stay; says how many."""
    done = tx.execute(
        record.update()
        .where(record.c.body.is_not(None), record.c.fetched_at < before, record.c.quarantined.is_(False))
        .values(body=None)
    )
    return done.rowcount


__all__ = ["Bodies", "KeptRecord", "Stale", "bodies", "expire", "kept", "mapped_otherwise", "one", "some"]
