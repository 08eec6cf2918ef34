"""How a part of a score is told: the bin it fell into, what it gave, what was done because it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.score import Part, Score
from connector.credit.score_inputs import INPUTS, flags_text, source_text, value_text
from connector.text import Text, joined, same

RULES = {
    "reweight": Text("left out", "不计入"),
    "neutral": Text("neutral points", "按中性分计"),
    "zero": Text("no points", "计零分"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion as people read it; `share` is what it gives to the score, in points of the score."""

    name: Text
    value: Text
    bin: Text | None
    points: Decimal | None
    weight: Decimal
    share: Decimal | None
    source: Text | None
    note: Text | None


def lines(score: Score) -> Sequence[Line]:
    """The criteria of a score, in the scorecard's order."""
    counted = sum((p.weight for p in score.parts if p.points is not None), Decimal(0))
    found = []
    for part in score.parts:
        notes = [n for n in (flags_text(part.known.flags, part.known.missing), rule_of(part)) if n is not None]
        found.append(
            Line(
                INPUTS[part.input].name,
                value_text(part.input, part.value),
                bin_of(part),
                part.points,
                part.weight,
                share_of(part, counted, score),
                source_text(part.known.source),
                joined(notes) if notes else None,
            )
        )
    return found


def bin_of(part: Part) -> Text | None:
    """The bin as people write it: from its lower bound on, below its upper one."""
    low = f"{part.low:f}" if part.low is not None else None
    high = f"{part.high:f}" if part.high is not None else None
    if low is not None and high is not None:
        return same(f"{low} ≤ … < {high}")
    if low is not None:
        return same(f"≥ {low}")
    return same(f"< {high}") if high is not None else None


def rule_of(part: Part) -> Text | None:
    """What was done because the input is missing."""
    return RULES[part.rule] if part.rule is not None else None


def share_of(part: Part, counted: Decimal, score: Score) -> Decimal | None:
    """What a criterion gives to the score, in points of the score."""
    if part.points is None:
        return None
    if score.pd is not None or not counted:
        return part.points
    return (part.points * part.weight / counted).quantize(Decimal("0.01"))
