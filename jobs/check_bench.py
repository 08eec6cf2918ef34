"""The bench of order checks: customers and their groups, judged on a day, who are asked about one order after the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connector.clock import Clock
from connector.config import Config
from connector.credit.decide import Room
from connector.credit.group import headroom
from connector.credit.remedy import Debt
from connector.errors import ConfigError
from connector.money import rounded
from connector.policy import Policy
from connector.store import Connection
from connector.store.audit import Entry
from connector.store.order_values import OrderRow
from connector.store.reservations import Reservation
from jobs import check_words as say
from jobs.check_answer import Result, answer, credit_told, instant, result_of
from jobs.check_asked import Asked
from jobs.check_find import order_names
from jobs.frame import Frame, Ground, frame, ground
from jobs.judge import Judged, judge
from jobs.judge_orders import BINDING, above, check_beside, queue_of, taken_by
from jobs.order_book import OrderBook, order_book
from jobs.order_remedy import debts_of

ZERO = Decimal(0)


@dataclass(slots=True)
class Case:
    """One question on its way."""

    at: int
    asked: Asked
    debtor: int = 0
    customer: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    entry: Entry | None = None
    reservation: Reservation | None = None


class Verdict(NamedTuple):
    """What was concluded of one question, and what its ways out are found with."""

    case: Case
    judged: Judged
    row: OrderRow
    room: Room
    result: Result


class Bench:
    """Some debtors and their groups, judged; asked about one order after the other.

    `judged` has everybody of these groups, `debts` what those owe of whom that was asked.
    """

    def __init__(
        self,
        tx: Connection,
        config: Config,
        policy: Policy,
        clock: Clock,
        today: dt.date,
        debtors: Sequence[int],
        stand_on: Ground | None = None,
    ) -> None:
        self.ground = stand_on or ground(tx, config, policy, clock, today, near=True)
        self.base = base = frame(tx, config, policy, clock, today, debtors=debtors, near=True, stand_on=self.ground)
        family = sorted(base.family(debtors))
        keys = [key for debtor in family for key in base.members.get(debtor, ())]
        self.book = order_book(tx, base, keys, family)
        self.judged = {judged.debtor: judged for judged in judge(tx, base, debtors, book=self.book)}
        self.debts: dict[int, Sequence[Debt]] = {}
        self._credits: dict[int, dict[str, Any]] = {}
        zone = ZoneInfo(config.business.time_zone)
        self.midnight = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), zone)

    def owed(self, tx: Connection, debtors: Sequence[int]) -> None:
        """Makes known what some debtors owe."""
        missing = [self.judged[debtor] for debtor in dict.fromkeys(debtors) if debtor not in self.debts]
        if missing:
            found = debts_of(tx, self.base, missing)
            self.debts.update({judged.debtor: found.get(judged.debtor, ()) for judged in missing})

    def make_ready(self) -> None:
        """Works out for everybody what else would be worked out at the first question."""
        for debtor, judged in self.judged.items():
            family = self.family(debtor)
            queue_of(self.base, family, self.book, debtor)
            self._credit(judged, family)

    def family(self, debtor: int) -> list[Judged]:
        """A debtor and whoever is judged together with it."""
        if self.base.alone(debtor):
            return [self.judged[debtor]]
        return [self.judged[d] for d in sorted(self.base.family([debtor])) if d in self.judged]

    def judge(self, case: Case, now: dt.datetime) -> Verdict:
        """Judges one question; its answer is in the case, all but numbers that are given when it is kept."""
        asked, judged = case.asked, self.judged.get(case.debtor)
        if judged is None:
            raise ConfigError(say.NOT_LINKED.fill(ref=asked.customer))
        family, row = self.family(case.debtor), self._row(case, judged)
        # As it would be at this check point: a quote that is being confirmed takes credit, one that is entered does not.
        self.base.confirming = row.key if asked.point in BINDING else None
        decision, room = check_beside(self.base, family, self.book, row)
        points = self.base.policy.of(judged.members[0].segment).hold.points
        result = result_of(str(getattr(points, asked.point)), decision)
        case.body = answer(
            judged,
            row,
            decision,
            result,
            point=asked.point,
            order=asked.order,
            credit=self._credit(judged, family),
            remedies=(),
            at=now,
            as_of=self.base.as_of,
            valid_until=self.midnight,
            policy=self.base.policy_version,
            simulated=asked.simulate,
        )
        if asked.minutes is not None and result != "hold":
            self._reserve(case, row, now)
        return Verdict(case, judged, row, room, result)

    def _credit(self, judged: Judged, family: Sequence[Judged]) -> dict[str, Any]:
        """The figures that an answer rests on: the same for all that is asked of a customer, unless credit is reserved."""
        if self.book.reserved:
            return credit_told(judged, available(self.base, judged, family, self.book))
        known = self._credits.get(judged.debtor)
        if known is None:
            known = self._credits[judged.debtor] = credit_told(judged, judged.decision.available)
        return known

    def _row(self, case: Case, judged: Judged) -> OrderRow:
        asked, first = case.asked, judged.members[0]
        return OrderRow(
            -1 - case.at,
            first.system,
            asked.order or "",
            None,
            case.customer,
            case.debtor,
            "draft",
            asked.currency or judged.position.currency,
            asked.amount or ZERO,
            ZERO,
            ZERO,
            self.base.as_of,
            asked.ship_on,
            asked.terms,
        )

    def _reserve(self, case: Case, row: OrderRow, now: dt.datetime) -> None:
        asked = case.asked
        until = now + dt.timedelta(minutes=asked.minutes or 0)
        name = None if asked.order is None else order_names(asked.order)[-1]
        case.reservation = Reservation(
            0, case.customer, name, row.total, row.currency, row.terms, row.ship_on, asked.caller, self.base.as_of,
            now, until,
        )  # fmt: skip
        mine = (*self.book.reserved.get(case.debtor, ()), case.reservation)
        self.book.reserved = {**self.book.reserved, case.debtor: mine}
        case.body["valid_until"] = instant(until)
        case.body["reservation"] = {
            "id": None,
            "amount": case.body["amount"],
            "currency": row.currency,
            "valid_until": instant(until),
        }


def available(base: Frame, judged: Judged, family: Sequence[Judged], book: OrderBook) -> Decimal | None:
    """What is left of the limits over a customer when all that is reserved is taken out."""
    left = judged.decision.available
    if left is None or left <= 0 or not book.reserved:
        return left
    taken = taken_by(base, family, book)
    if taken is None:
        return left
    position = judged.position
    rooms = [] if position.available is None else [position.available - taken.customers.get(judged.debtor, ZERO)]
    nodes = [
        replace(node, exposure=node.exposure + taken.nodes.get(place, ZERO)) for place, node in above(base, judged)
    ]
    least = headroom(nodes)
    return rounded(min([*rooms, *([] if least is None else [least])]), position.currency)
