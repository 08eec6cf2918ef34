"""Calculations: long questions, each worked on once by whichever node takes it, however often it is asked.

Who works on one tells it each few seconds; where nobody has for a while, the next takes it over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from connector.store import bulk
from connector.store.records import packed, unpacked
from connector.store.tables import calculation, utc
from connector.text import Text

State = Literal["waiting", "running", "done", "failed"]
# Whoever has told nothing for so long is gone.
DEAD_AFTER = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Calculation:
    """One question. `done` of `whole` (None: not known) while it is worked on; `made_at` is when its answer was made, None:
    there is none yet; `why` says why the last try has failed."""

    id: int
    kind: str
    asked: Mapping[str, Any]
    by: str
    asked_at: dt.datetime
    state: State
    done: int
    whole: int | None
    ended_at: dt.datetime | None
    made_at: dt.datetime | None
    why: Text | None
    kept: bytes | None

    @cached_property
    def result(self) -> Any:
        """The answer; None: there is none yet. Numbers keep every digit."""
        return unpacked(self.kept)

    @property
    def under_way(self) -> bool:
        """Whether an answer is still to come."""
        return self.state in ("waiting", "running")


def ask(
    tx: Connection,
    kind: str,
    question: str,
    asked: Mapping[str, Any],
    by: str,
    now: dt.datetime,
    *,
    again: bool = False,
) -> Calculation:
    """Asks a question. One that was asked before is that one; what has failed, and with `again` what is answered, is worked
    on once more."""
    make = sqlite.insert if bulk.is_sqlite(tx) else postgresql.insert
    values = {
        "kind": kind, "question": question, "asked": packed(dict(asked)), "by": by, "asked_at": now, "state": "waiting",
    }  # fmt: skip
    tx.execute(make(calculation).values(**values).on_conflict_do_nothing())
    found = find(tx, kind, question)
    assert found is not None, "it has just been asked"
    if found.state == "failed" or (again and found.state == "done"):
        anew = {"state": "waiting", "by": by, "asked_at": now, "done": 0, "whole": None, "why_en": None, "why_zh": None}
        mine = (calculation.c.id == found.id, calculation.c.state == found.state)
        tx.execute(calculation.update().where(*mine).values(**anew))
        found = find(tx, kind, question)
        assert found is not None, "it is never taken away within a day"
    return found


def find(tx: Connection, kind: str, question: str) -> Calculation | None:
    """One by its question."""
    c = calculation.c
    row = tx.execute(select(calculation).where(c.kind == kind, c.question == question)).one_or_none()
    return None if row is None else _one(row)


def get(tx: Connection, number: int, kind: str) -> Calculation | None:
    """One by its number."""
    c = calculation.c
    row = tx.execute(select(calculation).where(c.id == number, c.kind == kind)).one_or_none()
    return None if row is None else _one(row)


def newest(tx: Connection, kind: str, most: int = 20) -> list[Calculation]:
    """The newest ones of a kind, without their answers."""
    c = calculation.c
    columns = [column for column in c if column.name != "result"]
    asked = select(*columns).where(c.kind == kind).order_by(c.asked_at.desc(), c.id.desc()).limit(most)
    return [_one(row, None) for row in tx.execute(asked)]


def answered_before(tx: Connection, kind: str, question: str) -> Calculation | None:
    """The one with an answer whose question comes last before this one, in the order of texts."""
    c = calculation.c
    asked = select(calculation).where(c.kind == kind, c.question < question, c.made_at.is_not(None))
    row = tx.execute(asked.order_by(c.question.desc()).limit(1)).one_or_none()
    return None if row is None else _one(row)


def questions(tx: Connection, kind: str, most: int) -> list[str]:
    """The questions of a kind that have an answer, the last ones in the order of texts first."""
    c = calculation.c
    asked = select(c.question).where(c.kind == kind, c.made_at.is_not(None)).order_by(c.question.desc()).limit(most)
    return list(tx.execute(asked).scalars())


# --- working on them ---------------------------------------------------------------------------------------------------
def waits(tx: Connection, now: dt.datetime) -> bool:
    """Whether one is to be worked on by nobody yet, or by nobody any more."""
    return tx.execute(select(calculation.c.id).where(_free(now)).limit(1)).scalar() is not None


def left(tx: Connection, now: dt.datetime) -> bool:
    """Whether one was left behind: who worked on it is gone, or it has waited for long while nobody works on any."""
    c = calculation.c
    oldest: dt.datetime | None = tx.execute(select(func.min(c.beat_at)).where(c.state == "running")).scalar()
    if oldest is None:
        oldest = tx.execute(select(func.min(c.asked_at)).where(c.state == "waiting")).scalar()
    return oldest is not None and oldest < now - DEAD_AFTER


def take(tx: Connection, holder: str, now: dt.datetime) -> Calculation | None:
    """Takes the oldest that nobody works on; None: there is none."""
    c = calculation.c
    asked = select(c.id).where(_free(now)).order_by(c.asked_at, c.id).limit(1)
    number = tx.execute(asked.with_for_update(skip_locked=True)).scalar()
    if number is None:
        return None
    tx.execute(
        calculation.update()
        .where(c.id == number)
        .values(state="running", holder=holder, beat_at=now, done=0, whole=None)
    )
    return _one(tx.execute(select(calculation).where(c.id == number)).one())


def _free(now: dt.datetime) -> Any:
    c = calculation.c
    dead = and_(c.state == "running", c.beat_at < utc(now - DEAD_AFTER))
    return or_(c.state == "waiting", dead)


def beat(tx: Connection, number: int, holder: str, done: int, whole: int | None, now: dt.datetime) -> bool:
    """Tells how far one is; False: somebody else has taken it over."""
    return _mine(tx, number, holder, beat_at=now, done=done, whole=whole)


def answer(tx: Connection, number: int, holder: str, result: Any, now: dt.datetime) -> bool:
    """Keeps the answer; False: somebody else has taken it over."""
    return _mine(
        tx, number, holder, state="done", ended_at=now, made_at=now, result=packed(result), why_en=None, why_zh=None
    )


def fail(tx: Connection, number: int, holder: str, why: Text, now: dt.datetime) -> bool:
    """Keeps why there is no answer; one from before stays."""
    return _mine(tx, number, holder, state="failed", ended_at=now, why_en=why.en, why_zh=why.zh)


def _mine(tx: Connection, number: int, holder: str, **values: Any) -> bool:
    c = calculation.c
    mine = (c.id == number, c.holder == holder, c.state == "running")
    return tx.execute(calculation.update().where(*mine).values(**values)).rowcount == 1


def expire(tx: Connection, before: dt.datetime) -> int:
    """Deletes what was asked before a moment; says how many."""
    return tx.execute(calculation.delete().where(calculation.c.asked_at < utc(before))).rowcount


_READ: Any = object()


def _one(row: Any, kept: Any = _READ) -> Calculation:
    return Calculation(
        row.id,
        row.kind,
        unpacked(row.asked),
        row.by,
        row.asked_at,
        row.state,
        row.done,
        row.whole,
        row.ended_at,
        row.made_at,
        None if row.why_en is None else Text(row.why_en, row.why_zh or row.why_en),
        row.result if kept is _READ else kept,
    )
