"""Inputs of a score: what a scorecard may ask for, by name, with the words people know it by.

Numbers are in the unit that the name or the entry says; a word is one of those listed, or any (the ratings of a bureau).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from connector.credit import altman, ratios
from connector.text import Counted, Text, joined, same

Value = Decimal | str | None

# Numbers are kept and judged with so many decimals, half up: what is stored is what was judged.
STEP = Decimal("0.0001")
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Input:
    """One thing a scorecard may ask for. `words`: None for a number, else what may be said (empty: anything)."""

    name: Text
    unit: Text | None = None
    words: dict[str, Text] | None = None
    percent: bool = False


@dataclass(slots=True)
class Known:
    """What is known of one input: the value, where it comes from, and words of `FLAGS` that belong to it.

    `source` is a kind of `SOURCES` and its details, as texts: of payments their number and days, of a statement its day,
    of an event who said it and when. `missing` are items of a statement that are not known.
    """

    value: Value = None
    source: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


_DAYS, _YEARS, _PERCENT, _POINTS = (
    Text("days", "天"),
    Text("years", "年"),
    same("%"),
    Text("0-100", "0-100"),
)


def _of(en: str, zh: str, unit: Text | None = None) -> Input:
    return Input(Text(en, zh), unit)


def _ratio(name: str) -> Input:
    return Input(ratios.NAMES[name])


def _percent(name: str) -> Input:
    return Input(ratios.NAMES[name], _PERCENT, percent=True)


# Ratios whose name here ends in _percent are told in percent: 60 is 60 %.
PERCENT_RATIOS = {
    "debt_ratio_percent": "debt_ratio",
    "return_on_equity_percent": "return_on_equity",
    "return_on_assets_percent": "return_on_assets",
    "net_margin_percent": "net_margin",
    "revenue_growth_percent": "revenue_growth",
}
PLAIN_RATIOS = tuple(name for name in ratios.RATIOS if name not in PERCENT_RATIOS.values())

BEHAVIOUR: dict[str, Input] = {
    "payment_index": _of("payment index", "付款指数", _POINTS),
    "days_late_90_days": _of("weighted days late, last 90 days", "近 90 天加权逾期天数", _DAYS),
    "days_late_12_months": _of("weighted days late, last 12 months", "近 12 个月加权逾期天数", _DAYS),
    "slowdown_days": _of(
        "slowdown: last 90 days against the 12 months before", "付款放缓：近 90 天较此前 12 个月", _DAYS
    ),
    "years_as_customer": _of("years as customer", "合作年限", _YEARS),
    "overdue_percent": Input(Text("overdue share", "逾期率"), _PERCENT, percent=True),
    "oldest_overdue_days": _of("oldest overdue item", "最早逾期天数", _DAYS),
    "utilisation_percent": Input(Text("utilisation of the limit", "额度使用率"), _PERCENT, percent=True),
}
STATEMENT: dict[str, Input] = {
    **{name: _ratio(name) for name in PLAIN_RATIOS},
    **{name: _percent(ratio) for name, ratio in PERCENT_RATIOS.items()},
    "altman": _of("Altman Z", "Altman Z 值"),
    "altman_zone": Input(Text("Altman zone", "Altman 区间"), words=altman.ZONES),
    "statement_audit": Input(
        Text("audit of the statement", "报表审计"),
        words={
            "audited": Text("audited", "已审计"),
            "unaudited": Text("unaudited", "未审计"),
            "going_concern": Text("audited, doubt about going concern", "持续经营存在重大不确定性"),
            "qualified": Text("qualified opinion", "保留意见"),
            "adverse": Text("adverse opinion", "否定意见"),
            "disclaimer": Text("disclaimer of opinion", "无法表示意见"),
        },
    ),
}
EVENTS: dict[str, Input] = {
    "bureau_rating": Input(Text("bureau rating", "征信评级"), words={}),
    "bureau_score": _of("bureau score", "征信评分"),
    "registry": Input(
        Text("register of companies", "工商登记"),
        words={
            "clean": Text("nothing listed", "无异常"),
            "abnormal": Text("abnormal operations", "经营异常名录"),
            "serious": Text("seriously illegal", "严重违法失信名单"),
            "revoked": Text("revoked, dissolved or in liquidation", "吊销、注销或清算"),
        },
    ),
    "court": Input(
        Text("courts", "司法风险"),
        words={
            "clean": Text("nothing listed", "无记录"),
            "lawsuit": Text("lawsuit", "涉诉"),
            "executed": Text("enforcement", "被执行人"),
            "dishonest": Text("dishonest debtor", "失信被执行人"),
            "bankruptcy": Text("insolvency", "破产"),
        },
    ),
}
INPUTS: dict[str, Input] = {**BEHAVIOUR, **STATEMENT, **EVENTS}

FLAGS: dict[str, Text] = {
    **ratios.FLAGS,
    "few_payments": Text("fewer than three payment experiences", "付款记录不足三笔"),
    "no_payments": Text("no payment in this time", "该期间无付款记录"),
    "nothing_open": Text("nothing is open", "无未清项"),
    "no_limit": Text("there is no limit to compare with", "无可比较的额度"),
    "no_rate": Text("no exchange rate", "缺少汇率"),
    "no_sale": Text("nothing was ever sold", "尚无销售记录"),
    "no_statement": Text("no financial statement on file", "无财务报表"),
    "old_statement": Text("the newest financial statement is too old", "最近一期财务报表已过期"),
    "no_event": Text("never asked, or too long ago", "未查询或查询已过期"),
    "not_a_number": Text("the bureau's answer is no number", "征信评分不是数字"),
    "not_in_table": Text("the scorecard has no points for this word", "评分卡未列此评级"),
    "no_liabilities_z": Text("total liabilities are not above zero", "负债合计不大于零"),
}

SOURCES: dict[str, Text] = {
    "payments": Text(
        "{0:payment or overdue item|payments and overdue items}, {1} to {2}", "{1} 至 {2} 的 {0} 笔付款及逾期项"
    ),
    "ledger": Text("ledger of {0}", "{0} 应收账款"),
    "customer": Text("customer since {0}", "自 {0} 起合作"),
    "statement": Text("statement of {0}", "{0} 财务报表"),
    "event": Text("{0} of {1}", "来源：{0}，{1}"),
}


def source_text(source: tuple[str, ...]) -> Text | None:
    """Where an input comes from, for people."""
    if not source or source[0] not in SOURCES:
        return None
    told, details = SOURCES[source[0]], source[1:]
    said = [Counted(detail) for detail in details]
    return Text(told.en.format(*said), told.zh.format(*said))


def value_text(name: str, value: Value) -> Text:
    """A value with its unit, for people: two decimals at most. What it was judged by has four."""
    kind = INPUTS[name]
    if value is None:
        return same("–")
    if isinstance(value, str):
        return (kind.words or {}).get(value, same(value))
    shown = value.quantize(CENT, ROUND_HALF_UP)
    plain = f"{shown.normalize():f}" if shown else "0"
    if kind.unit is None or kind.unit is _POINTS:
        return same(plain)
    unit = kind.unit.en.removesuffix("s") if plain == "1" else kind.unit.en
    return same(f"{plain} %") if kind.percent else Text(f"{plain} {unit}", f"{plain} {kind.unit.zh}")


def flags_text(known_flags: tuple[str, ...], missing: tuple[str, ...] = ()) -> Text | None:
    """What is to be said beside a value, or instead of one."""
    said = [FLAGS[flag] for flag in known_flags]
    if missing:
        names = joined([ratios.item_name(item) for item in missing], ", ", "、")
        said.append(Text("not known: {items}", "缺少：{items}").fill(items=names))
    return joined(said) if said else None
