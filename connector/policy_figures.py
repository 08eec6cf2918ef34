"""The `[ageing]`, `[exposure]`, `[currency]` and `[data]` tables of the policy: how figures are made (domain 1, 3, 4).

They are the same for all customers: sums are made of everybody at once.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, field_validator

from connector.policy_section import Days, Section, Unfit
from connector.text import Text


class Ageing(Section):
    """How open items are sorted by age."""

    basis: Literal["due", "issue", "statutory"] = "due"
    edges_days: tuple[Days, ...] = (30, 60, 90)
    issue_edges_days: tuple[Days, ...] = (30, 60, 90, 180, 365)
    placement: Literal["separate", "fifo", "own_bucket"] = "separate"
    missing_due_date: Literal["hold", "issue_date"] = "hold"

    @field_validator("edges_days", "issue_edges_days")
    @classmethod
    def _rising(cls, edges: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(edges) <= 12 or edges[0] < 1 or sorted(set(edges)) != list(edges):
            raise Unfit(
                Text(
                    "One to twelve whole numbers, each greater than the one before, the first at least 1.",
                    "应为 1 至 12 个整数，逐个递增，第一个至少为 1。",
                )
            )
        return edges

    def edges(self, basis: str | None = None) -> tuple[int, ...] | None:
        """The boundaries that belong to a basis; None: the basis has its own (years, by law)."""
        return {"due": self.edges_days, "issue": self.issue_edges_days}.get(basis or self.basis)


class Exposure(Section):
    """Which amounts count as exposure. Open receivables always do."""

    unapplied_cash: StrictBool = True
    unapplied_credit_notes: StrictBool = True
    draft_invoices: StrictBool = False
    delivered_not_invoiced: StrictBool = True
    ordered_not_delivered: StrictBool = True
    order_horizon_days: Days | None = 90
    bills_commercial: StrictBool = True
    bills_bank: StrictBool = False

    @field_validator("order_horizon_days", mode="before")
    @classmethod
    def _no_horizon(cls, value: object) -> object:
        return None if value == "none" else value  # TOML cannot say null


class Currency(Section):
    """How old an exchange rate may be."""

    max_rate_age_days: Days = 35


class Data(Section):
    """How old the last complete pull may be before nothing is decided on it."""

    stale_after_hours: Annotated[StrictInt, Field(ge=1, le=8_784)] = 26
