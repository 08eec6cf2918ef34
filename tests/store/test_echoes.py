"""A fact that several records say: the latest word counts, and the fact is there exactly while somebody says it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from connector.model import (
    Application,
    Customer,
    Event,
    Fact,
    Instalment,
    Limit,
    Order,
    OrderLine,
    Promise,
    Rate,
)
from connector.store import customers, positions, tables
from connector.store.db import Store
from connector.store.facts import Kept, sweep
from tests.store.books import NOW, save
from tests.store.test_facts import DAY, balance, fixable, invoice, receipt

# One fact of each kind that a page may say with one of several values, and where its value is read.
_KINDS: dict[str, Any] = {
    "customer": lambda n: Customer(id="C1", name="Acme", terms=f"net:{n}"),
    "document": lambda n: invoice("D1", n),
    "payment": lambda n: receipt("P1", n),
    "instalment": lambda n: Instalment(document_id="D1", number="1", due_on=DAY, amount=Decimal(n)),
    "application": lambda n: Application(id="A1", from_id="P1", to_id="D1", amount=Decimal(n), applied_on=DAY),
    "order": lambda n: Order(id="O1", customer_id="C1", ordered_on=DAY, currency="CNY", amount=n),
    "order_line": lambda n: OrderLine(order_id="O1", line="1", quantity=Decimal(n), unit_price=Decimal(1)),
    "rate": lambda n: Rate(on=DAY, from_currency="USD", to_currency="CNY", rate=Decimal(n)),
    "limit": lambda n: Limit(id="L1", customer_id="C1", kind="base", amount=n, currency="CNY"),
    "event": lambda n: Event(id="E1", customer_id="C1", on=DAY, kind="court", source="bureau", value=str(n)),
    "promise": lambda n: Promise(id="W1", customer_id="C1", made_on=DAY, due_on=DAY, amount=n, currency="CNY"),
}


def _there(tx: Connection) -> dict[str, int]:
    """What stands in the store of each kind."""
    t = tables
    asked = {
        "customer": select(t.customer.c.terms).where(t.customer.c.known),
        "document": select(t.item.c.value).where(t.item.c.family == "d"),
        "payment": select(-t.item.c.value).where(t.item.c.family == "p"),
        "instalment": select(t.instalment.c.amount),
        "application": select(t.application.c.amount),
        "order": select(t.sales_order.c.amount).where(t.sales_order.c.known),
        "order_line": select(t.order_line.c.quantity),
        "rate": select(t.rate.c.rate),
        "limit": select(t.credit_limit.c.amount),
        "event": select(t.event.c.value),
        "promise": select(t.promise.c.amount),
    }
    found = {kind: tx.execute(one).scalars().all() for kind, one in asked.items()}
    return {kind: int(str(values[0]).removeprefix("net:")) for kind, values in found.items() if values}


_words = st.dictionaries(st.sampled_from(sorted(_KINDS)), st.integers(1, 5), max_size=4)
_records = st.sampled_from(["R1", "R2", "R3"])
# A page of records, each with what it says and whether it has trouble; or a record that goes.
_pages = st.lists(st.tuples(_records, _words, st.sampled_from([False, False, False, True])), min_size=1, max_size=3)
_steps = st.lists(st.one_of(_pages, _records), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield store
    store.close()


@settings(max_examples=40, deadline=None)
@given(_steps)
def test_a_fact_is_there_exactly_while_some_record_says_it(sqlite: Store, steps: list[Any]) -> None:
    said: dict[str, dict[str, int]] = {}  # kind: record: value, the latest word last
    with sqlite.writing() as tx:
        undo = tx.begin_nested()
        for number, step in enumerate(steps):
            if isinstance(step, str):
                save(tx, "moves", [], gone=[step])
                for words in said.values():
                    words.pop(step, None)
            else:
                page = {record: (words, bad) for record, words, bad in step}
                save(tx, "moves", [_kept(record, number, *one) for record, one in page.items()])
                for record, (words, bad) in page.items():
                    for kind in _KINDS if not bad else words:
                        said.setdefault(kind, {}).pop(record, None)
                    for kind, value in words.items():
                        said[kind][record] = value
            assert _there(tx) == {kind: list(words.values())[-1] for kind, words in said.items() if words}
        sweep(tx, "books", "moves", (), NOW)
        assert _there(tx) == {}
        assert tx.execute(select(tables.echo)).all() == []
        undo.rollback()


def _kept(record: str, number: int, words: dict[str, int], bad: bool) -> Kept:
    facts: list[Fact] = [_KINDS[kind](value) for kind, value in words.items()]
    return Kept(record, {}, str(number), facts, (fixable(),) if bad else ())


def test_the_balance_follows_an_application_that_payment_and_invoice_both_tell(store: Store) -> None:
    paid = Application(from_id="P1", to_id="D1", amount=Decimal("40.00"), applied_on=DAY)
    with store.writing() as tx:
        save(tx, "invoices", [Kept("D1", {}, "1", [invoice("D1", 10_000), paid])])
        save(tx, "payments", [Kept("P1", {}, "1", [receipt("P1", 4_000), paid])])
        save(tx, "payments", [Kept("P1", {}, "2", [receipt("P1", 4_000)])])
        rows = [row for row in positions.totals(tx, DAY) if row.receivables]
        assert [(row.receivables, row.cash) for row in rows] == [(6_000, 0)]
        save(tx, "payments", [], gone=["P1"])
        assert balance(tx) == 10_000


def test_a_word_that_takes_its_place_again_keeps_every_digit(store: Store) -> None:
    first = Rate(on=DAY, from_currency="KRW", to_currency="CNY", rate=Decimal("0.005234567890123456789"))
    lasts = Event(id="E1", customer_id="C1", on=DAY, kind="court", source="bureau", ended_on=dt.date(2026, 12, 31))
    with store.writing() as tx:
        save(tx, "moves", [Kept("R1", {}, "1", [first, lasts])])
        again: list[Fact] = [
            Rate(on=DAY, from_currency="KRW", to_currency="CNY", rate=Decimal(1)),
            invoice("D1", 2**53 + 1),
        ]
        again.append(Event(id="E1", customer_id="C2", on=DAY, kind="x", source="y"))
        save(tx, "moves", [Kept("R2", {}, "1", again)])
        save(tx, "moves", [Kept("R3", {}, "1", [invoice("D1", 1)])])
        save(tx, "moves", [], gone=["R2", "R3"])
        assert [rate.rate for rate in customers.rates(tx)] == [first.rate]
        assert [list(found) for found in customers.events(tx).values()] == [[lasts]]
        assert balance(tx) == 0
