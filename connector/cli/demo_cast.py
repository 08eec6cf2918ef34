"""Whom the demo's story is about: a held customer whose hold a payment lifts, and a good one whose limit an order breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from connector.cli.common import Cli

if TYPE_CHECKING:
    from connector.store import Connection as Transaction
    from connector.store.customers import CustomerRow
    from jobs.frame import Frame
    from jobs.judge import Judged

_LOOKED_AT = 40  # open items are read of so many candidates
_PAID_MOST = 4  # nobody reads of more payments than this


@dataclass(frozen=True, slots=True)
class Player:
    """One customer of the story. `payments`: so many invoices are paid; `amount`: of the order that is placed, in the
    customer's own currency."""

    key: int
    ref: str
    name: str
    payments: int = 1
    amount: Decimal = Decimal(0)


def payers(cli: Cli, system: str) -> list[Player]:
    """Overdue customers of an ERP, the best for the story first: held for old invoices alone, shown in the CRM."""
    with cli.store.reading() as tx:
        base = _frame(cli, tx)
        linked = _linked(tx, system)
        ranked: list[tuple[tuple[object, ...], int, Player]] = []
        for judged, row in _alone(tx, base, system):
            if not judged.position.overdue or judged.position.overdue <= 0:
                continue
            rules = {reason.rule for reason in judged.decision.reasons}
            unfit = 0 if rules == {"oldest_overdue"} else 1 if judged.decision.hold else 2
            released = any(checked.hold for _, checked in judged.orders)
            rank = (unfit, judged.debtor not in linked, not released, judged.position.overdue)
            allowed = max((int(r.numbers.get("grace_days", 0)) for r in judged.decision.reasons), default=0)
            ranked.append((rank, allowed, Player(row.key, row.ref, row.name)))
        ranked.sort(key=lambda pair: pair[0])
        counted = [(rank, _late(tx, base, one.key, allowed), one) for rank, allowed, one in ranked[:_LOOKED_AT]]
    # Without a late invoice of its own there is nothing to pay; the fewer there are, the plainer the story.
    chosen = sorted((c for c in counted if c[1]), key=lambda c: (c[0][:2], c[1], c[0][2:]))
    return [replace(one, payments=late if late <= _PAID_MOST else 1) for _, late, one in chosen]


def buyers(cli: Cli, system: str) -> list[Player]:
    """Customers of an ERP in good standing, the best for the story first: shown in the CRM, with little of the limit left."""
    with cli.store.reading() as tx:
        base = _frame(cli, tx)
        linked = _linked(tx, system)
        parents = {row.parent for row in base.rows.values() if row.parent is not None}
        ranked: list[tuple[tuple[object, ...], Player]] = []
        for judged, row in _alone(tx, base, system):
            available = judged.decision.available
            if judged.decision.hold or available is None or available <= 0:
                continue
            family = row.parent is not None or row.key in parents
            busy = any(checked.hold for _, checked in judged.orders)
            amount = (available * 2).quantize(Decimal(1)) + 1000
            rank = (judged.debtor not in linked, family, busy, judged.decision.level != "green", available)
            ranked.append((rank, Player(row.key, row.ref, row.name, amount=amount)))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def _frame(cli: Cli, tx: Transaction) -> Frame:
    from connector.clock import day_in
    from jobs.frame import frame

    day = day_in(cli.clock.now(), cli.config.business.time_zone)
    return frame(tx, cli.config, cli.policy, cli.clock, day)


def _alone(tx: Transaction, base: Frame, system: str) -> Iterator[tuple[Judged, CustomerRow]]:
    """Debtors that are one customer of one ERP: nobody else's invoices and orders speak for them."""
    from jobs.judge import judge

    for judged in judge(tx, base):
        if len(judged.members) == 1 and judged.members[0].system == system:
            yield judged, judged.members[0]


def _linked(tx: Transaction, system: str) -> set[int]:
    """Debtors of whom another system has an account; where there is no other system, all of them."""
    from connector.store import customers

    rows = [row for row in customers.customers(tx) if row.debtor is not None]
    alone = all(row.system == system for row in rows)
    return {row.debtor for row in rows if row.debtor is not None and (alone or row.system != system)}


def _late(tx: Transaction, base: Frame, key: int, allowed: int) -> int:
    """How many documents of a customer are overdue by more than so many days."""
    from connector.store import positions

    items = positions.open_items(tx, [key], base.as_of)
    late = [i for i in items if i.amount > 0 and (base.as_of - (i.due_on or i.issued_on)).days > allowed]
    return len({i.number or i.ref for i in late})
