"""The `[limit]` tables of the policy: how limits are proposed, and which of them may pass without a person (domain 8).

Amounts are in the reporting currency. A percentage that a row does not have is not asked for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, field_validator, model_validator

from connector.credit.stage import parse_condition
from connector.policy_section import Amount, Days, Level, Percent, Section, Unfit, shipped
from connector.text import Text

Months = Annotated[StrictInt, Field(ge=1, le=120)]
Share = Annotated[Decimal, Field(ge=0, le=100)]


class LimitBand(Section):
    """What a grade is good for: its share of need and capacity, and the most that a customer of that grade gets."""

    grade: str
    multiplier_percent: Annotated[Decimal, Field(ge=0, le=1_000)]
    cap: Amount | None = None


class Automatic(Section):
    """Proposals that are approved without a person; every bound is inclusive, and all of them bind."""

    on: StrictBool = False
    up_to_amount: Amount = Decimal(100_000)
    up_to_rise_percent: Percent = Decimal(20)
    up_to_cut_percent: Percent = Decimal(0)
    up_to_level: Level = "green"
    up_to_band: str = "B"
    first: StrictBool = False


class Tranche(Section):
    """A part of a staged limit: its share, the days after the approval before which it is not released, and the words of
    its other conditions."""

    percent: Annotated[Decimal, Field(gt=0, le=100)]
    after_days: Days = 0
    condition: str = ""

    @field_validator("condition")
    @classmethod
    def _readable(cls, words: str) -> str:
        try:
            asked = parse_condition(words)
        except ValueError as wrong:
            raise Unfit(
                Text(
                    'The word "{word}" is not known. Known: paid>=N%, late<=N, suspend:late>N, suspend:paid<N%.',
                    "无法识别“{word}”。可用：paid>=N%、late<=N、suspend:late>N、suspend:paid<N%。",
                ).fill(word=wrong)
            ) from None
        if asked.from_on or asked.released_on:
            raise Unfit(Text("A day does not belong here: use after_days.", "此处不能写日期：请用 after_days。"))
        return words


class Starter(Section):
    """What a new customer gets: one that has bought for fewer days, or whose sales are not known."""

    amount: Amount = Decimal(50_000)
    new_for_days: Days = 180
    tranche: tuple[Tranche, ...] = Field(
        default_factory=lambda: shipped("limit", "starter", "tranche"), validate_default=True
    )

    @model_validator(mode="after")
    def _whole(self) -> Starter:
        if self.tranche and sum(one.percent for one in self.tranche) != 100:
            raise Unfit(
                Text(
                    "The percentages of [[limit.starter.tranche]] add up to 100.",
                    "[[limit.starter.tranche]] 的 percent 之和应为 100。",
                )
            )
        return self


class Limits(Section):
    """How limits are proposed."""

    nightly: StrictBool = True
    net_worth_percent: Share = Decimal(10)
    working_capital_percent: Share = Decimal(20)
    peak_factor: Annotated[Decimal, Field(gt=0, le=100)] = Decimal("1.2")
    terms_days: Days = 30
    unscored_percent: Share = Decimal(50)
    no_financials_cap: Amount = Decimal(200_000)
    insurer_own_share_percent: Percent = Decimal(0)
    concentration_percent: Share = Decimal(20)
    step: Annotated[Decimal, Field(gt=0)] = Decimal(10_000)
    step_percent: Share = Decimal(20)
    max_rise_percent: Percent = Decimal(50)
    max_cut_percent: Share = Decimal(30)
    valid_months: Months = 12
    renew_days: Days = 30
    band: tuple[LimitBand, ...] = Field(default_factory=lambda: shipped("limit", "band"), validate_default=True)
    automatic: Automatic = Automatic()
    starter: Starter = Field(default_factory=Starter)

    def of_grade(self, grade: str | None) -> LimitBand | None:
        """What a grade is good for; None: no score, or a grade without a row."""
        return next((one for one in self.band if one.grade == grade), None)

    @model_validator(mode="after")
    def _grades_once(self) -> Limits:
        grades = [one.grade for one in self.band]
        if len(set(grades)) < len(grades):
            raise Unfit(Text("Each grade has one [[limit.band]].", "每个等级只能有一个 [[limit.band]]。"))
        return self
