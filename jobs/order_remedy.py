"""What would release a held order: the remedies of its customer's debts and limit, and the people who may release it."""

from __future__ import annotations

from collections.abc import Sequence

from connector.config import Config
from connector.credit.authority import Need, Person, able, needed
from connector.credit.decide import OrderDecision, Room
from connector.credit.remedy import Case, Debt, Remedy, remedies
from connector.store import Connection, dunning
from connector.store.open_debts import open_debts
from connector.store.order_credit import OrderAt
from connector.store.order_values import OrderRow
from jobs.frame import Frame
from jobs.judge import Judged
from jobs.judge_orders import amounts
from jobs.order_request import release_request


def remedies_of(tx: Connection, base: Frame, judged: Judged, row: OrderRow) -> list[Remedy]:
    """The remedies of one held order."""
    debts = debts_of(tx, base, [judged]).get(judged.debtor, ())
    return remedies_with(base, judged, row, debts, judged.rooms[row.key])


def remedies_with(base: Frame, judged: Judged, row: OrderRow, debts: Sequence[Debt], room: Room) -> list[Remedy]:
    """The same where the debts of its customer, and the room that it was checked with, are known."""
    policy = base.policy.of(judged.members[0].segment)
    order = amounts(base, judged.position.currency, row)
    status = "blocked" if any(m.status == "blocked" for m in judged.members) else judged.members[0].status or "active"
    return remedies(Case(judged.decision, order, policy, room, tuple(debts), status))


def debts_of(tx: Connection, base: Frame, several: Sequence[Judged]) -> dict[int, list[Debt]]:
    """What some debtors owe in their own currency, undisputed, by debtor."""
    owner = {m.key: judged for judged in several for m in judged.members}
    levels: dict[tuple[str, str], int] = {}
    dunned = [m.key for judged in several if judged.decision.about.dunning_level for m in judged.members]
    if dunned:
        for (system, document, part), standing in dunning.standings(tx, dunned).items():
            levels[system, f"{document}/{part}" if part else document] = standing.level
    system_of = {m.key: m.system for judged in several for m in judged.members}
    found: dict[int, list[Debt]] = {}
    for key, item in open_debts(tx, list(owner), base.as_of):
        rest, judged = item.amount - item.disputed, owner[key]
        # Only what is owed in the customer's own currency can be said to the cent.
        if rest > 0 and item.currency == judged.position.currency:
            level = levels.get((system_of[key], item.ref), 0)
            debt = Debt(item.ref, item.number, item.due_on, item.issued_on, rest, level)
            found.setdefault(judged.debtor, []).append(debt)
    return found


def who_may(
    base: Frame,
    config: Config,
    judged: Judged,
    row: OrderRow,
    decision: OrderDecision,
    order: OrderAt,
    asked: Sequence[str] = (),
    already: Sequence[Person] = (),
) -> tuple[Need | None, list[Person]]:
    """Whom a release of the order needs, and the people of the configuration who may give it now; `asked` are the actors
    who asked for it, `already` who has approved it (`order_desk.so_far`)."""
    policy = base.policy.of(judged.members[0].segment)
    ask = release_request(base, judged, row, decision, order, asked[-1] if asked else "", asked)
    return needed(policy, ask), able(policy, [p.person for p in config.people], ask, already)
