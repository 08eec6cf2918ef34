"""Charts of pages: what is drawn of the portfolio and of simulations, as SVG of its own address, in the page's look.

Each chart has its words beside it: a title, what it shows in a sentence, and the same numbers in a table on the page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from babel.dates import format_date
from starlette.responses import Response

from connector import pictures
from connector.credit.warn_words import LEVEL_TEXTS
from connector.pictures import Look, Picture, Series
from connector.text import Language, Text
from connector.web.show import LOCALES
from jobs.panel_words import bucket

# Drawn small, so that words can be read where a picture has half a page, or a telephone.
LIGHT = Look(titled=False, width=640, height=340, size=15, labels_most=7)
DARK = replace(
    LIGHT, ground="#181e28", words="#c0c8d6", strong="#eef1f6", subtle="#a3adbf", guide="#2e3746", guide_strong="#4a5364",
    lines=pictures.LINES_DARK,
)  # fmt: skip
_LOOKS = {"light": LIGHT, "dark": DARK}
_AGES = {
    "light": ("#7aa6d8", "#e3c04b", "#e59a3c", "#dc6f3a", "#c4463a", "#8c2430"),
    "dark": ("#5b88bd", "#c9a93c", "#cf8730", "#d0703f", "#d65a4d", "#b44a5a"),
}
# The styles of a drawing stand in it; nothing else of it may act.
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart before it is drawn: `kind` is lines, stacked or bars; a label or a series' name is said in either language."""

    name: str
    kind: Literal["lines", "stacked", "bars"]
    title: Text
    about: Text
    labels: tuple[Text, ...]
    series: tuple[tuple[Text, tuple[Decimal | None, ...]], ...]
    levels: bool = False
    from_zero: bool = True


def svg(chart: Chart, language: Language, look: str) -> Response:
    """A chart as the answer to a request; `look` is light or dark."""
    body = _drawn(chart, language, look if look in _LOOKS else "light").svg
    headers = {"Content-Security-Policy": _CSP, "Cache-Control": f"private, max-age={_HOUR}"}
    return Response(body, 200, headers, "image/svg+xml")


@lru_cache(maxsize=128)
def _drawn(chart: Chart, language: Language, look: str) -> Picture:
    title, about = chart.title.say(language), chart.about.say(language)
    labels = [label.say(language) for label in chart.labels]
    series = [Series(name.say(language), values) for name, values in chart.series]
    if chart.kind == "stacked":
        colours = pictures.LEVEL_COLOURS if chart.levels else _AGES[look]
        return pictures.stacked(chart.name, title, about, labels, series, colours, _LOOKS[look])
    if chart.kind == "bars":
        return pictures.bars(chart.name, title, about, labels, series, _LOOKS[look])
    return pictures.lines(chart.name, title, about, labels, series, _LOOKS[look], include_x_axis=chart.from_zero)


def decimal(value: Any) -> Decimal | None:
    """A number of what was kept: a whole one comes back as an int, which pages would take for minor units."""
    return None if value is None else Decimal(value)


