"""A real browser before our own pages: chromium, the service on a port of its own, pictures of what was seen.

Pictures go to build/screenshots (HOLDFAST_SCREENSHOTS, `off`: none are taken): they are for people to look at, and never
compared by machine.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from connector.store import sessions
from connector.store.db import Store
from connector.web.app import make
from connector.web.front import Front
from tests.jobs.shop import Shop, config
from tests.web.calling import free_port

SHOTS = Path(os.environ.get("HOLDFAST_SCREENSHOTS") or Path(__file__).parents[2] / "build" / "screenshots")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
# As much of a long page as tells how it looks: the rows further down are of the same making.
_TALL = 3000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser. Skips where none is installed: Debian's package `chromium`."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Site:
    """The service at `url`, and whatever a browser complained of or asked elsewhere for."""

    url: str
    front: Front
    browser: Any
    complaints: list[str] = field(default_factory=list)
    contexts: list[Any] = field(default_factory=list)

    def visit(
        self, person: str | None, language: str = "en", size: str = "desktop", scheme: str = "light", **more: Any
    ) -> Any:
        """A page in a browser of its own, in which a person has signed in (None: nobody)."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",  # axe does not see a colour on its way
            locale="zh-CN" if language == "zh" else "en-GB",
            base_url=self.url,
            **more,
        )
        self.contexts.append(context)
        if person is not None:
            with self.front.store.writing() as tx:
                token = sessions.begin(tx, person, (), "password", self.front.clock.now())
            context.add_cookies([{"name": "holdfast", "value": token, "url": self.url, "httpOnly": True}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self._console)
        page.on("pageerror", lambda wrong: self.complaints.append(f"script: {wrong}"))
        page.on("request", self._request)
        return page

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:", "about:")):
            self.complaints.append(f"asked elsewhere: {request.url}")


@pytest.fixture(scope="module")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service for a small company on SQLite; at the end nothing may have been complained of."""
    folder = tmp_path_factory.mktemp("site")
    store = Store.open(f"sqlite:///{folder / 'browser.db'}")
    shop = Shop(store, config(folder))
    yield from serving(Front(store, shop.config, shop.clock), free_port(), chromium)
    store.close()


def serving(front: Front, port: int, chromium: Any) -> Iterator[Site]:
    """The service on a port, for as long as the test takes."""
    server = uvicorn.Server(uvicorn.Config(make(front), port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(1000):
        if server.started:
            break
        time.sleep(0.02)
    assert server.started
    made = Site(f"http://127.0.0.1:{port}", front, chromium)
    try:
        yield made
        assert made.complaints == []
    finally:
        for context in made.contexts:
            context.close()
        server.should_exit = True
        thread.join(10)


Shoot = Callable[[Any, str], None]


@pytest.fixture(scope="session")
def shoot() -> Shoot:
    """Keeps a picture of a page, as a person would see it who reads on; pictures in it that wait to be seen are fetched."""
    if SHOTS.name == "off":
        return lambda _page, _name: None
    SHOTS.mkdir(parents=True, exist_ok=True)

    def shoot(page: Any, name: str) -> None:
        high, wide = page.evaluate(_PICTURED)
        part = {"x": 0, "y": 0, "width": wide, "height": min(high, _TALL)}
        page.screenshot(path=str(SHOTS / (re.sub(r"[^\w.-]", "_", name) + ".png")), full_page=True, clip=part)

    return shoot


_PICTURED = """async () => {
  const late = [...document.querySelectorAll("img[loading=lazy]")];
  await Promise.all(late.map(one => { one.loading = "eager"; return one.decode().catch(() => {}); }));
  return [document.documentElement.scrollHeight, document.documentElement.clientWidth];
}"""


def faults(page: Any) -> list[str]:
    """What axe-core finds wrong with a page, serious and critical faults only: rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    # The policy of our pages forbids scripts in a page: axe comes in through the browser's own door.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {', '.join(' '.join(node['target']) for node in one['nodes'][:5])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def told(page: Any, said: list[str], words: str) -> bool:
    """Whether the browser has said so, which it may do a little later."""
    for _ in range(400):
        if any(words in line for line in said):
            return True
        page.wait_for_timeout(25)
    return False
