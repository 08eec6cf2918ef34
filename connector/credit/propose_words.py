"""The sentences of limit proposals: each step with its inputs, and the names of what binds, in both languages."""

from __future__ import annotations

from decimal import Decimal

from connector.credit.reason import money
from connector.text import Text


def plain(number: Decimal) -> str:
    """A number without needless zeros: 50, 12.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def days(number: Decimal) -> str:
    """Days as people say them, to a tenth."""
    return plain(number.quantize(Decimal("0.1")))


ANNUAL_SALES = Text(
    "credit sales of {sales} in {days:day|days} since the first, for a whole year: {result}",
    "自首次交易起 {days} 天赊销 {sales}，折算全年：{result}",
)
NEED = Text(
    "need: credit sales of {sales} a year ÷ 365 × ({terms:day|days} of terms + {late:day|days} late) × peak factor {peak} = "
    "{result}",
    "需求额度：年赊销额 {sales} ÷ 365 ×（账期 {terms} 天 + 通常逾期 {late} 天）× 高峰系数 {peak} = {result}",
)
STARTER = Text(
    "a new customer since {first} (fewer than {days:day|days}): starter limit {result}",
    "新客户，首次交易 {first}（不足 {days} 天）：起步额度 {result}",
)
STARTER_NEVER = Text(
    "a new customer that has not bought yet: starter limit {result}", "新客户，尚无交易：起步额度 {result}"
)
STARTER_UNKNOWN = Text(
    "a customer since {first} whose sales are not known: starter limit {result}",
    "首次交易 {first}，销售额未知：起步额度 {result}",
)
CAPACITY = {
    "net_worth": Text(
        "{percent}% of the net worth of {whole} ({on}): {result}", "净资产 {whole}（{on}）的 {percent}%：{result}"
    ),
    "working_capital": Text(
        "{percent}% of the working capital of {whole} ({on}): {result}",
        "营运资金 {whole}（{on}）的 {percent}%：{result}",
    ),
}
LOWEST = Text("the lowest of these: {result} ({which})", "取最低者：{result}（{which}）")
MULTIPLIER = Text("grade {grade}: {percent}% of it = {result}", "等级 {grade}：乘以 {percent}% = {result}")
UNSCORED = Text("no score: {percent}% of it = {result}", "无评分：乘以 {percent}% = {result}")
CAP_BINDS = Text("cap, {name}: {cap} binds = {result}", "上限，{name}：{cap}，取 {result}")
CAP_FREE = Text("cap, {name}: {cap} does not bind", "上限，{name}：{cap}，不构成约束")
OTHERS = Text(
    "less {others} that other accounts of the same debtor have = {result}",
    "减去同一债务人其他账户已获额度 {others} = {result}",
)
STEP = Text("rounded down to a multiple of {step}: {result}", "向下取整至 {step} 的倍数：{result}")
RISE = Text(
    "at most {percent}% above the present {current} at once: {result}",
    "单次最多较现额度 {current} 上调 {percent}%：{result}",
)
CUT = Text(
    "at most {percent}% below the present {current} at once: {result}",
    "单次最多较现额度 {current} 下调 {percent}%：{result}",
)
RED = Text(
    "the warning level is red: the cut from {current} to {result} is made at once",
    "红色预警：由 {current} 一次性下调至 {result}",
)
ASKED = Text(
    "no more than {result} was asked for: the cut from {current} is made at once",
    "申请额度仅为 {result}：由 {current} 一次性下调",
)
FROZEN = Text("{why}: nothing rises, it stays at {result}", "{why}：不得提高，维持 {result}")
LEVEL = Text("the warning level is {level}", "预警等级为{level}")

# What keeps a limit from being higher.
BINDING = {
    "need": Text("the need", "需求额度"),
    "starter": Text("the starter limit", "起步额度"),
    "net_worth": Text("the net worth", "净资产"),
    "working_capital": Text("the working capital", "营运资金"),
    "grade": Text("the grade", "信用等级"),
    "band_cap": Text("the most for the grade", "该等级上限"),
    "no_financials": Text("the most without a financial statement", "无财务报表上限"),
    "insurer": Text("the insurer's limit with our own share", "保险公司核定额度及自担部分"),
    "group": Text("the room in the group", "集团剩余额度"),
    "concentration": Text("the largest share of all receivables", "应收集中度上限"),
    "asked": Text("what was asked for", "申请金额"),
    "step": Text("rounding down: less than the smallest step", "向下取整后不足一个单位"),
    "max_rise": Text("the most that it may rise at once", "单次最大上调幅度"),
    "max_cut": Text("the most that it may fall at once", "单次最大下调幅度"),
    "frozen": Text("the freeze of rises", "额度冻结上调"),
}
_RISES = Text(
    "proposed: {amount}, {change} more than the present {current}; what binds: {binding}",
    "建议额度 {amount}，较现额度 {current} 提高 {change}；约束因素：{binding}",
)
_FALLS = Text(
    "proposed: {amount}, {change} less than the present {current}; what binds: {binding}",
    "建议额度 {amount}，较现额度 {current} 降低 {change}；约束因素：{binding}",
)
_STAYS = Text("proposed: {amount} as at present; what binds: {binding}", "建议维持现额度 {amount}；约束因素：{binding}")
_FIRST = Text(
    "proposed: a first limit of {amount}; what binds: {binding}", "建议首次授信 {amount}；约束因素：{binding}"
)


def result(amount: Decimal, currency: str, current: Decimal | None, binding: str) -> Text:
    """A proposal in one sentence."""
    if current is None:
        text, change = _FIRST, amount
    else:
        text, change = (_STAYS if amount == current else _RISES if amount > current else _FALLS), abs(amount - current)
    return text.fill(
        amount=money(amount, currency),
        current=money(current or Decimal(0), currency),
        change=money(change, currency),
        binding=BINDING[binding],
    )


NOT_AUTOMATIC = Text("nothing is approved without a person", "政策未启用自动批准")
WHY_A_PERSON = {
    "unsure": Text("its figures are too old or not clear", "数据过期或不明确"),
    "unlimited": Text("the customer is unlimited now", "该客户现为不限额"),
    "first": Text("a first limit", "首次授信"),
    "amount": Text("above the amount that passes by itself", "超过自动批准金额"),
    "rise": Text("a larger rise than passes by itself", "上调幅度超过自动批准范围"),
    "cut": Text("a larger cut than passes by itself", "下调幅度超过自动批准范围"),
    "level": Text("the warning level is too high", "预警等级过高"),
    "band": Text("the grade is not good enough", "信用等级不足"),
}
