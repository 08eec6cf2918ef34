"""A trial of a policy in words: what is counted before and after, and how each changed customer turned."""

from __future__ import annotations

from connector.credit.hold_words import rule
from connector.credit.warn_words import LEVEL_TEXTS
from connector.text import Text, joined
from jobs.judge import Judged
from jobs.policy_trial import Pair, Trial

TURNED = {
    "held": Text("newly held", "新冻结"),
    "freed": Text("freed", "解除冻结"),
    "worse": Text("warned more", "预警升级"),
    "better": Text("warned less", "预警降级"),
}


def counted(trial: Trial) -> list[tuple[str, Text, int, int]]:
    """The rows of the comparison: key, words, before, after; without those that are nothing in both."""
    words: dict[str, Text] = {
        "held": Text("customers held", "冻结客户"),
        "orders_held": Text("orders held", "冻结订单"),
        **{level: Text("level {name}", "预警等级：{name}").fill(name=name) for level, name in LEVEL_TEXTS.items()},
        "limit_amount": Text("customers with a limit", "有额度客户"),
        "limit_expired": Text("limits expired", "额度过期"),
        "limit_none": Text("customers without a limit", "无额度客户"),
        "limit_unlimited": Text("customers without limit test", "不限额客户"),
    }
    keys = [*words, *sorted(k for k in {*trial.before, *trial.after} if k.startswith("rule_"))]
    rows = []
    for key in keys:
        a, b = trial.before[key], trial.after[key]
        title = words.get(key) or Text("held: {rule}", "冻结：{rule}").fill(rule=rule(key.removeprefix("rule_")))
        if a or b:
            rows.append((key, title, a, b))
    return rows


def state(judged: Judged) -> Text:
    """How one customer stands under a policy."""
    hold = Text("held", "冻结") if judged.decision.hold else Text("free", "放行")
    orders = sum(checked.hold for _, checked in judged.orders)
    parts = [hold, LEVEL_TEXTS[judged.decision.level]]
    if orders:
        parts.append(Text("{n:order|orders} held", "冻结订单 {n}").fill(n=orders))
    return joined(parts, ", ", "，")


def why(pair: Pair) -> Text:
    """The reasons that only one side has: for what is new, and for what falls away."""
    a, b = pair.before.decision, pair.after.decision
    old, new = {r.rule for r in a.reasons}, {r.rule for r in b.reasons}
    added = [r.text for r in b.reasons if r.rule not in old]
    gone = [Text("no longer: {text}", "不再适用：{text}").fill(text=r.text) for r in a.reasons if r.rule not in new]
    if not added and not gone:
        levels = {i.name: i.level for i in a.indicators}
        added = [i.text for i in b.indicators if levels.get(i.name) != i.level]
    if not added and not gone:
        before = {row.ref: checked.hold for row, checked in pair.before.orders}
        for row, checked in pair.after.orders:
            if before.get(row.ref) != checked.hold:
                said = Text("order {n}: {text}", "订单 {n}：{text}")
                words = checked.reasons[0].text if checked.hold else Text("passes", "放行")
                added.append(said.fill(n=row.number or row.ref, text=words))
    return joined([*added, *gone])
