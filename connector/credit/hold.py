"""Order holds 订单信用冻结: the rules, each of which gives a reason with its numbers where it applies (domain 10).

The rules on exposure are asked with a `change`: nothing for the customer as it stands, or what an order would add.
"exceeds" is strictly greater throughout; what lands exactly on the limit passes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.group import Node
from connector.credit.position import Position, share
from connector.credit.reason import Reason, Told, money, percent
from connector.credit.warn import HUNDRED, RANK
from connector.credit.warn_words import LEVEL_TEXTS
from connector.money import rounded
from connector.policy import Hold, Level, LimitExceeded
from connector.policy_hold import OverdueAmount
from connector.text import Text, same

ZERO = Decimal(0)
# The reasons that an order's own value changes; `check_order` asks them again.
EXPOSURE_RULES = frozenset({"limit_exceeded", "group_limit_exceeded", "used_share"})


@dataclass(slots=True)
class OrderAmounts:
    """An order under check, in the customer's currency.

    `total` is its gross value now. `open_value` is its part of the exposure's order components, taken out before the
    total is added, where `counted`. `elsewhere` is the gross value of what is already invoiced (or otherwise in the
    exposure, outside `open_value`), so that a part-invoiced order is not counted twice. `own_total` is the total in the
    order's own currency `own_currency`. `unclear` says why nobody can tell what it adds.
    """

    order_id: str
    number: str | None
    total: Decimal
    open_value: Decimal = ZERO
    ship_on: dt.date | None = None
    counted: bool = False
    elsewhere: Decimal = ZERO
    terms: str | None = None
    own_total: Decimal = ZERO
    own_currency: str = ""
    unclear: tuple[Reason, ...] = ()

    @property
    def change(self) -> Decimal:
        """What confirming the order as it is now adds to the exposure."""
        return max(self.total - self.elsewhere, ZERO) - (self.open_value if self.counted else ZERO)


def on_exposure(
    position: Position,
    nodes: Sequence[Node],
    hold: Hold,
    change: Decimal = ZERO,
    order: bool = False,
    spare: Decimal = ZERO,
) -> list[Reason]:
    """Limit exceeded at the customer or an ancestor, and used share, with the exposure changed by an order.

    `spare` is what of the customer's own exposure stands for orders that are held themselves; `nodes` come without it.
    """
    found: list[Reason] = []
    limit, rule = position.limit_amount, hold.limit_exceeded
    after = position.exposure.total
    if change or spare:
        after = rounded(after + change - spare, position.currency)
    if limit is not None:
        if rule.on and after > limit and after > limit + (slack := _tolerance(rule, limit, position.unit)):
            found.append(Reason.later("limit_exceeded", _limit_exceeded, position.currency, after, limit, slack, order))
        if hold.used_share.on and limit > 0 and after * HUNDRED > hold.used_share.above_percent * limit:
            found.append(Reason.later("used_share", _used_share, after, limit, hold.used_share.above_percent, order))
    if rule.on:
        found += [reason for node in nodes if (reason := _at_node(node, position, rule, change, order))]
    return found


def on_customer(position: Position, hold: Hold, level: Level, status: str) -> list[Reason]:
    """The rules that no order changes: status, limit expired or absent, overdue, warning level."""
    found: list[Reason] = []
    if hold.status.on and status in hold.status.stop:
        found.append(Reason("status", STATUS.fill(status=_STATUS.get(status, same(status))), {"status": status}))
    if hold.limit_expired.on and position.limit.expired:
        found.append(Reason.later("limit_expired", _limit_expired, position.as_of))
    if hold.no_limit.on and position.limit.kind == "none":
        found.append(Reason("no_limit", NO_LIMIT))
    if hold.oldest_overdue.on and position.undisputed_overdue_days > hold.oldest_overdue.grace_days:
        grace, overdue = hold.oldest_overdue.grace_days, position.undisputed_overdue
        days = position.undisputed_overdue_days
        found.append(Reason.later("oldest_overdue", _oldest_overdue, days, grace, overdue, position.currency))
    if hold.overdue_amount.on and position.undisputed_overdue > 0 and (reason := _overdue_amount(position, hold)):
        found.append(reason)
    if hold.warning_level.on and RANK[level] >= RANK[hold.warning_level.at_least]:
        at_least = hold.warning_level.at_least
        text = WARNING_LEVEL.fill(level=LEVEL_TEXTS[level], at_least=LEVEL_TEXTS[at_least])
        found.append(Reason("warning_level", text, {"level": level, "at_least": at_least}))
    return found


def on_warning(level: Level, actions: Sequence[str], hold: Hold) -> list[Reason]:
    """What the actions of a warning level hold: new orders, or all credit."""
    found: list[Reason] = []
    named = LEVEL_TEXTS[level]
    by_rule = hold.warning_level.on and RANK[level] >= RANK[hold.warning_level.at_least]
    if "hold" in actions and not by_rule:
        found.append(Reason("warning_level", WARNING_HOLDS.fill(level=named), {"level": level}))
    if "stop_credit" in actions and hold.stop_credit.on:
        found.append(Reason("stop_credit", WARNING_STOPS.fill(level=named), {"level": level}))
    return found


def on_order(position: Position, hold: Hold, order: OrderAmounts) -> list[Reason]:
    """The rule on one order's own value."""
    if not hold.order_value.on:
        return []
    allowed = _in_unit(hold.order_value.above_amount, position.unit)
    currency = position.currency
    if rounded(order.total, currency) <= allowed:
        return []
    text = ORDER_VALUE.fill(total=money(order.total, currency), allowed=money(allowed, currency))
    numbers = {"total": _plain(order.total, currency), "allowed": _plain(allowed, currency), "currency": currency}
    return [Reason("order_value", text, numbers, (order.order_id,))]


