"""Weights of evidence and the scale of points: the arithmetic that statistical scorecards stand on (domain 6).

Logarithms and exponentials are Decimal's own, correctly rounded to 28 digits, so that every machine and every year gives
the same score. Odds are good : bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from connector.credit.quality import PRECISE

ONE, TWO, HALF = Decimal(1), Decimal(2), Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a variable's bins say: the weight of evidence of each, ln(share of goods ÷ share of bads), and the variable's
    information value.

    `smoothed`: a cell was empty, so that 0.5 was added to every cell.
    """

    woe: tuple[Decimal, ...]
    iv: Decimal
    smoothed: bool = False


def evidence(goods: Sequence[int], bads: Sequence[int]) -> Evidence:
    """Weights of evidence and information value of a variable from the numbers of goods and bads in its bins.

    ValueError where the two have not the same bins, or there are none.
    """
    cells = list(zip(goods, bads, strict=True))
    if not cells:
        raise ValueError("a variable has at least one bin")
    smoothed = any(not good or not bad for good, bad in cells)
    more = HALF if smoothed else Decimal(0)
    with localcontext(PRECISE):
        whole_good = sum((good + more for good, _ in cells), Decimal(0))
        whole_bad = sum((bad + more for _, bad in cells), Decimal(0))
        shares = [((good + more) / whole_good, (bad + more) / whole_bad) for good, bad in cells]
        woe = tuple((g / b).ln() for g, b in shares)
        iv = sum(((g - b) * w for (g, b), w in zip(shares, woe, strict=True)), Decimal(0))
    return Evidence(woe, iv, smoothed)


@dataclass(frozen=True, slots=True)
class Scale:
    """How odds become points: `score` points at odds of `odds` good : bad, `pdo` points more double the odds."""

    score: Decimal = Decimal(600)
    odds: Decimal = Decimal(50)
    pdo: Decimal = Decimal(20)

    @property
    def factor(self) -> Decimal:
        """Points per unit of log odds: pdo ÷ ln 2."""
        with localcontext(PRECISE):
            return self.pdo / TWO.ln()

    @property
    def offset(self) -> Decimal:
        """Points at odds of 1 : 1."""
        with localcontext(PRECISE):
            return self.score - self.factor * self.odds.ln()

    def points(self, log_odds: Decimal) -> Decimal:
        """The score of log odds, unrounded."""
        with localcontext(PRECISE):
            return self.offset + self.factor * log_odds

    def of_pd(self, pd: Decimal) -> Decimal:
        """The score of a probability of default between 0 and 1, both excluded; ValueError otherwise."""
        if not 0 < pd < 1:
            raise ValueError(f"{pd} is no probability of default that has odds")
        with localcontext(PRECISE):
            return self.points(((ONE - pd) / pd).ln())


def pd_of(log_odds: Decimal) -> Decimal:
    """The probability of default that log odds of good : bad stand for."""
    with localcontext(PRECISE):
        return ONE / (ONE + log_odds.exp())
