"""The audit trail: everything that is done to it behind its back is found and named."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import multiprocessing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import DBAPIError

from connector.store import audit
from connector.store.audit import Entry
from connector.store.bulk import is_sqlite
from connector.store.db import Store
from connector.store.outbox import unpacked
from connector.store.tables import AUDIT_BLOCK, audit_head
from connector.store.tables import audit as audit_table
from tests.store.conftest import emptied, without_fence

AT = dt.datetime(2026, 11, 23, 8, 15, 0, 250, tzinfo=dt.UTC)
NUMBERS = list(range(1, 6))


def entry(n: int) -> Entry:
    return Entry(
        "limit.approve",
        f"customer:books/C{n}",
        "person:li.wei",
        f"第 {n} 次复评",
        before={"amount": Decimal("1000.50")},
        after={"amount": Decimal(n), "valid_to": dt.date(2027, 3, 31)},
    )


def filled(store: Store, count: int = 5, lane: str = audit.MAIN) -> None:
    with store.writing() as tx:
        audit.append(tx, [entry(n) for n in range(1, count + 1)], AT, lane)


def found(store: Store, *kept: audit.Head) -> list[tuple[str, str]]:
    with store.reading() as tx:
        return [(p.code, p.where) for p in audit.verify(tx, kept)]


def tampered(tx: Connection, number: int, /, **values: Any) -> None:
    tx.execute(audit_table.update().where(audit_table.c.number == number).values(**values))


def rehashed(tx: Connection, number: int) -> str:
    """The hash that would fit the row as it stands."""
    row = tx.execute(select(audit_table).where(audit_table.c.number == number)).one()
    return audit.hash_of((row.lane, row.number, row.at.replace(tzinfo=None), *tuple(row)[3:-1]))


def test_entries_are_numbered_and_come_back_as_they_were_said(store: Store) -> None:
    with store.writing() as tx:
        assert audit.append(tx, [entry(1), entry(2)], AT) == [1, 2]
        assert audit.append(tx, [entry(3)], AT + dt.timedelta(days=1)) == [3]
        assert audit.append(tx, [], AT) == []
    with store.reading() as tx:
        lines = audit.listing(tx)
        assert [(line.number, line.entry) for line in lines] == [(3, entry(3)), (2, entry(2)), (1, entry(1))]
        assert [line.at for line in lines] == [AT + dt.timedelta(days=1), AT, AT]
        assert list(audit.everything(tx)) == lines[::-1]
        assert audit.heads(tx) == [audit.Head("main", 3, lines[0].hash)]
        assert lines[0].previous == lines[1].hash
        assert audit.verify(tx) == []


def test_the_hash_is_that_of_a_documented_text() -> None:
    """Somebody with the export and another program must come to the same hash."""
    row = (
        "main",
        1,
        AT.replace(tzinfo=None),
        "policy.activate",
        "policy:policy",
        "person:li.wei",
        "新政策",
        None,
        "{}",
    )
    # printf '%s' '["main", 1, "2026-11-23T08:15:00.000250", "policy.activate", "policy:policy", "person:li.wei",
    #  "新政策", null, "{}", "00"]' (on one line) | sha256sum
    assert audit.hash_of((*row, "00")) == "dbcf72bf0c9a9617ee47f8c47833d7558d9ce924aba81c2656ee70901895ef63"


def test_entries_are_found_by_subject_action_actor_and_day(store: Store) -> None:
    with store.writing() as tx:
        audit.append(
            tx,
            [
                Entry("limit.approve", "customer:books/C1", "person:li.wei"),
                Entry("limit.reject", "customer:books/C11", "person:wang.fang"),
                Entry("order.release", "order:books/SO12", "person:li.wei"),
            ],
            AT,
        )
        audit.append(tx, [Entry("limits.import", "customer:books/C1", "job:pull")], AT + dt.timedelta(days=1))
    with store.reading() as tx:

        def numbers(**asked: Any) -> list[int]:
            return sorted(line.number for line in audit.listing(tx, **asked))

        assert numbers(subject="customer:books/C1") == [1, 4]
        assert numbers(subject="customer") == [1, 2, 4]
        assert numbers(subject="customer:books") == [1, 2, 4]
        assert numbers(action="limit") == [1, 2]
        assert numbers(actor="person") == [1, 2, 3]
        assert numbers(since=AT + dt.timedelta(days=1)) == [4]
        assert numbers(until=AT + dt.timedelta(days=1)) == [1, 2, 3]
        assert numbers(limit=1) == [4]


def test_entries_of_one_subject_are_found_by_its_index(store: Store) -> None:
    with store.writing() as tx:
        said = [
            ("limit.approve", "customer:books/C1"),
            ("order.asked", "customer:books/C1"),
            ("limit.reject", "customer:books/C11"),
            ("limits.import", "customer:books/C1"),
            ("order.asked", "customer:books/C1/2"),
        ]
        audit.append(tx, [Entry(action, subject, "job:pull") for action, subject in said], AT)
    asked: dict[str, Any] = {}
    event.listen(store.engine, "before_cursor_execute", lambda *all_: asked.update({all_[2]: all_[3]}))
    with store.reading() as tx:
        assert [line.number for line in audit.of(tx, "customer:books/C1")] == [4, 2, 1]
        # "limits" is another noun than "limit".
        assert [line.number for line in audit.of(tx, "customer:books/C1", ["limit", "order"])] == [4]
        assert [line.number for line in audit.listing(tx, subject="customer:books/C1", limit=2)] == [4, 2]
        if not is_sqlite(tx):
            return  # it goes through a table of five rows, whatever indexes there are
        statements = {text: values for text, values in asked.items() if "LIKE" not in text and " audit." in text}
        assert len(statements) == 2, asked
        for statement, values in statements.items():
            plan = tx.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            assert any("ix_audit_block (<expr>=? AND subject=?)" in row[3] for row in plan), plan


def test_entries_of_one_subject_are_found_in_every_block_of_the_trail(store: Store) -> None:
    own = {1, AUDIT_BLOCK - 1, AUDIT_BLOCK, AUDIT_BLOCK + 1, 2 * AUDIT_BLOCK - 1, 2 * AUDIT_BLOCK}
    lines = [Entry("a.b", "person:x" if n in own else "person:y", "a") for n in range(1, 2 * AUDIT_BLOCK + 1)]
    with store.writing() as tx:
        audit.append(tx, lines, AT)
        audit.append(tx, lines[:2], AT, lane="short")
        assert {(line.lane, line.number) for line in audit.of(tx, "person:x")} == {
            *((audit.MAIN, n) for n in own),
            ("short", 1),
        }
        assert len(audit.of(tx, "person:y")) == 2 * AUDIT_BLOCK + 2 - len(own) - 1
        assert audit.of(tx, "person:z") == []


_WORD = st.text(st.characters(codec=None), max_size=12)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORD | st.decimals(allow_nan=False, allow_infinity=False) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORD, inner, max_size=3),
    max_leaves=8,
)


@given(_VALUE)
def test_any_value_is_read_as_it_was_written(value: Any) -> None:
    assert unpacked(audit._text(value)) == value


@given(st.lists(_WORD | st.none(), min_size=7, max_size=7), st.integers(min_value=1, max_value=2**70))
def test_any_line_is_hashed_as_a_plain_encoder_writes_it(words: list[str | None], number: int) -> None:
    said = ["main", number, "2026-11-23T08:15:00.000250", *words]
    text = simplejson.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert audit.hash_of(("main", number, AT.replace(tzinfo=None), *words)) == hashlib.sha256(text).hexdigest()


def test_the_database_refuses_to_change_an_entry(store: Store) -> None:
    filled(store)
    for change in (audit_table.delete(), audit_table.update().values(why="")):
        with pytest.raises(DBAPIError, match="append-only"), store.writing() as tx:
            tx.execute(change)
    assert found(store) == []


def test_nothing_stays_of_a_transaction_that_failed(store: Store) -> None:
    filled(store)
    with contextlib.suppress(RuntimeError), store.writing() as tx:
        audit.append(tx, [entry(6)], AT)
        raise RuntimeError
    with store.writing() as tx:
        assert audit.append(tx, [entry(6)], AT) == [6]
    assert found(store) == []


def test_what_is_left_for_the_end_comes_last_and_once(store: Store) -> None:
    with store.writing() as tx:
        audit.at_end(tx, [entry(2)], AT)
        audit.at_end(tx, [entry(3)], AT)
        audit.append(tx, [entry(1)], AT)
        assert [line.entry for line in audit.everything(tx)] == [entry(1)]
    filled(store, 1)
    with store.reading() as tx:
        assert [line.entry for line in audit.everything(tx)] == [entry(1), entry(2), entry(3), entry(1)]
        assert audit.verify(tx) == []


def test_what_is_left_for_the_end_goes_with_a_transaction_that_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012 - what ends it is in it
        audit.at_end(tx, [entry(1)], AT)
        _ = 1 // 0
    filled(store, 1)
    with store.reading() as tx:
        assert [line.number for line in audit.everything(tx)] == [1]
    with store.engine.begin() as tx:  # no transaction of ours: nobody would append it at the end
        audit.at_end(tx, [entry(2)], AT)
        assert [line.entry for line in audit.everything(tx)] == [entry(1), entry(2)]


def test_lanes_are_chains_of_their_own(store: Store) -> None:
    filled(store, 2)
    filled(store, 3, lane="decisions")
    with store.reading() as tx:
        assert [(head.lane, head.number) for head in audit.heads(tx)] == [("decisions", 3), ("main", 2)]
    assert found(store) == []


def test_a_changed_word_names_its_entry(store: Store) -> None:
    filled(store)
    with store.writing() as tx, without_fence(tx):
        tampered(tx, 2, actor="person:wang.fang")
    with store.reading() as tx:
        (problem,) = audit.verify(tx)
    assert problem.what.en == "Entry 2 of lane main was changed after it was written."
    assert problem.what.zh == "审计链 main 的第 2 条记录在写入后被改动。"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_change_with_a_new_hash_is_found_too(store: Store, number: int) -> None:
    """The first, one in the middle, and the last, whose successor cannot give it away: the head does."""
    filled(store)
    with store.writing() as tx, without_fence(tx):
        tampered(tx, number, after=None)
        tampered(tx, number, hash=rehashed(tx, number))
    assert found(store) == [("audit_changed", f"audit main {number}")]


@pytest.mark.parametrize(
    ("gone", "where"),
    [([1], "1"), ([3], "3"), ([2, 3], "2-3"), ([5], "5"), ([4, 5], "4-5"), (NUMBERS, "1-5")],
)
def test_removed_entries_are_named(store: Store, gone: list[int], where: str) -> None:
    filled(store)
    with store.writing() as tx, without_fence(tx):
        tx.execute(audit_table.delete().where(audit_table.c.number.in_(gone)))
    assert found(store) == [("audit_removed", f"audit main {where}")]


@pytest.mark.parametrize("number", [-1, 0, 6])
def test_an_entry_put_in_is_named(store: Store, number: int) -> None:
    """With a hash and a chain that fit: only its number gives it away."""
    filled(store)
    with store.writing() as tx, without_fence(tx):
        row = dict(tx.execute(select(audit_table).where(audit_table.c.number == 5)).mappings().one())
        row |= {"number": number, "previous": row["hash"]}
        tx.execute(audit_table.insert().values(**row))
        tampered(tx, number, hash=rehashed(tx, number))
    assert ("audit_inserted", f"audit main {number}") in found(store)


def test_a_lane_without_head_is_no_lane(store: Store) -> None:
    filled(store, 2)
    with store.writing() as tx:
        tx.execute(audit_head.delete())
    assert found(store) == [("audit_inserted", "audit main 1"), ("audit_inserted", "audit main 2")]


def test_a_trail_made_anew_is_found_by_a_head_that_was_kept(store: Store) -> None:
    """Who owns the database can make the whole chain again; not the head that the auditor wrote down."""
    filled(store)
    with store.reading() as tx:
        (head,) = audit.heads(tx)
    with store.writing() as tx, without_fence(tx):
        tx.execute(audit_table.delete())
        tx.execute(audit_head.delete())
        audit.append(tx, [entry(9)] * 7, AT)
    assert found(store) == []
    assert found(store, head) == [("audit_remade", "audit main 5")]
    with store.writing() as tx, without_fence(tx):
        tx.execute(audit_table.delete())
        tx.execute(audit_head.delete())
    assert found(store, head) == [("audit_removed", "audit main 5")]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
COLUMNS = ["at", "action", "subject", "actor", "why", "before", "after", "previous", "hash", "number", "lane"]


@given(
    count=st.integers(1, 6),
    at=st.data(),
    word=TEXTS,
    column=st.sampled_from([*COLUMNS, "remove", "insert"]),
    rehash=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_done_to_an_entry_is_found(
    shared_store: Store, count: int, at: st.DataObject, word: str, column: str, rehash: bool
) -> None:
    emptied(shared_store)
    filled(shared_store, count)
    number = at.draw(st.integers(1, count))
    with shared_store.writing() as tx, without_fence(tx):
        before = tx.execute(select(audit_table).order_by(audit_table.c.number)).all()
        if column == "remove":
            tx.execute(audit_table.delete().where(audit_table.c.number == number))
        elif column == "insert":
            row = before[number - 1]._asdict() | {"number": count + 1 + len(word), "previous": before[-1].hash}
            tx.execute(audit_table.insert().values(**row))
        elif column == "at":
            tampered(tx, number, at=AT + dt.timedelta(microseconds=len(word)))
        elif column == "number":
            tampered(tx, number, number=count + 1 + len(word))
        else:
            tampered(tx, number, **{column: word})
        if rehash and column not in ("remove", "insert", "number", "lane"):
            tampered(tx, number, hash=rehashed(tx, number))
        after = tx.execute(select(audit_table).order_by(audit_table.c.number)).all()
    assert bool(found(shared_store)) == (before != after)


@pytest.fixture
def asked_heads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time the head is asked for, the lane."""
    asked: list[str] = []
    usual = audit._head_for_update

    def counted(tx: Connection, lane: str) -> tuple[int, str]:
        asked.append(lane)
        return usual(tx, lane)

    monkeypatch.setattr(audit, "_head_for_update", counted)
    return asked


