"""What a simulation tells: its figures in their order, in words, rounded as they are shown; the work of each role."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from connector.text import Text

if TYPE_CHECKING:
    from connector.credit.replay_outcome import Figures

_WITHOUT_DECIMALS = Decimal(1)

# Figures in the order in which they are told; amounts are marked.
AMOUNTS = frozenset(
    {"sales_value", "held_value", "value_days", "stopped_value", "stopped_good", "late_met", "late_missed", "lost_met",
     "lost_missed", "unknown_value"}
)  # fmt: skip
NAMES: dict[str, Text] = {
    "orders": Text("orders placed", "新订单数"),
    "sales": Text("invoices issued", "开票张数"),
    "sales_value": Text("invoiced value", "开票金额"),
    "orders_held": Text("orders it would have held", "将被冻结的订单数"),
    "held_value": Text("value of these orders", "冻结订单金额"),
    "days_held": Text("days held, all orders together", "冻结天数合计"),
    "value_days": Text("sales delayed: value × days", "延误销售：金额 × 天数"),
    "customers_held": Text("customers newly held", "新冻结客户次数"),
    "stopped": Text("invoices of sales it would have stopped", "将被拦下的销售（张）"),
    "stopped_value": Text("value of these sales", "拦下的销售金额"),
    "stopped_good": Text("of these, paid in time after all", "其中事后如期付款的金额"),
    "late_met": Text("overdue met: late amounts of stopped sales", "拦下销售中后来逾期的金额"),
    "late_missed": Text("overdue missed: late amounts of sales let through", "放行销售中后来逾期的金额"),
    "lost_met": Text("losses met: written off of stopped sales", "拦下销售中后来核销的金额"),
    "lost_missed": Text("losses missed: written off of sales let through", "放行销售中后来核销的金额"),
    "unknown_value": Text("sales whose end is not known yet", "结果尚未知晓的销售金额"),
    "work_holds": Text("work: holds to look at", "工作量：待查看的冻结"),
    "work_releases": Text("work: approvals of releases", "工作量：解冻审批"),
    "work_reviews": Text("work: reviews asked for by warnings", "工作量：预警触发的复评"),
    "work_calls": Text("work: phone calls", "工作量：电话催收"),
    "work_letters": Text("work: letters", "工作量：催款函"),
    "work_final_demands": Text("work: final demands", "工作量：律师函"),
    "work_legal": Text("work: legal cases", "工作量：诉讼"),
}
SHORT = {
    "orders_held": Text("orders held", "冻结订单"),
    "held_value": Text("held value", "冻结金额"),
    "value_days": Text("value × days", "金额×天数"),
    "stopped_value": Text("stopped", "拦下销售"),
    "late_met": Text("late, met", "逾期（拦下）"),
    "late_missed": Text("late, missed", "逾期（放行）"),
    "work_holds": Text("holds to look at", "待查看冻结"),
}


def told(figures: Figures) -> dict[str, Decimal]:
    """The figures that are told, releases of all roles together, amounts in whole units."""
    releases = sum((v for k, v in figures.items() if k.startswith("work_releases")), Decimal(0))
    known = {**figures, "work_releases": releases}
    return {
        key: known.get(key, Decimal(0)).quantize(_WITHOUT_DECIMALS) if key in AMOUNTS else known.get(key, Decimal(0))
        for key in NAMES
    }


def roles(figures: Figures) -> dict[str, int]:
    """How much of the work is whose, by role."""
    from connector.credit.replay_outcome import RELEASES, WORK

    found: dict[str, int] = {}
    for key, value in figures.items():
        kind = key.removeprefix("work_")
        if kind == key:
            continue
        role = kind.removeprefix(f"{RELEASES}_") if kind.startswith(RELEASES) else WORK[kind]
        found[role] = found.get(role, 0) + int(value)
    return found
