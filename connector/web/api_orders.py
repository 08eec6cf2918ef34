"""The API of orders: lists, one order explained, checks, and what people do: request, release, refuse, hold, lift."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import day_in
from connector.credit.authority import Person
from connector.store.db import Store
from connector.store.order_list import page
from connector.web.answers_orders import CheckedOrder, OrderAnswer, OrderPage, Rechecked, WaitingOrders
from connector.web.asked import (
    After,
    CheckAsked,
    CustomerRef,
    Line,
    Most,
    OrderRef,
    ReleaseAsked,
    WhyAsked,
    amount_of,
)
from connector.web.auth import Checker, Decider, Reader, Requester
from connector.web.documents import PROBLEMS
from connector.web.front import Front
from connector.web.once import once
from connector.web.rights import Caller
from jobs import order as orders
from jobs import order_answer
from jobs.customer_answer import debtor_of, one_customer
from jobs.frame import frame
from jobs.judge import judge
from jobs.waiting import waiting

# So many at most are looked at for the list of what waits for somebody.
_WAITING_MOST = 1000
HELD = frozenset({"held", "requested", "refused", "expired"})


def router(front: Front) -> APIRouter:
    """The routes of orders. Whoever acts is the person of the key or the token."""
    routes = APIRouter(tags=["orders"], responses=PROBLEMS)

    @routes.get("/orders", summary="Orders that are held, or all that are open.", response_model=OrderPage)
    async def listed(
        caller: Reader,
        state: Literal["held", "requested", "all"] = "held",
        customer: Annotated[Line | None, Query(description="Only of this customer: its id, or system/id.")] = None,
        after: After = 0,
        most: Most = 50,
    ) -> Any:
        return await front.work(lambda: _page(front, state, customer, after, most))

    @routes.get(
        "/orders/waiting",
        summary="Orders that wait for somebody: asked for or only held, what matters first.",
        response_model=WaitingOrders,
    )
    async def waits(
        caller: Reader,
        mine: Annotated[bool, Query(description="Only those that you may decide on now.")] = False,
        most: Most = 50,
    ) -> Any:
        return await front.work(lambda: _waiting(front, caller.person, mine, most))

    @routes.get("/orders/{order:path}", summary="One order, explained.", response_model=OrderAnswer)
    async def explained(caller: Reader, order: OrderRef) -> Any:
        return await front.work(lambda: _explained(front, order))

    @routes.post(
        "/orders/{order:path}/check",
        summary="Whether an order may go on at a check point; recorded.",
        response_model=CheckedOrder,
    )
    async def check(request: Request, caller: Checker, order: OrderRef, asked: CheckAsked) -> Response:
        def act(store: Store) -> dict[str, Any]:
            done = orders.check(
                store, front.config, front.policy(), front.clock, order, asked.point, caller.actor,
                systems=front.systems,
            )  # fmt: skip
            return {"reply": done.reply, "may_go_on": not done.hold}

        def answer(done: dict[str, Any] | None) -> dict[str, Any]:
            shown = _explained(front, order)
            return {**shown, "point": asked.point, **(done or {"reply": "hold", "may_go_on": not shown["hold"]})}

        return await once(front, request, caller, asked, act, answer, CheckedOrder)

    @routes.post("/orders/{order:path}/request", summary="Ask for the release.", response_model=OrderAnswer)
    async def ask(request: Request, caller: Requester, order: OrderRef, asked: WhyAsked) -> Response:
        def act(store: Store) -> None:
            orders.request(
                store, front.config, front.policy(), front.clock, order, _person(caller), asked.why,
                systems=front.systems,
            )  # fmt: skip

        return await once(front, request, caller, asked, act, lambda _: _explained(front, order), OrderAnswer)

    @routes.post(
        "/orders/{order:path}/release", summary="Let a held order pass, within one's authority.",
        response_model=OrderAnswer,
    )  # fmt: skip
    async def release(request: Request, caller: Decider, order: OrderRef, asked: ReleaseAsked) -> Response:
        def act(store: Store) -> None:
            orders.release(
                store, front.config, front.policy(), front.clock, order, _person(caller), asked.why,
                valid_until=asked.valid_until, max_total=amount_of(asked.up_to), systems=front.systems,
            )  # fmt: skip

        return await once(front, request, caller, asked, act, lambda _: _explained(front, order), OrderAnswer)

    @routes.post("/orders/{order:path}/refuse", summary="Refuse the release.", response_model=OrderAnswer)
    async def refuse(request: Request, caller: Decider, order: OrderRef, asked: WhyAsked) -> Response:
        def act(store: Store) -> None:
            orders.refuse(
                store, front.config, front.policy(), front.clock, order, _person(caller), asked.why,
                systems=front.systems,
            )  # fmt: skip

        return await once(front, request, caller, asked, act, lambda _: _explained(front, order), OrderAnswer)

    def by_hand(lift: bool) -> Any:
        async def hand(request: Request, caller: Decider, order: OrderRef, asked: WhyAsked) -> Response:
            def act(store: Store) -> None:
                orders.hold(
                    store, front.config, front.policy(), front.clock, order, _person(caller), asked.why,
                    lift=lift, systems=front.systems,
                )  # fmt: skip

            return await once(front, request, caller, asked, act, lambda _: _explained(front, order), OrderAnswer)

        return hand

    routes.add_api_route(
        "/orders/{order:path}/hold", by_hand(False), methods=["POST"], response_model=OrderAnswer,
        operation_id="hold_order", name="hold", summary="Hold an order by hand, which no job lifts.",
    )  # fmt: skip
    routes.add_api_route(
        "/orders/{order:path}/lift", by_hand(True), methods=["POST"], response_model=OrderAnswer,
        operation_id="lift_order", name="lift", summary="Take a hold by hand back; the rules alone decide again.",
    )  # fmt: skip

    @routes.post(
        "/customers/{customer:path}/recheck",
        summary="Check all open orders of a customer and its group again.",
        response_model=Rechecked,
    )
    async def recheck(request: Request, caller: Checker, customer: CustomerRef) -> Response:
        def act(store: Store) -> int:
            with front.store.reading() as tx:
                debtor = debtor_of(one_customer(tx, front.config, customer))
            return orders.recheck(
                store, front.config, front.policy(), front.clock, caller.actor, debtors={debtor}, systems=front.systems
            )

        return await once(front, request, caller, None, act, lambda count: {"changes": count or 0}, Rechecked)

    return routes


def _person(caller: Caller) -> Person:
    assert caller.person is not None, "a right that is a person's own was given to somebody who is none"
    return caller.person


def _explained(front: Front, order: str) -> dict[str, Any]:
    policy = front.policy()
    with front.store.reading() as tx:
        return order_answer.answer(order_answer.explain(tx, front.config, policy, front.clock, order))


def _page(front: Front, state: str, customer: str | None, after: int, most: int) -> dict[str, Any]:
    policy = front.policy()
    today: dt.date = day_in(front.clock.now(), front.config.business.time_zone)
    states = {"held": HELD, "requested": frozenset({"requested"}), "all": None}[state]
    with front.store.reading() as tx:
        debtors = None
        if customer is not None:
            debtors = [debtor_of(one_customer(tx, front.config, customer))]
        found = page(tx, states=states, debtors=debtors, after=after, most=most)
        wanted = {one.order for one in found}
        lines: dict[int, dict[str, Any]] = {}
        if found:
            base = frame(tx, front.config, policy, front.clock, today, debtors={one.debtor for one in found})
            for judged in judge(tx, base, {one.debtor for one in found}):
                for row, decision in judged.orders:
                    if row.key in wanted:
                        lines[row.key] = order_answer.in_list(judged, row, decision, today)
    return {
        "as_of": today.isoformat(),
        "orders": [lines[one.order] for one in found if one.order in lines],
        "next": found[-1].order if len(found) == most else None,
    }


def _waiting(front: Front, person: Person | None, mine: bool, most: int) -> dict[str, Any]:
    policy = front.policy()
    with front.store.reading() as tx:
        told = waiting(tx, front.config, policy, front.clock, person, most=_WAITING_MOST if mine else most)
    if mine:
        own = [one for one in told["orders"] if one["may_decide"]]
        told |= {"count": len(own), "orders": own[:most]}
    return told