def test_who_alone_appends_need_not_ask_for_the_head(pg_store: Store, asked_heads: list[str]) -> None:
    emptied(pg_store)
    seat = pg_store.seat()

    def asks(by: Store) -> int:
        before = len(asked_heads)
        filled(by, 2)
        return len(asked_heads) - before

    assert [asks(seat) for _ in range(4)] == [1, 1, 0, 0]
    filled(seat, 1, "other")
    assert asks(seat) == 0, "a lane of its own"
    asks(pg_store)
    assert [asks(seat) for _ in range(3)] == [1, 1, 0]
    with contextlib.suppress(ZeroDivisionError), seat.writing() as tx:
        audit.append(tx, [entry(1)], AT)
        raise ZeroDivisionError
    assert [asks(seat) for _ in range(3)] == [1, 1, 0], "what was rolled back is no head"
    filled(seat, 1000)  # goes by COPY
    assert asks(seat) == 1
    assert found(pg_store) == []
    seat.close()


def test_what_ends_a_transaction_is_committed_with_its_message(pg_store: Store, asked_heads: list[str]) -> None:
    emptied(pg_store)
    seat = pg_store.seat()
    for _ in range(3):
        filled(seat, 1)
    asked_heads.clear()
    with seat.writing() as tx:
        assert audit.append(tx, [entry(4)], AT, ends=True) == [4]
        assert len(found_lines(pg_store)) == 4, "before the transaction is left"
    assert asked_heads == []
    filled(pg_store, 2)
    asked_heads.clear()
    # Somebody else has appended: it is found out by the message that ends the transaction, and said in another one.
    with seat.writing() as tx:
        assert audit.append(tx, [entry(7)], AT, ends=True) == [7]
    assert asked_heads == [audit.MAIN]
    assert found_lines(pg_store) == list(range(1, 8))
    assert found(pg_store) == []
    seat.close()