# --- the portfolio -----------------------------------------------------------------------------------------------------
def of_portfolio(result: Mapping[str, Any]) -> dict[str, Chart]:
    """The charts of a kept portfolio, by name."""
    ends: Sequence[Mapping[str, Any]] = _begun(result["ends"])
    labels = tuple(month(dt.date.fromisoformat(end["day"])) for end in ends)
    first, last = labels[0], _written(dt.date.fromisoformat(result["as_of"]), "d MMM y", "y年M月d日")
    span = Text("from {first} to {last}", "{first}至{last}").fill(first=first, last=last)
    money = result["currency"]

    def course(key: str, percent: bool = False) -> tuple[Decimal | None, ...]:
        factor = Decimal(100) if percent else Decimal(1)
        return tuple(
            None if end[key] is None else (Decimal(end[key]) * factor).quantize(Decimal("0.01")) for end in ends
        )

    def now(key: str, percent: bool = False) -> str:
        value = course(key, percent)[-1]
        return "–" if value is None else f"{value:,}"

    made = [
        Chart(
            "ageing",
            "stacked",
            Text("Receivables by days past due, {money}", "应收账款逾期账龄（{money}）").fill(money=money),
            Text(
                "One bar a month end {span}. On {last} {owed} is owed, {late} of it overdue.",
                "每个月末一根柱，{span}。{last}应收账款 {owed}，其中逾期 {late}。",
            ).fill(span=span, last=last, owed=now("receivables"), late=now("overdue")),
            labels,
            tuple(
                (bucket(name), tuple(Decimal(end["buckets"][at]) for end in ends))
                for at, name in enumerate(result["buckets"])
            ),
        ),
        Chart(
            "dso",
            "lines",
            Text("Days sales outstanding", "应收账款周转天数（DSO）"),
            Text(
                "Lines {span}: by count-back, simple, and best possible. On {last} count-back is {days} days.",
                "{span}的三条曲线：倒推法、简单法与最佳值。{last}倒推法为 {days} 天。",
            ).fill(span=span, last=last, days=now("count_back")),
            labels,
            (
                (Text("by count-back", "倒推法"), course("count_back")),
                (Text("simple", "简单法"), course("dso")),
                (Text("best possible", "最佳"), course("best_dso")),
            ),
        ),
        Chart(
            "overdue",
            "lines",
            Text("Share of receivables overdue, %", "逾期率（%）"),
            Text(
                "Lines {span}: all that is overdue, and what is in the oldest bucket. On {last} {share} % is overdue.",
                "{span}的两条曲线：全部逾期与最长账龄段占比。{last}逾期率 {share}%。",
            ).fill(span=span, last=last, share=now("overdue_share", True)),
            labels,
            (
                (Text("overdue", "逾期"), course("overdue_share", True)),
                (bucket(result["buckets"][-1]), course("oldest_share", True)),
            ),
        ),
        Chart(
            "cei",
            "lines",
            Text("Collection effectiveness and payment index", "回款有效性与付款指数"),
            Text(
                "Lines {span}: CEI (100: all that could be collected was) and the payment index (80: on terms). On {last} "
                "they are {cei} and {index}.",
                "{span}的两条曲线：CEI（100 表示应收尽收）与付款指数（80 为按期付款）。{last}分别为 {cei} 与 {index}。",
            ).fill(span=span, last=last, cei=now("cei"), index=now("payment_index")),
            labels,
            (
                (Text("CEI", "CEI"), course("cei")),
                (Text("payment index", "付款指数"), course("payment_index")),
            ),
            from_zero=False,
        ),
        Chart(
            "late",
            "lines",
            Text("Days late of what was paid in the month", "当月付款的加权迟付天数"),
            Text(
                "Lines {span}, weighted by money: early payments as negative days, and as 0. On {last}: {signed} and "
                "{floored} days.",
                "{span}的两条曲线（按金额加权）：提前付款计负数，以及计为 0。{last}分别为 {signed} 天和 {floored} 天。",
            ).fill(span=span, last=last, signed=now("late"), floored=now("late_floored")),
            labels,
            (
                (Text("early is negative", "提前计负数"), course("late")),
                (Text("early as 0", "提前计 0"), course("late_floored")),
            ),
        ),
        Chart(
            "warnings",
            "stacked",
            Text("Customers above green by warning level", "各级预警客户数"),
            Text(
                "One bar a month end {span}. On {last}: {red} red, {orange} orange, {yellow} yellow.",
                "每个月末一根柱，{span}。{last}：红色 {red} 户、橙色 {orange} 户、黄色 {yellow} 户。",
            ).fill(
                span=span,
                last=last,
                **{level: ends[-1]["levels"].get(level, 0) for level in ("red", "orange", "yellow")},
            ),
            labels,
            tuple(
                (LEVEL_TEXTS[level], tuple(Decimal(end["levels"].get(level, 0)) for end in ends))
                for level in ("red", "orange", "yellow")
            ),
            levels=True,
        ),
    ]
    return {chart.name: chart for chart in made}


def _begun(ends: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The month ends since the ledger has begun; of an empty one the last."""
    first = next(
        (at for at, end in enumerate(ends) if Decimal(end["receivables"]) or Decimal(end["sales"])), len(ends) - 1
    )
    return ends[first:]


def month(day: dt.date) -> Text:
    """A month end by its month, any other day by itself."""
    whole = (day + dt.timedelta(days=1)).day == 1
    return _written(day, "MMM y", "y年M月") if whole else _written(day, "d MMM", "M月d日")


def _written(day: dt.date, en: str, zh: str) -> Text:
    """A day by Babel's pattern of each language."""
    return Text(format_date(day, en, locale=LOCALES["en"]), format_date(day, zh, locale=LOCALES["zh"]))


# --- simulations -----------------------------------------------------------------------------------------------------------
def of_simulation(result: Mapping[str, Any], names: tuple[Text, Text]) -> dict[str, Chart]:
    """The charts of a kept simulation, by name; `names` are those of the two policies."""
    labels = tuple(_written(dt.date.fromisoformat(day), "MMM y", "y年M月") for day in result["months"])
    money = result["currency"]

    def both(*keys: str) -> tuple[tuple[Text, tuple[Decimal | None, ...]], ...]:
        return tuple(
            (name, tuple(sum((Decimal(one[key]) for key in keys), Decimal(0)) for one in side["months"]))
            for name, side in zip(names, result["sides"], strict=True)
        )

    work = [key for key in (result["sides"][0]["total"] if result["sides"] else {}) if key.startswith("work_")]
    made = [
        Chart(
            "held",
            "lines",
            Text("Value of orders held, {money}", "冻结订单金额（{money}）").fill(money=money),
            Text(
                "By month in which an order was first held, under both policies.",
                "按订单首次被冻结的月份统计，两套政策对比。",
            ),
            labels,
            both("held_value"),
        ),
        Chart(
            "missed",
            "lines",
            Text("Overdue let through, {money}", "放行后发生的逾期（{money}）").fill(money=money),
            Text(
                "Amounts that were late later, of sales that the policy would have let through, by month of invoice.",
                "政策会放行、但后来逾期的金额，按开票月份统计。",
            ),
            labels,
            both("late_missed"),
        ),
        Chart(
            "work",
            "lines",
            Text("Work for people", "人工工作量"),
            Text(
                "Holds to look at, releases, reviews, calls and letters by month.",
                "按月统计待查看冻结、解冻、复评、电话与催款函的数量。",
            ),
            labels,
            both(*work),
        ),
    ]
    return {chart.name: chart for chart in made}
