"""The sentences of the credit file's time line, in both languages."""

from __future__ import annotations

from connector.credit.granting import What
from connector.text import Text, same


def because(words: str) -> Text:
    return Text(f": {words}", f"：{words}") if words else same("")


KNOWN = Text(
    "{name} is a customer in {system} ({ref}); tax number {tax}, terms {terms}",
    "{name} 成为 {system} 客户（{ref}）；税号 {tax}，账期 {terms}",
)
UNKNOWN = Text("not known", "未知")
LIMIT = Text("{kind} of {amount}, valid {until}", "{kind} {amount}，有效期 {until}")
REQUEST = Text("request {number} {what}, {amount}{why}", "申请 {number} {what}，{amount}{why}")
REQUESTS: dict[What, Text] = {
    "proposed": Text("proposed", "提出"),
    "changed": Text("changed", "调整"),
    "approved": Text("approved by one", "获一人批准"),
    "granted": Text("granted", "批准"),
    "rejected": Text("rejected", "驳回"),
    "superseded": Text("overtaken by a newer one", "被新申请取代"),
    "in_force": Text("in force", "生效"),
}
LIMIT_KINDS = {
    "base": Text("base limit", "基础额度"),
    "unlimited": Text("no limit test", "不限额"),
    "override": Text("temporary limit", "临时额度"),
    "additive": Text("uplift", "临时增额"),
    "guarantee": Text("guarantee", "担保额度"),
    "seasonal": Text("seasonal limit", "季节性额度"),
    "stage": Text("tranche", "分期额度"),
}
HELD, FREE = Text("held", "冻结"), Text("free", "正常")
DECIDED = Text(
    "{state}, warning level {level}; exposure {exposure}, limit {limit}, overdue {overdue}{reasons}",
    "{state}，预警{level}；占用 {exposure}，额度 {limit}，逾期 {overdue}{reasons}",
)
REASONS = Text("; reasons: {reasons}", "；原因：{reasons}")
NO_LIMIT = Text("none", "无")
SCORED = Text("score {points}, grade {grade}", "评分 {points}，等级 {grade}")
UNGRADED = Text("score {points}, no grade", "评分 {points}，无等级")
UNSCORED = Text("no score: too little is known", "无评分：已知信息不足")
WARNED = Text("{level} warning: {indicator}{value}", "{level}预警：{indicator}{value}")
AT = Text(": {value}", "：{value}")
NOTED = Text(
    "warning taken note of, rests until {until}: {indicator}{why}", "确认预警，暂缓至 {until}：{indicator}{why}"
)
CALMED = Text("the warning has ended: {indicator}", "预警解除：{indicator}")
ORDER = Text("order {number} {what}{why}", "订单 {number} {what}{why}")
ORDER_EVENTS = {
    "passed": Text("passed", "通过"),
    "held": Text("held", "冻结"),
    "changed": Text("changed", "变更"),
    "auto_released": Text("released by itself", "自动放行"),
    "requested": Text("release asked for", "申请放行"),
    "approved": Text("release approved by one", "放行已获一人批准"),
    "released": Text("released", "放行"),
    "refused": Text("release refused", "拒绝放行"),
    "expired": Text("release has ended", "放行失效"),
    "manual": Text("held by hand", "人工冻结"),
    "lifted": Text("hold by hand lifted", "解除人工冻结"),
    "reopened": Text("opened again", "重新打开"),
    "ended": Text("no longer open", "已结束"),
    "undone": Text("hold taken off in its system by somebody", "冻结在系统中被人取消"),
    "taken_over": Text("goes on as the same order did in the other system", "沿用另一系统中同一订单的状态"),
}
STEP = Text("{document}: {what}, level {level}, open {open}", "{document}：{what}，{level} 级，未清 {open}")
STEPS = {
    "notice": Text("notice before the due date", "到期前提醒"),
    "step": Text("dunned", "催收"),
    "settled": Text("settled", "已结清"),
    "reopened": Text("open again", "重新未清"),
    "renewed": Text("begun anew", "重新开始"),
}
CONTACT = Text("{kind}{note}", "{kind}{note}")
CONTACTS = {
    "phone": Text("call", "电话"),
    "email": Text("e-mail", "邮件"),
    "visit": Text("visit", "拜访"),
    "delivery": Text("demand delivered", "催款函送达"),
    "acknowledgement": Text("debt acknowledged", "确认债务"),
    "suit": Text("suit filed", "起诉"),
}
PROMISED = Text("promises {amount} by {due}", "承诺于 {due} 前付款 {amount}")
STATEMENT = Text(
    "statement to {end} ({months:month|months}), {file}: {status}",
    "截至 {end} 的报表（{months} 个月），{file}：{status}",
)
STATUSES = {
    "draft": Text("draft", "草稿"),
    "confirmed": Text("confirmed", "已确认"),
    "refused": Text("refused", "已退回"),
}
PLANNED = Text("review planned, last day {due}: {why}", "安排复评，最迟 {due}：{why}")
REVIEWED = Text("reviewed by {reviewer}: {conclusion}{why}", "{reviewer} 完成复评：{conclusion}{why}")
EVENT = Text("{kind}{words}", "{kind}{words}")
EVENT_OVER = Text("{kind} has ended", "{kind} 已结束")
PAPER = Text("{kind} no. {number} {name}{note}{until}", "{kind}（编号 {number}）{name}{note}{until}")
UNTIL = Text(" (valid until {day})", "（有效期至 {day}）")
TRAIL = Text("{action}{why}", "{action}{why}")
