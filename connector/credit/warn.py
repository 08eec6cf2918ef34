"""Early warning 预警: the indicators of a position and the level they give (domain 9).

Only what today's figures say; lowering a level step by step after several clear runs needs yesterday's level and comes
with the state that keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from connector.credit.position import Position, share
from connector.credit.reason import percent
from connector.policy import LEVELS, Level, Steps, Warning
from connector.text import Text

HUNDRED = Decimal(100)
RANK: dict[Level, int] = {level: rank for rank, level in enumerate(LEVELS)}


class Indicator(NamedTuple):
    """One sign of trouble: its value (None: not known, or meaningless today), its level, and the threshold reached.

    `overdue_ratio` and `utilisation` are fractions of 1, their thresholds percentages; `oldest_overdue` counts days.
    """

    name: str
    value: Decimal | None
    level: Level
    threshold: Decimal | None = None

    @property
    def text(self) -> Text:
        """The indicator as a sentence with its numbers."""
        if self.name == "oldest_overdue":
            shown, limit = f"{self.value}", f"{self.threshold}"
        else:
            shown, limit = percent(self.value) if self.value is not None else "-", f"{self.threshold}%"
        if self.threshold is None:
            return _CALM[self.name].fill(value=shown)
        return _TEXTS[self.name].fill(value=shown, level=LEVEL_TEXTS[self.level], threshold=limit)


def indicators(position: Position, warning: Warning) -> tuple[Indicator, ...]:
    """The indicators that are switched on. Overdue means undisputed overdue; red utilisation is strictly above."""
    found = []
    partial = bool(position.unclear) and any(reason.rule == "no_rate" for reason in position.unclear)
    if warning.overdue_ratio_percent.on:
        overdue, whole = position.undisputed_overdue, position.open_total
        if partial or whole <= 0:
            found.append(_NO_RATIO)
        else:
            level, step = _level(overdue * HUNDRED, whole, warning.overdue_ratio_percent)
            found.append(Indicator("overdue_ratio", share(overdue, whole), level, step))
    if warning.oldest_overdue_days.on:
        days = Decimal(position.undisputed_overdue_days)
        level, step = _level(days, Decimal(1), warning.oldest_overdue_days)
        found.append(Indicator("oldest_overdue", days, level, step))
    if warning.utilisation_percent.on:
        used, limit = position.exposure.total, position.limit_amount
        if partial or limit is None:
            found.append(_NO_UTILISATION)
        elif limit == 0 and used <= 0:
            found.append(Indicator("utilisation", position.utilisation, "green"))
        else:
            level, step = _level(used * HUNDRED, limit, warning.utilisation_percent, above=True)
            found.append(Indicator("utilisation", position.utilisation, level, step))
    return tuple(found)


_NO_RATIO = Indicator("overdue_ratio", None, "green")
_NO_UTILISATION = Indicator("utilisation", None, "green")


def worst(found: Iterable[Indicator]) -> Level:
    """The level of a customer: the highest of its indicators."""
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


LEVEL_TEXTS: dict[Level, Text] = {
    "green": Text("green", "绿色"),
    "yellow": Text("yellow", "黄色"),
    "orange": Text("orange", "橙色"),
    "red": Text("red", "红色"),
}
_TEXTS = {
    "overdue_ratio": Text(
        "{value} of all open items is overdue ({level} from {threshold})",
        "逾期金额占未清项的 {value}（达到 {threshold} 为{level}）",
    ),
    "oldest_overdue": Text(
        "the oldest undisputed item is {value} days overdue ({level} from {threshold})",
        "最早的无争议未清项已逾期 {value} 天（达到 {threshold} 天为{level}）",
    ),
    "utilisation": Text(
        "{value} of the limit is used ({level}: threshold {threshold})",
        "额度使用率 {value}（{level}阈值 {threshold}）",
    ),
}
_CALM = {
    "overdue_ratio": Text("share of overdue in open items: {value}", "逾期金额占未清项比例：{value}"),
    "oldest_overdue": Text("days overdue of the oldest undisputed item: {value}", "最早无争议未清项逾期天数：{value}"),
    "utilisation": Text("share of the limit used: {value}", "额度使用率：{value}"),
}
