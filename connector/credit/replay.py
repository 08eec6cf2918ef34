"""Replay: what policies would have concluded of a family of debtors on every day of its history.

One pass over the dated facts keeps running sums; `decide` and `compete`, the functions of the nightly run, are asked
only for those debtors and days for which something turned: a fact, a due day, a day from which the oldest debt is too
old, an order that enters the horizon, a limit that begins or ends, a rate. In between the conclusion stands. Several
policies are asked side by side in the same pass.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from connector.credit.circumstances import ORDINARY, Circumstances
from connector.credit.compete import Contender, compete
from connector.credit.decide import Decision, OrderDecision, decide
from connector.credit.group import Node
from connector.credit.position import Position
from connector.credit.rates import Rates
from connector.credit.replay_days import overdue_days
from connector.credit.replay_events import LIMIT, LOOK, Happening, happenings
from connector.credit.replay_figures import Figures, Wants, same_figures
from connector.credit.replay_history import Day, Family
from connector.credit.replay_sums import Ledger
from connector.credit.warn_state import State as WarningState
from connector.policy import Policy


class Rules(NamedTuple):
    """A policy, and the exchange rates as it takes them."""

    policy: Policy
    rates: Rates


class Turn(NamedTuple):
    """One debtor on a day on which something turned: for each policy, in their order, the decision and those on its open
    orders, whose places in the family's list stand in `orders`."""

    day: Day
    debtor: int
    orders: tuple[int, ...]
    decisions: tuple[Decision, ...]
    checks: tuple[tuple[OrderDecision, ...], ...]


def turns(
    family: Family,
    rules: Sequence[Rules],
    first: dt.date,
    last: dt.date,
    *,
    keeps: bool = True,
    every_day: bool = False,
) -> Iterator[Turn]:
    """The conclusions from `first` on, oldest first: of everybody on that day, and then whenever something turned.

    `keeps`: from night to night an order that passed keeps its room before those that come after it, a tranche once
    released stays so, and warnings fall only after several clear days; without it every day stands alone. `every_day`
    asks everybody on every day, as nights do: slow, and what tests hold the quick way against.
    """
    made = _Pass(family, rules, first.toordinal(), last.toordinal(), keeps)
    if every_day:
        made.look_daily()
    yield from made.run()


