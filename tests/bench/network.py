"""The network floor (goal P8): how near our client comes to it, and what a record costs it in CPU.

A loopback server in a process of its own answers pages of documents after a fixed latency and refuses more than so many
calls at once (429). The floor is calls × latency ÷ calls in flight. Beside our client (HTTP client, paginator, mapping
to facts) the plain `requests` with as many threads reads the same pages and does nothing with them: the other side of
the ratio. `python -m tests.bench.network` prints the figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from connector import mapping as mappings
from connector.adapter import Record
from connector.converters import Context
from connector.http import Http, Limits, Throttle
from connector.paging import ahead, by_id

MAPPING = """
adapter = "files"

[read.document]
stream = "documents"
[read.document.fields]
id = "id"
customer_id = "customer"
kind = { from = "type", values = { inv = "invoice", crn = "credit_note" } }
number = "number"
issued_on = "date"
due_on = "due"
currency = "currency"
amount = "amount"
base_amount = "base"
order_id = "order"
company = "company"
status = { value = "posted" }
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run has shown. Seconds are of the wall; `cpu_us` is the client's CPU in microseconds a record."""

    who: str
    records: int
    calls: int
    floor_seconds: float
    wall_seconds: float
    ratio_to_floor: float
    cpu_us: float
    over_cap: int


def measure(records: int = 20_000, page: int = 200, in_flight: int = 10, latency: float = 0.1) -> list[Figures]:
    """Both sides, one after the other against one server: ours (to facts) and plain `requests` (bytes only)."""
    with _server(records, page, in_flight, latency) as url:
        return [
            _run("holdfast", _ours, url, page, in_flight, latency),
            _run("requests", _plain, url, page, in_flight, latency),
        ]


def _run(
    who: str, read: Callable[[str, int, int], int], url: str, page: int, in_flight: int, latency: float
) -> Figures:
    requests.get(f"{url}/reset", timeout=10)
    wall, cpu = time.perf_counter(), time.process_time()
    count = read(url, page, in_flight)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    told = requests.get(f"{url}/told", timeout=10).json()
    floor = told["calls"] * latency / in_flight
    return Figures(who, count, told["calls"], floor, wall, wall / floor, cpu / count * 1e6, told["over_cap"])


def _ranges(url: str, parts: int) -> list[tuple[int, int]]:
    """The ids cut into as many ranges as there may be calls in flight: pages within one are serial."""
    count = requests.get(f"{url}/told", timeout=10).json()["records"]
    edges = [count * n // parts for n in range(parts + 1)]
    return list(pairwise(edges))


def _ours(url: str, page: int, in_flight: int) -> int:
    http = Http(url, system="bench", throttle=Throttle(Limits(in_flight=in_flight)))
    mapping, problems = mappings.load(MAPPING, name="bench.toml")
    assert mapping is not None, problems
    context = Context(time_zone="Asia/Shanghai", base="CNY", system="bench")

    def read(between: tuple[int, int]) -> int:
        first, last = between

        def fetch(since: str | None, to: str, after: str | None) -> list[Record]:
            begin = int(after) + 1 if after is not None else first
            answer = http.call("GET", f"/documents?first={begin}&last={last}", safe=True)
            return [Record(str(r["id"]), r) for r in answer.json()]

        made = 0
        for one in ahead(by_id(None, fetch, lambda r: r.key, page, lambda m: m, lambda: "")):
            for record in one.records:
                facts, problems = mapping.read("documents", record, context=context)
                assert not problems
                made += len(facts)
        return made

    with ThreadPoolExecutor(in_flight) as pool:
        return sum(pool.map(read, _ranges(url, in_flight)))


def _plain(url: str, page: int, in_flight: int) -> int:
    def read(between: tuple[int, int]) -> int:
        first, last = between
        count = 0
        with requests.Session() as session:
            session.trust_env = False
            while True:
                body = session.get(f"{url}/documents?first={first}&last={last}", timeout=30).content
                found = body.count(b'"id"')
                count, first = count + found, first + found
                if found < page:
                    return count

    with ThreadPoolExecutor(in_flight) as pool:
        return sum(pool.map(read, _ranges(url, in_flight)))


# --- the other end ---------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _server(records: int, page: int, in_flight: int, latency: float) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "tests.bench.network",
        "serve",
        str(records),
        str(page),
        str(in_flight),
        str(latency),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)


def _document(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "customer": f"C{number % 997:04d}",
        "type": "inv" if number % 20 else "crn",
        "number": f"I-{number:07d}",
        "date": f"2026-{number % 9 + 1:02d}-15",
        "due": f"2026-{number % 9 + 2:02d}-14",
        "currency": "CNY",
        "amount": f"{number % 90_000 + 100}.25",
        "base": f"{number % 90_000 + 100}.25",
        "order": f"S-{number // 3:06d}",
        "company": "苏州",
        "status": "posted",
    }


async def _serve(records: int, page: int, in_flight: int, latency: float) -> None:
    told = {"records": records, "calls": 0, "over_cap": 0}
    pages: dict[tuple[int, int], bytes] = {}
    busy = 0

    async def answer(path: str) -> tuple[str, bytes]:
        nonlocal busy
        parts = urlsplit(path)
        if parts.path == "/reset":
            told.update(calls=0, over_cap=0)
            return "200 OK", b"{}"
        if parts.path == "/told":
            return "200 OK", json.dumps(told).encode()
        told["calls"] += 1
        if busy >= in_flight:
            told["over_cap"] += 1
            return "429 Too Many Requests", b""
        busy += 1
        try:
            query = parse_qs(parts.query)
            first, last = int(query["first"][0]), int(query["last"][0])
            if (first, last) not in pages:
                rows = [_document(n) for n in range(first, min(first + page, last))]
                pages[first, last] = json.dumps(rows, ensure_ascii=False).encode()
            await asyncio.sleep(latency)
            return "200 OK", pages[first, last]
        finally:
            busy -= 1

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = await answer(head.split(b" ", 2)[1].decode())
                kind = "content-type: application/json"
                writer.write(f"HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(_serve(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
    else:
        for figures in measure():
            print(json.dumps(asdict(figures)))
