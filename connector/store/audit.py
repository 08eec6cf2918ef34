"""Audit trail: who did or concluded what, when and why, append-only, each entry chained to the one before by its hash.

An entry is written in the transaction of the change it tells of. `verify` finds an entry that was changed, removed or
put in afterwards and names it. Whoever can write to the database could still make the whole chain anew; who keeps a head
(`heads`) somewhere else, on paper or in a mail to the auditor, finds that, too. The database's own fence (triggers that
refuse a change of an entry) is against slips only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import simplejson
from sqlalchemy import Connection, Integer, Select, func, literal_column, or_, select, tuple_

from connector.errors import Problem
from connector.store import bulk, quick
from connector.store.outbox import packed, unpacked
from connector.store.tables import AUDIT_BLOCK, audit, audit_head, utc
from connector.text import Text

MAIN = "main"
# What stands before the first entry of every lane.
NOTHING = "0" * 64
_COLUMNS = ("lane", "number", "at", "action", "subject", "actor", "why", "before", "after", "previous", "hash")
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done or concluded.

    `action` is a verb of a noun, "limit.approve"; `subject` what it was done to, "customer:books/C001",
    "order:books/SO12", "policy:policy"; `actor` who did it, "person:li.wei", "job:evaluate", "system:zoho"; `why` that
    person's words. `before` and `after` are JSON values; amounts are Decimal, days are dates.
    """

    action: str
    subject: str
    actor: str
    why: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands in the trail. `number` counts from 1 within its lane."""

    lane: str
    number: int
    at: dt.datetime
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a lane: kept elsewhere, it proves later that nothing up to it was made anew."""

    lane: str
    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.lane}:{self.number}:{self.hash}"


def append(
    tx: Connection, entries: Sequence[Entry], at: dt.datetime, lane: str = MAIN, *, ends: bool = False
) -> list[int]:
    """Appends entries in the transaction of the change they tell of; gives their numbers.

    Others who append to the same lane wait until this transaction ends: append last. One insert, however many entries there
    are, and at most one reading of the head. `ends`: nothing else is written in the transaction, so that it may be
    committed with this.
    """
    if not entries:
        return []
    lines = [_told(entry) for entry in entries]
    moment = utc(at)
    if bulk.is_sqlite(tx) or len(lines) > _IN_ONE_MOST:
        rows, head = _chained(lane, _head_for_update(tx, lane), moment, lines)
        bulk.insert(tx, audit, _COLUMNS, rows)
        bulk.update(tx, audit_head, ("number", "hash"), [(head[0], head[1], lane)], by=("lane",))
        return [row[1] for row in rows]
    newest: dict[str, _Newest] = tx.info.setdefault(_NEWEST, {})
    known = newest.get(lane)
    if known is not None and known.steady:
        # Nobody but this connection has appended lately, it seems: the head need not be asked for.
        rows, head = _chained(lane, known.head, moment, lines)
        # (Where it was not the head, a transaction that has ended has written nothing: there is another one for the rest.)
        if _put(tx, lane, known.head, moment, rows, head, ends):
            newest[lane] = _Newest(head, True)
            return [row[1] for row in rows]
    before = _head_for_update(tx, lane)
    rows, head = _chained(lane, before, moment, lines)
    if not _put(tx, lane, before, moment, rows, head, ends):
        raise RuntimeError("the head of the audit trail has moved under its lock")
    newest[lane] = _Newest(head, known is not None and known.head == before)
    return [row[1] for row in rows]


_Head = tuple[int, str]
# More entries than these go to PostgreSQL by COPY, which is cheaper for the server and takes two messages more.
_IN_ONE_MOST = 200
_NEWEST = "holdfast_audit_newest"


class _Newest(NamedTuple):
    """The entry that a connection to PostgreSQL has appended last, and whether the one before it was its own, too. Whoever
    supposes that it is the head still is told by the statement whether it was."""

    head: _Head
    steady: bool


def _told(entry: Entry) -> tuple[str, str, str, str, str | None, str | None]:
    return (
        entry.action,
        entry.subject,
        entry.actor,
        entry.why,
        None if entry.before is None else _text(entry.before),
        None if entry.after is None else _text(entry.after),
    )


