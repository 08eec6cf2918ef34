"""Whom transactions concern: what they note is what others are told, and what is not known concerns everybody."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator

import pytest
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from connector.store import audit, concerns, links, marks, upgrade
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.standstill import News, Standstill

NOW = dt.datetime(2026, 11, 26, 4, tzinfo=dt.UTC)
KEYS = st.sets(st.integers(1, 50), max_size=8)
NOTHING = News(False, Concern())


@pytest.fixture
def seat(store: Store) -> Iterator[Store]:
    found = store.seat()
    yield found
    found.close()


def told(still: Standstill, seat: Store) -> News:
    with seat.reading() as tx:
        return still.news(tx)


def line(store: Store, concern: Concern | None) -> None:
    """A transaction that writes what nobody is judged by."""
    with store.writing(concern=concern) as tx:
        audit.append(tx, [Entry("test.wrote", "test:1", "person:x")], NOW)


@given(
    st.lists(
        st.builds(
            Concern, customers=KEYS, debtors=KEYS, names=st.booleans(), ground=st.booleans(), everybody=st.booleans()
        )
    )
)
def test_what_was_noted_is_read_again(several: list[Concern]) -> None:
    whole = Concern()
    for one in several:
        whole.add(one.text())
    assert whole.everybody == any(one.everybody for one in several)
    counted = [one for one in several if not one.everybody]
    assert whole.customers == set[int]().union(*(one.customers for one in counted))
    assert whole.debtors == set[int]().union(*(one.debtors for one in counted))
    assert whole.names == any(one.names for one in counted)
    assert whole.ground == any(one.ground for one in counted)
    assert whole.is_nobody == all(one.is_nobody for one in several)


def test_who_is_marked_is_concerned_and_others_are_told(store: Store, seat: Store) -> None:
    still = Standstill()
    assert told(still, seat) == News(True, None), "nothing is known the first time"
    assert told(still, seat) == News(False, Concern())
    with store.writing(concern=Concern(debtors={9})) as tx:
        marks.touch(tx, [4, 5])
    with store.writing(concern=Concern()) as tx:
        marks.touch(tx, [6])
    assert told(still, seat) == News(True, Concern(customers={4, 5, 6}, debtors={9}))
    line(store, Concern())
    assert told(still, seat) == NOTHING
    with store.writing(concern=Concern()) as tx:
        links.ensure_debtors(tx, [4])
    found = told(still, seat).concern
    assert found is not None
    assert found.names
    line(store, Concern())
    line(store, None)
    line(store, Concern())
    assert told(still, seat) == News(True, None), "one of them does not say"


def test_a_transaction_says_whom_it_concerns_where_it_is_read_by_its_number(store: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite numbers what is committed")
    numbers = []
    for concern in (Concern(debtors={9}), Concern(), None, Concern(customers=set(range(3000))), Concern()):
        with store.writing(concern=concern) as tx:
            if len(numbers) < 4:
                marks.touch(tx, [4])
            numbers.append(tx.exec_driver_sql("SELECT pg_current_xact_id()::text::bigint").scalar_one())
    with store.reading() as tx:
        assert concerns.of(tx, numbers[:2]) == (True, Concern(customers={4}, debtors={9}))
        assert concerns.of(tx, numbers[1:2]) == (True, Concern(customers={4}))
        assert concerns.of(tx, []) == (False, Concern())
        assert concerns.of(tx, numbers[4:]) == (False, Concern()), "it concerned nobody"
        assert concerns.of(tx, numbers[1:3]) == (True, None), "nothing was declared"
        assert concerns.of(tx, numbers[3:4]) == (True, None), "too many"
        assert concerns.of(tx, [max(numbers) + 1]) == (False, Concern()), "not ours"
        assert concerns.of(tx, [numbers[0], max(numbers) + 1]) == (True, Concern(customers={4}, debtors={9}))


def test_what_writes_nothing_notes_nothing(store: Store, seat: Store) -> None:
    still = Standstill()
    told(still, seat)
    for concern in (None, Concern()):
        with store.writing(concern=concern) as tx:
            marks.upto(tx)
        with contextlib.suppress(ZeroDivisionError), store.writing(concern=concern) as tx:
            marks.touch(tx, [1])
            raise ZeroDivisionError
    assert told(still, seat) == News(False, Concern())


def test_a_file_that_is_tidied_up_is_no_news(store: Store, seat: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no log of the file's own")
    still = Standstill()
    line(store, Concern())
    told(still, seat)
    other = sqlite3.connect(store.engine.url.database or "", isolation_level=None)
    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    other.close()
    assert told(still, seat) == News(False, Concern())
    line(store, Concern(debtors={3}))
    assert told(still, seat) == News(True, Concern(debtors={3}))


def test_only_the_newest_are_remembered(store: Store, seat: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("on PostgreSQL each is remembered under its own number")
    monkeypatch.setattr(concerns, "_REMEMBERED", 600)
    still = Standstill()
    told(still, seat)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM concern")
        connection.exec_driver_sql("INSERT INTO concern (number, whom) VALUES (1022, '{}')")
    for _ in range(2):
        with store.writing(durable=False, concern=Concern()) as tx:
            marks.touch(tx, [1])
    with store.reading() as tx:
        kept = tx.exec_driver_sql("SELECT count(*), min(number) FROM concern").one()
    assert tuple(kept) == (3, 1022)
    assert told(still, seat) == News(True, None), "some in between are not known"
    for _ in range(concerns._LOOKED_AT):
        with store.writing(durable=False, concern=Concern()) as tx:
            marks.touch(tx, [1])
    assert told(still, seat) == News(True, None), "too many to look at"
    with store.writing(concern=Concern()) as tx:
        marks.touch(tx, [2])
    assert told(still, seat) == News(True, Concern(customers={2}))


def test_what_the_looker_noted_is_no_news_to_him(store: Store, seat: Store) -> None:
    still, concern = Standstill(), Concern(debtors={7})
    with seat.writing(concern=concern) as tx:
        still.news(tx)
        marks.touch(tx, [1])
    still.wrote(concern)
    line(store, Concern(debtors={8}))
    assert told(still, seat) == News(True, Concern(debtors={8}))


def test_what_other_programs_write_on_a_server_concerns_everybody(store: Store, seat: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("what other programs write to a file is not seen")
    still = Standstill()
    told(still, seat)
    stranger = create_engine(store.engine.url)
    with stranger.begin() as tx:
        tx.exec_driver_sql("UPDATE problem SET code = code")
    assert told(still, seat) == News(False, Concern()), "nobody is judged by that"
    with stranger.begin() as tx:
        tx.exec_driver_sql("UPDATE customer SET name = name")
        tx.exec_driver_sql("DELETE FROM item")
    assert told(still, seat) == News(True, None)
    # A pooler between may lose what a connection said once: then nothing is believed.
    with store.writing(concern=Concern()) as tx:
        tx.exec_driver_sql("SET LOCAL holdfast.declares = ''")
        marks.touch(tx, [1])
        tx.exec_driver_sql("UPDATE item SET kind = kind")
    assert told(still, seat) == News(True, None)
    stranger.dispose()


def test_another_schema_concerns_everybody(store: Store, seat: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    still = Standstill()
    told(still, seat)

    def migrate(how: Config, _to: str) -> None:
        how.attributes["connection"].exec_driver_sql("UPDATE alembic_version SET version_num = version_num")

    monkeypatch.setattr(upgrade, "head", lambda: "a later one")
    monkeypatch.setattr(upgrade.command, "upgrade", migrate)
    upgrade.upgrade(store.engine)
    assert told(still, seat) == News(True, None)
