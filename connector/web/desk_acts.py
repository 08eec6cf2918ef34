"""What people do at a customer's page: they note a contact or a promise, hold its credit, and end such a hold.

Each goes through the jobs that the command line and the API use, which check authority and write the trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.authority import Person
from connector.errors import ConfigError
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text
from connector.web import desk_customer
from connector.web.desk_customers import address_of, today
from connector.web.form_once import done_once
from connector.web.front import Front
from connector.web.pages import local, pages_of
from connector.web.problem import Refused
from connector.web.session import Visitor, form_of, visits
from jobs import contact_log, warning_note
from jobs.contact_log import Said, Unfit, day_of
from jobs.exclusion import end_exclusion, exclude

_NOTED = Text("The contact is noted.", "联系记录已保存。")
_ALREADY = Text("This was noted already; nothing was done twice.", "该内容已提交过，未重复处理。")
_HELD = Text("Credit is held. Open orders are checked again.", "已冻结信用，未完成订单将重新检查。")
_ENDED = Text("The hold has ended. Open orders are checked again.", "已解除冻结，未完成订单将重新检查。")
_TAKEN = Text("Noted. The work list leaves it out until then.", "已确认，到期前不再列入待办事项。")
_NO_DAY = Text("A day, such as 2026-12-01.", "请填写日期，例如 2026-12-01。")
_PAST = Text("That day is over.", "该日期已过。")
_WHY = Text("Say why.", "请说明原因。")
_NOBODY = Text("Only people who are entered in the configuration do this.", "仅配置中登记的人员可执行此操作。")


def router(front: Front) -> APIRouter:
    """The forms of a customer's page."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/desk/contacts")
    async def contact(request: Request, visitor: Annotated[Visitor, Depends(visits("request"))]) -> Response:
        given = await form_of(request)
        row = await front.work(lambda: the_customer(front, given))
        said = Said(**{name: given.get(name, "")[:5000] for name in Said.__dataclass_fields__})

        def note(store: Store) -> int:
            with store.writing() as tx:
                return contact_log.note(
                    tx, front.clock, row, said, visitor.caller.actor,
                    today=today(front), home=front.config.business.currency,
                )  # fmt: skip

        try:
            number = await front.work(lambda: done_once(front, visitor, given, note))
        except Unfit as unfit:
            return await desk_customer.shown(
                front, request, visitor, row.system, row.ref, wrong=unfit.fields, typed=given, status=422
            )
        back = local(given.get("back") or address_of(row))
        say = _NOTED if number is not None else _ALREADY
        return pages_of(request).moved(request, back, say, tone="ok" if number is not None else "note", visitor=visitor)

    @routes.post("/desk/customer-holds")
    async def hold(request: Request, visitor: Annotated[Visitor, Depends(visits("credit"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        why, typed_until = given.get("why", "").strip(), given.get("until", "").strip()
        until = day_of(typed_until) if typed_until else None
        wrong: dict[str, Text] = {}
        if not why:
            wrong["why"] = _WHY
        if typed_until and until is None:
            wrong["until"] = _NO_DAY
        elif until is not None and until < today(front):
            wrong["until"] = _PAST

        def act(store: Store) -> int:
            return exclude(
                store, front.config, front.policy(), front.clock, person, effect="hold", why=why[:500],
                scope="customer", debtor=row.debtor, valid_to=until, systems=front.systems,
            )  # fmt: skip

        if not wrong:
            try:
                number = await front.work(lambda: done_once(front, visitor, given, act))
            except ConfigError as refused:
                wrong["why"] = refused.user
            else:
                front.wake.set()
                say = _HELD if number is not None else _ALREADY
                return pages_of(request).moved(request, address_of(row), say, visitor=visitor)
        return await desk_customer.shown(
            front, request, visitor, row.system, row.ref, wrong=wrong, typed=given, status=422
        )

    @routes.post("/desk/warnings")
    async def acknowledge(request: Request, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        until, wrong = day_of(given.get("until", "")), {}
        if until is None:
            wrong["until"] = _NO_DAY
        if not given.get("why", "").strip():
            wrong["why"] = _WHY
        chosen = [given["indicator"]] if given.get("indicator") else None

        def act(store: Store) -> int:
            assert until is not None, "asked above"
            with store.writing() as tx:
                why = given.get("why", "")[:1000]
                return len(warning_note.acknowledge(tx, front.config, front.clock, row, person, why, until, chosen))

        if not wrong:
            try:
                count = await front.work(lambda: done_once(front, visitor, given, act))
            except ConfigError as refused:
                wrong["until"] = refused.user
            else:
                say = _TAKEN if count is not None else _ALREADY
                return pages_of(request).moved(request, f"{address_of(row)}?tab=warnings", say, visitor=visitor)
        return await desk_customer.shown(
            front, request, visitor, row.system, row.ref, "warnings", wrong=wrong, typed=given, status=422
        )

    @routes.post("/desk/customer-holds/end")
    async def end(request: Request, visitor: Annotated[Visitor, Depends(visits("credit"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        why, typed = given.get("why", "").strip()[:500], given.get("number", "")
        number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 18 else 0

        def act() -> None:
            _of(front, row, number)
            end_exclusion(
                front.store, front.config, front.policy(), front.clock, person, number, why, systems=front.systems
            )

        await front.work(act)
        front.wake.set()
        return pages_of(request).moved(request, address_of(row), _ENDED, visitor=visitor)

    return routes


def the_customer(front: Front, given: Mapping[str, str]) -> CustomerRow:
    """The customer of the ledger that a form is about. Raises Missing."""
    with front.store.reading() as tx:
        row = desk_customer.found(tx, given.get("system", ""), given.get("customer", ""))
        return desk_customer.ledger_row(tx, front, row)


def acting(visitor: Visitor) -> Person:
    """The person who acts. Raises Refused for somebody whom the configuration does not know."""
    if visitor.caller.person is None:
        raise Refused(403, _NOBODY)
    return visitor.caller.person


def _of(front: Front, row: CustomerRow, number: int) -> None:
    """Whether the exclusion is this customer's: a form of one page ends nothing of another."""
    from connector.store import exclusions

    with front.store.reading() as tx:
        mine = any(
            one.id == number and kept.debtor == row.debtor and kept.sales_order is None
            for one, kept in exclusions.listing(tx)
        )
    if not mine:
        raise ConfigError(
            Text("This customer has no such hold; it may have ended already.", "该客户没有此项冻结，可能已被解除。")
        )