def _chained(
    lane: str, head: _Head, moment: dt.datetime, lines: Sequence[tuple[Any, ...]]
) -> tuple[list[tuple[Any, ...]], _Head]:
    """The rows of new entries behind a head, and the head that they make."""
    number, previous = head
    rows = []
    for line in lines:
        number += 1
        row = (lane, number, moment, *line, previous)
        previous = hash_of(row)
        rows.append((*row, previous))
    return rows, (number, previous)


def _put(
    tx: Connection,
    lane: str,
    before: _Head,
    moment: dt.datetime,
    rows: Sequence[tuple[Any, ...]],
    head: _Head,
    ends: bool,
) -> bool:
    """Appends rows on PostgreSQL, in one statement, and moves the head; False, and nothing is done, where `before` is not
    the head any more. Waits for others who append."""
    said = orjson.dumps([dict(zip(_SAID, (row[1], *row[3:]), strict=True)) for row in rows]).decode()
    return quick.tell(tx, _PUT, (lane, *before, *head, moment, said), ends) > 0


_SAID = ("number", "action", "subject", "actor", "why", "before", "after", "previous", "hash")
_PUT = f"""
    WITH moved AS (
        UPDATE audit_head SET number = $4, hash = $5 WHERE lane = $1 AND number = $2 AND hash = $3 RETURNING lane
    )
    INSERT INTO audit (lane, at, {", ".join(_SAID)})
    SELECT moved.lane, $6, {", ".join(f"said.{name}" for name in _SAID)}
    FROM moved, json_to_recordset($7::json) AS said (number bigint, {", ".join(f"{name} text" for name in _SAID[1:])})
"""  # noqa: S608 -- the names are our own columns'


def at_end(tx: Connection, entries: Sequence[Entry], at: dt.datetime) -> None:
    """Appends entries as the last thing that a transaction does, whatever it goes on to: others wait for the trail, and who
    holds it may wait for nobody (see `marks.touch`)."""
    later: list[tuple[Sequence[Entry], dt.datetime]] | None = tx.info.get(_LATER)
    if later is None:
        append(tx, entries, at)
    elif entries:
        later.append((tuple(entries), at))


@contextmanager
def ending(tx: Connection) -> Iterator[None]:
    """A transaction whose last entries are appended at its end (`Store.writing`)."""
    # (A connection that was lost meanwhile would be asked for its own in vain, and what had happened would not be told.)
    info = tx.info
    later = info[_LATER] = list[tuple[Sequence[Entry], dt.datetime]]()
    try:
        yield
        for entries, at in later:
            append(tx, entries, at)
    finally:
        info.pop(_LATER, None)


_LATER = "holdfast_audit_at_end"


def hash_of(row: Sequence[Any]) -> str:
    """SHA-256, in hexadecimal, over a row without its last column: a JSON list of texts, the number and nulls.

    The moment is UTC to the microsecond, "2026-11-23T08:15:00.000000".
    """
    lane, number, at, *words = row
    said = [lane, number, at.isoformat(timespec="microseconds"), *words]
    try:
        text = b"[" + b", ".join(map(orjson.dumps, said)) + b"]"
    except TypeError:  # a half of a surrogate pair, a number of more than 64 bits
        text = _JSON.encode(said).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


# Made once: an encoder made anew for every line takes as long as the line.
_JSON = simplejson.JSONEncoder(ensure_ascii=False)


def _text(value: Any) -> str:
    """A value as it is stored: by the quicker encoder where there are only words, flags, lists and whole numbers in it."""
    try:
        return orjson.dumps(value, option=_PLAIN).decode()
    except TypeError:
        return packed(value)


_PLAIN = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def _head_for_update(tx: Connection, lane: str) -> tuple[int, str]:
    # By the driver itself: an order check appends a line, and may not wait for a statement to be compiled.
    asked = _HEAD if bulk.is_sqlite(tx) else _HEAD_LOCKED
    cursor = tx.connection.cursor()
    try:
        row = cursor.execute(asked, (lane,)).fetchone()
        if row is None:
            start = "INSERT INTO audit_head (lane, number, hash) VALUES (?, ?, ?) ON CONFLICT (lane) DO NOTHING"
            bulk.many(tx, start, [(lane, 0, NOTHING)])
            row = cursor.execute(asked, (lane,)).fetchone()
    finally:
        cursor.close()
    return int(row[0]), str(row[1])


