"""Statistical scorecards: a fitted model read from a file, scored on the same inputs (domain 6).

The file is TOML:

    name = "ours-2026"
    intercept = 3.1              # log odds good : bad where every weight of evidence is 0
    score = 600                  # so many points
    odds = 50                    # at such odds good : bad
    pdo = 20                     # points that double the odds
    min_coverage_percent = 60    # share of the variables that must be known
    bands = [["A", 640], ["B", 600], ["C", 560], ["D", 0]]

    [[variable]]
    input = "payment_index"
    coefficient = 0.8
    below = -1.2                 # weight of evidence below the first bound
    bins = [[60, 0.1], [78, 0.9]]
    missing = -0.2               # weight of evidence where it is not known; left out: 0

    [[variable]]
    input = "altman_zone"
    coefficient = 0.5
    words = { safe = 0.7, grey = 0.0, distress = -1.1 }

`log odds = intercept + Σ coefficient × weight of evidence`; `score = offset + factor × log odds`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from connector.credit.quality import PRECISE
from connector.credit.scaling import Scale, pd_of
from connector.credit.score import CENT, HUNDRED, UNKNOWN, ZERO, Part, Score, beside, graded, measured, placed
from connector.credit.score_inputs import INPUTS, STEP, Known
from connector.errors import ConfigError, Problem
from connector.money import EXACT
from connector.policy_problems import line, problem
from connector.policy_score import Cap, Points
from connector.policy_section import Section, Unfit
from connector.text import Text, joined
from connector.toml_text import toml_of

Above = Annotated[Decimal, Field(gt=0)]


class Variable(Section):
    """One variable of the model: the weights of evidence of its bins or words, and its coefficient."""

    input: str
    coefficient: Decimal
    below: Decimal | None = None
    bins: tuple[tuple[Decimal, Decimal], ...] = ()
    words: dict[str, Decimal] = Field(default_factory=dict)
    missing: Decimal = ZERO

    @model_validator(mode="after")
    def _fits(self) -> Variable:
        if self.input not in INPUTS:
            known = ", ".join(INPUTS)
            raise Unfit(Text("input is one of: {known}.", "input 可选：{known}。").fill(known=known))
        bounds = [bound for bound, _ in self.bins]
        by_words = INPUTS[self.input].words is not None
        whole = self.words and not bounds if by_words else bounds and self.below is not None and not self.words
        if not whole or bounds != sorted(set(bounds)):
            raise Unfit(
                Text(
                    "A number needs below and bins = [[from, weight], …] in rising order, a word needs words.",
                    "数值项须填写 below 与递增的 bins = [[下限, 权重], …]；文字项须填写 words。",
                )
            )
        return self


class StatisticalCard(Section):
    """A fitted scorecard as its file has it."""

    name: str
    intercept: Decimal
    score: Decimal = Decimal(600)
    odds: Above = Decimal(50)
    pdo: Above = Decimal(20)
    min_coverage_percent: Points = Decimal(50)
    bands: tuple[tuple[str, Decimal], ...]
    variable: tuple[Variable, ...]

    @model_validator(mode="after")
    def _fits(self) -> StatisticalCard:
        bounds, names = [bound for _, bound in self.bands], [name for name, _ in self.bands]
        if not bounds or bounds != sorted(set(bounds), reverse=True) or len(set(names)) < len(names):
            raise Unfit(
                Text(
                    "bands are [[grade, from this score on], …], best first, each grade once.",
                    "bands 为 [[等级, 起始分], …]，由高到低，等级不重复。",
                )
            )
        if not self.variable:
            raise Unfit(Text("At least one [[variable]] is needed.", "至少需要一个 [[variable]]。"))
        return self


def read(text: str, name: str = "scorecard") -> tuple[StatisticalCard | None, list[Problem]]:
    """The scorecard in a TOML text, or None and everything that is wrong with it."""
    try:
        return StatisticalCard.model_validate(toml_of(text)), []
    except tomllib.TOMLDecodeError as wrong:
        what = Text("This is not valid TOML: {why}.", "不是有效的 TOML：{why}。").fill(why=wrong)
        return None, [Problem("bad_toml", name, what, Text("Correct that line.", "请改正该行。"))]
    except ValidationError as wrong:
        return None, [problem(StatisticalCard, error, name) for error in wrong.errors(include_url=False)]


def load(text: str, name: str = "scorecard") -> StatisticalCard:
    """The scorecard in a TOML text. Raises ConfigError that lists every problem."""
    card, problems = read(text, name)
    if card is None:
        head = Text("The scorecard has mistakes.", "评分卡有错误。")
        raise ConfigError(joined([head, *map(line, problems)], "\n", "\n"))
    return card


def version_of(card: StatisticalCard) -> str:
    """The name of the scorecard and a short hash of its content."""
    return f"{card.name}-{hashlib.blake2b(card.model_dump_json().encode(), digest_size=4).hexdigest()}"


def score(
    inputs: Mapping[str, Known],
    card: StatisticalCard,
    as_of: dt.date,
    version: str = "",
    caps: Sequence[Cap] = (),
) -> Score:
    """The score of a customer by a statistical scorecard, with its probability of default (four decimals).

    Each part's points are what its variable adds to or takes from the score: factor × coefficient × weight of evidence.
    """
    scale = Scale(card.score, card.odds, card.pdo)
    parts, known_ones, log_odds = [], 0, card.intercept
    with localcontext(PRECISE):
        factor = scale.factor
        for variable in card.variable:
            part, woe = _part(variable, inputs.get(variable.input, UNKNOWN))
            known_ones += part.rule is None
            log_odds += variable.coefficient * woe
            part.points = EXACT.quantize(factor * variable.coefficient * woe, CENT)
            parts.append(part)
        coverage = Decimal(known_ones) / len(parts)
        enough = coverage * HUNDRED >= card.min_coverage_percent
        points = EXACT.quantize(scale.points(log_odds), CENT) if enough else None
        pd = EXACT.quantize(pd_of(log_odds), STEP) if enough else None
    grade, capped = graded(points, card.bands, caps, inputs)
    return Score(
        as_of,
        version or version_of(card),
        points,
        grade,
        EXACT.quantize(coverage, CENT),
        tuple(parts),
        capped,
        pd,
        beside(caps, inputs),
    )


def _part(variable: Variable, known: Known) -> tuple[Part, Decimal]:
    value = known.value
    if isinstance(value, str):
        if value in variable.words:
            return Part(variable.input, known, value, variable.coefficient, None), variable.words[value]
        known = Known(None, known.source, (*known.flags, "not_in_table"))
    elif value is not None and variable.bins:
        value = measured(value)
        low, high, woe = placed(value, variable.bins, variable.below or ZERO)
        return Part(variable.input, known, value, variable.coefficient, None, None, low, high), woe
    return Part(variable.input, known, value, variable.coefficient, None, "neutral"), variable.missing
