"""Trials of a mapping on what is kept: counts before and after over all records, and one record field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector.adapter import Record
from connector.connect import Connected
from connector.errors import ConfigError, Problem
from connector.mapping import Context, Mapping
from connector.mapping_trial import Trial, trial, unasked
from connector.store import Connection, records
from connector.store.db import Store
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Line:
    """One field of one record: what the record says, what the mapping in use makes of it, and what the draft would."""

    table: str
    field: str
    said: str
    now: str
    then: str
    problem: Problem | None = None

    @property
    def differs(self) -> bool:
        return self.now != self.then or self.problem is not None


def context(connected: Connected) -> Context:
    """In what the values of a system's records are read."""
    business = connected.config.business
    return Context(business.time_zone, business.currency, connected.name)


def in_use(connected: Connected) -> Mapping | None:
    """The mapping in use; None where it cannot be read any more."""
    try:
        return connected.mapping
    except ConfigError:
        return None


def tried_on_kept(store: Store, connected: Connected, new: Mapping, most: int) -> tuple[list[Trial], list[Text]]:
    """What a new mapping would change in the kept records of its system, so many of each stream at most, and what has to
    be said about that. Nothing is stored."""
    old = in_use(connected)  # one that cannot be read is why somebody brings another
    made, notes = [], []
    for stream in dict.fromkeys([*new.streams(), *(old.streams() if old else ())]):
        with store.reading() as tx:
            kept = [Record(k.key, k.body, k.where) for k in records.some(tx, connected.name, stream, most)]
        made.append(trial(old, new, stream, kept, context=context(connected)))
        if kept and (missing := unasked(old, new, stream, [r.data for r in kept])):
            notes.append(_UNASKED.fill(stream=stream, members=", ".join(missing)))
    if not any(one.records for one in made):
        notes.append(_NOTHING)
    return made, notes


def one_record(
    tx: Connection, connected: Connected, old: Mapping | None, new: Mapping | None, stream: str, key: str
) -> tuple[Any, list[Line]] | None:
    """One kept record as its system said it, and what becomes of each field; None where it is not kept (any more)."""
    kept = records.one(tx, connected.name, stream, key)
    if kept is None or kept.body is None:
        return None
    record = Record(kept.key, kept.body, kept.where)
    now = _steps(old, stream, record, connected)
    then = _steps(new, stream, record, connected)
    lines = []
    for place in dict.fromkeys([*then, *now]):
        before, after = now.get(place), then.get(place)
        said = (after or before or ("", "", None))[0]
        shown = "" if after is None else after[1]
        line = Line(place[0], place[1], said, "" if before is None else before[1], shown, after[2] if after else None)
        if line.said or line.now or line.then or line.problem:
            lines.append(line)
    return kept.body, lines


def _steps(
    mapping: Mapping | None, stream: str, record: Record, connected: Connected
) -> dict[tuple[str, str, int], tuple[str, str, Problem | None]]:
    """By table, field and the how-manieth of that name."""
    found: dict[tuple[str, str, int], tuple[str, str, Problem | None]] = {}
    for step in mapping.trace(stream, record, context=context(connected)) if mapping else ():
        nth = 0
        while (step.table, step.field, nth) in found:
            nth += 1
        found[step.table, step.field, nth] = (step.before, step.after, step.problem)
    return found


_UNASKED = Text(
    "{stream}: {members} were never read and are not in the kept records; the next pull reads the stream anew.",
    "{stream}：{members} 以前未读取，已保存的记录中没有；下次拉取将重新完整读取该数据流。",
)
_NOTHING = Text(
    "No records are kept yet, so nothing could be tried: `holdfast pull` reads them.",
    "尚无已保存的记录，无法试用：请先运行 `holdfast pull`。",
)

__all__ = ["Line", "context", "in_use", "one_record", "tried_on_kept"]
