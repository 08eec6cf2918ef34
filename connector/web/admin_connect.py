"""Connecting a system on pages: its product chosen, its form filled in, tried before it is kept; changed the same way.

What is typed as a secret is in the form once. The page that comes back after a trial carries it sealed, bound to this
session and good for half an hour, so that it need not be typed twice and is readable nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import simplejson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector import adapter as adapters
from connector.adapter import Adapter
from connector.config_form import form_of, form_of_system, shown
from connector.config_seal import HOW, seal_of
from connector.config_system import System
from connector.errors import ConfigError, HoldfastError, Missing, Problem
from connector.store import documents
from connector.text import Text
from connector.web.admin_systems import ROLES, config_now, follow, gives
from connector.web.administrator import Admin, acting
from connector.web.connect_form import Given, by_name, given_of, more_of, problems_of
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor
from connector.web.session import form_of as fields_of
from jobs import seals, systems
from jobs.overtaken import Overtaken, not_overtaken
from jobs.seals import sealed_name
from jobs.try_system import Tried, try_system

_CONNECTED = Text(
    "{name} is connected, and read within a minute. Next: look at its field mapping.",
    "{name} 已连接，一分钟内开始读取。下一步：查看字段映射。",
)
_CHANGED = Text("{name} is changed: version {number} is in use.", "{name} 已修改：版本 {number} 已启用。")
_KEPT_SECONDS = 1800
_TRIAL_SECONDS = 40.0


def router(front: Front) -> APIRouter:
    """The pages on which systems are connected and changed."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/connect")
    async def choose(request: Request, visitor: Admin) -> Response:
        found = [adapters.load(name) for name in adapters.names()]
        products = [(one, gives(one)) for one in found]
        return await pages_of(request).show(request, "admin/connect.html", visitor, products=products)

    @routes.get("/admin/connect/{adapter}")
    async def new(request: Request, visitor: Admin, adapter: str) -> Response:
        product = _product(adapter)
        taken = {one.name for one in await front.work(lambda: config_now(front).systems)}
        name = next(n for n in (adapter, *(f"{adapter}{i}" for i in range(2, 999))) if n not in taken)
        fields = {"name": name, **{s.field: s.default for s in (*form_of(product), *form_of_system())}}
        return await _form(request, visitor, product, Given(fields, list(product.roles[:1])))

    @routes.get("/admin/systems/{name}/change")
    async def change(request: Request, visitor: Admin, name: str, version: str = "") -> Response:
        def read() -> tuple[System, int]:
            with front.store.reading() as tx:
                listed = systems.one(tx, front.config, name)
                kept = documents.versions(tx, documents.SYSTEM, name)
            if listed.system is None or listed.kept == "file":
                raise ConfigError(_OF_FILE.fill(name=name))
            return listed.system, kept[0].number if kept else 0

        system, seen = await front.work(read)
        product = adapters.load(system.adapter)
        fields = {"name": system.name, **shown(product, system), **more_of(system)}
        return await _form(request, visitor, product, Given(fields, list(system.roles), seen=seen), old=system)

    async def _form(
        request: Request,
        visitor: Visitor,
        product: Adapter[Any],
        given: Given,
        *,
        old: System | None = None,
        problems: list[Problem] | None = None,
        tried: Tried | None = None,
        wrong: Text | None = None,
        status: int = 200,
        checked: bool = False,
    ) -> Response:
        can_seal = await front.work(lambda: _can_seal(front))
        return await pages_of(request).show(
            request,
            "admin/connect_form.html",
            visitor,
            status=status,
            product=product,
            gives=gives(product),
            given=given,
            old=old,
            settings=[s for s in form_of(product) if s.place != "secrets"],
            secrets=[s for s in form_of(product) if s.place == "secrets"],
            general=form_of_system(),
            roles=[(role, ROLES[role]) for role in product.roles],
            problems=problems or [],
            wrong={p.field: Text(f"{p.what.en} {p.fix.en}", f"{p.what.zh}{p.fix.zh}") for p in problems or ()},
            refused=wrong,
            tried=tried,
            firsts={one.name: _readable(one.first) for one in tried.streams if one.first} if tried else {},
            can_seal=can_seal,
            can_make=front.config.file is not None,
            how_to_seal=HOW,
            checked=checked,
            typed=set(given.secrets),
        )

    async def _told(
        request: Request, visitor: Visitor, adapter: str, name: str | None
    ) -> tuple[Any, Given, System | None]:
        product = _product(adapter)
        given = await given_of(request, product)
        old = await front.work(lambda: _old(front, name)) if name is not None else None
        if old is not None:
            given.fields["name"] = old.name
        given.secrets = {**await front.work(lambda: _opened(front, visitor, given)), **given.secrets}
        return product, given, old

    async def _check(request: Request, visitor: Visitor, adapter: str, name: str | None = None) -> Response:
        product, given, old = await _told(request, visitor, adapter, name)
        problems = await front.work(lambda: problems_of(front, product, given, old)[1])
        return await _form(request, visitor, product, given, old=old, problems=problems, checked=True)

    async def _try(request: Request, visitor: Visitor, adapter: str, name: str | None = None) -> Response:
        product, given, old = await _told(request, visitor, adapter, name)
        text, problems = await front.work(lambda: problems_of(front, product, given, old))
        if problems:
            return await _form(request, visitor, product, given, old=old, problems=problems, status=422)
        tried = await front.work(lambda: _tried(front, visitor, text, given))
        given.held = await front.work(lambda: _held(front, visitor, given))
        given.tried = _mark(visitor, text, given) if tried.fine else ""
        return await _form(request, visitor, product, given, old=old, tried=tried, problems=list(tried.problems))

    async def _save(request: Request, visitor: Visitor, adapter: str, name: str | None = None) -> Response:
        product, given, old = await _told(request, visitor, adapter, name)
        text, problems = await front.work(lambda: problems_of(front, product, given, old))
        if problems:
            given.held = await front.work(lambda: _held(front, visitor, given))
            return await _form(request, visitor, product, given, old=old, problems=problems, status=422)
        untried = (await fields_of(request)).get("act") == "untried"
        if not untried and not hmac.compare_digest(given.tried, _mark(visitor, text, given)):
            tried = await front.work(lambda: _tried(front, visitor, text, given))
            if not tried.fine:
                given.held = await front.work(lambda: _held(front, visitor, given))
                return await _form(request, visitor, product, given, old=old, tried=tried, status=422)

        def keep() -> int:
            config, who, now = front.config, acting(visitor), front.clock.now()
            values = {sealed_name(given.fields["name"], key): value for key, value in by_name(given).items()}
            with front.store.writing() as tx:
                documents.lock(tx)
                if old is not None:
                    not_overtaken(documents.versions(tx, documents.SYSTEM, old.name), given.seen)
                elif (other := documents.active(tx, documents.SYSTEM, given.fields["name"])) is not None:
                    raise Overtaken(other)  # somebody has connected one of that name this very moment
                made = systems.connect_system(
                    tx, config, text, person=who, now=now, note=given.note, secrets=values or None
                )
            return made.number

        try:
            number = await front.work(keep)
        except Overtaken as other:
            given.seen = other.newest.number
            given.held = await front.work(lambda: _held(front, visitor, given))
            return await _form(request, visitor, product, given, old=old, wrong=other.user, status=409)
        await follow(request)
        say = (_CONNECTED if old is None else _CHANGED).fill(name=given.fields["name"], number=number)
        return pages_of(request).moved(request, f"/admin/systems/{given.fields['name']}", say, visitor=visitor)

    async def _seal(request: Request, visitor: Visitor, adapter: str, name: str | None = None) -> Response:
        """Makes the key that seals what is typed; the form goes on as it was."""
        product, given, old = await _told(request, visitor, adapter, name)

        def make() -> None:
            with front.store.writing() as tx:
                seals.make_usual_key(tx, front.config, person=acting(visitor), now=front.clock.now())

        try:
            await front.work(make)
        except ConfigError as wrong:
            return await _form(request, visitor, product, given, old=old, wrong=wrong.user, status=422)
        return await _form(request, visitor, product, given, old=old)

    @routes.post("/admin/connect/{adapter}/seal")
    async def seal_new(request: Request, visitor: Admin, adapter: str) -> Response:
        return await _seal(request, visitor, adapter)

    @routes.post("/admin/systems/{name}/change/seal")
    async def seal_old(request: Request, visitor: Admin, name: str) -> Response:
        return await _seal(request, visitor, (await front.work(lambda: _old(front, name))).adapter, name)

    @routes.post("/admin/connect/{adapter}/check")
    async def check_new(request: Request, visitor: Admin, adapter: str) -> Response:
        return await _check(request, visitor, adapter)

    @routes.post("/admin/connect/{adapter}/try")
    async def try_new(request: Request, visitor: Admin, adapter: str) -> Response:
        return await _try(request, visitor, adapter)

    @routes.post("/admin/connect/{adapter}/save")
    async def save_new(request: Request, visitor: Admin, adapter: str) -> Response:
        return await _save(request, visitor, adapter)

    @routes.post("/admin/systems/{name}/change/check")
    async def check_old(request: Request, visitor: Admin, name: str) -> Response:
        return await _check(request, visitor, (await front.work(lambda: _old(front, name))).adapter, name)

    @routes.post("/admin/systems/{name}/change/try")
    async def try_old(request: Request, visitor: Admin, name: str) -> Response:
        return await _try(request, visitor, (await front.work(lambda: _old(front, name))).adapter, name)

    @routes.post("/admin/systems/{name}/change/save")
    async def save_old(request: Request, visitor: Admin, name: str) -> Response:
        return await _save(request, visitor, (await front.work(lambda: _old(front, name))).adapter, name)

    return routes


