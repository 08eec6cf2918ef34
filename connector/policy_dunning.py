"""The `[dunning]` tables of the policy: the ladder, what is left alone, fees and late interest (domain 11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from connector.policy_section import Amount, Days, Percent, Section, Unfit, shipped
from connector.text import Text

Channel = Literal["statement", "phone", "email", "letter", "final_demand", "stop_credit", "legal"]

# What the customer gets in writing as a demand: the interval between letters is kept between these.
DEMANDS: frozenset[Channel] = frozenset({"email", "letter", "final_demand"})
# 0.05 % a day: art. 17 of 保障中小企业款项支付条例, where nothing was agreed.
STATUTORY_PERCENT_PER_DAY = Decimal("0.05")


class DunningStep(Section):
    """One rung of the ladder: from so many days after the due date on (negative: before it), by which channel, for
    which fee, and what else holds while an item stands on this rung or a higher one."""

    level: Annotated[StrictInt, Field(ge=0, le=20)]
    days: Annotated[StrictInt, Field(ge=-365, le=36_500)]
    channel: Channel
    fee: Amount = Decimal(0)
    hold_orders: StrictBool = False
    freeze_increases: StrictBool = False
    limit_zero: StrictBool = False
    escalate: StrictBool = False


class Interest(Section):
    """Late interest: simple, per day, on the balance."""

    on: StrictBool = False
    basis: Literal["statutory", "agreed"] = "statutory"
    agreed_percent_per_day: Percent = STATUTORY_PERCENT_PER_DAY
    from_day: Annotated[StrictInt, Field(ge=1, le=3_650)] = 1
    from_level: Annotated[StrictInt, Field(ge=1, le=20)] = 2

    @property
    def rate_per_day(self) -> Decimal:
        """A fraction of 1: 0.0005 is 0.05 % a day."""
        percent = STATUTORY_PERCENT_PER_DAY if self.basis == "statutory" else self.agreed_percent_per_day
        return percent / 100


class Statutory(Section):
    """What the regulation on payments to small and medium-sized enterprises (保障中小企业款项支付条例) needs to be known:
    what either side was when the contract was signed, and whether invoices bear the day of delivery. Nothing follows from
    what is not known. `one_year_lpr_percent` is the one-year loan prime rate at signing, below which no agreed rate of late
    interest goes; 0: no such floor."""

    creditor: Literal["unknown", "large", "medium", "small", "micro"] = "unknown"
    debtor: Literal["unknown", "public", "large", "medium", "small", "micro"] = "unknown"
    invoiced: Literal["unknown", "on_delivery"] = "unknown"
    one_year_lpr_percent: Percent = Decimal(0)


class Dunning(Section):
    """How customers are asked for what is overdue."""

    on: StrictBool = True
    letter_interval_days: Annotated[StrictInt, Field(ge=1, le=365)] = 7
    step_interval_days: Annotated[StrictInt, Field(ge=1, le=365)] = 5
    minimum_amount: Amount = Decimal(100)
    promise_grace_days: Days = 3
    skip_disputed: StrictBool = True
    payments_within_hours: Annotated[StrictInt, Field(ge=1, le=8_784)] = 20
    interest: Interest = Interest()
    statutory: Statutory = Statutory()
    step: tuple[DunningStep, ...] = Field(default_factory=lambda: shipped("dunning", "step"), validate_default=True)

    @model_validator(mode="after")
    def _a_ladder(self) -> Dunning:
        levels = [rung.level for rung in self.step]
        days = [rung.days for rung in self.step]
        if not levels or levels[0] > 1 or levels != list(range(levels[0], levels[0] + len(levels))):
            raise Unfit(
                Text(
                    "The levels of [[dunning.step]] begin with 0 or 1 and rise by one.",
                    "[[dunning.step]] 的 level 应从 0 或 1 开始，逐级加一。",
                )
            )
        if days != sorted(set(days)) or any((rung.days <= 0) != (rung.level == 0) for rung in self.step):
            raise Unfit(
                Text(
                    "The days of [[dunning.step]] rise; only level 0, the notice before the due date, has 0 or less.",
                    "[[dunning.step]] 的 days 应逐级递增；只有 0 级（到期前提醒）可为 0 或负数。",
                )
            )
        if any((rung.channel == "statement") != (rung.level == 0) for rung in self.step):
            raise Unfit(
                Text(
                    "Level 0, and only level 0, has the channel statement.",
                    "0 级的 channel 应为 statement，其他各级不可使用 statement。",
                )
            )
        return self

    @property
    def notice(self) -> DunningStep | None:
        """The friendly notice before the due date, where there is one."""
        return self.step[0] if self.step[0].level == 0 else None

    def rung(self, level: int) -> DunningStep | None:
        """The rung of a level; None above the last."""
        at = level - self.step[0].level
        return self.step[at] if 0 <= at < len(self.step) else None
