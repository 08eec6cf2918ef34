"""The order book: what is known of the orders of the debtors that are judged, and of what binds them beside the ledger."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from connector.credit.circumstances import ORDINARY, Circumstances, Missing
from connector.credit.compete import Queue
from connector.credit.position import Position
from connector.credit.review import PAPERS, OnFile, lacking
from connector.policy import Policy
from connector.store import Connection, dunning, exclusions, order_credit, order_values, papers, reservations, reviews
from connector.store.customers import CustomerRow
from connector.store.exclusions import Exclusions
from connector.store.order_credit import Standing
from connector.store.order_values import OrderRow
from connector.store.reservations import Reservation
from connector.store.reviews import ReviewRow
from connector.text import Text
from jobs.order_names import named

if TYPE_CHECKING:
    from jobs.frame import Frame

ZERO = Decimal(0)


@dataclass
class OrderBook:
    """Open and draft orders by debtor, the newest states of orders, what persons have set aside or forced, and the credit
    that is reserved for orders that are not there yet."""

    rows: Mapping[int, Sequence[OrderRow]] = field(default_factory=dict)
    standings: Mapping[int, Standing] = field(default_factory=dict)
    exclusions: Exclusions = field(default_factory=Exclusions)
    levels: Mapping[int, int] = field(default_factory=dict)
    reviews: Mapping[int, dt.date] = field(default_factory=dict)
    papers: Mapping[int, Sequence[OnFile]] = field(default_factory=dict)
    stopped: Mapping[int, ReviewRow] = field(default_factory=dict)
    reserved: Mapping[int, Sequence[Reservation]] = field(default_factory=dict)
    # The orders of a debtor and its group as they compete, made once for all that is asked beside them.
    queues: dict[int, Queue] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def of_debtor(self) -> Mapping[int, dict[int, Standing]]:
        """The states by debtor and order; of an order that has another customer now, still under the former one."""
        found: dict[int, dict[int, Standing]] = defaultdict(dict)
        for key, standing in self.standings.items():
            found[standing.debtor][key] = standing
        return found

    def about(
        self, debtor: int, members: Sequence[CustomerRow], policy: Policy, position: Position, is_today: bool
    ) -> Circumstances:
        """A debtor's circumstances, by its customers in the ledger, as far as its policy asks for them."""
        first = members[0]
        level, mine = self.levels.get(debtor, 0), self.exclusions.of(debtor, first.segment)
        terms = first.terms if policy.hold.terms_worsened.on else None
        due = self.reviews.get(debtor) if policy.hold.review_overdue.on and policy.review.on else None
        missing = self._missing(debtor, policy, position) if policy.hold.documents.on and is_today else ()
        stop = self.stopped.get(debtor)
        if not level and not mine and terms is None and due is None and not missing and stop is None:
            return ORDINARY
        return Circumstances(
            dunning_level=level,
            review_due_on=due,
            missing=missing,
            terms=terms,
            stopped=_stopped(stop),
            exclusions=mine,
        )

    def _missing(self, debtor: int, policy: Policy, position: Position) -> tuple[Missing, ...]:
        """What the credit file lacks for the limit of the day; a limit that cannot be converted asks for nothing."""
        limit: Decimal | None = ZERO
        if position.limit.kind == "unlimited":
            limit = None
        elif position.limit_amount is not None and position.unit:
            limit = position.limit_amount / position.unit
        found = lacking(self.papers.get(debtor, ()), limit, policy.review, position.as_of)
        return tuple(Missing(PAPERS[one.paper], one.since) for one in found)


def order_book(
    tx: Connection, frame: Frame, keys: Collection[int] | None, debtors: Collection[int] | None
) -> OrderBook:
    """What is known of the orders of some customers and debtors (None: of all); states only of a day that is today."""
    by_debtor: dict[int, list[OrderRow]] = defaultdict(list)
    mixed: set[int] = set()
    several = len(frame.systems) > 1
    for row in order_values.order_values(tx, keys, horizon_on=horizon_on(frame)):
        if row.debtor is not None:
            by_debtor[row.debtor].append(row)
            if several or row.system not in frame.systems:
                mixed.add(row.debtor)
    for debtor in mixed:
        by_debtor[debtor] = named(frame.systems, by_debtor[debtor])
    if not frame.is_today:
        return OrderBook(by_debtor)
    mentioned = [row.key for rows in by_debtor.values() for row in rows] if debtors is not None else []
    return OrderBook(
        by_debtor,
        order_credit.states(tx, debtors, mentioned),
        exclusions.in_force(tx, frame.as_of, debtors),
        dunning.levels(tx, debtors),
        reviews.due(tx, debtors) if _asked(frame.policy, "review_overdue") else {},
        papers.held(tx, debtors) if _asked(frame.policy, "documents") else {},
        reviews.stopped(tx, debtors),
        reservations.standing(tx, frame.now, debtors) if frame.now is not None else {},
    )


STOPPED_BY_REVIEW = Text("the review of {on} ended so: {reason}", "{on} 的复评结论：{reason}")


def _stopped(one: ReviewRow | None) -> Text | None:
    return None if one is None else STOPPED_BY_REVIEW.fill(on=one.done_on, reason=one.reason)


def _asked(policy: Policy, rule: str) -> bool:
    """Whether a hold rule is on for anybody."""
    every = (policy, *(policy.of(segment) for segment in policy.segment))
    return any(getattr(rules.hold, rule).on for rules in every)


def horizon_on(frame: Frame) -> dt.date | None:
    """The last day on which what ships counts as exposure; None: there is no such day."""
    days = frame.policy.exposure.order_horizon_days
    return frame.as_of + dt.timedelta(days=days) if days is not None else None


__all__ = ["OrderBook", "horizon_on", "order_book"]
