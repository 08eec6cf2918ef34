"""The panel in a real browser, inside a page that imitates a CRM's on another site: framed by whom it may be, by nobody else;
narrow, dark, in both languages; a release asked for by keyboard; no cookie, no request elsewhere, no fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config_service import ServiceSettings
from connector.store.db import Store
from connector.web.front import Front
from tests.browser.conftest import Shoot, Site, faults, serving, told
from tests.web.calling import free_port
from tests.web.crm_frame import BEFORE, OTHER, SECRET, Frame, filled, framed

CRM_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>CRM</title><style>
body {{ margin: 0; font: 14px system-ui, "Noto Sans CJK SC", sans-serif; background: {paper}; color: {ink}; }}
.top {{ background: #1d3b6f; color: #fff; padding: 10px 16px; display: flex; gap: 20px; }}
.body {{ display: grid; grid-template-columns: minmax(0, 1fr) 344px; gap: 16px; padding: 16px; }}
.box {{ background: {card}; border: 1px solid {line}; border-radius: 6px; padding: 12px; }}
dl {{ display: grid; grid-template-columns: 110px 1fr; gap: 8px; margin: 0; }} dt {{ opacity: 0.7; }} dd {{ margin: 0; }}
h1 {{ font-size: 18px; margin: 0 0 12px; }} h2 {{ font-size: 14px; margin: 0 0 8px; }}
iframe {{ width: 100%; height: 900px; border: 0; }}
@media (max-width: 700px) {{ .body {{ grid-template-columns: minmax(0, 1fr); padding: 8px; }} }}
</style></head><body><div class="top"><b>CRM</b><span>{home}</span><span>{accounts}</span></div><div class="body">
<div class="box"><h1>{name}</h1><dl><dt>{owner}</dt><dd>{who}</dd><dt>{phone}</dt><dd>021-5555 0000</dd><dt>{trade}</dt><dd>{machines}</dd></dl></div>
<div class="box"><h2>{title}</h2><iframe title="{title}" src="{url}" referrerpolicy="no-referrer"></iframe></div></div></body></html>"""
WORDS = {
    "en": {"lang": "en", "home": "Home", "accounts": "Accounts", "name": "Huadong Machinery", "owner": "Owner", "who": "Chen Jie",
           "phone": "Phone", "trade": "Industry", "machines": "Machines", "title": "Credit"},
    "zh": {"lang": "zh-CN", "home": "首页", "accounts": "客户", "name": "华东机械", "owner": "负责人", "who": "陈洁",
           "phone": "电话", "trade": "行业", "machines": "机械制造", "title": "信用"},
}  # fmt: skip
COLOURS = {
    "light": {"paper": "#f2f4f8", "ink": "#1c2333", "card": "#ffffff", "line": "#d8dde6"},
    "dark": {"paper": "#171a21", "ink": "#e6e9f0", "card": "#20242d", "line": "#333a47"},
}


@contextmanager
def pages(port: int) -> Iterator[dict[str, str]]:
    """A site of somebody else's: its pages by path, on a port of its own. Called by `localhost`, it is another site than
    the service, which is called by its number."""
    found: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Crm:
    """The CRM's pages at `url`, its server-side code, and a browser in front of it."""

    url: str
    pages: dict[str, str]
    site: Site
    frame: Frame
    said: list[str] = field(default_factory=list)

    def browse(self, width: int = 900, language: str = "en", scheme: str = "light", **more: Any) -> Any:
        context = self.site.browser.new_context(
            viewport={"width": width, "height": 1060},  # all of the page: it is not resized for a picture
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="zh-CN" if language == "zh" else "en-GB",
            **more,
        )
        self.site.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda wrong: self.said.append(str(wrong)))
        page.on("request", self._asked)
        return page

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.site.url, self.url, "data:", "about:", "chrome-error:")):
            self.said.append(f"asked elsewhere: {request.url}")

    def address(self, **said: str) -> str:
        """What the CRM's server-side code was given for one look."""
        answer = self.frame.launch(nonce=f"{id(said)}-{len(self.pages)}-{self.frame.code()}", **said)
        assert answer.status_code == 200, answer.text
        url = str(answer.json()["url"])
        assert url.startswith(self.site.url)
        return url

    def record(self, language: str = "en", scheme: str = "light", **said: str) -> str:
        """The address of a page of the CRM with the panel in it."""
        path = f"/{len(self.pages)}"
        self.pages[path] = CRM_PAGE.format(**WORDS[language], **COLOURS[scheme], url=self.address(**said))
        return self.url + path


@contextmanager
def working(chromium: Any, folder: Path) -> Iterator[Crm]:
    port, own = free_port(), free_port()
    settings = framed(folder, frame_ancestors=(f"http://localhost:{port}",))
    settings = settings.model_copy(update={"service": ServiceSettings()})  # type: ignore[call-arg]
    store = Store.open(f"sqlite:///{folder / 'panel.db'}")
    with pytest.MonkeyPatch.context() as patch, pages(port) as served:
        for name, value in {"PANEL": SECRET, "PANEL_BEFORE": BEFORE, "PANEL_OTHER": OTHER}.items():
            patch.setenv(name, value)
        shop = filled(store, settings)
        for site in serving(Front(store, settings, shop.clock), own, chromium):
            with httpx.Client(base_url=site.url) as client:
                yield Crm(f"http://localhost:{port}", served, site, Frame(client, shop))  # type: ignore[arg-type]
    store.close()


