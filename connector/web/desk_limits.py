"""The desk's limits: requests that wait, proposals of the night, limits that end; one request with its reckoning and what it
would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.limit import Effective
from connector.credit.propose_words import BINDING
from connector.credit.warn_words import LEVEL_TEXTS
from connector.errors import ConfigError, HoldfastError, Missing, TransientError
from connector.money import from_minor
from connector.store import Connection, limits
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.limit_list import SORTS, Sort
from connector.text import Text, joined, same
from connector.web.acting import acted, once
from connector.web.actors import who
from connector.web.desk_orders import LEVEL_TONES, NO_PERSON, place_of
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.fields import Fields, searched
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.problem import Refused
from connector.web.session import Visitor, form_of, visits
from jobs import grant
from jobs.customer_answer import one_customer
from jobs.grant import Desk, Outcome
from jobs.grant_words import STATES
from jobs.limit_acts import acts
from jobs.limit_trial import Effect, effect
from jobs.limit_words import KINDS, STEPS
from jobs.limits_listed import SHOWS, Ending, Line, Listed, Show, ending, lines_of, listed, waiting_count

PAGE = 50
_ENDING_PAGE = 200
TONES = {"open": "warn", "granted": "note", "in_force": "ok", "rejected": "bad", "superseded": "idle"}
HAPPENED: Mapping[str, Text] = {
    "proposed": Text("proposed", "提出"),
    "changed": Text("changed", "变更金额"),
    "approved": Text("approved by one", "批准"),
    "granted": Text("granted", "生效批准"),
    "rejected": Text("rejected", "否决"),
    "superseded": Text("superseded by a newer one", "由新申请取代"),
    "in_force": Text("in force", "生效"),
}
_ACTS = ("approve", "reject")
_NO_ACT = Text("There is no such action.", "没有该操作。")
_NO_REQUEST = Text("There is no limit request {number}.", "没有编号为 {number} 的额度申请。")
TOO_FINE = Text("{amount} has parts smaller than {money} knows.", "{amount} 的小数位超过 {money} 的最小单位。")
_NO_PLACE = Text("There is no such page of the list.", "没有该页。")
AGAIN = Text("That was done already.", "该操作此前已完成。")
_UNLIMITED = Text("unlimited", "不限额")
_COLUMNS = (
    Column("number", Text("no.", "编号")),
    Column("customer_id", Text("customer", "客户编号")),
    Column("name", Text("name", "客户名称")),
    Column("kind", Text("kind", "类别")),
    Column("currency", Text("currency", "币种")),
    Column("before", Text("before", "原额度")),
    Column("amount", Text("amount", "金额")),
    Column("valid_from", Text("from", "起始日")),
    Column("valid_to", Text("until", "截止日")),
    Column("state", Text("state", "状态")),
    Column("by", Text("asked by", "申请人")),
    Column("waits_for", Text("waits for", "待批人")),
    Column("why", Text("reason", "理由")),
)
_ENDING_COLUMNS = (
    Column("customer_id", Text("customer", "客户编号")),
    Column("name", Text("name", "客户名称")),
    Column("currency", Text("currency", "币种")),
    Column("amount", Text("limit", "额度")),
    Column("ends_on", Text("ends on", "到期日")),
    Column("request", Text("open request", "待批申请")),
)


@dataclass(frozen=True, slots=True)
class _One:
    """Everything that the page of a request shows."""

    line: Line
    may: Any
    now: Effective
    effect: Effect | None


def router(front: Front) -> APIRouter:
    """The pages of limits."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/limits")
    async def limits_page(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        return await _list(front, request, visitor)

    @routes.get("/desk/limits/{number:int}")
    async def one_page(request: Request, number: int, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        return await _shown(front, request, visitor, number)

    @routes.post("/desk/limits/{number:int}")
    async def decide(request: Request, number: int, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        doing, fields, person = given.get("do", ""), Fields(given), visitor.caller.person
        if doing not in _ACTS:
            raise Refused(422, _NO_ACT)
        if person is None:
            raise Refused(403, NO_PERSON)
        why, amount = fields.words("why", needed=doing == "reject"), fields.amount("amount")
        if fields.wrong:
            return await _shown(front, request, visitor, number, doing, given, fields.wrong)

        def work(store: Store) -> Outcome:
            desk = desk_of(front)
            with store.writing() as tx:
                _there(tx, number)
                if doing == "reject":
                    return grant.reject(tx, desk, number, person, why)
                try:
                    return grant.approve(tx, desk, number, person, amount, why)
                except ValueError:
                    raise ConfigError(TOO_FINE.fill(amount=amount, money="-")) from None

        try:
            done = await acted(front, visitor, request.url.path, given, work)
        except (Missing, Refused, TransientError):
            raise
        except HoldfastError as refused:
            return await _shown(front, request, visitor, number, doing, given, {"": refused.user})
        return pages_of(request).moved(request, request.url.path, done.text if done else AGAIN, visitor=visitor)

    return routes


def desk_of(front: Front) -> Desk:
    """Where limits are decided, as this service knows it now."""
    return Desk(front.config, front.policy(), front.clock, front.systems)


def _there(tx: Connection, number: int) -> Any:
    found = limits.requests(tx, numbers=[number]) if 0 < number < 2**53 else []
    if not found:
        raise Missing(_NO_REQUEST.fill(number=number))
    return found[0]


# --- lists -----------------------------------------------------------------------------------------------------------
async def _list(front: Front, request: Request, visitor: Visitor) -> Response:
    asked = request.query_params
    show: Show = asked.get("show") if asked.get("show") in SHOWS else "waiting"  # type: ignore[assignment]
    said = asked.get("sort", "-number")
    by: Sort = said.lstrip("-") if said.lstrip("-") in SORTS else "number"  # type: ignore[assignment]
    words, form, after = searched(asked.get("q", "")), asked.get("as", ""), place_of(asked.get("after", ""))
    customer = searched(asked.get("customer", ""))

    def find() -> tuple[Listed | None, list[Ending], int, CustomerRow | None]:
        desk = desk_of(front)
        with front.store.reading() as tx:
            row = one_customer(tx, front.config, customer) if customer else None
            count = waiting_count(tx)
            if show == "ending":
                return None, ending(tx, desk, words=words), count, row
            found = listed(
                tx, desk, show, customer=row.key if row else None, words=words, sort=by, down=said.startswith("-"),
                after=None if form else after, most=MOST if form else PAGE,
            )  # fmt: skip
            return found, [], count, row

    try:
        found, ends, count, row = await front.work(find)
    except ValueError:
        raise Refused(422, _NO_PLACE) from None
    if form in FORMS:
        rows = [_ending_row(one) for one in ends] if found is None else [_row(front, one) for one in found.lines]
        columns = _ENDING_COLUMNS if found is None else _COLUMNS
        return exported(request, f"limits-{show}", columns, rows, form, visitor)
    person = visitor.caller.person
    return await pages_of(request).show(
        request, "desk/limits.html", visitor,
        show=show, found=found, ends=ends[:_ENDING_PAGE], ends_count=len(ends), count=count, words=words, row=row,
        customer=customer, sort=said if said.lstrip("-") in SORTS else "-number", first=after is not None,
        next=f"{found.after[1]}~{found.after[0]}" if found is not None and found.after else None,
        kinds=KINDS, states=STATES, tones=TONES, binding=BINDING, who=lambda actor: who(front.config, actor),
        today=desk_of(front).today,
        mine=lambda line: person is not None and (person.alone or person.id in [p.id for p in line.done.others]),
        names=_names,
    )  # fmt: skip


def _names(people: Any) -> Text:
    return joined([same(person.name or person.id) for person in people], ", ", "、") if people else same("")


def _row(front: Front, line: Line) -> dict[str, Any]:
    request, amount = line.asked.request, line.done.stands.amount_minor
    return {
        "number": line.asked.number,
        "customer_id": line.row.ref,
        "name": line.row.name,
        "kind": KINDS[request.kind],
        "currency": request.currency,
        "before": line.asked.before,
        "amount": _UNLIMITED if amount is None else request.decimal(amount),
        "valid_from": request.valid_from,
        "valid_to": request.valid_to,
        "state": STATES[line.done.stands.state],
        "by": who(front.config, line.done.stands.requested_by),
        "waits_for": _names(line.done.others),
        "why": line.asked.why,
    }


def _ending_row(one: Ending) -> dict[str, Any]:
    return {
        "customer_id": one.row.ref,
        "name": one.row.name,
        "currency": one.currency,
        "amount": _UNLIMITED if one.amount_minor is None else from_minor(one.amount_minor, one.currency),
        "ends_on": one.ends_on,
        "request": one.request,
    }


# --- one request -------------------------------------------------------------------------------------------------------
async def _shown(
    front: Front,
    request: Request,
    visitor: Visitor,
    number: int,
    doing: str = "",
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, Text] | None = None,
) -> Response:
    def find() -> _One:
        desk = desk_of(front)
        with front.store.reading() as tx:
            asked = _there(tx, number)
            (line,) = lines_of(tx, desk, [asked])
            is_open = line.done.stands.state == "open"
            may = acts(tx, desk, line.row, asked, visitor.caller.person) if is_open else None
            tried = None
            if is_open and line.row.debtor is not None:
                tried = effect(tx, desk, line.row, asked.request, line.done.stands.amount_minor)
            return _One(line, may, grant.limit_of(tx, desk, line.row), tried)

    one = await front.work(find)
    return await pages_of(request).show(
        request, "desk/limit.html", visitor, status=422 if wrong else 200,
        one=one, line=one.line, asked=one.line.asked, stands=one.line.done.stands, row=one.line.row, may=one.may,
        body=one.line.asked.body, doing=doing, given=given or {}, wrong=wrong or {}, once=once(), kinds=KINDS,
        states=STATES, tones=TONES, steps=STEPS, binding=BINDING, happened=HAPPENED, levels=LEVEL_TEXTS,
        level_tones=LEVEL_TONES, who=lambda actor: who(front.config, actor), names=_names, text=Text, same=same,
        mine=visitor.caller.person is not None, effect=one.effect, decimal=_decimal,
    )  # fmt: skip


def _decimal(value: Any) -> Decimal | None:
    """A number of what a request rests on."""
    return None if value is None else Decimal(str(value))
