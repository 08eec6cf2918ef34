"""Work that waits for PostgreSQL aside: the loop goes on, nothing of it is lost, and nothing else is waited for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from connector.store.db import Store, in_trouble
from connector.store.seats import MAY_BE_ASIDE, Unconnected

pytestmark = pytest.mark.skipif(not MAY_BE_ASIDE, reason="loops of this system do not watch sockets of others")

Running = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def seat(pg_store: Store) -> Iterator[Store]:
    """A seat that has been connected."""
    found = pg_store.seat()
    with found.reading():
        pass
    yield found
    found.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Running:
    """Runs something in a loop of each kind that the service may have."""
    factory = asyncio.new_event_loop
    if request.param == "uvloop":
        factory = pytest.importorskip("uvloop", reason="uvloop is not made for this Python").new_event_loop

    def ran(what: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(what)

    return ran


def said(seat: Store, statement: str) -> tuple[Any, int]:
    """What a statement gives, and in which thread."""
    with seat.writing() as tx:
        return tx.exec_driver_sql(statement).scalar(), threading.get_ident()


def backend(seat: Store) -> int:
    return int(said(seat, "SELECT pg_backend_pid()")[0])


def ended(store: Store, pid: int) -> None:
    """Ends the server's side of a connection, and waits until it has gone."""
    with store.writing() as tx:
        tx.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
    for _ in range(500):
        with store.reading() as tx:
            if tx.exec_driver_sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}").scalar() == 0:
                return
        time.sleep(0.01)
    raise AssertionError("the server did not end it")


def test_the_loop_goes_on_in_the_same_thread(seat: Store, run: Running) -> None:
    from connector.store.aside import Asides

    async def main() -> None:
        turns = 0
        work = Asides().do(lambda: said(seat, "SELECT 7 FROM pg_sleep(0.3)"))
        while not work.done():
            turns += 1
            await asyncio.sleep(0.01)
        assert work.result() == (7, threading.get_ident())
        assert turns > 5

    run(main())


def test_many_at_once_each_at_its_seat(pg_store: Store, run: Running) -> None:
    from connector.store.aside import Asides

    seats = [pg_store.seat() for _ in range(4)]
    for one in seats:
        backend(one)

    async def main() -> None:
        asides = Asides()
        began = time.monotonic()
        asked = [
            asides.do(lambda seat=one, n=n: said(seat, f"SELECT {n} FROM pg_sleep(0.5)"))  # type: ignore[misc]
            for n, one in enumerate(seats)
        ]
        assert [found for found, _ in await asyncio.gather(*asked)] == [0, 1, 2, 3]
        assert time.monotonic() - began < 4 * 0.5, "they wait beside each other"

    run(main())
    for one in seats:
        one.close()


def test_what_goes_wrong_is_told_and_the_seat_is_good_afterwards(seat: Store, run: Running) -> None:
    from connector.store.aside import Asides

    async def main() -> None:
        asides = Asides()
        with pytest.raises(DBAPIError, match="division"):
            await asides.do(lambda: said(seat, "SELECT 1 / 0"))
        with pytest.raises(KeyError):
            await asides.do(lambda: {}["nothing"])
        assert (await asides.do(lambda: said(seat, "SELECT 1")))[0] == 1

    run(main())


def test_nothing_is_connected_aside(pg_store: Store, run: Running) -> None:
    from connector.store.aside import Asides

    seat = pg_store.seat()

    async def main() -> None:
        asides = Asides()
        with pytest.raises(Unconnected):
            await asides.do(lambda: backend(seat))
        first = await asyncio.to_thread(backend, seat)
        assert await asides.do(lambda: backend(seat)) == first
        # It is lost while it is used, and no other one is made aside, either.
        work = asides.do(lambda: said(seat, "SELECT 1 FROM pg_sleep(30)"))
        await asyncio.to_thread(ended, pg_store, first)
        with pytest.raises(DBAPIError) as wrong:
            await work
        assert in_trouble(wrong.value)
        with pytest.raises(Unconnected):
            await asides.do(lambda: backend(seat))
        second = await asyncio.to_thread(backend, seat)
        assert await asides.do(lambda: backend(seat)) == second != first
        # It is lost while nobody uses it for so long that it is looked at first.
        await asyncio.to_thread(ended, pg_store, second)
        await asyncio.sleep(1.1)
        with pytest.raises(Unconnected):
            await asides.do(lambda: backend(seat))
        assert await asyncio.to_thread(backend, seat) not in (first, second)

    run(main())
    seat.close()


def test_whoever_goes_away_does_not_end_it_and_the_end_waits_for_it(seat: Store, run: Running) -> None:
    from connector.store.aside import Asides

    done: list[Any] = []

    async def main() -> None:
        asides = Asides()
        for _ in range(2):
            work = asides.do(lambda: done.append(said(seat, "SELECT 1 FROM pg_sleep(0.2)")[0]))
            await asyncio.sleep(0.05)
            work.cancel()
            assert not done
            if not work.done():
                await asyncio.sleep(0)
            asides.finish()
            assert done == [1], "it has ended, and so has its transaction"
            done.clear()
        work = asides.do(lambda: done.append(said(seat, "SELECT 1 FROM pg_sleep(0.1)")[0]))
        await asyncio.sleep(0.02)
        work.cancel()
        for _ in range(500):
            if done:
                break
            await asyncio.sleep(0.01)
        assert done == [1], "the loop has gone on with it"
        asides.finish()

    run(main())
    assert said(seat, "SELECT 2")[0] == 2
