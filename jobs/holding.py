"""Holding: how what an order or a customer is held with is sent to a system, and taken back.

Evaluate says *that* something is held; here is decided *how*: by which of the system's ways (`jobs.ways`), told to its
channel as one value more. What a person had set there before us is remembered before anything is sent, and put back
instead of lifted; what a person has undone of ours is left so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connector.adapter import ActionKind, Channel
from connector.connect import Connected
from connector.errors import Problem
from connector.store import Connection, outbox, stops
from connector.store.db import Store
from connector.store.outbox import OutboxRow
from connector.store.stops import Stopped
from jobs.alike import alike
from jobs.pull import context_of
from jobs.ways import Way, way, ways, weaker

Values = Mapping[str, Any]


def held_fields(connected: Connected, kind: str) -> dict[str, Any]:
    """The fields that say that something is held, with the value they have then."""
    if not connected.mapping.writes_to(kind):
        return {}
    fields, context = connected.mapping.writes[kind].fields, context_of(connected)
    return {f.name: f.value({"hold": True}, context) for f in fields if f.word == "hold"}


@dataclass
class Holding:
    """Holds of one kind in one system, for one run. `undone` are the fields that people have undone there, by target."""

    connected: Connected
    channel: Channel[Any]
    undone: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def kind(self) -> ActionKind:
        return self.channel.kind

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The mapped fields that say that something is held, with the value they have then."""
        return held_fields(self.connected, self.kind)

    @cached_property
    def way(self) -> Way:
        """How this kind holds there now; the system is asked once a run, and only where something is held."""
        return way(self.connected, self.kind)

    @property
    def asked(self) -> bool:
        """Whether anything was held in this run, so that it is known how."""
        return "way" in self.__dict__

    def problems(self) -> Iterator[Problem]:
        """That it holds in a weaker way than it should."""
        if self.asked:
            yield from weaker(self.connected, self.kind, self.way)

    @property
    def _reasons(self) -> list[str]:
        """The mapped fields that say why."""
        return [f.name for f in self.connected.mapping.writes[self.kind].fields if f.word == "hold_reason"]

    def holds(self, values: Values) -> bool:
        """Whether these values hold."""
        return any(name in values and alike(value, values[name]) for name, value in self.fields.items())

    def lifts(self, values: Values) -> bool:
        """Whether these values let go."""
        return any(name in values for name in self.fields) and not self.holds(values)

    def shown(self, values: Values, there: Values) -> bool:
        """Whether what stands there holds, or lets go, as these values say. Texts are not looked at: systems cut them."""
        names = {*self.fields, *(b.field for b in self.connected.adapter.blocks if b.channel == self.kind)}
        return all(alike(v, there[n]) for n, v in values.items() if n in names and n in there)

    def extra_field(self, name: str) -> str:
        """The value by which a way is told to the channel, "" where the mapped fields are enough."""
        known = (b for b in self.connected.adapter.blocks if b.channel == self.kind and b.name == name)
        return next((b.field for b in known), "")

    # --- before it is sent ---------------------------------------------------------------------------------------------
    def values_of(self, store: Store, rows: Sequence[OutboxRow], now: dt.datetime) -> list[dict[str, Any]]:
        """What is to be sent for each row, in their order; our new holds are kept before that."""
        plain = [dict(row.values) for row in rows]
        if not self.fields:
            return plain
        holding = [row for row in rows if self.holds(row.values)]
        lifting = [row for row in rows if self.lifts(row.values)]
        if not holding and not lifting:
            return plain
        with store.reading() as tx:
            there = stops.stopped(tx, self.connected.name, self.kind, [row.target for row in (*holding, *lifting)])
            strange = [row.target for row in lifting if row.target not in there]
            known = outbox.last_settled(tx, self.connected.name, self.kind, strange) if strange else {}
        made = self._new([row for row in holding if row.target not in there])
        name = self.way.block.name if holding and self.way.block else ""
        left: dict[str, str] = {}  # targets that are held in another way from now on, with the former one
        for row in holding:
            before = there.get(row.target)
            if before is not None and before.way != name:
                left[row.target] = before.way
                made.append(Stopped(row.target, name, before.before))
        if made:
            with store.writing() as tx:
                stops.keep(tx, self.connected.name, self.kind, made, now)
        here = {**there, **{one.target: one for one in made}}
        for values, row in zip(plain, rows, strict=True):
            stop = here.get(row.target)
            if stop is not None and self.holds(row.values):
                self._add(values, stop.way, stop, hold=True)
                if row.target in left:
                    self._add(values, left[row.target], stop, hold=False)
            elif stop is not None and self.lifts(row.values):
                self._give_back(values, stop)
            elif self.lifts(row.values) and not row.uncertain and not self.holds(known.get(row.target, {})):
                # It was never held by us: what stands there is somebody else's.
                for name in (*self.fields, *self._reasons):
                    values.pop(name, None)
        return plain

    def _new(self, rows: Sequence[OutboxRow]) -> list[Stopped]:
        """Holds that are new, each with what a person has set there before us."""
        if not rows:
            return []
        name = self.way.block.name if self.way.block else ""
        fields = [b.field for b in ways(self.connected.adapter, "strongest", self.kind) if b.field]
        now: Mapping[str, Values] = {}
        if self.channel.current is not None:
            now = self.channel.current(self.connected.client, [row.target for row in rows])
        made = []
        for row in rows:
            seen = now.get(row.target, {})
            flagged = any(n in seen and alike(v, seen[n]) for n, v in self.fields.items())
            locked = any(alike(True, seen.get(f)) for f in fields)
            # An attempt of ours that was not settled may have arrived, or our store is a new one: what says the same
            # sentence is ours.
            told = row.uncertain or any(isinstance(v, str) and v for v in row.values.values())
            ours = told and all(alike(v, seen.get(n)) for n, v in row.values.items() if n in seen)
            before: dict[str, Any] = {}
            if flagged and not ours:
                before |= {n: seen[n] for n in row.values if n in seen}
            if locked and not (row.uncertain and flagged):
                before |= {f: seen[f] for f in fields if f in seen}
            made.append(Stopped(row.target, name, before))
        return made

    def _add(self, values: dict[str, Any], name: str, stop: Stopped, *, hold: bool) -> None:
        extra = self.extra_field(name)
        if not extra or extra in self.undone.get(stop.target, ()) or alike(True, stop.before.get(extra)):
            return  # a person's own lock is neither ours to set nor to take off
        values[extra] = hold

    def _give_back(self, values: dict[str, Any], stop: Stopped) -> None:
        """Lets go: of what we set, and no more. What a person had set before us stands as it was."""
        if self.holds(stop.before):
            values.update({name: stop.before[name] for name in values if name in stop.before})
        self._add(values, stop.way, stop, hold=False)

    # --- after it was sent -----------------------------------------------------------------------------------------------
    def settled(self, tx: Connection, rows: Sequence[OutboxRow], now: dt.datetime) -> int:
        """What was let go is ours no more; says of how many a person's own hold was left standing."""
        lifted = [row.target for row in rows if self.fields and self.lifts(row.values)]
        if not lifted:
            return 0
        there = stops.stopped(tx, self.connected.name, self.kind, lifted)
        stops.forget(tx, self.connected.name, self.kind, list(there))
        # A way that a person had undone is over with the hold itself.
        own = set(self.fields)
        over = [row for row in outbox.undone(tx, self.connected.name) if row.kind == self.kind and row.target in lifted]
        outbox.close_undone(tx, [row.id for row in over if own.isdisjoint(outbox.fields_of(row))], now)
        return sum(1 for stop in there.values() if stop.before)
