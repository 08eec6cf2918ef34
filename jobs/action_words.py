"""What the audit trail tells of, in words: every action by its name there."""

from __future__ import annotations

from connector.text import Text, same

ACTIONS: dict[str, Text] = {
    "charge.settle": Text("charge settled", "费用结清或减免"),
    "contact.add": Text("contact written down", "登记联系记录"),
    "decision.made": Text("decisions made", "生成信用结论"),
    "dunning.step": Text("dunned", "执行催收"),
    "exclusion.add": Text("exclusion made", "设置例外"),
    "exclusion.end": Text("exclusion ended", "终止例外"),
    "file.personal": Text("personal data looked at", "查看个人信息"),
    "limit.adopt": Text("limit taken over", "接管额度"),
    "limit.approve": Text("limit approved", "批准额度"),
    "limit.approve_first": Text("limit approved by one", "额度已获一人批准"),
    "limit.change": Text("limit changed", "额度变更"),
    "limit.in_force": Text("limit in force", "额度生效"),
    "limit.propose": Text("limit proposed", "提出额度建议"),
    "limit.reject": Text("limit refused", "驳回额度"),
    "limit.set": Text("limit set", "设定额度"),
    "limit.supersede": Text("request replaced by a newer one", "申请被新申请取代"),
    "order.approved": Text("release approved by one", "放行已获一人批准"),
    "order.auto_released": Text("order passed by itself", "订单自动放行"),
    "order.changed": Text("reasons of an order changed", "订单冻结原因变更"),
    "order.denied": Text("attempt without authority", "越权操作被拒"),
    "order.ended": Text("order no longer open", "订单不再执行"),
    "order.expired": Text("release has ended", "放行失效"),
    "order.first_check": Text("open orders checked for the first time", "首次检查执行中的订单"),
    "order.held": Text("order held", "订单冻结"),
    "order.lifted": Text("hold by hand lifted", "解除人工冻结"),
    "order.manual": Text("order held by hand", "人工冻结订单"),
    "order.passed": Text("order passed", "订单通过"),
    "order.refused": Text("release refused", "拒绝放行"),
    "order.release": Text("order released", "订单放行"),
    "order.released": Text("order released", "订单放行"),
    "order.reopened": Text("order opened again", "订单重新打开"),
    "order.requested": Text("release requested", "申请放行"),
    "order.taken_over": Text("order goes on as in the other system", "订单沿用另一系统中的状态"),
    "paper.add": Text("paper put on file", "资料归档"),
    "policy.activate": Text("policy activated", "启用政策"),
    "policy.approve": Text("policy approved", "批准政策"),
    "review.approve": Text("review approved", "批准复评"),
    "review.conclude": Text("review concluded", "作出复评结论"),
    "review.finish": Text("review finished", "复评完成"),
    "review.plan": Text("review planned", "安排复评"),
    "review.pull_forward": Text("review pulled forward", "复评提前"),
    "review.send_back": Text("review sent back", "退回复评"),
    "review.start": Text("review begun", "开始复评"),
    "statement.confirm": Text("financial statement confirmed", "确认财务报表"),
    "statement.import": Text("financial statement imported", "导入财务报表"),
    "statement.label": Text("label of a statement learned", "登记报表科目对照"),
    "statement.refuse": Text("financial statement refused", "作废财务报表"),
    "warning.close": Text("warning ended", "预警解除"),
    "warning.lower": Text("warning lowered", "预警降级"),
    "warning.open": Text("warning opened", "新预警"),
    "warning.raise": Text("warning raised", "预警升级"),
}


def action(name: str) -> Text:
    """An action in words; one that nobody named as it is written."""
    return ACTIONS.get(name, same(name))
