"""Balances: what is written set by set is what the rule says of each item alone, whatever came in whatever order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from connector.store import balances
from connector.store.db import Store
from connector.store.pieces import pieces
from connector.store.tables import item
from tests.store.books import Book, books, load, maybe
from tests.store.conftest import emptied


@st.composite
def in_two_currencies(draw: st.DrawFn) -> Book:
    """A book whose items mostly have a base amount, and whose applications sometimes have one."""
    book = draw(books())
    amounts = st.one_of(st.none(), st.integers(0, 20_000), st.integers(0, 20_000))
    book.documents = [replace(d, base_amount=draw(amounts)) for d in book.documents]
    book.payments = [replace(p, base_amount=draw(amounts)) for p in book.payments]
    stated = maybe(st.integers(-5_000, 15_000).map(lambda n: Decimal(n).scaleb(-2)), 3)
    book.applications = [replace(a, base_amount=draw(stated)) for a in book.applications]
    return book


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(book=in_two_currencies(), seed=st.integers(0, 99), page=st.integers(1, 9))
def test_what_is_stored_is_what_the_rule_says_of_each_item(
    shared_store: Store, book: Book, seed: int, page: int
) -> None:
    emptied(shared_store)
    load(shared_store, book, seed=seed, page=page)
    c = item.c
    with shared_store.reading() as tx:
        asked = select(c.id, c.parts, c.open_value, c.open_base, c.last_on, c.settled_on, c.open)
        stored = {row[0]: tuple(row[1:]) for row in tx.execute(asked)}
        seen = 0
        for balance in balances.load(tx, list(stored)):
            seen += 1
            before = [use.base for use in balance.uses]
            assert not list(balances._shares(balance)), "a base value is not the item's own share"
            assert [use.base for use in balance.uses] == before
            stand = pieces(balance)
            open_value = sum(p.open_value for p in stand)
            open_base = None if balance.base is None else sum(p.open_base or 0 for p in stand)
            last_on = max([balance.issued_on, *(day for u in balance.uses for day in (u.since, u.until) if day)])
            settled_on = None if any(p.open_value or p.open_base for p in stand) else last_on
            if balance.voided_on is not None:
                settled_on = balance.voided_on if settled_on is None else min(settled_on, balance.voided_on)
            parts = len(stand) if balance.instalments else 0
            wanted = (parts, open_value, open_base, last_on, settled_on, 1 if settled_on is None else 0)
            assert stored[balance.id] == wanted, balance
    assert seen == len(book.documents) + len(book.payments)
