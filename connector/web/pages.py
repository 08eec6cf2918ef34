"""Pages: templates rendered in the visitor's language, with navigation, what was just done, and answers to what is wrong.

`pages_of(request).show(...)` renders a template; `.moved(...)` answers a form: the browser goes on to a page that says what
was done. Nothing is loaded from elsewhere, no script or style stands in a page: the policy in `CSP` forbids both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connector.config import Config
from connector.store.begun import begun
from connector.text import Language, Text
from connector.web.actors import author_of
from connector.web.addresses import here_of, with_query
from connector.web.addresses import local as local
from connector.web.catalogue import catalogue
from connector.web.navigation import navigation
from connector.web.show import Shown
from jobs import demo_company

if TYPE_CHECKING:
    from connector.web.front import Front
    from connector.web.session import Visitor

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The address of a page goes to our own pages only; none at all ("no-referrer") would make a form's Origin "null".
HEADERS = {"Content-Security-Policy": CSP, "Referrer-Policy": "same-origin"}
LOOK = "holdfast-look"
SAID = "holdfast-said"
_LOOK_SECONDS = 400 * 24 * 3600
_SAID_MOST = 2000
# Where the made-up company is taken out.
FIRST_STEPS = "/admin/first-steps"
TONES = ("ok", "note", "warn", "bad")


@dataclass(frozen=True, slots=True)
class Said:
    """What was just done, shown once on the next page."""

    text: Text
    tone: str = "ok"


class _Compiled(BytecodeCache):
    """Templates as they were compiled for one language and time zone: once in a process, however many fronts it has."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


# By language and time zone: what stands in a template as a constant is shown by the compiler already.
@cache
def _compiled(_language: Language, _zone: str) -> _Compiled:
    return _Compiled()


class Pages:
    """The pages of one front."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.assets = {one.name: _stamp(one) for one in STATIC.iterdir() if one.is_file()}
        self._made = {language: self._environment(language) for language in ("en", "zh")}

    def _environment(self, language: Language) -> Environment:
        made = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            auto_reload=False,
            bytecode_cache=_compiled(language, self.front.config.business.time_zone),
        )
        made.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
        made.filters.update(Shown(language, self.front.config.business.time_zone).filters())
        made.globals.update(
            asset=self.asset,
            say=lambda text: text.say(language) if isinstance(text, Text) else text,
            language=language,
            lang="zh-CN" if language == "zh" else "en",
        )
        return made

    def ready(self) -> None:
        """Compiles every template in both languages, and reads what dates and amounts are written by: else whoever asks for
        a page first waits for it."""
        for made in self._made.values():
            for name in made.list_templates():
                made.get_template(name)
            made.filters["money"](Decimal(1), self.front.config.business.currency)
            made.filters["moment"](self.front.clock.now())

    def asset(self, name: str) -> str:
        """The address of a file of ours; it changes with the file, so that a browser may keep it for good."""
        return f"/static/{self.assets[name]}/{name}"

    async def show(
        self, request: Request, template: str, visitor: Visitor | None = None, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A template as a page. Rendering is done beside the event loop, on which orders are checked meanwhile."""
        said = self._said(request, visitor)
        body = await self.front.work(lambda: self.render(request, template, visitor, said=said, **values))
        answer = HTMLResponse(body, status, HEADERS)
        answer.headers["Content-Language"] = "zh-CN" if language_of(request, visitor) == "zh" else "en"
        if said is not None:
            answer.delete_cookie(SAID, path="/")
        return answer

    def render(self, request: Request, template: str, visitor: Visitor | None = None, **values: Any) -> str:
        """A template with what every page needs."""
        language = language_of(request, visitor)
        return (
            self._made[language]
            .get_template(template)
            .render(
                {
                    "visitor": visitor,
                    "theme": theme_of(request),
                    "here": here_of(request),
                    "navigation_of": navigation(visitor.caller.rights, request.url.path) if visitor else (),
                    "csrf": lambda: _csrf_field(visitor),
                    "with_query": lambda **changed: with_query(request, changed),
                    "said": None,
                    "nothing_yet": lambda: visitor is not None and self._nothing_yet(),
                    "written_by": lambda author: author_of(self.front.config, author),
                    **_made_up(self.front.config, visitor, request.url.path),
                    **values,
                }
            )
        )

    def _nothing_yet(self) -> bool:
        """Whether no customer has been judged so far: then an empty page says what comes first."""
        with self.front.store.reading() as tx:
            return not begun(tx).judged

    def framed(self, language: Language, template: str, **values: Any) -> str:
        """A template inside another system's page: no visitor of ours, no cookie; language and look are given."""
        return self._made[language].get_template(template).render(values)

    def moved(
        self,
        request: Request,
        address: str,
        say: Text | None = None,
        *,
        tone: str = "ok",
        visitor: Visitor | None = None,
    ) -> Response:
        """The answer to a form that was taken: 303 to a page of ours, which says `say` once."""
        answer = RedirectResponse(local(address), 303)
        if say is not None and visitor is not None:
            self._tell(answer, visitor.csrf, say, tone)
        return answer

    def tell(self, answer: Response, token: str, say: Text, tone: str = "ok") -> None:
        """Has the next page say something, in a session that has just begun with this token."""
        from connector.web.session import csrf_of

        self._tell(answer, csrf_of(token), say, tone)

    def _tell(self, answer: Response, csrf: str, say: Text, tone: str) -> None:
        body = base64.urlsafe_b64encode(json.dumps([say.en, say.zh, tone]).encode()).decode()
        if len(body) <= _SAID_MOST:
            value, only_tls = f"{body}.{_mac(csrf, body)}", secure(self.front)
            answer.set_cookie(SAID, value, 60, path="/", httponly=True, samesite="lax", secure=only_tls)

    def _said(self, request: Request, visitor: Visitor | None) -> Said | None:
        body, _, mac = request.cookies.get(SAID, "").rpartition(".")
        # Only what we have said ourselves to this very session is shown.
        if visitor is None or not body or not hmac.compare_digest(mac.encode(), _mac(visitor.csrf, body).encode()):
            return None
        en, zh, tone = json.loads(base64.urlsafe_b64decode(body))
        return Said(Text(en, zh), tone if tone in TONES else "note")

    def problem(self, request: Request, status: int, title: Text, detail: Text, visitor: Visitor | None) -> Response:
        """What is wrong, as a page."""
        back = request.headers.get("referer", "")
        inside = back.partition(str(request.base_url).rstrip("/"))[2] if back else ""
        body = self.render(
            request,
            "problem.html",
            visitor,
            title_text=title,
            detail=detail,
            back=local(inside or "/"),
            request_id=request.headers.get("x-request-id", "")[:64] or "-",
        )
        return HTMLResponse(body, status, HEADERS)


