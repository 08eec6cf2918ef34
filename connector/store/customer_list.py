"""Lists of customers for people who look: which debtors there are in the ledger, by words and segment, in the order of names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from connector.store import quick
from connector.store.keys import system_ids
from connector.store.tables import customer, link, standing


class State(NamedTuple):
    """Another one whenever anybody's newest decision is: how many have one, and the sum of their numbers."""

    judged: int
    numbers: int


class Stand(NamedTuple):
    """The newest decision of a debtor."""

    debtor: int
    decision: int


def debtors(
    tx: Connection,
    systems: Collection[str],
    words: str = "",
    *,
    segment: str | None = None,
    among: Collection[int] | None = None,
) -> list[int]:
    """The debtors with a customer in some systems, by that customer's name: those whose id or tax number this is, or whose
    name has all these words in it, whatever the case (none: all); of a segment (None: of all)."""
    c = customer.c
    asked = (
        select(link.c.debtor)
        .join_from(customer, link, link.c.customer == c.id)
        .where(c.system.in_(system_ids(tx, systems) or []), c.known.is_(True))
        .order_by(func.lower(c.name), c.id)
    )
    for word in words.split():
        alike = or_(c.ref == word, c.tax_id == word, func.lower(c.name).contains(word.lower(), autoescape=True))
        asked = asked.where(or_(c.ref == words, alike))
    if segment is not None:
        asked = asked.where(c.segment == segment)
    found = dict.fromkeys(tx.execute(asked).scalars())
    return list(found) if among is None else [debtor for debtor in found if debtor in among]


def segments(tx: Connection, systems: Collection[str]) -> list[str]:
    """The segments that customers of some systems are in."""
    c = customer.c
    asked = select(c.segment).where(c.system.in_(system_ids(tx, systems) or []), c.segment.is_not(None)).distinct()
    return sorted(tx.execute(asked).scalars())


def state(tx: Connection) -> State:
    """What changes with every new decision, whichever transaction comes first."""
    (found,) = quick.rows(tx, _STATE)
    return State(int(found[0]), int(found[1] or 0))


def standings(tx: Connection) -> list[Stand]:
    """The newest decision of everybody who has one."""
    return [Stand(*row) for row in quick.rows(tx, _STANDINGS)]


_SUMS: tuple[Any, ...] = (func.count(), func.sum(standing.c.decision))
_PAIRS: tuple[Any, ...] = (standing.c.debtor, standing.c.decision)
_STATE, _STANDINGS = select(*_SUMS), select(*_PAIRS)
