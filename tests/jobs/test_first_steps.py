"""First steps follow the database's own state, from nothing to results that were written."""

from __future__ import annotations

from pathlib import Path

from connector.clock import FixedClock
from connector.config import Config, parse
from connector.store import documents
from connector.store.db import Store
from jobs.first_steps import next_step, steps
from jobs.night import work
from tests.store.books import NOW
from tests.store.conftest import store as store

BOOKS = """
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


def configured(folder: Path, text: str = "") -> Config:
    made, problems = parse(text, "config.toml", folder)
    assert made is not None, problems
    return made


def done(store: Store, config: Config) -> tuple[str, list[str]]:
    """What is to be done next, and what is done."""
    with store.reading() as tx:
        found = steps(tx, config)
    for step in found:
        for text in (step.what, step.why, *([step.how] if step.how is not None else [])):
            assert text.en != text.zh
    left = next_step(found)
    return left.key if left is not None else "", [step.key for step in found if step.done]


def test_from_nothing_to_first_results(store: Store, tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.mkdir()
    (book / "customers.csv").write_text("id,name,currency\nC1,One,CNY\n", encoding="utf-8")
    empty, config = configured(tmp_path), configured(tmp_path, BOOKS)
    assert done(store, empty) == ("systems", [])
    assert done(store, config) == ("mapping", ["systems"])
    with store.writing() as tx:
        made = documents.save(tx, documents.MAPPING, "books", "x = 1", author="ada", now=NOW)
        documents.activate(tx, documents.MAPPING, "books", made.number, author="ada", now=NOW)
    assert done(store, config) == ("pull", ["systems", "mapping"]), "a mapping of one's own was looked at"
    with store.writing() as tx:
        documents.activate(tx, documents.MAPPING, "books", None, author="ada", now=NOW)
    clock = FixedClock(NOW)
    work(store, config, None, clock)
    assert done(store, config) == ("", ["systems", "mapping", "pull", "link", "evaluate"]), "the shipped one fits"
    with store.writing() as tx:
        documents.save(tx, documents.POLICY, documents.THE_POLICY, "", author="ada", now=NOW)
        documents.activate(tx, documents.POLICY, documents.THE_POLICY, 1, author="ada", now=NOW)
    people = configured(tmp_path, BOOKS + '[[people]]\nid = "ada"\nroles = ["admin"]\n')
    assert done(store, people) == ("", ["people", "systems", "mapping", "pull", "link", "policy", "evaluate"])
    # What cannot be read as it should asks for the mapping again.
    (book / "customers.csv").write_text("id,name,currency\nC1,One,CNY\nC2,Two,XXXX\n", encoding="utf-8")
    work(store, config, None, clock)
    left, _ = done(store, config)
    assert left == "mapping"


def test_a_system_that_is_connected_later_is_read_first(store: Store, tmp_path: Path) -> None:
    for name in ("book", "more"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "customers.csv").write_text("id,name,currency\nC1,One,CNY\n", encoding="utf-8")
    work(store, configured(tmp_path, BOOKS), None, FixedClock(NOW))
    more = configured(tmp_path, BOOKS + BOOKS.replace('"books"', '"more"').replace('"book"', '"more"'))
    left, found = done(store, more)
    assert left == "mapping"
    assert "pull" not in found


def test_a_system_that_is_written_to_has_one_step_more(store: Store, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name,currency\nC1,One,CNY\n", encoding="utf-8")
    config = configured(tmp_path, BOOKS.replace("settings", "write = true\nsettings"))
    work(store, config, None, FixedClock(NOW))
    assert done(store, config)[0] == "write"
