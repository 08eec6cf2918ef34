"""Parts of the portfolio's report that name customers: concentration, risks, use of limits, warnings."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from connector.cli.output import Column, Table
from connector.cli.portfolio_figures import money, percent
from connector.cli.report import LEVELS
from connector.credit.kpi import ratio
from connector.text import Text

if TYPE_CHECKING:
    from jobs.portfolio import Portfolio, Risk


def largest(found: Portfolio) -> list[tuple[Risk, Decimal]]:
    """The debtors who owe most, each with its receivables."""
    owed = [(risk, risk.receivables) for risk in found.risks if risk.receivables is not None and risk.receivables > 0]
    return sorted(owed, key=lambda pair: -pair[1])[: found.top]


def concentration(found: Portfolio) -> Table:
    """The largest debtors and their share of everything owed."""
    table = Table(
        Text("The largest debtors of {day}, in {currency}", "{day} 最大欠款客户（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("rank", Text("no.", "序号"), right=True),
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称")),
            Column("receivables", Text("receivables", "应收账款"), right=True),
            Column("percent", Text("%", "占比 %"), right=True),
            Column("cumulative_percent", Text("together %", "累计 %"), right=True),
        ],
    )
    whole = found.ends[-1].receivables
    so_far = whole - whole
    for rank, (risk, receivables) in enumerate(largest(found), 1):
        so_far += receivables
        table.rows.append(
            {
                "rank": rank,
                "customer_id": risk.first.ref,
                "name": risk.first.name,
                "receivables": money(found, receivables),
                "percent": percent(ratio(receivables, whole)),
                "cumulative_percent": percent(ratio(so_far, whole)),
            }
        )
    return table


def risks(found: Portfolio) -> Table:
    """Who needs attention first: the highest level, then the most overdue."""
    table = Table(
        Text("Customers at risk on {day}, in {currency}", "{day} 重点风险客户（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("rank", Text("no.", "序号"), right=True),
            Column("customer_id", Text("customer", "客户"), style="bold"),
            Column("name", Text("name", "名称"), spare=3),
            Column("level", Text("level", "预警"), coloured=True),
            Column("hold", Text("held", "冻结")),
            Column("overdue", Text("overdue", "逾期"), right=True),
            Column("oldest_days", Text("days", "最长天数"), right=True),
            Column("receivables", Text("receivables", "应收账款"), right=True, spare=1),
            Column("exposure", Text("exposure", "信用占用"), right=True, spare=2),
            Column("used_percent", Text("used %", "额度使用率 %"), right=True),
        ],
    )
    at_risk = [risk for risk in found.risks if risk.level != "green" or risk.overdue][: found.top]
    for rank, risk in enumerate(at_risk, 1):
        table.rows.append(
            {
                "rank": rank,
                "customer_id": risk.first.ref,
                "name": risk.first.name,
                "level": LEVELS[risk.level],
                "hold": risk.hold,
                "overdue": money(found, risk.overdue),
                "oldest_days": risk.oldest_days,
                "receivables": money(found, risk.receivables),
                "exposure": money(found, risk.exposure),
                "used_percent": percent(risk.utilisation),
            }
        )
    if not at_risk:
        table.notes.append(Text("Nobody is overdue, and no warning stands.", "没有逾期客户，也没有预警。"))
    return table


# From which use of the limit on a band begins, in percent; what is exactly on a bound belongs to the band below.
BANDS = (0, 50, 80, 95, 100)


def bands(found: Portfolio) -> list[tuple[str, Text, int, Decimal]]:
    """How customers use their limits: key, heading, number of customers, their exposure."""
    rows: dict[str, tuple[Text, list[Risk]]] = {"at_most_0": (Text("0 % or less", "≤ 0 %"), [])}
    for low, high in pairwise(BANDS):
        rows[f"{low}-{high}"] = (Text(f"{low}–{high} %", f"{low}–{high} %"), [])
    rows["above_100"] = (Text("above 100 %", "超过 100 %"), [])
    rows["no_limit"] = (Text("no limit", "无额度"), [])
    rows["unlimited"] = (Text("unlimited", "不限额"), [])
    rows["unclear"] = (Text("cannot be said", "无法判断"), [])
    for risk in found.risks:
        if risk.limit_kind in ("none", "unlimited"):
            key = "no_limit" if risk.limit_kind == "none" else "unlimited"
        elif risk.utilisation is None:
            key = "unclear"
        else:
            used = risk.utilisation * 100
            at = sum(used > bound for bound in BANDS)
            key = list(rows)[at]
        rows[key][1].append(risk)
    return [
        (key, title, len(risks), sum((r.exposure for r in risks if r.exposure is not None), Decimal(0)))
        for key, (title, risks) in rows.items()
    ]


def utilisation(found: Portfolio) -> Table:
    """How many customers use how much of their limit."""
    table = Table(
        Text("Use of limits on {day}, in {currency}", "{day} 额度使用率分布（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("band", Text("limit used", "额度使用率"), style="bold"),
            Column("customers", Text("customers", "客户数"), right=True),
            Column("exposure", Text("exposure", "信用占用"), right=True),
        ],
    )
    for key, title, count, exposure in bands(found):
        if count or key not in ("unclear", "unlimited", "no_limit"):
            table.rows.append({"band": title, "customers": count, "exposure": money(found, exposure)})
    return table


def warnings(found: Portfolio) -> Table:
    """Customers by the warning level in force."""
    table = Table(
        Text("Warnings in force on {day}, in {currency}", "{day} 生效预警（{currency}）").fill(
            day=found.as_of, currency=found.currency
        ),
        [
            Column("level", Text("level", "预警"), coloured=True),
            Column("customers", Text("customers", "客户数"), right=True),
            Column("held", Text("held", "其中冻结"), right=True),
            Column("receivables", Text("receivables", "应收账款"), right=True),
            Column("overdue", Text("overdue", "逾期"), right=True),
        ],
    )
    for level in ("red", "orange", "yellow", "green"):
        risks = [risk for risk in found.risks if risk.level == level]
        table.rows.append(
            {
                "level": LEVELS[level],
                "customers": len(risks),
                "held": sum(risk.hold for risk in risks),
                "receivables": money(found, sum((r.receivables or Decimal(0) for r in risks), Decimal(0))),
                "overdue": money(found, sum((r.overdue or Decimal(0) for r in risks), Decimal(0))),
            }
        )
    return table
