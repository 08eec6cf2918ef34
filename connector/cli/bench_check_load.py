"""The processes of goal P7: the service, fifty clients on connections of their own, and jobs that keep the store busy.

Each is a Python of its own that is told what to do over its standard input, as one line of JSON, and answers with lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.bench_book import Book
from connector.cli.bench_scene import Scene, kept, save
from connector.store.db import Store

if TYPE_CHECKING:
    from connector.store.contest import Places

# So many documents change in one page of the pull that runs beside the checks.
_PAGE = 50
# So many pages are drawn; after the last one the documents of the first change again.
_PAGES = 20
_PAUSE = 0.05


def told() -> dict[str, Any]:
    """What this process is to do."""
    found: dict[str, Any] = json.loads(sys.stdin.readline())
    return found


def say(**values: Any) -> None:
    """One line to whoever started it."""
    print(json.dumps(values), flush=True)


def until_told(stop: Callable[[], None]) -> None:
    """Waits for the next line, in a thread of its own, and then stops."""
    import threading

    def wait() -> None:
        sys.stdin.readline()
        stop()

    threading.Thread(target=wait, daemon=True).start()


def scene_at(url: str, book: list[int], places: Places | None = None) -> Scene:
    """The scene of a store that is loaded already."""
    from connector.store.contest import Nowhere

    return Scene(Store.open(url), Book(book[0], book[1], book[2]), places or Nowhere(), url)


# --- the service ----------------------------------------------------------------------------------------------------------
def serve() -> None:
    """The service on the store, or (`empty`) a server with one endpoint that does nothing; on a free port."""
    from connector.config_service import ServiceSettings
    from connector.web.server import Server, listening, url_of

    asked = told()
    sockets = listening("127.0.0.1", 0)
    server = Server(_nothing() if asked["empty"] else _service(asked), ServiceSettings.model_validate({}))
    until_told(server.stop)
    say(url=url_of(sockets))
    server.run(sockets)


def _service(asked: dict[str, Any]) -> Any:
    from connector.web.app import make
    from connector.web.front import Front

    scene = scene_at(asked["url"], asked["book"])
    return make(Front(scene.store, scene.config, scene.clock))


def _nothing() -> Any:
    from connector.web import empty

    return empty.make()


# --- the clients ----------------------------------------------------------------------------------------------------------
def ask() -> None:
    """So many clients for so many seconds, each asking again as soon as it is answered, or (`rate`) so often a second all
    together, and then timed from when it should have asked. Answers go into a file.

    The bodies are handed out once each, in turn, from a file of lines.
    """
    asked = told()
    bodies = Path(asked["bodies"]).read_bytes().splitlines()
    began = time.perf_counter()
    answers, times = asyncio.run(_clients(asked, bodies))
    wall = time.perf_counter() - began
    Path(asked["answers"]).write_bytes(b"\n".join(answers))
    say(times=times, count=len(answers), wall=wall)


async def _clients(asked: dict[str, Any], bodies: list[bytes]) -> tuple[list[bytes], list[float]]:
    loop = asyncio.get_running_loop()
    start = loop.time()
    run = _Run(asked, iter(bodies), loop, start + asked["seconds"], loop.create_future())
    clients = []
    for number in range(asked["clients"]):
        made = partial(_Client, run, start + run.pause * number / asked["clients"])
        _, client = await loop.create_connection(made, asked["host"], asked["port"])
        clients.append(client)
    run.left = len(clients)
    for client in clients:
        client.begin()
    await run.ended
    return run.answers, run.times


class _Run:
    """What all clients of one run share."""

    def __init__(
        self,
        asked: dict[str, Any],
        bodies: Iterator[bytes],
        loop: asyncio.AbstractEventLoop,
        end: float,
        ended: asyncio.Future[None],
    ) -> None:
        self.bodies, self.loop, self.end, self.ended = bodies, loop, end, ended
        self.pause = asked["clients"] / asked["rate"] if asked["rate"] else 0.0
        self.left = 0
        self.answers: list[bytes] = []
        self.times: list[float] = []
        self.head = (
            f"POST /api/v1/orders/check HTTP/1.1\r\nHost: {asked['host']}:{asked['port']}\r\n"
            f"Authorization: Bearer {asked['token']}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()

    def failed(self, why: str) -> None:
        """Ends the run with an error."""
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(why))


class _Client(asyncio.Protocol):
    """One client on its connection. It does as little as can be: it shares the cores with what is measured."""

    def __init__(self, run: _Run, due: float) -> None:
        self.run, self.due = run, due
        self.body, self.began, self.got, self.over = b"", 0.0, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's own."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def begin(self) -> None:
        """The next question, when it is due."""
        run = self.run
        if run.pause and self.due > run.loop.time():
            run.loop.call_at(self.due, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        run = self.run
        self.began = self.due if run.pause else run.loop.time()
        self.due += run.pause
        body = next(run.bodies, None) if self.began < run.end else None
        if body is None:
            self.over = True
            self.transport.close()
            run.left -= 1
            if not run.left and not run.ended.done():
                run.ended.set_result(None)
            return
        self.body = body
        self.transport.write(b"%b%d\r\n\r\n%b" % (run.head, len(body), body))

    def data_received(self, data: bytes) -> None:
        """asyncio's own: a piece of an answer."""
        self.got += data
        top, end, said = self.got.partition(b"\r\n\r\n")
        if not end or len(said) < int(top.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return
        self.run.times.append(self.run.loop.time() - self.began)
        if not top.startswith(b"HTTP/1.1 200"):
            self.run.failed(f"{top.decode()} {said.decode()}")
            return
        self.run.answers.append(self.body + b"\t" + said)
        self.got = b""
        self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's own: it is an error while an answer is still awaited, also where the server has closed in good order."""
        if not self.over:
            self.run.failed(f"the connection was lost: {exc}")


# --- the jobs beside it ---------------------------------------------------------------------------------------------------
def keep_busy() -> None:
    """A pull and an evaluate again and again until told to stop; says which customers were touched. It has done so once
    before it says that it has begun: modules are loaded and statements made, as in a service that has run for a while. What
    changes is drawn before, too: making a page of the book costs more than saving it, and is no work of a service."""
    asked = told()
    scene = scene_at(asked["url"], asked["book"])
    stopped: list[bool] = []
    until_told(lambda: stopped.append(True))
    turn, touched = asked["turn"], set[str]()
    drawn = [scene.book.drawn(_PAGE, turn + some) for some in range(_PAGES)]

    def once() -> int:
        nonlocal turn
        documents = [story.document(bill, 100 * (turn + 1)) for story, bill in drawn[turn % _PAGES]]
        turn += 1
        touched.update(document.customer_id for document in documents)
        save(scene, "documents", kept(documents), full=False)
        found: int = scene.evaluate().counts["evaluated"]
        return found

    once()
    say(started=True)
    first, evaluated = turn, 0
    while not stopped:
        evaluated += once()
        time.sleep(_PAUSE)
    say(touched=sorted(touched), changes=turn - asked["turn"], turns=turn - first, evaluated=evaluated)
