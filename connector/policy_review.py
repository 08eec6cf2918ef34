"""The `[review]` tables of the policy: how often customers are reviewed, what pulls a review forward, what must be on
file (domain 13, 14)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from connector.policy_section import Amount, Days, Level, Section, Unfit, shipped
from connector.text import Text

# What pulls a review forward.
Happening = Literal[
    "level_orange",
    "level_red",
    "limit_request",
    "grade_worse",
    "insurer",
    "registry",
    "court",
    "over_limit",
]
# What a credit file holds beside what the systems say.
Paper = Literal[
    "application",
    "licence",
    "contract",
    "reference",
    "bureau_report",
    "security",
    "insurance",
    "site_visit",
    "demand",
    "decision",
    "other",
]

Months = Annotated[StrictInt, Field(ge=1, le=60)]


class ReviewEvery(Section):
    """So many months between two reviews of the customers of a risk class: a grade of the score, or a warning level.

    Of a customer's classes the one with the fewest months counts.
    """

    grade: str | None = None
    level: Level | None = None
    months: Months

    @model_validator(mode="after")
    def _one_class(self) -> ReviewEvery:
        if (self.grade is None) == (self.level is None):
            raise Unfit(Text("Give a grade or a level, one of them.", "grade 与 level 须且只能填写一项。"))
        return self


class ReviewEvent(Section):
    """Within so many days after something happened the customer is reviewed."""

    on: Happening
    days: Days


class ReviewCheck(Section):
    """One point of the checklist, in both languages."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]
    required: StrictBool = True

    @property
    def text(self) -> Text:
        return Text(self.en, self.zh)


class Required(Section):
    """A paper that the file of a customer must hold, from a limit of so much on; older than `months` it does not count."""

    paper: Paper
    from_limit: Amount
    months: Months | None = None


class Review(Section):
    """When customers are reviewed."""

    on: StrictBool = True
    months_ungraded: Months = 6
    first_after_months: Months = 3
    task_days_before: Days = 7
    every: tuple[ReviewEvery, ...] = Field(default_factory=lambda: shipped("review", "every"), validate_default=True)
    event: tuple[ReviewEvent, ...] = Field(default_factory=lambda: shipped("review", "event"), validate_default=True)
    check: tuple[ReviewCheck, ...] = Field(default_factory=lambda: shipped("review", "check"), validate_default=True)
    required: tuple[Required, ...] = Field(default_factory=lambda: shipped("review", "required"), validate_default=True)

    @model_validator(mode="after")
    def _once_each(self) -> Review:
        for names in ([e.on for e in self.event], [c.id for c in self.check], [r.paper for r in self.required]):
            if len(names) != len(set(names)):
                raise Unfit(
                    Text(
                        "Each event, each point of the checklist and each required paper is listed once.",
                        "每个事件、每个检查项、每种必备资料只能列出一次。",
                    )
                )
        return self

    def days_after(self, happening: str) -> int | None:
        """Within how many days after something a review is due; None: it pulls nothing forward."""
        return next((event.days for event in self.event if event.on == happening), None)