def _tried(front: Front, visitor: Visitor, text: str, given: Given) -> Tried:
    secrets = {sealed_name(given.fields["name"], key): value for key, value in by_name(given).items()}
    return try_system(
        front.store, config_now(front), text, front.clock,
        by=acting(visitor).actor, secrets=secrets, seconds=_TRIAL_SECONDS,
    )  # fmt: skip


def _old(front: Front, name: str) -> System:
    """The system of that name that is changed. ConfigError where it stands in config.toml."""
    with front.store.reading() as tx:
        listed = systems.one(tx, front.config, name)
    if listed.kept == "file" or listed.system is None:
        raise ConfigError(_OF_FILE.fill(name=name))
    return listed.system


def _product(name: str) -> Adapter[Any]:
    if name not in adapters.names():
        raise Missing(Text("There is no such product.", "没有该产品。"))
    return adapters.load(name)


def _readable(record: Any) -> str:
    return simplejson.dumps(record, ensure_ascii=False, indent=2, use_decimal=True, default=str)


# --- secrets between two pages -----------------------------------------------------------------------------------------------
def _can_seal(front: Front) -> bool:
    try:
        seal_of(front.config)
    except HoldfastError:
        return False
    return True


def _bound(visitor: Visitor) -> str:
    """To what a page's secrets are bound: this session, and nobody else's."""
    return "form/" + hashlib.sha256(f"held {visitor.csrf}".encode()).hexdigest()[:32]


