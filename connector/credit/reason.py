"""Reasons: why something is held or warned of, as a sentence in both languages that carries its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from connector.money import EXACT, rounded
from connector.text import Text


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that applies.

    `rule` is stable and short (`limit_exceeded`); `text` is what a person reads; `numbers` are the same figures for
    programs: plain decimals, days, ISO dates, codes; `documents` names what is behind it.
    """

    rule: str
    text: Text
    numbers: dict[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()


def money(amount: Decimal, currency: str) -> str:
    """An amount as a sentence shows it: `CNY 9,900.00`."""
    return f"{currency} {rounded(amount, currency):,f}"


def percent(share: Decimal) -> str:
    """A fraction of 1 as a sentence shows it: `65.82%`."""
    return f"{EXACT.quantize(share * 100, Decimal('0.01')):f}%"
