"""Sense: what cannot be true of one fact although each of its values can be read.

Amounts are positive because the kind gives the sign (`formats/book.md`); a limit that is an amount has one (missing is
not zero, domain 0.7); shares are fractions of 1; a rate is more than nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.text import Text

CORRECT_VALUE = Text("Correct the value.", "请更正该值。")

_POSITIVE = {
    "document": ("amount", "disputed_amount"),
    "payment": ("amount",),
    "promise": ("amount",),
    "limit": ("amount",),
    "instalment": ("amount", "disputed_amount"),
    "application": ("amount", "from_amount"),
}
_NEGATIVE = Text("The amount is negative; the kind gives the sign.", "金额为负数；正负应由类别决定。")
_BY_KIND = {
    "document": Text("Use kind credit_note with a positive amount.", "请使用 credit_note（贷项）类别并填写正数金额。"),
    "payment": Text("Use kind refund with a positive amount.", "请使用 refund（退款）类别并填写正数金额。"),
}

Finding = tuple[str, Text, Text]


def sense(fact: str, values: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with the values of one fact: the field's name, what, and what mends it."""
    for name in _POSITIVE.get(fact, ()):
        amount = values.get(name)
        if amount is not None and amount < 0:
            yield name, _NEGATIVE, _BY_KIND.get(fact, CORRECT_VALUE)
    if fact == "limit":
        yield from _limit(values)
    elif fact == "order_line" and (values.get("tax_rate") or 0) > 1:
        yield "tax_rate", _NOT_A_FRACTION, _SET_PERCENT
    elif fact == "rate" and values["rate"] <= 0:
        yield "rate", Text("A rate must be greater than zero.", "汇率必须大于零。"), CORRECT_VALUE
    elif fact == "financial" and values.get("unit", 1) not in (1, 1000, 10000):
        yield (
            "unit",
            Text("The unit of a statement is 1, 1000 or 10000.", "报表单位只能是 1、1000 或 10000。"),
            CORRECT_VALUE,
        )


_NOT_A_FRACTION = Text(
    "More than the whole: a share is a fraction of 1, such as 0.13.", "超过了整体：比例是 1 的分数，例如 0.13。"
)
_SET_PERCENT = Text(
    'Correct it, or set `convert = "percent"` in the mapping where 13 means 13 %.',
    '请更正；若 13 表示 13%，请在映射中设置 `convert = "percent"`。',
)


def _limit(values: dict[str, Any]) -> Iterator[Finding]:
    if values["kind"] != "unlimited" and values.get("amount") is None:
        yield (
            "amount",
            Text(
                "A limit of kind {kind} needs an amount; an empty one is not zero.",
                "{kind} 类额度必须有金额；空白不等于零。",
            ).fill(kind=values["kind"]),
            Text("Fill in the amount, or remove the limit.", "请填写金额，或删除该额度。"),
        )
    if (values.get("percent") or 0) > 1:
        yield "percent", _NOT_A_FRACTION, _SET_PERCENT
    first, last = values.get("valid_from"), values.get("valid_to")
    if first is not None and last is not None and last < first:
        yield (
            "valid_to",
            Text(
                "The limit ends ({last}) before it begins ({first}).", "额度的失效日（{last}）早于生效日（{first}）。"
            ).fill(first=first, last=last),
            Text("Correct one of the two days.", "请更正其中一个日期。"),
        )
