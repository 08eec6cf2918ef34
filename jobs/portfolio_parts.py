"""Parts of the portfolio's report that are counted from its customers: the largest debtors, the bands of used limits."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from connector.text import Text

if TYPE_CHECKING:
    from jobs.portfolio import Portfolio, Risk


def largest(found: Portfolio) -> list[tuple[Risk, Decimal]]:
    """The debtors who owe most, each with its receivables."""
    owed = [(risk, risk.receivables) for risk in found.risks if risk.receivables is not None and risk.receivables > 0]
    return sorted(owed, key=lambda pair: -pair[1])[: found.top]


# From which use of the limit on a band begins, in percent; what is exactly on a bound belongs to the band below.
BANDS = (0, 50, 80, 95, 100)


def bands(found: Portfolio) -> list[tuple[str, Text, int, Decimal]]:
    """How customers use their limits: key, heading, number of customers, their exposure."""
    rows: dict[str, tuple[Text, list[Risk]]] = {"at_most_0": (Text("0 % or less", "≤ 0 %"), [])}
    for low, high in pairwise(BANDS):
        rows[f"{low}-{high}"] = (Text(f"{low}–{high} %", f"{low}–{high} %"), [])
    rows["above_100"] = (Text("above 100 %", "超过 100 %"), [])
    rows["no_limit"] = (Text("no limit", "无额度"), [])
    rows["unlimited"] = (Text("unlimited", "不限额"), [])
    rows["unclear"] = (Text("cannot be said", "无法判断"), [])
    for risk in found.risks:
        if risk.limit_kind in ("none", "unlimited"):
            key = "no_limit" if risk.limit_kind == "none" else "unlimited"
        elif risk.utilisation is None:
            key = "unclear"
        else:
            used = risk.utilisation * 100
            at = sum(used > bound for bound in BANDS)
            key = list(rows)[at]
        rows[key][1].append(risk)
    return [
        (key, title, len(risks), sum((r.exposure for r in risks if r.exposure is not None), Decimal(0)))
        for key, (title, risks) in rows.items()
    ]
