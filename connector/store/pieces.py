"""Pieces: an item with all that was applied to it, and what is open of each of its parts on a day, in minor units.

The twin of `credit/items.py`. A document with instalments is open in pieces; applications that name one go to it, the
rest fills the earliest due first.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.money import share_of
from connector.store.items import SIGN


@dataclass(slots=True)
class Use:
    """One application as one end sees it: what it adds to the signed open value while it counts."""

    id: int
    since: dt.date
    until: dt.date | None
    value: int
    base: int | None
    instalment: str | None
    base_stated: bool

    def counts(self, as_of: dt.date | None) -> bool:
        """Whether it counts on a day; None: once everything dated has happened."""
        if as_of is None:
            return self.until is None
        return self.since <= as_of and (self.until is None or self.until > as_of)


@dataclass(frozen=True, slots=True)
class Stated:
    """An instalment as it was stated, unsigned; `base` and `disputed` only where it has its own."""

    number: str
    due_on: dt.date
    value: int
    base: int | None = None
    disputed: int | None = None


@dataclass(slots=True)
class Balance:
    """An item with all that was applied to or from it."""

    id: int
    system: int
    family: str
    ref: str
    customer: int
    kind: str
    currency: str
    issued_on: dt.date
    due_on: dt.date | None
    voided_on: dt.date | None
    value: int
    base: int | None
    disputed: int
    before: tuple[Any, ...] = ()
    aims: list[Use] = field(default_factory=list)
    gives: list[Use] = field(default_factory=list)
    instalments: list[Stated] = field(default_factory=list)

    @property
    def uses(self) -> Iterator[Use]:
        yield from self.aims
        yield from self.gives


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an item with its own due date; all values signed, `open_*` what is open of it."""

    number: str
    due_on: dt.date | None
    value: int
    base: int | None
    open_value: int
    open_base: int | None
    disputed: int


def pieces(balance: Balance, as_of: dt.date | None = None) -> list[Piece]:
    """The pieces of an item as they stand at the end of a day; one piece, without number, where it has no instalments."""
    whole = _split(balance)
    values = _opened(balance, [(number, value) for number, _, value, _ in whole], as_of, in_base=False)
    bases: list[int] | None = None
    if balance.base is not None:
        bases = _opened(balance, [(number, base or 0) for number, _, _, base in whole], as_of, in_base=True)
    own = {one.number: one.disputed for one in balance.instalments if one.disputed is not None}
    made, disputed = [], max(balance.disputed - sum(own.values()), 0)
    for place, (number, due_on, value, base) in enumerate(whole):
        doubt = min(own.get(number, disputed), max(values[place], 0))
        if number not in own:
            disputed -= doubt
        made.append(Piece(number, due_on, value, base, values[place], bases[place] if bases else None, doubt))
    return made


def _split(balance: Balance) -> list[tuple[str, dt.date | None, int, int | None]]:
    """Number, due date, signed value and signed base value of each piece, earliest due first."""
    sign = SIGN[balance.kind]
    parts: list[tuple[str, dt.date | None, int, int | None]] = [
        (one.number, one.due_on, sign * one.value, None if one.base is None else sign * one.base)
        for one in sorted(balance.instalments, key=lambda one: (one.due_on, one.number))
    ]
    rest = balance.value - sum(value for _, _, value, _ in parts)
    if rest or not parts:
        parts.append(("", balance.due_on, rest, None))
    if balance.base is None:
        return [(number, due_on, value, None) for number, due_on, value, _ in parts]
    # What has no base value of its own has its share of what the others leave; the shares are cut from one whole, so that
    # they add up to it.
    left = balance.base - sum(own or 0 for *_, own in parts)
    of = sum(value for _, _, value, own in parts if own is None)
    made: list[tuple[str, dt.date | None, int, int | None]] = []
    so_far = done = 0
    for number, due_on, value, own in parts:
        share = own
        if own is None:
            so_far += value
            upto = share_of(left, so_far, of)
            share, done = upto - done, upto
        made.append((number, due_on, value, share))
    # The last takes what is over, where every part says its own and they differ from the whole.
    number, due_on, value, share = made[-1]
    made[-1] = (number, due_on, value, (share or 0) + left - done)
    return made


def _opened(balance: Balance, whole: Sequence[tuple[str, int]], as_of: dt.date | None, *, in_base: bool) -> list[int]:
    sign = SIGN[balance.kind]
    numbers = {number for number, _ in whole if number}
    stated: dict[str, int] = defaultdict(int)
    left = 0  # applied without a stated instalment; positive lessens
    for aimed, uses in ((True, balance.aims), (False, balance.gives)):
        for use in uses:
            if use.counts(as_of):
                amount = -sign * ((use.base or 0) if in_base else use.value)
                if aimed and use.instalment in numbers:
                    stated[use.instalment or ""] += amount
                else:
                    left += amount
    opened = []
    for place, (number, value) in enumerate(whole):
        amount = sign * value - (stated[number] if number else 0)
        # The last piece takes what is left: an over-application shows as a credit, it does not vanish.
        taken = left if place == len(whole) - 1 else min(left, max(amount, 0))
        left -= taken
        opened.append(sign * (amount - taken))
    return opened


__all__ = ["Balance", "Piece", "Stated", "Use", "pieces"]
