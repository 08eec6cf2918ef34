"""Words: a decision in the vocabulary that mappings write to systems (`connector.mapping`), in a system's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from connector.credit.decide import OrderDecision
from connector.credit.reason import Reason, money
from connector.credit.warn_words import LEVEL_TEXTS
from connector.money import EXACT
from connector.store.customers import CustomerRow
from connector.store.order_values import OrderRow
from connector.text import Language, Text, joined
from jobs.judge import Judged


def reasons_text(reasons: Sequence[Reason]) -> Text:
    """All reasons as one text."""
    return joined([r.text for r in reasons])


def of_customer(judged: Judged, member: CustomerRow, language: Language) -> dict[str, object]:
    """What a system is told of a customer: the figures of the whole debtor."""
    position, decision = judged.position, judged.decision
    currency = position.currency
    percent = position.utilisation
    return {
        "customer_no": member.external_id or member.ref,
        "name": member.name,
        "currency": currency,
        "limit": position.limit_amount,
        "limit_kind": position.limit.kind,
        "exposure": position.exposure.total,
        "available": decision.available,
        "utilisation": percent,
        "utilisation_percent": int(EXACT.quantize(percent * 100, Decimal(1))) if percent is not None else None,
        "balance": position.balance,
        "overdue": position.overdue,
        "overdue_days": position.overdue_days,
        "hold": decision.hold,
        "hold_reason": reasons_text(decision.reasons).say(language) if decision.hold else None,
        "level": decision.level,
        "score": decision.score,
        "grade": decision.grade,
        "as_of": position.as_of,
    }


def of_order(order: OrderRow, checked: OrderDecision, judged: Judged, language: Language) -> dict[str, object]:
    """What a system is told of an order."""
    return {
        "order_no": order.number or order.ref,
        "hold": checked.hold,
        "hold_reason": reasons_text(checked.lasting).say(language) if checked.hold else None,
        "released": judged.decision.hold and not checked.hold,
        "level": judged.decision.level,
        "release": release.say(language) if (release := _release(judged, order)) is not None else None,
        "as_of": judged.position.as_of,
    }


def _release(judged: Judged, order: OrderRow) -> Text | None:
    """Where a release of an order stands; None where nobody asked for one."""
    standing = judged.standings.get(judged.checked_as(order).key)
    if standing is None or standing.ended_on is not None:
        return None
    if standing.state == "released" and standing.release is not None:
        given = standing.release
        most = money(given.max_total, given.currency)
        return RELEASED.fill(by=given.by, most=most, until=given.valid_until)
    return RELEASES.get(standing.state)


RELEASED = Text("Released by {by}: up to {most}, until {until}.", "{by} 已放行：上限 {most}，有效期至 {until}。")
RELEASES = {
    "requested": Text("A release is asked for.", "已申请放行，待审批。"),
    "refused": Text("The release is refused.", "放行申请被拒。"),
    "expired": Text("The release covers it no more.", "放行已失效。"),
}
HELD_SUBJECT = Text("Credit hold: {name} ({no})", "信用冻结：{name}（{no}）")
WARNED_SUBJECT = Text("Credit warning {level}: {name} ({no})", "信用预警（{level}）：{name}（{no}）")
BODY = Text(
    "{reasons}\nExposure {exposure}, limit {limit}, overdue {overdue} ({days:day|days}), as of {as_of}.\n{todo}",
    "{reasons}\n信用占用 {exposure}，额度 {limit}，逾期 {overdue}（{days} 天），截至 {as_of}。\n{todo}",
)
ASK_HELD = Text(
    "New orders are held. Please talk to the customer about payment, or to finance about a release.",
    "新订单已冻结。请与客户沟通付款，或联系财务申请放行。",
)
ASK_WARNED = Text("Please ask the customer when the overdue amount will be paid.", "请向客户确认逾期款项的付款时间。")
ASK_TO_LOOK = Text("Please look into this and tell finance what you know.", "请了解情况并告知财务。")
# Warnings of which the customer has to be asked for money.
_UNPAID = frozenset({"overdue_ratio", "oldest_overdue", "last_payment", "broken_promises", "slowdown", "dishonoured"})
LIMIT_WORDS = {"none": Text("none", "无"), "unlimited": Text("unlimited", "不限额"), "amount": Text("?", "？")}


def of_task(judged: Judged, account: CustomerRow, key: str, today: dt.date, language: Language) -> dict[str, object]:
    """The task that the owner of an account gets when its customer is held, or warned of."""
    position, decision = judged.position, judged.decision
    member = judged.members[0]
    held = decision.hold
    name = account.name or member.name or member.ref
    subject = HELD_SUBJECT if held else WARNED_SUBJECT
    limit: object = LIMIT_WORDS[position.limit.kind]
    if position.limit_amount is not None:
        limit = money(position.limit_amount, position.currency)
    warned = [one.today for one in decision.warned if one.state.level != "green" and one.today.level != "green"]
    why = [r.text for r in decision.reasons] if held else [one.text for one in warned]
    unpaid = any(one.name in _UNPAID for one in warned)
    body = BODY.fill(
        reasons=joined(why),
        exposure=money(position.exposure.total, position.currency),
        limit=limit,
        overdue=money(position.overdue, position.currency),
        days=position.overdue_days,
        as_of=position.as_of,
        todo=ASK_HELD if held else ASK_WARNED if unpaid else ASK_TO_LOOK,
    )
    return {
        "subject": subject.fill(name=name, no=member.ref, level=LEVEL_TEXTS[decision.level]).say(language),
        "body": body.say(language),
        "due_on": today + dt.timedelta(days=1 if held else 3),
        "owner": account.owner,
        "priority": "high" if held or decision.level == "red" else "normal",
        "customer": account.ref,
        "key": key,
    }
