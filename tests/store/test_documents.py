"""Documents of administrators: every version is kept, the journal says what is in use, and both only grow."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.store import documents, upgrade
from connector.store.db import Connection, Store
from connector.store.documents import MAPPING, POLICY, THE_POLICY
from tests.store.books import NOW

LATER = NOW + dt.timedelta(hours=1)


def save(tx: Connection, text: str, name: str = "erp", author: str = "wang", note: str = "") -> documents.Version:
    return documents.save(tx, MAPPING, name, text, author=author, now=NOW, note=note)


def use(tx: Connection, number: int | None, author: str = "li", note: str = "") -> documents.Version | None:
    return documents.activate(tx, MAPPING, "erp", number, author=author, now=LATER, note=note)


def test_a_version_is_kept_with_its_author_and_is_not_in_use_by_that(store: Store) -> None:
    with store.writing() as tx:
        made = save(tx, "a = 1", note="first")
        assert (made.number, made.text, made.author, made.note, made.made_at) == (1, "a = 1", "wang", "first", NOW)
        assert made.sha == hashlib.sha256(b"a = 1").hexdigest()
        assert documents.active(tx, MAPPING, "erp") is None
        assert documents.version(tx, MAPPING, "erp", 1) == made


def test_numbers_count_within_one_name_and_the_same_text_is_not_kept_twice(store: Store) -> None:
    with store.writing() as tx:
        assert save(tx, "a = 1").number == 1
        assert save(tx, "a = 1", author="li").author == "wang"
        assert save(tx, "a = 2").number == 2
        assert save(tx, "a = 1").number == 3, "going back to an older text is a new version"
        assert save(tx, "a = 1", name="crm").number == 1
        assert documents.save(tx, POLICY, THE_POLICY, "x = 1", author="li", now=NOW).number == 1
        assert [v.number for v in documents.versions(tx, MAPPING, "erp")] == [3, 2, 1]


def test_what_is_in_use_is_the_newest_word_of_the_journal(store: Store) -> None:
    with store.writing() as tx:
        for text in ("a = 1", "a = 2"):
            save(tx, text)
        used = use(tx, 2, note="tried")
        assert used == documents.active(tx, MAPPING, "erp") == documents.version(tx, MAPPING, "erp", 2)
        use(tx, 2)  # in use already: no new line
        use(tx, 1, author="zhao")
        assert (active := documents.active(tx, MAPPING, "erp"))
        assert active.text == "a = 1"
        assert use(tx, None) is None
        assert documents.active(tx, MAPPING, "erp") is None
        assert [(a.number, a.author, a.note) for a in documents.activations(tx, MAPPING, "erp")] == [
            (None, "li", ""),
            (1, "zhao", ""),
            (2, "li", "tried"),
        ]
        assert len(documents.versions(tx, MAPPING, "erp")) == 2


def test_a_version_that_is_not_there_is_told_with_those_that_are(store: Store) -> None:
    with store.writing() as tx:
        for at in range(4):
            save(tx, f"a = {at}")
        with pytest.raises(ConfigError, match=r"“erp” has no version 9\. Kept: 1–4\.") as caught:
            use(tx, 9)
        assert caught.value.user.zh == "“erp”没有版本 9。已保存：1–4。"
        assert documents.activations(tx, MAPPING, "erp") == []
        with pytest.raises(ConfigError, match=r"Kept: none\."):
            documents.version(tx, MAPPING, "crm", 1)


def test_two_people_at_once_get_two_numbers(store: Store) -> None:
    start = threading.Barrier(4)

    def one(text: str) -> None:
        start.wait()
        with store.writing() as tx:
            save(tx, text)

    people = [threading.Thread(target=one, args=(f"a = {n}",)) for n in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    with store.reading() as tx:
        assert [v.number for v in documents.versions(tx, MAPPING, "erp")] == [4, 3, 2, 1]


def test_documents_of_the_first_schema_are_taken_along(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'old.db'}")
    with store.engine.begin() as tx:  # a schema of which nothing is noted yet
        from alembic import command

        alembic = upgrade.configuration()
        alembic.attributes["connection"] = tx
        command.downgrade(alembic, "0001")
        for number, body, active in ((1, "a = 1", 1), (2, "a = 2", 0)):
            tx.exec_driver_sql(
                "INSERT INTO document (kind, name, version, body, author, note, made_at, active) "
                "VALUES ('mapping', 'erp', ?, ?, 'wang', '', '2026-11-01 00:00:00.000000', ?)",
                (number, body, active),
            )
    upgrade.upgrade(store.engine)
    with store.reading() as tx:
        assert (used := documents.active(tx, MAPPING, "erp"))
        assert (used.number, used.sha) == (1, hashlib.sha256(b"a = 1").hexdigest())
        assert [v.number for v in documents.versions(tx, MAPPING, "erp")] == [2, 1]
    store.close()
