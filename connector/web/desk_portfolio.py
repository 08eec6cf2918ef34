"""The desk's portfolio: the whole ledger of a day and over its month ends, read from what is kept; and its charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import day_in
from connector.credit.kpi import ratio
from connector.credit.warn_words import LEVEL_TEXTS
from connector.store.calculations import Calculation, waits
from connector.text import Text
from connector.web import charts
from connector.web.actors import who
from connector.web.calculating import Calculating
from connector.web.charts import decimal
from connector.web.desk_orders import LEVEL_TONES
from connector.web.export import FORMS, Column, exported
from connector.web.fields import Fields
from connector.web.front import Front
from connector.web.pages import language_of, pages_of
from connector.web.problem import Refused
from connector.web.session import Visitor, form_of, visits
from jobs import portfolio_kept
from jobs.panel_words import bucket

PARTS = ("trend", "ageing", "falling", "largest", "rolls", "risks", "bands", "control")
CHARTS = ("ageing", "dso", "overdue", "cei", "late", "warnings")
_EARLIEST = dt.date(1970, 1, 1)
_NO_DAY = Text("A day from {first} to today.", "请选择 {first} 至今天之间的日期。")
_NO_CHART = Text("There is no such chart.", "没有该图表。")
_ASKED = Text("The figures of {day} are being worked out.", "正在计算 {day} 的数据。")
_NOT_KEPT = Text("Nothing is kept of that day yet.", "该日数据尚未计算。")
_TREND = (
    ("receivables", Text("receivables", "应收账款"), "money"),
    ("overdue", Text("overdue", "逾期"), "money"),
    ("overdue_share", Text("overdue, share", "逾期率"), "percent"),
    ("dso", Text("DSO", "DSO"), "days"),
    ("count_back", Text("DSO, count-back", "DSO 倒推法"), "days"),
    ("best_dso", Text("best DSO", "最佳 DSO"), "days"),
    ("delinquent", Text("days delinquent", "平均逾期天数"), "days"),
    ("cei", Text("CEI", "CEI"), "days"),
    ("late", Text("days late", "加权迟付天数"), "days"),
    ("payment_index", Text("payment index", "付款指数"), "days"),
    ("top_share", Text("ten largest, share", "前十大占比"), "percent"),
    ("debtors", Text("debtors", "欠款客户数"), "count"),
    ("sales", Text("sales of the period", "期间销售额"), "money"),
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept of the day that is asked for, what is shown (that, or of the last day before), and the days kept."""

    day: dt.date
    today: dt.date
    own: Calculation | None
    shown: Calculation | None
    days: Sequence[dt.date]
    waiting: bool

    @property
    def result(self) -> Any:
        return self.shown.result if self.shown is not None else None


def router(front: Front) -> APIRouter:
    """The pages of the portfolio."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/portfolio")
    async def portfolio_page(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        fields = Fields(dict(request.query_params))
        seen = await _seen(front, request, visitor, fields.day("day"))
        form, part = request.query_params.get("as", ""), request.query_params.get("part", "trend")
        if form in FORMS:
            if seen.result is None:
                raise Refused(404, _NOT_KEPT)
            columns, rows = exporting(seen.result, part if part in PARTS else "trend")
            name = f"portfolio-{part if part in PARTS else 'trend'}-{seen.result['as_of']}"
            return exported(request, name, columns, rows, form, visitor)
        return await pages_of(request).show(
            request, "desk/portfolio.html", visitor,
            seen=seen, result=seen.result, now=seen.result["ends"][-1] if seen.result else None,
            before=seen.result["ends"][-2] if seen.result and len(seen.result["ends"]) > 1 else None,
            charts=charts.of_portfolio(seen.result) if seen.result else {}, order=CHARTS, trend=_TREND,
            decimal=decimal, bucket=bucket, ratio=ratio, day_of=_day_of, levels=LEVEL_TEXTS, level_tones=LEVEL_TONES,
            month=charts.month, text=Text, who=lambda actor: who(front.config, actor), wrong=fields.wrong,
            largest=cumulative(seen.result) if seen.result else [],
            stamp=seen.shown.made_at.timestamp() if seen.shown is not None and seen.shown.made_at else 0,
        )  # fmt: skip

    @routes.post("/desk/portfolio")
    async def ask(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        given = await form_of(request)
        today = _today(front)
        day = Fields(given).day("day") or today
        if not _EARLIEST <= day <= today:
            raise Refused(422, _NO_DAY.fill(first=_EARLIEST))

        def work() -> None:
            with front.store.writing() as tx:
                portfolio_kept.ask(tx, day, visitor.caller.actor, front.clock.now(), again=True)

        await front.work(work)
        calculating(request).begin()
        address = f"/desk/portfolio?day={day.isoformat()}"
        return pages_of(request).moved(request, address, _ASKED.fill(day=day), visitor=visitor, tone="note")

    @routes.get("/desk/portfolio/charts/{name}.svg")
    async def chart(request: Request, name: str, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        day = Fields(dict(request.query_params)).day("day") or _today(front)

        def find() -> Calculation | None:
            with front.store.reading() as tx:
                return portfolio_kept.kept(tx, day)

        found = await front.work(find)
        drawn = charts.of_portfolio(found.result).get(name) if found is not None and found.result else None
        if drawn is None:
            raise Refused(404, _NO_CHART)
        language, look = language_of(request, visitor), request.query_params.get("look", "light")
        return await front.work(lambda: charts.svg(drawn, language, look))

    return routes


def calculating(request: Request) -> Calculating:
    """Who sees to it that what waits is worked on."""
    found: Calculating = request.app.state.calculating
    return found


def _today(front: Front) -> dt.date:
    return day_in(front.clock.now(), front.config.business.time_zone)


async def _seen(front: Front, request: Request, visitor: Visitor, day: dt.date | None) -> _Seen:
    """What is kept of a day; today's figures are asked for where they are not."""
    today = _today(front)
    wanted = min(day or today, today)

    def find() -> _Seen:
        with front.store.reading() as tx:
            own = portfolio_kept.kept(tx, wanted)
        if own is None and wanted == today and front.config.with_role("erp"):
            with front.store.writing() as tx:
                own = portfolio_kept.ask(tx, wanted, visitor.caller.actor, front.clock.now())
        with front.store.reading() as tx:
            shown = own if own is not None and own.made_at is not None else portfolio_kept.before(tx, wanted)
            days = portfolio_kept.days(tx)
            return _Seen(wanted, today, own, shown, days, waits(tx, front.clock.now()))

    seen = await front.work(find)
    if seen.waiting:
        calculating(request).begin()
    return seen


