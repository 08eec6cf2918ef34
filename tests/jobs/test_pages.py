"""A page that is saved in portions says the same as one that is saved at once, wherever it is cut or broken off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from connector.adapter import Page
from connector.model import Application, Fact, Payment
from connector.store import facts, problems, statistics, tables
from connector.store.db import Store
from connector.store.facts import Kept
from jobs import pages
from jobs.pace import MOST, Pace
from jobs.pages import Source, StreamPace
from tests.store.books import NOW, Book, books
from tests.store.conftest import emptied
from tests.store.conftest import pg_server as pg_server
from tests.store.conftest import pg_store as pg_store
from tests.store.conftest import pg_url as pg_url
from tests.store.conftest import store as store

SOURCE = Source("books", "everything", "m1", "CNY")


class Cut(StreamPace):
    """Portions of sizes that are given; after so many of them the power goes."""

    def __init__(self, store: Store, sizes: Sequence[int], last: int | None = None) -> None:
        self.sizes, self.left = list(sizes), last
        super().__init__(store, self.sizes.pop(0))

    @contextmanager
    def portion(self, count: int) -> Iterator[None]:
        if self.left == 0:
            raise Power
        self.left = None if self.left is None else self.left - 1
        yield
        self.size = self.sizes.pop(0) if self.sizes else MOST


class Power(Exception):
    pass


def records(book: Book) -> list[Kept]:
    said = [fact for rows in book.streams().values() for fact in rows]
    return [Kept(fact.ref, {"ref": fact.ref}, repr(fact), [fact]) for fact in said]


def save(store: Store, kept: Sequence[Kept], pace: StreamPace, cursor: Any = "end", **how: Any) -> facts.Counts:
    page = Page((), cursor, how.pop("full", False), how.pop("last", True), **how)
    return pages.save(store, SOURCE, page, kept, pace, NOW)


def held(store: Store) -> dict[str, list[Any]]:
    """What is in the store, by names instead of keys."""
    t = tables
    i, a, c = t.item.c, t.application.c, t.customer.c
    with store.reading() as tx:
        who = {row.id: row.ref for row in tx.execute(select(c.id, c.ref))}
        items = select(i.ref, i.family, i.customer, i.value, i.open_value, i.last_on, i.settled_on, i.open, i.parts)
        ends = select(a.ref, a.from_value, a.to_value, a.since, a.until, a.firm)
        sold = select(t.sales.c.customer, t.sales.c.currency, t.sales.c.month, t.sales.c.value, t.sales.c.documents)
        return {
            "customers": sorted(who.values()),
            "items": sorted(map(repr, ((who[row.customer], *row[:2], *row[3:]) for row in tx.execute(items)))),
            "applications": sorted(map(repr, tx.execute(ends))),
            "sales": sorted(repr((who[row.customer], *row[1:])) for row in tx.execute(sold) if row.documents),
            "changed": sorted(who[key] for key in tx.execute(select(t.mark.c.customer)).scalars()),
            "records": sorted(map(repr, tx.execute(select(t.record.c.key, t.record.c.hash)))),
            "problems": sorted((p.ref, p.problem.code) for p in problems.problems(tx)),
            "cursor": [facts.cursor(tx, SOURCE.system, SOURCE.stream)],
        }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(books(), st.data())
def test_portions_say_what_the_page_says_and_a_broken_page_comes_again(
    store: Store, book: Book, data: st.DataObject
) -> None:
    kept = data.draw(st.permutations(records(book)))
    emptied(store)
    save(store, kept, StreamPace(store, MOST))
    at_once = held(store)
    assert at_once["cursor"] == ["end"]

    emptied(store)
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=12))
    broken = data.draw(st.integers(0, 4))
    try:
        save(store, kept, Cut(store, sizes, broken))
    except Power:
        assert held(store)["cursor"] == [None], "what was not saved is asked for again"
        save(store, kept, Cut(store, sizes))
    assert held(store) == at_once


def receipt(name: str) -> Payment:
    return Payment(id=name, customer_id="C1", received_on=dt.date(2026, 7, 1), currency="CNY", amount=100)


def test_with_all_but_the_last_portion_nothing_goes_and_nothing_is_complete(store: Store) -> None:
    def said(*names: str) -> list[Kept]:
        return [Kept(name, {"ref": name}, name, [receipt(name)]) for name in names]

    def there() -> set[str]:
        with store.reading() as tx:
            return set(tx.execute(select(tables.record.c.key)).scalars())

    save(store, said("P1", "P2", "P3"), StreamPace(store, MOST), full=True)
    with store.reading() as tx:
        before = facts.read_at(tx, "books")
    with pytest.raises(Power):
        save(store, said("P3", "P4", "P5"), Cut(store, [1, 1, 1], 2), cursor="later", full=True, gone=["P1"])
    assert there() == {"P1", "P2", "P3", "P4"}
    with store.reading() as tx:
        assert facts.cursor(tx, "books", "everything") == "end"
        assert facts.read_at(tx, "books") == before
    counts = save(store, said("P3", "P4", "P5"), Cut(store, [1, 1, 1]), cursor="later", full=True, gone=["P1"])
    assert there() == {"P3", "P4", "P5"}
    assert (counts.new, counts.gone) == (1, 2)


def test_what_is_said_twice_is_told_across_portions(store: Store) -> None:
    twice: list[Fact] = [
        Application(from_id="P1", to_id="I1", amount=Decimal(30), applied_on=dt.date(2026, 7, 1)) for _ in range(2)
    ]
    kept = [Kept(f"row{at}", {"row": at}, str(at), [fact]) for at, fact in enumerate(twice)]
    save(store, kept, Cut(store, [1, 1]))
    with store.reading() as tx:
        (told,) = [p for p in problems.problems(tx) if p.problem.code == "said_twice"]
    assert told.ref == "row1"
    assert "row0" in told.problem.what.en


def test_while_somebody_waits_to_write_portions_are_small(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if not store.has_turns:
        assert StreamPace(store).size == MOST, "nobody has to wait for whoever writes"
        return
    sizes: list[int] = []
    usual = Pace.portion

    @contextmanager
    def portion(pace: Pace, count: int) -> Iterator[None]:
        sizes.append(count)
        with usual(pace, count):
            yield

    monkeypatch.setattr(Pace, "portion", portion)
    kept = [Kept(f"P{n}", {"ref": n}, str(n), [receipt(f"P{n}")]) for n in range(3_000)]
    save(store, kept[:1_000], StreamPace(store))
    undisturbed, sizes[:] = list(sizes), []
    monkeypatch.setattr(store, "is_awaited", lambda: True)
    save(store, kept[1_000:2_000], StreamPace(store))
    assert sum(undisturbed) == sum(sizes) == 1_000
    assert max(sizes) < max(undisturbed)


def test_what_the_database_knows_of_its_tables_follows_a_stream_that_comes_for_the_first_time(
    pg_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each page is planned as if nothing were there, and reads all pages before it. (The server looks by itself, too,
    whenever it likes: what it knows is asked for only right after it was told to look.)"""
    emptied(pg_store)
    looks: list[int] = []

    def looked(store: Store) -> None:
        statistics.refreshed(store)
        with store.reading() as tx:
            looks.append(tx.execute(text("SELECT reltuples FROM pg_class WHERE oid = 'item'::regclass")).scalar_one())

    monkeypatch.setattr(pages, "refreshed", looked)

    def page(first: int, many: int) -> list[Kept]:
        return [Kept(f"P{n}", {"ref": n}, str(n), [receipt(f"P{n}")]) for n in range(first, first + many)]

    pace = StreamPace(pg_store)
    save(pg_store, page(0, 2_000), pace, last=False)
    assert looks == [], "a few are not worth a look"
    save(pg_store, page(2_000, 2_000), pace, last=False)
    assert looks == [4_000]
    save(pg_store, page(4_000, 1_000), pace, last=False)
    assert looks == [4_000], "they have not doubled"
    save(pg_store, page(5_000, 10), pace)
    assert looks == [4_000, 5_010], "the stream has come to its end"
    save(pg_store, page(5_010, 10), StreamPace(pg_store))
    assert looks == [4_000, 5_010], "an hour later a few have changed"
