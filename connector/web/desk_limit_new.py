"""A limit of one's own proposal at the desk: found for a customer, tried before it is asked for, or as the formula has it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.authority import Person
from connector.credit.granting import Request as LimitAskedFor
from connector.credit.limit import Effective
from connector.credit.warn_words import LEVEL_TEXTS
from connector.errors import ConfigError, HoldfastError, Missing, TransientError
from connector.money import is_currency, to_minor_exact
from connector.store import Connection, customer_search, limits
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text
from connector.web.acting import acted, once
from connector.web.desk_limits import AGAIN, TOO_FINE, desk_of
from connector.web.desk_orders import LEVEL_TONES, NO_PERSON
from connector.web.fields import Fields, searched
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.problem import Refused
from connector.web.session import Visitor, form_of, visits
from jobs import grant, grant_ask
from jobs.customer_answer import one_customer
from jobs.frame import frame
from jobs.grant import Desk, Outcome
from jobs.grant_words import NO_RISE
from jobs.limit_trial import Effect, effect
from jobs.limit_words import KINDS, STEPS
from jobs.propose import JOB, Proposal, body_of, proposals, request_of
from jobs.warned import thorough

_FOUND_MOST = 20
ASKED_KINDS = ("base", "stage", "override", "additive", "seasonal", "guarantee", "unlimited")
_PARTS = 3
_NO_CURRENCY = Text("{money} is no currency.", "{money} 不是币种代码。")
_NEED_AMOUNT = Text("An amount is needed for this kind.", "此类额度须填写金额。")
_NO_AMOUNT = Text("What is unlimited has no amount.", "不限额不填写金额。")
_NEED_END = Text("A temporary limit needs its last day.", "临时额度须填写截止日。")
_NEED_SEASON = Text("A season such as 11-01..02-15.", "请填写期间，例如 11-01..02-15。")
_NO_CONDITION = Text("This cannot be read.", "无法识别。")
_NEED_PARTS = Text("At least one tranche with an amount.", "至少填写一期及其金额。")
_NOT_YOURS = Text("What the formula proposes is put forward by credit controllers.", "公式建议的额度由信用专员提出。")
_NOTHING = Text("No limit can be proposed for this customer.", "无法为该客户提出额度建议。")


def router(front: Front) -> APIRouter:
    """The pages of a new limit."""
    routes = APIRouter(include_in_schema=False)

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
            desk = desk_of(front)
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
            return pages_of(request).moved(request, address, done.text if done else AGAIN, visitor=visitor)
        return await _new(front, request, visitor, given, wrong=wrong)

    return routes


class _Mistaken(HoldfastError):
    """What was typed will not do; by field."""

    def __init__(self, wrong: Mapping[str, Text]) -> None:
        super().__init__(next(iter(wrong.values())))
        self.wrong = wrong


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
        desk = desk_of(front)
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
        levels=LEVEL_TEXTS, level_tones=LEVEL_TONES, today=desk_of(front).today,
        kept_here=row is not None and desk_of(front).master(row) == grant.HERE,
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
        fields.wrong["part1" if parts else "amount"] = TOO_FINE.fill(amount=amount, money=money)
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
