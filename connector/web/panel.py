"""The credit panel inside a CRM: launched by the CRM's server-side code, shown in a frame of its page, answered as JSON.

What is asked for and how is `jobs.panel_launch`'s; what is shown is `jobs.panel`'s. Here is the door: whose pages may frame it
(`frame_ancestors` of that one system, in the header of every answer), who looks and what he may see by our own table of people
alone, that each view is in the audit trail, and that a form is taken once. No cookie is set or read: inside another site's
frame there is none.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import simplejson
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from connector.config import System
from connector.errors import ConfigError, HoldfastError
from connector.hook import Refused as NotTaken
from connector.text import Language, Text, language_of
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.panel_acts import act
from connector.web.panel_viewer import viewer_of
from connector.web.problem import Refused, language_asked, problem
from connector.web.session import form_of
from connector.web.throttle import Throttle
from jobs import panel_launch
from jobs.panel import Viewer, panel
from jobs.panel_launch import Look
from jobs.panel_shape import Panel, answer
from jobs.panel_words import REFUSED

log = logging.getLogger("holdfast.panel")

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors {by}"
)
_BODY_MOST = 8192

_NO_PANEL = Text("There is no credit panel here.", "此处没有信用面板。")
_OVER = Text("This view is over", "本次查看已结束")
_OVER_LINE = Text(
    "For safety a view opens once and lasts fifteen minutes. Open the record again, or reload the whole page of the CRM.",
    "为安全起见，每次查看仅可打开一次，有效 15 分钟。请重新打开该记录，或刷新整个 CRM 页面。",
)
_TOO_OFTEN = Text("That was too often", "操作过于频繁")
_TOO_OFTEN_LINE = Text("Wait a few seconds, then open it again.", "请稍候几秒后重新打开。")
_NOTHING = Text("Nothing to show", "暂无可显示的内容")
_NOT_NOW = Text("Not now", "暂不可用")


def router(front: Front) -> APIRouter:
    """The routes of all systems that show a panel. None is part of the documented interface."""
    routes = APIRouter(include_in_schema=False)
    door = _Door(front)

    @routes.post("/launch/{system}")
    async def launch(request: Request, system: str) -> Response:
        return await door.launch(request, system)

    @routes.post("/launch/{system}/answer")
    async def figures(request: Request, system: str) -> Response:
        return await door.figures(request, system)

    @routes.get("/panel/{system}")
    async def opened(request: Request, system: str) -> Response:
        return await door.page(request, system, request.query_params)

    @routes.post("/panel/{system}")
    async def sent(request: Request, system: str) -> Response:
        return await door.page(request, system, await form_of(request))

    @routes.get("/panel/{system}/answer")
    async def again(request: Request, system: str) -> Response:
        return await door.again(request, system)

    return routes


class _Door:
    """The front, and who has come too often."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.bad, self.views = Throttle(), Throttle()

    # --- for the CRM's server-side code ------------------------------------------------------------------------------
    async def launch(self, request: Request, name: str) -> Response:
        """An address for one view."""
        found = await self._asked(request, name)
        if isinstance(found, Response):
            return found
        made = await self.front.work(lambda: panel_launch.launch(self.front.store, self.front.clock, found))
        where = f"{self._base(request)}/panel/{quote(name)}"
        told = {
            "url": f"{where}?code={made.code}",
            "post": where,
            "code": made.code,
            "expires": made.expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        return _json(told)

    async def figures(self, request: Request, name: str) -> Response:
        """The figures themselves."""
        found = await self._asked(request, name)
        if isinstance(found, Response):
            return found
        return await self._answer(request, found)

    async def again(self, request: Request, name: str) -> Response:
        """The figures of a view that is open: its token as `Authorization: Bearer …`."""
        system, (scheme, _, token) = self._system(name), request.headers.get("authorization", "").partition(" ")
        if system is None:
            return problem(request, 404, _NO_PANEL)
        look = None
        if scheme.lower() == "bearer":
            look = await self.front.work(
                lambda: panel_launch.session(self.front.store, self.front.clock, system, token.strip())
            )
        if look is None:
            self._refuse(request, name, "session")
            return problem(request, 401, _OVER_LINE, "session")
        if self._too_often(look):
            return problem(request, 429, _TOO_OFTEN_LINE, headers={"Retry-After": "5"})
        return await self._answer(request, look)

    async def _asked(self, request: Request, name: str) -> Look | Response:
        system = self._system(name)
        if system is None:
            self._refuse(request, name, "no_panel")
            return problem(request, 404, _NO_PANEL)
        body = await request.body()
        if len(body) > _BODY_MOST:
            return problem(request, 413, headers={"Connection": "close"})
        headers = {key.lower(): value for key, value in request.headers.items()}
        front, address = self.front, request.client.host if request.client else ""
        try:
            found = await front.work(
                lambda: panel_launch.asked(front.store, front.config, front.clock, system, headers, body)
            )
        except ConfigError as wrong:
            # The caller may well be right: it is told to come again, not that it is refused.
            log.error("a launch of %s cannot be judged: %s", name, wrong.log)
            return problem(request, 503, headers={"Retry-After": "300"})
        if not isinstance(found, NotTaken):
            return found
        self._refuse(request, name, found.code)
        if found.status in (401, 403):
            # Whoever has not the secret needs no help; what was wrong is in the log.
            wait = self.bad.wait(address)
            self.bad.failed(address)
            if wait:
                return problem(request, 429, headers={"Retry-After": str(int(wait) + 1)})
            return problem(request, found.status, code=found.code)
        return problem(request, found.status, found.why, found.code)

    async def _answer(self, request: Request, look: Look) -> Response:
        viewer = await self._viewer(request, look)
        if viewer is None:
            self._refuse(request, look.system, "viewer")
            return problem(request, 403, REFUSED, "viewer")
        shown = await self.front.work(lambda: self._panel(look, viewer))
        return _json(answer(shown))

    # --- for the frame --------------------------------------------------------------------------------------------------
    async def page(self, request: Request, name: str, given: Mapping[str, str]) -> Response:
        """The page: opened by a code, or, in a view that is open, renewed or asked for something."""
        system = self._system(name)
        if system is None:
            self._refuse(request, name, "no_panel")
            return self._message(request, None, 404, _NOTHING, _NO_PANEL, given)
        front, post = self.front, request.method == "POST"
        code, token = given.get("code", ""), given.get("session", "") if post else ""
        try:
            if token:
                look = await front.work(lambda: panel_launch.session(front.store, front.clock, system, token))
            else:
                found = await front.work(lambda: panel_launch.redeem(front.store, front.clock, system, code))
                look, token = found if found is not None else (None, "")
            if look is None:
                self._refuse(request, name, "session" if given.get("session") else "code")
                return self._message(request, system, 403, _OVER, _OVER_LINE, given)
            if self._too_often(look):
                return self._message(request, system, 429, _TOO_OFTEN, _TOO_OFTEN_LINE, given, look)
            viewer = await self._viewer(request, look)
            if viewer is None:
                self._refuse(request, name, "viewer")
                return self._message(request, system, 403, _NOTHING, REFUSED, given, look)
            done = await act(front, look, viewer, given) if post and "do" in given else None
            shown = await front.work(lambda: self._panel(look, viewer))
        except (HoldfastError, Refused) as wrong:
            said = wrong.user if isinstance(wrong, HoldfastError) else wrong.detail
            log.warning("the panel of %s cannot be shown: %s", name, said.en)
            return self._message(request, system, 503, _NOT_NOW, said, given)
        language, theme = _language(request, look, viewer, given), _theme(look, given)
        values = {
            "panel": shown,
            "viewer": viewer,
            "session": token,
            "once": secrets.token_urlsafe(12),
            "done": done,
            "given": given if done is not None and done.tone == "bad" else {},
            "theme": theme,
            "asked_language": language,
            "here": f"/panel/{quote(name)}",
        }
        body = await front.work(lambda: pages_of(request).framed(language, "panel/panel.html", **values))
        return self._html(system, 200, body, language)

    def _panel(self, look: Look, viewer: Viewer) -> Panel:
        """What is shown, and that it was: in this order, so that nothing is seen that nobody is told of."""
        front = self.front
        sees = "figures" if viewer.figures else "reduced"
        panel_launch.seen(front.store, front.clock, look, viewer.actor, sees)
        policy = front.policy()
        with front.store.reading() as tx:
            return panel(tx, front.config, policy, front.clock, look, viewer)

    def _message(
        self,
        request: Request,
        system: System | None,
        status: int,
        title: Text,
        line: Text,
        given: Mapping[str, str],
        look: Look | None = None,
    ) -> Response:
        language = _language(request, look, None, given)
        body = pages_of(request).framed(
            language, "panel/message.html", title=title, line=line, theme=_theme(look, given)
        )
        return self._html(system, status, body, language)

    def _html(self, system: System | None, status: int, body: str, language: Language) -> Response:
        by = " ".join(panel_launch.frame_ancestors(system)) if system is not None else ""
        headers = {
            "Content-Security-Policy": _CSP.format(by=by or "'none'"),
            "Content-Language": "zh-CN" if language == "zh" else "en",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse(body, status, headers)

    # --- helpers ----------------------------------------------------------------------------------------------------------
    def _system(self, name: str) -> System | None:
        found = next((one for one in self.front.config.systems if one.name == name), None)
        return found if found is not None and panel_launch.has_panel(found) else None

    async def _viewer(self, request: Request, look: Look) -> Viewer | None:
        await request.app.state.sign_in.people.now()
        return await self.front.work(lambda: viewer_of(self.front, look))

    def _too_often(self, look: Look) -> bool:
        # Each launch is the CRM's own; what is bounded is what one view asks for.
        who = look.id
        wait = self.views.wait(who)
        if not wait:
            self.views.failed(who)
        return wait > 0

    def _base(self, request: Request) -> str:
        return (self.front.config.service.address or f"{request.url.scheme}://{request.url.netloc}").rstrip("/")

    def _refuse(self, request: Request, name: str, reason: str) -> None:
        self.front.metrics.refusals.labels("panel").inc()
        peer = request.client.host if request.client else "?"
        known = any(one.name == name for one in self.front.config.systems)
        log.warning("a panel of %s is refused to %s: %s", name if known else "nobody", peer, reason)


def _language(request: Request, look: Look | None, viewer: Viewer | None, given: Mapping[str, str]) -> Language:
    """What the page was asked for in, else the CRM user's, else the person's own, else the browser's."""
    for said in (given.get("lang"), look.language if look else None, _own(viewer)):
        if said:
            return language_of(said)
    return language_asked(request)


def _own(viewer: Viewer | None) -> str | None:
    return viewer.person.language if viewer is not None and viewer.person is not None else None


def _theme(look: Look | None, given: Mapping[str, str]) -> str:
    for said in (given.get("theme"), look.theme if look else None):
        if said in ("light", "dark"):
            return said
    return "auto"


def _json(told: Any) -> Response:
    return Response(simplejson.dumps(told, ensure_ascii=False), 200, {"Cache-Control": "no-store"}, "application/json")