_HEAD = "SELECT number, hash FROM audit_head WHERE lane = ?"
_HEAD_LOCKED = "SELECT number, hash FROM audit_head WHERE lane = %s FOR UPDATE"


def heads(tx: Connection) -> list[Head]:
    """The newest entry of each lane, by lane."""
    h = audit_head.c
    asked = select(h.lane, h.number, h.hash).where(h.number > 0).order_by(h.lane)
    return [Head(*tuple(row)) for row in tx.execute(asked)]


def listing(
    tx: Connection,
    *,
    subject: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    limit: int | None = None,
) -> list[Line]:
    """Entries from `since` until before `until`, newest first.

    `subject` and `action` may be the beginning of one up to a ":", "/" or ".": "customer", "customer:books", "limit". A
    subject with a "/" is a whole one, which an index finds however long the trail is; its beginning is looked for in all.
    """
    a = audit.c
    asked = select(audit) if subject is None or "/" not in subject else _only(subject)
    asked = asked.order_by(a.at.desc(), a.lane, a.number.desc()).limit(limit)
    if subject is not None and "/" not in subject:
        asked = asked.where(_begins(a.subject, subject, ":/"))
    if action is not None:
        asked = asked.where(_begins(a.action, action, "."))
    if actor is not None:
        asked = asked.where(_begins(a.actor, actor, ":"))
    if since is not None:
        asked = asked.where(a.at >= since)
    if until is not None:
        asked = asked.where(a.at < until)
    return [_line(row) for row in tx.execute(asked)]


def of(tx: Connection, subject: str, apart_from: Collection[str] = ()) -> list[Line]:
    """All entries of one subject, newest first, but those whose action begins with one of these nouns. An index finds them,
    however long the trail is."""
    a = audit.c
    asked = _only(subject).order_by(a.at.desc(), a.lane, a.number.desc())
    for noun in sorted(apart_from):
        asked = asked.where(~_begins(a.action, noun, "."))
    return [_line(row) for row in tx.execute(asked)]