@pytest.fixture
def crm(chromium: Any, tmp_path: Path) -> Iterator[Crm]:
    """For those who do something."""
    with working(chromium, tmp_path) as made:
        yield made
        assert made.said == []


@pytest.fixture(scope="module")
def one_crm(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    with working(chromium, tmp_path_factory.mktemp("panel")) as made:
        yield made


@pytest.fixture
def looked_at(one_crm: Crm) -> Iterator[Crm]:
    """For those who only look: the same for all of them."""
    yield one_crm
    assert one_crm.said == []


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
def test_a_release_is_asked_for_inside_the_crm_by_keyboard(crm: Crm, shoot: Shoot, language: str, scheme: str) -> None:
    page = crm.browse(900, language, scheme)
    page.goto(crm.record(language, scheme))
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", level=1).wait_for()
    assert inside.get_by_role("heading", level=1).inner_text().endswith("On hold" if language == "en" else "信用冻结")
    shoot(page, f"panel-in-crm-{scheme}-{language}")
    # From the first thing that can be reached to the form, and through it.
    ask = "Ask for release" if language == "en" else "申请放行"
    for _ in range(12):
        page.keyboard.press("Tab")
        if ask in (inside.locator(":focus").all_inner_texts() or [""])[0]:
            break
    else:
        raise AssertionError("the button cannot be reached by keyboard")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("They pay on Friday")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    inside.get_by_role("status").first.wait_for()
    assert ("is asked for" if language == "en" else "已申请放行") in inside.get_by_role("status").first.inner_text()
    assert crm.frame.shop.states()["SO1"] == "requested"
    inside.locator("body").evaluate(
        "() => new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))"
    )
    shoot(page, f"panel-in-crm-asked-{scheme}-{language}")
    inside.get_by_role("button", name="Refresh" if language == "en" else "刷新").click()
    inside.get_by_text("You asked for it" if language == "en" else "您已申请").first.wait_for()
    assert crm.frame.shop.happened("SO1").count("requested") == 1
    assert page.context.cookies() == [], "no cookie was set"


def test_the_browser_refuses_pages_that_may_not_frame_it(looked_at: Crm) -> None:
    crm, port = looked_at, free_port()
    with pages(port) as foreign:
        page = crm.browse()
        foreign["/"] = CRM_PAGE.format(**WORDS["en"], **COLOURS["light"], url=crm.address())
        page.goto(f"http://localhost:{port}/")
        assert told(page, crm.said, "frame-ancestors"), crm.said
        assert "70,000.50" not in "".join(frame.content() for frame in page.frames if frame != page.main_frame)
    crm.said.clear()


def test_what_was_framed_twice_is_refused_too(looked_at: Crm) -> None:
    crm, port = looked_at, free_port()
    with pages(port) as foreign:
        foreign["/"] = (
            f'<!doctype html><link rel="icon" href="data:,"><title>x</title><iframe src="{crm.record()}"></iframe>'
        )
        page = crm.browse()
        page.goto(f"http://localhost:{port}/")
        assert told(page, crm.said, "frame-ancestors"), crm.said
        assert "70,000.50" not in "".join(frame.content() for frame in page.frames[1:])
    crm.said.clear()


def test_an_address_opens_once_and_the_rest_says_what_to_do(looked_at: Crm, shoot: Shoot) -> None:
    crm = looked_at
    page, address = crm.browse(320, "zh"), crm.address()
    page.goto(address)
    assert page.get_by_text("信用冻结").first.is_visible()
    page.goto(address)
    assert page.get_by_text("请重新打开该记录").is_visible()
    shoot(page, "panel-over-zh")
    crm.said.clear()  # a browser tells of the 403


STATES: dict[str, dict[str, str]] = {
    "held": {"record_id": "A1"},
    "order": {"object": "Sales_Orders", "record_id": "Z1"},
    "good": {"record_id": "A2"},
    "reduced": {"crm_user": "5009"},
    "not-linked": {"record_id": "A3"},
}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_state_has_a_fault_at_any_width(
    looked_at: Crm, shoot: Shoot, width: int, language: str, scheme: str
) -> None:
    crm = looked_at
    for name, said in STATES.items():
        page = crm.browse(width, language, scheme)
        page.goto(crm.address(**said))
        shoot(page, f"panel-{name}-{width}-{scheme}-{language}")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if width != 768:  # between the two nothing is of another making
            assert faults(page) == [], name
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than its frame"
        page.context.close()


def test_everything_is_read_and_asked_for_without_script(crm: Crm) -> None:
    page = crm.browse(320, java_script_enabled=False)
    page.goto(crm.record())
    inside = page.frame_locator("iframe")
    assert inside.get_by_text("41 days").first.is_visible()
    page.goto(crm.record(record_id="A2"))
    inside.get_by_text("Ask for a limit").click()
    inside.get_by_label("Amount in CNY").fill("250000")
    inside.locator("#why-limit").fill("They double their orders")
    inside.get_by_role("button", name="Send request").last.click()
    inside.get_by_text("A limit of CNY 250,000.00 is asked for").wait_for()


def test_a_form_that_is_clicked_twice_is_sent_once(crm: Crm) -> None:
    page = crm.browse(320)
    page.goto(crm.address())
    page.get_by_text("Ask for release").first.click()
    page.locator("#why-1").fill("They pay on Friday")
    page.get_by_role("button", name="Send request").first.dblclick()
    page.get_by_role("status").first.wait_for()
    assert crm.frame.shop.happened("SO1").count("requested") == 1
