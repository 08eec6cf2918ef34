"""Words about checks of orders that are not there yet: what is wrong with a question, and what to do about it."""

from __future__ import annotations

from connector.text import Text

FIELDS = (
    "customer", "amount", "lines", "currency", "terms", "ship_date", "order", "point", "reserve", "reserve_minutes",
    "simulate", "key",
)  # fmt: skip
LINE_FIELDS = ("amount", "quantity", "price", "tax_percent")

NOT_AN_OBJECT = Text(
    "The body must be one JSON object such as {example}.", "请求体必须是一个 JSON 对象，例如 {example}。"
)
EXAMPLE = '{"customer": "books/C001", "amount": "1200.00", "currency": "CNY"}'
UNKNOWN_FIELD = Text("{field}: there is no such field. Did you mean {near}?", "{field}：没有该字段。是否应为 {near}？")
MISSING = Text("{field}: is missing. Give {what}.", "{field}：缺失。请给出{what}。")
WHAT_CUSTOMER = Text("the customer's id, SYSTEM/ID, or its tax number", "客户编号、“系统/编号”或纳税人识别号")
WHAT_AMOUNT = Text("“amount” or “lines”", "“amount”或“lines”")
BOTH = Text(
    "amount, lines: give one of them; the lines are added up.", "amount、lines：只能给出其一；明细行会自动合计。"
)
NO_TEXT = Text("{field}: must be a text of 1 to {most} characters.", "{field}：必须是 1 至 {most} 个字符的文本。")
NO_AMOUNT = Text(
    '{field}: “{value}” is no amount. Write it as a text with a dot, such as "1200.00".',
    '{field}：“{value}”不是金额。请写成带小数点的文本，例如 "1200.00"。',
)
A_NUMBER = Text(
    '{field}: write the number as a text, such as "1200.00": JSON numbers lose digits on their way.',
    '{field}：请将数字写成文本，例如 "1200.00"：JSON 数字在传输中会丢失精度。',
)
TOO_LONG = Text(
    "{field}: at most {whole} digits before and {rest} behind the dot.",
    "{field}：小数点前最多 {whole} 位，后最多 {rest} 位。",
)
NOT_POSITIVE = Text("{field}: must be more than nothing.", "{field}：必须大于零。")
NEGATIVE = Text("{field}: must not be negative.", "{field}：不得为负数。")
NO_LINES = Text(
    "lines: must be a list of 1 to {most} lines, each with “amount”, or with “quantity” and “price”.",
    "lines：必须是 1 至 {most} 行的列表，每行给出“amount”，或“quantity”与“price”。",
)
NO_CURRENCY = Text(
    "currency: “{value}” is none. Three capital letters of ISO 4217, such as CNY.",
    "currency：“{value}”不是币种代码。应为 ISO 4217 的三个大写字母，例如 CNY。",
)
NO_DATE = Text(
    "{field}: “{value}” is no day. Write YEAR-MONTH-DAY, such as 2026-12-31.",
    "{field}：“{value}”不是日期。请按 年-月-日 填写，例如 2026-12-31。",
)
NO_FLAG = Text("{field}: must be true or false.", "{field}：必须是 true 或 false。")
NO_MINUTES = Text("reserve_minutes: a whole number from 1 to {most}.", "reserve_minutes：必须是 1 至 {most} 的整数。")
NOT_RESERVED = Text(
    "reserve_minutes: only goes with “reserve”: true.", "reserve_minutes：仅在“reserve”为 true 时有效。"
)
TRACELESS = Text(
    "simulate: leaves no trace, so it goes with neither a key nor “reserve”.",
    "simulate：模拟检查不留痕迹，不能与 key 或“reserve”同时使用。",
)
NO_POINT = Text(
    "point: there is no check point “{value}”. One of: {points}.", "point：没有检查点“{value}”。可选：{points}。"
)

NO_CUSTOMER = Text(
    "customer: nobody is known as “{word}”. Give the id as the ledger has it, SYSTEM/ID, or the tax number.",
    "customer：没有客户“{word}”。请使用账务系统中的客户编号、“系统/编号”或纳税人识别号。",
)
SEVERAL_CUSTOMERS = Text(
    "customer: “{word}” fits several; name one with its system: {refs}.",
    "customer：“{word}”对应多个客户，请带系统名指定：{refs}。",
)
NOT_LINKED = Text(
    "customer: {ref} is not linked to a customer of the ledger yet: holdfast link.",
    "customer：{ref} 尚未关联到账务客户：holdfast link。",
)
OTHERS_ORDER = Text(
    "order: {ref} is an order of another customer, {customer}.", "order：{ref} 是另一客户 {customer} 的订单。"
)
OTHER_AMOUNT = Text(
    "amount: the system has order {ref} with {total}; what is checked is the order as it is there. Leave the amount out, or "
    "change the order first.",
    "amount：系统中订单 {ref} 的金额为 {total}，检查以系统中的订单为准。请不要填写金额，或先修改订单。",
)
OTHER_BODY = Text(
    "The key “{key}” was used for another question. Use a new key for a new question.",
    "幂等键“{key}”已用于另一个请求。新的请求请使用新的键。",
)
AT_WORK = Text("A request with the key “{key}” is at work. Try again.", "使用幂等键“{key}”的请求正在处理，请稍后重试。")
CROWDED = Text("Others use the same keys at the same moment. Try again.", "多个请求同时使用相同的幂等键，请重试。")
NO_RESERVATION = Text("There is no reservation {number}.", "没有预留 {number}。")
NOT_YOURS = Text(
    "Reservation {number} is {by}'s; a credit controller may return it, too.",
    "预留 {number} 属于 {by}；信用专员也可释放。",
)
RETURNED_ALREADY = Text("Reservation {number} has ended already ({how}).", "预留 {number} 已结束（{how}）。")
ENDED = {
    "returned": Text("returned", "已释放"),
    "arrived": Text("the order has arrived", "订单已到达"),
    "expired": Text("expired", "已到期"),
}
