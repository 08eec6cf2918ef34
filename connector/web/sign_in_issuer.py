"""Sign-in at the company's own issuer: OpenID Connect's authorization code flow with PKCE, for people with a browser.

`state` is good once, for ten minutes, and only in the browser that began (its cookie says so, `sign_in_way`): nobody is
signed in to somebody else's account by a link. The token that comes back is proved as every other, and must carry the
`nonce` of this very attempt. Only who comes back with a good one leaves anything here. RFC 6749, RFC 7636, OpenID Connect
Core 1.0 section 3.1.
"""

from __future__ import annotations

import hmac
import logging
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.store import audit, sessions
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.text import Text
from connector.web import oidc
from connector.web.auth import SignIn
from connector.web.front import Front
from connector.web.pages import secure
from connector.web.problem import Refused
from connector.web.session import ISSUER, kept_as, kept_roles, set_cookie
from connector.web.sign_in_way import LASTS, Way

log = logging.getLogger("holdfast.web.sign_in")

_COOKIE = "holdfast-way"
BACK = "/sign-in/issuer/back"
_OFF = Text(
    "Sign-in with a company account is not set up: [sign_in] client.", "尚未启用企业账号登录：[sign_in] client。"
)
_AGAIN = Text(
    "This sign-in took too long, was begun in another browser, or has been used. Begin once more.",
    "登录已超时、并非由此浏览器发起，或已使用。请重新登录。",
)
_DENIED = Text("Your company's sign-in has refused: {why}", "企业统一登录已拒绝：{why}")
_NOBODY = Text(
    "You are signed in at your company, but have no role here. Ask an administrator.",
    "您已通过企业账号验证，但在本系统没有角色。请联系管理员。",
)


def router(front: Front) -> APIRouter:
    """The way to the issuer, and the way back."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign-in/issuer")
    async def go(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
        issuer = _issuer(request)
        address = (await front.work(issuer.ways)).authorize
        way = Way.begin(next, front.clock.now())
        asked = {
            "response_type": "code",
            "client_id": front.config.sign_in.client,
            "redirect_uri": front.config.service.at + BACK,
            "scope": " ".join(front.config.sign_in.scopes),
            "state": way.state,
            "nonce": way.nonce,
            "code_challenge": way.challenge,
            "code_challenge_method": "S256",
        }
        answer = RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", 303)
        answer.set_cookie(
            _COOKIE, way.cookie(), int(LASTS.total_seconds()), path="/sign-in",
            httponly=True, samesite="lax", secure=secure(front),
        )  # fmt: skip
        return answer

    @routes.get(BACK)
    async def back(
        request: Request,
        code: Annotated[str, Query(max_length=4000)] = "",
        state: Annotated[str, Query(max_length=200)] = "",
        error: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        issuer = _issuer(request)
        way = Way.of_cookie(request.cookies.get(_COOKIE, ""))
        if way is None or not way.leads_back(state, front.clock.now()):
            raise Refused(403, _AGAIN, "sign_in_again")
        if error:
            raise Refused(403, _DENIED.fill(why=error), "sign_in_denied")

        try:
            token = await front.work(lambda: _token(front, issuer, code, way))
        except oidc.NotGood as wrong:
            log.warning("refused: %s", wrong.reason, extra={"reason": wrong.reason, "way": ISSUER})
            front.metrics.refusals.labels(wrong.reason).inc()
            raise Refused(403, _NOBODY if wrong.reason in ("no_role", "person_unknown") else _AGAIN) from None
        answer = RedirectResponse(way.next, 303)
        answer.delete_cookie(_COOKIE, path="/sign-in")
        set_cookie(front, answer, token)
        return answer

    def _issuer(request: Request) -> oidc.Issuer:
        if front.config.sign_in.client is None:
            raise Refused(404, _OFF)
        sign_in: SignIn = request.app.state.sign_in
        return sign_in.issuer()

    def _token(front: Front, issuer: oidc.Issuer, code: str, way: Way) -> str:
        settings = front.config.sign_in
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": front.config.service.at + BACK,
            "client_id": settings.client or "",
            "code_verifier": way.verifier,
        }
        if settings.client_secret is not None:
            fields["client_secret"] = front.config.secret(settings.client_secret, "sign-in")
        claims = issuer.exchange(fields)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), way.nonce.encode()):
            raise oidc.NotGood("token_nonce")
        caller = SignIn.of_claims(front, claims)
        now = front.clock.now()
        person = kept_as(caller)
        with front.store.writing(concern=Concern()) as tx:
            if not sessions.spend(tx, ISSUER, way.state, now, LASTS):
                raise Refused(403, _AGAIN, "sign_in_again")
            token = sessions.begin(tx, person, kept_roles(caller), ISSUER, now)
            audit.append(tx, [Entry("session.begin", caller.actor, caller.actor, after={"way": ISSUER})], now)
        return token

    return routes


__all__ = ["BACK", "router"]
