"""Limits in a word: the kinds of request, and the steps of a proposal's reckoning. Sentences are in `grant_words`."""

from __future__ import annotations

from connector.text import Text

KINDS = {
    "base": Text("base", "基础"),
    "stage": Text("in stages", "分期"),
    "override": Text("temporary", "临时"),
    "additive": Text("uplift", "增额"),
    "seasonal": Text("seasonal", "季节性"),
    "guarantee": Text("guarantee", "担保"),
    "unlimited": Text("unlimited", "不限额"),
}
STEPS = {
    "need": Text("need", "需求额度"),
    "starter": Text("starter limit", "起步额度"),
    "net_worth": Text("net worth", "净资产"),
    "working_capital": Text("working capital", "营运资金"),
    "lowest": Text("lowest", "取最低"),
    "multiplier": Text("grade", "等级系数"),
    "band_cap": Text("cap", "上限"),
    "no_financials": Text("cap", "上限"),
    "insurer": Text("cap", "上限"),
    "group": Text("cap", "上限"),
    "concentration": Text("cap", "上限"),
    "asked": Text("cap", "上限"),
    "others": Text("other accounts", "其他账户"),
    "step": Text("rounded down", "取整"),
    "throttle": Text("at once", "单次幅度"),
    "frozen": Text("frozen", "冻结上调"),
}
