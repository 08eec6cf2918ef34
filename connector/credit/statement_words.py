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
    "{count:opening amount differs|opening amounts differ} from the statement of {day} on file, first {item}: {a} here, {b} there. Both are "
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
INTERIM = Text("An interim statement of {months:month|months}.", "中期报表，期间 {months} 个月。")
UNAUDITED = Text("Not audited.", "未经审计。")
AUDIT_UNKNOWN = Text("Nobody said whether it is audited.", "未说明是否经审计。")
OPINION = Text("The auditor's opinion: {opinion}.", "审计意见：{opinion}。")
STALE = Text("Older than {months:month|months} ({day}).", "报表已超过 {months} 个月（{day}）。")
FUTURE = Text("It ends in the future ({day}).", "截止日在将来（{day}）。")
CURRENCY = Text(
    "In {a}, the limit is in {b}: ratios need no conversion.", "报表币种为 {a}，额度币种为 {b}；比率无需折算。"
)

# What stays with a statement that is used, in few words: beside a ratio, in a score, in the credit file.
FLAGS = {
    "interim": Text("interim", "中期报表"),
    "unaudited": Text("unaudited", "未经审计"),
    "audit_unknown": Text("not said whether audited", "未说明是否审计"),
    "opinion_going_concern": Text("going concern in doubt", "持续经营存疑"),
    "opinion_qualified": Text("qualified opinion", "保留意见"),
    "opinion_adverse": Text("adverse opinion", "否定意见"),
    "opinion_disclaimer": Text("disclaimer of opinion", "无法表示意见"),
    "stale_12": Text("older than 12 months", "超过 12 个月"),
    "stale_18": Text("older than 18 months", "超过 18 个月"),
    "stale_24": Text("older than 24 months", "超过 24 个月"),
    "opening_from_file": Text("opening amounts from the statement before", "年初数取自上期报表"),
    "restated": Text("opening amounts restated", "年初数已重述"),
    "opening_vs_prior": Text("opening amounts restated", "年初数已重述"),
    "revenue_main_only": Text("main business revenue only", "仅为主营业务收入"),
    "receivables_broad_label": Text("receivables with other receivables", "应收含其他应收款"),
    "interest_of_financial_group": Text("interest of a financial business", "金融业务利息收入"),
    "totals_computed": Text("totals computed", "合计数为推算"),
    "twice": Text("one item from two labels", "同一项目有两个名称"),
    "sources_differ": Text("another source differs", "与其他来源不一致"),
    "other_name": Text("another name on the statement", "报表单位名称不同"),
    "sales_vs_ours": Text("our sales exceed its cost", "我方销售超过其成本"),
    "unit_plausible": Text("unit in doubt", "单位存疑"),
    "equity_split": Text("equity does not split", "权益构成不符"),
    "net_profit": Text("net profit does not follow", "净利润勾稽不符"),
    "operating_profit": Text("operating profit does not follow", "营业利润勾稽不符"),
    "cash_flows": Text("cash flows do not add up", "现金流量勾稽不符"),
    "cash_vs_balance": Text("cash flow differs from the balance sheet", "现金流量与资产负债表不符"),
    # Only where a person has confirmed all the same.
    "assets_vs_claims": Text("confirmed although it does not balance", "不平，经人工确认"),
    "assets_vs_claims_total": Text("confirmed although it does not balance", "不平，经人工确认"),
    "assets_split": Text("confirmed although assets do not add up", "资产合计不符，经人工确认"),
    "liabilities_split": Text("confirmed although liabilities do not add up", "负债合计不符，经人工确认"),
    "part_over_total": Text("confirmed although a part exceeds its total", "分项大于合计，经人工确认"),
    "sign": Text("confirmed with a negative amount", "出现负数，经人工确认"),
    "unit_jump": Text("confirmed although the amounts jumped", "金额突变，经人工确认"),
    "unreadable": Text("confirmed with cells that cannot be read", "有无法读取的单元格，经人工确认"),
    "brackets_mixed": Text("confirmed with mixed signs", "正负号不统一，经人工确认"),
    "two_columns": Text("confirmed with two columns of one period", "同期两列，经人工确认"),
    "two_scopes": Text("confirmed with group and parent side by side", "合并与母公司并列，经人工确认"),
    "unit_differs": Text("confirmed with two units", "单位不一致，经人工确认"),
    "unit_missing": Text("confirmed without unit", "单位不明，经人工确认"),
    "currency_differs": Text("confirmed with several currencies", "币种不一致，经人工确认"),
    "currency_missing": Text("confirmed without currency", "币种不明，经人工确认"),
    "period_differs": Text("confirmed with several periods", "期间不一致，经人工确认"),
    "future": Text("confirmed although it ends in the future", "截止日在将来，经人工确认"),
}
