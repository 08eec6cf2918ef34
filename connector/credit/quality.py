"""Quality of a score: how well it parts bad from good, and whether the population is still the one it was made for.

Domain 6. Decimals throughout, 28 digits. A score is *risk*: the higher, the riskier; of one that runs the other way,
give the negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from itertools import groupby

# Divisions and logarithms are carried to so many digits, whatever the process's own setting is.
PRECISE = Context(prec=28)
SHARE_LEAST = Decimal("0.0001")
ZERO, ONE, HALF = Decimal(0), Decimal(1), Decimal("0.5")


def auc(risk: Sequence[Decimal], bad: Sequence[bool]) -> Decimal | None:
    """P(a bad one scored riskier than a good one), ties ½; 0.5 is chance. None without both kinds.

    ValueError where the two are not equally long.
    """
    steps = _steps(risk, bad)
    goods, bads = sum(good for good, _ in steps), sum(bad_here for _, bad_here in steps)
    if not bads or not goods:
        return None
    won, goods_below = ZERO, 0
    for good_here, bad_here in steps:
        won += bad_here * (goods_below + HALF * good_here)
        goods_below += good_here
    with localcontext(PRECISE):
        return won / (bads * goods)


def gini(risk: Sequence[Decimal], bad: Sequence[bool]) -> Decimal | None:
    """2 × AUC − 1: 0 is chance, 1 perfect."""
    area = auc(risk, bad)
    with localcontext(PRECISE):
        return None if area is None else 2 * area - 1


def ks(risk: Sequence[Decimal], bad: Sequence[bool]) -> Decimal | None:
    """Kolmogorov–Smirnov: the largest distance of the cumulative distributions of bad and good over distinct scores."""
    steps = _steps(risk, bad)
    goods, bads = sum(good for good, _ in steps), sum(bad_here for _, bad_here in steps)
    if not bads or not goods:
        return None
    most, goods_below, bads_below = 0, 0, 0
    for good_here, bad_here in steps:
        goods_below += good_here
        bads_below += bad_here
        most = max(most, abs(bads_below * goods - goods_below * bads))
    with localcontext(PRECISE):
        return Decimal(most) / (bads * goods)


def _steps(risk: Sequence[Decimal], bad: Sequence[bool]) -> list[tuple[int, int]]:
    """For each distinct score, lowest first: how many good and bad ones have it."""
    found = []
    for _, same_score in groupby(sorted(zip(risk, bad, strict=True)), key=lambda pair: pair[0]):
        marks = [is_bad for _, is_bad in same_score]
        bads = sum(map(bool, marks))
        found.append((len(marks) - bads, bads))
    return found


def psi(expected: Sequence[int], actual: Sequence[int]) -> Decimal | None:
    """Population stability index of counts per band: Σ (a − e) × ln(a ÷ e) over shares, each at least 0.0001.

    Below 0.1 stable, to 0.25 look, above act. None where one of the two populations is empty; ValueError where they have
    not the same bands.
    """
    whole_expected, whole_actual = sum(expected), sum(actual)
    if not whole_expected or not whole_actual:
        return None
    with localcontext(PRECISE):
        total = ZERO
        for before, now in zip(expected, actual, strict=True):
            e = max(Decimal(before) / whole_expected, SHARE_LEAST)
            a = max(Decimal(now) / whole_actual, SHARE_LEAST)
            total += (a - e) * (a / e).ln()
        return total
