"""The words of the panel that are not the policy's own: states at a glance, tasks, why there is nothing to show."""

from __future__ import annotations

from collections.abc import Mapping

from connector.policy_section import Level
from connector.text import Text
from jobs.panel_shape import Status, Tone

# --- why there is nothing ---------------------------------------------------------------------------------------------------
NO_RECORD = Text(
    "This record is not known here yet. New records are read within minutes; try again a little later.",
    "尚未读取到该记录。新记录通常几分钟内即可读入，请稍后再试。",
)
NOT_LINKED = Text(
    "This record is not linked to a customer of the ledger yet, so nothing is known of its credit. Finance can link it.",
    "该记录尚未关联到账务系统中的客户，暂无信用信息。请联系财务完成关联。",
)
REFUSED = Text(
    "You are none of the people who may see credit figures here. Ask your administrator.",
    "您不在可查看信用信息的人员名单中，请联系管理员。",
)

# --- how it stands ------------------------------------------------------------------------------------------------------------
_LEVELS: Mapping[Level, tuple[Tone, Text, Text]] = {
    "green": (
        "good",
        Text("In good standing", "信用正常"),
        Text("New orders go through within the limit.", "额度内的新订单可正常通过。"),
    ),
    "yellow": (
        "watch",
        Text("Watch", "关注"),
        Text("Something needs attention; orders go through.", "有事项需要关注，订单可正常通过。"),
    ),
    "orange": (
        "warn",
        Text("Warning", "预警"),
        Text("Credit is getting worse; talk to the customer.", "信用状况转差，请与客户沟通。"),
    ),
    "red": (
        "alarm",
        Text("Red warning", "红色预警"),
        Text("Act now: new credit is at risk.", "请立即处理：新增赊销风险高。"),
    ),
}
HELD = Status(
    "stop",
    Text("On hold", "信用冻结"),
    Text("New orders are held until this is settled.", "问题解决之前，新订单将被冻结。"),
)


def of_level(level: Level) -> Status:
    """A customer that is not held."""
    return Status(*_LEVELS[level])


# Of an order, by its state.
PASSED = Status("good", Text("Passes", "可以执行"), Text("Credit does not hold this order.", "该订单未被信用冻结。"))
ORDER_STATES: Mapping[str, Status] = {
    "held": Status(
        "stop", Text("Held", "已冻结"), Text("It must not be delivered or confirmed now.", "目前不得确认或发货。")
    ),
    "requested": Status(
        "stop",
        Text("Held, release asked for", "已冻结，放行申请中"),
        Text("Somebody has to decide on its release.", "等待审批人决定是否放行。"),
    ),
    "refused": Status(
        "stop",
        Text("Held, release refused", "已冻结，放行被拒"),
        Text("Its release was refused.", "放行申请已被拒绝。"),
    ),
    "expired": Status(
        "stop",
        Text("Held again, release ended", "放行失效，重新冻结"),
        Text("Its release does not cover it any more.", "原放行已不再适用。"),
    ),
}
RELEASED = Text("Released", "已放行")
RELEASED_LINE = Text("By {by}, up to {most}, until {until}.", "放行人 {by}，上限 {most}，有效期至 {until}。")
OTHERWISE_HELD = Text("It would be held; a person has let it go.", "原应冻结，已由人工放行。")
CLOSED = Status(
    "unknown",
    Text("Not open", "已结束"),
    Text(
        "It is delivered, closed or cancelled; credit holds only what is open.",
        "订单已交付、关闭或取消，不再进行信用控制。",
    ),
)

# --- the rest -----------------------------------------------------------------------------------------------------------------
TASKS: Mapping[str, Text] = {
    "hold": Text("Settle the credit hold with the customer", "就信用冻结与客户沟通处理"),
    "warning": Text("Look into the credit warning", "核实信用预警"),
    "review": Text("Review the customer's credit", "客户信用复评"),
    "dunning": Text("Ask for overdue payment", "催收逾期款"),
    "release": Text("Decide on the release of an order", "审批订单放行"),
    "order": Text("News of a held order", "冻结订单进展"),
    "orders": Text("News of held orders", "冻结订单进展"),
}


def task(about: str) -> Text:
    """What a task is about."""
    return TASKS.get(about, Text("Task", "任务"))


def bucket(label: str) -> Text:
    """The heading of a step of the ageing; days, or years of the statutory basis, in words."""
    if label == "current":
        return Text("Not due", "未到期")
    if label.endswith("y+"):
        return Text(f"Over {label[:-2]} years", f"{label[:-2]} 年以上")
    if label.endswith("y"):
        return Text(f"{label[:-1]} years", f"{label[:-1]} 年")
    if label.endswith("+"):
        return Text(f"{label} days", f"{label[:-1]} 天及以上")
    return Text(f"{label} days", f"{label} 天")
