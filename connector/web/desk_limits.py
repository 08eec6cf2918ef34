"""The desk's limits: requests that wait, proposals of the night, limits that end; one request with its reckoning and what it
would change; a limit of one's own proposal, tried before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.authority import Person
from connector.credit.granting import Request as LimitAskedFor
from connector.credit.limit import Effective
from connector.credit.propose_words import BINDING
from connector.credit.warn_words import LEVEL_TEXTS
from connector.errors import ConfigError, HoldfastError, Missing, TransientError
from connector.money import from_minor, is_currency, to_minor_exact
from connector.store import Connection, customer_search, limits
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
from jobs import grant, grant_ask
from jobs.customer_answer import one_customer
from jobs.frame import frame
from jobs.grant import Desk, Outcome
from jobs.grant_words import NO_RISE, STATES
from jobs.limit_acts import acts
from jobs.limit_trial import Effect, effect
from jobs.limit_words import KINDS, STEPS
from jobs.limits_listed import SHOWS, Ending, Line, Listed, Show, ending, lines_of, listed, waiting_count
from jobs.propose import JOB, Proposal, body_of, proposals, request_of
from jobs.warned import thorough

PAGE = 50
_ENDING_PAGE = 200
_FOUND_MOST = 20
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
ASKED_KINDS = ("base", "stage", "override", "additive", "seasonal", "guarantee", "unlimited")
_PARTS = 3
_ACTS = ("approve", "reject")
_NO_ACT = Text("There is no such action.", "没有该操作。")
_NO_REQUEST = Text("There is no limit request {number}.", "没有编号为 {number} 的额度申请。")
_NO_CURRENCY = Text("{money} is no currency.", "{money} 不是币种代码。")
_TOO_FINE = Text("{amount} has parts smaller than {money} knows.", "{amount} 的小数位超过 {money} 的最小单位。")
_NO_PLACE = Text("There is no such page of the list.", "没有该页。")
_NEED_AMOUNT = Text("An amount is needed for this kind.", "此类额度须填写金额。")
_NO_AMOUNT = Text("What is unlimited has no amount.", "不限额不填写金额。")
_NEED_END = Text("A temporary limit needs its last day.", "临时额度须填写截止日。")
_NEED_SEASON = Text("A season such as 11-01..02-15.", "请填写期间，例如 11-01..02-15。")
_NO_CONDITION = Text("This cannot be read.", "无法识别。")
_NEED_PARTS = Text("At least one tranche with an amount.", "至少填写一期及其金额。")
_NOT_YOURS = Text("What the formula proposes is put forward by credit controllers.", "公式建议的额度由信用专员提出。")
_NOTHING = Text("No limit can be proposed for this customer.", "无法为该客户提出额度建议。")
_AGAIN = Text("That was done already.", "该操作此前已完成。")
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

    @routes.get("/desk/limits/new")
    async def new_page(request: Request, visitor: Annotated[Visitor, Depends(visits("request"))]) -> Response:
        return await _new(front, request, visitor, dict(request.query_params))

    @routes.post("/desk/limits/new/check")
    async def check(request: Request, visitor: Annotated[Visitor, Depends(visits("request"))]) -> Response:
        return await _new(front, request, visitor, await form_of(request), tried=True)

    @routes.post("/desk/limits/new")
    async def ask(request: Request, visitor: Annotated[Visitor, Depends(visits("request"))]) -> Response:
        given = await form_of(request)
        person = visitor.caller.person
        if person is None:
            raise Refused(403, NO_PERSON)
        if given.get("do") == "try":
            return await _new(front, request, visitor, given, tried=True)
        by_formula = given.get("do") == "formula"
        if by_formula and not visitor.may("credit"):
            raise Refused(403, _NOT_YOURS)
        wrong: Mapping[str, Text] = {}
        fields = Fields(given)
        why = fields.words("why")

        def work(store: Store) -> Outcome:
            desk = _desk(front)
            if by_formula:
                return _by_formula(store, front, desk, given, person, why)
            with store.writing() as tx:
                row = one_customer(tx, front.config, searched(given.get("customer", "")))
                wanted, mistakes = _read(desk, row, given, person.actor)
                if wanted is None or fields.wrong:
                    raise _Mistaken({**mistakes, **fields.wrong})
                asked = grant_ask.ask(tx, desk, row, wanted, why=why, replaces=visitor.may("credit"))
                if person.alone:
                    return grant.approve(tx, desk, asked.number, person, None, why)
                return grant.outcome(tx, desk, asked)

        try:
            done = await acted(front, visitor, request.url.path, given, work)
        except (Missing, Refused, TransientError):
            raise
        except _Mistaken as mistaken:
            wrong = mistaken.wrong
        except HoldfastError as refused:
            wrong = {"": refused.user}
        else:
            address = "/desk/limits" if done is None else f"/desk/limits/{done.asked.number}"
            return pages_of(request).moved(request, address, done.text if done else _AGAIN, visitor=visitor)
        return await _new(front, request, visitor, given, wrong=wrong)

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
            desk = _desk(front)
            with store.writing() as tx:
                _there(tx, number)
                if doing == "reject":
                    return grant.reject(tx, desk, number, person, why)
                try:
                    return grant.approve(tx, desk, number, person, amount, why)
                except ValueError:
                    raise ConfigError(_TOO_FINE.fill(amount=amount, money="-")) from None

        try:
            done = await acted(front, visitor, request.url.path, given, work)
        except (Missing, Refused, TransientError):
            raise
        except HoldfastError as refused:
            return await _shown(front, request, visitor, number, doing, given, {"": refused.user})
        return pages_of(request).moved(request, request.url.path, done.text if done else _AGAIN, visitor=visitor)

    return routes


class _Mistaken(HoldfastError):
    """What was typed will not do; by field."""

    def __init__(self, wrong: Mapping[str, Text]) -> None:
        super().__init__(next(iter(wrong.values())))
        self.wrong = wrong


def _desk(front: Front) -> Desk:
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
        desk = _desk(front)
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
        today=_desk(front).today,
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
        desk = _desk(front)
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


# --- a new one -----------------------------------------------------------------------------------------------------------
async def _new(
    front: Front,
    request: Request,
    visitor: Visitor,
    given: Mapping[str, str],
    *,
    tried: bool = False,
    wrong: Mapping[str, Text] | None = None,
) -> Response:
    customer, words = searched(given.get("customer", "")), searched(given.get("q", ""))
    mistakes: dict[str, Text] = dict(wrong or {})

    def find() -> tuple[
        CustomerRow | None, list[CustomerRow], Effective | None, Proposal | None, Effect | None, Text | None
    ]:
        desk = _desk(front)
        erps = [system.name for system in front.config.with_role("erp")]
        with front.store.reading() as tx:
            if not customer:
                found = customer_search.search(tx, erps, words, most=_FOUND_MOST) if words and erps else []
                return None, found, None, None, None, None
            row = one_customer(tx, front.config, customer)
            suggestion = _suggestion(tx, front, desk, row)
            change = None
            if given.get("amount") or given.get("kind") in ("unlimited", "stage"):
                wanted, told = _read(desk, row, given, "person:")
                if tried:
                    mistakes.update(told)
                if wanted is not None and row.debtor is not None:
                    try:
                        change = effect(tx, desk, row, wanted, wanted.amount_minor)
                    except ValueError:
                        mistakes.setdefault("season" if wanted.kind == "seasonal" else "when1", _NO_CONDITION)
            frozen = grant.frozen(tx, desk.policy.of(row.segment), row)
            return row, [], grant.limit_of(tx, desk, row), suggestion, change, frozen

    row, rows, now, suggestion, change, frozen = await front.work(find)
    return await pages_of(request).show(
        request, "desk/limit_new.html", visitor, status=422 if wrong else 200,
        row=row, found=rows, now=now, frozen=NO_RISE.fill(why=frozen) if frozen is not None else None,
        suggestion=suggestion, effect=change, given=given, wrong=mistakes, once=once(),
        words=words, kinds={kind: KINDS[kind] for kind in ASKED_KINDS}, parts_most=_PARTS, steps=STEPS,
        levels=LEVEL_TEXTS, level_tones=LEVEL_TONES, today=_desk(front).today,
        kept_here=row is not None and _desk(front).master(row) == grant.HERE,
    )  # fmt: skip


def _suggestion(tx: Connection, front: Front, desk: Desk, row: CustomerRow) -> Proposal | None:
    if row.debtor is None:
        return None
    base = frame(tx, front.config, desk.policy, front.clock, desk.today, debtors=[row.debtor])
    thorough(tx, base)
    found, _ = proposals(tx, base, [row.debtor])
    return found[0] if found else None


def _by_formula(store: Store, front: Front, desk: Desk, given: Mapping[str, str], person: Person, why: str) -> Outcome:
    with store.reading() as tx:
        row = one_customer(tx, front.config, searched(given.get("customer", "")))
        one = _suggestion(tx, front, desk, row)
    if one is None:
        raise ConfigError(_NOTHING)
    with store.writing() as tx:
        made = grant_ask.ask_all(tx, desk, [(one.row, request_of(one, desk, JOB), why, body_of(one))])
        if made and one.person_needed is None:
            return grant.approve_by_itself(tx, desk, made[0], JOB)
        if made:
            return grant.outcome(tx, desk, made[0])
        last = max(limits.requests(tx, keys=[one.row.key]), key=lambda asked: asked.number)
        return grant.outcome(tx, desk, last)


def _read(
    desk: Desk, row: CustomerRow, given: Mapping[str, str], actor: str
) -> tuple[LimitAskedFor | None, dict[str, Text]]:
    """The limit that a form asks for; None and what is wrong, by field."""
    fields = Fields(given)
    kind = fields.choice("kind", ASKED_KINDS, "base")
    money = (given.get("currency") or row.currency or desk.config.business.currency).strip().upper()
    if not is_currency(money):
        fields.wrong["currency"] = _NO_CURRENCY.fill(money=money[:10])
        money = desk.config.business.currency
    amount, since, until = fields.amount("amount"), fields.day("from"), fields.day("to")
    percent = fields.number("percent", 1, 100)
    season = fields.words("season", most=40)
    parts = []
    if kind == "stage":
        for at in range(1, _PARTS + 1):
            part, condition = fields.amount(f"part{at}"), fields.words(f"when{at}", most=200)
            if part is not None:
                parts.append((part, condition))
        if not parts:
            fields.wrong.setdefault("part1", _NEED_PARTS)
        amount = sum((part for part, _ in parts), Decimal(0))
    if kind == "unlimited" and amount is not None:
        fields.wrong.setdefault("amount", _NO_AMOUNT)
    if kind not in ("unlimited", "stage") and amount is None:
        fields.wrong.setdefault("amount", _NEED_AMOUNT)
    if kind in ("override", "additive") and until is None:
        fields.wrong.setdefault("to", _NEED_END)
    if kind == "seasonal" and not season:
        fields.wrong.setdefault("season", _NEED_SEASON)
    minor = None
    try:
        minor = None if amount is None else to_minor_exact(amount, money)
        for part, _ in parts:
            to_minor_exact(part, money)
    except ValueError:
        fields.wrong["part1" if parts else "amount"] = _TOO_FINE.fill(amount=amount, money=money)
    if fields.wrong:
        return None, fields.wrong
    return (
        LimitAskedFor(
            kind=kind,  # type: ignore[arg-type]
            amount_minor=minor,
            currency=money,
            requested_by=actor,
            valid_from=since or desk.today,
            valid_to=until,
            percent=None if percent is None or kind != "guarantee" else Decimal(percent) / 100,
            condition=season if kind == "seasonal" else None,
            parts=tuple(parts),
        ),
        {},
    )
