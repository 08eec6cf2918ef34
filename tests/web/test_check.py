"""The order check over HTTP: answers of its model, keys, groups of concurrent callers, what is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from connector.errors import TransientError
from connector.model import Customer
from connector.store import api_keys, audit
from connector.store.api_keys import Key
from connector.web import checks as gathering
from connector.web.answers_check import OrderChecked
from connector.web.checks import Checks
from connector.web.front import Front
from jobs import check_bench
from jobs.check_answer import Answer
from jobs.check_asked import Asked, asked_of
from tests.jobs.shop import Shop

PATH = "/api/v1/orders/check"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.customers(
        *(Customer(id=ref, name=ref, currency="CNY") for ref in ("C1", "C2")), limits={"C1": 1000, "C2": 500}
    )
    return shop


def key_of(shop: Shop, owner: str, roles: Sequence[str] = ()) -> dict[str, str]:
    now = shop.clock.now()
    asked = Key("", owner, "", tuple(roles), None, now, "test", now + dt.timedelta(days=1))
    with shop.store.writing() as tx:
        _, token = api_keys.create(tx, asked)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def sales(shop: Shop) -> dict[str, str]:
    return key_of(shop, "person:chen.jie")


def test_a_check_answers_as_its_model_says(client: TestClient, sales: dict[str, str]) -> None:
    for amount, result in (("1000.00", "pass"), ("1000.01", "hold")):
        got = client.post(PATH, json={"customer": "C1", "amount": amount, "ship_date": "2026-12-01"}, headers=sales)
        assert got.status_code == 200, got.text
        assert OrderChecked.model_validate_json(got.text).model_dump(exclude={"remedies"}) == {
            name: value for name, value in got.json().items() if name != "remedies"
        }
        assert got.json()["result"] == result
        assert got.headers["cache-control"] == "no-store"
    assert [r["rule"] for r in got.json()["reasons"]] == ["limit_exceeded"]


def test_the_same_key_replays_to_the_byte(client: TestClient, sales: dict[str, str], shop: Shop) -> None:
    headers = {**sales, "Idempotency-Key": "order-1"}
    first = client.post(PATH, json={"customer": "C1", "amount": "600", "reserve": True}, headers=headers)
    shop.clock.sleep(60)
    again = client.post(PATH, json={"amount": "600.00", "customer": "C1", "reserve": True}, headers=headers)
    assert (first.headers.get("idempotent-replay"), again.headers.get("idempotent-replay")) == (None, None)
    assert again.status_code == 409, "600 and 600.00 are two texts"
    again = client.post(PATH, json={"customer": "C1", "amount": "600", "reserve": True}, headers=headers)
    assert again.headers["idempotent-replay"] == "true"
    assert again.content == first.content
    other = client.post(PATH, json={"customer": "C1", "amount": "1"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


def test_credit_is_reserved_listed_and_given_back(client: TestClient, sales: dict[str, str], shop: Shop) -> None:
    asked = {"customer": "C1", "amount": "600", "reserve": True, "reserve_minutes": 30, "order": "SO9"}
    number = client.post(PATH, json=asked, headers=sales).json()["reservation"]["id"]
    assert client.post(PATH, json={"customer": "C1", "amount": "401"}, headers=sales).json()["result"] == "hold"
    (one,) = client.get("/api/v1/orders/reservations", headers=sales).json()["reservations"]
    assert (one["id"], one["amount"], one["order"], one["by"]) == (number, "600.00", "SO9", "person:chen.jie")
    at = f"/api/v1/orders/reservations/{number}"
    assert client.delete(at, headers=key_of(shop, "person:li.wei")).status_code == 403, "it is somebody else's"
    assert client.delete(at, headers=key_of(shop, "person:wang.fang")).status_code == 200, "a credit controller may"
    assert client.delete(at, headers=sales).status_code == 422
    assert client.delete("/api/v1/orders/reservations/99", headers=sales).status_code == 404
    assert client.post(PATH, json={"customer": "C1", "amount": "1000"}, headers=sales).json()["result"] == "pass"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, ""),
        (b"{", 400, ""),
        (b"[" * 100_000, 400, ""),
        (b'{"customer": "C1", "amount": ' + b"9" * 5000 + b"}", 400, ""),
        (b'{"customer": "C1", "amount": NaN}', 422, "amount"),
        (b"[]", 422, "JSON"),
        (b'{"customer": "C1", "amount": 12.5}', 422, "amount"),
        (b'{"customer": "\\ud800", "amount": "1"}', 422, "customer"),
        (b'{"customer": "C1", "amount": "1", "currency": "EUR"}', 200, "no_rate"),
        (b'{"customer": "nobody", "amount": "1"}', 404, "nobody"),
        (b'{"customer": "C1", "amount": "' + b"9" * 300_000 + b'"}', 413, ""),
        (b"\xff\xfe", 400, ""),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_bad_bodies_are_refused_with_the_field(
    client: TestClient, sales: dict[str, str], body: bytes, status: int, words: str
) -> None:
    for language in ("en", "zh"):
        headers = {**sales, "Content-Type": "application/json", "Accept-Language": language}
        got = client.post(PATH, content=body, headers=headers)
        assert got.status_code == status, got.text
        assert words in got.text
    if status >= 400:
        assert any("\u4e00" <= c <= "\u9fff" for c in got.json()["detail"])


def test_who_may_not_check_is_refused(client: TestClient, shop: Shop, sales: dict[str, str]) -> None:
    asked = {"customer": "C1", "amount": "1"}
    assert client.post(PATH, json=asked).status_code == 401
    assert client.post(PATH, json=asked, headers=key_of(shop, "app:looker", ["viewer"])).status_code == 403
    assert client.post(PATH, json=asked, headers={**sales, "Idempotency-Key": "no blanks"}).status_code == 400
    assert client.post(PATH, content=b"a=b", headers={**sales, "Content-Type": "text/plain"}).status_code == 415
    with shop.store.reading() as tx:
        assert audit.listing(tx, action="order.asked") == []


def test_concurrent_callers_are_judged_in_groups(front: Front, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    judge = gathering.check_all

    def counted(*args: Any) -> Any:
        sizes.append(len(args[4]))
        return judge(*args)

    monkeypatch.setattr(gathering, "check_all", counted)

    async def ask_all() -> list[Any]:
        checks = Checks(front)
        asked = [asked_of({"customer": "C1", "amount": "300", "reserve": True}, f"app:{n}") for n in range(100)]
        bad = Asked("nobody", None, caller="app:x")
        return await asyncio.gather(*(checks.ask(one) for one in (*asked, bad)), return_exceptions=True)

    found = asyncio.run(ask_all())
    results = [one.body["result"] for one in found if isinstance(one, Answer)]
    assert (results.count("pass"), results.count("hold")) == (3, 97)
    assert isinstance(found[-1], Exception)
    assert sum(sizes) == 101
    assert len(sizes) < 10, "one transaction for many"
    with shop.store.reading() as tx:
        assert len(audit.listing(tx, action="order.asked")) == 100
        assert audit.verify(tx) == []


def test_who_cannot_be_answered_keeps_nobody_else_from_the_answer(
    front: Front, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask_three() -> list[Answer]:
        checks, asked = Checks(front), asked_of({"customer": "C1", "amount": "300"}, "app:x")

        def broken(_made: object) -> None:
            raise ConnectionError("nobody is there")

        first = asyncio.ensure_future(checks.ask(asked))
        await asyncio.sleep(0)
        checks.put(asked, broken)
        return [await first, await checks.ask(asked), await checks.ask(asked)]

    assert [one.body["result"] for one in asyncio.run(ask_three())] == ["pass"] * 3
    assert [r.getMessage() for r in caplog.records if r.exc_info] == ["an answer could not be given"]
    with shop.store.reading() as tx:
        assert len(audit.listing(tx, action="order.asked")) == 4


def test_who_came_while_a_group_was_judged_is_in_the_next(
    front: Front, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_APART_SECONDS", 0.0)
    sizes: list[int] = []
    judge = gathering.check_all
    ours, theirs = zip(*(socket.socketpair() for _ in range(20)), strict=True)
    begin: list[Callable[[], None]] = []

    def judged(*args: Any) -> Any:
        sizes.append(len(args[4]))
        if len(sizes) == 2:  # (the first one only makes the process ready)
            for one in theirs:
                one.send(b"?")
            begin[0]()
        return judge(*args)

    monkeypatch.setattr(gathering, "check_all", judged)

    async def ask_all() -> list[Answer]:
        checks, loop = Checks(front), asyncio.get_running_loop()
        asked = asked_of({"customer": "C1", "amount": "1"}, "app:x")
        await checks.ask(asked)
        tasks: list[asyncio.Task[Answer]] = []

        def ask() -> None:
            tasks.append(loop.create_task(checks.ask(asked)))

        def another() -> None:
            """One is asked already when the group ends: without it there would be no next group."""
            if threading.current_thread() is threading.main_thread():
                ask()
            else:
                loop.call_soon_threadsafe(ask)

        begin.append(another)

        class Connection(asyncio.Protocol):
            """As the server's: what is read begins a task."""

            def data_received(self, data: bytes) -> None:
                ask()

        made = [await loop.connect_accepted_socket(Connection, one) for one in ours]
        first = await checks.ask(asked)
        async with asyncio.timeout(30):
            while len(tasks) < len(ours) + 1:
                await asyncio.sleep(0)
        found = [first, *await asyncio.gather(*tasks)]
        for transport, _ in made:
            transport.close()
        return found

    found = asyncio.run(ask_all())
    for one in theirs:
        one.close()
    assert [one.body["result"] for one in found] == ["pass"] * 22
    assert sizes == [1, 1, 21]