def _day_of(words: str) -> dt.date:
    return dt.date.fromisoformat(words)


def cumulative(result: Any) -> list[tuple[Any, Decimal]]:
    """The largest debtors, each with the share of all up to it."""
    so_far, found = Decimal(0), []
    for one in result["largest"]:
        so_far += Decimal(one["share"] or 0)
        found.append((one, so_far))
    return found


# --- files -------------------------------------------------------------------------------------------------------------
def exporting(result: Any, part: str) -> tuple[list[Column], list[dict[str, Any]]]:
    """One part of the page as columns and rows."""
    money = Text("amount, {money}", "金额（{money}）").fill(money=result["currency"])
    amount, share = Column("amount", money), Column("share", Text("share", "占比"), percent=True)
    if part == "ageing":
        end = result["ends"][-1]
        whole = Decimal(end["receivables"])
        rows = [
            {"bucket": bucket(name), "amount": decimal(value), "share": ratio(Decimal(value), whole)}
            for name, value in zip(result["buckets"], end["buckets"], strict=True)
        ]
        return [Column("bucket", Text("days past due", "逾期天数")), amount, share], rows
    if part == "falling":
        later = Text("later", "以后")
        rows = [{"week": one["week"] or later, "amount": decimal(one["amount"])} for one in result["falling"]]
        return [Column("week", Text("week from", "周起始日")), amount], rows
    if part == "largest":
        rows = [
            {"customer_id": one["ref"], "name": one["name"], "amount": decimal(one["receivables"]),
             "share": decimal(one["share"]), "together": together}
            for one, together in cumulative(result)
        ]  # fmt: skip
        together = Column("together", Text("together", "累计"), percent=True)
        return [*_CUSTOMER, amount, share, together], rows
    if part == "rolls":
        rows = [
            {"from": bucket(result["buckets"][at]), "to": bucket(result["buckets"][at + 1]),
             "average": decimal(one["average"]), "last": decimal(one["last"]), "months": one["months"]}
            for at, one in enumerate(result["rolls"])
        ]  # fmt: skip
        return [
            Column("from", Text("from", "自")),
            Column("to", Text("to", "至")),
            Column("average", Text("average", "平均"), percent=True),
            Column("last", Text("last month", "最近一月"), percent=True),
            Column("months", Text("months", "观察月数")),
        ], rows
    if part == "risks":
        rows = [
            {"customer_id": one["ref"], "name": one["name"], "level": LEVEL_TEXTS[one["level"]], "hold": one["hold"],
             "overdue": decimal(one["overdue"]), "days": one["oldest_days"], "amount": decimal(one["receivables"]),
             "exposure": decimal(one["exposure"]), "used": decimal(one["used"])}
            for one in result["risks"]
        ]  # fmt: skip
        return [
            *_CUSTOMER,
            Column("level", Text("warning", "预警")),
            Column("hold", Text("held", "冻结")),
            Column("overdue", Text("overdue", "逾期")),
            Column("days", Text("days", "最长天数")),
            Column("amount", Text("receivables", "应收账款")),
            Column("exposure", Text("exposure", "信用占用")),
            Column("used", Text("limit used", "额度使用率"), percent=True),
        ], rows
    if part == "bands":
        rows = [
            {"band": Text(one["en"], one["zh"]), "customers": one["customers"], "amount": decimal(one["exposure"])}
            for one in result["bands"]
        ]
        return [
            Column("band", Text("limit used", "额度使用率")),
            Column("customers", Text("customers", "客户数")),
            amount,
        ], rows
    if part == "control":
        keys = ("ledger", "customers", "difference")
        rows = [{"currency": one["currency"], **{key: decimal(one[key]) for key in keys}} for one in result["checks"]]
        return [
            Column("currency", Text("currency", "币种")),
            Column("ledger", Text("ledger", "账面余额")),
            Column("customers", Text("sum of customers", "客户合计")),
            Column("difference", Text("difference", "差额")),
        ], rows
    columns = [Column("day", Text("month end", "月末"))]
    columns += [Column(key, name, percent=how == "percent") for key, name, how in _TREND]
    columns += [Column(f"b{at}", bucket(name)) for at, name in enumerate(result["buckets"])]
    rows = [
        {
            "day": end["day"],
            **{key: end[key] if how == "count" else _shown(end[key], how) for key, _, how in _TREND},
            **{f"b{at}": decimal(value) for at, value in enumerate(end["buckets"])},
        }
        for end in result["ends"]
    ]
    return columns, rows


_CUSTOMER = (Column("customer_id", Text("customer", "客户编号")), Column("name", Text("name", "客户名称")))


def _shown(value: Any, how: str) -> Decimal | None:
    number = decimal(value)
    return number if number is None or how != "days" else number.quantize(Decimal("0.01"))
