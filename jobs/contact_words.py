"""The words of contacts: how somebody was spoken to, what came of it, and what is wrong about what was entered."""

from __future__ import annotations

from connector.text import Text

KINDS: dict[str, Text] = {
    "phone": Text("call", "电话"),
    "email": Text("e-mail", "邮件"),
    "visit": Text("visit", "拜访"),
    "delivery": Text("delivered", "送达"),
    "acknowledgement": Text("debt acknowledged", "确认债务"),
    "suit": Text("suit filed", "起诉"),
}
RESULTS: dict[str, Text] = {
    "reached": Text("reached", "已接通"),
    "promised": Text("promised to pay", "承诺付款"),
    "disputed": Text("disputes it", "有异议"),
    "refused": Text("refuses to pay", "拒绝付款"),
    "no_answer": Text("no answer", "无人接听"),
    "wrong_contact": Text("wrong contact", "联系方式有误"),
}

CHOOSE = Text("Choose one of these.", "请从列表中选择。")
NO_DAY = Text("A day, such as 2026-12-01.", "请填写日期，例如 2026-12-01。")
TO_COME = Text("That day is still to come.", "该日期尚未到来。")
BEFORE = Text("That is before the day of the contact.", "早于联系日期。")
TOO_LONG = Text("At most {most} characters.", "最多 {most} 个字符。")
NOT_ITS = Text("This customer has no document {document}.", "该客户没有单据 {document}。")
NOTHING = Text("Say what was said, or what came of it.", "请填写沟通内容或结果。")
NO_CURRENCY = Text("Three capital letters, such as CNY.", "三位大写字母，例如 CNY。")
NO_AMOUNT = Text(
    "A plain number above zero, with the decimals of {currency}.", "请填写大于零的数字，小数位须符合 {currency}。"
)