def _only(subject: str) -> Select[Any]:
    """The entries of one subject, looked for in each block of the trail by its index: a thousand looks in a million."""
    # (As the index has it: databases take it only where the expression is the same, the number in it, too.)
    size = literal_column(str(AUDIT_BLOCK), Integer)
    last = select(func.max(audit_head.c.number) // size).scalar_subquery()
    first = select(literal_column("0", Integer).label("number")).cte("block", recursive=True)
    block = first.union_all(select(first.c.number + 1).where(first.c.number < last))
    here = (audit.c.number // size == block.c.number) & (audit.c.subject == subject)
    return select(audit).join_from(block, audit, here)


def _begins(what: Any, word: str, ends: str) -> Any:
    return or_(what == word, *(what.startswith(word + end, autoescape=True) for end in ends))


def everything(tx: Connection) -> Iterator[Line]:
    """All entries, lane by lane, in the order in which they were appended."""
    for rows in _pages(tx):
        yield from map(_line, rows)


def in_order(tx: Connection, lane: str) -> Iterator[Line]:
    """The entries of one lane, in the order in which they were appended."""
    for rows in _pages(tx, lane):
        yield from map(_line, rows)


def stored(tx: Connection) -> Iterator[dict[str, Any]]:
    """All entries as they are stored: the texts that `hash_of` covers, and the hash."""
    for rows in _pages(tx):
        for row in rows:
            at = utc(row.at).isoformat(timespec="microseconds")
            yield dict(zip(_COLUMNS, (row.lane, row.number, at, *tuple(row)[3:]), strict=True))


def _pages(tx: Connection, lane: str | None = None) -> Iterator[Sequence[Any]]:
    # Page by page by key: a trail of many years is never all in memory.
    a = audit.c
    asked: Select[Any] = select(audit).order_by(a.lane, a.number).limit(_AT_ONCE)
    if lane is not None:
        asked = asked.where(a.lane == lane)
    rows = tx.execute(asked).all()
    while rows:
        yield rows
        rows = tx.execute(asked.where(tuple_(a.lane, a.number) > (rows[-1].lane, rows[-1].number))).all()


def _line(row: Any) -> Line:
    entry = Entry(row.action, row.subject, row.actor, row.why, _value(row.before), _value(row.after))
    return Line(row.lane, row.number, row.at, entry, row.previous, row.hash)


def _value(text: str | None) -> Any:
    return None if text is None else unpacked(text)


# --- verifying ------------------------------------------------------------------------------------------------------------
def verify(tx: Connection, kept: Sequence[Head] = ()) -> list[Problem]:
    """Every place at which the trail is not what was appended, by lane and number; empty where all is well.

    `kept` are heads that were written down earlier. Nothing is repaired.
    """
    found: list[Problem] = []
    ends = {head.lane: head for head in heads(tx)}
    wanted: dict[tuple[str, int], str] = {(head.lane, head.number): head.hash for head in kept}
    seen: dict[str, tuple[int, str]] = {}
    for rows in _pages(tx):
        for row in rows:
            lane, number = row.lane, row.number
            last, previous = seen.get(lane, (0, NOTHING))
            whole = hash_of((lane, number, utc(row.at), *tuple(row)[3:-1])) == row.hash
            if number < 1:
                found.append(_inserted(lane, number))
            elif number > last + 1:
                found.append(_removed(lane, last + 1, number - 1))
            elif whole and row.previous != previous:
                # Chained to another entry than the one that stands before it now: that one was made anew.
                found.append(_changed(lane, max(last, 1)))
            if not whole:
                found.append(_changed(lane, number))
            expected = wanted.pop((lane, number), row.hash)
            if expected != row.hash:
                found.append(_remade(lane, number))
            if number > (ends[lane].number if lane in ends else 0):
                found.append(_inserted(lane, number))
            seen[lane] = (number, row.hash)
    for lane, head in ends.items():
        last, previous = seen.get(lane, (0, NOTHING))
        if last < head.number:
            found.append(_removed(lane, last + 1, head.number))
        elif last == head.number and previous != head.hash:
            found.append(_changed(lane, last))
    gone = {(p.where, p.code) for p in found}
    for lane, number in wanted:
        missing = _removed(lane, number, number)
        if number > seen.get(lane, (0, ""))[0] and (missing.where, missing.code) not in gone:
            found.append(missing)
    return list({(p.where, p.code): p for p in found}.values())


def _where(lane: str, first: int, last: int | None = None) -> str:
    return f"audit {lane} {first}" + (f"-{last}" if last is not None and last > first else "")


RESTORE = Text(
    "Compare with a backup or with an export of the trail, and find out who can write to the database.",
    "请与备份或审计日志的导出文件核对，并查明哪些人有数据库写权限。",
)


def _changed(lane: str, number: int) -> Problem:
    what = Text(
        "Entry {number} of lane {lane} was changed after it was written.",
        "审计链 {lane} 的第 {number} 条记录在写入后被改动。",
    )
    return Problem("audit_changed", _where(lane, number), what.fill(number=number, lane=lane), RESTORE)


def _removed(lane: str, first: int, last: int) -> Problem:
    if last > first:
        what = Text(
            "Entries {first} to {last} of lane {lane} were removed.",
            "审计链 {lane} 的第 {first} 至 {last} 条记录被删除。",
        )
    else:
        what = Text("Entry {first} of lane {lane} was removed.", "审计链 {lane} 的第 {first} 条记录被删除。")
    filled = what.fill(first=first, last=last, lane=lane)
    return Problem("audit_removed", _where(lane, first, last), filled, RESTORE)


def _inserted(lane: str, number: int) -> Problem:
    what = Text(
        "Entry {number} of lane {lane} was put in beside the trail.",
        "审计链 {lane} 的第 {number} 条记录是绕过系统插入的。",
    )
    return Problem("audit_inserted", _where(lane, number), what.fill(number=number, lane=lane), RESTORE)


def _remade(lane: str, number: int) -> Problem:
    what = Text(
        "Entry {number} of lane {lane} is not the one whose hash was kept: the trail up to it was made anew.",
        "审计链 {lane} 的第 {number} 条记录与留存的校验值不符：此前的记录被整体重写。",
    )
    return Problem("audit_remade", _where(lane, number), what.fill(number=number, lane=lane), RESTORE)


__all__ = [
    "MAIN",
    "Entry",
    "Head",
    "Line",
    "append",
    "at_end",
    "ending",
    "everything",
    "hash_of",
    "heads",
    "in_order",
    "listing",
    "stored",
    "verify",
]
