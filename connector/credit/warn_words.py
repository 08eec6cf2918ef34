"""The sentences of the early warning: every indicator with its numbers, and why a level still stands."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from connector.credit.reason import percent
from connector.credit.score_inputs import EVENTS
from connector.policy_section import Level
from connector.text import Counted, Text, joined, same

LEVEL_TEXTS: dict[Level, Text] = {
    "green": Text("green", "绿色"),
    "yellow": Text("yellow", "黄色"),
    "orange": Text("orange", "橙色"),
    "red": Text("red", "红色"),
}
NAMES: dict[str, Text] = {
    "overdue_ratio": Text("share of overdue in open items", "逾期金额占未清项比例"),
    "oldest_overdue": Text("days overdue of the oldest undisputed item", "最早无争议未清项逾期天数"),
    "utilisation": Text("share of the limit used", "额度使用率"),
    "broken_promises": Text("promises not kept", "未兑现的付款承诺"),
    "slowdown": Text("slowdown of payments in days", "付款放缓天数"),
    "score_drop": Text("drop of the score", "评分下降"),
    "order_spike": Text("orders against their monthly average", "订单较月均的倍数"),
    "concentration": Text("share of all receivables", "占全部应收账款比例"),
    "last_payment": Text("days since the last payment, with anything overdue", "有逾期时距最近回款的天数"),
    "dishonoured": Text("bills dishonoured, payments bounced", "票据拒付与付款退回"),
    "limit_expiry": Text("end of the credit limit", "信用额度到期"),
    "insurance_expiry": Text("end of the insurance or guarantee", "信用保险或担保到期"),
    "insurer": Text("cover of the credit insurer", "保险公司承保"),
    "registry": Text("register of companies", "工商登记"),
    "court": Text("courts", "司法信息"),
    "statement_age": Text("age of the newest financial statement in months", "最近一期财务报表的月数"),
    "data_quality": Text("quality of the data", "数据质量"),
}
SHARES = frozenset({"overdue_ratio", "utilisation", "concentration"})
_TEXTS = {
    "overdue_ratio": Text(
        "{value} of all open items is overdue ({level} from {threshold}%)",
        "逾期金额占未清项的 {value}（达到 {threshold}% 为{level}）",
    ),
    "oldest_overdue": Text(
        "the oldest undisputed item is {value:day|days} overdue ({level} from {threshold})",
        "最早的无争议未清项已逾期 {value} 天（达到 {threshold} 天为{level}）",
    ),
    "utilisation": Text(
        "{value} of the limit is used ({level}: threshold {threshold}%)",
        "额度使用率 {value}（{level}阈值 {threshold}%）",
    ),
    "broken_promises": Text(
        "promises to pay not kept in the last {0:day|days}: {value} ({level} from {threshold})",
        "近 {0} 天有 {value} 次付款承诺未兑现（达到 {threshold} 次为{level}）",
    ),
    "slowdown": Text(
        "payments of the last 90 days came {value:day|days} later than those of the 12 months before ({level} from {threshold})",
        "近 90 天付款比此前 12 个月平均慢 {value} 天（达到 {threshold} 天为{level}）",
    ),
    "score_drop": Text(
        "the score fell by {value:point|points}, from {0} to {1} ({level} from {threshold})",
        "信用评分下降 {value} 分，由 {0} 降至 {1}（达到 {threshold} 分为{level}）",
    ),
    "order_spike": Text(
        "orders of the last 30 days are {value} times the monthly average of the 6 months before ({level} from {threshold})",
        "近 30 天订单金额为此前 6 个月月均的 {value} 倍（达到 {threshold} 倍为{level}）",
    ),
    "concentration": Text(
        "this customer owes {value} of all receivables ({level} from {threshold}%)",
        "该客户占全部应收账款的 {value}（达到 {threshold}% 为{level}）",
    ),
    "last_payment": Text(
        "no payment for {value:day|days} while items are overdue ({level} from {threshold})",
        "有逾期款项，且已 {value} 天没有回款（达到 {threshold} 天为{level}）",
    ),
    "dishonoured": Text(
        "bills dishonoured or payments bounced in the last {0:day|days}: {value}, the last on {1} ({level} from {threshold})",
        "近 {0} 天发生票据拒付或付款退回 {value} 次，最近一次在 {1}（达到 {threshold} 次为{level}）",
    ),
    "limit_expiry": Text(
        "the credit limit ends on {0}, in {value:day|days} ({level} from {threshold} days before)",
        "信用额度将于 {0} 到期，还有 {value} 天（提前 {threshold} 天起为{level}）",
    ),
    "insurance_expiry": Text(
        "the credit insurance or guarantee ends on {0}, in {value:day|days} ({level} from {threshold} days before)",
        "信用保险或担保将于 {0} 到期，还有 {value} 天（提前 {threshold} 天起为{level}）",
    ),
    "statement_age": Text(
        "the newest financial statement, of {0}, is more than {threshold:month|months} old ({level})",
        "最近一期财务报表截至 {0}，已超过 {threshold} 个月（{level}）",
    ),
    "data_quality": Text(
        "data are missing or old, so that a warning cannot be looked at again: {names}",
        "数据缺失或过期，以下预警无法复核，等级暂不下调：{names}",
    ),
}
_OVER = {
    "limit_expiry": Text("the credit limit ended on {0}", "信用额度已于 {0} 到期"),
    "insurance_expiry": Text("the credit insurance or guarantee ended on {0}", "信用保险或担保已于 {0} 到期"),
    "cut": Text("the credit insurer cut its cover on {1}", "保险公司于 {1} 削减承保额度"),
    "withdrawn": Text("the credit insurer withdrew its cover on {1}", "保险公司于 {1} 撤销承保"),
    "registry": Text("register of companies: {word}, since {1} ({2})", "工商登记：{word}，自 {1} 起（来源：{2}）"),
    "court": Text("courts: {word}, on {1} ({2})", "司法信息：{word}，{1}（来源：{2}）"),
    "grade": Text("the grade is {2}, at a score of {1}", "信用等级为 {2}，评分 {1}"),
}
# What nothing means: the readings that have none where all is well.
_NOTHING = {"overdue_ratio": Text("nothing is open", "无未清项")}
NOT_HEARD = Text("not known", "未知")
# Red by the grade alone: no earlier score to compare with, or it did not fall.
LOW_GRADE = Text("low grade", "信用等级过低")
_NO_EARLIER = Text("no earlier score to compare with", "无可比的历史评分")
_CALM = Text("{name}: {value}", "{name}：{value}")


def plain(number: Decimal) -> str:
    """A number as a sentence shows it: two decimals at most, none where there are none."""
    shown = f"{number.quantize(Decimal('0.01')):f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def sentence(
    name: str, value: Decimal | None, level: Level, threshold: Decimal | None, words: tuple[str, ...] = ()
) -> Text:
    """An indicator as a sentence. `words` are what belongs to it beside its value: days, dates, sources."""
    if level == "green":
        return _CALM.fill(name=NAMES[name], value=_calm(name, value, words))
    listed = EVENTS[name].words if name in EVENTS and words else None
    if listed is not None:
        return _filled(_OVER[name], words, word=listed.get(words[0], same(words[0])))
    if name == "insurer" and words:
        return _filled(_OVER[words[0]], words)
    if name == "data_quality":
        return _TEXTS[name].fill(names=joined([NAMES[word] for word in words], ", ", "、"))
    if name in _OVER and value is not None and value < 0:
        return _filled(_OVER[name], words)
    if name == "score_drop" and threshold is None:
        return _filled(_OVER["grade"], words)
    shown = "-" if value is None else percent(value) if name in SHARES else plain(value)
    limit = "-" if threshold is None else f"{threshold}"
    return _filled(_TEXTS[name], words, value=shown, level=LEVEL_TEXTS[level], threshold=limit)


def _filled(text: Text, words: tuple[str, ...], **values: Text | str) -> Text:
    def said(language: str) -> str:
        picked = {
            k: (v.zh if language == "zh" else v.en) if isinstance(v, Text) else Counted(v) for k, v in values.items()
        }
        return (text.zh if language == "zh" else text.en).format(*map(Counted, words), **picked)

    return Text(said("en"), said("zh"))


def _calm(name: str, value: Decimal | None, words: tuple[str, ...]) -> Text:
    if name in EVENTS and words:
        return (EVENTS[name].words or {}).get(words[0], same(words[0]))
    if name in ("limit_expiry", "insurance_expiry") and words:
        return same(words[0])
    if value is None:
        return _NO_EARLIER if name == "score_drop" and words else _NOTHING.get(name, NOT_HEARD)
    return same(percent(value) if name in SHARES else plain(value))


def named(name: str, value: str | None) -> Text:
    """What an indicator that warns is called, by the value that was kept with it."""
    if name == "score_drop" and kept(name, value) is None:
        return LOW_GRADE
    return NAMES.get(name, same(name))


def kept(name: str, value: str | None) -> Text | None:
    """The value of an indicator as it was kept with its warning; None where it says nothing beside its level."""
    if value in (None, "-") or name in ("limit_expiry", "insurance_expiry", "data_quality"):
        return None
    assert value is not None, "asked above"
    try:
        number = Decimal(value)
    except InvalidOperation:
        listed = EVENTS[name].words if name in EVENTS else None
        return (listed or {}).get(value, same(value))
    if name == "score_drop" and not number:
        return None  # the grade alone was enough
    return same(percent(number) if name in SHARES else plain(number))


# --- why a level still stands --------------------------------------------------------------------------------------------
NOT_KNOWN = Text("still {level}: today's value is not known or old", "仍为{level}：当前数值未知或过期，不降级")
CLEARING = Text(
    "still {level}: below {bar} in {clear} of {runs} daily runs",
    "仍为{level}：须连续 {runs} 次低于 {bar}，已 {clear} 次",
)
CLEARING_WORD = Text(
    "still {level}: back in order in {clear} of {runs} daily runs",
    "仍为{level}：须连续 {runs} 次恢复正常，已 {clear} 次",
)
NOT_CLEAR = Text("still {level}: not below {bar} yet", "仍为{level}：尚未低于 {bar}")
NOT_ASKED = Text("{level}, as of the last run", "{level}（以上次运行为准）")


def bar_text(name: str, bar: Decimal) -> str:
    """The value that has to be undercut, in the unit of the indicator's steps."""
    return f"{plain(bar)}%" if name in SHARES else plain(bar)