def pages_of(request: Request) -> Pages:
    """The pages of the front that answers a request."""
    found: Pages = request.app.state.pages
    return found


def language_of(request: Request, visitor: Visitor | None = None) -> Language:
    """What the browser chose on a page of ours, else the person's own language, else the browser's."""
    from connector.web.problem import language_asked

    chosen = request.cookies.get(LOOK, "").partition(".")[0]
    if chosen in ("en", "zh"):
        return "zh" if chosen == "zh" else "en"
    own = visitor.caller.person.language if visitor and visitor.caller.person else None
    return ("zh" if own == "zh" else "en") if own else language_asked(request)


def theme_of(request: Request) -> str:
    """auto (as the reader's system), light or dark."""
    chosen = request.cookies.get(LOOK, "").partition(".")[2]
    return chosen if chosen in ("light", "dark") else "auto"


def look(front: Front, answer: Response, language: str, theme: str) -> None:
    """Keeps what a browser chose."""
    answer.set_cookie(
        LOOK, f"{language}.{theme}", _LOOK_SECONDS, path="/", httponly=True, samesite="lax", secure=secure(front)
    )


def secure(front: Front) -> bool:
    """Whether cookies go over TLS only: where the service has an address with it."""
    return (front.config.service.address or "").startswith("https://")


def _csrf_field(visitor: Visitor | None) -> Markup:
    if visitor is None:
        return Markup("")
    return Markup('<input type="hidden" name="csrf" value="{}">').format(visitor.csrf)


def _made_up(config: Config, visitor: Visitor | None, path: str) -> Mapping[str, bool]:
    """Whether a page says that its figures are made up, and leads to where the company is taken out: there it stands anyway."""
    there = path == FIRST_STEPS and demo_company.in_use(config)
    return {
        "made_up": visitor is not None and not there and demo_company.made_up(config),
        "way_out": visitor is not None and visitor.may("configure") and demo_company.in_use(config),
    }


def _mac(csrf: str, body: str) -> str:
    return hmac.new(csrf.encode(), body.encode(), hashlib.sha256).hexdigest()[:32]


def _stamp(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
