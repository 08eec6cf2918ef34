"""By worth: rows with amounts of several currencies in one order, a page at a time; whole numbers are compared, never floats.

The database puts the amounts of each currency in order by themselves; the few first of each are then set against each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from connector.money import exponent
from connector.store.sorted_pages import Place

# What is unlimited is more than anything.
_UNLIMITED = "unlimited"
_PLACE = re.compile(r"(-?[0-9]{1,19})_([A-Z]{3})", re.ASCII)
_MOST, _LEAST = 2**63 - 1, -(2**63)
# No currency has smaller units.
_FINEST = 10_000

_Worth = tuple[bool, int]


class Worths:
    """What a minor unit of each currency is worth, as whole numbers of one very small unit. A currency that `worth` (what one
    unit of each is in one of them) says nothing of counts as the one of it."""

    def __init__(self, worth: Mapping[str, Decimal]) -> None:
        self._exact = {code: Fraction(one) / 10 ** exponent(code) for code, one in worth.items() if one > 0}
        self._scale = lcm(_FINEST, *(one.denominator for one in self._exact.values()))
        self._units: dict[str, int] = {}

    def unit(self, currency: str) -> int:
        """What one minor unit is."""
        if currency not in self._units:
            exact = self._exact.get(currency, Fraction(1, 10 ** exponent(currency)))
            self._units[currency] = int(exact * self._scale)
        return self._units[currency]

    def of(self, minor: int | None, currency: str) -> _Worth:
        """What can be compared of an amount in minor units; None: unlimited."""
        return (True, 0) if minor is None else (False, minor * self.unit(currency))


def ordered(
    tx: Connection,
    asked: Select[Any],
    number: ColumnElement[int],
    minor: ColumnElement[Any],
    currency: ColumnElement[Any],
    worth: Mapping[str, Decimal],
    *,
    down: bool,
    after: Place | None,
    most: int,
) -> tuple[list[int], Place | None]:
    """The keys of so many rows at most of what is asked for, by worth and then by key, those after a place; and the place
    that the next page begins after. `minor` are minor units, None is unlimited. Raises ValueError where the place is none."""
    worths = Worths(worth)
    plain = asked.with_only_columns(number.label("number"), minor.label("minor"), currency.label("currency"))
    if after is not None:
        codes = tx.execute(asked.with_only_columns(currency).distinct()).scalars().all()
        plain = plain.where(_beyond(worths, codes, _worth(worths, after[0]), after[1], number, minor, currency, down))
    order = (minor.desc(), number.desc()) if down else (minor, number)
    place = func.row_number().over(partition_by=(currency, minor.is_(None)), order_by=order)
    ranked = plain.add_columns(place.label("place")).subquery()
    r = ranked.c
    rows = tx.execute(select(r.number, r.minor, r.currency).where(r.place <= most + 1)).all()
    first = sorted(rows, key=lambda row: (worths.of(row.minor, row.currency), row.number), reverse=down)
    shown = first[:most]
    more = (said(shown[-1].minor, shown[-1].currency), shown[-1].number) if len(first) > most and shown else None
    return [row.number for row in shown], more


def said(minor: int | None, currency: str) -> str:
    """An amount as an address can carry it."""
    return _UNLIMITED if minor is None else f"{minor}_{currency}"


def _worth(worths: Worths, place: str) -> _Worth:
    if place == _UNLIMITED:
        return worths.of(None, "")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ValueError(place)
    return worths.of(int(found[1]), found[2])


def _beyond(
    worths: Worths,
    codes: Any,
    last: _Worth,
    key: int,
    number: ColumnElement[int],
    minor: ColumnElement[Any],
    currency: ColumnElement[Any],
    down: bool,
) -> ColumnElement[bool]:
    """What comes after a row of this worth and key: for each currency the bound is the amount that is worth as much."""
    further = number < key if down else number > key
    unlimited, worth = last
    if unlimited:
        rest = and_(minor.is_(None), further)
        return or_(minor.is_not(None), rest) if down else rest
    found: list[ColumnElement[bool]] = [] if down else [minor.is_(None)]
    for code in codes:
        bound, left = divmod(worth, worths.unit(code))
        limit = max(_LEAST, min(bound, _MOST))
        if left or limit != bound:
            # No whole amount is worth as much: what is at most the one below it is less.
            found.append(and_(currency == code, minor <= limit if down else minor > limit))
        else:
            past = minor < limit if down else minor > limit
            found.append(and_(currency == code, or_(past, and_(minor == limit, further))))
    return or_(*found) if found else minor.is_(None) & minor.is_not(None)
