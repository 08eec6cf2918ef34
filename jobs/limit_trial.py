"""What a limit would change at once: the customer and its orders judged as if it were granted, beside how they stand now.

Judged by the same rules with the same facts, and nothing is written. A limit that begins later is tried as if it were today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.credit.granting import MAIN, Request, adopted, ended_by, merged, pieces_of
from connector.credit.position import Position
from connector.credit.reason import Reason
from connector.errors import ConfigError
from connector.model import Limit
from connector.money import rounded
from connector.policy import Level
from connector.store import Connection, customers, limits
from connector.store.customers import CustomerRow
from jobs.customer_answer import NOT_LINKED
from jobs.frame import Frame, frame
from jobs.grant import HERE, Desk
from jobs.grant_matter import ledgers
from jobs.judge import Judged, judge


@dataclass(frozen=True, slots=True)
class OrderThen:
    """An open order that would turn: held now and not then, or the other way round (`held_then`)."""

    system: str
    ref: str
    name: str
    total: Decimal
    currency: str
    held_then: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """How the customer stands: position, what is left, its warning level, whether it is held, how many orders are held."""

    position: Position
    available: Decimal | None
    level: Level
    hold: bool
    reasons: tuple[Reason, ...]
    held_orders: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Now and then; `orders` are those that would turn, of this customer and its group. `begins`: the limit counts from
    this day only."""

    now: Side
    then: Side
    orders: tuple[OrderThen, ...]
    begins: dt.date | None = None


def effect(tx: Connection, desk: Desk, row: CustomerRow, request: Request, amount_minor: int | None) -> Effect:
    """What a request would change if it were granted at an amount. Raises ConfigError for a customer linked to nobody."""
    if row.debtor is None:
        raise ConfigError(NOT_LINKED.fill(ref=row.ref))
    base = frame(tx, desk.config, desk.policy, desk.clock, desk.today, debtors=[row.debtor])
    then = replace(base, supposed={row.key: would_be(tx, desk, row, request, amount_minor)})
    before, after = _judged(tx, base, row.debtor), _judged(tx, then, row.debtor)
    mine, other = _of(before, row.debtor), _of(after, row.debtor)
    later = {order.key: decision for one in after for order, decision in one.orders}
    turned = []
    for one in before:
        for order, decision in one.orders:
            new = later.get(order.key)
            if order.key in one.rooms and new is not None and new.hold != decision.hold:
                turned.append(
                    OrderThen(
                        order.system, order.ref, order.number or order.ref, rounded(order.total, order.currency),
                        order.currency, new.hold, tuple(new.reasons if new.hold else decision.reasons),
                    )
                )  # fmt: skip
    begins = request.valid_from if request.valid_from > desk.today else None
    return Effect(_side(mine, before), _side(other, after), tuple(turned), begins)


def would_be(tx: Connection, desk: Desk, row: CustomerRow, request: Request, amount_minor: int | None) -> list[Limit]:
    """The pieces of a customer's limit as they would be from today on, were a request granted now."""
    today = desk.today
    at_once = replace(request, valid_from=today, number=0)
    pieces = pieces_of(at_once, amount_minor, today)
    if desk.master(row) != HERE:
        counted = limits.pieces(tx, [row.key], desk.config.limits.master, ledgers(desk), today).get(row.key, [])
        return [*(piece for piece in counted if piece.kind not in MAIN), *pieces]
    said = customers.limits(tx, [row.key]).get(row.key, [])
    mine = limits.own(tx, [row.key]).get(row.key, [])
    if not mine:
        mine = [(piece, None) for piece in adopted(said, today, 0)]
    ended = ended_by(pieces[0], mine)
    granted: list[tuple[Limit, dt.date | None]] = [(piece, ended.get(piece.ref, end)) for piece, end in mine]
    return merged(said, [*granted, *((piece, None) for piece in pieces)], today)


def _judged(tx: Connection, base: Frame, debtor: int) -> list[Judged]:
    return list(judge(tx, base, [debtor], scores=True))


def _of(found: Sequence[Judged], debtor: int) -> Judged:
    return next(one for one in found if one.debtor == debtor)


def _side(one: Judged, family: Sequence[Judged]) -> Side:
    held = sum(decision.hold for each in family for order, decision in each.orders if order.key in each.rooms)
    decision = one.decision
    return Side(one.position, decision.available, decision.level, decision.hold, tuple(decision.reasons), held)
