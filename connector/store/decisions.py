"""Decisions: what was concluded of each debtor, append-only, and the last day each was evaluated for."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

from sqlalchemy import Connection, Select, func, select

from connector.store import audit, bulk, quick, records
from connector.store.audit import Entry
from connector.store.records import unpacked
from connector.store.tables import decision, standing, utc


@dataclass(frozen=True)
class DecisionRow:
    """One decision. `evaluated_on` is the last day for which it was found to be still true; `body` is read when somebody
    asks for it. `inputs` are what it was concluded from, as the jobs pack them; `sha` covers both."""

    id: int
    debtor: int
    as_of: dt.date
    made_at: dt.datetime
    policy_version: str
    digest: str
    kept: bytes
    evaluated_on: dt.date | None = None
    inputs: bytes | None = None
    sha: str | None = None

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The decision's content."""
        found: Mapping[str, Any] = unpacked(self.kept)
        return found


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What was concluded of one debtor: the decision's content, packed, and a digest over what makes it another decision.

    None for the content says that the digest is that of the newest decision: nothing new is to be kept. `inputs` are kept
    beside it as they are.
    """

    debtor: int
    digest: str
    body: bytes | None
    inputs: bytes | None = None


def conclude(
    tx: Connection,
    debtor: int,
    *,
    as_of: dt.date,
    made_at: dt.datetime,
    policy_version: str,
    digest: str,
    body: Mapping[str, Any],
) -> bool:
    """Keeps a decision if its digest is not that of the debtor's newest one; either way the debtor counts as evaluated
    for that day. Says whether a decision was added."""
    one = Conclusion(debtor, digest, packed(body))
    return bool(conclude_all(tx, [one], as_of=as_of, made_at=made_at, policy_version=policy_version))


def conclude_all(
    tx: Connection, conclusions: Sequence[Conclusion], *, as_of: dt.date, made_at: dt.datetime, policy_version: str
) -> int:
    """The same for many debtors of one day with a handful of statements; says how many decisions were added."""
    at = utc(made_at)
    wanted = {one.debtor: one for one in conclusions}
    before = digests(tx, wanted)
    same = [key for key, one in wanted.items() if before.get(key) == one.digest]
    news = [one for key, one in wanted.items() if before.get(key) != one.digest]
    ids = list(bulk.new_ids(tx, decision, len(news)))
    rows = []
    for number, one in zip(ids, news, strict=True):
        body = packed({}) if one.body is None else one.body
        sha = sha_of(number, one.debtor, as_of, policy_version, body, one.inputs)
        rows.append((number, one.debtor, as_of, at, policy_version, one.digest, body, one.inputs, sha))
    bulk.insert(tx, decision, _COLUMNS, rows)
    if rows:
        made = {"first": rows[0][0], "last": rows[-1][0], "count": len(rows), "sha": chained(row[-1] for row in rows)}
        entry = Entry(MADE, "decision", "job:evaluate", after={"as_of": as_of, "policy": policy_version, **made})
        audit.append(tx, [entry], made_at, LANE)
    standings = [(number, one.digest, as_of, at, one.debtor) for number, one in zip(ids, news, strict=True)]
    columns = ("decision", "digest", "evaluated_on", "evaluated_at")
    bulk.insert(tx, standing, (*columns, "debtor"), [row for row in standings if row[-1] not in before])
    bulk.update(tx, standing, columns, [row for row in standings if row[-1] in before], by=("debtor",))
    bulk.update(tx, standing, ("evaluated_on", "evaluated_at"), [(as_of, at, key) for key in same], by=("debtor",))
    return len(news)


# Decisions have a lane of the audit trail of their own: evaluating keeps nobody waiting who approves a limit. One entry
# for each batch covers all its decisions by their hashes.
LANE = "decisions"
MADE = "decision.made"
_COLUMNS = ("id", "debtor", "as_of", "made_at", "policy_version", "digest", "body", "inputs", "sha")


def sha_of(number: int, debtor: int, as_of: dt.date, policy_version: str, body: bytes, inputs: bytes | None) -> str:
    """SHA-256, in hexadecimal, over what makes a decision: whose, of which day, by which policy, content and inputs."""
    head = f"{number} {debtor} {as_of.isoformat()} {policy_version} {len(body)} ".encode()
    return hashlib.sha256(head + body + (inputs or b"")).hexdigest()


def chained(shas: Iterable[str]) -> str:
    """One hash over those of several decisions, in the order of their numbers."""
    return hashlib.sha256("".join(shas).encode()).hexdigest()


def digests(tx: Connection, debtors: Collection[int]) -> dict[int, str]:
    """The digest of the newest decision of each debtor that has one."""
    return dict(quick.rows(tx, _digests(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, debtors)}))


@cache
def _digests(sqlite: bool) -> Select[Any]:
    s = standing.c
    return select(s.debtor, s.digest).where(bulk.among_ids(sqlite, s.debtor))


def latest(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, DecisionRow]:
    """The newest decision of each debtor that has one."""
    asked = select(decision, standing.c.evaluated_on).join_from(
        standing, decision, decision.c.id == standing.c.decision
    )
    if debtors is not None:
        asked = asked.where(bulk.among(tx, standing.c.debtor, debtors))
    return {row.debtor: _row(row, row.evaluated_on) for row in tx.execute(asked)}


def history(tx: Connection, debtor: int, limit: int | None = None) -> list[DecisionRow]:
    """All decisions of a debtor, newest first."""
    asked = select(decision).where(decision.c.debtor == debtor).order_by(decision.c.id.desc()).limit(limit)
    return [_row(row, None) for row in tx.execute(asked)]


def everything(
    tx: Connection, *, debtors: Collection[int] | None = None, on: dt.date | None = None
) -> Iterator[DecisionRow]:
    """All decisions, of some debtors (None: of all), made for one day (None: for any), oldest first."""
    asked = select(decision).order_by(decision.c.id).limit(_AT_ONCE)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, decision.c.debtor, debtors))
    if on is not None:
        asked = asked.where(decision.c.as_of == on)
    rows = tx.execute(asked).all()
    while rows:
        yield from (_row(row, None) for row in rows)
        rows = tx.execute(asked.where(decision.c.id > rows[-1].id)).all()


_AT_ONCE = 2000


def in_force(tx: Connection, debtor: int, on: dt.date) -> DecisionRow | None:
    """The decision that held at the end of a day: the newest made for it or for a day before."""
    d = decision.c
    asked = select(decision).where(d.debtor == debtor, d.as_of <= on).order_by(d.id.desc()).limit(1)
    row = tx.execute(asked).one_or_none()
    return None if row is None else _row(row, None)


def in_force_of_all(tx: Connection, on: dt.date) -> list[DecisionRow]:
    """The same of every debtor."""
    d = decision.c
    newest = select(func.max(d.id)).where(d.as_of <= on).group_by(d.debtor)
    return [_row(row, None) for row in tx.execute(select(decision).where(d.id.in_(newest)).order_by(d.debtor))]


def evaluated_on(tx: Connection) -> dict[int, dt.date]:
    """The last day each debtor was evaluated for."""
    s = standing.c
    return {row.debtor: row.evaluated_on for row in tx.execute(select(s.debtor, s.evaluated_on))}


def newest(tx: Connection) -> int:
    """The number of the newest decision; 0 where there is none."""
    return int(quick.value(tx, bulk.last_id(decision)) or 0)


def since(tx: Connection, number: int) -> set[int]:
    """The debtors of whom something else was decided after a decision's number."""
    return set(tx.execute(select(decision.c.debtor).where(decision.c.id > number).distinct()).scalars())


def packed(body: Mapping[str, Any]) -> bytes:
    """As a record's body is kept, by an encoder that is quicker and knows nothing but words, flags and lists."""
    try:
        plain = _JSON.encode(body)
    except TypeError:
        return records.packed(body)
    return zlib.compress(plain.encode("utf-8", "surrogatepass"), 1)


def content(kept: bytes) -> Mapping[str, Any]:
    """A decision's content from what is kept, by the decoder of the standard library: for many at a time."""
    plain = zlib.decompress(kept) if kept[:1] == b"\x78" else kept
    found: Mapping[str, Any] = json.loads(plain.decode("utf-8", "surrogatepass"), parse_float=Decimal)
    return found


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _row(row: Any, evaluated: dt.date | None) -> DecisionRow:
    return DecisionRow(
        row.id,
        row.debtor,
        row.as_of,
        row.made_at,
        row.policy_version,
        row.digest,
        row.body,
        evaluated,
        row.inputs,
        row.sha,
    )
