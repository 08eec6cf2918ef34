"""Pulling: a changed mapping is applied to what was kept, what is gone is gone, and bad records keep their last good word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector import mapping as mappings
from connector.clock import FixedClock
from connector.config import Config, parse
from connector.connect import Connected, connect
from connector.store import customers, facts, positions, records
from connector.store.db import Store
from jobs.housekeeping import housekeeping
from jobs.pull import pull

NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
HEAD = "id,customer_id,kind,issued_on,due_on,currency,amount,order_no\n"
DOCUMENTS = (
    HEAD + "I1,C1,invoice,2026-10-01,2026-10-31,CNY,100.00,X1\nI2,C1,invoice,2026-11-01,2026-12-01,CNY,50.00,X2\n"
)


@dataclass
class Books:
    folder: Path
    config: Config
    store: Store
    clock: FixedClock

    def write(self, documents: str) -> None:
        (self.folder / "book" / "documents.csv").write_text(documents, encoding="utf-8")

    def connected(self) -> Connected:
        return connect(self.config, "books", self.clock)

    def owed(self) -> int:
        """What C1 owes, in minor units."""
        with self.store.reading() as tx:
            return sum(t.receivables for t in positions.totals(tx, NOW.date(), systems=["books"]))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name\nC1,One\n", encoding="utf-8")
    text = (
        '[[systems]]\nname = "books"\nadapter = "files"\nroles = ["erp"]\nmapping = "own.toml"\n'
        'settings = { path = "book" }\n'
    )
    (tmp_path / "own.toml").write_text(mappings.shipped("files"), encoding="utf-8")
    config, problems = parse(text, "config.toml", tmp_path)
    assert config is not None, problems
    store = Store.open(config.store_url)
    made = Books(tmp_path, config, store, FixedClock(NOW))
    made.write(DOCUMENTS)
    yield made
    store.close()


def change_mapping(books: Books) -> None:
    """The admin maps one more field: the number of the document stands in the column order_no."""
    text = mappings.shipped("files")
    start = text.index("[read.document.fields]")
    line = next(x for x in text[start:].splitlines() if x.startswith("number"))
    (books.folder / "own.toml").write_text(text.replace(line, 'number = "order_no"', 1), encoding="utf-8")


def numbers(books: Books) -> list[str | None]:
    with books.store.reading() as tx:
        (key,) = [r.key for r in customers.customers(tx, systems=["books"])]
        return sorted(str(i.number) for i in positions.open_items(tx, [key], NOW.date()))


def test_a_changed_mapping_is_applied_to_the_kept_records_without_reading_again(books: Books) -> None:
    pull(books.store, books.connected())
    assert numbers(books) == ["None", "None"]
    change_mapping(books)
    run = pull(books.store, books.connected())
    assert run.counts["remapped"] == 3
    assert numbers(books) == ["X1", "X2"]
    assert pull(books.store, books.connected()).counts["remapped"] == 0


def test_where_the_records_have_expired_everything_is_read_again(books: Books) -> None:
    pull(books.store, books.connected())
    books.clock.at += dt.timedelta(days=60)
    housekeeping(books.store, books.config, books.clock)
    with books.store.reading() as tx:
        assert records.kept(tx, "books", "documents") == []
    assert books.owed() == 15000, "facts stay when bodies go"
    change_mapping(books)
    pull(books.store, books.connected())
    assert numbers(books) == ["X1", "X2"]


def test_a_row_that_has_gone_is_a_deleted_record(books: Books) -> None:
    pull(books.store, books.connected())
    books.write(HEAD + DOCUMENTS.splitlines()[1] + "\n")
    assert pull(books.store, books.connected()).counts["gone"] == 1
    assert books.owed() == 10000


def test_a_record_that_turned_bad_keeps_its_last_good_word_until_it_is_mended(books: Books) -> None:
    pull(books.store, books.connected())
    books.write(DOCUMENTS.replace("100.00", "1oo.00"))
    run = pull(books.store, books.connected())
    unread = [p.where for p in run.problems if p.code != "unknown_column"]
    assert "documents.csv:2" in unread
    assert books.owed() == 15000
    books.write(DOCUMENTS.replace("100.00", "120.00"))
    assert not any(p.where == "documents.csv:2" for p in pull(books.store, books.connected()).problems)
    assert books.owed() == 17000


def test_a_payment_set_against_nothing_is_told(books: Books) -> None:
    (books.folder / "book" / "payments.csv").write_text(
        "id,customer_id,received_on,currency,amount\nP1,C1,2026-11-02,CNY,10.00\n", encoding="utf-8"
    )
    (books.folder / "book" / "applications.csv").write_text(
        "from_id,to_id,amount,applied_on\nP1,I9,10.00,2026-11-02\n", encoding="utf-8"
    )
    run = pull(books.store, books.connected())
    assert any("I9" in p.what.en and "I9" in p.what.zh for p in run.problems), run.problems


def test_full_reads_everything_again(books: Books) -> None:
    pull(books.store, books.connected())
    run = pull(books.store, books.connected(), full=True)
    assert run.counts["records"] == 3
    assert run.counts["same"] == 3
    with books.store.reading() as tx:
        assert facts.read_at(tx, "books")["documents"] == NOW


def test_a_record_of_which_only_a_part_can_be_read_loses_nothing(books: Books) -> None:
    """Two facts come of one record: that the limit cannot be read any more must not take the limit away."""
    text = mappings.shipped("files") + (
        '\n[read.own_limit]\nfact = "limit"\nstream = "customers"\nunless = { limit = [] }\n'
        '[read.own_limit.fields]\ncustomer_id = "id"\nkind = { value = "base" }\namount = "limit"\n'
        'currency = { value = "CNY" }\n'
    )
    (books.folder / "own.toml").write_text(text, encoding="utf-8")
    file = books.folder / "book" / "customers.csv"
    for limit in ("1000", "1000.001"):
        file.write_text(f"id,name,limit\nC1,One {limit},{limit}\n", encoding="utf-8")
        run = pull(books.store, books.connected())
        with books.store.reading() as tx:
            (limits,) = customers.limits(tx).values()
            (row,) = customers.customers(tx, systems=["books"])
        assert [one.amount for one in limits] == [100000]
        assert row.name == f"One {limit}", "what could be read is taken over"
    assert any(p.where == "customers.csv:2" for p in run.problems)


def test_a_stream_taken_out_of_the_mapping_says_nothing_any_more(books: Books) -> None:
    pull(books.store, books.connected())
    text = mappings.shipped("files")
    start, end = text.index("[read.document]"), text.index("[read.", text.index("[read.document.fields]") + 5)
    (books.folder / "own.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    pull(books.store, books.connected())
    assert books.owed() == 0


def test_only_the_streams_that_are_asked_for_are_read(books: Books) -> None:
    run = pull(books.store, books.connected(), streams=["documents", "no_such_stream"])
    assert run.failed is None
    with books.store.reading() as tx:
        assert set(facts.read_at(tx, "books")) == {"documents"}
    pull(books.store, books.connected())
    with books.store.reading() as tx:
        assert {"documents", "customers"} <= set(facts.read_at(tx, "books"))
    pull(books.store, books.connected(), streams=["customers"])
    assert books.owed() == 15_000, "what was not asked for stays as it is"