def test_others_are_answered_while_a_check_waits_for_whoever_writes(front: Front, shop: Shop) -> None:
    if not shop.store.begins_at_once:
        pytest.skip("nobody is waited for before a transaction on PostgreSQL begins")

    async def ask() -> tuple[bool, Answer]:
        checks = Checks(front)
        one = asked_of({"customer": "C1", "amount": "1"}, "app:x")
        await checks.ask(one)
        with shop.store.writing():
            waits = asyncio.create_task(checks.ask(one))
            await asyncio.sleep(0.05)  # would never come back, did the loop wait for the turn that is held here
            early = waits.done()
        return early, await waits

    early, answer = asyncio.run(ask())
    assert (early, answer.body["result"]) == (False, "pass")
    with shop.store.reading() as tx:
        assert len(audit.listing(tx, action="order.asked")) == 2


def test_a_question_that_breaks_something_does_not_take_the_others_with_it(
    front: Front, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = gathering.check_all

    def broken(*args: Any) -> Any:
        if any(one.customer == "C2" for one in args[4]):
            raise RuntimeError("unforeseen")
        return judge(*args)

    monkeypatch.setattr(gathering, "check_all", broken)

    async def ask_all() -> list[Any]:
        checks = Checks(front)
        asked = [asked_of({"customer": f"C{1 + n % 2}", "amount": "1"}, "app:x") for n in range(6)]
        return await asyncio.gather(*(checks.ask(one) for one in asked), return_exceptions=True)

    found = asyncio.run(ask_all())
    assert [isinstance(one, Answer) for one in found] == [True, False] * 3


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "wrong",
    [sqlite3.OperationalError("disk I/O error"), psycopg.errors.DeadlockDetected("deadlock detected")],
    ids=type,
)
def test_whoever_asks_while_the_database_fails_is_told_to_try_again(
    client: TestClient, sales: dict[str, str], monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    def broken(*_: Any) -> Any:
        raise wrong

    with monkeypatch.context() as failing:
        failing.setattr(gathering, "check_all", broken)
        got = client.post(PATH, json={"customer": "C1", "amount": "1"}, headers=sales)
    assert (got.status_code, got.json()["code"], got.headers["retry-after"]) == (503, "not_now", "2")
    assert got.json()["detail"] == "The database cannot be used just now. Try again in a few seconds."
    assert client.post(PATH, json={"customer": "C1", "amount": "1"}, headers=sales).json()["result"] == "pass"


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_is_made_anew_and_the_loop_does_not_wait_for_it(front: Front, shop: Shop) -> None:
    checks = Checks(front)
    made: list[str] = []

    def connected(*_: Any) -> None:
        made.append(threading.current_thread().name)

    def lost() -> None:
        assert checks._kept is not None
        assert checks._kept.seat is not None
        with checks._kept.seat.reading() as tx:
            pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with shop.store.writing() as tx:
            tx.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        with shop.store.reading() as tx:
            while tx.exec_driver_sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}").scalar():
                time.sleep(0.01)

    async def ask() -> None:
        async def one() -> str:
            answer = await checks.ask(asked_of({"customer": "C1", "amount": "10"}, "person:a"))
            return str(answer.body["result"])

        assert [await one() for _ in range(3)] == ["pass"] * 3
        assert checks._kept is not None
        assert checks._kept.seat is not None
        event.listen(checks._kept.seat.engine, "connect", connected)
        await asyncio.to_thread(lost)
        with pytest.raises(TransientError):
            await one()  # it had been good a moment ago
        assert await one() == "pass"
        await asyncio.to_thread(lost)
        await asyncio.sleep(1.1)  # it is looked at first
        assert await one() == "pass"

    asyncio.run(ask())
    assert len(made) == 2
    assert all(name.startswith("front") for name in made), made
    with shop.store.reading() as tx:
        assert [line.entry.action for line in audit.listing(tx, action="order")] == ["order.asked"] * 5


