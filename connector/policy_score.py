"""The `[score]` tables of the policy: the scorecard by which customers are scored, and its grades (domain 6)."""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from connector.credit.altman import MODELS
from connector.credit.score_inputs import INPUTS
from connector.policy_section import Section, Unfit, shipped
from connector.text import Text

Points = Annotated[Decimal, Field(ge=0, le=100)]
Missing = Literal["reweight", "neutral", "zero"]
Months = Annotated[StrictInt, Field(ge=1, le=120)]


def _known(name: str) -> None:
    if name not in INPUTS:
        near = difflib.get_close_matches(name, INPUTS, 1, 0.5)
        fix = Text('There is no input "{name}". Is "{near}" meant?', "没有输入项“{name}”。是否应为“{near}”？")
        if not near:
            fix = Text('There is no input "{name}". Known: {near}.', "没有输入项“{name}”。可用：{near}。")
        raise Unfit(fix.fill(name=name, near=near[0] if near else ", ".join(INPUTS)))


def _words(name: str, words: tuple[str, ...]) -> None:
    known = INPUTS[name].words
    if known is None:
        raise Unfit(Text("{name} is a number: it has no words.", "{name} 为数值，没有取值词。").fill(name=name))
    for word in words:
        if known and word not in known:
            wanted = ", ".join(known)
            fix = Text("{name} is one of: {wanted}.", "{name} 的取值：{wanted}。").fill(name=name, wanted=wanted)
            raise Unfit(fix)


class Criterion(Section):
    """One line of the scorecard. `bins` give points from a number on (lower bound inclusive), `below` those under the
    first; of an input that is a word, `words` gives them."""

    input: str
    weight: Annotated[Decimal, Field(gt=0, le=100_000)]
    below: Points | None = None
    bins: tuple[tuple[Decimal, Points], ...] = ()
    words: dict[str, Points] = Field(default_factory=dict)
    missing: Missing | None = None
    neutral: Points | None = None

    @model_validator(mode="after")
    def _fits(self) -> Criterion:
        _known(self.input)
        if INPUTS[self.input].words is not None:
            _words(self.input, tuple(self.words))
            if not self.words or self.bins or self.below is not None:
                fix = Text("{name} is a word: give words = { … }.", "{name} 为文字取值：请填写 words = { … }。")
                raise Unfit(Text(fix.en.replace("{name}", self.input), fix.zh.replace("{name}", self.input)))
            return self
        if self.words:
            _words(self.input, tuple(self.words))
        bounds = [bound for bound, _ in self.bins]
        if not bounds or self.below is None or bounds != sorted(set(bounds)):
            raise Unfit(
                Text(
                    "A number needs below = points and bins = [[from, points], …], each bound above the one before.",
                    "数值项须填写 below = 分数 和 bins = [[下限, 分数], …]，下限逐个递增。",
                )
            )
        return self


class Cap(Section):
    """Whatever the points say: with one of these words the grade is at most this."""

    input: str
    words: tuple[str, ...]
    grade: str

    @model_validator(mode="after")
    def _fits(self) -> Cap:
        _known(self.input)
        _words(self.input, self.words)
        return self


class Scoring(Section):
    """How customers are scored and graded."""

    on: StrictBool = True
    model: str = "none"
    missing: Missing = "reweight"
    neutral: Points = Decimal(50)
    min_coverage_percent: Points = Decimal(40)
    statement_months_max: Months = 18
    event_months_max: Months = 12
    altman: str = "z2_em"
    annualised: StrictBool = False
    receivables: Literal["narrow", "broad"] = "narrow"
    prepayments_out: StrictBool = True
    year_days: Literal[360, 365] = 360
    bands: tuple[tuple[str, Decimal], ...] = Field(
        default_factory=lambda: shipped("score", "bands"), validate_default=True
    )
    criterion: tuple[Criterion, ...] = Field(
        default_factory=lambda: shipped("score", "criterion"), validate_default=True
    )
    cap: tuple[Cap, ...] = Field(default_factory=lambda: shipped("score", "cap"), validate_default=True)

    @model_validator(mode="after")
    def _fits(self) -> Scoring:
        if self.altman not in MODELS:
            known = ", ".join(MODELS)
            raise Unfit(Text("altman is one of: {known}.", "altman 可选：{known}。").fill(known=known))
        names, bounds = [name for name, _ in self.bands], [bound for _, bound in self.bands]
        falling = bounds == sorted(set(bounds), reverse=True)
        if not names or len(set(names)) < len(names) or not falling or bounds[-1] != 0:
            raise Unfit(
                Text(
                    "bands are [[grade, from this score on], …], best first, each grade once, the last from 0.",
                    "bands 为 [[等级, 起始分], …]，由高到低，等级不重复，最后一级从 0 起。",
                )
            )
        for cap in self.cap:
            if cap.grade not in names:
                raise Unfit(
                    Text("[[score.cap]] grade: one of {known}.", "[[score.cap]] 的 grade 可选：{known}。").fill(
                        known=", ".join(names)
                    )
                )
        asked = [criterion.input for criterion in self.criterion]
        twice = sorted({name for name in asked if asked.count(name) > 1})
        if twice or not asked:
            raise Unfit(
                Text(
                    "[[score.criterion]] asks for each input once, and for one at least{twice}.",
                    "[[score.criterion]] 每个输入项只能出现一次，且至少一项{twice}。",
                ).fill(twice=f": {', '.join(twice)}" if twice else "")
            )
        return self
