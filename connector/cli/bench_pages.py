"""Goal P14: every page of the desk and the console, from the request to the bytes of the page, at the size of the book.

As the service does it: what is made once is made before, and nothing that stays is looked through for rings of objects.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import SYSTEM, Scene
from connector.clock import day_in
from connector.text import Text

if TYPE_CHECKING:
    from connector.web.front import Front

_VISITS, _MANY_VISITS = 20, 40
_LIMIT_MS = 300
_TABS = ("", "?tab=documents", "?tab=orders", "?tab=file", "?tab=score", "?tab=warnings", "?tab=papers", "?tab=changes")
_PAGES = (
    "/desk",
    "/desk/orders",
    "/desk/orders?show=mine",
    "/desk/orders?show=all&sort=-total",
    "/desk/customers",
    "/desk/customers?sort=-overdue",
    "/desk/customers?q=co",
    "/desk/limits",
    "/desk/limits?show=all&sort=-amount",
    "/desk/limits?show=ending",
    "/desk/limits/new",
    "/desk/collection",
    "/desk/reviews",
    "/desk/portfolio",
    "/desk/portfolio/charts/ageing.svg",
    "/desk/simulator",
    "/admin/first-steps",
    "/admin/systems",
    f"/admin/systems/{SYSTEM}",
    f"/admin/mappings/{SYSTEM}",
    "/admin/links",
    "/admin/runs",
    "/admin/problems",
    "/admin/outbox",
    "/admin/people",
    "/admin/health",
    "/admin/policy",
    "/admin/policy/history",
    "/admin/audit",
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One page that was asked for, in milliseconds: of CPU, and by the clock on the wall."""

    cpu: float
    wall: float


def pages(scene: Scene) -> Row:
    """P14: the slowest page, by the visit that is the slowest in twenty. Customers are drawn as their documents are: one
    with many is looked at often. The portfolio is worked out before, as the service does it, in a process of its own."""
    from connector.store import decisions
    from connector.web.app import make
    from connector.web.front import Front

    with scene.store.reading() as tx:
        judged = bool(decisions.in_force_of_all(tx, scene.book.as_of))
    if not judged:
        scene.evaluate(full=True)
    worked = _portfolio(scene)
    front = Front(scene.store, scene.config, scene.clock)
    app = make(front)
    try:
        cookie = _signed_in(scene, front)
        with _serving(front):
            found = asyncio.run(_measured(scene, app, cookie))
    finally:
        front.close()
    slow = {name: percentile([one.cpu for one in visits], 95) for name, visits in found.items()}
    worst = sorted(slow, key=lambda name: -slow[name])
    said = ", ".join(f"{name} {slow[name]:.0f}" for name in worst[:3])
    return Row(
        "P14",
        Text("the slowest of all pages, p95", "最慢的页面，p95"),
        _LIMIT_MS,
        unit="ms",
        ours=slow[worst[0]],
        figure=slow[worst[0]],
        why=Text(f"{len(slow)} pages; {said}", f"{len(slow)} 个页面；{said}"),
        detail={"pages": [_told(name, found[name]) for name in worst], "portfolio_cpu_s": worked},
    )


def percentile(spent: Sequence[float], percent: int) -> float:
    """The figure that so many in a hundred do not exceed."""
    return sorted(spent)[min(len(spent) * percent // 100, len(spent) - 1)]


def _told(name: str, visits: Sequence[Visit]) -> dict[str, Any]:
    cpu, wall = [one.cpu for one in visits], [one.wall for one in visits]
    return {
        "page": name,
        "cpu_p50_ms": round(percentile(cpu, 50), 1),
        "cpu_p95_ms": round(percentile(cpu, 95), 1),
        "wall_p50_ms": round(percentile(wall, 50), 1),
        "wall_p95_ms": round(percentile(wall, 95), 1),
        "limit_ms": _LIMIT_MS,
        "met": percentile(cpu, 95) <= _LIMIT_MS,
    }


def _portfolio(scene: Scene) -> float | None:
    """CPU seconds that the portfolio of the day takes; None where a kept book has it already."""
    from jobs import calculate, portfolio_kept

    now = scene.clock.now()
    with scene.store.writing() as tx:
        portfolio_kept.ask(tx, day_in(now, scene.config.business.time_zone), "person:bench", now)
    seconds, count = scene.spent(lambda: calculate.work(scene.store, scene.config, scene.clock))
    return round(seconds, 2) if count else None


def _signed_in(scene: Scene, front: Front) -> str:
    from connector.config_people import ALL_ROLES
    from connector.store import sessions
    from connector.web.session import cookie_name

    with scene.store.writing() as tx:
        token = sessions.begin(tx, "bench", tuple(sorted(ALL_ROLES)), "code", scene.clock.now())
    return f"{cookie_name(front)}={token}"


@contextmanager
def _serving(front: Front) -> Iterator[None]:
    """The process as the service has it once it has begun."""
    from connector.web.server import settled

    front.ready()
    usual = gc.get_threshold(), sys.getswitchinterval()
    settled()
    try:
        yield
    finally:
        gc.set_threshold(*usual[0])
        sys.setswitchinterval(usual[1])
        gc.unfreeze()


def _visits(scene: Scene) -> Iterator[tuple[str, list[str]]]:
    """The pages by name, and the addresses that are asked for."""
    from connector.store import order_list
    from connector.store.order_list import Filter

    many = _VISITS if scene.book.documents < 500_000 else _MANY_VISITS
    for page in _PAGES:
        yield page, [page] * many
    drawn = [one.customer_id for one in scene.book.changed(max(200, many), -1)]
    refs = Random(scene.book.seed).sample(drawn, min(many, len(drawn)))  # noqa: S311
    with scene.store.reading() as tx:
        lines, _ = order_list.lines(tx, Filter(), sort="order", most=many)
    yield f"/desk/orders/{SYSTEM}/…", [f"/desk/orders/{SYSTEM}/{quote(one.ref, safe='')}" for one in lines]
    for tab in _TABS:
        yield f"/desk/customers/{SYSTEM}/…{tab}", [f"/desk/customers/{SYSTEM}/{quote(r, safe='')}{tab}" for r in refs]


async def _measured(scene: Scene, app: Any, cookie: str) -> dict[str, list[Visit]]:
    found: dict[str, list[Visit]] = defaultdict(list)
    for name, addresses in _visits(scene):
        await _asked(app, addresses[0], cookie)  # a statement is compiled once in a process
        for address in addresses:
            server, own, clock = scene.places.server_seconds(), time.process_time(), time.perf_counter()
            status = await _asked(app, address, cookie)
            wall, own = time.perf_counter() - clock, time.process_time() - own
            if status != 200:
                raise Different("P14", f"{address}: {status}")
            found[name].append(Visit((own + scene.places.server_seconds() - server) * 1000, wall * 1000))
    return found


async def _asked(app: Any, address: str, cookie: str) -> int:
    """A page, asked for in process; gives its status once the last byte has come."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"bench"), (b"accept", b"text/html"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
    }
    status = 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])

    await app(scope, receive, send)
    return status
