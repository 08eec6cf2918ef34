"""Sessions: who looks at the pages, from the cookie of a browser that has signed in, and that a form came from our page.

A page declares its right: `visitor: Visitor = Depends(visits("read"))`. Who is not signed in is sent to /sign-in, who has
not the right is refused. A POST is taken only from our own pages (`Sec-Fetch-Site`, `Origin`) and with the session's
token in its field `csrf`. Roles stand in config.toml and are looked up each time: a session carries none of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from connector import logs
from connector.credit.authority import ISSUERS, ROLE_NAMES
from connector.store import sessions
from connector.store.concerns import Concern
from connector.text import Language, Text
from connector.web.pages import local, secure
from connector.web.problem import Refused, SentAway
from connector.web.rights import PERSONAL, Caller, Right, owner_of, rights_of

if TYPE_CHECKING:
    from connector.web.auth import SignIn
    from connector.web.front import Front

log = logging.getLogger("holdfast.web.session")

# The way of whoever came by the company's own sign-in.
ISSUER = "issuer"
_FIELDS_MOST = 3000
_NOT_OURS = Text(
    "This form did not come from a page of ours, or its page was too old. Open the page again and send it once more.",
    "该表单并非来自本系统页面，或页面已过期。请重新打开页面后再提交。",
)

_NO_NAME = Text("The address has a character that no name has.", "地址中含有名称不可能出现的字符。")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in in a browser. `csrf` is what his forms carry."""

    caller: Caller
    csrf: str
    way: str

    @property
    def name(self) -> str:
        """Name as people write it."""
        return self.caller.name

    def may(self, right: Right) -> bool:
        """Whether he has a right: what he may not do is not offered to him."""
        return right in self.caller.rights

    def role_names(self, language: Language) -> list[str]:
        """His roles in words."""
        own = [name.say(language) for role, name in ROLE_NAMES.items() if role in self.caller.roles]
        return [name[:1].upper() + name[1:] for name in own]


def cookie_name(front: Front) -> str:
    """The session's cookie. With TLS it has the prefix with which no other host can set it."""
    return "__Host-holdfast" if secure(front) else "holdfast"


def set_cookie(front: Front, answer: Response, token: str) -> None:
    """Gives a browser its session."""
    answer.set_cookie(
        cookie_name(front), token, int(sessions.LASTS.total_seconds()), path="/",
        httponly=True, samesite="lax", secure=secure(front),
    )  # fmt: skip


def drop_cookie(front: Front, answer: Response) -> None:
    """Takes a browser its session."""
    answer.delete_cookie(cookie_name(front), path="/", httponly=True, samesite="lax", secure=secure(front))


async def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in; None: nobody."""
    front: Front = request.app.state.front
    token = request.cookies.get(cookie_name(front), "")
    if not token:
        return None
    sign_in: SignIn = request.app.state.sign_in
    await sign_in.people.now()
    now = front.clock.now()

    def find() -> sessions.Session | None:
        with front.store.reading() as tx:
            found = sessions.find(tx, token, now)
        if found is not None and sessions.stale(found, now):
            with front.store.writing(concern=Concern()) as tx:
                sessions.seen(tx, token, now)
        return found

    found = await front.work(find)
    if found is None:
        return None
    is_the_issuers = found.person.startswith(ISSUERS)
    person, roles = owner_of(
        front.config.people, found.person if is_the_issuers else f"person:{found.person}", found.roles
    )
    if person is not None and not roles and found.way == ISSUER and found.roles:
        # He stands here without roles of his own: he has those that his issuer gave him, and decides nothing.
        roles = frozenset(found.roles)
        caller = Caller(person.name, roles, rights_of(roles) - PERSONAL, person.actor, person, found.way)
    elif person is not None and roles:
        caller = Caller(person.name, roles, rights_of(roles), person.actor, person, found.way)
    elif is_the_issuers and found.roles:
        # The issuer knows him and says his roles; whoever stands nowhere here decides nothing. That he is called there as
        # one of our people here makes him none of them.
        name = found.person.removeprefix(ISSUERS)
        caller = Caller(name, frozenset(found.roles), rights_of(found.roles) - PERSONAL, found.person, None, found.way)
    else:
        return None  # taken out since he signed in, or without a role now
    logs.bind(caller=caller.actor)
    return Visitor(caller, csrf_of(token), found.way)


def kept_as(caller: Caller) -> str:
    """The name under which the sessions of a caller are kept: the id of one of our people, else as the trail has him."""
    return caller.person.id if caller.person is not None else caller.actor


def kept_roles(caller: Caller) -> tuple[str, ...]:
    """The roles that a session keeps: none of somebody who stands here with roles of his own, which are looked up each time:
    what is taken from him is taken at once."""
    own = caller.person is not None and caller.person.roles and not caller.person.alone
    return () if own else tuple(sorted(caller.roles))


def csrf_of(token: str) -> str:
    """What forms of a session carry; nobody who has it knows the session's token."""
    return hashlib.sha256(b"csrf:" + token.encode()).hexdigest()[:40]


def from_here(request: Request) -> bool:
    """Whether a browser says that a request comes from a page of ours. Old browsers that say nothing carry the token."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return True
    said = urlsplit(origin)
    address = request.app.state.front.config.service.address
    hosts = {request.headers.get("host", "")} | ({urlsplit(address).netloc} if address else set())
    return said.netloc in hosts


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a form, the last of each name; without the token, and without the character that no name has and not
    every database takes."""
    given = await request.form(max_files=1, max_fields=_FIELDS_MOST)
    return {name: value.replace("\0", "") for name, value in given.items() if isinstance(value, str) and name != "csrf"}


async def all_of(request: Request, name: str) -> list[str]:
    """All values of a field that may come several times."""
    given = await request.form(max_files=1, max_fields=_FIELDS_MOST)
    return [value.replace("\0", "") for value in given.getlist(name) if isinstance(value, str)]


class Visits:
    """The dependency that gives the visitor of a page where he has the right."""

    def __init__(self, right: Right | None) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Visitor:
        if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            # No name has such a character, and not every database could be asked for it.
            raise Refused(400, _NO_NAME)
        visitor = await visitor_of(request)
        request.state.visitor = visitor
        if visitor is None:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.method != "GET":
                raise SentAway("/sign-in")
            raise SentAway("/sign-in" if here == "/" else f"/sign-in?next={quote(local(here), safe='')}")
        if request.method not in ("GET", "HEAD"):
            given = (await request.form(max_files=1, max_fields=_FIELDS_MOST)).get("csrf")
            sent = given if isinstance(given, str) else ""
            if not from_here(request) or not hmac.compare_digest(sent.encode(), visitor.csrf.encode()):
                log.warning(
                    "refused: a form that is not ours", extra={"reason": "csrf", "caller": visitor.caller.actor}
                )
                request.app.state.front.metrics.refusals.labels("csrf").inc()
                raise Refused(403, _NOT_OURS, "csrf")
        if self.right is not None:
            sign_in: SignIn = request.app.state.sign_in
            sign_in.demand(request, visitor.caller, self.right)
        return visitor


def visits(right: Right | None) -> Visits:
    """The dependency of a page; None: whoever is signed in."""
    return Visits(right)


__all__ = [
    "Visitor",
    "Visits",
    "all_of",
    "cookie_name",
    "csrf_of",
    "drop_cookie",
    "form_of",
    "from_here",
    "kept_as",
    "kept_roles",
    "set_cookie",
    "visitor_of",
    "visits",
]
