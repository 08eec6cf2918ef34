"""Words about orders: why something that was asked for cannot be done."""

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
TWICE = Text(
    "The same stands already: exclusion {number}, by {by}, until {until}. End it first to change it: "
    "holdfast order exclusions --end {number}",
    "相同的例外已存在：例外 {number}（{by}，截止 {until}）。如需更改，请先终止：holdfast order exclusions --end {number}",
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
