"""The `[warning]` tables of the policy: the indicators of the early warning, their steps, and what follows (domain 9)."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from connector.credit.warn_state import Ladder
from connector.policy_section import Days, Level, Percent, Section, Unfit
from connector.text import Text

Combine = Literal["maximum", "points"]
Action = Literal["task", "review", "freeze_increases", "hold", "stop_credit"]
Runs = Annotated[StrictInt, Field(ge=1, le=366)]
Ratio = Annotated[Decimal, Field(gt=0, le=1)]
Months = Annotated[StrictInt, Field(ge=1, le=120)]
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000)]


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


class BrokenPromises(Steps):
    """Promises whose day and grace went by unpaid, of those due in the last days."""

    yellow: Percent | None = Decimal(1)
    orange: Percent | None = Decimal(2)
    red: Percent | None = Decimal(3)
    within_days: Days = 90


class OrderSpike(Steps):
    """Orders of 30 days ÷ the monthly average of the 6 months before; red only with anything overdue."""

    yellow: Percent | None = Decimal(2)
    orange: Percent | None = Decimal(3)
    red: Percent | None = Decimal(5)
    red_needs_overdue: StrictBool = True


class Concentration(Steps):
    """A customer's share of all receivables; asked only where enough customers owe anything."""

    yellow: Percent | None = Decimal(10)
    orange: Percent | None = Decimal(15)
    red: Percent | None = Decimal(25)
    least_customers: Count = 30


class ScoreDrop(Section):
    """Points lost since the last review, or in a year where there was none; some grades are red by themselves."""

    on: StrictBool = True
    yellow: Percent | None = Decimal(10)
    orange: Percent | None = Decimal(20)
    red_grades: tuple[str, ...] = ("D",)

    @model_validator(mode="after")
    def _rising(self) -> ScoreDrop:
        if self.yellow is not None and self.orange is not None and self.yellow > self.orange:
            raise Unfit(Text("yellow ≤ orange is needed.", "必须满足 yellow ≤ orange。"))
        return self


class Dishonoured(Section):
    """Bills dishonoured and payments bounced in the last days."""

    on: StrictBool = True
    red: Percent = Decimal(1)
    within_days: Days = 365
    kinds: tuple[str, ...] = ("bounced_payment", "dishonoured_bill")


class Expiry(Section):
    """A limit or an insurance ends: so many days before; red once it has ended, for `forget_days`."""

    on: StrictBool = True
    yellow_days: Days = 30
    orange_days: Days = 7
    forget_days: Days = 365

    @model_validator(mode="after")
    def _falling(self) -> Expiry:
        if self.yellow_days < self.orange_days:
            raise Unfit(Text("yellow_days ≥ orange_days is needed.", "必须满足 yellow_days ≥ orange_days。"))
        return self


class Insurer(Section):
    """What the credit insurer did with its cover, by the words of events."""

    on: StrictBool = True
    cut: Level = "orange"
    withdrawn: Level = "red"
    within_days: Days = 365
    cut_kinds: tuple[str, ...] = ("insurer_cut",)
    withdrawn_kinds: tuple[str, ...] = ("insurer_withdrawn",)


class Registry(Section):
    """What the register of companies lists."""

    on: StrictBool = True
    abnormal: Level = "orange"
    serious: Level = "red"
    revoked: Level = "red"
    months_max: Months = 12


class Court(Section):
    """What courts say of the customer as a defendant or debtor."""

    on: StrictBool = True
    lawsuit: Level = "yellow"
    executed: Level = "orange"
    dishonest: Level = "red"
    bankruptcy: Level = "red"
    months_max: Months = 12


class DataQuality(Section):
    """What a customer was warned of cannot be looked at any more: data are missing or old."""

    on: StrictBool = True
    level: Literal["yellow", "orange", "red"] = "yellow"


class Points(Section):
    """What each indicator of a level adds, where `combine` is "points"."""

    yellow: Count = 1
    orange: Count = 2
    red: Count = 4


class CutOffs(Section):
    """From which sum of points on a customer is yellow, orange, red."""

    yellow: Count = 1
    orange: Count = 3
    red: Count = 4

    @model_validator(mode="after")
    def _rising(self) -> CutOffs:
        if not 0 < self.yellow <= self.orange <= self.red:
            raise Unfit(Text("0 < yellow ≤ orange ≤ red is needed.", "必须满足 0 < yellow ≤ orange ≤ red。"))
        return self


