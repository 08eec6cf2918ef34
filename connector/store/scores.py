"""Scores: every score of a debtor that changed something, with all it was made of, and the scorecards; append-only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, func, select

from connector.credit.score import Score, as_kept, digest
from connector.store import bulk, quick
from connector.store.records import packed, unpacked
from connector.store.tables import score, scorecard, utc


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score as it was kept: it holds from `as_of` until the next one. `points` and `grade` None: no score."""

    id: int
    debtor: int
    as_of: dt.date
    made_at: dt.datetime
    version: str
    points: Decimal | None
    grade: str | None
    digest: str
    body: Mapping[str, Any]


def keep(
    tx: Connection, found: Sequence[tuple[int, Score]], made_at: dt.datetime, digests: Mapping[int, str] | None = None
) -> int:
    """Keeps the scores of debtors that differ from their newest ones; says how many. `digests` are those of the scores,
    where somebody has worked them out before."""
    before = _digests(tx, [debtor for debtor, _ in found])
    news = []
    for debtor, one in found:
        own = digest(one) if digests is None else digests[debtor]
        if before.get(debtor) != own:
            news.append((debtor, one, own))
    ids = bulk.new_ids(tx, score, len(news))
    at = utc(made_at)
    rows = [
        (
            number,
            debtor,
            one.as_of,
            at,
            one.version,
            None if one.points is None else f"{one.points:f}",
            one.grade,
            own,
            packed(as_kept(one)),
        )
        for number, (debtor, one, own) in zip(ids, news, strict=True)
    ]
    columns = ("id", "debtor", "as_of", "made_at", "version", "points", "grade", "digest", "body")
    bulk.insert(tx, score, columns, rows)
    return len(news)


def keep_card(tx: Connection, version: str, body: str, made_at: dt.datetime) -> None:
    """Keeps a scorecard by its version, once."""
    if not quick.rows(tx, _CARD, {"called": version}):
        tx.execute(scorecard.insert().values(version=version, body=body, made_at=made_at))


_CARD = select(scorecard.c.version).where(scorecard.c.version == bindparam("called", type_=String))


def card(tx: Connection, version: str) -> str | None:
    """The scorecard of a version, as it was kept."""
    return tx.execute(select(scorecard.c.body).where(scorecard.c.version == version)).scalar()


def latest(tx: Connection, debtors: Collection[int] | None = None, as_of: dt.date | None = None) -> dict[int, ScoreRow]:
    """The score of each debtor that has one: the newest, or the one that held at the end of a day."""
    s = score.c
    newest = select(func.max(s.id)).group_by(s.debtor)
    if debtors is not None:
        newest = newest.where(bulk.among(tx, s.debtor, debtors))
    if as_of is not None:
        newest = newest.where(s.as_of <= as_of)
    return {row.debtor: _row(row) for row in tx.execute(select(score).where(s.id.in_(newest)))}


def held_on(
    tx: Connection, debtors: Collection[int] | None, on: Mapping[int, dt.date], otherwise: dt.date
) -> dict[int, tuple[Decimal, dt.date]]:
    """Of each debtor with scores, the points that it had at the end of a day (its own of `on`, else `otherwise`) and
    since when; of one that had none by then, its first ones after it."""
    if debtors is None:
        rows = tx.execute(_HELD)
    else:
        rows = tx.execute(_held_of(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, debtors)})
    found: dict[int, tuple[Decimal, dt.date]] = {}
    for debtor, as_of, points in rows.all():
        if debtor not in found or as_of <= on.get(debtor, otherwise):
            found[debtor] = (Decimal(points), as_of)
    return found


_HELD = (
    select(score.c.debtor, score.c.as_of, score.c.points)
    .where(score.c.points.is_not(None))
    .order_by(score.c.debtor, score.c.id)
)


@cache
def _held_of(sqlite: bool) -> Select[Any]:
    return _HELD.where(bulk.among_ids(sqlite, score.c.debtor))


def history(tx: Connection, debtor: int) -> list[ScoreRow]:
    """All scores of a debtor, newest first."""
    asked = select(score).where(score.c.debtor == debtor).order_by(score.c.id.desc())
    return [_row(row) for row in tx.execute(asked)]


def _digests(tx: Connection, debtors: Collection[int]) -> dict[int, str]:
    given = {"ids": bulk.given(tx, debtors)}
    return dict(quick.rows(tx, _digests_of(bulk.is_sqlite(tx)), given))


@cache
def _digests_of(sqlite: bool) -> Select[Any]:
    s = score.c
    newest = select(func.max(s.id)).where(bulk.among_ids(sqlite, s.debtor)).group_by(s.debtor)
    return select(s.debtor, s.digest).where(s.id.in_(newest))


def _row(row: Any) -> ScoreRow:
    return ScoreRow(
        row.id,
        row.debtor,
        row.as_of,
        row.made_at,
        row.version,
        row.points,
        row.grade,
        row.digest,
        unpacked(row.body),
    )
