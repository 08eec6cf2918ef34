"""The sandbox kit: an imitation of a product's API that runs in process (behind `responses`) and over a real socket.

A sandbox is a table of routes over a shelf of objects. It keeps a log of every call (`calls.jsonl` in its folder),
keeps its state there too, and can be told to misbehave: `faults.plan("429", times=2)`. The same sandbox serves the
tests, `holdfast sandbox NAME`, the demo, and the vendor's own official client, which proves the imitation.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json as stdjson
import re
import socket
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import simplejson


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox is set up. `data` is the folder of its state and call log (None: in memory).

    Without state in `data`, a company is made up from `customers`, `seed` and `as_of` (`connector.example`).
    `settings` are the adapter's own switches (a version, a data centre).
    """

    data: Path | None = None
    customers: int = 200
    seed: int = 1
    as_of: dt.date | None = None
    language: Literal["en", "zh"] = "en"
    settings: Mapping[str, Any] = field(default_factory=dict)


# --- requests and replies ----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Request:
    """One call as the sandbox sees it. Header names are lower case; `query` keeps the last value of a name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str = ""

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal; ValueError where it is none."""
        return stdjson.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return {k: v[-1] for k, v in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sandbox answers. `records` is how many records it carries or wrote, for the call log.

    `write` says whether the call changed state: the tests count such calls.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    write: bool = False

    @staticmethod
    def json(value: Any, status: int = 200, records: int = 0, write: bool = False, **headers: str) -> Reply:
        """A JSON answer; Decimal becomes a number."""
        body = simplejson.dumps(value, use_decimal=True, ensure_ascii=False).encode()
        return Reply(status, body, {"content-type": "application/json", **headers}, records, write)


Handler = Callable[..., Reply]


# --- faults ------------------------------------------------------------------------------------------------------------
FaultName = Literal[
    "429",  # too many calls, with Retry-After
    "429-bare",  # too many calls, no hint when to come back
    "500",
    "503",
    "reset",  # the connection is cut before anything is done
    "late",  # the system acts, then the answer never comes
    "cut",  # the body ends half-way
    "html",  # an HTML page with status 200
    "expired",  # every token given out so far is dead
    "partial",  # a batch in which every second row is refused (the sandbox's handlers look at `faults.partial`)
]
FAULTS: tuple[FaultName, ...] = (
    "429", "429-bare", "500", "503", "reset", "late", "cut", "html", "expired", "partial",
)  # fmt: skip


@dataclass
class Planned:
    """A fault that will happen on the calls it matches, `times` times, after letting `skip` matching calls through."""

    name: FaultName
    times: int = 1
    skip: int = 0
    match: str = ""  # a pattern searched in "METHOD /path"


class Faults:
    """What is going to go wrong. `partial` is true while a handler answers a call that must refuse half its rows."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []
        self.happened: list[str] = []
        self._lock = threading.Lock()
        self._local = threading.local()

    def plan(self, name: FaultName, *, times: int = 1, skip: int = 0, match: str = "") -> None:
        """Let `name` happen `times` times on calls whose "METHOD /path" matches, after `skip` of them went well."""
        self.planned.append(Planned(name, times, skip, match))

    @property
    def partial(self) -> bool:
        return bool(getattr(self._local, "partial", False))

    def take(self, request: Request) -> FaultName | None:
        """The fault that happens on this call, if any."""
        with self._lock:
            for plan in self.planned:
                if plan.times and re.search(plan.match, f"{request.method} {request.path}"):
                    if plan.skip:
                        plan.skip -= 1
                        continue
                    plan.times -= 1
                    self.happened.append(plan.name)
                    return plan.name
        return None

    @contextlib.contextmanager
    def as_partial(self, on: bool) -> Iterator[None]:
        self._local.partial = on
        try:
            yield
        finally:
            self._local.partial = False


# --- state -------------------------------------------------------------------------------------------------------------
class Shelf:
    """The sandbox's objects: JSON values by kind and id, in a file of its own or in memory; written at once."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.execute("create table if not exists thing (kind text, id text, value text, primary key (kind, id)) without rowid")

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Several changes as one; nobody else reads or writes meanwhile. May be nested."""
        with self._lock:
            nested = self._db.in_transaction
            if not nested:
                self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                if not nested:
                    self._db.execute("rollback")
                raise
            if not nested:
                self._db.execute("commit")

    def put(self, kind: str, key: str, value: Any) -> None:
        with self._lock:
            text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False)
            self._db.execute("insert or replace into thing values (?, ?, ?)", (kind, key, text))

    def get(self, kind: str, key: str) -> Any | None:
        with self._lock:
            row = self._db.execute("select value from thing where kind = ? and id = ?", (kind, key)).fetchone()
        return stdjson.loads(row[0], parse_float=Decimal) if row else None

    def drop(self, kind: str, key: str) -> bool:
        with self._lock:
            return self._db.execute("delete from thing where kind = ? and id = ?", (kind, key)).rowcount > 0

    def all(self, kind: str) -> list[Any]:
        """Every object of a kind, by id."""
        with self._lock:
            rows = self._db.execute("select value from thing where kind = ? order by id", (kind,)).fetchall()
        return [stdjson.loads(r[0], parse_float=Decimal) for r in rows]

    def count(self, kind: str) -> int:
        with self._lock:
            return int(self._db.execute("select count(*) from thing where kind = ?", (kind,)).fetchone()[0])

    def next(self, name: str, first: int = 1) -> int:
        """The next number of a named series."""
        with self.together():
            value = int(self.get("~series", name) or first)
            self.put("~series", name, value + 1)
            return value


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the call log."""

    at: str
    method: str
    path: str
    status: int
    records: int
    write: bool = False
    fault: str = ""


# --- the sandbox ---------------------------------------------------------------------------------------------------------
class Sandbox:
    """An imitation of one product's API. A subclass fills `routes()` and, on an empty shelf, `stock()`."""

    name = "sandbox"

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.faults = Faults()
        self.calls: list[Call] = []
        self._log_lock = threading.Lock()
        if options.data:
            options.data.mkdir(parents=True, exist_ok=True)
        self.shelf = Shelf(options.data / "state.db" if options.data else None)
        self._routes = [(m, re.compile(p + r"\Z"), h) for m, p, h in self.routes()]
        if not self.shelf.get("~meta", "stocked"):
            with self.shelf.together():
                self.stock()
                self.shelf.put("~meta", "stocked", True)

    # what a subclass provides
    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """(method, pattern of the whole path, handler(request, *groups)) in the order in which they are tried."""
        raise NotImplementedError

    def stock(self) -> None:
        """Fill an empty shelf."""

    def expire(self) -> None:
        """Make every token given out so far dead (fault "expired")."""

    def unknown(self, request: Request) -> Reply:
        """What the product answers for a path it does not know."""
        return Reply.json({"error": "not found"}, 404)

    def credentials(self) -> Mapping[str, str]:
        """Secrets that work here, printed at start."""
        return {}

    # answering
    def answer(self, request: Request) -> tuple[Reply, FaultName | None]:
        """The reply to one call, after its faults, logged. The transport acts out `reset`, `late` and `cut`."""
        fault = self.faults.take(request)
        if fault in ("429", "429-bare"):
            reply = self.too_many(1.0 if fault == "429" else None)
        elif fault in ("500", "503"):
            reply = Reply(int(fault), b"server error", {"content-type": "text/plain"})
        elif fault == "reset":
            reply = Reply(0)
        elif fault == "html":
            reply = Reply(200, b"<html><body>Maintenance</body></html>", {"content-type": "text/html"})
        else:
            if fault == "expired":
                self.expire()
            with self.faults.as_partial(fault == "partial"):
                reply = self._route(request)
        self._note(request, reply, fault)
        return reply, fault

    def too_many(self, retry_after: float | None) -> Reply:
        """How the product says "too many calls"."""
        return Reply(429, b"", {"retry-after": str(int(retry_after))} if retry_after is not None else {})

    def _route(self, request: Request) -> Reply:
        for method, pattern, handler in self._routes:
            if method in (request.method, "*") and (found := pattern.match(request.path)):
                with self.shelf.together():
                    return handler(request, *found.groups())
        return self.unknown(request)

    def _note(self, request: Request, reply: Reply, fault: FaultName | None) -> None:
        call = Call(
            dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            request.method,
            request.path,
            reply.status,
            reply.records,
            reply.write,
            fault or "",
        )
        with self._log_lock:
            self.calls.append(call)
            if self.options.data:
                line = {k: getattr(call, k) for k in ("at", "method", "path", "status", "records", "write", "fault")}
                with (self.options.data / "calls.jsonl").open("a", encoding="utf-8") as log:
                    log.write(stdjson.dumps(line) + "\n")

    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return [c for c in self.calls if c.write]

    # in process
    @contextlib.contextmanager
    def mounted(self, base_url: str) -> Iterator[str]:
        """Answers calls of this process to `base_url` without a socket, behind `responses`."""
        import requests
        import responses

        def callback(prepared: Any) -> Any:
            parts = urlsplit(prepared.url)
            body = prepared.body or b""
            request = Request(
                prepared.method,
                parts.path,
                {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
                {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in prepared.headers.items()},
                body.encode() if isinstance(body, str) else bytes(body),
                base_url,
            )
            reply, fault = self.answer(request)
            if fault == "reset":
                return requests.exceptions.ConnectionError("connection reset by peer")
            if fault == "late":
                return requests.exceptions.ReadTimeout("read timed out")
            content = reply.body[: len(reply.body) // 2] if fault == "cut" else reply.body
            return (reply.status, dict(reply.headers), content)

        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
                mock.add_callback(
                    method,
                    re.compile(re.escape(base_url) + r"(/.*)?(\?.*)?$"),
                    callback=lambda p: _raise_or(callback(p)),
                    content_type=None,
                )
            yield base_url

    # over a socket
    @contextlib.contextmanager
    def served(self, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
        """Answers on a real socket in a background thread; gives the base URL."""
        server = _Server((host, port), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


def _raise_or(result: Any) -> Any:
    if isinstance(result, Exception):
        raise result
    return result


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else b""
            parts = urlsplit(self.path)
            host, port = self.server.server_address[:2]
            request = Request(
                self.command,
                parts.path,
                {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
                {k.lower(): v for k, v in self.headers.items()},
                body,
                f"http://{host!s}:{port}",
            )
            reply, fault = sandbox.answer(request)
            if fault in ("reset", "late"):
                # RST: to the client the connection dies; with "late" the sandbox has already acted.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status not in (204, 304):
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if fault == "cut":
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.close_connection = True
            elif reply.status not in (204, 304) and self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

    return Handling
