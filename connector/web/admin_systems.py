"""Systems on pages: which are connected and how each stands, its webhooks, panel and fields over there, history, removal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector import adapter as adapters
from connector.adapter import Adapter, Finding
from connector.config import Config
from connector.connect import Connected, connect
from connector.errors import ConfigError, HoldfastError, Missing
from connector.store import documents, subscriptions, system_state
from connector.text import Text
from connector.web import differing
from connector.web.administrator import Admin, acting
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, form_of
from jobs import channels, demo_company, provisioning, systems, ways
from jobs.configured import opener, whole
from jobs.look import looked
from jobs.try_system import WRITES

_USED = Text("Version {number} of {name} is in use.", "{name} 版本 {number} 已启用。")
_REMOVED = Text(
    "{name} is no longer read or written to. It can be put in use again from its history.",
    "{name} 已移除，不再读写。可在其历史中重新启用。",
)
_ASKED = Text("{name} was asked to call us.", "已向 {name} 订阅 Webhook。")
_REMOVED_CALLING = Text(
    "{name} is taken out. The next run asks it to call no more; until then its calls are refused.",
    "{name} 已移除。下次运行时会请其停止通知，此前的通知一律拒收。",
)
_FORGOTTEN = Text("Nothing is left of its webhooks.", "已没有遗留的 Webhook 订阅。")
_ENDED = Text("{name} was asked to call no more.", "已取消 {name} 的 Webhook 订阅。")
ROLES = {
    "erp": Text("ERP, which keeps the ledger", "ERP（掌管账簿）"),
    "crm": Text("CRM, where salespeople work", "CRM（销售使用）"),
    "bureau": Text("credit bureau", "征信机构"),
    "rates": Text("source of exchange rates", "汇率来源"),
}
STATES = {
    "in_use": (Text("in use", "使用中"), "ok"),
    "left_out": (Text("left out: something is wrong", "因有错误未启用"), "bad"),
    "draft": (Text("draft", "草稿"), "note"),
    "removed": (Text("removed", "已移除"), "idle"),
}
EVIDENCE = {
    "live": Text("seen with the real product", "已用真实产品验证"),
    "official-client": Text("the vendor's own client works against our sandbox", "厂商官方客户端可用于我们的沙箱"),
    "documented": Text("built from the vendor's documents", "依据厂商文档实现"),
}
FINDINGS = {
    "fine": (Text("fine", "正常"), "ok"),
    "made": (Text("made", "已创建"), "ok"),
    "would": (Text("would be made", "将创建"), "note"),
    "todo": (Text("to do", "待办"), "warn"),
    "wrong": (Text("wrong", "有误"), "bad"),
}


def config_now(front: Front) -> Config:
    """The configuration with what the database has in use at this moment."""
    with front.store.reading() as tx:
        return whole(tx, front.config, opener(front.store, front.config)).config


async def follow(request: Request) -> None:
    """From here on this process has what was just put in use; its jobs look soon."""
    await request.app.state.sign_in.people.anew()
    request.app.state.front.wake.set()


def gives(adapter: Adapter[Any]) -> dict[str, Any]:
    """What a product gives, in words: what is read, what is written, how orders are held, on what evidence."""
    return {
        "reads": [stream.title for stream in adapter.streams],
        "writes": [WRITES.get(channel.kind, Text(channel.kind, channel.kind)) for channel in adapter.channels],
        "holds": [(ways.told(block), block.makes) for block in adapter.blocks],
        "evidence": [(EVIDENCE[one.kind], one.what) for one in adapter.evidence],
        "roles": [ROLES[role] for role in adapter.roles],
        "hooks": adapter.hook is not None,
        "frames": adapter.framed_by is not None,
    }


def router(front: Front) -> APIRouter:
    """The pages of systems."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/systems")
    async def listing(request: Request, visitor: Admin) -> Response:
        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                listed = systems.listing(tx, front.config)
                states = system_state.states(tx, [one.name for one in listed])
                held = subscriptions.held(tx)
            config = config_now(front)
            holds = {}
            for one in listed:
                if one.system is not None:
                    adapter = adapters.load(one.system.adapter)
                    writes = config.writes_to(one.system)
                    holds[one.name] = _strongest(adapter, one.system.hold) if writes else None
            return {"listed": listed, "stands": states, "holds": holds, "held": {h.system for h in held}}

        found = await front.work(read)
        return await pages_of(request).show(
            request, "admin/systems.html", visitor, states=STATES, roles=ROLES, demo=demo_company.NAMES, **found
        )

    @routes.get("/admin/systems/{name}")
    async def system(request: Request, visitor: Admin, name: str) -> Response:
        return await _system(request, visitor, name)

    async def _system(request: Request, visitor: Visitor, name: str, **more: Any) -> Response:
        found = await front.work(lambda: _about(front, name))
        base = front.config.service.address or f"{request.url.scheme}://{request.url.netloc}"
        values = {"findings": None, "what": None, "secret_address": None, "wrong": None, **more}
        return await pages_of(request).show(
            request,
            "admin/system.html",
            visitor,
            status=422 if values["wrong"] else 200,
            name=name,
            base=base,
            states=STATES,
            roles=ROLES,
            tones=FINDINGS,
            **found,
            **values,
        )

    @routes.post("/admin/systems/{name}/look")
    async def check(request: Request, visitor: Admin, name: str) -> Response:
        def act() -> Sequence[Finding]:
            connected = _connected(front, name)
            return looked(front.store, connected.config, connected, by=acting(visitor).actor)

        return await _told(request, visitor, name, act, Text("Looked at just now", "刚刚检查"))

    @routes.post("/admin/systems/{name}/provision")
    async def provision(request: Request, visitor: Admin, name: str) -> Response:
        make = (await form_of(request)).get("act") == "make"

        def act() -> Sequence[Finding]:
            connected = _connected(front, name)
            if make:
                return provisioning.provision(front.store, connected, person=acting(visitor), now=front.clock.now())
            return provisioning.lacking(connected)

        title = Text("Made just now", "刚刚创建") if make else Text("What is lacking there", "对方缺少的内容")
        return await _told(request, visitor, name, act, title)

    async def _told(
        request: Request, visitor: Visitor, name: str, act: Callable[[], Sequence[Finding]], title: Text
    ) -> Response:
        await front.work(lambda: _connected(front, name))  # none of that name is another matter than one that fails
        try:
            findings = await front.work(act)
        except HoldfastError as wrong:
            findings = [Finding("wrong", wrong.user)]
        return await _system(request, visitor, name, findings=findings, what=title)

    @routes.post("/admin/systems/{name}/hook")
    async def hook(request: Request, visitor: Admin, name: str) -> Response:
        """Webhooks: asks the system to call, or to call no more; shows the address that is to be entered there; takes a
        person's word that those of a system that is out were ended there by hand."""
        act = (await form_of(request)).get("act", "")
        who = acting(visitor).actor
        if act == "forget":
            person, now = acting(visitor), front.clock.now()
            await front.work(lambda: channels.forget(front.store, config_now(front), name, person=person, now=now))
            return _moved(request, visitor, name, _FORGOTTEN)
        connected = await front.work(lambda: _connected(front, name))
        try:
            if act == "subscribe":
                await front.work(lambda: channels.subscribe(front.store, connected.config, connected, actor=who))
                return _moved(request, visitor, name, _ASKED.fill(name=name))
            if act == "end":
                await front.work(lambda: channels.unsubscribe(front.store, connected.config, connected, actor=who))
                return _moved(request, visitor, name, _ENDED.fill(name=name))
            address = await front.work(
                lambda: channels.shown_address(front.store, connected.config, connected, actor=who)
            )
        except HoldfastError as wrong:
            return await _system(request, visitor, name, wrong=wrong.user)
        return await _system(request, visitor, name, secret_address=address)

    def _moved(request: Request, visitor: Visitor, name: str, say: Text) -> Response:
        return pages_of(request).moved(request, f"/admin/systems/{name}", say, visitor=visitor)

    @routes.get("/admin/systems/{name}/history")
    async def history(request: Request, visitor: Admin, name: str, old: str = "", new: str = "") -> Response:
        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                listed = systems.one(tx, front.config, name)
                versions, journal = systems.history(tx, name)
                used = documents.active(tx, documents.SYSTEM, name)
            known = {v.number: v for v in versions}
            second = known.get(int(new)) if is_number(new) else (versions[0] if versions else None)
            first = known.get(int(old)) if is_number(old) else None
            if second is not None and first is None:
                first = known.get(second.number - 1)
            changes = differing.lines(first.text if first else "", second.text) if second else []
            return {
                "listed": listed, "versions": versions, "journal": journal, "used": used.number if used else None,
                "first": first, "second": second, "changes": changes,
            }  # fmt: skip

        found = await front.work(read)
        return await pages_of(request).show(request, "admin/system_history.html", visitor, name=name, **found)

    @routes.post("/admin/systems/{name}/activate")
    async def activate(request: Request, visitor: Admin, name: str) -> Response:
        given = await form_of(request)
        number = given.get("version", "")
        if not is_number(number):
            raise Missing(Text("There is no such version.", "没有该版本。"))

        def put() -> None:
            with front.store.writing() as tx:
                systems.activate(
                    tx, front.config, name, int(number), person=acting(visitor), now=front.clock.now(),
                    note=given.get("note", "")[:500],
                )  # fmt: skip

        await front.work(put)
        await follow(request)
        return _moved(request, visitor, name, _USED.fill(name=name, number=number))

    @routes.get("/admin/systems/{name}/remove")
    async def ask(request: Request, visitor: Admin, name: str) -> Response:
        found = await front.work(lambda: _about(front, name))
        return await pages_of(request).show(request, "admin/system_remove.html", visitor, name=name, **found)

    @routes.post("/admin/systems/{name}/remove")
    async def remove(request: Request, visitor: Admin, name: str) -> Response:
        note = (await form_of(request)).get("note", "")[:500]

        def act() -> None:
            with front.store.writing() as tx:
                systems.remove(tx, front.config, name, person=acting(visitor), now=front.clock.now(), note=note)

        await front.work(act)
        await follow(request)
        left = (await front.work(lambda: _about(front, name)))["left"]
        say = (_REMOVED_CALLING if left else _REMOVED).fill(name=name)
        return pages_of(request).moved(request, "/admin/systems", say, visitor=visitor)

    @routes.get("/admin/products/{adapter}")
    async def product(request: Request, visitor: Admin, adapter: str) -> Response:
        """The guide of a product: how it is set up over there, what its user needs."""
        if adapter not in adapters.names():
            raise Missing(Text("There is no such product.", "没有该产品。"))
        text = await front.work(lambda: (Path(adapters.folder(adapter)) / "README.md").read_text(encoding="utf-8"))
        found = adapters.load(adapter)
        return await pages_of(request).show(
            request, "admin/product.html", visitor, title=found.title, adapter=adapter, text=text, gives=gives(found)
        )

    return routes


