"""Early warning 预警: what the indicators of a customer say today, where each stands, and the level they give (domain 9).

What is above green, or was until this run, is a `Warned`; of everything else only today's reading is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from connector.credit.position import Position, share
from connector.credit.warn_signs import (
    NOTHING_ASKED,
    OF_WORDS,
    READERS,
    Signs,
    rank_of,
)
from connector.credit.warn_signs import Indicator as Indicator
from connector.credit.warn_state import CALM, step
from connector.credit.warn_state import RANK as RANK
from connector.credit.warn_state import State as State
from connector.credit.warn_words import (
    CLEARING,
    CLEARING_WORD,
    LEVEL_TEXTS,
    NOT_ASKED,
    NOT_CLEAR,
    NOT_KNOWN,
    SHARES,
    bar_text,
)
from connector.money import EXACT
from connector.policy_section import Level
from connector.policy_warning import ATTRIBUTES, Steps, Warning
from connector.text import Text

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
INFINITE = Decimal("Infinity")
# What is read off the ledger: of old data nothing is lowered.
OF_LEDGER = frozenset(
    {
        "overdue_ratio",
        "oldest_overdue",
        "utilisation",
        "broken_promises",
        "slowdown",
        "order_spike",
        "concentration",
        "last_payment",
        "limit_expiry",
    }
)
QUALITY = "data_quality"


class Warned(NamedTuple):
    """An indicator that stands above green, or did until this run.

    `today` is what was read; `asked` is false where nobody looked this time and the state is the last run's. `known` is
    false where the reading cannot lower anything: the value is missing, or of old data.
    """

    today: Indicator
    before: State
    state: State
    asked: bool = True
    known: bool = True

    @property
    def name(self) -> str:
        return self.today.name

    def text(self, warning: Warning) -> Text:
        """The reading as a sentence; where the level is higher than it, why it still stands."""
        why = self.why(warning)
        return (
            self.today.text
            if why is None
            else Text("{text}; {why}", "{text}；{why}").fill(text=self.today.text, why=why)
        )

    def why(self, warning: Warning) -> Text | None:
        """Why the level is not lower; None where today's reading says as much, or nothing is left of it."""
        level = self.state.level
        if level == "green" or (self.asked and self.today.level == level):
            return None
        named = LEVEL_TEXTS[level]
        if not self.asked:
            return NOT_ASKED.fill(level=named)
        if not self.known:
            return NOT_KNOWN.fill(level=named)
        runs = {"level": named, "clear": self.state.clear, "runs": warning.clear_runs}
        bar = None if self.name in OF_WORDS else warning.ladders[self.name].standing_on(level)
        if bar is None:
            return CLEARING_WORD.fill(**runs)
        runs["bar"] = bar_text(self.name, bar * warning.clear_ratio)
        # A day is counted once: what was cleared on the very day of its warning stands at none yet.
        cleared = self.state.clear or self.before.level != level or self._below(bar * warning.clear_ratio)
        return (CLEARING if cleared else NOT_CLEAR).fill(**runs)

    def _below(self, bar: Decimal) -> bool:
        value = self.today.value
        return value is None or value * (HUNDRED if self.name in SHARES else ONE) < bar


def indicators(position: Position, warning: Warning) -> tuple[Indicator, ...]:
    """What the ledger of the day says. Overdue means undisputed overdue; red utilisation is strictly above."""
    found = []
    partial = bool(position.unclear) and any(reason.rule == "no_rate" for reason in position.unclear)
    if warning.overdue_ratio_percent.on:
        overdue, whole = position.undisputed_overdue, position.open_total
        if partial or whole <= 0:
            found.append(_NO_RATIO)
        else:
            level, at = _level(overdue * HUNDRED, whole, warning.overdue_ratio_percent)
            found.append(Indicator("overdue_ratio", share(overdue, whole), level, at))
    if warning.oldest_overdue_days.on:
        days = Decimal(position.undisputed_overdue_days)
        level, at = _level(days, ONE, warning.oldest_overdue_days)
        found.append(Indicator("oldest_overdue", days, level, at))
    if warning.utilisation_percent.on:
        used, limit = position.exposure.total, position.limit_amount
        if partial or limit is None:
            found.append(_NO_UTILISATION)
        elif limit == 0 and used <= 0:
            found.append(Indicator("utilisation", position.utilisation, "green"))
        else:
            level, at = _level(used * HUNDRED, limit, warning.utilisation_percent, above=True)
            found.append(Indicator("utilisation", position.utilisation, level, at))
    return tuple(found)


