"""The `[warning]` tables of the policy: the indicators of the early warning and their steps (domain 9)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import StrictBool, model_validator

from connector.policy_section import Percent, Section, Unfit
from connector.text import Text


class Steps(Section):
    """From which value on an indicator is yellow, orange, red; a level that is left out is never reached."""

    on: StrictBool = True
    yellow: Percent | None = None
    orange: Percent | None = None
    red: Percent | None = None

    @model_validator(mode="after")
    def _rising(self) -> Steps:
        given = [step for step in (self.yellow, self.orange, self.red) if step is not None]
        if given != sorted(given):
            raise Unfit(Text("yellow ≤ orange ≤ red is needed.", "必须满足 yellow ≤ orange ≤ red。"))
        return self


def _steps(yellow: int, orange: int, red: int) -> Steps:
    return Steps(yellow=Decimal(yellow), orange=Decimal(orange), red=Decimal(red))


class Warning(Section):
    """The indicators of the early warning; the customer's level is the highest of theirs."""

    overdue_ratio_percent: Steps = _steps(10, 20, 30)
    oldest_overdue_days: Steps = _steps(15, 30, 60)
    utilisation_percent: Steps = _steps(80, 95, 100)