def test_customers_are_read_ahead_while_nobody_asks(front: Front, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_SOON_SECONDS", 0.0)
    monkeypatch.setattr(gathering, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(gathering, "_TROUBLE_SECONDS", 0.01)
    read, judged = gathering.read_ahead, list[set[int]]()
    troubles, makes = [RuntimeError("away"), RuntimeError("away")], check_bench.Bench.__init__

    def troubled(*args: Any) -> int:
        if troubles:
            raise troubles.pop()
        time.sleep(0.02)  # somebody asks meanwhile
        return read(*args)

    def counted(self: Any, *args: Any) -> None:
        makes(self, *args)
        judged.append(set(self.judged))

    monkeypatch.setattr(gathering, "read_ahead", troubled)
    monkeypatch.setattr(check_bench.Bench, "__init__", counted)

    async def ask_all() -> list[str]:
        checks = Checks(front)
        reading = asyncio.create_task(checks.read_ahead())
        while sum(map(len, judged)) < 2:
            await asyncio.sleep(0.005)
        asked = [
            asked_of({"customer": name, "amount": amount}, "app:x") for name in ("C1", "C2") for amount in ("1", "2000")
        ]
        found = []
        for one in asked * 3:
            found.append((await checks.ask(one)).body["result"])
            await asyncio.sleep(0.06)  # long enough for it to be read again
        reading.cancel()
        return found

    assert asyncio.run(ask_all()) == ["pass", "hold"] * 6
    assert [len(one) for one in judged] == [2], "nobody was judged when he was asked of"


def test_nothing_is_read_ahead_where_nothing_is_kept(front: Front, shop: Shop) -> None:
    service = shop.config.service.model_copy(update={"kept_customers": 0})
    front.config = shop.config.model_copy(update={"service": service})

    async def ask() -> tuple[None, Answer]:
        checks = Checks(front)
        return await checks.read_ahead(), await checks.ask(asked_of({"customer": "C1", "amount": "1"}, "app:x"))

    assert asyncio.run(ask())[1].body["result"] == "pass"
