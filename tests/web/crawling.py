"""A browser that walks through all pages: the links and forms of each, and which route each of them leads to."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from connector.web.auth import doors
from tests.web.visiting import Browser

# Pages of one route that are looked at: they differ by what they show only.
_EACH = 8


@dataclass
class Form:
    """A form of a page: where it goes, its fields with what stands in them, the values that its selects and buttons offer."""

    page: str
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    offered: list[tuple[str, str]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The fields and buttons, each once, without the token."""
        return list(dict.fromkeys(n for n, _ in (*self.fields, *self.offered) if n != "csrf"))


class Page(HTMLParser):
    """The links and forms of a page, and what no page of ours has."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address = address
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.odd: list[str] = []
        self._open: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._select: str | None = None
        self._area: tuple[Form, str] | None = None
        self._written = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        self.odd += [f"<{tag} {name}>" for name in had if name.startswith("on") or name in ("style", "srcdoc")]
        for name in ("href", "src", "action", "formaction"):
            address = had.get(name, "")
            if address.strip().lower().startswith(("javascript:", "vbscript:", "data:text", "//", "/\\")):
                self.odd.append(f"<{tag} {name}={address[:60]}>")
        if tag == "script" and not had.get("src", "").startswith("/static/"):
            self.odd.append("<script>")
        if tag in ("iframe", "object", "embed", "base", "math"):
            self.odd.append(f"<{tag}>")
        if tag == "img" and not had.get("src", "").startswith(("/", "data:image/")):
            self.odd.append(f"<img {had.get('src')}>")
        if tag == "a" and "href" in had:
            self.links.append(urljoin(self.address, had["href"]))
        if tag == "form":
            action = urljoin(self.address, had.get("action") or self.address)
            self._open = Form(self.address, had.get("method", "get").upper(), action)
            self.forms.append(self._open)
            if "data-check" in had:
                to = urljoin(self.address, had["data-check"])
                self.forms.append(Form(self.address, "POST", to, self._open.fields, self._open.offered))
            if "id" in had:
                self._by_id[had["id"]] = self._open
        form = self._by_id.get(had["form"]) if "form" in had else self._open
        if form is None:
            return
        name = had.get("name", "")
        if tag == "button" and "formaction" in had:
            # A button that sends the same fields to another address: a form of its own.
            self.forms.append(
                Form(self.address, form.method, urljoin(self.address, had["formaction"]), form.fields, form.offered)
            )
        if not name and tag != "option":
            return
        if tag == "button" or (tag == "input" and had.get("type") in ("radio", "checkbox", "submit")):
            form.offered.append((name, had.get("value", "on")))
        elif tag == "input" and had.get("type") != "file":
            form.fields.append((name, had.get("value", "")))
        elif tag == "select":
            self._select = name
            form.fields.append((name, ""))
        elif tag == "option" and self._select is not None:
            form.offered.append((self._select, had.get("value", "")))
        elif tag == "textarea":
            self._area, self._written = (form, name), ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._area is not None:
            form, name = self._area
            form.fields.append((name, self._written))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._written += data


@dataclass
class Site:
    """What was found: addresses by route, and forms by the route they go to."""

    pages: dict[str, list[str]] = field(default_factory=dict)
    forms: dict[str, list[Form]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)


def of_pages(app: object, method: str) -> list[str]:
    """The routes of pages that a person with a session asks for: not the API, not what other systems call."""
    found = doors(app.routes)  # type: ignore[attr-defined]
    return [path for how, path, _ in found if how == method and not path.startswith(("/api", "/hooks", "/launch"))]


def route_of(routes: Sequence[str], address: str) -> str | None:
    """The route that an address of ours leads to; where several do, the first, as the application does it."""
    path = urlsplit(address).path
    return next((route for route in routes if re.fullmatch(_pattern(route), path)), None)


def _pattern(route: str) -> str:
    parts = re.split(r"(\{\w+(?::\w+)?\})", route)
    made = {":int}": r"\d+", ":path}": ".+"}
    return "".join(
        next((m for end, m in made.items() if part.endswith(end)), "[^/]+") if part.startswith("{") else re.escape(part)
        for part in parts
    )


def walk(browser: Browser, starts: Iterable[str]) -> Site:
    """All pages that can be reached by links from some, a few of each route, and all their forms."""
    site, seen, counted = Site(), set(starts), Counter[str]()
    gets, posts = of_pages(browser.client.app, "GET"), of_pages(browser.client.app, "POST")
    waiting = deque(starts)
    while waiting:
        address = waiting.popleft()
        route = route_of(gets, address)
        if route is None or counted[route] >= _EACH or address.startswith(("http", "mailto")):
            continue
        counted[route] += 1
        answer = browser.get(address)
        site.pages.setdefault(route, []).append(address)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        page = Page(address, answer.text)
        site.odd += [f"{address}: {odd}" for odd in page.odd]
        for form in page.forms:
            to = route_of(posts if form.method == "POST" else gets, form.action)
            if to is not None:
                site.forms.setdefault(f"{form.method} {to}", []).append(form)
        fresh = [link.partition("#")[0] for link in page.links]
        waiting.extend(link for link in dict.fromkeys(fresh) if link not in seen)
        seen.update(fresh)
    return site


def different(forms: Iterable[Form]) -> Iterator[Form]:
    """Of forms that have the same fields, the first."""
    had: set[tuple[str, ...]] = set()
    for form in forms:
        key = (*form.names,)
        if key not in had:
            had.add(key)
            yield form
