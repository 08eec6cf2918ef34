"""Reviews at the desk: what is due, what is in work, what waits for approval; and the page on which one is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.credit.review import CONCLUSIONS, WHY
from connector.credit.warn_words import LEVEL_TEXTS
from connector.errors import ConfigError, Missing
from connector.money import from_minor, parse
from connector.store import Connection, customers, decisions, desk_waits, reviews
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text
from connector.web import desk_customer
from connector.web.desk_acts import acting, the_customer
from connector.web.desk_customers import TONES, today
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.form_once import done_once, once_field
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, form_of, visits
from jobs import review_decide
from jobs.contact_log import day_of
from jobs.customer_answer import NOT_LINKED
from jobs.customer_board import Board, Line, line_of
from jobs.papers import lacking_of
from jobs.review_follow import follow

_MOST, _DAYS = 50, 30
SHOWS: Mapping[str, Text] = {
    "due": Text("Due within 30 days", "30 天内到期"),
    "late": Text("Overdue", "已逾期"),
    "started": Text("In work", "进行中"),
    "proposed": Text("Waiting for approval", "待审批"),
}
STATES: Mapping[str, tuple[Text, str]] = {
    "planned": (Text("planned", "待复评"), "idle"),
    "started": (Text("in work", "进行中"), "note"),
    "proposed": (Text("waits for approval", "待审批"), "warn"),
    "done": (Text("done", "已完成"), "ok"),
}
_COLUMNS = (
    Column("customer", Text("Customer", "客户")),
    Column("name", Text("Name", "名称")),
    Column("due_on", Text("Due", "到期日")),
    Column("why", Text("Why", "原因")),
    Column("state", Text("State", "状态")),
    Column("reviewer", Text("Reviewer", "复评人")),
    Column("conclusion", Text("Conclusion", "结论")),
    Column("level", Text("Warning level", "预警级别")),
    Column("currency", Text("Currency", "币种")),
    Column("exposure", Text("Exposure", "信用占用")),
    Column("limit", Text("Limit", "信用额度")),
)
_BEGUN = Text(
    "The review is begun; everything that is known is kept as it is now.", "复评已开始，当前全部资料已固化留存。"
)
_DONE = Text("The review is finished.", "复评已完成。")
_WAITS = Text("Concluded. It waits for approval.", "已作出结论，等待审批。")
_BACK = Text("Given back to the reviewer.", "已退回复评人。")
_NO_AMOUNT = Text("A plain number, such as 120000.", "请填写数字，例如 120000。")


def router(front: Front, board: Board) -> APIRouter:
    """The pages of reviews."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/reviews")
    async def listing(
        request: Request,
        visitor: Annotated[Visitor, Depends(visits("read"))],
        show: Annotated[str, Query(max_length=10)] = "",
        after: Annotated[str, Query(max_length=40)] = "",
        form: Annotated[str, Query(alias="as", max_length=4)] = "",
    ) -> Response:
        chosen = show if show in SHOWS else ""
        if form in FORMS:
            whole = await front.work(lambda: _list(front, board, chosen, "", MOST))
            rows = [_exported(whole, each) for each in whole["rows"]]
            return exported(request, "reviews", _COLUMNS, rows, form, visitor)
        found = await front.work(lambda: _list(front, board, chosen, after))
        return await pages_of(request).show(
            request, "desk/reviews.html", visitor, **found, show=chosen, shows=SHOWS, why=WHY, first=bool(after),
            states=STATES, conclusions=CONCLUSIONS, tones=TONES, level_words=LEVEL_TEXTS,
        )  # fmt: skip

    @routes.get("/desk/reviews/{system}/{customer:path}")
    async def one(
        request: Request, system: str, customer: str, visitor: Annotated[Visitor, Depends(visits("read"))]
    ) -> Response:
        given = {"system": system, "customer": customer}
        row = await front.work(lambda: the_customer(front, given))
        return await _shown(front, request, visitor, row)

    @routes.post("/desk/reviews/start")
    async def start(request: Request, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        await front.work(lambda: review_decide.start(_desk(front, front.store), row, person))
        return pages_of(request).moved(request, review_address(row), _BEGUN, visitor=visitor)

    @routes.post("/desk/reviews/conclude")
    async def conclude(request: Request, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        wrong: dict[str, Text] = {}
        typed = given.get("limit", "").strip().replace(",", "")
        amount = None
        if typed:
            try:
                amount = parse(typed)
            except ValueError:
                wrong["limit"] = _NO_AMOUNT
        conclusion = given.get("conclusion", "")
        if conclusion not in CONCLUSIONS:
            wrong["conclusion"] = Text("Choose one of these.", "请选择一项。")
        answers = {
            name.removeprefix("check-"): words[:2000]
            for name, words in given.items()
            if name.startswith("check-") and words.strip()
        }

        def act(store: Store) -> reviews.ReviewRow:
            desk = _desk(front, store)
            return review_decide.conclude(
                desk, row, person, conclusion, given.get("why", "")[:2000], answers, amount,  # type: ignore[arg-type]
                None, follow(desk),
            )  # fmt: skip

        if not wrong:
            try:
                done = await front.work(lambda: done_once(front, visitor, given, act))
            except Missing:
                raise
            except ConfigError as refused:
                wrong["conclusion"] = refused.user
            else:
                front.wake.set()
                say = _DONE if done is None or done.state == "done" else _WAITS
                return pages_of(request).moved(request, review_address(row), say, visitor=visitor)
        return await _shown(front, request, visitor, row, wrong=wrong, typed=given, status=422)

    @routes.post("/desk/reviews/approve")
    async def approve(request: Request, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)

        def act(store: Store) -> reviews.ReviewRow:
            desk = _desk(front, store)
            return review_decide.approve(desk, row, person, follow(desk))

        done = await front.work(lambda: done_once(front, visitor, given, act))
        front.wake.set()
        say = _DONE if done is None or done.state == "done" else _WAITS
        return pages_of(request).moved(request, review_address(row), say, visitor=visitor)

    @routes.post("/desk/reviews/return")
    async def give_back(request: Request, visitor: Annotated[Visitor, Depends(visits("decide"))]) -> Response:
        given = await form_of(request)
        row, person = await front.work(lambda: the_customer(front, given)), acting(visitor)
        why = given.get("why", "").strip()[:2000]
        if not why:
            wrong = {"back": Text("Say why.", "请说明原因。")}
            return await _shown(front, request, visitor, row, wrong=wrong, typed=given, status=422)
        await front.work(lambda: review_decide.send_back(_desk(front, front.store), row, person, why))
        return pages_of(request).moved(request, review_address(row), _BACK, visitor=visitor)

    return routes


def review_address(row: CustomerRow) -> str:
    """The page of a customer's review."""
    from urllib.parse import quote

    return f"/desk/reviews/{quote(row.system, safe='')}/{quote(row.ref)}"


def _desk(front: Front, store: Store) -> review_decide.Desk:
    return review_decide.Desk(store, front.config, front.policy(), front.clock)


def _exported(found: Mapping[str, Any], each: Mapping[str, Any]) -> dict[str, Any]:
    one, row, line = each["one"], each["row"], each["line"]
    return {
        "customer": f"{row.system}/{row.ref}",
        "name": row.name,
        "due_on": one.due_on,
        "why": WHY.get(one.why, Text(one.why, one.why)),
        "state": STATES[one.state][0],
        "reviewer": found["by"](one.reviewer) if one.reviewer else None,
        "conclusion": CONCLUSIONS[one.conclusion] if one.conclusion else None,
        "level": LEVEL_TEXTS[line.level] if line else None,
        "currency": line.currency if line else None,
        "exposure": line.exposure if line else None,
        "limit": line.limit if line else None,
    }


def _list(front: Front, board: Board, show: str, after: str, most: int = _MOST) -> dict[str, Any]:
    day = today(front)
    until = day + dt.timedelta(days=_DAYS)
    erps = [s.name for s in front.config.with_role("erp")]
    states = {"due": {"planned"}, "started": {"started"}, "proposed": {"proposed"}}.get(show)
    with front.store.reading() as tx:
        lines = board.renew(tx)
        found = desk_waits.reviews_due(
            tx, until, states=states, before=day if show == "late" else None, after=_place(after), most=most + 1
        )
        counts = desk_waits.review_counts(tx, until, day)
        part = found[:most]
        rows: dict[int, CustomerRow] = {}
        for row in customers.customers(tx, systems=erps, debtors=[one.debtor for one in part]) if part else ():
            if row.debtor is not None:
                rows.setdefault(row.debtor, row)
    made = [
        {
            "one": one,
            "row": rows[one.debtor],
            "line": lines.get(one.debtor),
            "late": one.due_on < day,
            "address": review_address(rows[one.debtor]),
        }
        for one in part
        if one.debtor in rows
    ]
    return {
        "rows": made,
        "count": counts["planned"] + counts["started"] + counts["proposed"],
        "counts": {**counts, "due": counts["planned"]},
        "next": f"{part[-1].due_on}~{part[-1].id}" if len(found) > most else None,
        "today": day,
        "by": lambda actor: desk_customer.said_by(front, f"person:{actor}"),
    }


def _place(text: str) -> tuple[dt.date, int] | None:
    """A place in the list: a day and a review's number; None: its beginning."""
    day, _, number = text.partition("~")
    found = day_of(day)
    return (found, int(number)) if found and number.isascii() and number.isdigit() and len(number) < 19 else None


async def _shown(
    front: Front,
    request: Request,
    visitor: Visitor,
    row: CustomerRow,
    *,
    wrong: Mapping[str, Text] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    values = await front.work(lambda: _values(front, visitor, row))
    return await pages_of(request).show(
        request, "desk/review.html", visitor, status=status, row=row, wrong=wrong or {}, typed=typed or {},
        once=once_field, states=STATES, conclusions=CONCLUSIONS, why=WHY, tones=TONES, level_words=LEVEL_TEXTS, from_minor=from_minor, **values,
    )  # fmt: skip


def _values(front: Front, visitor: Visitor, row: CustomerRow) -> dict[str, Any]:
    policy, day = front.policy(), today(front)
    if row.debtor is None:
        raise Missing(NOT_LINKED.fill(ref=row.ref))
    with front.store.reading() as tx:
        history = reviews.history(tx, row.debtor)
        desk = review_decide.Sitting(front.config, policy, day)
        one = next((each for each in history if each.state != "done"), None)
        person = visitor.caller.person if visitor.may("decide") else None
        lacking = lacking_of(tx, policy, day, [row]).get(row.debtor, [])
        waits = None
        if one is not None and one.state == "proposed":
            waits = review_decide.waits_for(tx, desk, row, one)
        return {
            "one": one,
            "history": [each for each in history if each.state == "done"],
            "line": _line(tx, row.debtor),
            "checks": policy.of(row.segment).review.check,
            "lacking": [each.text for each in lacking],
            "waits": waits,
            "may_approve": person is not None and review_decide.may_approve(tx, desk, row, person),
            "mine": person is not None and one is not None and (person.alone or one.reviewer == person.id),
            "may_begin": person is not None
            and (person.alone or bool(person.roles & {"credit_controller", "approver"})),
            "today": day,
            "by": lambda actor: desk_customer.said_by(front, f"person:{actor}"),
        }


def _line(tx: Connection, debtor: int) -> Line | None:
    found = decisions.latest(tx, [debtor]).get(debtor)
    return None if found is None else line_of(debtor, found.id, found.as_of, found.body)
