"""Links on pages: which account is which customer: proposals to decide, accounts that stand alone, and what is linked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import ConfigError, Missing
from connector.store import link_list
from connector.store.link_list import Pair
from connector.text import Text
from connector.web.administrator import Admin, acting
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import local, pages_of
from connector.web.session import Visitor, form_of
from jobs import links

_MOST = 50
_VIEWS = ("proposals", "alone", "linked")
_CONFIRMED = Text(
    "{one} and {other} are one customer. It counts from the next run on.",
    "{one} 与 {other} 为同一客户，下次运行起生效。",
)
_REFUSED = Text(
    "{one} and {other} are two customers, and are not proposed again.", "{one} 与 {other} 并非同一客户，今后不再建议。"
)
_PARTED = Text(
    "{one} stands alone from the next run on, and no machine links it again.",
    "{one} 自下次运行起单独列出，系统不再自动关联。",
)
_COLUMNS = (
    Column("account", Text("Account", "CRM 客户")),
    Column("name", Text("Name", "名称")),
    Column("tax_id", Text("Tax id", "税号")),
    Column("customer", Text("Customer", "ERP 客户")),
    Column("its_name", Text("Its name", "其名称")),
    Column("its_tax_id", Text("Its tax id", "其税号")),
    Column("how", Text("By", "依据")),
    Column("alike", Text("Alike", "相似度"), percent=True),
)


def router(front: Front) -> APIRouter:
    """The pages of links."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/links")
    async def listing(
        request: Request,
        visitor: Admin,
        view: str = "proposals",
        q: str = "",
        after: str = "0",
    ) -> Response:
        view = view if view in _VIEWS else "proposals"
        form = request.query_params.get("as", "")
        return await _listing(request, visitor, view, q[:200].strip(), int(after) if is_number(after, 18) else 0, form)

    async def _listing(
        request: Request,
        visitor: Visitor,
        view: str,
        words: str,
        after: int,
        form: str = "",
        given: dict[str, str] | None = None,
        wrong: dict[str, Text] | None = None,
    ) -> Response:
        crms, erps = links.sides(front.config)

        def read() -> tuple[Sequence[Pair], tuple[int, int, int]]:
            most = MOST if form in FORMS else _MOST + 1
            with front.store.reading() as tx:
                if view == "proposals":
                    found = link_list.proposed(tx, erps, words, after=after, most=most)
                elif view == "alone":
                    found = link_list.unlinked(tx, crms, erps, words, after=after, most=most)
                else:
                    found = link_list.linked(tx, crms, erps, words, after=after, most=most)
                return found, link_list.counts(tx, crms, erps)

        pairs, counts = await front.work(read)
        if form in FORMS:
            return exported(request, f"links-{view}", _COLUMNS, [_row(pair) for pair in pairs], form, visitor)
        more, pairs = len(pairs) > _MOST, pairs[:_MOST]
        following = after + _MOST if view == "proposals" else (pairs[-1].account.key if pairs else 0)
        return await pages_of(request).show(
            request,
            "admin/links.html",
            visitor,
            status=422 if wrong else 200,
            view=view,
            words=words,
            after=after,
            pairs=pairs,
            counts=counts,
            why=links.why,
            how=links.HOW,
            next=following if more else None,
            crms=crms,
            erps=erps,
            given=given or {},
            wrong=wrong or {},
        )

    @routes.post("/admin/links/decide")
    async def decide(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        number, same = given.get("proposal", ""), given.get("act") == "same"
        if not is_number(number, 18) or given.get("act") not in ("same", "other"):
            raise Missing(Text("There is no such proposal.", "没有该建议。"))

        def act() -> Pair:
            with front.store.writing() as tx:
                who, now = acting(visitor), front.clock.now()
                return links.decide(tx, front.config, int(number), same, person=who, now=now)

        pair = await front.work(act)
        assert pair.other is not None
        say = (_CONFIRMED if same else _REFUSED).fill(one=pair.account.name, other=pair.other.name)
        return pages_of(request).moved(request, local(given.get("back", "/admin/links")), say, visitor=visitor)

    @routes.post("/admin/links/join")
    async def join(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        one, other = given.get("account", ""), given.get("customer", "")

        def act() -> None:
            with front.store.writing() as tx:
                links.join(tx, front.config, one, other, person=acting(visitor), now=front.clock.now())

        try:
            await front.work(act)
        except ConfigError as wrong:
            return await _listing(request, visitor, "alone", "", 0, given=dict(given), wrong={"customer": wrong.user})
        say = _CONFIRMED.fill(one=one, other=other)
        return pages_of(request).moved(request, local(given.get("back", "/admin/links")), say, visitor=visitor)

    @routes.post("/admin/links/part")
    async def part(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        one = given.get("account", "")

        def act() -> None:
            with front.store.writing() as tx:
                links.part(tx, front.config, one, person=acting(visitor), now=front.clock.now())

        await front.work(act)
        say = _PARTED.fill(one=one)
        return pages_of(request).moved(request, local(given.get("back", "/admin/links")), say, visitor=visitor)

    return routes


def _row(pair: Pair) -> dict[str, Any]:
    one, other = pair.account, pair.other
    return {
        "account": f"{one.system}/{one.ref}",
        "name": one.name,
        "tax_id": one.tax_id,
        "customer": f"{other.system}/{other.ref}" if other else None,
        "its_name": other.name if other else None,
        "its_tax_id": other.tax_id if other else None,
        "how": links.HOW.get(pair.how, Text("not linked", "未关联")),
        "alike": pair.score,
    }
