"""Scores: the points of a scorecard for one customer, explained criterion by criterion (domain 6).

`score = Σ weight × points ÷ Σ weight` over the criteria. What is missing is left out and the rest weighs more
(`reweight`), gets fixed points (`neutral`) or none (`zero`); where too little of the weight is known there is no score,
which is not a bad score. A bin has its lower bound and not its upper one; so has a band. The score is rounded once, at
the end, half up to two decimals, and the grade is that of the rounded score.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.credit.score_inputs import INPUTS, STEP, Known, Value
from connector.money import EXACT
from connector.policy_score import Cap, Criterion, Missing, Scoring

ZERO, HUNDRED, CENT = Decimal(0), Decimal(100), Decimal("0.01")
UNKNOWN = Known(flags=("no_event",))
NOTHING: Mapping[str, Known] = {}


@dataclass(slots=True)
class Part:
    """What one criterion came to.

    `value` is the input as it was judged; `points` are None where it was left out; `rule` says what was done because it
    is missing. `low` and `high` are the ends of the bin that was hit (None: open); of a word there are none. `points`
    are 0 to 100; in a statistical scorecard they are the part's own share of the score, and `weight` is its coefficient.
    """

    input: str
    known: Known
    value: Value
    weight: Decimal
    points: Decimal | None
    rule: Missing | None = None
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(slots=True)
class Score:
    """A customer's score on a day, with all that it was made of.

    `points` and `grade` are None where there is no score. `coverage` is the known share of the weight (0 to 1, two
    decimals). `capped` names the inputs that keep the grade down, `beside` are those that the caps were asked of. `pd` is the probability of default, of a statistical
    scorecard only. `version` is that of the scorecard: the same version, the same bins, weights and rules.
    """

    as_of: dt.date
    version: str
    points: Decimal | None
    grade: str | None
    coverage: Decimal
    parts: tuple[Part, ...]
    capped: tuple[str, ...] = ()
    pd: Decimal | None = None
    beside: Mapping[str, Known] = field(default_factory=dict)


def version_of(rules: Scoring) -> str:
    """A short hash of everything that a score by these rules depends on beside its inputs."""
    return hashlib.blake2b(rules.model_dump_json().encode(), digest_size=8).hexdigest()


def score(inputs: Mapping[str, Known], rules: Scoring, as_of: dt.date, version: str = "") -> Score:
    """The score of a customer by a points scorecard; what `inputs` does not have is missing.

    `version` is `version_of(rules)`, where the caller has it already.
    """
    parts = []
    weights = known_weights = counted = total = ZERO
    for criterion in rules.criterion:
        weight = criterion.weight
        weights += weight
        part = _part(criterion, inputs.get(criterion.input, UNKNOWN), rules)
        if part.rule is None:
            known_weights += weight
        if part.points is not None:
            counted += weight
            total += weight * part.points
        parts.append(part)
    coverage = known_weights / weights
    enough = counted > 0 and coverage * HUNDRED >= rules.min_coverage_percent
    points = EXACT.quantize(total / counted, CENT) if enough else None
    grade, capped = graded(points, rules.bands, rules.cap, inputs)
    return Score(
        as_of,
        version or version_of(rules),
        points,
        grade,
        EXACT.quantize(coverage, CENT),
        tuple(parts),
        capped,
        None,
        beside(rules.cap, inputs),
    )


def _part(criterion: Criterion, known: Known, rules: Scoring) -> Part:
    value = known.value
    if isinstance(value, str):
        if value in criterion.words:
            return Part(criterion.input, known, value, criterion.weight, criterion.words[value])
        # A rating that the scorecard does not list is not known to be good or bad.
        known = Known(None, known.source, (*known.flags, "not_in_table"))
    elif value is not None and criterion.bins:
        value = measured(value)
        low, high, points = placed(value, criterion.bins, criterion.below or ZERO)
        return Part(criterion.input, known, value, criterion.weight, points, None, low, high)
    rule = criterion.missing or rules.missing
    if rule == "reweight":
        points_missing = None
    elif rule == "zero":
        points_missing = ZERO
    else:
        points_missing = rules.neutral if criterion.neutral is None else criterion.neutral
    return Part(criterion.input, known, value, criterion.weight, points_missing, rule)


def measured(value: Decimal) -> Decimal:
    """A number as it is judged and kept: four decimals, half up, so that 1/3 + 2/3 lands on the bound it belongs to."""
    return EXACT.quantize(value, STEP)


def placed(
    value: Decimal, bins: Sequence[tuple[Decimal, Decimal]], below: Decimal
) -> tuple[Decimal | None, Decimal | None, Decimal]:
    """The bin of a number: its ends (the lower one belongs to it, the upper one does not), and what it gives."""
    at = bisect_right(bins, value, key=_bound)
    low, points = bins[at - 1] if at else (None, below)
    return low, bins[at][0] if at < len(bins) else None, points


def _bound(one: tuple[Decimal, Decimal]) -> Decimal:
    return one[0]


def grade_of(points: Decimal, bands: Sequence[tuple[str, Decimal]]) -> str:
    """The band of a score: the best one whose lower bound it reaches, the last one below all of them."""
    return next((name for name, bound in bands if points >= bound), bands[-1][0])


def graded(
    points: Decimal | None, bands: Sequence[tuple[str, Decimal]], caps: Sequence[Cap], inputs: Mapping[str, Known]
) -> tuple[str | None, tuple[str, ...]]:
    """The grade, and the inputs that keep it down.

    The lowest grade needs no score: where a cap allows nothing better, no score could be better.
    """
    grade = None if points is None else grade_of(points, bands)
    bad = [cap for cap in caps if cap.input in inputs and inputs[cap.input].value in cap.words]
    if not bad:
        return grade, ()
    names = [name for name, _ in bands]
    at_most = max(names.index(cap.grade) for cap in bad)
    if at_most <= (len(names) - 2 if grade is None else names.index(grade)):
        return grade, ()
    return names[at_most], tuple(dict.fromkeys(cap.input for cap in bad if cap.grade == names[at_most]))


def beside(caps: Sequence[Cap], inputs: Mapping[str, Known]) -> Mapping[str, Known]:
    """What is known of the inputs that caps ask for."""
    asked = [cap.input for cap in caps if cap.input in inputs and inputs[cap.input].value is not None]
    return {name: inputs[name] for name in asked} if asked else NOTHING


# --- what is kept ------------------------------------------------------------------------------------------------------
def as_kept(found: Score) -> dict[str, Any]:
    """A score as it is kept and as programs read it: decimals as plain texts, in a fixed order."""
    return {
        "as_of": found.as_of.isoformat(),
        "version": found.version,
        "score": _plain(found.points),
        "grade": found.grade,
        "coverage": _plain(found.coverage),
        "pd": _plain(found.pd),
        "capped": list(found.capped),
        "parts": [
            {
                "input": part.input,
                "value": part.value if isinstance(part.value, str) else _plain(part.value),
                "bin": [_plain(part.low), _plain(part.high)],
                "weight": _plain(part.weight),
                "points": _plain(part.points),
                "rule": part.rule,
                "source": list(part.known.source),
                "flags": list(part.known.flags),
                "missing": list(part.known.missing),
            }
            for part in found.parts
        ],
        "beside": {
            name: {"value": known.value, "source": list(known.source)} for name, known in sorted(found.beside.items())
        },
    }


def inputs_of(kept: Mapping[str, Any]) -> dict[str, Known]:
    """The inputs of a score from what was kept of it: with the scorecard of its version they make the same score."""
    found = {name: Known(one["value"], tuple(one["source"])) for name, one in kept["beside"].items()}
    for part in kept["parts"]:
        value, number = part["value"], INPUTS[part["input"]].words is None
        flags = tuple(flag for flag in part["flags"] if flag != "not_in_table")
        known = Decimal(value) if number and value is not None else value
        found[part["input"]] = Known(known, tuple(part["source"]), flags, tuple(part["missing"]))
    return found


def digest(found: Score) -> str:
    """What makes it another score: the result, the scorecard, and what each criterion gave and on which statement or word.

    A number that moves inside its bin changes nothing: else every customer would have a new score every morning.
    """
    said = [found.version, str(found.points), str(found.grade), str(found.pd), *found.capped]
    for part in found.parts:
        said += (part.input, str(part.points), str(part.rule))
        if isinstance(part.value, str):
            said.append(part.value)
        if part.known.source[:1] == ("statement",):
            said += part.known.source
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