_NO_RATIO = Indicator("overdue_ratio", None, "green")
_NO_UTILISATION = Indicator("utilisation", None, "green")
_OF_POSITION = frozenset({"overdue_ratio", "oldest_overdue", "utilisation"})
_NOTHING: Mapping[str, State] = {}


def warned(
    position: Position,
    warning: Warning,
    signs: Signs = NOTHING_ASKED,
    states: Mapping[str, State] = _NOTHING,
    *,
    stale: bool = False,
) -> tuple[tuple[Indicator, ...], tuple[Warned, ...]]:
    """What the indicators say on the position's day, and every one that stands above green or did until this run.

    `states` are where they stood after the last run; `stale`: the ledger's data are old. A sign nobody asked for stays
    as it stood. What can no longer be looked at opens a warning of its own, of the quality of the data.
    """
    found = indicators(position, warning)
    if signs.asked:
        found += _signs(position, warning, signs, states)
    if not states:
        if all(one.level == "green" for one in found):
            return found, ()
        on = position.as_of
        return found, tuple([Warned(one, CALM, _begun(one, on, warning)) for one in found if one.level != "green"])
    return found, _stood(position, warning, found, states, stale)


def _begun(one: Indicator, on: dt.date, warning: Warning) -> State:
    return State(one.level, 0, on, on, on, None, on if "task" in warning.actions.of(one.level) else None)


def _signs(position: Position, warning: Warning, signs: Signs, states: Mapping[str, State]) -> tuple[Indicator, ...]:
    if signs.everything:
        names = set(READERS)
    else:
        names = {*signs.found, *states}
        if position.undisputed_overdue > 0:
            names.add("last_payment")
        if signs.total is not None and _weighs(position, signs.total, warning):
            names.add("concentration")
        if not names:
            return ()
    names &= signs.asked
    return tuple(
        [
            read(signs, position, warning)
            for name, read in READERS.items()
            if name in names and getattr(warning, ATTRIBUTES[name]).on
        ]
    )


def _weighs(position: Position, total: Decimal, warning: Warning) -> bool:
    """Whether a customer owes so much of all receivables that its share may mean something."""
    least = warning.calm_below.get("concentration")
    return (
        least is not None
        and position.unit is not None
        and position.open_total * HUNDRED >= least * total * position.unit
    )


def _stood(
    position: Position, warning: Warning, found: tuple[Indicator, ...], states: Mapping[str, State], stale: bool
) -> tuple[Warned, ...]:
    """Every indicator that stood above green, or is there now, stepped."""
    made: list[Warned] = []
    missing: list[str] = []
    left = {name: state for name, state in states.items() if name != QUALITY}
    vague = stale or any(reason.rule == "no_due_date" for reason in position.unclear)
    for today in found:
        before = left.pop(today.name, CALM)
        if today.level == "green" and before.level == "green":
            continue
        value = measured(today, position)
        firm = not ((vague if today.name in _OF_POSITION else stale) and today.name in OF_LEDGER)
        words = today.name in OF_WORDS
        state = step(
            before,
            value,
            warning.ladders[today.name],
            ONE if words else warning.clear_ratio,
            warning.clear_runs,
            position.as_of,
            level=today.level,
            firm=firm,
        )
        if state.acted_on is None and "task" in warning.actions.of(state.level):
            state = state._replace(acted_on=position.as_of)
        known = value is not None and firm
        if not known and before.level != "green":
            missing.append(today.name)
        made.append(Warned(today, before, state, True, known))
    for name, before in left.items():
        if not getattr(warning, ATTRIBUTES[name]).on:
            made.append(Warned(Indicator(name, None, "green", applies=False), before, CALM))  # no longer asked
        else:
            made.append(Warned(Indicator(name, None, "green"), before, before, asked=False))
    quality = _quality(warning, missing, states.get(QUALITY, CALM), bool(left), position.as_of)
    return (*made, quality) if quality else tuple(made)


