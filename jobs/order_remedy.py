"""What would release a held order: the remedies of its customer's debts and limit, and the people who may release it."""

from __future__ import annotations

from connector.config import Config
from connector.credit.authority import Need, Person, able, needed
from connector.credit.decide import OrderDecision
from connector.credit.remedy import Case, Debt, Remedy, remedies
from connector.store import Connection, dunning, positions
from connector.store.order_credit import OrderAt
from connector.store.positions import OrderRow
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.judge_orders import amounts
from jobs.order_request import release_request

_DEBTS = ("invoice", "debit_note")


def remedies_of(tx: Connection, base: Frame, judged: Judged, row: OrderRow) -> list[Remedy]:
    """The remedies of one held order."""
    policy = base.policy.of(judged.members[0].segment)
    order = amounts(base, judged.position.currency, row)
    room = judged.rooms[row.key]
    status = "blocked" if any(m.status == "blocked" for m in judged.members) else judged.members[0].status or "active"
    debts = tuple(_debts(tx, base, judged))
    return remedies(Case(judged.decision, order, policy, room, debts, status))


def _debts(tx: Connection, base: Frame, judged: Judged) -> list[Debt]:
    found = []
    levels: dict[str, int] = {}
    if judged.decision.about.dunning_level:
        for (_, document, part), standing in dunning.standings(tx, [m.key for m in judged.members]).items():
            levels[f"{document}/{part}" if part else document] = standing.level
    currency = judged.position.currency
    for item in positions.open_items(tx, [m.key for m in judged.members], base.as_of):
        rest = item.amount - item.disputed
        # Only what is owed in the customer's own currency can be said to the cent.
        if item.kind in _DEBTS and rest > 0 and item.currency == currency:
            level = levels.get(item.ref, 0)
            found.append(Debt(item.ref, item.number, item.due_on, item.issued_on, rest, level))
    return found


def who_may(
    base: Frame,
    config: Config,
    judged: Judged,
    row: OrderRow,
    decision: OrderDecision,
    order: OrderAt,
    asked_by: str = "",
) -> tuple[Need | None, list[Person]]:
    """Whom a release of the order needs, and the people of the configuration who may give it."""
    policy = base.policy.of(judged.members[0].segment)
    ask = release_request(base, judged, row, decision, order, asked_by)
    return needed(policy, ask), able(policy, [p.person for p in config.people], ask)
