"""Alerts: where the warnings of debtors stand, one open one for each debtor and indicator; ended ones stay.

Whoever looks after one may acknowledge it: it stands as before, and rests until a day, or until its level is raised.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Select, select

from connector.credit.warn import Warned
from connector.credit.warn_state import RANK, State
from connector.policy import Level
from connector.store import bulk, quick
from connector.store.tables import alert, link

_NOTED = ("acknowledged_by", "acknowledged_at", "acknowledged_level", "acknowledged_why", "rests_until")
_STATE = ("level", "clear", "counted_on", "opened_on", "raised_on", "lowered_on", "acted_on")


@dataclass(slots=True)
class Alert:
    """A warning of one indicator, from the day it was raised until it ended (`closed_on`). `value` and `threshold` are
    those of the last run; of a warning that has ended `state` has the level it had before."""

    id: int
    debtor: int
    indicator: str
    state: State
    value: str | None
    threshold: Decimal | None
    closed_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who has taken note of a warning, when, at which level, why, and until which day (not with it) it rests."""

    by: str
    at: dt.datetime
    level: Level
    why: str
    until: dt.date

    def rests(self, on: dt.date) -> bool:
        """Whether it rests on a day: nobody need look at it."""
        return on < self.until


# By debtor and indicator.
Open = Mapping[int, Mapping[str, Alert]]
_NONE: Mapping[str, Alert] = {}


def standing(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, dict[str, Alert]]:
    """The open warnings of debtors (None: of all)."""
    found: dict[int, dict[str, Alert]] = {}
    if debtors is None:
        rows = quick.rows(tx, _OPEN)
    else:
        rows = quick.rows(tx, _open_of(bulk.is_sqlite(tx)), {"ids": bulk.given(tx, debtors)})
    for number, debtor, indicator, value, threshold, *state in rows:
        found.setdefault(debtor, {})[indicator] = Alert(number, debtor, indicator, State(*state), value, threshold)
    return found


_OPEN = select(*(alert.c[name] for name in ("id", "debtor", "indicator", "value", "threshold", *_STATE))).where(
    alert.c.closed_on.is_(None)
)


@cache
def _open_of(sqlite: bool) -> Select[Any]:
    return _OPEN.where(bulk.among_ids(sqlite, alert.c.debtor))


def acknowledged(tx: Connection, debtors: Collection[int] | None = None) -> dict[int, dict[str, Acknowledged]]:
    """What was noted of the open warnings of debtors (None: of all), by indicator."""
    a = alert.c
    asked = select(alert).where(a.closed_on.is_(None), a.acknowledged_by.is_not(None))
    if debtors is not None:
        asked = asked.where(bulk.among(tx, a.debtor, debtors))
    found: dict[int, dict[str, Acknowledged]] = {}
    for row in tx.execute(asked):
        one = Acknowledged(
            row.acknowledged_by,
            row.acknowledged_at,
            cast(Level, row.acknowledged_level),
            row.acknowledged_why,
            row.rests_until,
        )
        found.setdefault(row.debtor, {})[row.indicator] = one
    return found


def acknowledge(tx: Connection, debtor: int, indicators: Collection[str], noted: Acknowledged) -> list[Alert]:
    """Keeps that somebody has taken note of open warnings, in place of what was noted before, each at the level it has
    now; gives them."""
    there = [one for name, one in standing(tx, [debtor]).get(debtor, {}).items() if name in indicators]
    for one in there:
        values = {
            "acknowledged_by": noted.by,
            "acknowledged_at": noted.at,
            "acknowledged_level": one.state.level,
            "acknowledged_why": noted.why,
            "rests_until": noted.until,
        }
        tx.execute(alert.update().where(alert.c.id == one.id).values(**values))
    return there


def history(tx: Connection, debtor: int) -> list[Alert]:
    """All warnings of a debtor, the newest first."""
    asked = select(alert).where(alert.c.debtor == debtor).order_by(alert.c.id.desc())
    return [_alert(row) for row in tx.execute(asked).all()]


def open_debtors(tx: Connection) -> set[int]:
    """Debtors with an open warning: every day has to look at them."""
    return set(tx.execute(select(alert.c.debtor).distinct().where(alert.c.closed_on.is_(None))).scalars())


def close_left(tx: Connection, on: dt.date) -> int:
    """Ends the warnings of debtors that no customer belongs to any more; says how many."""
    gone = alert.c.closed_on.is_(None) & alert.c.debtor.not_in(select(link.c.debtor))
    return tx.execute(alert.update().where(gone).values(closed_on=on)).rowcount


@dataclass(frozen=True, slots=True)
class Change:
    """A warning whose level is another one than before the run."""

    debtor: int
    before: Alert | None
    after: Warned


def keep(tx: Connection, found: Sequence[tuple[int, Sequence[Warned]]], before: Open, on: dt.date) -> list[Change]:
    """Keeps where warnings stand after a run of a day, and gives those whose level has changed. `before` are the open
    ones of the same debtors. What is as it was is not written."""
    new: list[tuple[Any, ...]] = []
    kept: list[tuple[Any, ...]] = []
    closed: list[tuple[Any, ...]] = []
    changes: list[Change] = []
    raised: list[tuple[Any, ...]] = []
    for debtor, stands in found:
        own = before.get(debtor, _NONE)
        for one in stands:
            there = own.get(one.name)
            if one.state.level != (there.state.level if there else "green"):
                changes.append(Change(debtor, there, one))
                if there is not None and RANK[one.state.level] > RANK[there.state.level]:
                    raised.append((None, None, None, None, None, there.id))
            if one.state.level == "green":
                if there is not None:
                    closed.append((on, there.id))
                continue
            value = one.today.kept if one.asked else (there.value if there else None)
            threshold = one.today.threshold if one.asked else (there.threshold if there else None)
            if there is None:
                new.append((debtor, one.name, *one.state, value, _plain(threshold)))
            elif (one.state, value, threshold) != (there.state, there.value, there.threshold):
                kept.append((*one.state, value, _plain(threshold), there.id))
    ids = bulk.new_ids(tx, alert, len(new))
    columns = (*_STATE, "value", "threshold")
    rows = [(number, *row) for number, row in zip(ids, new, strict=True)]
    bulk.insert(tx, alert, ("id", "debtor", "indicator", *columns), rows)
    bulk.update(tx, alert, columns, kept)
    bulk.update(tx, alert, ("closed_on",), closed)
    bulk.update(tx, alert, _NOTED, raised)  # whoever noted it did not know of this
    return changes


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _alert(row: Any) -> Alert:
    state = State(cast(Level, row.level), *(getattr(row, name) for name in _STATE[1:]))
    return Alert(row.id, row.debtor, row.indicator, state, row.value, row.threshold, row.closed_on)
