"""One page on its way into the store: what it has touched so far, and the check every fact passes before any SQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import Connection

from connector.errors import Problem
from connector.model import KIND_OF, Application, Fact, Limit, columns
from connector.money import exponent
from connector.text import Text

# Ten thousand times a million millions: more than any ledger holds, and a thousand of them still add up in 63 bits.
MOST_MINOR = 10**16
# What fits an index row of every database with room to spare.
LONGEST_ID = 255
_MOST_DIGITS = 40

F = TypeVar("F")
# What a page has said so far of facts without an id of their own, and where.
Nameless = dict[tuple[type, str], str]


@dataclass
class Saving:
    """The state of one `save_page`: where it writes, and what must follow before its transaction ends."""

    tx: Connection
    system: int
    now: dt.datetime
    ledger_currency: str | None = None
    touched: set[int] = field(default_factory=set)  # customers whose facts changed
    unsettled: set[int] = field(default_factory=set)  # items whose open state must be worked out again
    arrived: set[str] = field(default_factory=set)  # ids of documents and payments not known before
    upset: set[int] = field(default_factory=set)  # items whose applications must be looked at again
    sales: dict[tuple[int, str, dt.date], list[int]] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)  # documents whose instalments changed
    rates_changed: set[str] = field(default_factory=set)  # currencies
    amended: list[list[Any]] = field(default_factory=list)  # facts as they were before, for `amendments.save`
    decided: bool | None = None  # whether decisions rest on the facts; None: not looked yet
    told: set[int] = field(default_factory=set)  # records that say all they say on this page, or are gone

    @property
    def ledger_exponent(self) -> int:
        """Decimals of base amounts."""
        return exponent(self.ledger_currency or "")


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keeps the cyclic garbage collector off for one page: its rows are many, short-lived and in no cycles, and looking
    through them, and all else there is, again and again took a fifth of the time of loading."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def newest(facts: Sequence[tuple[int, F]]) -> tuple[Sequence[tuple[int, F]], Sequence[tuple[int, F]]]:
    """Facts with the record they come from, one for each id: where a page says one twice, the later word counts. Beside
    them what other records of the page said of it before, each once."""
    last = {fact.ref: (record, fact) for record, fact in facts}  # type: ignore[attr-defined]
    if len(last) == len(facts):
        return facts, ()
    before: dict[tuple[int, str], tuple[int, F]] = {}
    for record, fact in facts:
        ref: str = fact.ref  # type: ignore[attr-defined]
        if last[ref][0] != record:
            before.pop((record, ref), None)  # the later place, too
            before[record, ref] = (record, fact)
    return list(last.values()), list(before.values())


_GETTERS: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {
    cls: (columns(kind), attrgetter(*columns(kind))) for cls, kind in KIND_OF.items()
}


def unfit(fact: Fact, where: str) -> Problem | None:
    """What keeps a fact from being stored in any database, or None: too large, too long, not text, not a number."""
    names, getter = _GETTERS[fact.__class__]
    for place, value in enumerate(getter(fact)):
        kind = value.__class__
        if kind is str:
            if value.isascii() and "\x00" not in value:
                continue
            if "\x00" in value or not _encodes(value):
                return _no_text(where, names[place])
        elif kind is int:
            if not -MOST_MINOR <= value <= MOST_MINOR:
                return _too_large(where, names[place])
        elif kind is Decimal and not _is_sane(value):
            return _too_large(where, names[place])
    return _too_long(where) if len(fact.ref) > LONGEST_ID else None


def said_twice(fact: Fact, where: str, said: Nameless) -> Problem | None:
    """What keeps a limit or application without an id of its own apart from one that a page has said before, or None.

    Two of them that agree in all that names them would be one row: the second would be lost without a word.
    """
    if not isinstance(fact, (Application, Limit)) or fact.id is not None:
        return None
    name = (fact.__class__, fact.ref)
    first = said.get(name)
    if first is None:
        said[name] = where
        return None
    return Problem(
        "said_twice",
        where,
        Text("This says the same as {first}: it counts once.", "此处与 {first} 相同：只计一次。").fill(first=first),
        Text(
            "If both are meant, map an id that tells them apart.",
            "若两者均有效，请在映射中加入可区分二者的编号（id）。",
        ),
        "id",
    )


def _is_sane(value: Decimal) -> bool:
    return value.is_finite() and -_MOST_DIGITS < value.adjusted() <= 16


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_text(where: str, name: str) -> Problem:
    return Problem(
        "not_text",
        where,
        Text("The field holds characters that are no text.", "该字段含有非文本字符。"),
        Text("Enter it anew there.", "请在该系统中重新录入。"),
        name,
    )


def _too_large(where: str, name: str) -> Problem:
    return Problem(
        "too_large",
        where,
        Text("The number is larger than any ledger holds.", "数值过大，超出账簿可能的范围。"),
        Text("Correct it there, or the unit in the mapping.", "请在该系统中更正，或更正映射中的单位。"),
        name,
    )


def _too_long(where: str) -> Problem:
    return Problem(
        "id_too_long",
        where,
        Text("The id is longer than {most} characters.", "编号超过 {most} 个字符。").fill(most=LONGEST_ID),
        Text("Map a shorter id.", "请在映射中选用较短的编号。"),
        "id",
    )


def day_of(saving: Sequence[dt.date | None]) -> dt.date | None:
    """The earliest of some days, leaving out those not known."""
    return min((day for day in saving if day is not None), default=None)
