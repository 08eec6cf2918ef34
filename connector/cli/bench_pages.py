"""Goal P14: every page of the desk and the console, from the request to the bytes of the page, at the size of the book."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from random import Random
from typing import Any
from urllib.parse import quote

from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import SYSTEM, Scene
from connector.text import Text

_VISITS = 20
_LIMIT_MS = 300
_TABS = ("", "?tab=documents", "?tab=orders", "?tab=file", "?tab=score", "?tab=warnings", "?tab=papers", "?tab=changes")
_PAGES = (
    "/desk",
    "/desk/orders",
    "/desk/orders?view=all",
    "/desk/customers",
    "/desk/customers?sort=-overdue",
    "/desk/customers?q=co",
    "/desk/limits",
    "/desk/collection",
    "/desk/reviews",
    "/desk/portfolio",
    "/admin/runs",
    "/admin/problems",
    "/admin/outbox",
    "/admin/links",
    "/admin/people",
    "/admin/health",
    "/admin/policy",
    "/admin/audit",
)


def pages(scene: Scene) -> Row:
    """P14: the slowest page, by the visit that is the slowest in twenty. Customers are drawn as orders are."""
    from connector.config_people import ALL_ROLES
    from connector.store import decisions, sessions
    from connector.web.app import make
    from connector.web.front import Front
    from connector.web.session import cookie_name

    with scene.store.reading() as tx:
        judged = bool(decisions.in_force_of_all(tx, scene.book.as_of))
    if not judged:
        scene.evaluate(full=True)
    drawn = sorted(dict.fromkeys(one.customer_id for one in scene.book.changed(200, -1)))
    refs = Random(scene.book.seed).sample(drawn, min(_VISITS, len(drawn)))  # noqa: S311
    front = Front(scene.store, scene.config, scene.clock)
    with scene.store.writing() as tx:
        token = sessions.begin(tx, "bench", tuple(sorted(ALL_ROLES)), "code", scene.clock.now())
    visits = [[page] * _VISITS for page in _PAGES]
    visits += [[f"/desk/customers/{SYSTEM}/{quote(ref, safe='')}{tab}" for ref in refs] for tab in _TABS]
    app = make(front)
    cookie = f"{cookie_name(front)}={token}"

    async def measured() -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for several in visits:
            name = several[0] if several[0] in _PAGES else several[0].replace(quote(refs[0], safe=""), "…")
            await _asked(app, several[0], cookie)  # what is made once is made
            for address in several:
                server, own = scene.places.server_seconds(), time.process_time()
                status = await _asked(app, address, cookie)
                if status != 200:
                    raise Different("P14", f"{address}: {status}")
                spent = time.process_time() - own + scene.places.server_seconds() - server
                found.setdefault(name, []).append(spent * 1000)
        return found

    try:
        found = asyncio.run(measured())
    finally:
        front.close()
    slow = {name: sorted(spent)[len(spent) * 95 // 100] for name, spent in found.items()}
    worst = sorted(slow, key=lambda name: -slow[name])
    said = ", ".join(f"{name} {slow[name]:.0f}" for name in worst[:5])
    return Row(
        "P14",
        Text("the slowest of all pages, p95", "最慢的页面，p95"),
        _LIMIT_MS,
        unit="ms",
        ours=slow[worst[0]],
        figure=slow[worst[0]],
        why=Text(f"{len(slow)} pages; {said}", f"{len(slow)} 个页面；{said}"),
        detail={"pages": {name: round(slow[name], 1) for name in worst}},
    )


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