def _held(front: Front, visitor: Visitor, given: Given) -> str:
    """What was typed, sealed for the page that comes back; "" where there is nothing, or no key."""
    if not given.secrets or not _can_seal(front):
        return ""
    until = front.clock.now().timestamp() + _KEPT_SECONDS
    return seal_of(front.config).close(_bound(visitor), simplejson.dumps([int(until), given.secrets]))


def _opened(front: Front, visitor: Visitor, given: Given) -> dict[str, str]:
    """What was typed on the page before, in this session; {} for anything else."""
    if not given.held:
        return {}
    try:
        until, secrets = simplejson.loads(seal_of(front.config).open(_bound(visitor), given.held))
    except (HoldfastError, ValueError):
        return {}
    return dict(secrets) if until >= front.clock.now().timestamp() else {}


def _mark(visitor: Visitor, text: str, given: Given) -> str:
    """That this very text was tried with these very secrets in this session."""
    whole = simplejson.dumps([text, sorted(given.secrets.items())])
    return hmac.new(visitor.csrf.encode(), whole.encode(), hashlib.sha256).hexdigest()


_OF_FILE = Text(
    "“{name}” stands in config.toml: the operator changes it there.",
    "“{name}”在 config.toml 中配置，请由运维人员在该文件中修改。",
)

__all__ = ["router"]
