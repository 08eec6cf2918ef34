"""The processes of goal P7: the service, fifty clients on connections of their own, and jobs that keep the store busy.

Each is a Python of its own that is told what to do over its standard input, as one line of JSON, and answers with lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.cli.bench_book import Book
from connector.cli.bench_scene import Scene, kept, save
from connector.store.db import Store

if TYPE_CHECKING:
    from connector.store.contest import Places

# So many documents change in one page of the pull that runs beside the checks.
_PAGE = 50
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
    asyncio.run(server.serve(sockets))


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
    answers: list[bytes] = []
    times: list[float] = []
    start = time.perf_counter()
    end = start + asked["seconds"]
    pause = asked["clients"] / asked["rate"] if asked["rate"] else 0.0
    left = iter(bodies)
    head = (
        f"POST /api/v1/orders/check HTTP/1.1\r\nHost: {asked['host']}:{asked['port']}\r\n"
        f"Authorization: Bearer {asked['token']}\r\nContent-Type: application/json\r\nContent-Length: "
    ).encode()

    async def one(number: int) -> None:
        due = start + pause * number / asked["clients"]
        reader, writer = await asyncio.open_connection(asked["host"], asked["port"])
        for body in left:
            if pause and (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            began = due if pause else time.perf_counter()
            due += pause
            if began >= end:
                break
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            top = await reader.readuntil(b"\r\n\r\n")
            length = int(top.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            said = await reader.readexactly(length)
            times.append(time.perf_counter() - began)
            if not top.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{top.decode()} {said.decode()}")
            answers.append(body + b"\t" + said)
        writer.close()

    await asyncio.gather(*(one(number) for number in range(asked["clients"])))
    return answers, times


# --- the jobs beside it ---------------------------------------------------------------------------------------------------
def keep_busy() -> None:
    """A pull and an evaluate again and again until told to stop; says which customers were touched. It has done so once
    before it says that it has begun: modules are loaded and statements made, as in a service that has run for a while."""
    asked = told()
    scene = scene_at(asked["url"], asked["book"])
    stopped: list[bool] = []
    until_told(lambda: stopped.append(True))
    turn, touched = asked["turn"], set[str]()

    def once() -> int:
        nonlocal turn
        documents = scene.book.changed(_PAGE, turn)
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
