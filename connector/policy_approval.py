"""The `[approval]` table of the policy: whose authority covers which decision, the approval matrix (domain 10)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from connector.policy_section import LEVELS, Amount, Level, Percent, Section, Unfit, shipped
from connector.text import Text

Role = Literal["viewer", "sales", "credit_controller", "approver", "admin", "auditor"]
Matter = Literal["limit", "release", "review", "write_off", "policy"]

# Who looks or sells does not decide on credit; who keeps the system running does not, either.
DECIDING: frozenset[Role] = frozenset({"credit_controller", "approver"})


class ApprovalRow(Section):
    """One way to have a matter approved: by so many different people of a role, up to its bounds, all inclusive.

    `up_to_amount`: of a limit, the whole proposed limit; of a release, the excess over the limit; of a write-off, what is
    given up. `up_to_percent`: of a limit, its rise over the one before; of a release, the excess as a share of the limit.
    `up_to_level`: the customer's warning level; `up_to_band`: his grade, this one or a better one. A bound that is left
    out does not bind; where a row has a bound and the number is not known, the row does not cover the request.
    """

    matter: Matter
    up_to_amount: Amount | None = None
    up_to_percent: Percent | None = None
    up_to_level: Level | None = None
    up_to_band: str | None = None
    role: Role
    people: Annotated[StrictInt, Field(ge=1, le=2)] = 1

    @model_validator(mode="after")
    def _decides(self) -> ApprovalRow:
        if self.matter != "policy" and self.role not in DECIDING:
            raise Unfit(
                Text(
                    "Only a credit_controller or an approver decides on credit.",
                    "只有 credit_controller 或 approver 可以作出信用决定。",
                )
            )
        return self

    def covers(
        self, amount: Decimal | None, percent: Decimal | None, level: Level, worse: tuple[str, ...] | None
    ) -> bool:
        """Whether a request is inside the bounds; `worse`: its grade and all worse ones, None where there is none."""
        if self.up_to_amount is not None and (amount is None or amount > self.up_to_amount):
            return False
        if self.up_to_percent is not None and (percent is None or percent > self.up_to_percent):
            return False
        if self.up_to_level is not None and LEVELS.index(level) > LEVELS.index(self.up_to_level):
            return False
        return self.up_to_band is None or (worse is not None and self.up_to_band in worse)


class Approval(Section):
    """The approval matrix: every row that covers a request is a way to have it approved."""

    row: tuple[ApprovalRow, ...] = Field(default_factory=lambda: shipped("approval", "row"), validate_default=True)

    def rows(self, matter: Matter) -> tuple[ApprovalRow, ...]:
        """The rows of one matter, in their order."""
        return tuple(row for row in self.row if row.matter == matter)
