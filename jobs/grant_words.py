"""The sentences of deciding on limits, in both languages: what is asked for, where it stands, why it may not be."""

from __future__ import annotations

from connector.credit.granting import Request
from connector.credit.reason import money
from connector.text import Text


def shown(request: Request, amount_minor: int | None) -> Text:
    """What is asked for, as a sentence names it."""
    if amount_minor is None:
        return Text("unlimited credit", "不限额")
    return KINDS[request.kind].fill(amount=money(request.decimal(amount_minor), request.currency))


KINDS = {
    "base": Text("a limit of {amount}", "额度 {amount}"),
    "stage": Text("a limit in stages of {amount}", "分期额度 {amount}"),
    "override": Text("a temporary limit of {amount}", "临时额度 {amount}"),
    "additive": Text("an uplift of {amount}", "临时增额 {amount}"),
    "seasonal": Text("a seasonal limit of {amount}", "季节性额度 {amount}"),
    "guarantee": Text("a guarantee of {amount}", "担保 {amount}"),
    "unlimited": Text("unlimited credit", "不限额"),
}
STATES = {
    "open": Text("open", "待批"),
    "granted": Text("approved", "批准"),
    "in_force": Text("in force", "生效"),
    "rejected": Text("rejected", "否决"),
    "superseded": Text("superseded by a newer one", "由新申请取代"),
}
NOBODY = Text("somebody whom the approval matrix does not name", "审批权限表未指定的人员")
WAITS = Text(
    "Request {number}, {amount}, waits for {whom} ({who}).", "申请 {number}（{amount}）待{whom}批准（{who}）。"
)
WAITS_SECOND = Text(
    "Request {number}, {amount}, has one approval and waits for a second person ({who}).",
    "申请 {number}（{amount}）已有一人批准，待第二人批准（{who}）。",
)
BY_HAND = Text(
    "Request {number} is approved: {amount}. Nothing can be written to {system}: enter it there; it counts when it is read "
    "back.",
    "申请 {number} 已批准：{amount}。无法写入 {system}，请在该系统中录入；读回后生效。",
)
BECAME = {
    "granted": Text(
        "Request {number} is approved: {amount}. It counts when it is read back.",
        "申请 {number} 已批准：{amount}，写入后读回即生效。",
    ),
    "in_force": Text("Request {number} is approved and in force: {amount}.", "申请 {number} 已批准并生效：{amount}。"),
    "rejected": Text("Request {number} is rejected: {amount}.", "申请 {number} 已否决：{amount}。"),
    "superseded": Text("Request {number} was superseded: {amount}.", "申请 {number} 已被新申请取代：{amount}。"),
}
FROZEN = Text("No limit can be raised now: {why}.", "目前不得提高额度：{why}。")
NO_RISE = Text(
    "The limit cannot rise now: {why}. It can be asked for again when that has cleared; until then the "
    "release of a single held order can be asked for.",
    "目前不得申请提高额度：{why}。待情况消除后可再次申请；在此之前可就单笔被冻结的订单申请放行。",
)
DUNNED = Text("dunning has reached level {level}", "催收已达 {level} 级")
NO_DECISION = Text("{person} has no role that decides on limits.", "{person} 没有审批额度的角色。")
