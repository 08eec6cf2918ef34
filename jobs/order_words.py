"""Words about orders: their states, what happened to them, why something that was asked for cannot be done."""

from __future__ import annotations

from connector.text import Text

NO_ORDER = Text(
    "There is no order “{ref}”. holdfast order list shows those that are held.",
    "没有订单“{ref}”。holdfast order list 可列出被冻结的订单。",
)
SEVERAL = Text(
    "“{ref}” fits several orders; name one with its system: {refs}", "“{ref}”对应多个订单，请带系统名指定：{refs}"
)
NOBODYS = Text(
    "The customer of order {ref} is not linked to one of the ledger: holdfast link.",
    "订单 {ref} 的客户尚未关联到账务客户：holdfast link。",
)
NOT_OPEN = Text("Order {ref} is not open (status: {status}).", "订单 {ref} 不在执行中（状态：{status}）。")
NOT_HELD = Text("Order {ref} is not held.", "订单 {ref} 未被冻结。")
NOT_BY_HAND = Text("Order {ref} is not held by hand.", "订单 {ref} 并非人工冻结。")
NO_POINT = Text("There is no check point “{point}”. One of: {points}.", "没有检查点“{point}”。可选：{points}。")
NO_REASON = Text("Say why: it goes into the audit trail.", "请填写理由：将记入审计日志。")
NO_RULE = Text("There is no rule “{rule}”. One of: {rules}.", "没有规则“{rule}”。可选：{rules}。")
NO_EXCLUSION = Text("There is no exclusion {number} in force.", "没有生效中的例外 {number}。")
UNTIL = Text(", until {day}", "，截止 {day}")
TWICE = Text(
    "The same stands already: exclusion {number}, by {by}{until}. End it first to change it: "
    "holdfast order exclusions --end {number}",
    "相同的例外已存在：例外 {number}（{by}{until}）。如需更改，请先终止：holdfast order exclusions --end {number}",
)
BACKWARDS = Text("The last day is before the first.", "截止日早于起始日。")
TOO_NARROW = Text(
    "A release reaches at least to today, {today}, and to the order's total, {total}.",
    "放行有效期不得早于今天（{today}），上限不得低于订单金额 {total}。",
)
NOT_DECIDING = Text(
    "{person} is neither a credit controller nor an approver: this is theirs to do.",
    "{person} 不是信用专员或审批人，无权执行此操作。",
)

# --- states and what happened --------------------------------------------------------------------------------------------
STATES = {
    "passed": Text("passed", "已通过"),
    "held": Text("held", "冻结"),
    "requested": Text("release requested", "已申请放行"),
    "released": Text("released", "已放行"),
    "refused": Text("release refused", "放行被拒"),
    "expired": Text("held again", "重新冻结"),
}
HAPPENED = {
    "passed": Text("passed", "通过"),
    "held": Text("held", "冻结"),
    "changed": Text("checked, with other reasons", "重新检查，原因有变"),
    "auto_released": Text("all reasons cleared: passed", "原因全部消除，自动放行"),
    "requested": Text("release requested", "申请放行"),
    "approved": Text("approved by one; a second is wanted", "已有一人批准，尚需另一人"),
    "released": Text("released", "放行"),
    "refused": Text("release refused", "拒绝放行"),
    "expired": Text("the release covers it no more: held", "放行不再适用，重新冻结"),
    "manual": Text("held by hand", "人工冻结"),
    "lifted": Text("hold by hand lifted", "解除人工冻结"),
    "reopened": Text("opened again", "重新打开"),
    "ended": Text("no longer open", "不再执行"),
    "taken_over": Text("goes on as the same order did in the other system", "沿用另一系统中同一订单的状态"),
}