def _quality(warning: Warning, missing: list[str], before: State, partly: bool, on: dt.date) -> Warned | None:
    """The warning that something cannot be looked at; it ends as soon as everything can, and everything was asked."""
    rule = warning.data_quality
    if missing and rule.on:
        today = Indicator(QUALITY, None, rule.level, None, tuple(missing))
        if before.level == rule.level:
            return Warned(today, before, before)
        begun = before.opened_on or on
        return Warned(today, before, before._replace(level=rule.level, opened_on=begun, raised_on=on))
    if before.level == "green":
        return None
    if partly and rule.on:
        return Warned(Indicator(QUALITY, None, "green"), before, before, asked=False)
    return Warned(Indicator(QUALITY, None, "green", applies=False), before, CALM)


def measured(today: Indicator, position: Position) -> Decimal | None:
    """The exact value in the unit of the policy's steps; None where it is not known. What is meaningless because there
    is nothing to measure is 0."""
    name = today.name
    if name in OF_WORDS:
        unknown = today.level == "green" and today.applies and today.value is None
        return None if unknown else rank_of(today.level)
    if name in ("overdue_ratio", "utilisation"):
        if any(reason.rule == "no_rate" for reason in position.unclear):
            return None
        if name == "overdue_ratio":
            part, whole = position.undisputed_overdue, position.open_total
            return EXACT.divide(part * HUNDRED, whole) if whole > 0 else ZERO
        used, limit = position.exposure.total, position.limit_amount
        if limit is None:
            return ZERO if position.limit.kind == "unlimited" else None
        return EXACT.divide(used * HUNDRED, limit) if limit > 0 else INFINITE if used > 0 else ZERO
    if today.value is None:
        # A grade may be red by itself.
        return None if today.applies and today.level == "green" else ZERO
    return today.value * HUNDRED if name == "concentration" else today.value


def level_of(found: Iterable[Warned], warning: Warning) -> Level:
    """The level of a customer: the highest of its indicators, or by the sum of their points."""
    return combined([one.state.level for one in found], warning)


def combined(ranks: Collection[Level], warning: Warning) -> Level:
    """The level that the levels of several indicators make together."""
    if not ranks:
        return "green"
    if warning.combine == "maximum":
        return max(ranks, key=RANK.__getitem__)
    points, cut = warning.points, warning.cut_offs
    total = sum(getattr(points, level) for level in ranks if level != "green")
    return (
        "red" if total >= cut.red else "orange" if total >= cut.orange else "yellow" if total >= cut.yellow else "green"
    )


def worst(found: Iterable[Indicator]) -> Level:
    """The highest level that today's readings say by themselves."""
    return max((indicator.level for indicator in found), key=RANK.__getitem__, default="green")


def _level(part: Decimal, whole: Decimal, steps: Steps, above: bool = False) -> tuple[Level, Decimal | None]:
    """The level of part ÷ whole; multiplied out, so that nothing is rounded before it is compared."""
    if steps.yellow is not None and part < steps.yellow * whole:
        return "green", None  # steps rise: what is below the first is below all
    if steps.red is not None and (part > steps.red * whole or (part == steps.red * whole and not above)):
        return "red", steps.red
    if steps.orange is not None and part >= steps.orange * whole:
        return "orange", steps.orange
    if steps.yellow is not None and part >= steps.yellow * whole:
        return "yellow", steps.yellow
    return "green", None
