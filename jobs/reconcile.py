"""Reconcile: what stands in a system now against what we last wrote there; part of the night.

A hold that somebody has taken off there is an event, not a fight: it is told once and left so, while the rest of the
record is kept right (`[[systems]] undone = "restore"` puts it back instead). Other fields that were overwritten are
restored once; what is changed again after that is told. A hold that somebody has set by hand is not ours to lift, and
a limit that somebody has changed is told only: it may have been approved there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.adapter import ActionKind, Change, Channel
from connector.connect import Connected
from connector.errors import Problem
from connector.store import Connection, customers, order_credit, outbox, stops
from connector.store.bulk import is_sqlite
from connector.store.db import Store
from connector.store.outbox import OutboxRow
from connector.store.stops import Stopped
from connector.text import Text, joined, same
from jobs.alike import alike
from jobs.holding import Holding
from jobs.progress import Progress, silent
from jobs.run import Run, running
from jobs.undone import tell

# Holds and orders are all looked at; of records that only show figures so many a night, each in its turn.
_FIGURES_A_NIGHT = 5000
_KINDS: tuple[ActionKind, ...] = ("hold", "order_fields", "customer_fields", "limit")


@dataclass
class _Seen:
    """One record of ours that was read back: what a person has undone there, and what else differs."""

    row: OutboxRow
    there: Mapping[str, Any]
    undone: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    news: bool = True  # what is undone was not known before
    otherwise: bool = False  # it holds in another way than it should by now


def reconcile(store: Store, connected: Connected, *, progress: Progress = silent) -> Run:
    """Compares one system with what we wrote there, after everything owed was delivered. Of our own errors it raises
    LeaseLost only."""
    with running(store, connected.clock, "reconcile", connected.name) as run:
        with store.reading() as tx:
            aside = {(row.kind, row.target): row for row in outbox.undone(tx, connected.name)}
        for kind in _KINDS:
            channel = connected.adapter.channel(kind)
            if channel is not None and channel.current is not None and connected.mapping.writes_to(kind):
                _compare(store, connected, channel, aside, run, progress)
    return run


def _compare(
    store: Store,
    connected: Connected,
    channel: Channel[Any],
    aside: Mapping[tuple[str, str], OutboxRow],
    run: Run,
    progress: Progress,
) -> None:
    kind = channel.kind
    holding = Holding(connected, channel)
    held = holding.fields
    with store.reading() as tx:
        rows = outbox.standing(tx, connected.name, kind)
        ours = stops.stopped(tx, connected.name, kind, [row.target for row in rows if holding.holds(row.values)])
    chosen = _chosen(rows, kind, held, connected.clock.now())
    known = {row.target for row in chosen}
    chosen += [row for row in rows if row.target not in known and (kind, row.target) in aside]
    for start in range(0, len(chosen), channel.batch):
        some = chosen[start : start + channel.batch]
        assert channel.current is not None, "asked for above"
        now = channel.current(connected.client, [row.target for row in some])
        found = [_looked_at(row, now[row.target], holding, ours) for row in some if row.target in now]
        run.counts["compared"] += len(found)
        _answer(store, connected, channel, found, aside, run)
        progress(f"{connected.name}/{kind}", start + len(some), len(chosen))
    for problem in holding.problems():
        run.problem(problem)


def _chosen(rows: list[OutboxRow], kind: str, held: Mapping[str, Any], now: dt.datetime) -> list[OutboxRow]:
    if kind in ("hold", "order_fields"):
        return [row for row in rows if any(row.values.get(name) == value for name, value in held.items())]
    if len(rows) <= _FIGURES_A_NIGHT:
        return rows
    turns = -(-len(rows) // _FIGURES_A_NIGHT)
    turn = now.date().toordinal() % turns
    return rows[turn * _FIGURES_A_NIGHT : (turn + 1) * _FIGURES_A_NIGHT]


def _looked_at(row: OutboxRow, there: Mapping[str, Any], holding: Holding, ours: Mapping[str, Stopped]) -> _Seen:
    stop = ours.get(row.target)
    lock = holding.extra_field(stop.way) if stop is not None else ""
    if stop is not None and lock and not alike(True, stop.before.get(lock)):
        row = replace(row, values={**row.values, lock: True})
    seen = _Seen(row, there)
    for name, value in row.values.items():
        if name not in there or alike(value, there[name]):
            continue
        if name not in holding.fields and name != lock:
            seen.overwritten.append(name)
        elif name == lock or alike(value, holding.fields[name]):
            seen.undone.append(name)
    best = holding.way.block.name if stop is not None and holding.way.block is not None else ""
    if stop is not None and best != stop.way and not seen.undone:
        seen.otherwise = True
    return seen


# --- what follows ------------------------------------------------------------------------------------------------------
def _answer(
    store: Store,
    connected: Connected,
    channel: Channel[Any],
    found: Sequence[_Seen],
    aside: Mapping[tuple[str, str], OutboxRow],
    run: Run,
) -> None:
    restores = connected.system.undone == "restore"
    over: list[int] = []
    for seen in found:
        before = aside.get((channel.kind, seen.row.target))
        if before is None:
            if restores:
                seen.overwritten, seen.undone = seen.overwritten + seen.undone, []
        elif all(alike(before.values.get(name), seen.there.get(name)) for name in outbox.fields_of(before)):
            over.append(before.id)
        elif before.state == "undone":
            seen.news = not set(seen.undone) <= set(outbox.fields_of(before))
            seen.undone = list(outbox.fields_of(before))
        else:  # somebody here has taken note of it
            seen.undone = [name for name in seen.undone if name not in outbox.fields_of(before)]
    differing = [seen for seen in found if seen.undone or seen.overwritten]
    otherwise = [seen for seen in found if seen.otherwise and not seen.overwritten]
    changes = _changes(connected, channel, differing)
    now = connected.clock.now()
    with store.writing() as tx:
        stands = _stand(tx, connected.name, channel.kind, [*differing, *otherwise])
        differing = [seen for seen in differing if seen.row.id in stands]
        otherwise = [seen for seen in otherwise if seen.row.id in stands]
        outbox.close_undone(tx, over, now)
        for seen in otherwise:
            outbox.write_again(tx, seen.row, now)
        run.counts["otherwise"] += len(otherwise)
        names, told = _names(tx, differing), list[tuple[_Seen, Text]]()
        for seen in differing:
            of = _Words(connected.name, names.get(seen.row.customer or -1, ""), changes.get(seen.row.target))
            may = restores or (channel.kind != "limit" and seen.row.code != outbox.RESTORED)
            again, whole = bool(seen.overwritten) and may, False
            if seen.undone:
                what = of.say(_UNDONE, seen, seen.undone)
                number = outbox.note_undone(tx, seen.row, seen.undone, what, now)
                whole = restores and outbox.restore(tx, number, now)
                fix = _RESTORED if restores else _UNDONE_FIX.fill(id=number)
                run.counts["undone"] += 1
                if not restores and seen.news:
                    told.append((seen, what))
                run.problem(of.problem("undone", seen, what, fix, seen.undone))
            if seen.overwritten:
                what = of.say(_OVERWRITTEN, seen, seen.overwritten)
                code, fix = ("overwritten", _RESTORED) if again else ("overwritten_again", _AGAIN)
                if channel.kind == "limit" and not again:
                    code, fix = "limit_changed", _LIMIT
                run.problem(of.problem(code, seen, what, fix, seen.overwritten))
            if again and not whole:
                outbox.write_again(tx, seen.row, now, without=seen.undone)
            run.counts["restored"] += bool(again or whole)
        for seen, what in told:  # last: others wait for the audit trail
            run.counts["told"] += tell(tx, connected, seen.row, seen.undone, seen.there, what)


def _stand(tx: Connection, system: str, kind: ActionKind, found: Sequence[_Seen]) -> set[int]:
    """Which of these rows are still the last word on their records. While they were read back somebody may have decided
    otherwise, and an old word written after a newer one would stand there."""
    if not found:
        return set()
    if not is_sqlite(tx):
        # Whoever decides has this lock. (SQLite has one writer anyway.)
        keys = [seen.row.customer for seen in found if seen.row.customer is not None]
        order_credit.lock(tx, customers.debtors_of(tx, keys))
    return {row.id for row in outbox.standing(tx, system, kind, [seen.row.target for seen in found])}


def _changes(connected: Connected, channel: Channel[Any], seen: Sequence[_Seen]) -> Mapping[str, Change]:
    """Who last changed these records and when, where the system says so."""
    if channel.changes is None or not seen:
        return {}
    return channel.changes(connected.client, [one.row.target for one in seen])


def _names(tx: Connection, seen: Sequence[_Seen]) -> dict[int, str]:
    keys = {one.row.customer for one in seen if one.row.customer is not None}
    return {row.key: row.name for row in customers.customers(tx, keys=sorted(keys))} if keys else {}


_UNDONE = Text(
    "The credit hold of {name} was taken off there: {fields}.{who}",
    "{name} 的信用冻结在该系统中被取消：{fields}。{who}",
)
_OVERWRITTEN = Text(
    "Fields of {name} were changed there: {fields}.{who}", "{name} 的字段在该系统中被改动：{fields}。{who}"
)
_FIELD = Text("{field} is {there}, we wrote {ours}", "{field} 现为 {there}，本系统写入的是 {ours}")
_WHO = Text(" Last changed by {who}, {at}.", "最近修改：{who}，{at}。")
_UNDONE_FIX = Text(
    "It is left so. `holdfast outbox retry {id}` holds again, `holdfast outbox drop {id}` takes note of it.",
    "现状予以保留。如需重新冻结，请执行 `holdfast outbox retry {id}`；如认可，请执行 `holdfast outbox drop {id}`。",
)
_RESTORED = Text("It is written again.", "将重新写入。")
_AGAIN = Text(
    "It was restored before and is not written again. Find out who or which workflow changes it, or take the field out "
    "of the mapping.",
    "此前已恢复过一次，不再重写。请查明是何人或何工作流在修改，或从映射中去掉该字段。",
)
_LIMIT = Text(
    "It is left so. Approve that limit here, or set it back there.",
    "现状予以保留。请在此审批该额度，或在对方系统中改回。",
)


@dataclass(frozen=True)
class _Words:
    """How one record is told of."""

    system: str
    name: str
    change: Change | None

    def say(self, text: Text, seen: _Seen, fields: Sequence[str]) -> Text:
        each = [_FIELD.fill(field=f, there=_shown(seen.there.get(f)), ours=_shown(self._ours(seen, f))) for f in fields]
        who = same("")
        if self.change is not None:
            at = self.change.at.isoformat(" ", "minutes") if self.change.at else "?"
            who = _WHO.fill(who=self.change.who or "?", at=at)
        name = f"{self.name} ({seen.row.target})" if self.name else seen.row.target
        return text.fill(name=name, fields=joined(each), who=who)

    def _ours(self, seen: _Seen, name: str) -> Any:
        return seen.row.values.get(name, True)  # what was undone before is not written any more

    def problem(self, code: str, seen: _Seen, what: Text, fix: Text, fields: Sequence[str]) -> Problem:
        return Problem(code, f"{self.system}/{seen.row.kind}/{seen.row.target}", what, fix, ", ".join(fields))


def _shown(value: Any) -> str:
    text = "-" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else text[:79] + "…"
