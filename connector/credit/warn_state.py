"""The standing of a warning: raised at once, lowered one level at a time after several clear runs (domain 9).

One run counts a day: whatever comes later on the same day may raise a level or begin the counting anew, never hasten it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from connector.policy_section import LEVELS, Level

RANK: dict[Level, int] = {level: rank for rank, level in enumerate(LEVELS)}


class State(NamedTuple):
    """Where one indicator of one customer stands: its level, how many runs in a row were clear of it, and the last day
    that was counted (None: no day is kept, every run counts).

    `opened_on`, `raised_on` and `lowered_on` are days of this episode, which begins and ends with green; `acted_on` is
    the day from which on it asks somebody to do something.
    """

    level: Level = "green"
    clear: int = 0
    counted_on: dt.date | None = None
    opened_on: dt.date | None = None
    raised_on: dt.date | None = None
    lowered_on: dt.date | None = None
    acted_on: dt.date | None = None


CALM = State()


class Ladder(NamedTuple):
    """From which value on a level is reached; `above` are those that begin strictly above their step. None: never."""

    yellow: Decimal | None = None
    orange: Decimal | None = None
    red: Decimal | None = None
    above: frozenset[Level] = frozenset()

    def level(self, value: Decimal) -> Level:
        """The level of a value."""
        for level in ("red", "orange", "yellow"):
            step = self.step(level)
            if step is not None and (value > step or (value == step and level not in self.above)):
                return level
        return "green"

    def step(self, level: Level) -> Decimal | None:
        """Where a level begins; None for one that this ladder does not have."""
        return None if level == "green" else self[RANK[level] - 1]  # type: ignore[return-value]

    def standing_on(self, level: Level) -> Decimal | None:
        """The step that a value has to fall clear of: the level's own, else the next one below, else the lowest."""
        steps = [(RANK[one], step) for one in LEVELS if (step := self.step(one)) is not None]
        below = [step for rank, step in steps if rank <= RANK[level]]
        return below[-1] if below else (steps[0][1] if steps else None)

    def below(self, level: Level) -> Level:
        """The next lower level that this ladder has."""
        for rank in range(RANK[level] - 1, 0, -1):
            if self.step(LEVELS[rank]) is not None:
                return LEVELS[rank]
        return "green"


def step(
    state: State,
    value: Decimal | None,
    steps: Ladder,
    clear_ratio: Decimal,
    clear_runs: int,
    on: dt.date | None = None,
    *,
    level: Level | None = None,
    firm: bool = True,
) -> State:
    """The state after a run that saw `value`.

    None (not known) changes nothing; neither does a value that is not `firm` (of old data), unless it raises the level.
    `level` is what the value means where more than the ladder says so. A day `on` that was counted is not counted again.
    """
    if value is None:
        return state
    now = level or steps.level(value)
    if RANK[now] > RANK[state.level]:
        return state._replace(level=now, clear=0, counted_on=on, opened_on=state.opened_on or on, raised_on=on)
    if not firm or state.level == "green":
        return state
    if not is_clear(state.level, value, steps, clear_ratio, now):
        return state._replace(clear=0, counted_on=_later(state.counted_on, on))
    if on is not None and state.counted_on is not None and on <= state.counted_on:
        return state
    runs = state.clear + 1
    if runs < clear_runs:
        return state._replace(clear=runs, counted_on=on)
    lower = steps.below(state.level)
    return CALM if lower == "green" else state._replace(level=lower, clear=0, counted_on=on, lowered_on=on)


def _later(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    return max(one, other) if one and other else one or other


def is_clear(level: Level, value: Decimal, steps: Ladder, clear_ratio: Decimal, now: Level) -> bool:
    """Whether a value is strictly below the step of a level × `clear_ratio`, and means a lower level."""
    if RANK[now] >= RANK[level]:
        return False
    at = steps.standing_on(level)
    return at is None or value < at * clear_ratio


def levels(values: Iterable[Decimal | None], steps: Ladder, clear_ratio: Decimal, clear_runs: int) -> list[Level]:
    """The levels of an indicator over a row of runs, each a day of its own."""
    state, found = CALM, []
    for value in values:
        state = step(state, value, steps, clear_ratio, clear_runs)
        found.append(state.level)
    return found
