"""Sentences of the checks of statements, with their numbers, in both languages."""

from __future__ import annotations

from connector.text import Text

SOURCES = {
    "bureau": Text("the credit bureau", "征信机构"),
    "annual_report": Text("the annual report on the register", "企业年报"),
    "system": Text("a connected system", "已接入的系统"),
    "file": Text("another file", "另一份文件"),
}
OPINION_TEXTS = {
    "unqualified": Text("unqualified", "标准无保留意见"),
    "going_concern": Text("unqualified, with doubt about going concern", "带持续经营重大不确定性段的无保留意见"),
    "qualified": Text("qualified", "保留意见"),
    "adverse": Text("adverse", "否定意见"),
    "disclaimer": Text("disclaimer", "无法表示意见"),
}
BALANCE = Text(
    "{a_name} {a} is not {b_name} {b} and {c_name} {c} together: {difference} apart.",
    "资产负债表不平：{a_name} {a} ≠ {b_name} {b} + {c_name} {c}，相差 {difference}。",
)
TOTALS = Text(
    "{a_name} {a} is not {b_name} {b}: {difference} apart.", "{a_name} {a} ≠ {b_name} {b}，相差 {difference}。"
)
SPLIT = Text(
    "{a_name} {a} and {b_name} {b} do not make {c_name} {c}: {difference} apart.",
    "{a_name} {a} + {b_name} {b} ≠ {c_name} {c}，相差 {difference}。",
)
OVER = Text("{part} {a} is more than {whole} {b}.", "{part} {a} 大于{whole} {b}。")
EQUITY = Text(
    "{a_name} {a} is not {b_name} {b} and {c_name} {c}: {difference} apart.",
    "{a_name} {a} ≠ {b_name} {b} + {c_name} {c}，相差 {difference}。",
)
NET_PROFIT = Text(
    "{a_name} {a} less {b_name} {b} is not {c_name} {c}: {difference} apart (discontinued operations?).",
    "{a_name} {a} − {b_name} {b} ≠ {c_name} {c}，相差 {difference}（是否有终止经营？）。",
)
OPERATING = Text(
    "{c_name} {c} is {difference} away from revenue less cost, taxes and expenses ({b}): 20 % of revenue or more.",
    "{c_name} {c} 与收入减成本、税金及费用（{b}）相差 {difference}，达到营业收入的 20%。",
)
CASH_FLOWS = Text(
    "The three cash flows {a}, {b}, {c} do not make the net change {d}: {difference} apart (exchange effect?).",
    "三项现金流量净额 {a}、{b}、{c} 之和与现金净增加额 {d} 相差 {difference}（是否为汇率变动影响？）。",
)
CASH_BALANCE = Text(
    "The net change in cash is {difference} away from the change of cash on the balance sheet (restricted deposits?).",
    "现金净增加额与资产负债表货币资金的变动相差 {difference}（是否为受限资金？）。",
)
RESTATED = Text(
    "{count} opening amounts differ from the statement of {day} on file, first {item}: {a} here, {b} there. Both are "
    "kept; this one counts for averages.",
    "有 {count} 个年初数与已存档的 {day} 报表不符，首个为{item}：本表 {a}，原表 {b}。两者均保留，计算平均数时用本表。",
)
JUMP = Text(
    "{item} {a} against {b} before: 500 times or more. Is the unit right (元, 万元)?",
    "{item} {a}，此前为 {b}，相差 500 倍以上。金额单位是否正确（元／万元）？",
)
DISTRIBUTED = Text(
    "Undistributed profit changed by {difference} more than the net profit: distributions or adjustments.",
    "未分配利润的变动与净利润相差 {difference}：利润分配或前期调整。",
)
SOURCES_DIFFER = Text(
    "{item} {a} here, {b} from {source}: more than 5 % apart. The more trustworthy one counts.",
    "{item}本表为 {a}，{source}为 {b}，相差超过 5%。以可信度较高者为准。",
)
SIGN = Text("{item} is negative: {amount}.", "{item}为负数：{amount}。")
CAPITAL = Text(
    "Total assets {a} are less than a thousandth of the registered capital {b}. Is the unit right?",
    "资产总计 {a} 不足注册资本 {b} 的千分之一。金额单位是否正确？",
)
SALES_ALL = Text(
    "We alone invoiced {a} to it in the period, more than its cost and expenses {b}. Is the unit right?",
    "仅我方当期开票即达 {a}，超过其成本与费用合计 {b}。金额单位是否正确？",
)
SALES = Text(
    "We invoiced {a} to it in the period, more than its cost of sales {b}. Is it this company's statement?",
    "我方当期开票 {a}，超过其营业成本 {b}。是否为该公司的报表？",
)
INTERIM = Text("An interim statement of {months} months.", "中期报表，期间 {months} 个月。")
UNAUDITED = Text("Not audited.", "未经审计。")
AUDIT_UNKNOWN = Text("Nobody said whether it is audited.", "未说明是否经审计。")
OPINION = Text("The auditor's opinion: {opinion}.", "审计意见：{opinion}。")
STALE = Text("Older than {months} months ({day}).", "报表已超过 {months} 个月（{day}）。")
FUTURE = Text("It ends in the future ({day}).", "截止日在将来（{day}）。")
CURRENCY = Text(
    "In {a}, the limit is in {b}: ratios need no conversion.", "报表币种为 {a}，额度币种为 {b}；比率无需折算。"
)
