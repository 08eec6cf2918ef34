"""People and keys on pages: who works here with which roles, how they sign in, and keys for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.config_people import ALL_ROLES
from connector.credit.authority import ROLE_NAMES
from connector.errors import ConfigError, Missing
from connector.store import api_keys, audit, passwords, sessions
from connector.store.audit import Entry, Line
from connector.text import Text
from connector.web.actors import who
from connector.web.administrator import Admin, acting
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.rights import RIGHT_NAMES, RIGHTS, allowed
from connector.web.session import all_of, form_of, set_cookie
from jobs import keys, people, unconfirmed
from jobs.action_words import action

_ADDED = Text("{name} is entered.", "已添加 {name}。")
_CHANGED = Text("{name} is changed.", "已修改 {name}。")
_REMOVED = Text(
    "{name} is taken out: signed out everywhere, keys are good no more.", "已移除 {name}：所有登录与密钥均已失效。"
)
_CONFIRMED = Text("{name} is confirmed; the roles count again.", "已确认 {name}，其角色恢复有效。")
_ENDED = Text("{name} is signed out everywhere.", "{name} 的所有登录会话均已结束。")
_REVOKED = Text("The key {id} is good no more.", "密钥 {id} 已失效。")
_REVOKED_BEFORE = Text("The key {id} was revoked before.", "密钥 {id} 此前已吊销。")
_NOBODY = Text("There is nobody of that name.", "没有该人员。")
_NOT_ALLOWED = Text("The roles do not allow it.", "所选角色没有该权限。")
_NO_ROLE = Text("Choose at least one role.", "请至少选择一个角色。")
_NAME = Text("Small letters, digits, dots and dashes.", "仅限小写字母、数字、点和连字符。")
# Of what has become of somebody since something of him rests, so many lines are shown.
_LINES_MOST = 20
ROLES = [(role, ROLE_NAMES[role]) for role in ROLE_NAMES]


def router(front: Front) -> APIRouter:
    """The pages of people and keys."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/people")
    async def listing(request: Request, visitor: Admin) -> Response:
        return await _listing(request, visitor)

    async def _listing(request: Request, visitor: Admin, **more: Any) -> Response:
        now = front.clock.now()

        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                return {
                    "people": people.listing(tx, front.config),
                    "with_password": passwords.people(tx),
                    "keys": [(key, key.state(now), who(front.config, key.owner)) for key in api_keys.listing(tx)][::-1],
                }

        found = await front.work(read)
        usual: dict[str, Any] = {"given": {}, "given_roles": [], "wrong": {}, "shown": None, "status": 200}
        return await pages_of(request).show(
            request,
            "admin/people.html",
            visitor,
            roles=ROLES,
            role_names=ROLE_NAMES,
            rights=[(right, RIGHT_NAMES[right]) for right in RIGHTS],
            key_states=keys.STATES,
            issuer=front.config.sign_in.client is not None,
            nobody=not front.config.people,
            **(usual | found | more),
        )

    @routes.get("/admin/people/{who}")
    async def one(request: Request, visitor: Admin, who: str) -> Response:
        return await _one(request, visitor, who)

    async def _one(request: Request, visitor: Admin, name: str, **more: Any) -> Response:
        now = front.clock.now()

        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                found = next((p for p in people.listing(tx, front.config) if p.settings.id == name), None)
                if found is None:
                    raise Missing(_NOBODY)
                rests = found.resting
                since = rests.since if rests is not None else now
                lines = audit.listing(tx, subject=f"person:{name}", since=since, limit=_LINES_MOST)
                return {
                    "person": found,
                    "password": passwords.find(tx, name),
                    "sessions": sessions.running(tx, name, now),
                    "may_confirm": rests is not None and unconfirmed.is_second(tx, name, rests, visitor.caller.actor),
                    "others": unconfirmed.others(tx, front.config, name, rests) if rests is not None else [],
                    "since": [(line.at, action(line.entry.action), *_by(front, line)) for line in lines],
                }

        found = await front.work(read)
        settings, rests = found["person"].settings, found["person"].resting
        given = {
            "name": settings.name,
            "email": settings.email or "",
            "language": settings.language or "",
            "subject": settings.subject or "",
            "approve_up_to": "" if settings.approve_up_to is None else str(settings.approve_up_to),
            "ids": "\n".join(f"{system}: {user}" for system, user in settings.ids.items()),
        }
        # What was typed stands again in its field; a field that was not sent has what is kept.
        more = more | {"given": given | dict(more.get("given", {}))}
        usual = {"given_roles": settings.roles, "wrong": {}, "invited": None, "status": 200}
        return await pages_of(request).show(
            request,
            "admin/person.html",
            visitor,
            roles=ROLES,
            currency=front.config.business.currency,
            why=unconfirmed.WHY,
            by=[who(front.config, actor) for actor in rests.by] if rests is not None else [],
            power=unconfirmed.POWER,
            role_names=ROLE_NAMES,
            systems=[system.name for system in front.config.systems],
            **(usual | found | more),
        )

    @routes.post("/admin/people")
    async def add(request: Request, visitor: Admin) -> Response:
        given, roles = await form_of(request), await all_of(request, "roles")
        values = {"id": given.get("id", "").strip(), **_values(given, roles)}
        person, now = acting(visitor), front.clock.now()

        def act() -> tuple[str, str]:
            with front.store.writing() as tx:
                made = people.add(tx, front.config, {k: v for k, v in values.items() if v}, person=person, now=now)
                # Whoever enters the first administrator, before anybody stood here, goes on as him.
                token = sessions.begin(tx, made.id, (), "code", now) if person.alone else ""
                return made.name or made.id, token

        try:
            name, token = await front.work(act)
        except ConfigError as wrong:
            return await _listing(
                request, visitor, given=given, given_roles=roles, wrong={"person": wrong.user}, status=422
            )
        await request.app.state.sign_in.people.anew()
        address = f"/admin/people/{values['id']}"
        answer = pages_of(request).moved(request, address, _ADDED.fill(name=name), visitor=visitor)
        if token:
            set_cookie(front, answer, token)
            pages_of(request).tell(answer, token, _ADDED.fill(name=name))
        return answer

    @routes.post("/admin/people/{who}")
    async def change(request: Request, visitor: Admin, who: str) -> Response:
        given, roles = await form_of(request), await all_of(request, "roles")
        person, now = acting(visitor), front.clock.now()

        def act() -> str:
            with front.store.writing() as tx:
                values = {key: value or None for key, value in _values(given, roles).items()}
                made = people.change(tx, front.config, who, values, person=person, now=now)
                return made.name or made.id

        try:
            name = await front.work(act)
        except Missing:
            raise
        except ConfigError as wrong:
            return await _one(
                request, visitor, who, given=given, given_roles=roles, wrong={"person": wrong.user}, status=422
            )
        await request.app.state.sign_in.people.anew()
        address = f"/admin/people/{who}"
        return pages_of(request).moved(request, address, _CHANGED.fill(name=name), visitor=visitor)

    def _on(visitor: Admin, name: str, act: Callable[[Any, Any, dt.datetime], Any]) -> Any:
        """Does something to one of the people, who is there."""
        person, now = acting(visitor), front.clock.now()
        with front.store.writing() as tx:
            if all(one.settings.id != name for one in people.listing(tx, front.config)):
                raise Missing(_NOBODY)
            return act(tx, person, now)

    @routes.post("/admin/people/{who}/remove")
    async def remove(request: Request, visitor: Admin, who: str) -> Response:
        def act(tx: Any, person: Any, now: dt.datetime) -> None:
            people.remove(tx, front.config, who, person=person, now=now)

        await front.work(lambda: _on(visitor, who, act))
        await request.app.state.sign_in.people.anew()
        return pages_of(request).moved(request, "/admin/people", _REMOVED.fill(name=who), visitor=visitor)

    @routes.post("/admin/people/{who}/sign-out")
    async def sign_out(request: Request, visitor: Admin, who: str) -> Response:
        def act(tx: Any, person: Any, now: dt.datetime) -> None:
            sessions.end_all(tx, who, now)
            audit.append(tx, [Entry("session.end_all", f"person:{who}", person.actor)], now)

        await front.work(lambda: _on(visitor, who, act))
        address = f"/admin/people/{who}"
        return pages_of(request).moved(request, address, _ENDED.fill(name=who), visitor=visitor)

    @routes.post("/admin/people/{who}/invite")
    async def invite(request: Request, visitor: Admin, who: str) -> Response:
        person, now = acting(visitor), front.clock.now()

        def act() -> str:
            with front.store.writing() as tx:
                return people.invite(tx, front.config, who, person=person, now=now)[1]

        code = await front.work(act)
        await request.app.state.sign_in.people.anew()
        # Shown in the answer to this very form, and kept nowhere: it is not in any address of ours that a browser keeps.
        base = front.config.service.address or str(request.base_url).rstrip("/")
        return await _one(request, visitor, who, invited=f"{base}/sign-in/with/{code}")

    @routes.post("/admin/people/{who}/confirm")
    async def confirm(request: Request, visitor: Admin, who: str) -> Response:
        note = (await form_of(request)).get("note", "")[:500]
        person, now = acting(visitor), front.clock.now()

        def act() -> None:
            with front.store.writing() as tx:
                unconfirmed.confirm(tx, front.config, who, person=person, now=now, note=note)

        await front.work(act)
        await request.app.state.sign_in.people.anew()
        say = _CONFIRMED.fill(name=who)
        return pages_of(request).moved(request, f"/admin/people/{who}", say, visitor=visitor)

    # --- keys ------------------------------------------------------------------------------------------------------------
    @routes.post("/admin/keys")
    async def create(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        roles, rights = await all_of(request, "roles"), await all_of(request, "rights")
        wrong = _wrong_key(front, given, roles, rights)
        if wrong:
            return await _listing(request, visitor, given=given, given_roles=roles, wrong=wrong, status=422)
        days = min(int(given.get("days") or front.config.sign_in.key_days), 3650)
        person, now = acting(visitor), front.clock.now()

        def act() -> tuple[Any, str]:
            with front.store.writing() as tx:
                return keys.create(
                    tx,
                    person,
                    f"app:{given['app'].strip()}",
                    roles=tuple(dict.fromkeys(roles)),
                    rights=tuple(r for r in RIGHTS if r in rights) if rights else None,
                    note=given.get("note", ""),
                    expires_at=now + dt.timedelta(days=days),
                    now=now,
                )

        made, token = await front.work(act)
        return await _listing(request, visitor, shown=(made, token))

    @routes.post("/admin/keys/{number}")
    async def with_key(request: Request, visitor: Admin, number: str) -> Response:
        given = await form_of(request)
        person, now = acting(visitor), front.clock.now()
        settings = front.config.sign_in

        def act() -> tuple[Any, str] | bool:
            with front.store.writing() as tx:
                key = api_keys.get(tx, number)
                if given.get("act") == "rotate":
                    overlap = dt.timedelta(hours=settings.key_overlap_hours)
                    expires = now + dt.timedelta(days=settings.key_days)
                    return keys.rotate(tx, person, key, overlap=overlap, expires_at=expires, why="", now=now)
                return keys.revoke(tx, person, key, why=given.get("why", "")[:500], now=now)

        done = await front.work(act)
        if isinstance(done, tuple):
            return await _listing(request, visitor, shown=done)
        say, tone = (_REVOKED, "ok") if done else (_REVOKED_BEFORE, "note")
        return pages_of(request).moved(request, "/admin/people", say.fill(id=number), tone=tone, visitor=visitor)

    return routes


def _by(front: Front, line: Line) -> tuple[Text, str]:
    """Who did something, and from which address where that is told."""
    after = line.entry.after
    return who(front.config, line.entry.actor), str(after.get("address", "")) if isinstance(after, dict) else ""


def _values(given: Mapping[str, str], roles: list[str]) -> dict[str, Any]:
    """What a form says of a person, by the names of `[[people]]`."""
    ids: dict[str, str] = {}
    for line in given.get("ids", "").splitlines():
        system, colon, user = line.partition(":")
        if line.strip():
            ids[system.strip()] = user.strip() if colon else ""
    most = given.get("approve_up_to", "").strip()
    return {
        "name": given.get("name", "").strip(),
        "roles": [role for role in ROLE_NAMES if role in roles],
        "email": given.get("email", "").strip(),
        "language": given.get("language", ""),
        "subject": given.get("subject", "").strip(),
        "approve_up_to": int(most) if is_number(most, 18) else most,
        "ids": ids,
    }


def _wrong_key(front: Front, given: Mapping[str, str], roles: list[str], rights: list[str]) -> dict[str, Text]:
    name = given.get("app", "").strip()
    plain = name.isascii() and name[:40] == name and name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    wrong: dict[str, Text] = {}
    if not plain or name != name.lower():
        wrong["app"] = _NAME
    if not roles or not set(roles) <= ALL_ROLES:
        wrong["roles"] = _NO_ROLE
    elif not set(rights) <= allowed(front.config.people, f"app:{name}", tuple(roles)):
        wrong["rights"] = _NOT_ALLOWED
    if given.get("days") and not (is_number(given["days"]) and 0 < int(given["days"]) <= 3650):
        wrong["days"] = Text("From 1 to 3650.", "1 至 3650。")
    return wrong
