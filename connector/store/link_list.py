"""Lists of links for people: accounts of CRMs beside the customers of ERPs whose debtor they have, page by page.

Each is one statement over what is shown, however many customers there are; `after` is the key of the last row seen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select

from connector.store.keys import system_ids, system_names
from connector.store.tables import apart, customer, link, proposal


@dataclass(frozen=True, slots=True)
class Side:
    """A customer as one system knows it."""

    key: int
    system: str
    ref: str
    name: str
    tax_id: str | None
    external_id: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """An account and the customer that it is, or may be; `other` None: nobody. `how` as in `links.LinkRow`."""

    account: Side
    other: Side | None
    how: str = ""
    score: Decimal | None = None
    confirmed: bool = False
    proposal: int | None = None


def linked(
    tx: Connection, crms: Collection[str], erps: Collection[str], words: str, *, after: int = 0, most: int = 50
) -> list[Pair]:
    """Accounts that have the debtor of an ERP's customer; with words in either name, or as either's number."""
    one, other, mine, his = customer.alias("one"), customer.alias("other"), link.alias("mine"), link.alias("his")
    first = (
        select(his.c.debtor, func.min(his.c.customer).label("customer"))
        .join_from(his, other, other.c.id == his.c.customer)
        .where(other.c.system.in_(system_ids(tx, erps) or []))
        .group_by(his.c.debtor)
        .subquery()
    )
    theirs = customer.alias("theirs")
    asked = (
        select(*_columns(one), *_columns(theirs), mine.c.how, mine.c.score, mine.c.confirmed)
        .join_from(mine, one, one.c.id == mine.c.customer)
        .join(first, first.c.debtor == mine.c.debtor)
        .join(theirs, theirs.c.id == first.c.customer)
        .where(one.c.system.in_(system_ids(tx, crms) or []), one.c.id > after)
    )
    for word in words.split():
        asked = asked.where(or_(_alike(one, word), _alike(theirs, word)))
    names = system_names(tx)
    return [
        Pair(_side(row[:7], names), _side(row[7:14], names), row[14], row[15], bool(row[16]))
        for row in tx.execute(asked.order_by(one.c.id).limit(most))
    ]


def unlinked(
    tx: Connection, crms: Collection[str], erps: Collection[str], words: str, *, after: int = 0, most: int = 50
) -> list[Pair]:
    """Accounts that are nobody's customer in an ERP."""
    c = customer.c
    asked: Select[Any] = select(*_columns(customer)).where(*_alone(tx, crms, erps), c.id > after)
    for word in words.split():
        asked = asked.where(_alike(customer, word))
    names = system_names(tx)
    return [Pair(_side(row, names), None) for row in tx.execute(asked.order_by(c.id).limit(most))]


def counts(tx: Connection, crms: Collection[str], erps: Collection[str]) -> tuple[int, int, int]:
    """How many accounts there are, how many of them are nobody's customer, and how many proposals wait."""
    c = customer.c
    every = select(func.count()).where(c.system.in_(system_ids(tx, crms) or []), c.known.is_(True))
    alone = select(func.count()).select_from(customer).where(*_alone(tx, crms, erps))
    waiting = select(func.count()).select_from(proposal).where(proposal.c.state == "open")
    return tuple(int(tx.execute(asked).scalar_one()) for asked in (every, alone, waiting))  # type: ignore[return-value]


def proposed(tx: Connection, erps: Collection[str], words: str, *, after: int = 0, most: int = 50) -> list[Pair]:
    """Open proposals, the likeliest first, the account before the customer of an ERP; `after` is how many were seen."""
    one, other, p = customer.alias("one"), customer.alias("other"), proposal.c
    put_apart = exists().where(apart.c.a == p.a, apart.c.b == p.b)
    asked = (
        select(*_columns(one), *_columns(other), p.why, p.score, p.id)
        .join_from(proposal, one, one.c.id == p.a)
        .join(other, other.c.id == p.b)
        .where(p.state == "open", ~put_apart)
    )
    for word in words.split():
        asked = asked.where(or_(_alike(one, word), _alike(other, word)))
    names = system_names(tx)
    return [
        _proposal(row, names, erps)
        for row in tx.execute(asked.order_by(p.score.desc(), p.id).offset(after).limit(most))
    ]


def waiting(tx: Connection, erps: Collection[str], number: int) -> Pair | None:
    """One proposal that nobody has decided; None where there is none, or somebody has."""
    one, other, p = customer.alias("one"), customer.alias("other"), proposal.c
    asked = (
        select(*_columns(one), *_columns(other), p.why, p.score, p.id)
        .join_from(proposal, one, one.c.id == p.a)
        .join(other, other.c.id == p.b)
        .where(p.state == "open", p.id == number)
    )
    row = tx.execute(asked).one_or_none()
    names = system_names(tx)
    return _proposal(row, names, erps) if row else None


def _proposal(row: Any, names: dict[int, str], erps: Collection[str]) -> Pair:
    one, other = _side(row[:7], names), _side(row[7:14], names)
    if one.system in erps and other.system not in erps:
        one, other = other, one
    return Pair(one, other, row[14], row[15], False, row[16])


def _alone(tx: Connection, crms: Collection[str], erps: Collection[str]) -> list[ColumnElement[bool]]:
    c, mine, his, other = customer.c, link.alias("mine"), link.alias("his"), customer.alias("other")
    # Sets that are worked out once: asked for each account they would be worked out anew each time.
    owned = (
        select(his.c.debtor)
        .join_from(his, other, other.c.id == his.c.customer)
        .where(other.c.system.in_(system_ids(tx, erps) or []))
    )
    linked_to_them = select(mine.c.customer).where(mine.c.debtor.in_(owned))
    return [c.system.in_(system_ids(tx, crms) or []), c.known.is_(True), c.id.not_in(linked_to_them)]


def _columns(of: Any) -> list[Any]:
    c = of.c
    return [c.id, c.system, c.ref, c.name, c.tax_id, c.external_id, c.country]


def _side(row: Any, names: dict[int, str]) -> Side:
    key, system, ref, name, *rest = row
    return Side(key, names[system], ref, name or ref, *rest)


def _alike(of: Any, word: str) -> ColumnElement[bool]:
    name = func.lower(of.c.name).contains(word.lower(), autoescape=True)
    return or_(of.c.ref == word, of.c.tax_id == word, of.c.external_id == word, name)


__all__ = ["Pair", "Side", "counts", "linked", "proposed", "unlinked", "waiting"]
