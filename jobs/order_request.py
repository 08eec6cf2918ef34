"""The request to release an order, as the approval matrix sees it: the excess over the limit, in amount and share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from connector.credit.authority import Request
from connector.credit.decide import ALONE, OrderDecision
from connector.credit.exclusion import UNDECIDED
from connector.money import EXACT, rounded
from connector.store.order_credit import OrderAt
from connector.store.order_values import OrderRow
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.judge_orders import amounts

_OVER = ("limit_exceeded", "group_limit_exceeded")
_UNUSABLE = ("no_limit", "stop_credit")


def release_request(
    base: Frame,
    judged: Judged,
    row: OrderRow,
    decision: OrderDecision,
    order: OrderAt,
    requested_by: str,
    also_asked: Sequence[str] = (),
) -> Request:
    """What is to be approved: the greatest excess over a limit, in the reporting currency (nothing where the limit is not
    what holds it; None where it cannot be told). Where there is no limit, or credit is stopped so that nothing of it can be
    used, all exposure with the order is excess. The level is that without utilisation, which the excess already measures.
    The owners are those of the order and of its customer."""
    position = judged.position
    excess = [reason.numbers for reason in decision.reasons if reason.rule in _OVER]
    over = max((Decimal(numbers["over_by"]) for numbers in excess), default=Decimal(0))
    unusable = any(reason.rule in _UNUSABLE for reason in decision.reasons)
    if unusable:
        added = amounts(base, position.currency, row).change - judged.rooms.get(row.key, ALONE).spare
        over = max(over, rounded(position.exposure.total + added, position.currency))
    amount: Decimal | None = over
    if any(reason.rule in UNDECIDED for reason in decision.reasons) or not position.unit:
        amount = None
    elif over:
        amount = EXACT.divide(over, position.unit)
    shares = [_percent(numbers) for numbers in excess]
    known = [share for share in shares if share is not None]
    percent = max(known, default=Decimal(0)) if len(known) == len(shares) and not unusable else None
    return Request(
        "release",
        amount,
        percent if amount is not None else None,
        judged.decision.grade,
        judged.risk_level,
        requested_by,
        tuple(dict.fromkeys(_owners(judged, row, order))),
        tuple(also_asked),
    )


def _percent(numbers: dict[str, str]) -> Decimal | None:
    limit = Decimal(numbers["limit"])
    return EXACT.divide(Decimal(numbers["over_by"]) * 100, limit) if limit > 0 else None


def _owners(judged: Judged, row: OrderRow, order: OrderAt) -> Iterator[tuple[str, str]]:
    if row.owner:
        yield row.system, row.owner
    if order.owner:
        yield order.system, order.owner
    for other, _ in judged.orders:
        if other.owner and other.name == row.name:
            yield other.system, other.owner
    for member in judged.members:
        if member.owner:
            yield member.system, member.owner
