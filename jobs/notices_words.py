"""Words of notices: what people are told of an order that is held, asked for, released, refused or free again."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from connector.text import Language, Text, joined, same

# By what has happened: one line, in mails and tasks.
SUBJECTS: dict[str, Text] = {
    "held": Text("Order {order} is held: {name}, {total}", "订单 {order} 已冻结：{name}，{total}"),
    "manual": Text("Order {order} is held by hand: {name}, {total}", "订单 {order} 已人工冻结：{name}，{total}"),
    "expired": Text("Order {order} is held again: {name}, {total}", "订单 {order} 已重新冻结：{name}，{total}"),
    "requested": Text("Release wanted: order {order}, {name}, {total}", "待审批放行：订单 {order}，{name}，{total}"),
    "approved": Text(
        "Second approval wanted: order {order}, {name}, {total}", "待第二人审批放行：订单 {order}，{name}，{total}"
    ),
    "released": Text("Order {order} is released: {name}, {total}", "订单 {order} 已放行：{name}，{total}"),
    "refused": Text("Release refused: order {order}, {name}, {total}", "放行被拒：订单 {order}，{name}，{total}"),
    "auto_released": Text("Order {order} may go on: {name}, {total}", "订单 {order} 可继续执行：{name}，{total}"),
    "lifted": Text("Order {order} may go on: {name}, {total}", "订单 {order} 可继续执行：{name}，{total}"),
}
# The same in one or two words, for tables.
STATES: dict[str, Text] = {
    "held": Text("held", "冻结"),
    "manual": Text("held by hand", "人工冻结"),
    "expired": Text("held again", "重新冻结"),
    "requested": Text("release wanted", "待审批放行"),
    "approved": Text("second approval wanted", "待第二人审批"),
    "released": Text("released", "已放行"),
    "refused": Text("release refused", "放行被拒"),
    "auto_released": Text("may go on", "可继续执行"),
    "lifted": Text("may go on", "可继续执行"),
}
ASKS = Text("{who} asks for its release: {why}", "{who} 申请放行：{why}")
ONE_HAS = Text("{who} has approved the release: {why}", "{who} 已批准放行：{why}")
RELEASED = Text(
    "{who} has released it up to {most}, until {until}: {why}", "{who} 已放行，上限 {most}，有效期至 {until}：{why}"
)
REFUSED = Text("{who} refuses its release: {why}", "{who} 拒绝放行：{why}")
CLEARED = Text("All reasons have cleared: it may go on.", "冻结原因已全部消除，订单可继续执行。")
LIFTED = Text(
    "{who} has lifted the hold by hand, and nothing else holds it: {why}",
    "{who} 已解除人工冻结，且无其他冻结原因：{why}",
)
WHY = Text("What holds it:", "冻结原因：")
WAYS = Text("Each of these alone would release it:", "以下任一措施即可解除冻结：")
NO_WAY = Text(
    "No payment and no limit releases it: a person has to.", "付款或增加额度均不能解除冻结，须由有权限的人员放行。"
)
NEEDS = Text("A release needs {need}. Who may now: {names}.", "放行须由{need}批准。目前可放行的人员：{names}。")
NOBODY = Text("nobody", "无")
ASK = Text(
    "To ask for it, fill in “{field}” on the order with your reason.", "如需申请放行，请在订单的“{field}”栏填写理由。"
)
DECIDE = Text(
    "Release it: holdfast order release {ref} --why …; or refuse: holdfast order refuse {ref} --why …",
    "放行：holdfast order release {ref} --why …；拒绝：holdfast order refuse {ref} --why …",
)
FIGURES = Text(
    "Exposure {exposure}, limit {limit}, overdue {overdue} ({days:day|days}), as of {as_of}.",
    "信用占用 {exposure}，额度 {limit}，逾期 {overdue}（{days} 天），截至 {as_of}。",
)
MANY = Text("Changes to {count:order|orders}", "{count} 张订单有变化")
MANY_TASK = Text("{count:order|orders} of {name} held", "{name} 的 {count} 张订单已冻结")
COLUMNS = (
    Text("Order", "订单"),
    Text("Customer", "客户"),
    Text("Total", "金额"),
    Text("What", "状态"),
    Text("Why", "原因"),
)
FOOT = Text(
    "Sent by Holdfast because you are in charge of this order or may decide on it. Nobody reads answers to this address.",
    "本邮件由 Holdfast 自动发送，因您负责该订单或有权审批。请勿回复。",
)


@dataclass(frozen=True, slots=True)
class Said:
    """One notice in words: a heading, and paragraphs; a paragraph of several lines is a list under its first."""

    subject: Text
    body: tuple[tuple[Text, ...], ...]

    def text(self, language: Language) -> str:
        """As plain text."""
        return "\n\n".join(_plain(part, language) for part in self.body)


def block(head: Text, lines: Sequence[Text]) -> tuple[Text, ...]:
    """A list under a heading."""
    return (head, *lines)


def names(people: Sequence[str]) -> Text:
    """People by name, as the languages list them."""
    return joined([same(name) for name in people], ", ", "、") if people else NOBODY


def _plain(part: Sequence[Text], language: Language) -> str:
    return "\n".join([part[0].say(language), *(f"• {line.say(language)}" for line in part[1:])])


def mail_text(said: Said, language: Language) -> str:
    """A mail as plain text."""
    return f"{said.text(language)}\n\n-- \n{FOOT.say(language)}\n"


def mail_html(said: Said, language: Language) -> str:
    """A mail as HTML. Everything in it is escaped: names and reasons come from outside."""
    parts = []
    for part in said.body:
        first, *rest = (html.escape(text.say(language)).replace("\n", "<br>") for text in part)
        items = "".join(f"<li>{line}</li>" for line in rest)
        parts.append(f"<p>{first}</p>" + (f"<ul>{items}</ul>" if rest else ""))
    return _page("".join(parts), language)


def _more(rows: Sequence[Row], language: Language) -> str:
    left = len(rows) - _ROWS_MOST
    return "\n" + REST.fill(count=f"{left:,}").say(language) if left > 0 else ""


# A mail of the first night of a large book is still one that arrives.
_ROWS_MOST = 500
REST = Text("And {count} more: holdfast order list.", "另有 {count} 张：holdfast order list。")
Row = tuple[str, str, str, Text, Text]


def table_text(rows: Sequence[Row], language: Language) -> str:
    """Many orders as plain text, a line each."""
    lines = [
        f"• {order}  {name}  {total}  {what.say(language)}" + (f": {why.say(language)}" if why.en else "")
        for order, name, total, what, why in rows[:_ROWS_MOST]
    ]
    return "\n".join(lines) + _more(rows, language) + f"\n\n-- \n{FOOT.say(language)}\n"


def table_html(rows: Sequence[Row], language: Language) -> str:
    """Many orders as one table."""
    head = "".join(f'<th align="left">{html.escape(c.say(language))}</th>' for c in COLUMNS)
    body = "".join(
        "<tr>"
        f"<td>{html.escape(order)}</td><td>{html.escape(name)}</td><td align=right>{html.escape(total)}</td>"
        f"<td>{html.escape(what.say(language))}</td><td>{html.escape(why.say(language))}</td>"
        "</tr>"
        for order, name, total, what, why in rows[:_ROWS_MOST]
    )
    more = html.escape(_more(rows, language))
    return _page(f'<table border="1" cellpadding="4" cellspacing="0"><tr>{head}</tr>{body}</table>{more}', language)


def _page(body: str, language: Language) -> str:
    lang = "zh-CN" if language == "zh" else "en"
    foot = f'<p style="color:#666">{html.escape(FOOT.say(language))}</p>'
    return f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><body>{body}{foot}</body></html>\n'