class _Pass:
    """The working sheet of one family."""

    def __init__(self, family: Family, rules: Sequence[Rules], first: Day, last: Day, keeps: bool) -> None:
        self.family, self.rules, self.first, self.last, self.keeps = family, rules, first, last, keeps
        self.ledger = Ledger(family)
        self.by_figures: list[Figures] = []
        for at, (policy, rates) in enumerate(rules):
            for figures in self.by_figures:
                if same_figures(figures.policy, policy):
                    figures.places.append(at)
                    break
            else:
                self.by_figures.append(Figures(self.ledger, policy, rates, at, keeps))
        self.policies = [[one.policy.of(d.segment) for one in rules] for d in family.debtors]
        self.overdue_days = [overdue_days(policies) for policies in self.policies]
        self.events = happenings(family, self.policies, [one.rates for one in rules], first, last)
        # Days on which a debtor is to be looked at although nothing happens.
        self.looks: list[tuple[Day, int]] = []
        # By policy: where the warnings of each debtor stand, and the orders that passed and have not been held since.
        self.states: list[dict[int, Mapping[str, WarningState]]] = [{} for _ in rules]
        self.passed: list[set[int]] = [set() for _ in rules]

    def look_daily(self) -> None:
        """Everybody is looked at on every day."""
        debtors = range(len(self.family.debtors))
        self.events += [Happening(day, LOOK, at) for day in range(self.first + 1, self.last + 1) for at in debtors]
        self.events.sort()

    def run(self) -> Iterator[Turn]:
        events, looks = self.events, self.looks
        at, count = 0, len(events)
        everybody = set(range(len(self.family.debtors)))
        while at < count and events[at][0] <= self.first:
            self._take(events[at])
            at += 1
        yield from self._concluded(self.first, everybody)
        while True:
            day = events[at][0] if at < count else self.last + 1
            if looks and looks[0][0] < day:
                day = looks[0][0]
            if day > self.last:
                return
            turned: set[int] = set()
            while at < count and events[at][0] == day:
                turned.add(self._take(events[at]))
                at += 1
            while looks and looks[0][0] == day:
                turned.add(heappop(looks)[1])
            yield from self._concluded(day, turned)

    def _take(self, happening: Happening) -> int:
        if happening.what == LIMIT:
            for figures in self.by_figures:
                figures.forget(happening.place)
        return self.ledger.take(happening)

    def _concluded(self, day: Day, turned: set[int]) -> Iterator[Turn]:
        on = dt.date.fromordinal(day)
        family = self.family.debtors
        if len(family) > 1:
            # Whoever shares a limit with somebody for whom something turned.
            heads = {a for d in turned for a in (d, *family[d].above)}
            turned = turned | {one for head in heads for one in family[head].below}
        wanted = sorted(turned)
        by_place: list[dict[int, tuple[Decision, tuple[OrderDecision, ...]]]] = [{}] * len(self.rules)
        for figures in self.by_figures:
            positions, nodes = figures.of_family(on, turned)
            for at in wanted:
                self._look_again(at, day, positions[at].undisputed_overdue_days)
            chains = {at: [a for a in (at, *family[at].above) if a in nodes] if nodes else [] for at in wanted}
            wants = {
                at: figures.orders(at, positions[at].currency, chains[at], nodes, on)
                if self.ledger.open_orders[at]
                else ()
                for at in wanted
            }
            for place in figures.places:
                by_place[place] = self._judged(figures, place, on, wanted, positions, nodes, chains, wants)
        for at in wanted:
            mine = [found[at] for found in by_place]
            orders = tuple(sorted(self.ledger.open_orders[at])) if self.ledger.open_orders[at] else ()
            yield Turn(day, at, orders, tuple([d for d, _ in mine]), tuple([checks for _, checks in mine]))

    def _judged(
        self,
        figures: Figures,
        place: int,
        on: dt.date,
        wanted: Sequence[int],
        positions: Mapping[int, Position],
        nodes: Mapping[int, Node],
        chains: Mapping[int, Sequence[int]],
        wants: Mapping[int, Sequence[Wants]],
    ) -> dict[int, tuple[Decision, tuple[OrderDecision, ...]]]:
        """The conclusions of one policy; orders of those who share a limit compete with each other."""
        whole, decisions, contenders = self.rules[place].policy, {}, list[Contender]()
        passed, states = self.passed[place], self.states[place]
        for at in wanted:
            made, debtor, policy = positions[at], self.family.debtors[at], self.policies[at][place]
            above: Sequence[Node] = ()
            if chains[at]:
                above = [nodes[a].seen_from(made.currency, figures.rates, on) for a in chains[at]]
            about = ORDINARY
            if debtor.terms is not None and policy.hold.terms_worsened.on:
                about = Circumstances(terms=debtor.terms)
            stood = states.get(at, UNWARNED)
            decisions[at] = decision = decide(
                made,
                above,
                policy,
                status=debtor.status,
                about=about,
                segment=debtor.segment,
                whole=whole,
                states=stood,
            )
            if self.keeps and (stood or decision.warned):
                self._keep(place, at, on, decision, stood)
            for one, order, share, own in wants[at]:
                placed = self.family.orders[one]
                day, earlier = dt.date.fromordinal(placed.placed), self.keeps and one in passed
                contenders.append(
                    Contender(
                        one, at, decision, policy, order, share, own, day, placed.priority, placed.system, earlier
                    )
                )
        if not contenders:
            return {at: (decision, ()) for at, decision in decisions.items()}
        verdicts = compete(contenders)
        if self.keeps:
            for one, (check, _) in verdicts.items():
                (passed.discard if check.hold else passed.add)(one)
        return {
            at: (decision, tuple([verdicts[one][0] for one, *_ in wants[at]])) for at, decision in decisions.items()
        }

    def _keep(self, place: int, at: int, on: dt.date, decision: Decision, stood: Mapping[str, WarningState]) -> None:
        """Keeps where the warnings stand; what is on its way down is looked at again tomorrow, because days are counted."""
        stands = {one.name: one.state for one in decision.warned if one.state.level != "green"}
        if stands:
            self.states[place][at] = stands
        else:
            self.states[place].pop(at, None)
        falls = any(state.clear or state.lowered_on == on for state in stands.values())
        # A warning that cannot be looked at any more is told once it stood before.
        if falls or (decision.position.unclear and stands.keys() != stood.keys()):
            heappush(self.looks, (on.toordinal() + 1, at))

    def _look_again(self, at: int, day: Day, days: int) -> None:
        """Makes sure that the debtor is looked at when its oldest debt gets too old."""
        if not days:
            return
        steps = self.overdue_days[at]
        place = bisect_right(steps, days)
        if place < len(steps):
            heappush(self.looks, (day + steps[place] - days, at))


UNWARNED: Mapping[str, WarningState] = {}

__all__ = ["Rules", "Turn", "turns"]
