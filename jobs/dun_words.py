"""Words of dunning: the task that somebody gets when a customer's items take a step, in the system's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from connector.credit.dun import Plan, Step
from connector.credit.reason import money
from connector.policy_dunning import Channel
from connector.store.customers import CustomerRow
from connector.text import Language, Text, joined

_LINES_MOST = 20

SUBJECTS: dict[Channel, Text] = {
    "statement": Text("Payment falls due soon: {name} ({no})", "付款即将到期提醒：{name}（{no}）"),
    "phone": Text("Call about overdue payment: {name} ({no})", "电话催收：{name}（{no}）"),
    "email": Text(
        "Write about overdue payment, level {level}: {name} ({no})", "邮件催收（第 {level} 级）：{name}（{no}）"
    ),
    "letter": Text("Send the demand, level {level}: {name} ({no})", "发送催款函（第 {level} 级）：{name}（{no}）"),
    "final_demand": Text("Send the final demand: {name} ({no})", "发送律师函（最后催告）：{name}（{no}）"),
    "stop_credit": Text("Stop credit, cash only: {name} ({no})", "停止授信、仅限现款：{name}（{no}）"),
    "legal": Text("Take legal action or claim insurance: {name} ({no})", "启动法律程序或保险理赔：{name}（{no}）"),
}
CHANNELS: dict[Channel, Text] = {
    "statement": Text("notice", "到期提醒"),
    "phone": Text("call", "电话催收"),
    "email": Text("e-mail", "邮件催收"),
    "letter": Text("letter", "催款函"),
    "final_demand": Text("final demand", "律师函"),
    "stop_credit": Text("stop credit", "停止授信"),
    "legal": Text("legal action", "法律程序"),
}
ERRANDS: dict[Channel, Text] = {
    "statement": Text("Nothing is overdue yet.", "目前尚无逾期。"),
    "phone": Text(
        "Please call the customer, and write down the result: holdfast contact add {no}",
        "请致电客户并记录结果：holdfast contact add {no}",
    ),
    "email": Text("Please send it, and keep the proof of delivery.", "请发送并留存送达凭证。"),
    "letter": Text("Please send it, and keep the proof of delivery.", "请寄送并留存送达凭证。"),
    "final_demand": Text(
        "Please send it by a way that proves delivery, and keep the proof: it makes the limitation period run anew.",
        "请以可证明送达的方式寄送并留存凭证：送达可使诉讼时效重新计算。",
    ),
    "stop_credit": Text(
        "No deliveries on credit from now on. Tell the customer in writing, with the reason.",
        "即日起停止赊销，请书面通知客户并说明理由。",
    ),
    "legal": Text(
        "Please put the case file together: contracts, delivery notes, invoices, letters with proof of delivery.",
        "请整理案件材料：合同、送货单、发票、催款函及送达凭证。",
    ),
}
LINE = Text(
    "{ref}: {amount} open, due {due}, {days:day|days} overdue → level {level}, {channel}",
    "{ref}：未清 {amount}，到期日 {due}，逾期 {days} 天 → 第 {level} 级，{channel}",
)
MORE = Text("… and {count} more", "…… 另有 {count} 笔")
LETTER = Text("Letter no. {number} is ready with all its figures.", "第 {number} 号函件已生成，含全部数据。")
ESCALATED = Text("Sales management and finance are to be told.", "须通报销售负责人与财务。")


def line(step: Step, as_of: dt.date) -> Text:
    """One step as a sentence."""
    debt = step.debt
    return LINE.fill(
        ref=debt.number or debt.ref,
        amount=money(debt.open, debt.currency),
        due=debt.due_on,
        days=debt.days(as_of),
        level=step.level,
        channel=CHANNELS[step.rung.channel],
    )


def highest(steps: Sequence[Step]) -> Step:
    """The step by which a customer's task is named."""
    return max(steps, key=lambda step: step.level)


def of_task(
    plan: Plan,
    name: str,
    customer_no: str,
    account: CustomerRow,
    key: str,
    as_of: dt.date,
    language: Language,
    letter: int | None,
) -> dict[str, object]:
    """The task of a run for one customer, in the vocabulary that mappings write."""
    steps = [step for step in plan.steps if step.level]
    top = highest(steps).rung
    names = {"name": name, "no": customer_no, "level": top.level}
    lines = [line(step, as_of) for step in steps[:_LINES_MOST]]
    if len(steps) > _LINES_MOST:
        lines.append(MORE.fill(count=len(steps) - _LINES_MOST))
    if letter is not None:
        lines.append(LETTER.fill(number=letter))
    if any(step.rung.escalate for step in steps):
        lines.append(ESCALATED)
    lines.append(ERRANDS[top.channel].fill(**names))
    urgent = top.escalate or top.hold_orders
    return {
        "subject": SUBJECTS[top.channel].fill(**names).say(language),
        "body": joined(lines, "\n", "\n").say(language),
        "due_on": as_of + dt.timedelta(days=1 if urgent else 2),
        "owner": account.owner,
        "priority": "high" if urgent else "normal",
        "customer": account.ref,
        "key": key,
    }


__all__ = ["CHANNELS", "SUBJECTS", "highest", "line", "of_task"]
