"""Sign-in: who calls, by an API key or by a token of the company's own sign-in, and whether he may.

A route declares its right: `caller: Caller = Depends(needs("read"))`, or, where every microsecond counts,
`await admitted(request, "check")` in an endpoint marked with `@opens("check")`. Each refusal (401, 403, 429) is logged and
counted, without the secret. What was verified is good for `KEPT_SECONDS`: a revocation works everywhere within that time.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from fastapi.security import HTTPBearer
from starlette.requests import Request

from connector import logs
from connector.config import Config
from connector.config_people import PersonSettings
from connector.credit.authority import RESTS, role_names
from connector.store import api_keys
from connector.store.api_keys import Key
from connector.text import Text
from connector.web import oidc
from connector.web.afterwards import Afterwards
from connector.web.front import Front
from connector.web.guards import pattern
from connector.web.people import People
from connector.web.problem import Refused
from connector.web.rights import PERSONAL, RIGHT_NAMES, Caller, Right, owner_of, rights_of
from connector.web.session import Visits
from connector.web.throttle import Throttle

log = logging.getLogger("holdfast.web.auth")

KEPT_SECONDS = 5.0
_KEPT_MOST = 2000
# A credential that was good within this time is looked at even where its address has to wait.
_GOOD_SECONDS = 3600.0
_KEY_ID = re.compile(r"[a-z2-9]{12}")

_NOT_GOOD = Text("The key or token is not good, or not any more.", "密钥或令牌无效，或已失效。")
_NONE_GIVEN = Text("Send a key or a token: Authorization: Bearer …", "请提供密钥或令牌：Authorization: Bearer …")
_WAIT = Text("Too many failed attempts from this address.", "该地址登录失败次数过多。")
_NO_NAME = Text("The address has a character that no name has.", "地址中含有名称不可能出现的字符。")
_NO_RIGHT = Text("{name} may not {right}.", "{name} 无权{right}。")

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")


# A key, or what a token says, and until when (monotonic seconds) it need not be looked at again.
Verified = tuple[Key | Mapping[str, Any], float]


@dataclass(slots=True)
class _Known:
    """A caller who was looked at: good until a moment of this process's clock, and `ends` of the world's; and only as
    long as nobody has changed the people."""

    caller: Caller
    config: Config
    until: float
    ends: dt.datetime

    def counts(self, front: Front) -> bool:
        return self.config is front.config and time.monotonic() < self.until and front.clock.now() < self.ends


class SignIn:
    """The sign-in of one process."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.throttle = Throttle()
        self.people = People(front)
        self._callers: OrderedDict[bytes, _Known] = OrderedDict()
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()
        self._good: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Verified]] = {}
        self._issuer: oidc.Issuer | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._afterwards = Afterwards(front)

    def known(self, given: bytes) -> Caller | None:
        """The caller, where whoever sends this as `Authorization` was looked at in the last seconds; waits for nothing."""
        if not self.people.is_fresh():
            return None
        known = self._callers.get(hashlib.sha256(given).digest())
        return known.caller if known is not None and known.counts(self.front) else None

    async def caller(self, request: Request) -> Caller:
        """Who calls. Raises Refused."""
        await self.people.now()
        given = [value for name, value in request.scope["headers"] if name == b"authorization"]
        if not given:
            raise self._refused(request, "no_credential", _NONE_GIVEN, challenge='Bearer realm="holdfast"')
        sha = hashlib.sha256(given[0]).digest()
        if len(given) == 1:
            # Whoever was looked at in the last seconds is known.
            known = self._callers.get(sha)
            if known is not None and known.counts(self.front):
                return known.caller
        address = request.client.host if request.client else ""
        scheme, _, token = (given[0].decode("latin-1") if len(given) == 1 else "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or not token.isascii():
            self.throttle.failed(address)
            raise self._refused(request, "credential_malformed", _NOT_GOOD)
        wait = self.throttle.wait(address)
        if wait and self._good.get(sha, 0.0) < time.monotonic():
            raise self._too_many(request, wait)
        config = self.front.config
        try:
            found, until = await self._verify(sha, token)
            caller = self._of_key(found) if isinstance(found, Key) else self.of_claims(self.front, found)
        except oidc.NotGood as wrong:
            self._good.pop(sha, None)
            self.throttle.failed(address)
            raise self._refused(request, wrong.reason, _NOT_GOOD, way=_way(token)) from None
        _keep(self._good, sha, time.monotonic() + _GOOD_SECONDS)
        _keep(self._callers, sha, _Known(caller, config, until, self._ends(found)))
        return caller

    def _ends(self, found: Key | Mapping[str, Any]) -> dt.datetime:
        if isinstance(found, Key):
            return found.expires_at
        leeway = self.front.config.sign_in.leeway_seconds
        return dt.datetime.fromtimestamp(float(found["exp"]) + leeway, dt.UTC)

    async def end(self) -> None:
        """The process ends: what was to be written down is written down first."""
        await self._afterwards.end()

    def demand(self, request: Request, caller: Caller, right: Right) -> None:
        """Refuses a caller without a right (403); it is told in the audit trail, once a minute at most."""
        if right in caller.rights:
            return
        route = f"{request.method} {_route(request)}"
        self._afterwards.refusal(caller, route, right)
        self.front.metrics.refusals.labels("not_allowed").inc()
        log.warning(
            "refused: %s may not %s",
            caller.actor,
            right,
            extra={"reason": "not_allowed", "caller": caller.actor, "way": caller.way, **_where(request)},
        )
        raise Refused(
            403,
            _why_not(caller, right),
            headers={"WWW-Authenticate": 'Bearer realm="holdfast", error="insufficient_scope"'},
        )

    # --- who it is -------------------------------------------------------------------------------------------------------
    async def _verify(self, sha: bytes, token: str) -> Verified:
        kept = self._verified.get(sha)
        if kept is not None and time.monotonic() < kept[1]:
            return kept
        # Fifty clients that come with one key at once ask the database once.
        asking = self._asking.get(sha)
        if asking is None:
            asking = self._asking[sha] = asyncio.create_task(self._look_up(sha, token))
            asking.add_done_callback(lambda _: self._asking.pop(sha, None))
        return await asyncio.shield(asking)

    async def _look_up(self, sha: bytes, token: str) -> Verified:
        found: Key | Mapping[str, Any]
        if oidc.looks_like_one(token):
            found = await self._claims(token)
        else:
            parts = api_keys.split(token)
            if parts is None:
                raise oidc.NotGood("credential_malformed")
            number, secret = parts

            def ask() -> tuple[Key | None, str]:
                with self.front.store.reading() as tx:
                    return api_keys.check(tx, number, secret, self.front.clock.now())

            key, why = await self.front.work(ask)
            if key is None:
                raise oidc.NotGood(f"key_{why}")
            self._afterwards.used(key)
            found = key
        made = (found, time.monotonic() + KEPT_SECONDS)
        _keep(self._verified, sha, made)
        return made

    def issuer(self) -> oidc.Issuer:
        """The issuer that is configured now."""
        settings = self.front.config.sign_in
        if self._issuer is None or self._issuer.settings != settings:
            self._issuer = oidc.Issuer(settings, self.front.clock)
        return self._issuer

    async def _claims(self, token: str) -> Mapping[str, Any]:
        if self.front.config.sign_in.issuer is None:
            raise oidc.NotGood("token_not_taken")
        issuer = self.issuer()
        asking = self._refreshing
        try:
            return issuer.claims(token)
        except oidc.KeysOld:
            if asking is None or asking.done():
                asking = self._refreshing = asyncio.create_task(self.front.work(issuer.refresh))
        except oidc.NotGood:
            # The keys may be on their way for somebody else: whoever comes meanwhile waits for them, too.
            if asking is None or asking.done():
                raise
        await asyncio.shield(asking)
        try:
            return issuer.claims(token)
        except oidc.KeysOld:
            raise oidc.NotGood("token_key") from None

    def _of_key(self, key: Key) -> Caller:
        state = key.state(self.front.clock.now())
        if state != "active":
            raise oidc.NotGood(f"key_{state}")
        person, roles = owner_of(self.front.config.people, key.owner, key.roles)
        if not roles:
            # The owner is none of the people any more, or has no role: the key opens nothing.
            raise oidc.NotGood("owner_gone")
        rights = rights_of(roles)
        if person is None:
            rights -= PERSONAL
        if key.rights is not None:
            rights &= frozenset(key.rights)
        name = person.name or person.id if person is not None else key.owner.partition(":")[2]
        return Caller(name, roles, rights, key.owner, person, key.id)

    @staticmethod
    def of_claims(front: Front, claims: Mapping[str, Any]) -> Caller:
        """Who a proved token is of, and his roles. Raises NotGood where he is nobody here."""
        settings = front.config.sign_in
        leeway = dt.timedelta(seconds=settings.leeway_seconds)
        if (front.clock.now() - leeway).timestamp() >= float(claims["exp"]):
            raise oidc.NotGood("token_expired")
        subject, email = str(claims["sub"]), oidc.email_of(claims)
        groups = oidc.groups_of(claims, settings.roles_claim)
        given = frozenset(role for group in groups for role in settings.roles.get(group, ()))
        known = _person(front.config.people, subject, email)
        if known is not None:
            person = known.person
            roles: frozenset[str] = frozenset(person.roles or given)
            if not roles:
                raise oidc.NotGood("no_role")
            rights = rights_of(roles) if person.roles else rights_of(roles) - PERSONAL
            return Caller(person.name or person.id, roles, rights, person.actor, person, "oidc")
        if not given:
            raise oidc.NotGood("person_unknown")
        name = re.sub(r"[^\w.@+-]", "_", email or subject)[:100]
        return Caller(name, given, rights_of(given) - PERSONAL, f"oidc:{name}", None, "oidc")

    # --- refusing --------------------------------------------------------------------------------------------------------
    def _refused(self, request: Request, reason: str, detail: Text, *, way: str = "", challenge: str = "") -> Refused:
        self.front.metrics.refusals.labels(reason).inc()
        log.warning("refused: %s", reason, extra={"reason": reason, "way": way, **_where(request)})
        challenge = challenge or 'Bearer realm="holdfast", error="invalid_token"'
        return Refused(401, detail, headers={"WWW-Authenticate": challenge})

    def _too_many(self, request: Request, wait: float) -> Refused:
        self.front.metrics.refusals.labels("too_many").inc()
        log.warning("refused: too_many", extra={"reason": "too_many", **_where(request)})
        return Refused(429, _WAIT, headers={"Retry-After": str(int(wait) + 1)})


def _why_not(caller: Caller, right: Right) -> Text:
    person = caller.person
    if person is not None and right in rights_of(person.resting):
        return RESTS.fill(person=person.name or person.id, roles=role_names(person.resting))
    return _NO_RIGHT.fill(name=caller.name, right=RIGHT_NAMES[right])


def _keep(kept: OrderedDict[bytes, V], sha: bytes, what: V) -> None:
    kept[sha] = what
    kept.move_to_end(sha)
    while len(kept) > _KEPT_MOST:
        kept.popitem(last=False)


def _person(people: tuple[PersonSettings, ...], subject: str, email: str | None) -> PersonSettings | None:
    """The person whom a token is of: by the subject that was entered for him, else by the verified e-mail address."""
    for one in people:
        if one.subject is not None and one.subject == subject:
            return one
    if email is None:
        return None
    # Whoever has a subject of his own entered is known by nothing else.
    alike = [p for p in people if p.subject is None and p.email and p.email.casefold() == email.casefold()]
    return alike[0] if len(alike) == 1 else None


def _way(token: str) -> str:
    """What may be said of a credential that opens nothing: the id of a key, never a part of a secret."""
    parts = api_keys.split(token)
    if parts is not None and _KEY_ID.fullmatch(parts[0]):
        return parts[0]
    return "token" if oidc.looks_like_one(token) else ""


def _route(request: Request) -> str:
    # Otherwise as it was sent, percent signs and all: it cannot begin a line of its own in a log.
    raw = bytes(request.scope.get("raw_path") or b"").decode("ascii", "replace")
    return pattern(request.scope) or raw[:200]


def _where(request: Request) -> dict[str, str]:
    return {
        "method": request.method[:20],
        "route": _route(request),
        "address": request.client.host if request.client else "",
    }


# --- for routes ----------------------------------------------------------------------------------------------------------
_BEARER = HTTPBearer(auto_error=False, description="An API key (hf_…), or a token of the company's own sign-in.")


class Needs:
    """A dependency that gives the caller where he has the right, and refuses otherwise."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request, _shown: Annotated[Any, Depends(_BEARER)]) -> Caller:
        return await admitted(request, self.right)


def needs(right: Right) -> Needs:
    """The dependency that a route declares its right with."""
    return Needs(right)


def doors(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str, Right | None]]:
    """Every way in: method, path, and the right that is asked for; None: anybody comes in."""
    for route in routes:
        inside = getattr(route, "original_router", None)  # newer FastAPIs keep an included router as it is
        if inside is not None:
            yield from doors(inside.routes, prefix + route.include_context.prefix)
            continue
        for method in sorted(getattr(route, "methods", None) or {"*"}):
            yield method, prefix + route.path, right_of(route)


# What a route asks for: `caller: Reader`.
Reader = Annotated[Caller, Depends(needs("read"))]
Checker = Annotated[Caller, Depends(needs("check"))]
Requester = Annotated[Caller, Depends(needs("request"))]
Decider = Annotated[Caller, Depends(needs("decide"))]
Configurer = Annotated[Caller, Depends(needs("configure"))]
Auditor = Annotated[Caller, Depends(needs("audit"))]


async def admitted(request: Request, right: Right) -> Caller:
    """The caller, where he has the right. Raises Refused (401, 403, 429)."""
    if b"\0" in request.scope["path"].encode("utf-8", "surrogatepass") or b"%00" in request.scope["query_string"]:
        # No name has such a character, and not every database could be asked for it.
        raise Refused(400, _NO_NAME)
    sign_in: SignIn = request.app.state.sign_in
    caller = await sign_in.caller(request)
    logs.bind(caller=caller.actor)
    sign_in.demand(request, caller, right)
    return caller


def opens(right: Right) -> Callable[[F], F]:
    """Marks an endpoint that calls `admitted` itself with its right, for the test that no route is unlisted."""

    def mark(endpoint: F) -> F:
        endpoint.right = right  # type: ignore[attr-defined]
        return endpoint

    return mark


def right_of(route: Any) -> Right | None:
    """The right that a route declares; None: it declares none."""
    marked: Right | None = getattr(getattr(route, "endpoint", None), "right", None)
    waiting = list(getattr(getattr(route, "dependant", None), "dependencies", ()))
    while waiting and marked is None:
        one = waiting.pop()
        if isinstance(one.call, (Needs, Visits)):
            marked = one.call.right
        waiting += one.dependencies
    return marked


__all__ = [
    "KEPT_SECONDS",
    "Auditor",
    "Checker",
    "Configurer",
    "Decider",
    "Needs",
    "Reader",
    "Requester",
    "SignIn",
    "admitted",
    "doors",
    "needs",
    "opens",
    "right_of",
]
