"""The words of the desk's work list: what each line is about, and the next step."""

from __future__ import annotations

from connector.text import Text

RELEASE_WAITS = Text("Release of order {number} waits for you", "订单 {number} 的放行待您审批")
RELEASE_ASKED = Text("Release of order {number} was asked for", "订单 {number} 已申请放行")
ORDER_HELD = Text("Order {number} is held", "订单 {number} 已冻结")
BY_HAND = Text("held by hand", "人工冻结")
RED = Text("Red warning", "红色预警")
ORANGE = Text("Orange warning", "橙色预警")
OVERDUE_DAYS = Text("oldest item {days:day|days} overdue", "最长逾期 {days} 天")
NOTHING_OVERDUE = Text("nothing is overdue", "无逾期")
USED = Text("{percent}% of the limit used", "额度使用率 {percent}%")
PROMISE_BROKEN = Text("A promise to pay was not kept", "付款承诺未兑现")
PROMISED_BY = Text("promised for {day}; this much is missing", "承诺于 {day} 付款，尚欠此金额")
STEP = Text("Dunning, level {level}: {channel}", "催收第 {level} 级：{channel}")
OTHER = Text("other", "其他")
REVIEW_DUE = Text("Credit review", "信用复评")
REVIEW_BEGUN = Text("Credit review, begun by {who}", "信用复评，由 {who} 进行中")
REVIEW_PROPOSED = Text("Credit review concluded: {what}", "信用复评结论：{what}")
LIMIT_ASKED = Text("Request {number} for a limit", "额度申请 {number}")
LIMIT_PROPOSED = Text("Proposal {number} for a limit", "额度建议 {number}")
LIMIT_ENDS = Text("The limit ends on {day}", "信用额度将于 {day} 到期")
NOTHING_FOLLOWS = Text("no other limit follows it", "到期后无后续额度")
ASKED_ALREADY = Text("another one was asked for", "已有续期申请")

# --- the next step -----------------------------------------------------------------------------------------------------------
DECIDE = Text("Decide", "审批")
DECIDED_SOON = Text("See who may decide", "查看审批人")
LOOK_WHAT_FREES = Text("See what helps", "查看解除措施")
LOOK_AT_WARNINGS = Text("Look into it", "查看原因")
CALL_AGAIN = Text("Call again", "再次联系")
NOTE_WHAT_CAME = Text("Do it and note what came of it", "执行并记录结果")
BEGIN_REVIEW = Text("Begin", "开始复评")
CONCLUDE = Text("Conclude", "作出结论")
APPROVE = Text("Approve or give back", "批准或退回")
PROPOSE = Text("Propose the next one", "提出新额度")
LOOK_AT_REQUEST = Text("See the request", "查看申请")

KINDS: dict[str, Text] = {
    "order": Text("Held orders", "冻结订单"),
    "warning": Text("Warnings", "预警"),
    "review": Text("Reviews", "复评"),
    "promise": Text("Broken promises", "未兑现承诺"),
    "collection": Text("Collection", "催收"),
    "limit": Text("Limit requests", "额度申请"),
    "ending": Text("Limits that end", "到期额度"),
}
# Of one line.
KIND_OF: dict[str, Text] = {
    "order": Text("order", "订单"),
    "warning": Text("warning", "预警"),
    "review": Text("review", "复评"),
    "promise": Text("promise", "承诺"),
    "collection": Text("collection", "催收"),
    "limit": Text("limit", "额度"),
    "ending": Text("limit", "额度"),
}
