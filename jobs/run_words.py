"""Words for runs and writes: what jobs, counts, kinds of writes and their states are called, for whoever shows them."""

from __future__ import annotations

from connector.text import Text

JOB_NAMES = {
    "pull": Text("pull", "拉取"),
    "link": Text("link", "关联"),
    "limit": Text("limits", "额度"),
    "dun": Text("dun", "催收"),
    "review": Text("review", "复评"),
    "evaluate": Text("evaluate", "评估"),
    "requests": Text("requests", "放行申请"),
    "notices": Text("notices", "通知"),
    "mail": Text("mail", "邮件"),
    "push": Text("push", "推送"),
    "hooks": Text("webhooks", "Webhook"),
    "reconcile": Text("reconcile", "核对"),
    "housekeeping": Text("tidy up", "清理"),
    "simulate": Text("simulate", "模拟"),
}
CHANNEL_NAMES = {
    "customer_fields": Text("credit fields", "信用字段"),
    "order_fields": Text("order flag", "订单标记"),
    "hold": Text("hold", "冻结"),
    "limit": Text("limit", "额度"),
    "task": Text("task", "任务"),
    "close_task": Text("task closed", "关闭任务"),
}
COUNT_NAMES = {
    "records": Text("records", "记录"),
    "new": Text("new", "新增"),
    "changed": Text("changed", "变更"),
    "same": Text("unchanged", "未变"),
    "gone": Text("gone", "删除"),
    "pages": Text("pages", "页"),
    "ended": Text("ended", "已取消"),
    "renewed": Text("renewed", "续订"),
    "made": Text("made anew", "重建"),
    "remapped": Text("mapped again", "重新映射"),
    "customers": Text("customers", "客户"),
    "accounts": Text("CRM accounts", "CRM 客户"),
    "debtors": Text("new debtors", "新债务人"),
    "linked": Text("linked", "已关联"),
    "unlinked": Text("not linked", "未关联"),
    "proposals": Text("proposals", "建议"),
    "approved": Text("approved", "自动批准"),
    "in_force": Text("in force", "已生效"),
    "same_person": Text("same legal person", "同一法人"),
    "decisions": Text("decisions changed", "结论变更"),
    "evaluated": Text("evaluated", "已评估"),
    "held": Text("held", "冻结"),
    "orders_held": Text("orders held", "订单冻结"),
    "orders_turned": Text("changes of orders", "订单状态变化"),
    "warnings_opened": Text("new warnings", "新预警"),
    "warnings_raised": Text("warnings raised", "预警升级"),
    "warnings_lowered": Text("warnings lowered", "预警降级"),
    "warnings_closed": Text("warnings ended", "预警解除"),
    "owed": Text("writes owed", "待写入"),
    "done": Text("written", "已写入"),
    "calls": Text("batches", "批次"),
    "found": Text("found there already", "对方已存在"),
    "again": Text("to be tried again", "待重试"),
    "parked": Text("parked", "搁置"),
    "dunned": Text("customers dunned", "催收客户"),
    "steps": Text("steps", "催收步骤"),
    "notices": Text("notices", "到期提醒"),
    "letters": Text("letters", "函件"),
    "planned": Text("reviews planned", "已安排复评"),
    "pulled_forward": Text("reviews pulled forward", "提前的复评"),
    "charges": Text("charges", "费用与利息"),
    "skipped": Text("left alone", "暂不催收"),
    "settled": Text("settled", "已结清"),
    "reopened": Text("opened again", "重新未清"),
    "withdrawn": Text("withdrawn", "已撤回"),
    "compared": Text("compared", "已核对"),
    "asked": Text("releases asked for", "申请放行"),
    "told": Text("people told", "已通知"),
    "mails": Text("mails", "邮件"),
    "tasks": Text("tasks", "任务"),
    "not_reached": Text("reached by nothing", "无法送达"),
    "sent": Text("sent", "已发送"),
    "refused": Text("refused", "被拒"),
    "unknown": Text("not known whether sent", "送达不明"),
    "undone": Text("undone there", "在对方被取消"),
    "restored": Text("restored", "已恢复"),
}
RUN_STATES = {
    "running": Text("at work", "运行中"),
    "done": Text("done", "已完成"),
    "problems": Text("done, with problems", "已完成，有问题"),
    "failed": Text("failed", "失败"),
}
WRITE_STATES = {
    "owed": Text("to be written", "待写入"),
    "claimed": Text("being written", "写入中"),
    "parked": Text("parked", "搁置"),
    "done": Text("written", "已写入"),
    "dropped": Text("dropped", "已放弃"),
    "superseded": Text("superseded", "已被取代"),
    "undone": Text("undone there", "在对方被取消"),
}


def job_name(job: str) -> Text:
    """What a job is called: "pull", "pull:books"."""
    first, _, system = job.partition(":")
    name = JOB_NAMES.get(first, Text(first, first))
    return Text("{name}, {system}", "{name}：{system}").fill(name=name, system=system) if system else name


def doing(what: str) -> Text:
    """What a job says it works on (`link`, `erp/customers`, `crm/task`)."""
    system, slash, part = what.partition("/")
    if not slash:
        return job_name(what)
    return Text("{system} {part}", "{system} {part}").fill(
        system=system, part=CHANNEL_NAMES.get(part, Text(part, part))
    )
