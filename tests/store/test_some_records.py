"""A few records of a stream to look at: found without sorting what there is, on both databases."""

from __future__ import annotations

from connector.model import Customer
from connector.store import records
from connector.store.db import Store
from tests.store.books import NOW, save


def say(store: Store, stream: str, *refs: str) -> None:
    with store.writing() as tx:
        save(tx, stream, [Customer(id=ref, name=ref) for ref in refs], now=NOW, ledger_currency="CNY")


def keys(store: Store, stream: str, limit: int) -> list[str]:
    with store.reading() as tx:
        return [kept.key for kept in records.some(tx, "books", stream, limit)]


def test_the_latest_come_first_and_only_of_the_stream(store: Store) -> None:
    say(store, "customers", "a", "b", "c")
    say(store, "others", "x")
    assert keys(store, "customers", 2) == ["c", "b"]
    assert keys(store, "customers", 9) == ["c", "b", "a"]
    assert keys(store, "others", 9) == ["x"]
    assert keys(store, "nothing", 9) == []


def test_a_stream_that_is_long_past_is_found_by_its_keys(store: Store) -> None:
    say(store, "customers", "a", "b")
    say(store, "others", *(f"x{n}" for n in range(30)))
    before = records._LOOKED_AT
    records._LOOKED_AT = 5
    try:
        assert sorted(keys(store, "customers", 9)) == ["a", "b"]
    finally:
        records._LOOKED_AT = before


def test_what_has_no_body_any_more_is_not_given(store: Store) -> None:
    say(store, "customers", "a", "b")
    with store.writing() as tx:
        assert records.expire(tx, NOW.replace(year=NOW.year + 1)) == 2
    assert keys(store, "customers", 9) == []