def _strongest(adapter: Adapter[Any], wanted: str) -> Text | None:
    """The strongest way in which a product can hold orders, as far as the administrator wants it."""
    kinds = dict.fromkeys(block.channel for block in adapter.blocks)
    blocks = [block for kind in kinds for block in ways.ways(adapter, wanted, kind)[:1]]
    return ways.KINDS[blocks[0].kind] if blocks else None


def _connected(front: Front, name: str) -> Connected:
    """A system that is in use, with the configuration of this moment. Missing where there is none."""
    config = config_now(front)
    try:
        return connect(config, name, front.clock, front.store)
    except ConfigError as wrong:
        raise Missing(wrong.user) from None


def _about(front: Front, name: str) -> dict[str, Any]:
    """All that the page of a system shows."""
    config = config_now(front)
    with front.store.reading() as tx:
        listed = systems.one(tx, front.config, name)
        state = system_state.states(tx, [name])[name]
        held = [h for h in subscriptions.held(tx) if h.system == name]
        left = channels.left(tx, config).get(name, [])
    system = listed.system
    adapter = adapters.load(system.adapter) if system is not None else None
    streams = []
    for stream in adapter.streams if adapter else ():
        read, complete = state.read.get(stream.name, (None, None))
        streams.append((stream.title, stream.name, read, complete))
    return {
        "listed": listed,
        "system": system,
        "adapter": adapter,
        "gives": gives(adapter) if adapter else None,
        "state": state,
        "streams": streams,
        "held": held,
        "left": left,
        "writes": system is not None and config.writes_to(system),
        "settings": _plain(system.settings) if system is not None else [],
    }


def _plain(settings: Any) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in settings.items()]
