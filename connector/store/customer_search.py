"""Looking for customers by what people remember of them: an id, a tax number, a part of the name."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select

from connector.store.customers import CustomerRow, customers
from connector.store.keys import system_ids
from connector.store.tables import customer


def search(
    tx: Connection, systems: Collection[str], words: str, *, after: int = 0, most: int = 20
) -> list[CustomerRow]:
    """So many customers of some systems at most, by key, those after one: whose id or tax number this is, or whose name
    has these words in it, whatever the case. No words: all."""
    c = customer.c
    asked = select(c.id).where(c.system.in_(system_ids(tx, systems) or []), c.known.is_(True), c.id > after)
    for word in words.split():
        alike = or_(c.ref == word, c.tax_id == word, func.lower(c.name).contains(word.lower(), autoescape=True))
        asked = asked.where(or_(c.ref == words, alike))
    keys = list(tx.execute(asked.order_by(c.id).limit(most)).scalars())
    return customers(tx, keys=keys) if keys else []
