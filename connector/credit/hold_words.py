"""Words of order holds: each rule as a short name. The sentences that carry the numbers are with the rules themselves."""

from __future__ import annotations

from connector.text import Text, same

# The rules that hold orders, as short names; their sentences carry the numbers.
RULES: dict[str, Text] = {
    "limit_exceeded": Text("limit exceeded", "超过信用额度"),
    "group_limit_exceeded": Text("group limit exceeded", "超过集团额度"),
    "used_share": Text("share of the limit used", "额度使用率过高"),
    "oldest_overdue": Text("oldest item overdue", "最早逾期超期"),
    "overdue_amount": Text("overdue amount", "逾期金额过大"),
    "order_value": Text("value of the order", "单笔订单金额过大"),
    "warning_level": Text("warning level", "预警等级"),
    "limit_expired": Text("limit expired", "额度到期"),
    "no_limit": Text("no limit", "没有额度"),
    "status": Text("blocked in the ERP", "ERP 中已停用"),
    "review_overdue": Text("review overdue", "复评逾期"),
    "terms_worsened": Text("terms longer than agreed", "账期放宽"),
    "documents": Text("papers missing", "资料缺失"),
    "dunning_level": Text("dunning level", "催收级别"),
    "stop_credit": Text("credit stopped", "停止授信"),
    "no_rate": Text("no exchange rate", "缺少汇率"),
    "no_due_date": Text("no due date", "缺少到期日"),
    "stale_data": Text("data too old", "数据过期"),
    "unclear_limit": Text("limit not clear", "额度不明"),
    "manual": Text("held by hand", "人工冻结"),
    "forced": Text("held by an exclusion", "例外强制冻结"),
    "release_expired": Text("release expired", "放行到期"),
    "release_outgrown": Text("order outgrew its release", "订单超出放行金额"),
    "release_level": Text("warning rose after release", "放行后预警升级"),
    "release_terms": Text("terms changed after release", "放行后账期改变"),
}


def rule(name: str) -> Text:
    """A rule of holds in words; one that nobody named as it is."""
    return RULES.get(name, same(name))
