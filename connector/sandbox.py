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
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from connector.sandbox_call import Call, Reply, Request
from connector.sandbox_faults import FAULTS, FaultName, Faults, Planned
from connector.sandbox_shelf import Shelf
from connector.sandbox_wire import mounted, served

__all__ = [
    "FAULTS",
    "RESERVED",
    "Call",
    "FaultName",
    "Faults",
    "Handler",
    "Planned",
    "Reply",
    "Request",
    "Sandbox",
    "SandboxOptions",
    "Shelf",
]

RESERVED = "/~sandbox/"  # paths for whoever plays with a sandbox from another process; not the product's, not logged


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


Handler = Callable[..., Reply]


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
        """(method, pattern of the whole path, handler(request, *groups)) in the order in which they are tried; what none of
        them fits is answered by `unknown`."""
        return ()

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
        if request.path.startswith(RESERVED):
            return self._from_outside(request), None
        fault = self.faults.take(request.method, request.path)
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

    def _from_outside(self, request: Request) -> Reply:
        """The reserved paths: another process plans faults, reads the call log, looks at and changes what is kept.

        `POST /~sandbox/faults` plans one (members as in `Faults.plan`), GET shows planned and happened, DELETE clears;
        `GET /~sandbox/calls` is the log since the start or the last DELETE; `GET /~sandbox/things/KIND` are the objects
        of a kind, by id.
        """
        what, _, kind = request.path.removeprefix(RESERVED).partition("/")
        match (request.method, what):
            case ("POST", "faults"):
                try:
                    plan: Any = dict(request.json())
                    self.faults.plan(**plan)
                except (TypeError, ValueError, AttributeError) as wrong:
                    return Reply.json({"error": str(wrong)}, 400)
                return Reply.json({"planned": len(self.faults.planned)}, 201)
            case ("GET", "faults"):
                left = [{"name": p.name, "times": p.times, "match": p.match} for p in self.faults.planned if p.times]
                return Reply.json({"planned": left, "happened": list(self.faults.happened)})
            case ("DELETE", "faults"):
                self.faults.clear()
                return Reply(204)
            case ("GET", "calls"):
                return Reply.json([asdict(c) for c in list(self.calls)])
            case ("DELETE", "calls"):
                with self._log_lock:
                    self.calls.clear()
                return Reply(204)
            case ("GET", "things") if kind:
                return Reply.json(self.shelf.by_id(kind))
        return Reply.json({"error": "no such path", "paths": ["faults", "calls", "things/KIND"]}, 404)

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
                with (self.options.data / "calls.jsonl").open("a", encoding="utf-8") as lines:
                    lines.write(stdjson.dumps(asdict(call)) + "\n")

    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return [c for c in self.calls if c.write]

    # reaching
    def mounted(self, base_url: str) -> contextlib.AbstractContextManager[str]:
        """Answers calls of this process to `base_url` without a socket, behind `responses`. Several may be mounted."""
        return mounted(self, base_url)

    def served(self, port: int = 0, host: str = "127.0.0.1") -> contextlib.AbstractContextManager[str]:
        """Answers on a real socket in a background thread; gives the base URL."""
        return served(self, port, host)
