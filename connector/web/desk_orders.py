"""The desk's orders: lists of what is held, warned and waits for somebody; one order with what holds it, what would let it
go, and what its visitor may do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.hold_words import rule
from connector.credit.reason import money
from connector.credit.warn_words import LEVEL_TEXTS
from connector.errors import ConfigError, HoldfastError, Missing, TransientError
from connector.money import rounded
from connector.store import order_credit
from connector.store.db import Store
from connector.store.order_credit import Happened, OrderAt
from connector.store.order_list import SORTS, Line, Sort
from connector.text import Text, joined, same
from connector.web.acting import acted, once
from connector.web.actors import who
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.fields import Fields, searched
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.problem import Refused
from connector.web.rights import Right
from connector.web.session import Visitor, form_of, visits
from jobs import order as orders
from jobs.order_acts import acts
from jobs.order_answer import Explained, explain
from jobs.order_words import HAPPENED, NO_ORDER, STATES
from jobs.orders_listed import SHOWS, Listed, Show, held_count, listed

PAGE = 50
TONES = {"held": "bad", "requested": "warn", "refused": "bad", "expired": "bad", "released": "note", "passed": "ok"}
LEVEL_TONES = {"green": "ok", "yellow": "note", "orange": "warn", "red": "bad"}
# What a form may ask for, by the right that it needs.
_ACTS: Mapping[str, Right] = {
    "request": "request", "release": "decide", "refuse": "decide", "hold": "decide", "lift": "decide",
    "recheck": "check",
}  # fmt: skip
_DONE: Mapping[str, Text] = {
    "request": Text("The release is asked for.", "已提交放行申请。"),
    "release": Text("The order is released.", "订单已放行。"),
    "first": Text(
        "Your approval is kept; a second person has to approve the release.",
        "您的批准已记录，还需另一人批准后方可放行。",
    ),
    "refuse": Text("The release is refused.", "已拒绝放行。"),
    "hold": Text("The order is held by hand.", "订单已人工冻结。"),
    "lift": Text("The hold by hand is taken back; the rules alone decide again.", "人工冻结已解除，由规则重新判断。"),
    "recheck": Text("The order was checked again.", "订单已重新检查。"),
    "again": Text("That was done already.", "该操作此前已完成。"),
}
_NO_ACT = Text("There is no such action.", "没有该操作。")
NO_PERSON = Text("Only somebody who is entered here may do this.", "仅限已登记人员操作。")
_UNKNOWN = Text("not checked yet", "尚未检查")
_COLUMNS = (
    Column("order", Text("order", "订单")),
    Column("system", Text("system", "系统")),
    Column("customer_id", Text("customer", "客户编号")),
    Column("name", Text("name", "客户名称")),
    Column("total", Text("total", "金额")),
    Column("currency", Text("currency", "币种")),
    Column("state", Text("state", "状态")),
    Column("since", Text("since", "自")),
    Column("ship_on", Text("ships on", "发货日")),
    Column("why", Text("reasons", "原因")),
    Column("level", Text("warning", "预警")),
)


def router(front: Front) -> APIRouter:
    """The pages of orders."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/orders")
    async def orders_page(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        asked = request.query_params
        show: Show = asked.get("show") if asked.get("show") in SHOWS else "held"  # type: ignore[assignment]
        sort = asked.get("sort", "ship")
        words, down = searched(asked.get("q", "")), sort.startswith("-")
        by: Sort = sort.lstrip("-") if sort.lstrip("-") in SORTS else "ship"  # type: ignore[assignment]
        form = asked.get("as", "")
        after = place_of(asked.get("after", ""))

        def find() -> tuple[Listed, int]:
            policy = front.policy()
            with front.store.reading() as tx:
                found = listed(
                    tx, front.config, policy, front.clock, show, words=words, sort=by, down=down,
                    after=None if form else after, person=visitor.caller.person, most=MOST if form else PAGE,
                )  # fmt: skip
                return found, held_count(tx)

        try:
            found, held = await front.work(find)
        except ValueError:
            raise Refused(422, Text("There is no such page of the list.", "没有该页。")) from None
        if form in FORMS:
            return exported(
                request, f"orders-{show}", _COLUMNS, [_row(found, one) for one in found.lines], form, visitor
            )
        return await pages_of(request).show(
            request, "desk/orders.html", visitor,
            found=found, held=held, show=show, words=words, sort=("-" if down else "") + by, first=after is not None,
            next=None if found.after is None else f"{found.after[1]}~{found.after[0]}",
            states=STATES, tones=TONES, levels=LEVEL_TEXTS, level_tones=LEVEL_TONES, why=why,
        )  # fmt: skip

    @routes.get("/desk/orders/{system}/{order:path}")
    async def order_page(
        request: Request, system: str, order: str, visitor: Annotated[Visitor, Depends(visits("read"))]
    ) -> Response:
        return await _shown(front, request, visitor, system, order)

    @routes.post("/desk/orders/{system}/{order:path}")
    async def act(
        request: Request, system: str, order: str, visitor: Annotated[Visitor, Depends(visits("read"))]
    ) -> Response:
        given = await form_of(request)
        doing = given.get("do", "")
        if doing not in _ACTS:
            raise Refused(422, _NO_ACT)
        request.app.state.sign_in.demand(request, visitor.caller, _ACTS[doing])
        fields = Fields(given)
        why_ = fields.words("why", needed=doing not in ("recheck", "request"))
        until, most = fields.day("until"), fields.amount("most")
        if fields.wrong:
            return await _shown(front, request, visitor, system, order, doing, given, fields.wrong)
        name = f"{system}/{order}"
        person = visitor.caller.person

        def work(store: Store) -> Text:
            with store.reading() as tx:
                _one(tx, front, name, system, order)
            policy, say = front.policy(), doing
            if doing == "recheck":
                orders.check(
                    store, front.config, policy, front.clock, name, "recheck", visitor.caller.actor,
                    systems=front.systems,
                )  # fmt: skip
            elif person is None:
                raise Refused(403, NO_PERSON)
            elif doing == "request":
                orders.request(store, front.config, policy, front.clock, name, person, why_, systems=front.systems)
            elif doing == "release":
                now = orders.release(
                    store, front.config, policy, front.clock, name, person, why_, valid_until=until, max_total=most,
                    systems=front.systems,
                )  # fmt: skip
                say = "release" if now.state == "released" else "first"
            elif doing == "refuse":
                orders.refuse(store, front.config, policy, front.clock, name, person, why_, systems=front.systems)
            else:
                orders.hold(
                    store, front.config, policy, front.clock, name, person, why_, lift=doing == "lift",
                    systems=front.systems,
                )  # fmt: skip
            return _DONE[say]

        try:
            done = await acted(front, visitor, request.url.path, given, work)
        except TransientError:
            raise
        except (Missing, Refused):
            raise
        except HoldfastError as refused:
            return await _shown(front, request, visitor, system, order, doing, given, {"": refused.user})
        return pages_of(request).moved(request, request.url.path, done or _DONE["again"], visitor=visitor)

    return routes


async def _shown(
    front: Front,
    request: Request,
    visitor: Visitor,
    system: str,
    order: str,
    doing: str = "",
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, Text] | None = None,
) -> Response:
    def find() -> tuple[Explained, Any] | _Closed:
        policy, name = front.policy(), f"{system}/{order}"
        with front.store.reading() as tx:
            at = _one(tx, front, name, system, order)
            try:
                one = explain(tx, front.config, policy, front.clock, name)
            except ConfigError as why_not:
                return _Closed(at, why_not.user, order_credit.history(tx, orders=[at.key]))
            return one, acts(tx, front.config, one, visitor.caller.person)

    found = await front.work(find)
    if isinstance(found, _Closed):
        return await pages_of(request).show(
            request, "desk/order_closed.html", visitor, status=422 if wrong else 200,
            at=found.at, why=found.why, history=found.history, happened=HAPPENED, reasons_in=_reasons_in, same=same,
            who=lambda actor: who(front.config, actor), wrong=wrong or {},
        )  # fmt: skip
    one, may = found
    row = one.row
    return await pages_of(request).show(
        request, "desk/order.html", visitor, status=422 if wrong else 200,
        one=one, may=may, person=visitor.caller.person, doing=doing, given=given or {}, wrong=wrong or {}, once=once(),
        total=rounded(row.total, row.currency), customer=one.judged.members[0], position=one.judged.position,
        state=one.standing.state if one.standing else None, states=STATES, tones=TONES, happened=HAPPENED,
        unknown=_UNKNOWN, rule=rule, levels=LEVEL_TEXTS, level_tones=LEVEL_TONES, who=lambda actor: who(front.config, actor),
        reasons_in=_reasons_in, mine=visitor.caller.person is not None, same=same, rounded=rounded, joined=_names,
        shown_money=money,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Closed:
    """An order that is judged no more, or not yet: why, and what has happened to it."""

    at: OrderAt
    why: Text
    history: Sequence[Happened]


def _one(tx: Any, front: Front, name: str, system: str, order: str) -> OrderAt:
    """The order of an address. Raises Missing where the address names no order of that system."""
    from jobs.order_desk import the_order

    if not name.isprintable():
        raise Missing(NO_ORDER.fill(ref=name))
    found = the_order(tx, name)
    if found.system != system or order not in (found.ref, found.number):
        raise Missing(NO_ORDER.fill(ref=name))
    return found


def place_of(said: str) -> tuple[str, int] | None:
    number, _, value = searched(said, 300).partition("~")
    return (value, int(number)) if number.isascii() and number.isdecimal() and len(number) < 19 else None


def why(line: Line) -> Text:
    """The reasons of a line in short words."""
    words = [rule(name) for name in line.rules]
    return joined(words, ", ", "、") if words else same("")


def _names(people: Any) -> Text:
    return joined([same(person.name or person.id) for person in people], ", ", "、")


def _reasons_in(body: Mapping[str, Any] | None) -> list[Text]:
    """The reasons that a line of the history has kept."""
    return [Text(one["en"], one["zh"]) for one in (body or {}).get("reasons", ())]


def _row(found: Listed, line: Line) -> dict[str, Any]:
    ledger = found.whose.get(line.debtor)
    level = found.levels.get(line.debtor, "green")
    return {
        "order": line.number or line.ref,
        "system": line.system,
        "customer_id": ledger.ref if ledger else line.customer,
        "name": (ledger.name if ledger else line.name) or "",
        "total": rounded(line.total, line.currency),
        "currency": line.currency,
        "state": STATES.get(line.state, same(line.state)),
        "since": line.since,
        "ship_on": line.ship_on,
        "why": joined([why(line), same(line.manual)], "; ", "；") if line.manual else why(line),
        "level": LEVEL_TEXTS[level],
    }
