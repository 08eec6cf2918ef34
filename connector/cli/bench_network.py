"""Goal P8: how near the product comes to the network's floor, calls × latency ÷ calls in flight, and what a record costs.

A loopback server in a process of its own answers pages of documents after a fixed latency, and refuses more than so many
calls at once (429). Ten threads behind one limit read id ranges with the product's client, mapping every record to facts.
Then `pull` reads the same documents as a job does, records and facts into a store: once with pages that are known
beforehand and come side by side, once by key, where each page needs the one before it. Of the latter no client can have
ten in flight: its floor is calls × latency, and what is measured is that saving costs nothing on top.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import simplejson
from pydantic import BaseModel

from connector import mapping as mappings
from connector.adapter import Adapter, Page, Record, Stream
from connector.cli.bench_memory import child
from connector.cli.bench_row import Row
from connector.cli.bench_scene import Scene
from connector.clock import SystemClock
from connector.connect import Connected
from connector.errors import HoldfastError
from connector.http import Http, Limits, Throttle
from connector.mapping import Context, Mapping
from connector.paging import side_by_side
from connector.store.db import Store
from connector.text import Text, same
from jobs.pull import pull

_MAPPING = """
adapter = "bench"
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
"""
_SIZE, _IN_FLIGHT, _LATENCY = 200, 10, 0.1


class _NoSettings(BaseModel):
    pass


def network(scene: Scene, records: int) -> list[Row]:
    """P8: wall time against the floor, CPU a record, calls over the cap; and the job as it is."""
    with _server(records) as url:
        wall, cpu, told = _measured(url, lambda: _in_parallel(url, records), records)
        job, job_cpu, pulled = _measured(url, lambda: _pulled(scene, url, records, _side_by_side), records)
        serial = records // 4
        keyed, _, keyed_told = _measured(url, lambda: _pulled(scene, url, serial, _by_key), serial)
    calls = told["calls"]
    floor, job_floor = calls * _LATENCY / _IN_FLIGHT, pulled["calls"] * _LATENCY / _IN_FLIGHT
    keyed_floor = keyed_told["calls"] * _LATENCY
    note = Text(f"{calls} calls of {_LATENCY * 1000:.0f} ms, {_IN_FLIGHT} in flight, wall time", "")
    note = Text(note.en, f"{calls} 次调用，延迟 {_LATENCY * 1000:.0f} 毫秒，并发 {_IN_FLIGHT}，实际用时")
    return [
        Row(
            "P8",
            Text("client against the network's floor", "客户端，对比网络下限"),
            1.2,
            ours=wall,
            other=floor,
            figure=wall / floor,
            why=note,
        ),
        Row(
            "P8",
            Text("a pull as the job does it against the floor", "拉取任务，对比网络下限"),
            1.2,
            ours=job,
            other=job_floor,
            figure=job / job_floor,
            why=Text(
                f"pages side by side, saved with their facts: {job_cpu:.2f} s of it our own CPU",
                f"分页并行读取，连同事实入库：其中本进程 CPU {job_cpu:.2f} 秒",
            ),
            detail={"cpu": job_cpu},
        ),
        Row(
            "P8",
            Text("a pull by key against calls one after the other", "按键逐页拉取，对比逐次调用"),
            1.2,
            ours=keyed,
            other=keyed_floor,
            figure=keyed / keyed_floor,
            why=Text("a page needs the one before it: one call in flight", "后一页依赖前一页：同时只有一次调用"),
        ),
        Row(
            "P8",
            Text("client's CPU a record, mapped to facts", "每条记录的客户端 CPU（含映射）"),
            20,
            unit="µs",
            ours=cpu / records * 1e6,
            figure=cpu / records * 1e6,
        ),
        Row(
            "P8",
            Text("calls over the cap", "超出并发上限的调用"),
            0,
            unit="",
            ours=told["over_cap"],
            figure=told["over_cap"],
        ),
    ]


def _measured(url: str, work: Any, records: int) -> tuple[float, float, dict[str, int]]:
    http = Http(url)
    http.call("GET", "/reset", safe=True)
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if count != records:
        raise HoldfastError(Text(f"{count} records came of {records}.", f"应有 {records} 条记录，实收 {count} 条。"))
    return wall, cpu, http.call("GET", "/told", safe=True).json()


def _mapping() -> Mapping:
    mapping, problems = mappings.load(_MAPPING, name="bench.toml")
    assert mapping is not None, problems
    return mapping


def _page(http: Http, first: int, last: int) -> list[Record]:
    rows = http.call("GET", f"/documents?first={first}&last={last}", safe=True).json()
    return [Record(str(row["id"]), row) for row in rows]


def _in_parallel(url: str, records: int) -> int:
    http = Http(url, throttle=Throttle(Limits(in_flight=_IN_FLIGHT)))
    mapping, context = _mapping(), Context(time_zone="Asia/Shanghai", base="CNY", system="bench")

    def read(span: tuple[int, int]) -> int:
        made = 0
        for first in range(*span, _SIZE):
            for record in _page(http, first, min(first + _SIZE, span[1])):
                found, problems = mapping.read("documents", record, context=context)
                assert not problems, problems
                made += len(found)
        return made

    edges = [records * part // _IN_FLIGHT for part in range(_IN_FLIGHT + 1)]
    with ThreadPoolExecutor(_IN_FLIGHT) as pool:
        return sum(pool.map(read, pairwise(edges)))


Pages = Callable[[Http, int, int], Iterator[Page]]


def _page_at(http: Http, first: int, records: int) -> Page:
    after = first + _SIZE
    return Page(_page(http, first, min(after, records)), after, full=True, last=after >= records)


def _side_by_side(http: Http, first: int, records: int) -> Iterator[Page]:
    each = (partial(_page_at, http, at, records) for at in range(first, records, _SIZE))
    return side_by_side(each, _IN_FLIGHT)


def _by_key(http: Http, first: int, records: int) -> Iterator[Page]:
    return (_page_at(http, at, records) for at in range(first, records, _SIZE))


def _pulled(scene: Scene, url: str, records: int, pages: Pages) -> int:
    def read(http: Http, cursor: Any, _wanted: Any) -> Iterator[Page]:
        return pages(http, int(cursor or 0), records)

    stream: Stream[Http] = Stream("documents", same("documents"), read, ("document",), incremental=False)
    adapter: Adapter[Http] = Adapter(
        name="bench",
        title=same("bench"),
        roles=("erp",),
        settings=_NoSettings,
        secrets=(),
        streams=(stream,),
        channels=(),
        open=lambda connection: connection.http(url),
        check=lambda client, needs: [],
    )
    store = Store.open(scene.places.url(f"pull{pages.__name__}"))
    connected = Connected(scene.config, scene.config.systems[0], SystemClock())
    vars(connected).update(
        adapter=adapter, mapping=_mapping(), client=Http(url, throttle=Throttle(Limits(in_flight=_IN_FLIGHT)))
    )
    try:
        run = pull(store, connected)
    finally:
        store.close()
    if run.failed is not None:
        raise HoldfastError(run.failed)
    return run.counts["new"]


# --- the other end --------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _server(records: int) -> Iterator[str]:
    with child(f"from connector.cli.bench_network import serve; serve({records})") as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def serve(records: int) -> None:
    """In the child: answers until it is ended."""
    asyncio.run(_Answering(records).forever())


class _Answering:
    """Pages of documents, each after its latency; counts the calls, and those that were too many at once."""

    def __init__(self, records: int) -> None:
        self._records, self._busy = records, 0
        self._told = {"calls": 0, "over_cap": 0}

    async def forever(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = await self._answer(head.split(b" ", 2)[1].decode())
                lines = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(lines.encode() + body)
                await writer.drain()
        writer.close()

    async def _answer(self, path: str) -> tuple[str, bytes]:
        parts = urlsplit(path)
        if parts.path == "/reset":
            self._told.update(calls=0, over_cap=0)
        if parts.path in ("/reset", "/told"):
            return "200 OK", simplejson.dumps(self._told).encode()
        self._told["calls"] += 1
        if self._busy >= _IN_FLIGHT:
            self._told["over_cap"] += 1
            return "429 Too Many Requests", b""
        self._busy += 1
        try:
            query = parse_qs(parts.query)
            span = range(int(query["first"][0]), min(int(query["last"][0]), self._records))
            body = simplejson.dumps([_document(number) for number in span]).encode()
            await asyncio.sleep(_LATENCY)
            return "200 OK", body
        finally:
            self._busy -= 1


def _document(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "customer": f"C{number % 997:05d}",
        "type": "inv" if number % 20 else "crn",
        "number": f"I-{number:07d}",
        "date": f"2026-{number % 9 + 1:02d}-15",
        "due": f"2026-{number % 9 + 2:02d}-14",
        "currency": "CNY",
        "amount": f"{number % 90_000 + 100}.25",
    }