class Actions(Section):
    """What follows from a customer's level."""

    yellow: tuple[Action, ...] = ()
    orange: tuple[Action, ...] = ("task", "review")
    red: tuple[Action, ...] = ("task", "review", "freeze_increases")

    def of(self, level: Level) -> tuple[Action, ...]:
        """The actions of a level; green has none."""
        return getattr(self, level) if level != "green" else ()


# The indicators by name, and the table of each.
ATTRIBUTES = {
    "overdue_ratio": "overdue_ratio_percent",
    "oldest_overdue": "oldest_overdue_days",
    "utilisation": "utilisation_percent",
    "broken_promises": "broken_promises",
    "slowdown": "slowdown_days",
    "score_drop": "score_drop_points",
    "order_spike": "order_spike_times",
    "concentration": "concentration_percent",
    "last_payment": "last_payment_days",
    "dishonoured": "dishonoured",
    "limit_expiry": "limit_expiry",
    "insurance_expiry": "insurance_expiry",
    "insurer": "insurer",
    "registry": "registry",
    "court": "court",
    "statement_age": "statement_months",
    "data_quality": "data_quality",
}
# Which levels begin strictly above their step.
_ABOVE: dict[str, frozenset[Level]] = {
    "utilisation": frozenset(("red",)),
    "statement_age": frozenset(("yellow", "orange", "red")),
}
_RANKS = Ladder(Decimal(1), Decimal(2), Decimal(3))


class Warning(Section):
    """The indicators of the early warning, how their levels combine, fall again, and what follows.

    Raising is immediate. A level falls by one after `clear_runs` runs (one counts a day) with a value below its step ×
    `clear_ratio`; what is missing or old neither counts nor begins anew.
    """

    combine: Combine = "maximum"
    clear_ratio: Ratio = Decimal("0.9")
    clear_runs: Runs = 3
    points: Points = Points()
    cut_offs: CutOffs = CutOffs()
    actions: Actions = Actions()
    data_quality: DataQuality = DataQuality()
    overdue_ratio_percent: Steps = _steps(10, 20, 30)
    oldest_overdue_days: Steps = _steps(15, 30, 60)
    utilisation_percent: Steps = _steps(80, 95, 100)
    broken_promises: BrokenPromises = BrokenPromises()
    slowdown_days: Steps = _steps(7, 15, 30)
    score_drop_points: ScoreDrop = ScoreDrop()
    order_spike_times: OrderSpike = OrderSpike()
    concentration_percent: Concentration = Concentration()
    last_payment_days: Steps = _steps(45, 60, 90)
    dishonoured: Dishonoured = Dishonoured()
    limit_expiry: Expiry = Expiry()
    insurance_expiry: Expiry = Expiry()
    insurer: Insurer = Insurer()
    registry: Registry = Registry()
    court: Court = Court()
    statement_months: Steps = _steps(12, 18, 24)

    @cached_property
    def ladders(self) -> dict[str, Ladder]:
        """The steps of every indicator by its name; those of words have the levels' ranks for steps."""
        found = {}
        for name, attribute in ATTRIBUTES.items():
            rule = getattr(self, attribute)
            above = _ABOVE.get(name, frozenset())
            if isinstance(rule, Steps):
                found[name] = Ladder(rule.yellow, rule.orange, rule.red, above)
            elif isinstance(rule, ScoreDrop):
                found[name] = Ladder(rule.yellow, rule.orange)
            elif isinstance(rule, Dishonoured):
                found[name] = Ladder(red=rule.red)
            else:
                found[name] = _RANKS
        return found

    @cached_property
    def calm_below(self) -> dict[str, Decimal]:
        """Of each indicator that is a number, the value below which it can neither be raised nor keep anything up."""
        found = {}
        for name, ladder in self.ladders.items():
            steps = [at for at in (ladder.yellow, ladder.orange, ladder.red) if at is not None]
            if steps and ladder is not _RANKS:
                found[name] = min(steps) * self.clear_ratio
        return found
