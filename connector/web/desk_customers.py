"""Customers at the desk: the list that is searched, filtered, sorted and exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import day_in
from connector.credit.warn_words import LEVEL_TEXTS
from connector.money import rounded
from connector.policy import LEVELS
from connector.store import Connection, customer_list, customers
from connector.store.customers import CustomerRow
from connector.text import Text
from connector.web.export import FORMS, MOST, Column, exported
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, visits
from jobs.customer_board import SORTS, STATES, Board, Home, Line, Wanted, grades, listed

_MOST = 50
_WORDS = Query(max_length=200)
_WORD = Query(max_length=40)
TONES = {"green": "ok", "yellow": "note", "orange": "warn", "red": "bad"}
_COLUMNS = (
    Column("customer", Text("Customer", "客户")),
    Column("name", Text("Name", "名称")),
    Column("level", Text("Warning level", "预警级别")),
    Column("hold", Text("On hold", "已冻结")),
    Column("grade", Text("Grade", "信用等级")),
    Column("currency", Text("Currency", "币种")),
    Column("limit", Text("Limit", "信用额度")),
    Column("exposure", Text("Exposure", "信用占用")),
    Column("available", Text("Available", "可用额度")),
    Column("used", Text("Used", "额度使用率"), percent=True),
    Column("overdue", Text("Overdue", "逾期金额")),
    Column("late", Text("Oldest overdue, days", "最长逾期天数")),
    Column("held_orders", Text("Held orders", "冻结订单数")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `line` is None for a customer that was never judged."""

    customer: CustomerRow
    line: Line | None
    late: int

    @property
    def address(self) -> str:
        return address_of(self.customer)


def address_of(row: CustomerRow) -> str:
    """A customer's own page."""
    return f"/desk/customers/{quote(row.system, safe='')}/{quote(row.ref)}"


def router(front: Front, board: Board) -> APIRouter:
    """The list of customers."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/customers")
    async def customers_(
        request: Request,
        visitor: Annotated[Visitor, Depends(visits("read"))],
        q: Annotated[str, _WORDS] = "",
        level: Annotated[str, _WORD] = "",
        grade: Annotated[str, _WORD] = "",
        segment: Annotated[str, _WORDS] = "",
        state: Annotated[str, _WORD] = "",
        sort: Annotated[str, _WORD] = "-exposure",
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        form: Annotated[str, Query(alias="as", max_length=4)] = "",
    ) -> Response:
        wanted = Wanted(
            " ".join(q.split()),
            level if level in LEVELS else "",
            grade,
            segment,
            state if state in STATES else "",
            sort if sort.removeprefix("-") in SORTS else "-exposure",
        )
        if form in FORMS:
            rows = await front.work(lambda: _all(front, board, wanted))
            return exported(request, "customers", _COLUMNS, rows, form, visitor)
        found = await front.work(lambda: _page(front, board, wanted, after))
        return await pages_of(request).show(
            request, "desk/customers.html", visitor, wanted=wanted, tones=TONES, **found
        )

    return routes


def _page(front: Front, board: Board, wanted: Wanted, after: int) -> dict[str, Any]:
    policy = front.policy()
    with front.store.reading() as tx:
        lines = board.renew(tx)
        home = Home(tx, front.config, policy, today(front))
        found = listed(tx, front.config, lines, wanted, home)
        start = found.index(after) + 1 if after in found else 0
        part = found[start : start + _MOST]
        rows = _rows(front, tx, lines, part)
        overdue = [home(lines[d].overdue, lines[d].currency) for d in found if d in lines]
        exposed = [home(lines[d].exposure, lines[d].currency) for d in found if d in lines]
        choices = customer_list.segments(tx, _erps(front))
    return {
        "rows": rows,
        "count": len(found),
        "first": start,
        "next": part[-1] if start + _MOST < len(found) else None,
        "home": home.currency,
        "exposure": rounded(sum((a for a in exposed if a is not None), Decimal(0)), home.currency),
        "overdue": rounded(sum((a for a in overdue if a is not None), Decimal(0)), home.currency),
        "levels": [(name, LEVEL_TEXTS[name]) for name in reversed(LEVELS)],
        "grades": grades(lines.values()),
        "segments": choices,
        "level_words": LEVEL_TEXTS,
    }


def _all(front: Front, board: Board, wanted: Wanted) -> list[dict[str, Any]]:
    policy = front.policy()
    with front.store.reading() as tx:
        lines = board.renew(tx)
        found = listed(tx, front.config, lines, wanted, Home(tx, front.config, policy, today(front)))
        return [_exported(row) for row in _rows(front, tx, lines, found[:MOST])]


def _exported(row: Row) -> dict[str, Any]:
    line = row.line
    said: dict[str, Any] = {"customer": f"{row.customer.system}/{row.customer.ref}", "name": row.customer.name}
    if line is None:
        return said
    return said | {
        "level": LEVEL_TEXTS[line.level],  # type: ignore[index]  # it was judged by us
        "hold": line.hold,
        "grade": line.grade,
        "currency": line.currency,
        "limit": line.limit,
        "exposure": line.exposure,
        "available": line.available,
        "used": line.used,
        "overdue": line.overdue,
        "late": row.late,
        "held_orders": line.held_orders,
    }


def _rows(front: Front, tx: Connection, lines: Any, found: Sequence[int]) -> list[Row]:
    day = today(front)
    whose: dict[int, CustomerRow] = {}
    for row in customers.customers(tx, systems=_erps(front), debtors=found) if found else ():
        if row.debtor is not None:
            whose.setdefault(row.debtor, row)
    made = []
    for debtor in found:
        if debtor in whose:
            line = lines.get(debtor)
            made.append(Row(whose[debtor], line, line.late_on(day) if line is not None else 0))
    return made


def today(front: Front) -> Any:
    """The day in the business's time zone."""
    return day_in(front.clock.now(), front.config.business.time_zone)


def _erps(front: Front) -> list[str]:
    return [s.name for s in front.config.with_role("erp")]
