"""`holdfast bench` measures every goal, its sides agree, and a side that is wrong by one unit is found out.

No figure is asserted: how fast it is depends on the machine. What must hold everywhere is that each row is there, that
nothing was measured on different results, and that counts (calls, writes) are what they must be.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli import bench, bench_check, bench_check_load, bench_full, bench_replay
from connector.cli import build as command_line
from connector.cli.bench_book import AS_OF, Book, said
from connector.cli.bench_host import Moment
from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import every, scene_of
from connector.errors import ConfigError
from connector.model import Document, Order
from connector.policy import default_policy
from connector.store import contest, contest_duck, contest_orm, positions
from jobs.check import check_all
from jobs.check_asked import asked_of
from jobs.progress import silent
from tests.store.conftest import pg_server, pg_url  # noqa: F401 - fixtures

TINY = Book(40, 400, seed=5)


def _rows(database: str = "sqlite", only: set[str] | None = None) -> list[Row]:
    return list(bench.measured(TINY, database, silent, only or set()))


# --- the command ----------------------------------------------------------------------------------------------------------
def test_every_goal_is_measured() -> None:
    rows = _rows()
    assert Counter(row.goal for row in rows) == {
        "P1": 1, "P2": 2, "P3": 1, "P4": 2, "P5": 1, "P6": 2, "P8": 5, "P9": 3, "P10": 1, "P13": 1, "P14": 1,
    }  # fmt: skip
    missing = [row.what.en for row in rows if row.figure is None and "DuckDB" not in row.what.en]
    assert missing == []
    for row in rows:
        assert row.what.zh != row.what.en, row.what.en
        assert row.figure is not None or row.why is not None
    by_name = {row.what.en: row for row in rows}
    assert by_name["calls over the cap"].figure == 0
    assert by_name["write calls of a second run"].figure == 0
    written = by_name["write calls for each record written"]
    [told] = [row.detail["pages"] for row in rows if row.goal == "P14"]
    assert len(told) > 30
    assert all(0 < page["cpu_p50_ms"] <= page["cpu_p95_ms"] for page in told)
    assert all(page["met"] is (page["cpu_p95_ms"] <= 300) for page in told)
    # 40 accounts: their fields in one call of up to 100, holds in another, tasks in a third.
    assert written.ours is not None
    assert 1 <= written.ours <= 3
    assert written.other is not None
    assert written.other >= 40


def test_only_what_is_asked_for_is_measured() -> None:
    assert [row.goal for row in _rows(only={"P5"})] == ["P5"]


def test_a_book_that_is_kept_is_made_once(tmp_path: Path) -> None:
    found = [list(bench.measured(Book(20, 200), "sqlite", silent, {"P13"}, tmp_path)) for _ in range(2)]
    assert all(row.figure is not None for rows in found for row in rows)
    [kept] = tmp_path.glob("book-*.db")
    assert kept.name == "book-20-200-1.db"
    assert list(tmp_path.glob("*.part.db")) == []
    with pytest.raises(ConfigError, match="change the book"):
        CliRunner().invoke(command_line(), ["bench", "--only", "P4", "--keep", str(tmp_path)], catch_exceptions=False)


def test_a_goal_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of P1, P2"):
        CliRunner().invoke(command_line(), ["bench", "--only", "P77"], catch_exceptions=False)


def test_the_report_is_json_for_programs() -> None:
    arguments = ["bench", "--customers", "40", "--documents", "400", "--only", "p1", "--format", "json"]
    result = CliRunner().invoke(command_line(), arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    assert (answer["customers"], answer["documents"], answer["database"]) == (40, 400, "sqlite")
    (goal,) = answer["goals"]
    assert goal["goal"] == "P1"
    assert goal["limit"] == 15
    assert goal["met"] is (goal["figure"] >= 15)
    assert goal["figure"] == pytest.approx(goal["other"] / goal["ours"], rel=1e-4)


def test_a_missed_goal_is_marked_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("P5", bench.Text("a", "甲"), 1, figure=2.0)]
    monkeypatch.setattr(bench, "measured", lambda *_: rows)
    result = CliRunner().invoke(command_line(), ["bench"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "NO" in result.output


def test_sides_that_differ_by_one_unit_end_the_command_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    real = contest_orm._age

    def wrong(one: contest.Figures, due_on: dt.date, value: int, disputed: int, as_of: dt.date) -> None:
        real(one, due_on, value + 1, disputed, as_of)

    monkeypatch.setattr(contest_orm, "_age", wrong)
    arguments = ["bench", "--customers", "40", "--documents", "400", "--only", "P1"]
    result = CliRunner().invoke(command_line(), arguments, catch_exceptions=False)
    assert result.exit_code == 1
    assert "P1: the sides do not agree" in result.output


def test_what_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest_duck, "available", lambda: False)
    rows = bench_full.against_duckdb(None)  # type: ignore[arg-type]
    assert len(rows) == 2
    for row in rows:
        assert row.met is None
        assert row.why is not None
        assert "DuckDB" in row.why.en


@pytest.mark.slow
def test_postgresql_is_measured_in_schemas_that_are_gone_afterwards(pg_url: str) -> None:  # noqa: F811
    from sqlalchemy import create_engine, make_url

    rows = _rows(pg_url, {"P1", "P4", "P5", "P6"})
    assert {row.goal for row in rows} == {"P1", "P4", "P5", "P6"}
    assert next(row for row in rows if row.goal == "P5").limit == 5
    engine = create_engine(make_url(pg_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        left = connection.exec_driver_sql(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast_bench%%'"
        ).all()
    engine.dispose()
    assert left == []


# --- three engines, one result --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_duckdb_is_an_independent_oracle(tmp_path: Path, seed: int) -> None:
    """The same book in a second engine and in plain Python, on three days, equal to the last minor unit."""
    pytest.importorskip("duckdb", reason="the independent oracle is part of the extra `test`")
    book = Book(60, 900, seed)
    with contest.places("sqlite", tmp_path) as places:
        scene = scene_of(book, places, "store", silent)
        duck = contest_duck.Columns(tmp_path)
        duck.fill(every(book))
        engine = places.engine("orm")
        contest_orm.create(engine)
        contest_orm.fill(engine, every(book))
        for days in (0, 45, 300):
            on = AS_OF - dt.timedelta(days=days)
            with scene.store.reading() as tx:
                rows = positions.totals(tx, on, systems=["books"], horizon_days=90)
            mine = contest.sums(rows, scene.refs)
            duck.run(on)
            assert mine == duck.sums()
            assert mine == contest_orm.sums(engine, on)
            assert len(mine) >= 30, "hardly anything was compared"
            assert sum(any(one.buckets[1:]) for one in mine.values()) >= 5
        duck.close()
        engine.dispose()
        scene.store.close()


# --- the book -------------------------------------------------------------------------------------------------------------
def test_a_book_is_the_same_for_one_seed_and_another_for_another() -> None:
    def told(book: Book) -> list[Any]:
        return [fact for stream in book.streams for fact in book.facts(stream)]

    assert told(Book(30, 300, 7)) == told(Book(30, 300, 7))
    assert told(Book(30, 300, 7)) != told(Book(30, 300, 8))


def test_a_book_has_the_size_asked_for_and_a_heavy_tail() -> None:
    book = Book(1000, 20_000)
    facts = list(book.facts("documents"))
    assert len(facts) == 20_000
    assert len({fact.ref for fact in facts}) == 20_000
    owned = Counter(fact.customer_id for fact in facts if isinstance(fact, Document))
    assert len(owned) == 1000
    tenth = sum(count for _, count in owned.most_common(100))
    assert tenth > 20_000 * 0.3
    assert {fact.currency for fact in facts if isinstance(fact, Document)} == {"CNY", "USD", "EUR"}
    for stream in book.streams:
        assert sum(1 for _ in book.facts(stream)) > 100, stream
    assert sum(len(page) for page in book.pages("documents", 300)) == 20_000


def test_documents_change_in_each_turn() -> None:
    known = {fact.ref: fact for fact in TINY.facts("documents")}
    one, other = TINY.changed(10, 0), TINY.changed(10, 1)
    assert len(one) == len(other) == 10
    assert all(known[d.ref] != d for d in (*one, *other))
    assert one != other
    assert said(one[0])["amount"] == str(one[0].amount)


# --- what is measured apart -----------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_replay_is_measured_where_it_is_asked_for() -> None:
    rows = list(bench.measured(Book(20, 300, seed=5), "sqlite", silent, {"P11"}))
    assert [row.goal for row in rows] == ["P11"]
    detail = rows[0].detail
    assert rows[0].figure is not None
    assert detail["drawn"] > 300  # an order alone brings more than one conclusion
    assert len(detail["orders_held"]) == 2
    assert len(detail["nights"]) == 6


def test_what_a_book_of_trade_tells_day_by_day_is_the_whole_book() -> None:
    book = bench_replay.Trade(20, 300, seed=5)
    middle = book.as_of - dt.timedelta(days=300)
    early = replace(book, through=middle)
    late = replace(book, since=middle)
    for stream in ("rates", "documents", "payments", "applications", "orders"):
        before = {fact.ref: fact for fact in early.facts(stream)}
        after = {fact.ref: fact for fact in late.facts(stream)}
        assert before
        assert after
        assert before | after == {fact.ref: fact for fact in book.facts(stream)}
    orders = [fact for fact in early.facts("orders") if isinstance(fact, Order)]
    assert max(order.ordered_on for order in orders if order.ordered_on) <= middle
    waiting = {order.ref for order in orders if order.status == "open"}
    assert waiting
    assert {order.ref for order in late.facts("orders") if isinstance(order, Order)} > waiting


def test_decisions_alone_are_measured_in_a_process_of_their_own() -> None:
    row = bench_replay.decisions(2_000)
    assert row.ours is not None
    assert 0 < row.detail["decide"] < row.ours
    assert 0 < row.detail["held"] < 2_000


# --- the order check ------------------------------------------------------------------------------------------------------
def test_the_order_check_is_measured_under_fifty_clients_and_every_answer_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench_check, "GROUP", 8)
    monkeypatch.setattr(bench, "CHECK_SECONDS", 0.3)
    rows = list(bench.measured(Book(60, 600, seed=5), "sqlite", silent, {"P7"}))
    assert [row.limit for row in rows] == [150, 8, 1000, 20, 3, 20]
    assert all(row.figure is not None and row.figure > 0 for row in rows)
    assert all(row.what.zh != row.what.en for row in rows)


@pytest.mark.parametrize(
    ("taken", "runs", "told"),
    [
        ([0.001], 1, "; the host took 0.1% of the time"),
        ([0.2, 0.004], 2, "; the host took 0.4% (the least of 2 runs) of the time"),
        ([0.2, 0.03, 0.1, 0.06, 0.3, 0.3], 6, "; the host took 3.0% (the least of 6 runs) of the time"),
        ([None], 1, ""),
    ],
)
def test_the_calmest_run_is_told_and_what_the_host_took(
    monkeypatch: pytest.MonkeyPatch, taken: list[float | None], runs: int, told: str
) -> None:
    left = iter(taken)

    def run(*_: object) -> bench_check.Measured:
        return bench_check.Measured([0.1], 1.0, 0.1, [], next(left))

    monkeypatch.setattr(bench_check._Load, "run", run)
    load = object.__new__(bench_check._Load)
    found = load.runs(SimpleNamespace(bodies=lambda _: []), 1)  # type: ignore[arg-type]
    assert (len(found), next(left, "none left")) == (runs, "none left")
    assert found[0].taken == min((one for one in taken if one is not None), default=None)
    said = bench_check._host(found[0])
    assert said.en == told
    assert said.zh.startswith("；宿主机占用时间 ") == bool(told)


def test_what_the_host_takes_is_a_share_of_all_the_time() -> None:
    assert Moment(1_400, 60).share_since(Moment(1_000, 50)) == 0.025
    assert Moment(1_000, 50).share_since(Moment(1_000, 50)) == 0
    if (now := Moment.now()) is not None:
        assert 0 <= now.taken < now.ticks


@pytest.mark.parametrize("member", ["result", "reasons", "credit", "amount"])
def test_a_wrong_answer_is_found(tmp_path: Path, member: str) -> None:
    with contest.places("sqlite", tmp_path) as places:
        scene = scene_of(TINY, places, "checks", silent)
        (found,) = check_all(scene.store, scene.config, default_policy(), scene.clock, [asked_of(ASKED, "app:x")])
        good = (json.dumps(ASKED).encode(), found.text.encode())  # type: ignore[union-attr]
        assert len(bench_check._checked(scene, [good], set())) == 1
        body = {**found.body, member: {"result": "warn", "reasons": [1], "credit": {}, "amount": "7.00"}[member]}  # type: ignore[union-attr]
        with pytest.raises(Different):
            bench_check._checked(scene, [(good[0], json.dumps(body).encode())], set())
        scene.store.close()


ASKED = {"customer": "C00001", "amount": "5.00"}


def test_clients_end_with_an_error_where_the_server_closes_in_good_order() -> None:
    async def ask() -> None:
        async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.close()

        server = await asyncio.start_server(closes, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        asked = {"host": "127.0.0.1", "port": port, "token": "x", "seconds": 2, "rate": 0, "clients": 3}
        async with asyncio.timeout(30):
            await bench_check_load._clients(asked, [b"{}"] * 50)

    with pytest.raises(RuntimeError, match="the connection was lost"):
        asyncio.run(ask())
