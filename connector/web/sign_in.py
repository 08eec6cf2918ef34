"""Sign-in to the pages: by a password kept here, by a code that is good once, or at the company's own sign-in (`issuer`).

Who comes by a link that another made is that person, but decides and administers nothing until a second person has confirmed
it (`jobs/unconfirmed`).

Every sign-in makes a new session, so that nobody can fix one before; every sign-in, failure and sign-out is in the audit
trail. A code (`holdfast sign-in`, or what `serve` prints while nobody is configured) is spent by a button, not by looking at
the address: programs that look at links before people do spend nothing.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from connector.config_people import ALL_ROLES, PersonSettings
from connector.credit.authority import ROLE_NAMES
from connector.store import audit, passwords, sessions
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.text import Text
from connector.web import passwords as argon
from connector.web.front import Front
from connector.web.pages import STATIC, language_of, local, look, pages_of, theme_of
from connector.web.problem import Refused
from connector.web.session import (
    Visitor,
    cookie_name,
    drop_cookie,
    form_of,
    from_here,
    kept_as,
    kept_roles,
    set_cookie,
    visitor_of,
    visits,
)
from connector.web.throttle import Throttle

log = logging.getLogger("holdfast.web.sign_in")

_WRONG = Text("Name or password is not right.", "用户名或密码不正确。")
_LATER = Text("Too many wrong tries. Wait {seconds:second|seconds}.", "尝试次数过多，请等待 {seconds} 秒。")
_SPENT = Text(
    "This link has been used, or is too old. Make a new one: holdfast sign-in",
    "该链接已使用或已过期。请重新生成：holdfast sign-in",
)
_NOT_THE_OLD = Text("The password until now is not right.", "原密码不正确。")
_CHANGED = Text("The password is changed; all other sessions have ended.", "密码已修改，其他登录会话均已结束。")
_ENDED = Text("{count:other session has|other sessions have} ended.", "已结束 {count} 个其他登录会话。")
_ELSEWHERE = Text("This form came from another site.", "该表单来自其他网站。")
_YEAR = 365 * 24 * 3600


def router(front: Front) -> APIRouter:
    """Sign-in, sign-out, one's own account, and the files that pages are made of."""
    routes = APIRouter(include_in_schema=False)
    throttle = Throttle()

    @routes.get("/")
    async def start(visitor: Annotated[Visitor, Depends(visits(None))]) -> Response:
        nothing = not front.config.systems and visitor.may("configure")
        return RedirectResponse("/admin/first-steps" if nothing else "/desk", 303)

    @routes.get("/static/{stamp}/{name}")
    async def static(request: Request, stamp: str, name: str) -> Response:
        if pages_of(request).assets.get(name) is None:
            raise Refused(404, Text("There is no such file.", "没有该文件。"))
        answer = FileResponse(STATIC / name)
        # The address has the content's own stamp: what it gives never changes.
        right = pages_of(request).assets[name] == stamp
        answer.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if right else "no-store"
        return answer

    @routes.get("/sign-in")
    async def ask(request: Request, next: str = "/") -> Response:
        visitor = await visitor_of(request)
        if visitor is not None:
            return RedirectResponse(local(next), 303)
        return await _asked(request, next)

    async def _asked(request: Request, next: str, name: str = "", wrong: Text | None = None) -> Response:
        return await pages_of(request).show(
            request,
            "sign_in.html",
            status=200 if wrong is None else 403,
            next=local(next),
            name=name,
            wrong=wrong,
            issuer=front.config.sign_in.client is not None,
        )

    @routes.post("/sign-in")
    async def sign_in(
        request: Request,
        name: Annotated[str, Form(max_length=200)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        if not from_here(request):
            raise Refused(403, _ELSEWHERE, "csrf")
        address = request.client.host if request.client else ""
        await request.app.state.sign_in.people.now()
        wait = throttle.wait(address)
        if wait:
            return await _asked(request, next, name, _LATER.fill(seconds=int(wait) + 1))
        token, wrong = await front.work(lambda: _by_password(front, name, password, address))
        if token is None:
            throttle.failed(address)
            front.metrics.refusals.labels("password").inc()
            log.warning("refused: a password", extra={"reason": "password", "address": address})
            return await _asked(request, next, name, wrong)
        answer = RedirectResponse(local(next), 303)
        set_cookie(front, answer, token)
        return answer

    @routes.get("/sign-in/with/{code}")
    async def with_code(request: Request, code: str, next: str = "/") -> Response:
        return await pages_of(request).show(request, "sign_in_code.html", code=code, next=local(next), wrong=None)

    @routes.post("/sign-in/with")
    async def spend(
        request: Request,
        code: Annotated[str, Form(max_length=200)] = "",
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        if not from_here(request):
            raise Refused(403, _ELSEWHERE, "csrf")
        address = request.client.host if request.client else ""
        await request.app.state.sign_in.people.now()
        token = None if throttle.wait(address) else await front.work(lambda: _by_code(front, code, address))
        if token is None:
            throttle.failed(address)
            return await pages_of(request).show(
                request, "sign_in_code.html", status=403, code="", next=local(next), wrong=_SPENT
            )
        # What rests because somebody else made this link rests in this process, too, before the first page is asked for.
        await request.app.state.sign_in.people.anew()
        answer = RedirectResponse(local(next), 303)
        set_cookie(front, answer, token)
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request, visitor: Annotated[Visitor, Depends(visits(None))]) -> Response:
        token = request.cookies.get(cookie_name(front), "")

        def end() -> None:
            now = front.clock.now()
            with front.store.writing(concern=Concern()) as tx:
                sessions.end(tx, token, now)
                audit.append(tx, [Entry("session.end", visitor.caller.actor, visitor.caller.actor)], now)

        await front.work(end)
        answer = RedirectResponse("/sign-in", 303)
        drop_cookie(front, answer)
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer

    @routes.post("/look")
    async def choose(
        request: Request,
        language: Annotated[str, Form(max_length=5)] = "",
        theme: Annotated[str, Form(max_length=5)] = "",
        back: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        # It changes nothing but how pages look in this browser, also before anybody has signed in.
        chosen = language if language in ("en", "zh") else language_of(request, await visitor_of(request))
        answer = RedirectResponse(local(back), 303)
        look(front, answer, chosen, theme if theme in ("light", "dark") else theme_of(request))
        return answer

    @routes.get("/me")
    async def account(request: Request, visitor: Annotated[Visitor, Depends(visits(None))]) -> Response:
        return await _account(request, visitor)

    async def _account(request: Request, visitor: Visitor, wrong: dict[str, Text] | None = None) -> Response:
        person = kept_as(visitor.caller)

        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                kept = passwords.find(tx, person)
                return {"password": kept, "sessions": sessions.running(tx, person, front.clock.now())}

        found = await front.work(read)
        return await pages_of(request).show(
            request,
            "account.html",
            visitor,
            status=422 if wrong else 200,
            own=visitor.caller.person,
            role_names=ROLE_NAMES,
            wrong=wrong or {},
            least=argon.LEAST,
            **found,
        )

    @routes.post("/me/password")
    async def change(request: Request, visitor: Annotated[Visitor, Depends(visits(None))]) -> Response:
        given = await form_of(request)
        if visitor.caller.person is None:
            raise Refused(403, Text("You sign in elsewhere.", "您通过其他系统登录。"))
        wrong = await front.work(
            lambda: _change(front, visitor, given.get("before", ""), given.get("password", ""), given.get("again", ""))
        )
        if wrong:
            return await _account(request, visitor, wrong)
        return await _anew(request, visitor, _CHANGED)

    @routes.post("/me/sessions")
    async def end_others(request: Request, visitor: Annotated[Visitor, Depends(visits(None))]) -> Response:
        return await _anew(request, visitor, _ENDED)

    async def _anew(request: Request, visitor: Visitor, say: Text) -> Response:
        """Ends all sessions of a person and begins a new one in this browser."""
        person = kept_as(visitor.caller)
        now = front.clock.now()

        def begin() -> tuple[str, int]:
            with front.store.writing(concern=Concern()) as tx:
                before = len(sessions.running(tx, person, now))
                sessions.end_all(tx, person, now)
                token = sessions.begin(tx, person, kept_roles(visitor.caller), visitor.way, now)
                audit.append(tx, [Entry("session.end_others", visitor.caller.actor, visitor.caller.actor)], now)
                return token, before - 1

        token, count = await front.work(begin)
        answer = RedirectResponse("/me", 303)
        set_cookie(front, answer, token)
        pages_of(request).tell(answer, token, say.fill(count=count))
        return answer

    return routes


def _named(people: tuple[PersonSettings, ...], name: str) -> PersonSettings | None:
    wanted = name.strip().casefold()
    found = [p for p in people if wanted in (p.id, (p.email or "").casefold())]
    return found[0] if len(found) == 1 else None


def _by_password(front: Front, name: str, password: str, address: str) -> tuple[str | None, Text]:
    now = front.clock.now()
    person = _named(front.config.people, name)
    with front.store.reading() as tx:
        kept = passwords.find(tx, person.id) if person else None
    if kept is not None and kept.wait_until is not None and now < kept.wait_until:
        # The right password is not looked at either: whoever guesses learns nothing from the answer, nor from its time.
        argon.good(None, password)
        return None, _WRONG
    right = argon.good(kept.hash if kept else None, password)
    with front.store.writing(concern=Concern()) as tx:
        if person is None or not right:
            if person is not None and kept is not None:
                passwords.failed(tx, person.id, now)
                entry = Entry("session.refuse", f"person:{person.id}", "nobody", after={"address": address})
                audit.append(tx, [entry], now)
            return None, _WRONG
        passwords.passed(tx, person.id)
        return _begin(tx, front, person.id, (), "password", address), _WRONG


def _by_code(front: Front, code: str, address: str) -> str | None:
    now = front.clock.now()
    with front.store.writing(concern=Concern()) as tx:
        used = sessions.use_code(tx, sessions.SIGN_IN, code, now)
        if used is None:
            return None
        person, maker = used
        people = front.config.people
        if people and all(one.id != person for one in people):
            return None
        roles = () if people else tuple(sorted(ALL_ROLES))
        return _begin(tx, front, person, roles, "code", address, maker)


def _begin(tx: Any, front: Front, person: str, roles: tuple[str, ...], way: str, address: str, maker: str = "") -> str:
    now = front.clock.now()
    token = sessions.begin(tx, person, roles, way, now)
    after = {"way": way, "address": address} | ({"made_by": maker} if maker else {})
    audit.append(tx, [Entry("session.begin", f"person:{person}", f"person:{person}", after=after)], now)
    return token


def _change(front: Front, visitor: Visitor, before: str, password: str, again: str) -> dict[str, Text]:
    person = visitor.caller.person
    assert person is not None
    now = front.clock.now()
    with front.store.reading() as tx:
        kept = passwords.find(tx, person.id)
    wrong: dict[str, Text] = {}
    # Whoever has just come by a code may have forgotten it: that is how it is set anew.
    if kept is not None and visitor.way != "code" and not argon.good(kept.hash, before):
        wrong["before"] = _NOT_THE_OLD
    bad = argon.wrong(password, person=person.id, name=person.name)
    if bad is not None:
        wrong["password"] = bad
    elif password != again:
        wrong["again"] = Text("The two are not the same.", "两次输入不一致。")
    if wrong:
        return wrong
    with front.store.writing(concern=Concern()) as tx:
        passwords.put(tx, person.id, argon.hashed(password), by=person.actor, now=now)
        audit.append(tx, [Entry("password.change", person.actor, person.actor)], now)
    return {}
