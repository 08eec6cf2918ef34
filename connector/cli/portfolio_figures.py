"""Parts of the portfolio's report that are figures: the trend, the indicators of the day, ageing, roll rates, the control."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.output import Column, Table
from connector.cli.report import LEVELS, bucket_name
from connector.credit.kpi import ratio
from connector.money import from_minor, rounded
from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.portfolio import Figures, MonthEnd
    from jobs.portfolio import Portfolio


def money(found: Portfolio, amount: Decimal | None) -> Decimal | None:
    """An amount as it is shown: rounded once, with the decimals of the reporting currency."""
    return None if amount is None else rounded(amount, found.currency)


def digits(value: Decimal | None, places: int = 1) -> Decimal | None:
    """A figure without currency, rounded half up."""
    return None if value is None else value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def percent(value: Decimal | None) -> Decimal | None:
    """A fraction as a number of percent with one decimal."""
    return None if value is None else digits(value * 100)


# What is told of every month end: key, heading, how to read it. Percentages are numbers of percent.
COURSE: tuple[tuple[str, Text, Callable[[Portfolio, MonthEnd, Figures], Any]], ...] = (
    ("receivables", Text("receivables", "应收账款"), lambda p, e, f: money(p, e.receivables)),
    ("overdue", Text("overdue", "逾期"), lambda p, e, f: money(p, e.overdue)),
    ("overdue_percent", Text("overdue %", "逾期率 %"), lambda p, e, f: percent(f.overdue_share)),
    ("dso", Text("DSO", "DSO"), lambda p, e, f: digits(f.dso)),
    ("dso_count_back", Text("DSO count-back", "DSO 倒推法"), lambda p, e, f: digits(f.count_back.days)),
    ("best_dso", Text("best DSO", "最佳 DSO"), lambda p, e, f: digits(f.best_dso)),
    ("days_delinquent", Text("ADD", "平均逾期天数 ADD"), lambda p, e, f: digits(f.delinquent)),
    ("cei", Text("CEI", "回款有效性 CEI"), lambda p, e, f: digits(f.effectiveness)),
    ("turnover_days", Text("turnover days", "周转天数"), lambda p, e, f: digits(f.turnover_days)),
    ("days_late", Text("days late", "加权迟付天数"), lambda p, e, f: digits(f.late_signed, 2)),
    ("days_late_floored", Text("late, early as 0", "迟付（提前计 0）"), lambda p, e, f: digits(f.late_floored, 2)),
    ("payment_index", Text("payment index", "付款指数"), lambda p, e, f: digits(f.payment_index, 2)),
    ("sales", Text("sales of period", "期间销售额"), lambda p, e, f: money(p, f.sales)),
    ("unapplied", Text("unapplied", "未核销"), lambda p, e, f: money(p, -e.unapplied)),
    ("balance", Text("ledger balance", "账面余额"), lambda p, e, f: money(p, e.balance)),
    ("disputed", Text("disputed", "争议"), lambda p, e, f: money(p, e.disputed)),
    ("oldest_percent", Text("oldest bucket %", "最长账龄段 %"), lambda p, e, f: percent(f.oldest_share)),
    ("debtors", Text("debtors", "欠款客户"), lambda p, e, f: len(e.owed)),
    ("top_percent", Text("largest together %", "大户合计占比 %"), lambda p, e, f: percent(f.concentration.top_share if f.concentration else None)),
    ("hhi", Text("HHI", "HHI"), lambda p, e, f: digits(f.concentration.hhi if f.concentration else None, 4)),
)  # fmt: skip
# What is left out first where the window is narrow; the rest stays.
_SPARE = {
    "hhi": 20, "oldest_percent": 19, "turnover_days": 18, "days_late_floored": 17, "disputed": 16, "balance": 15,
    "unapplied": 14, "sales": 13, "top_percent": 12, "debtors": 11, "days_delinquent": 10, "best_dso": 9, "dso": 8,
}  # fmt: skip


def trend(found: Portfolio) -> Table:
    """One row a month end, with every indicator."""
    columns = [
        Column("day", Text("month end", "月末"), style="bold"),
        *(Column(key, title, right=True, spare=_SPARE.get(key, 0)) for key, title, _ in COURSE),
        *(Column(level, LEVELS[level], right=True, spare=5) for level in ("red", "orange", "yellow", "green")),
    ]
    table = Table(
        Text("Receivables by month end, in {currency}", "各月末应收账款（{currency}）").fill(currency=found.currency),
        columns,
    )
    for end, figures in zip(found.ends, found.figures, strict=True):
        row: dict[str, Any] = {"day": end.day.isoformat()}
        row.update((key, value(found, end, figures)) for key, _, value in COURSE)
        row.update((level, count) for level, count in end.levels.items())
        table.rows.append(row)
    table.notes += notes(found)
    return table


def notes(found: Portfolio) -> list[Text]:
    """How the figures are made, where one could make them otherwise."""
    said = [
        Text(
            "All amounts at the exchange rates of {day}. Receivables are open debts; unapplied credits are not deducted.",
            "所有金额按 {day} 的汇率折算。应收账款为未清欠款，未扣除未核销的贷项。",
        ).fill(day=found.as_of),
        Text(
            "DSO, CEI and turnover look at the sales of {months} months; the payment index at payments of 24 months.",
            "DSO、CEI 与周转天数按 {months} 个月的销售额计算；付款指数按 24 个月的付款计算。",
        ).fill(months=found.window),
        Text(
            "Levels by month end: what the ledger of that day says by itself, without orders on hand and without the "
            "level before.",
            "各月末预警等级：仅按当日账簿判断，不含在手订单，也不考虑此前的等级。",
        ),
    ]
    if any(figures.count_back.exhausted for figures in found.figures):
        said.append(
            Text(
                "DSO by count-back is higher than shown where sales do not reach back far enough: {days}.",
                "以下月末的销售历史不足，倒推法 DSO 实际高于所示：{days}。",
            ).fill(days=", ".join(str(f.day) for f in found.figures if f.count_back.exhausted))
        )
    return said


def figures(found: Portfolio) -> Table:
    """The day of the report beside the month end before and the one a year before."""
    table = Table(
        Text("Figures of {day}, in {currency}", "{day} 主要指标（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("figure", Text("figure", "指标"), style="bold"),
            Column("now", Text(f"{found.as_of}", f"{found.as_of}"), right=True),
            Column("month_before", Text("month end before", "上月末"), right=True),
            Column("year_before", Text("a year before", "一年前月末"), right=True),
        ],
    )
    pairs = list(zip(found.ends, found.figures, strict=True))
    for key, title, value in COURSE:
        row: dict[str, Any] = {"figure": title, "key": key}
        for name, back in (("now", 1), ("month_before", 2), ("year_before", 13)):
            if len(pairs) >= back:
                row[name] = value(found, *pairs[-back])
        table.rows.append(row)
    return table


def ageing(found: Portfolio) -> Table:
    """The buckets of the day."""
    table = Table(
        Text("Ageing of {day}, in {currency}", "{day} 账龄（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("bucket", Text("days past due", "逾期天数"), style="bold"),
            Column("amount", Text("amount", "金额"), right=True),
            Column("percent", Text("%", "%"), right=True),
            Column("month_before", Text("month end before", "上月末"), right=True),
        ],
    )
    end = found.ends[-1]
    before = found.ends[-2] if len(found.ends) > 1 else None
    for at, name in enumerate(found.buckets):
        table.rows.append(
            {
                "bucket": bucket_name(name),
                "amount": money(found, end.buckets[at]),
                "percent": percent(ratio(end.buckets[at], end.receivables)),
                "month_before": money(found, before.buckets[at]) if before else None,
            }
        )
    for title, now, then in (
        (Text("receivables", "应收账款"), end.receivables, before.receivables if before else None),
        (Text("unapplied", "未核销"), -end.unapplied, -before.unapplied if before else None),
        (Text("ledger balance", "账面余额"), end.balance, before.balance if before else None),
    ):
        table.totals.append({"bucket": title, "amount": money(found, now), "month_before": money(found, then)})
    return table


def rolls(found: Portfolio) -> Table:
    """How much of each bucket rolls into the next within a month."""
    table = Table(
        Text("Roll rates from month end to month end", "各段迁徙率（月末至次月末）"),
        [
            Column("from", Text("from", "自"), style="bold"),
            Column("to", Text("to", "至")),
            Column("average_percent", Text("average %", "平均 %"), right=True),
            Column("observations", Text("months", "观察月数"), right=True),
            Column("last_percent", Text("last month %", "最近一月 %"), right=True),
        ],
    )
    for at, roll in enumerate(found.rolls):
        table.rows.append(
            {
                "from": bucket_name(found.buckets[at]),
                "to": bucket_name(found.buckets[at + 1]),
                "average_percent": digits(roll.average and roll.average * 100, 2),
                "observations": roll.observations,
                "last_percent": digits(last * 100, 2) if (last := found.rolls_last[at]) is not None else None,
            }
        )
    return table


def control(found: Portfolio) -> Table:
    """The ledger's own sums beside the sum of the customers."""
    table = Table(
        Text("Customers and control account of {day}", "{day} 客户明细与总账控制数核对"),
        [
            Column("currency", Text("currency", "币种"), style="bold"),
            Column("documents", Text("documents", "单据"), right=True),
            Column("payments", Text("payments", "收付款"), right=True),
            Column("set_off", Text("set off elsewhere", "转销"), right=True),
            Column("ledger", Text("ledger balance", "账面余额"), right=True),
            Column("customers", Text("sum of customers", "客户合计"), right=True),
            Column("difference", Text("difference", "差额"), right=True),
        ],
    )
    table.title = table.title.fill(day=found.as_of)
    for check in found.checks[-1]:
        ledger = check.ledger
        amounts = {
            "documents": ledger.documents,
            "payments": ledger.payments,
            "set_off": ledger.set_off,
            "ledger": ledger.balance,
            "customers": check.customers,
            "difference": check.difference,
        }
        table.rows.append(
            {"currency": check.currency, **{k: from_minor(v, check.currency) for k, v in amounts.items()}}
        )
    wrong = [str(end.day) for end, day in zip(found.ends, found.checks, strict=True) if any(c.difference for c in day)]
    if wrong:
        table.notes.append(
            Text(
                "The sum of customers is not the ledger's balance on {days}.",
                "以下日期客户合计与账面余额不符：{days}。",
            ).fill(days=", ".join(wrong))
        )
    else:
        table.notes.append(
            Text(
                "The sum of customers is the ledger's balance at all {count} month ends.",
                "全部 {count} 个月末的客户合计均与账面余额一致。",
            ).fill(count=len(found.ends))
        )
    return table