def manual(note: str) -> Reason:
    """A hold that a person set; never released automatically."""
    return Reason("manual", MANUAL.fill(note=note), {"note": note})


def stale_data(system: str, pulled_at: dt.datetime | None, allowed_hours: int) -> Reason:
    """Nothing is decided on a system's data: its last complete pull is too old (`pulled_at` in business time), or none."""
    numbers = {"system": system, "allowed_hours": str(allowed_hours)}
    if pulled_at is None:
        return Reason("stale_data", NEVER_PULLED.fill(system=system), numbers)
    at = pulled_at.strftime("%Y-%m-%d %H:%M")
    text = STALE.fill(system=system, at=at, hours=allowed_hours)
    return Reason("stale_data", text, numbers | {"pulled_at": pulled_at.isoformat()})


# --- the numbers of each reason --------------------------------------------------------------------------------------
def _plain(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):f}"


def _in_unit(amount: Decimal, unit: Decimal | None) -> Decimal:
    """A policy's amount in the customer's currency; without a rate nothing is allowed."""
    return amount * unit if unit is not None else ZERO


def _tolerance(rule: LimitExceeded, limit: Decimal, unit: Decimal | None) -> Decimal:
    return max(_in_unit(rule.tolerance_amount, unit), limit * rule.tolerance_percent / HUNDRED)


def _limit_exceeded(currency: str, after: Decimal, limit: Decimal, slack: Decimal, order: bool) -> Told:
    used = share(after, limit)
    numbers = {
        "exposure": _plain(after, currency),
        "limit": _plain(limit, currency),
        "over_by": _plain(after - limit, currency),
        "tolerance": _plain(slack, currency),
        "currency": currency,
    }
    if used is not None:
        numbers["utilisation"] = f"{used:f}"
    text = (LIMIT_EXCEEDED_BY_ORDER if order else LIMIT_EXCEEDED).fill(
        exposure=money(after, currency),
        limit=money(limit, currency),
        over=money(after - limit, currency),
        used=USED.fill(used=percent(after / limit)) if used is not None else NOTHING,
        tolerance=TOLERANCE.fill(amount=money(slack, currency)) if slack else NOTHING,
    )
    return text, numbers


