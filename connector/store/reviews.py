"""Reviews: the open review of each debtor, and all that were finished; nothing of a finished one is ever overwritten."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import simplejson
from sqlalchemy import Connection, Select, func, select

from connector.credit.review import Seen
from connector.store import bulk, quick
from connector.store.tables import review, utc

State = Literal["planned", "started", "proposed", "done"]
Conclusion = Literal["keep", "raise", "cut", "stop"]


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One review. `due_on` is the day it should be finished by, `why` what made it that day (`class` or a happening).

    `conclusion` and what follows are there from `proposed` on; `approvals` are persons with the moment, in order.
    `limit` is in minor units of `limit_currency`. `snapshot` is everything the reviewer was shown.
    """

    id: int
    debtor: int
    state: State
    due_on: dt.date
    why: str
    seen: Seen
    opened_at: dt.datetime
    started_at: dt.datetime | None = None
    reviewer: str | None = None
    snapshot: Mapping[str, Any] | None = None
    snapshot_sha: str | None = None
    answers: Mapping[str, str] | None = None
    conclusion: Conclusion | None = None
    limit: int | None = None
    limit_currency: str | None = None
    reason: str | None = None
    approvals: Sequence[Mapping[str, str]] = ()
    done_on: dt.date | None = None


def open_reviews(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, ReviewRow]:
    """The review of each debtor that is not finished."""
    return {row.debtor: row for row in _rows(tx, debtors, review.c.state != "done")}


def due(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, dt.date]:
    """The day by which the open review of each debtor should be finished."""
    asked = select(review.c.debtor, review.c.due_on).where(review.c.state != "done")
    if debtors is not None:
        asked = asked.where(bulk.among(tx, review.c.debtor, debtors))
    return {row.debtor: row.due_on for row in tx.execute(asked)}


def stopped(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, ReviewRow]:
    """The debtors whose last finished review stopped their credit, with that review."""
    given = {} if debtors is None else {"ids": bulk.given(tx, debtors)}
    asked = _stopped(bulk.is_sqlite(tx), debtors is not None)
    return {row.debtor: _row(row) for row in quick.rows(tx, asked, given)}


@cache
def _stopped(sqlite: bool, some: bool) -> Select[Any]:
    r = review.c
    newest = select(func.max(r.id)).where(r.state == "done").group_by(r.debtor)
    if some:
        newest = newest.where(bulk.among_ids(sqlite, r.debtor))
    return select(review).where(r.id.in_(newest), r.conclusion == "stop")


def last_done(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, dt.date]:
    """The day of each debtor's last finished review."""
    r = review.c
    asked = select(r.debtor, func.max(r.done_on).label("last")).where(r.state == "done").group_by(r.debtor)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, r.debtor, debtors))
    return {row.debtor: row.last for row in tx.execute(asked)}


def history(tx: Connection, debtor: int) -> list[ReviewRow]:
    """All reviews of a debtor, newest first."""
    return _rows(tx, [debtor])[::-1]


def by_id(tx: Connection, number: int) -> ReviewRow | None:
    """One review."""
    row = tx.execute(select(review).where(review.c.id == number)).one_or_none()
    return None if row is None else _row(row)


def plan(tx: Connection, found: Sequence[tuple[int, dt.date, str, Seen]], now: dt.datetime) -> None:
    """Opens a review for debtors that have none open: (debtor, due on, why, what it looks like)."""
    at, ids = utc(now), list(bulk.new_ids(tx, review, len(found)))
    rows = [(n, d, "planned", on, why, _said(seen), at) for n, (d, on, why, seen) in zip(ids, found, strict=True)]
    bulk.insert(tx, review, ("id", "debtor", "state", "due_on", "why", "seen", "opened_at"), rows)


def pull_forward(tx: Connection, found: Sequence[tuple[int, dt.date, str, Seen]]) -> None:
    """Moves open reviews: (review, due on, why, what the debtor looks like now)."""
    rows = [(on, why, _said(seen), number) for number, on, why, seen in found]
    bulk.update(tx, review, ("due_on", "why", "seen"), rows, by=("id",))


def start(tx: Connection, number: int, reviewer: str, snapshot: Mapping[str, Any], now: dt.datetime) -> str:
    """Begins a review with everything that is looked at; gives the snapshot's SHA-256."""
    text = simplejson.dumps(snapshot, sort_keys=True, ensure_ascii=False, default=str)
    sha = hashlib.sha256(text.encode()).hexdigest()
    tx.execute(
        review.update()
        .where(review.c.id == number)
        .values(state="started", reviewer=reviewer, snapshot=text, snapshot_sha=sha, started_at=utc(now))
    )
    return sha


def propose(
    tx: Connection,
    number: int,
    *,
    answers: Mapping[str, str],
    conclusion: Conclusion,
    limit: int | None,
    currency: str | None,
    reason: str,
) -> None:
    """What the reviewer concludes; it counts when it is finished."""
    tx.execute(
        review.update()
        .where(review.c.id == number)
        .values(
            state="proposed",
            answers=simplejson.dumps(dict(answers), ensure_ascii=False),
            conclusion=conclusion,
            limit_amount=limit,
            limit_currency=currency,
            reason=reason,
            approvals="[]",
        )
    )


def approve(tx: Connection, row: ReviewRow, person: str, now: dt.datetime) -> None:
    """Adds a person to those who agree."""
    approvals = [*row.approvals, {"person": person, "at": utc(now).isoformat(timespec="seconds") + "Z"}]
    tx.execute(review.update().where(review.c.id == row.id).values(approvals=simplejson.dumps(approvals)))


def send_back(tx: Connection, number: int) -> None:
    """An approver does not agree: the reviewer has it again."""
    tx.execute(review.update().where(review.c.id == number).values(state="started", conclusion=None))


def finish(tx: Connection, number: int, on: dt.date, now: dt.datetime) -> None:
    """Closes a review for good."""
    tx.execute(review.update().where(review.c.id == number).values(state="done", done_on=on, done_at=utc(now)))


def _rows(tx: Connection, debtors: Collection[int] | None, *where: Any) -> list[ReviewRow]:
    asked = select(review).where(*where).order_by(review.c.id)
    if debtors is not None:
        asked = asked.where(bulk.among(tx, review.c.debtor, debtors))
    return [_row(row) for row in tx.execute(asked)]


def _row(row: Any) -> ReviewRow:
    return ReviewRow(
        id=row.id,
        debtor=row.debtor,
        state=row.state,
        due_on=row.due_on,
        why=row.why,
        seen=_seen(simplejson.loads(row.seen)),
        opened_at=row.opened_at,
        started_at=row.started_at,
        reviewer=row.reviewer,
        snapshot=simplejson.loads(row.snapshot) if row.snapshot else None,
        snapshot_sha=row.snapshot_sha,
        answers=simplejson.loads(row.answers) if row.answers else None,
        conclusion=row.conclusion,
        limit=row.limit_amount,
        limit_currency=row.limit_currency,
        reason=row.reason,
        approvals=simplejson.loads(row.approvals) if row.approvals else (),
        done_on=row.done_on,
    )


def _said(seen: Seen) -> str:
    said = {"level": seen.level, "grade": seen.grade, "over": seen.over}
    return simplejson.dumps(said if seen.told is None else {**said, "told": list(seen.told)})


def _seen(said: Mapping[str, Any]) -> Seen:
    told = said.get("told")
    return Seen(said["level"], said["grade"], said["over"], None if told is None else tuple(told))
