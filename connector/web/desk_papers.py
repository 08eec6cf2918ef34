"""Papers at the desk: what somebody brings goes into a customer's credit file, and attachments are taken from it as files.

An attachment is never shown inside a page: whatever it says it is, it is given as bytes to be kept.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.review import PAPERS
from connector.store.db import Store
from connector.text import Text
from connector.web import desk_customer
from connector.web.desk_acts import acting, the_customer
from connector.web.desk_customers import address_of
from connector.web.export import as_file
from connector.web.fields import is_number
from connector.web.form_once import done_once
from connector.web.front import Front
from connector.web.guards import PAPERS as WHERE
from connector.web.pages import language_of, pages_of
from connector.web.session import Visitor, form_of, visits
from jobs import papers
from jobs.contact_log import day_of
from jobs.papers import Brought, Unfit
from jobs.personal import may_see

_ON_FILE = Text("On file: {kind} no. {number}.", "已归档：{kind}，编号 {number}。")
_ALREADY = Text("This was put on file already; nothing was done twice.", "该资料已归档，未重复处理。")
_TOO_LARGE = Text("The file is larger than {most} MB.", "文件超过 {most} MB。")
_NO_DAY = Text("A day, such as 2026-12-01.", "请填写日期，例如 2026-12-01。")


def router(front: Front) -> APIRouter:
    """The form that brings a paper, and the addresses of attachments."""
    routes = APIRouter(include_in_schema=False)
    most = front.config.service.paper_mib * 1024 * 1024

    # What is put on file may let orders go: it is for those who may hold them.
    @routes.post(WHERE)
    async def bring(request: Request, visitor: Annotated[Visitor, Depends(visits("credit"))]) -> Response:
        given = dict(await form_of(request))
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        file = (await request.form()).get("file")
        attached = isinstance(file, UploadFile) and bool(file.filename)
        content = await file.read(most + 1) if isinstance(file, UploadFile) else b""
        wrong: dict[str, Text] = {}
        if len(content) > most:
            wrong["file"] = _TOO_LARGE.fill(most=front.config.service.paper_mib)
        days = {name: given.get(name, "").strip() for name in ("dated_on", "valid_to", "keep_until")}
        for name, typed in days.items():
            if typed and day_of(typed) is None:
                wrong[name] = _NO_DAY
        one = Brought(
            kind=given.get("kind", ""),
            dated_on=day_of(days["dated_on"]),
            valid_to=day_of(days["valid_to"]),
            source=given.get("source", ""),
            note=given.get("note", ""),
            name=(file.filename or "") if isinstance(file, UploadFile) else "",
            content=content if attached else None,
            purpose=given.get("purpose", "").strip() or None,
            keep_until=day_of(days["keep_until"]),
        )

        def act(store: Store) -> int:
            return papers.put(store, front.config, front.clock, row, one, actor=person.actor, name=person.id)[0]

        if not wrong:
            try:
                number = await front.work(lambda: done_once(front, visitor, given, act))
            except Unfit as unfit:
                wrong = unfit.fields
            else:
                front.wake.set()
                kind = PAPERS[one.kind]  # type: ignore[index]  # `put` has refused any other
                say = _ON_FILE.fill(kind=kind, number=number) if number is not None else _ALREADY
                return pages_of(request).moved(request, f"{address_of(row)}?tab=papers", say, visitor=visitor)
        return await desk_customer.shown(
            front, request, visitor, row.system, row.ref, "papers", wrong=wrong, typed=given, status=422
        )

    @routes.get(WHERE + "/{number}/{system}/{customer:path}")
    async def take(
        request: Request, number: str, system: str, customer: str, visitor: Annotated[Visitor, Depends(visits("read"))]
    ) -> Response:
        return await _given(request, visitor, number, system, customer, "")

    @routes.post(WHERE + "/personal")
    async def take_personal(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        given = await form_of(request)
        which, system, customer = given.get("number", ""), given.get("system", ""), given.get("customer", "")
        why = given.get("why", "").strip()[:1000]
        if not why:
            wrong = {"why": papers.PURPOSE}
            return await desk_customer.shown(
                front, request, visitor, system, customer, "papers", wrong=wrong, typed=given, status=422
            )
        return await _given(request, visitor, which, system, customer, why)

    async def _given(request: Request, visitor: Visitor, which: str, system: str, customer: str, why: str) -> Response:
        may = may_see(visitor.caller.roles)
        number = int(which) if is_number(which) else 0
        language = language_of(request, visitor)

        def take() -> tuple[Text, bytes]:
            with front.store.reading() as tx:
                row = desk_customer.ledger_row(tx, front, desk_customer.found(tx, system, customer))
            return papers.taken(
                front.store, front.config, front.clock, row, number, actor=visitor.caller.actor, may=may, why=why
            )

        name, content = await front.work(take)
        return as_file(name.say(language), content)

    return routes
