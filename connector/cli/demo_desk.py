"""The demo's last chapter: one held order with what would release it, the customer's score, and what it is warned of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli, language, say, t
from connector.cli.demo_shown import note

if TYPE_CHECKING:
    from connector.credit.score import Score

_LOOKED_AT = 10  # held orders
_SHOWN = 3  # ways, criteria, warnings of each


def desk(cli: Cli) -> None:
    """Tells of the first held order that something of the customer's own could release."""
    told = _order(cli)
    if told is None:
        note(t("(No order is held.)", "（没有被冻结的订单。）"))
        return
    tongue = language()
    number, customer = told["number"] or told["order_id"], f"{told['system']}/{told['customer_id']}"
    total = f"{told['currency']} {Decimal(told['total']):,f}"
    head = t(
        f"Order {number} of {total} for {told['name']} ({customer})",
        f"订单 {number}，{total}，客户 {told['name']}（{customer}）",
    )
    note(head, style="bold")
    for reason in told["reasons"]:
        note(reason[tongue], "✗", indent=2)
    if len(told["remedies"]) == 1:
        note(t("This would release it:", "以下措施可解除冻结："), indent=2)
    else:
        note(t("Each of these alone would release it:", "以下任一措施即可解除冻结："), indent=2)
    for way in told["remedies"][:_SHOWN]:
        note(way[tongue], "→", indent=4)
    if told["release_needs"] is not None:
        needs = told["release_needs"][tongue]
        note(t(f"Or a release, by {needs}.", f"或由{needs}批准放行。"), indent=2)
    _score(cli, told["customer_id"])
    _warnings(cli, told["customer_id"])


def _order(cli: Cli) -> dict[str, Any] | None:
    from connector.cli.order_shown import explained, listed

    held = listed(cli, True, None)[1]["orders"]
    for one in held[:_LOOKED_AT]:
        told = explained(cli, f"{one['system']}/{one['id']}")[1]
        if told["remedies"]:
            return told
    return None


def _score(cli: Cli, customer: str) -> None:
    """The grade, and the criteria that cost most."""
    from connector.cli.score import _one

    _, row, score = _one(cli, customer, None)
    if score is None or score.points is None:
        return
    grade = score.grade or "–"
    note("")
    note(t(f"The score of {row.name}: {score.points:f}, grade {grade}. What costs most:",
           f"{row.name} 的评分：{score.points:f}，等级 {grade}。失分最多的评分项："), style="bold")  # fmt: skip
    for words in _costly(score):
        note(words, "•", indent=2)


def _costly(score: Score) -> list[str]:
    from connector.credit.score_inputs import INPUTS

    counted = [part for part in score.parts if part.points is not None and part.weight and part.points < 100]
    counted.sort(key=lambda part: (part.points or 0) * part.weight - 100 * part.weight)
    return [
        t(f"{say(INPUTS[part.input].name)}: {part.points:f} of 100 points, weight {part.weight:f}",
          f"{say(INPUTS[part.input].name)}：{part.points:f} 分（满分 100），权重 {part.weight:f}")
        for part in counted[:_SHOWN]
    ]  # fmt: skip


def _warnings(cli: Cli, customer: str) -> None:
    from connector.cli.warnings import _rows

    told = [one for one in _rows(cli, customer, "yellow", False) if one["text"] is not None]
    if not told:
        return
    note("")
    note(t("What it is warned of:", "预警："), style="bold")
    for one in told[:_SHOWN]:
        note(say(one["text"]), "●", indent=2)
