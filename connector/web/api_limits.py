"""The API of credit limits: requests that wait, asking for one, approving, rejecting."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.authority import Person
from connector.credit.granting import Request as LimitAskedFor
from connector.errors import ConfigError, Missing
from connector.money import is_currency, to_minor_exact
from connector.store import Connection, customers, limits
from connector.store.db import Store
from connector.text import Text
from connector.web.answers_customers import LimitOutcome, LimitPage, LimitRequest
from connector.web.asked import After, ApproveAsked, LimitAsked, Line, Most, Number, WhyAsked, amount_of
from connector.web.auth import Decider, Reader, Requester
from connector.web.documents import PROBLEMS
from connector.web.front import Front
from connector.web.once import once
from connector.web.rights import Caller
from jobs import grant, grant_ask, limit_answer
from jobs.customer_answer import one_customer
from jobs.grant import Desk, Outcome

_NO_REQUEST = Text("There is no limit request {number}.", "没有编号为 {number} 的额度申请。")
_NO_CURRENCY = Text("{money} is no currency.", "{money} 不是币种代码。")
_TOO_FINE = Text("{amount} has parts smaller than {money} knows.", "{amount} 的小数位超过 {money} 的最小单位。")


def router(front: Front) -> APIRouter:
    """The routes of limits."""
    routes = APIRouter(tags=["limits"], responses=PROBLEMS)

    @routes.get("/limits", summary="Requests that wait, or all of a customer, newest first.", response_model=LimitPage)
    async def listed(
        caller: Reader,
        customer: Annotated[Line | None, Query(description="All of this customer: its id, or system/id.")] = None,
        after: After = 0,
        most: Most = 50,
    ) -> Any:
        return await front.work(lambda: _page(front, customer, after, most))

    @routes.get("/limits/{number}", summary="One request.", response_model=LimitRequest)
    async def one(caller: Reader, number: Number) -> Any:
        return await front.work(lambda: _one(front, number))

    # Asking is for whoever may ask, in the panel, at the desk and here: who decides is another right.
    @routes.post("/limits", summary="Ask for a limit; somebody else approves it.", response_model=LimitOutcome)
    async def ask(request: Request, caller: Requester, asked: LimitAsked) -> Response:
        def act(store: Store) -> int:
            return _ask(front, store, _person(caller), asked, replaces="credit" in caller.rights)

        def answer(number: int | None) -> dict[str, Any]:
            return _told(front, number if number is not None else _last_of(front, asked.customer))

        return await once(front, request, caller, asked, act, answer, LimitOutcome)

    @routes.post("/limits/{number}/approve", summary="Approve, also at another amount.", response_model=LimitOutcome)
    async def approve(request: Request, caller: Decider, number: Number, asked: ApproveAsked) -> Response:
        def act(store: Store) -> Outcome:
            desk = _desk(front)
            with front.store.reading() as tx:
                _there(tx, number)
            with store.writing() as tx:
                return grant.approve(tx, desk, number, _person(caller), amount_of(asked.amount), asked.why)

        return await once(front, request, caller, asked, act, lambda done: _told(front, number, done), LimitOutcome)

    @routes.post("/limits/{number}/reject", summary="Reject, with the reason.", response_model=LimitOutcome)
    async def reject(request: Request, caller: Decider, number: Number, asked: WhyAsked) -> Response:
        def act(store: Store) -> Outcome:
            desk = _desk(front)
            with front.store.reading() as tx:
                _there(tx, number)
            with store.writing() as tx:
                return grant.reject(tx, desk, number, _person(caller), asked.why)

        return await once(front, request, caller, asked, act, lambda done: _told(front, number, done), LimitOutcome)

    return routes


def _person(caller: Caller) -> Person:
    assert caller.person is not None, "a right that is a person's own was given to somebody who is none"
    return caller.person


def _desk(front: Front) -> Desk:
    return Desk(front.config, front.policy(), front.clock, front.systems)


def _there(tx: Connection, number: int) -> limits.Asked:
    found = limits.requests(tx, numbers=[number])
    if not found:
        raise Missing(_NO_REQUEST.fill(number=number))
    return found[0]


def _page(front: Front, customer: str | None, after: int, most: int) -> dict[str, Any]:
    desk = _desk(front)
    with front.store.reading() as tx:
        if customer is not None:
            key = one_customer(tx, front.config, customer).key
            numbers = sorted((one.number for one in limits.requests(tx, keys=[key])), reverse=True)
        else:
            numbers = sorted(limits.standing_at(tx, "proposed", "changed", "approved", "granted"), reverse=True)
        # Newest first: `after` is the number of the last one shown.
        chosen = [number for number in numbers if not after or number < after][:most]
        asked = limits.requests(tx, numbers=chosen) if chosen else []
        rows = {row.key: row for row in customers.customers(tx, keys=sorted({one.customer for one in asked}))}
        asked.reverse()
        shown = [limit_answer.answer(rows[one.asked.customer], one) for one in grant.outcomes(tx, desk, asked)]
    return {"requests": shown, "next": chosen[-1] if len(chosen) == most else None}


def _one(front: Front, number: int) -> dict[str, Any]:
    desk = _desk(front)
    with front.store.reading() as tx:
        one = _there(tx, number)
        (row,) = customers.customers(tx, keys=[one.customer])
        return limit_answer.answer(row, grant.outcome(tx, desk, one))


def _told(front: Front, number: int, done: Outcome | None = None) -> dict[str, Any]:
    desk = _desk(front)
    with front.store.reading() as tx:
        one = _there(tx, number)
        (row,) = customers.customers(tx, keys=[one.customer])
        now = grant.outcome(tx, desk, one)
    text = (done or now).text
    return {
        "request": limit_answer.answer(row, now),
        "text": {"en": text.en, "zh": text.zh},
        "systems_to_tell": done.owed if done is not None else 0,
    }


def _last_of(front: Front, customer: str) -> int:
    """The newest request of a customer: of one that was asked for before, and whose answer was lost."""
    with front.store.reading() as tx:
        key = one_customer(tx, front.config, customer).key
        return max(one.number for one in limits.requests(tx, keys=[key]))


def _ask(front: Front, store: Store, person: Person, asked: LimitAsked, *, replaces: bool) -> int:
    desk = _desk(front)
    with store.writing() as tx:
        row = one_customer(tx, front.config, asked.customer)
        money = asked.currency or row.currency or front.config.business.currency
        if not is_currency(money):
            raise ConfigError(_NO_CURRENCY.fill(money=money))
        amount = amount_of(asked.amount)
        try:
            minor = None if amount is None else to_minor_exact(amount, money)
        except ValueError:
            raise ConfigError(_TOO_FINE.fill(amount=asked.amount, money=money)) from None
        wanted = LimitAskedFor(
            kind=asked.kind,
            amount_minor=minor,
            currency=money,
            requested_by=person.actor,
            valid_from=asked.valid_from or desk.today,
            valid_to=asked.valid_to,
            percent=None if asked.percent is None else Decimal(asked.percent) / 100,
            condition=asked.season,
        )
        return grant_ask.ask(tx, desk, row, wanted, why=asked.why, replaces=replaces).number