def found_lines(store: Store) -> list[int]:
    with store.reading() as tx:
        return [line.number for line in audit.in_order(tx, audit.MAIN)]


Steps = list[tuple[int, int, str]]


STEP = st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 300]), st.sampled_from(["stays", "ends", "fails"]))


@given(st.lists(STEP, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whoever_appends_in_whatever_order_makes_one_chain(pg_store: Store, steps: Steps) -> None:
    emptied(pg_store)
    seats = [pg_store.seat() for _ in range(3)]
    kept = 0
    for who, count, how in steps:
        with contextlib.suppress(ZeroDivisionError), seats[who].writing() as tx:
            numbers = audit.append(tx, [entry(n) for n in range(count)], AT, ends=how == "ends")
            assert numbers == list(range(kept + 1, kept + count + 1))
            if how == "fails":
                raise ZeroDivisionError
            kept += count
    for one in seats:
        one.close()
    assert found(pg_store) == []
    with pg_store.reading() as tx:
        assert tx.scalar(select(func.count()).select_from(audit_table)) == kept


def _append(url: str, worker: int, times: int) -> None:
    store = Store.open(url)
    for n in range(times):
        with store.writing() as tx:
            audit.append(
                tx, [Entry("order.release", f"order:books/{worker}-{n}-{k}", "person:a") for k in range(3)], AT
            )
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_append_at_once_make_one_chain(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
        store = Store.open(url)
    else:
        url, store = request.getfixturevalue("pg_url"), request.getfixturevalue("pg_store")
        emptied(store)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_append, args=(url, n, 10)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with store.reading() as tx:
        assert audit.verify(tx) == []
        assert tx.execute(select(func.count(), func.max(audit_table.c.number)).select_from(audit_table)).one() == (
            90,
            90,
        )
        assert len({line.entry.subject for line in audit.everything(tx)}) == 90
    if kind == "sqlite":
        store.close()
