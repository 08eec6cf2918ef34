"""Parts of the portfolio's report that name customers: concentration, risks, use of limits, warnings."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from connector.cli.output import Column, Table
from connector.cli.portfolio_figures import money, percent
from connector.cli.report import LEVELS
from connector.credit.kpi import ratio
from connector.text import Text
from jobs.portfolio_parts import bands, largest

if TYPE_CHECKING:
    from jobs.portfolio import Portfolio


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