def _at_node(node: Node, position: Position, rule: LimitExceeded, change: Decimal, order: bool) -> Reason | None:
    room = node.room
    if room is None or node.limit is None:
        return None
    over = rounded(change - room, position.currency)
    if over <= 0:
        return None
    limit = node.quote.convert(node.limit) if node.quote else node.limit
    slack = _tolerance(rule, limit, position.unit)
    if over <= slack:
        return None
    return Reason.later("group_limit_exceeded", _group_limit, node, position.currency, limit, over, slack, order)


def _group_limit(node: Node, currency: str, limit: Decimal, over: Decimal, slack: Decimal, order: bool) -> Told:
    numbers = {
        "group": node.ref,
        "exposure": _plain(limit + over, currency),
        "limit": _plain(limit, currency),
        "over_by": _plain(over, currency),
        "tolerance": _plain(slack, currency),
        "currency": currency,
    }
    text = (GROUP_LIMIT_BY_ORDER if order else GROUP_LIMIT).fill(
        name=node.name,
        exposure=money(limit + over, currency),
        limit=money(limit, currency),
        over=money(over, currency),
        tolerance=TOLERANCE.fill(amount=money(slack, currency)) if slack else NOTHING,
    )
    return text, numbers


def _used_share(after: Decimal, limit: Decimal, allowed: Decimal, order: bool) -> Told:
    text = (USED_SHARE_BY_ORDER if order else USED_SHARE).fill(used=percent(after / limit), allowed=f"{allowed:f}%")
    return text, {"utilisation": f"{share(after, limit):f}", "above_percent": f"{allowed:f}"}


def _limit_expired(on: dt.date) -> Told:
    return LIMIT_EXPIRED.fill(on=on), {"on": str(on)}


def _oldest_overdue(days: int, grace: int, overdue: Decimal, currency: str) -> Told:
    text = OLDEST_OVERDUE.fill(days=days, grace=grace, overdue=money(overdue, currency))
    numbers = {"days": str(days), "grace_days": str(grace), "overdue": _plain(overdue, currency), "currency": currency}
    return text, numbers


def _overdue_amount(position: Position, hold: Hold) -> Reason | None:
    rule, overdue, currency, limit = (
        hold.overdue_amount,
        position.undisputed_overdue,
        position.currency,
        position.limit_amount,
    )
    allowed = _in_unit(rule.above_amount, position.unit)
    by_amount = overdue > allowed
    # Without a limit there is no share of it: the amount alone decides, so that the rule is not silently lost.
    by_share = by_amount if limit is None else overdue * HUNDRED > rule.above_percent_of_limit * limit
    applies = {
        "and": by_amount and by_share,
        "or": by_amount or by_share,
        "amount": by_amount,
        "share": by_share,
    }[rule.combine]
    if not applies:
        return None
    return Reason.later("overdue_amount", _overdue_told, rule, overdue, allowed, limit, currency)


def _overdue_told(
    rule: OverdueAmount, overdue: Decimal, allowed: Decimal, limit: Decimal | None, currency: str
) -> Told:
    part = share(overdue, limit)
    text = OVERDUE_AMOUNT.fill(
        overdue=money(overdue, currency),
        share=OF_LIMIT.fill(share=percent(part)) if part is not None else NOTHING,
        allowed=money(allowed, currency),
        percent=f"{rule.above_percent_of_limit:f}%",
        combine=_COMBINE[rule.combine].fill(
            amount=money(allowed, currency), percent=f"{rule.above_percent_of_limit:f}%"
        ),
    )
    numbers = {
        "overdue": _plain(overdue, currency),
        "above_amount": _plain(allowed, currency),
        "above_percent_of_limit": f"{rule.above_percent_of_limit:f}",
        "currency": currency,
    }
    if part is not None:
        numbers["share_of_limit"] = f"{part:f}"
    return text, numbers


