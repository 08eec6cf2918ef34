"""The `[ecl]` table of the policy: how the allowance for expected credit loss 预期信用损失准备 is measured (domain 12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, field_validator

from connector.policy_section import Days, Percent, Section, Unfit
from connector.text import Text

Method = Literal["migration", "cohort", "fixed"]


class Individual(Section):
    """A customer assessed by itself 单项计提: it leaves the matrix, and so many percent of what it owes are lost."""

    system: str
    customer: str
    loss_percent: Annotated[Decimal, Field(ge=0, le=100)]
    why: Annotated[str, Field(min_length=1)]


class Ecl(Section):
    """How expected credit loss is measured: lifetime, by a provision matrix of days past due.

    `rates_percent` are the loss rates of the buckets of `[ageing] edges_days`, youngest first: those of the method
    "fixed", and those that are used where history is too short for the other two. `observations_min` counts months of
    roll rates, or months with due invoices of a cohort.
    """

    method: Method = "migration"
    rates_percent: tuple[Percent, ...] = (Decimal("0.5"), Decimal(2), Decimal(5), Decimal(20), Decimal(50))
    observation_months: Annotated[StrictInt, Field(ge=1, le=120)] = 24
    observations_min: Annotated[StrictInt, Field(ge=1, le=120)] = 12
    loss_given_last_percent: Percent = Decimal(100)
    lost_after_days: Days = 365
    forward_factor_percent: Percent = Decimal(100)
    by_segment: StrictBool = True
    vat_excluded_percent: Percent = Decimal(0)
    individual: tuple[Individual, ...] = ()

    @field_validator("rates_percent")
    @classmethod
    def _rates(cls, rates: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        if not rates or any(rate > 100 for rate in rates):
            raise Unfit(
                Text(
                    "One percentage from 0 to 100 for each ageing bucket, youngest first.",
                    "每个账龄段一个 0 至 100 的百分比，从最近的账龄段开始。",
                )
            )
        return rates

    @field_validator("loss_given_last_percent")
    @classmethod
    def _share(cls, percent: Decimal) -> Decimal:
        if percent > 100:
            raise Unfit(Text("At most 100: nobody loses more than he is owed.", "至多 100：损失不会超过应收金额。"))
        return percent
