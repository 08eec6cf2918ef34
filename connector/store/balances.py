"""Balances: what is open of an item, kept up in the page's transaction so that a report need not add it up again.

For every item: what is open once everything dated has happened, the last day on which something happens to it, and the
day from which on nothing is open. A report for any day on or after the last takes the figure as it is; one for an
earlier day adds up what had happened by then, with the same rule (`pieces`, the twin of `credit/items.py` in minor
units). A document with instalments is open in pieces; applications that name one go to it, the rest fills the earliest
due first.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from connector.money import to_minor
from connector.store import bulk
from connector.store.items import SIGN
from connector.store.page import Saving
from connector.store.tables import application, instalment, item, part


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
    instalments: list[tuple[str, dt.date, int]] = field(default_factory=list)

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
    made, disputed = [], balance.disputed
    for place, (number, due_on, value, base) in enumerate(whole):
        doubt = min(disputed, max(values[place], 0))
        disputed -= doubt
        made.append(Piece(number, due_on, value, base, values[place], bases[place] if bases else None, doubt))
    return made


def _split(balance: Balance) -> list[tuple[str, dt.date | None, int, int | None]]:
    """Number, due date, signed value and signed base value of each piece, earliest due first."""
    sign, base = SIGN[balance.kind], balance.base
    stated: list[tuple[str, dt.date | None, int]] = [
        (number, due_on, sign * amount)
        for number, due_on, amount in sorted(balance.instalments, key=lambda part: (part[1], part[0]))
    ]
    rest = balance.value - sum(value for _, _, value in stated)
    if rest or not stated:
        stated.append(("", balance.due_on, rest))
    made: list[tuple[str, dt.date | None, int, int | None]] = []
    so_far = done = 0
    for place, (number, due_on, value) in enumerate(stated):
        share = None
        if base is not None:
            so_far += value
            # The shares are cut from one whole, so that they add up to it; the last takes what is left.
            upto = base if place == len(stated) - 1 else share_of(base, so_far, balance.value)
            share, done = upto - done, upto
        made.append((number, due_on, value, share))
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


def share_of(whole: int, portion: int, of: int) -> int:
    """`whole × portion ÷ of`, rounded half up; zero where there is nothing to divide by."""
    if of == 0:
        return 0
    negative = (whole < 0) ^ (portion < 0) ^ (of < 0)
    size = (2 * abs(whole) * abs(portion) + abs(of)) // (2 * abs(of))
    return -size if negative else size


def settle(saving: Saving) -> None:
    """Works out anew what is open of the items that the page touched."""
    if not saving.unsettled:
        return
    tx = saving.tx
    replaced: list[int] = []
    changed: list[tuple[Any, ...]] = []
    share_rows: list[tuple[bool, int, int]] = []
    part_rows: list[tuple[Any, ...]] = []
    for balance in load(tx, saving.unsettled):
        share_rows += _shares(balance)
        last_on = balance.issued_on
        for use in balance.uses:
            last_on = max(last_on, use.since, use.until or use.since)
        if balance.instalments:
            stand = pieces(balance)
            value = sum(p.open_value for p in stand)
            base = None if balance.base is None else sum(p.open_base or 0 for p in stand)
            is_open = any(p.open_value or p.open_base for p in stand)
            count = len(stand)
            replaced.append(balance.id)
            part_rows += [
                (balance.id, n, p.number, p.due_on, p.value, p.base, p.open_value, p.open_base, p.disputed)
                for n, p in enumerate(stand)
            ]
        else:
            value = balance.value + sum(use.value for use in balance.uses if use.until is None)
            base = balance.base
            if base is not None:
                base += sum(use.base or 0 for use in balance.uses if use.until is None)
            is_open, count = bool(value or base), 0
            if balance.before[0]:
                replaced.append(balance.id)
        settled = None if is_open else last_on
        if balance.voided_on is not None:
            settled = balance.voided_on if settled is None else min(settled, balance.voided_on)
        now = (count, value, base, last_on, settled, 1 if settled is None else 0)
        if now != balance.before:
            changed.append((*now, balance.id))
        saving.touched.add(balance.customer)
    saving.unsettled = set()
    for column, rows in (
        ("to_base", [r[1:] for r in share_rows if r[0]]),
        ("from_base", [r[1:] for r in share_rows if not r[0]]),
    ):
        bulk.update(tx, application, (column,), rows)
    if replaced:
        tx.execute(part.delete().where(bulk.among(tx, part.c.item, replaced)))
        bulk.insert(tx, part, tuple(c.name for c in part.c), part_rows)
    bulk.update(tx, item, ("parts", "open_value", "open_base", "last_on", "settled_on", "open"), changed)


def _shares(balance: Balance) -> Iterator[tuple[bool, int, int]]:
    """Base values of applications that come without: their part of the item's own, cut so that nothing is left over.

    Yields (whether the item is the aim, base value, application) where that differs from what is stored.
    """
    if balance.base is None or all(use.base_stated for use in balance.uses):
        return
    so_far = done = 0
    every = [(True, use) for use in balance.aims] + [(False, use) for use in balance.gives]
    for aimed, use in sorted(every, key=lambda one: (one[1].since, one[1].id)):
        if use.base_stated:
            continue
        if use.until is None:
            so_far += use.value
            upto = share_of(balance.base, so_far, balance.value)
            base, done = upto - done, upto
        else:
            base = share_of(balance.base, use.value, balance.value)
        if base != use.base:
            use.base = base
            yield aimed, base, use.id


def load(tx: Connection, ids: Collection[int]) -> Iterator[Balance]:
    """Items with their applications and instalments."""
    c = item.c
    asked = select(
        c.id,
        c.system,
        c.family,
        c.ref,
        c.customer,
        c.kind,
        c.currency,
        c.issued_on,
        c.due_on,
        c.voided_on,
        c.value,
        c.base_value,
        func.coalesce(c.disputed, 0),
        c.parts,
        c.open_value,
        c.open_base,
        c.last_on,
        c.settled_on,
        c.open,
    ).where(bulk.among(tx, c.id, ids))
    found: dict[int, Balance] = {}
    for row in tx.execute(asked).all():
        said: tuple[Any, ...] = tuple(row)
        found[said[0]] = balance = Balance(*said[:13])
        balance.before = said[13:]
    a = application.c
    for end, value, base, name in (
        (a.to_item, a.to_value, a.to_base, "aims"),
        (a.from_item, a.from_value, a.from_base, "gives"),
    ):
        uses = select(end, a.id, a.since, a.until, value, base, a.instalment, a.base_amount.is_not(None)).where(
            bulk.among(tx, end, list(found)), a.since.is_not(None)
        )
        for row in tx.execute(uses).all():
            use: tuple[Any, ...] = tuple(row)
            if use[3] is None or use[3] > use[2]:  # else it was over before it began
                getattr(found[use[0]], name).append(Use(*use[1:]))
    papers = {(b.system, b.ref): b for b in found.values() if b.family == "d"}
    i = instalment.c
    for system in {key[0] for key in papers}:
        parts = select(i.document_ref, i.number, i.due_on, i.amount).where(
            i.system == system, bulk.among(tx, i.document_ref, [ref for at, ref in papers if at == system])
        )
        for ref, number, due_on, amount in tx.execute(parts).all():
            balance = papers[system, ref]
            balance.instalments.append((number, due_on, to_minor(Decimal(amount), balance.currency)))
    yield from found.values()
