"""Watching: where the warnings of debtors stood after the last run, and what is known of them beside the ledger now.

States count on the day that is today only: of a past day, figures say what they say by themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from connector.credit.position import Position
from connector.credit.score import Score
from connector.credit.warn import State, Warned
from connector.credit.warn_signs import NOTHING_ASKED, OF_POSITION, Sign, Signs
from connector.model import Limit
from connector.policy import Level
from connector.store import Connection, alerts
from connector.store.alerts import Alert
from connector.store.customers import CustomerRow
from jobs.score import Scorer
from jobs.signs import Gathered, gather

if TYPE_CHECKING:
    from jobs.frame import Frame

NO_ALERTS: Mapping[str, Alert] = {}
UNWARNED: Mapping[str, State] = {}


@dataclass(slots=True)
class Watch:
    """Of some debtors, their open warnings, and what was gathered (None: nothing was asked for)."""

    open: Mapping[int, Mapping[str, Alert]] = field(default_factory=dict)
    gathered: Gathered | None = None

    def alerts(self, debtor: int) -> Mapping[str, Alert]:
        """The open warnings of a debtor by indicator."""
        return self.open.get(debtor, NO_ALERTS)

    def signs(
        self,
        debtor: int,
        members: Sequence[CustomerRow],
        limits: Mapping[int, Sequence[Limit]],
        position: Position,
        score: Score | None,
    ) -> Signs:
        """The signs of a debtor."""
        if self.gathered is None:
            return NOTHING_ASKED
        return self.gathered.of(debtor, members, limits, position, score, self.alerts(debtor))


def watch(
    tx: Connection,
    frame: Frame,
    at: Scorer | None,
    debtors: Collection[int] | None,
    keys: Collection[int] | None,
    late: Collection[int] | None = None,
) -> Watch:
    """What is known of debtors (None: all), whose customers are `keys`, and `late` those of debtors with something past
    due (None: all); signs where there is a scorer."""
    gathered = None
    if at is not None:
        gathered = gather(tx, at, frame.policy, frame.systems, debtors, keys, frame.receivables, frame.thorough, late)
    return Watch(alerts.standing(tx, debtors) if frame.is_today else {}, gathered)


def states_of(mine: Mapping[str, Alert]) -> Mapping[str, State]:
    """Where warnings stand, by indicator."""
    return {name: one.state for name, one in mine.items()} if mine else UNWARNED


# --- as inputs of a decision are kept ------------------------------------------------------------------------------------
def kept(signs: Signs, stands: Sequence[Warned]) -> dict[str, Any]:
    """Signs and where warnings stood, as JSON: what a decision is concluded from again."""
    before = {one.name: one.before for one in stands if one.before.level != "green"}
    asked = sorted(signs.asked & {*signs.found, *before, *OF_POSITION})
    return {
        "asked": asked,
        "signs": {name: [_plain(one.value), *one.words] for name, one in sorted(signs.found.items())},
        "total": _plain(signs.total),
        "stood": {name: [_plain(each) for each in state] for name, state in sorted(before.items())},
    }


def recalled(found: Mapping[str, Any] | None) -> tuple[Signs, dict[str, State]]:
    """The same back."""
    if not found:
        return NOTHING_ASKED, {}
    signs = {name: Sign(_number(value), tuple(words)) for name, (value, *words) in found["signs"].items()}
    states = {
        name: State(cast(Level, level), clear, *(None if day is None else dt.date.fromisoformat(day) for day in days))
        for name, (level, clear, *days) in found["stood"].items()
    }
    return Signs(frozenset(found["asked"]), signs, _number(found["total"])), states


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if isinstance(value, dt.date) else value


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
