"""A trial: what another mapping would make of records that are kept, beside what the present one makes of them.

Pure: nothing is stored and nobody is asked. An administrator reads it before a new version is put in use.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.adapter import Record
from connector.errors import Problem
from connector.mapping import Context, Mapping
from connector.model import KIND_OF, Fact, columns
from connector.money import from_minor, show


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one fact that would be different; `where` is its record. An empty word is an absent value.

    Without `field` it is the whole fact: its ref stands under `after` where it is new, under `before` where it is gone.
    """

    where: str
    kind: str
    ref: str
    field: str
    before: str
    after: str


@dataclass(slots=True)
class Count:
    """How many facts of one kind there are before and after, and how many would be new, gone or different."""

    before: int = 0
    after: int = 0
    new: int = 0
    gone: int = 0
    changed: int = 0


@dataclass(slots=True)
class Trial:
    """What a mapping would change in one stream.

    `problems` are those that only the new one has, one of a kind; `samples` the first few changes, not more than two of
    the same field. A record with a problem keeps the facts that it had.
    """

    stream: str
    records: int = 0
    facts: dict[str, Count] = field(default_factory=dict)
    problems_before: int = 0
    problems_after: int = 0
    problems: list[Problem] = field(default_factory=list)
    samples: list[Change] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether anything would be different in the records that were tried."""
        counts = self.facts.values()
        return self.problems_before != self.problems_after or any(c.new or c.gone or c.changed for c in counts)


_ALIKE_MOST = 2


def trial(
    old: Mapping | None,
    new: Mapping,
    stream: str,
    records: Iterable[Record],
    *,
    context: Context,
    samples_most: int = 5,
) -> Trial:
    """Reads records by both mappings; `old` None: the present one cannot be used, so that everything would be new."""
    made = Trial(stream)
    seen: Counter[tuple[str, str]] = Counter()
    for record in records:
        made.records += 1
        was, wrong_before = old.read(stream, record, context=context) if old else ([], [])
        will, wrong_after = new.read(stream, record, context=context)
        made.problems_before += len(wrong_before)
        made.problems_after += len(wrong_after)
        if wrong_after and len(made.problems) < samples_most:
            known = {(p.code, p.field, p.what) for p in (*wrong_before, *made.problems)}
            fresh = {(p.code, p.field, p.what): p for p in wrong_after}
            made.problems += [p for key, p in fresh.items() if key not in known][: samples_most - len(made.problems)]
        before, after = _by_name(was), _by_name(will)
        if wrong_after:
            after = {**before, **after}  # what cannot be read keeps its last good word
        for name in {**before, **after}:
            _compare(made, record, name, before.get(name), after.get(name), context, seen, samples_most)
    return made


def unasked(old: Mapping | None, new: Mapping, stream: str, bodies: Sequence[object]) -> list[str]:
    """Members that only the new mapping reads and that none of the kept records has: they were never asked for, so that
    the trial cannot show them; the next pull reads the stream anew."""
    before = set(old.wanted(stream)) if old else set()
    roots = {path.split(".")[0] for path in set(new.wanted(stream)) - before}
    there = [body for body in bodies if isinstance(body, dict)]
    return sorted(r for r in roots if not r.startswith(("_", "^")) and not any(r in body for body in there))


def _by_name(facts: Sequence[Fact]) -> dict[tuple[str, str], Fact]:
    return {(KIND_OF[type(fact)], fact.ref): fact for fact in facts}


def _compare(
    made: Trial,
    record: Record,
    name: tuple[str, str],
    before: Fact | None,
    after: Fact | None,
    context: Context,
    seen: Counter[tuple[str, str]],
    samples_most: int,
) -> None:
    kind, ref = name
    count = made.facts.setdefault(kind, Count())
    count.before += before is not None
    count.after += after is not None
    count.new += before is None
    count.gone += after is None
    if before == after:
        return
    if before is None or after is None:
        names: tuple[str, ...] = ("",)
    else:
        count.changed += 1
        names = columns(kind)
    for column in names:
        if len(made.samples) >= samples_most:
            return
        was, will = _shown(before, column, context), _shown(after, column, context)
        if was != will and seen[kind, column] < _ALIKE_MOST:
            seen[kind, column] += 1
            made.samples.append(Change(record.where or record.key, kind, ref, column, was, will))


def _shown(fact: Fact | None, column: str, context: Context) -> str:
    """A field of a fact for people: money with its decimals, not in minor units."""
    value = None if fact is None else getattr(fact, column or "ref")
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and column.endswith("amount"):
        own = context.base if column == "base_amount" else getattr(fact, "currency", None)
        return show(from_minor(value, own), own) if own else str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else str(value)