# --- the sentences ---------------------------------------------------------------------------------------------------
NOTHING = Text("", "")
USED = Text(" ({used} used)", "（使用率 {used}）")
TOLERANCE = Text(", beyond the tolerance of {amount}", "，超出容差 {amount}")
LIMIT_EXCEEDED = Text(
    "exposure of {exposure} exceeds the limit of {limit} by {over}{used}{tolerance}",
    "信用占用 {exposure} 超过信用额度 {limit}，超出 {over}{used}{tolerance}",
)
LIMIT_EXCEEDED_BY_ORDER = Text(
    "with this order exposure is {exposure} and exceeds the limit of {limit} by {over}{used}{tolerance}",
    "含本单信用占用 {exposure}，超过信用额度 {limit}，超出 {over}{used}{tolerance}",
)
GROUP_LIMIT = Text(
    "exposure of the group {name} of {exposure} exceeds its limit of {limit} by {over}{tolerance}",
    "集团“{name}”信用占用 {exposure} 超过其额度 {limit}，超出 {over}{tolerance}",
)
GROUP_LIMIT_BY_ORDER = Text(
    "with this order exposure of the group {name} is {exposure} and exceeds its limit of {limit} by {over}{tolerance}",
    "含本单集团“{name}”信用占用 {exposure}，超过其额度 {limit}，超出 {over}{tolerance}",
)
USED_SHARE = Text("{used} of the limit is used; {allowed} is allowed", "额度使用率 {used}，超过允许的 {allowed}")
USED_SHARE_BY_ORDER = Text(
    "with this order {used} of the limit is used; {allowed} is allowed", "含本单额度使用率 {used}，超过允许的 {allowed}"
)
STATUS = Text("the customer is {status} in the ERP", "ERP 中客户状态为“{status}”")
_STATUS = {
    "active": Text("active", "正常"),
    "blocked": Text("blocked", "已冻结"),
    "inactive": Text("inactive", "已停用"),
}
LIMIT_EXPIRED = Text("the credit limit is not valid on {on}: it has expired", "信用额度在 {on} 已失效（额度过期）")
NO_LIMIT = Text("no credit limit was ever given", "未设信用额度")
OLDEST_OVERDUE = Text(
    "the oldest undisputed item is {days:day|days} overdue, {grace:is|are} allowed; {overdue} is overdue in all",
    "最早的无争议未清项已逾期 {days} 天，超过允许的 {grace} 天；逾期合计 {overdue}",
)
OVERDUE_AMOUNT = Text(
    "{overdue} is overdue{share}; allowed is {combine}", "逾期金额 {overdue}{share}，超过允许的{combine}"
)
OF_LIMIT = Text(" ({share} of the limit)", "（占额度 {share}）")
_COMBINE = {
    "and": Text("{amount}, or {percent} of the limit", " {amount} 且超过额度的 {percent}"),
    "or": Text("{amount} and {percent} of the limit", " {amount} 或额度的 {percent}"),
    "amount": Text("{amount}", " {amount}"),
    "share": Text("{percent} of the limit", "额度比例 {percent}"),
}
ORDER_VALUE = Text("the order of {total} is above {allowed} for one order", "本单金额 {total} 超过单笔上限 {allowed}")
WARNING_LEVEL = Text(
    "the warning level is {level}; orders are held from {at_least}", "预警等级为{level}，达到{at_least}即冻结订单"
)
WARNING_HOLDS = Text("the warning level is {level}: new orders are held", "预警等级为{level}：冻结新订单")
WARNING_STOPS = Text(
    "credit is stopped at the warning level {level}: cash only", "预警等级为{level}，已停止授信：仅限现款"
)
MANUAL = Text("held by hand: {note}", "人工冻结：{note}")
STALE = Text(
    "the data of {system} are from {at}, older than {hours:hour|hours}",
    "{system} 的数据停留在 {at}，已超过 {hours} 小时",
)
NEVER_PULLED = Text("the data of {system} were never pulled completely", "{system} 的数据从未完整拉取")
