"""Replay: what policies would have concluded of a family of debtors on every day of its history.

One pass over the dated facts keeps running sums; `decide` and `compete`, the functions of the nightly run, are asked
only for those debtors and days for which something turned: a fact, a due day, a day from which the oldest debt is too
old, an order that enters the horizon, a limit that begins or ends, a rate. In between the conclusion stands. Several
policies are asked side by side in the same pass.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import NamedTuple

from connector.credit.circumstances import ORDINARY, Circumstances
from connector.credit.compete import Contender, Share, compete
from connector.credit.decide import ORDER_NO_RATE, Decision, OrderDecision, decide
from connector.credit.group import Node, node_of
from connector.credit.hold import OrderAmounts
from connector.credit.limit import Effective, added, effective
from connector.credit.position import Position, position
from connector.credit.rates import Rates
from connector.credit.reason import Reason
from connector.credit.replay_days import has_amounts, limit_days, overdue_days, rate_days
from connector.credit.replay_history import UNIT_DIGITS, Day, Debtor, Family, Member, Placed, Rest
from connector.credit.replay_sums import Standing, Sums
from connector.credit.stage import Behaviour, begun_on
from connector.credit.totals import Totals
from connector.credit.warn_state import State as WarningState
from connector.money import EXACT, exponent, from_minor
from connector.policy import Policy

ZERO = Decimal(0)


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


# What happens on a day, in the order in which it is taken.
_WORTH, _LATE, _PLACED, _REST, _CLOSED, _LOOK, _LIMIT = range(7)


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
    released stays so, and warnings fall only after several clear days; without it every day stands alone. `every_day` asks everybody on every day, as nights
    do: slow, and what tests hold the quick way against.
    """
    made = _Pass(family, rules, first.toordinal(), last.toordinal(), keeps)
    if every_day:
        made.look_daily()
    yield from made.run()


# An order that wants credit: its place, what it adds, its part in the exposure of its debtor and of each node.
_Wants = tuple[int, OrderAmounts, Share, tuple[tuple[int, Share], ...]]


class _Figures:
    """Policies by which the same figures are made, and by which places they stand; with what is kept for them.

    `limits` are those in force, by customer; `released` the tranches of staged limits that have been released, and since
    when, by debtor.
    """

    __slots__ = ("buckets", "limits", "placement", "places", "policy", "rates", "released")

    def __init__(self, rules: Rules, place: int) -> None:
        self.policy, self.rates = rules
        self.places = [place]
        self.buckets, self.placement = _buckets(self.policy), self.policy.ageing.placement
        self.limits: dict[int, Effective] = {}
        self.released: dict[int, dict[str, dt.date]] = defaultdict(dict)


class _Pass:
    """The working sheet of one family."""

    def __init__(self, family: Family, rules: Sequence[Rules], first: Day, last: Day, keeps: bool) -> None:
        self.family, self.rules, self.first, self.last = family, rules, first, last
        self.state = Standing(len(family.lines))
        self.sums: dict[tuple[int, str], Sums] = {}
        self.of_member: dict[int, list[Sums]] = {m.customer: [] for d in family.debtors for m in d.members}
        self.debtor_of = {m.customer: at for at, d in enumerate(family.debtors) for m in d.members}
        self.member_of = {m.customer: m for d in family.debtors for m in d.members}
        self.open_orders: list[dict[int, int]] = [{} for _ in family.debtors]  # place of the order → of its rest
        self.line_sums = [self._sums(line.customer, line.currency) for line in family.lines]
        self.by_figures: list[_Figures] = []
        for at, one in enumerate(rules):
            for group in self.by_figures:
                if _same_figures(group.policy, one.policy):
                    group.places.append(at)
                    break
            else:
                self.by_figures.append(_Figures(one, at))
        self.policies = [[one.policy.of(d.segment) for one in rules] for d in family.debtors]
        self.overdue_days = [overdue_days(policies) for policies in self.policies]
        for own in self.of_member.values():
            own.sort(key=lambda sums: sums.currency)
        self.events = self._events()
        self.looks: list[tuple[Day, int]] = []
        self.keeps = keeps
        # By policy and debtor: where the warnings stand.
        self.states: list[dict[int, Mapping[str, WarningState]]] = [{} for _ in rules]
        self.passed: list[set[int]] = [
            set() for _ in rules
        ]  # by policy: orders that passed and have not been held since

    def _sums(self, customer: int, currency: str) -> Sums:
        found = self.sums.get((customer, currency))
        if found is None:
            found = self.sums[customer, currency] = Sums(customer, currency, self.family.lines, self.state)
            self.of_member[customer].append(found)
        return found

    # --- what happens when -----------------------------------------------------------------------------------------------
    def _events(self) -> list[tuple[Day, int, int, int]]:
        """(day, what, place, place of the worth or rest), in the order of days."""
        family, last = self.family, self.last
        found: list[tuple[Day, int, int, int]] = []
        for at, line in enumerate(family.lines):
            late_on, late_worth = line.due + 1, 0
            for place, worth in enumerate(line.worth):
                if worth.day > last:
                    break
                found.append((worth.day, _WORTH, at, place))
                if worth.day <= late_on:
                    late_worth = worth.value
            # A line that is settled in time is never late, unless it is opened again.
            ever = late_worth > 0 or any(w.value > 0 and w.day > late_on for w in line.worth)
            if ever and late_on <= last:
                found.append((late_on, _LATE, at, 0))
        horizons = {group.policy.exposure.order_horizon_days for group in self.by_figures}
        for at, order in enumerate(family.orders):
            if order.placed > last:
                continue
            found.append((order.placed, _PLACED, at, 0))
            for place, rest in enumerate(order.rests[1:], 1):
                if rest.day <= last:
                    found.append((rest.day, _REST, at, place))
            if order.closes is not None and order.closes <= last:
                found.append((order.closes, _CLOSED, at, 0))
            until = order.closes if order.closes is not None else last + 1
            ships = {ship for rest in order.rests for ship, _ in rest.waiting if ship is not None}
            ships |= {order.ship} if order.ship is not None else set()
            for horizon in horizons:
                for ship in ships if horizon is not None else ():
                    if order.placed < ship - (horizon or 0) < until:
                        found.append((ship - (horizon or 0), _LOOK, self.debtor_of[order.customer], 0))
        for at, debtor in enumerate(family.debtors):
            days: set[Day] = set()
            for member in debtor.members:
                days |= limit_days(member.limits, self.first, last)
            found += [(day, _LIMIT, at, 0) for day in days if self.first < day <= last]
        found += self._rate_events()
        found.sort()
        return found

    def _rate_events(self) -> Iterator[tuple[Day, int, int, int]]:
        by_debtor: dict[int, set[str]] = defaultdict(set)
        for customer, currency in self.sums:
            by_debtor[self.debtor_of[customer]].add(currency)
        for order in self.family.orders:
            by_debtor[self.debtor_of[order.customer]].add(order.currency)
        base = self.rules[0].rates.base
        for at, debtor in enumerate(self.family.debtors):
            for member in debtor.members:
                by_debtor[at].add(member.currency)
                by_debtor[at] |= {limit.currency for limit in member.limits if limit.currency}
        for at, debtor in enumerate(self.family.debtors):
            used = set(by_debtor[at])
            for above in (at, *debtor.above):
                used |= set().union(*(by_debtor[one] for one in self.family.debtors[above].below))
            # Figures of one currency need no rate; amounts of the policy do.
            if len(used) > 1 or (used != {base} and any(map(has_amounts, self.policies[at]))):
                for day in rate_days([one.rates for one in self.rules], used | {base}, self.first, self.last):
                    yield day, _LOOK, at, 0

    def look_daily(self) -> None:
        """Everybody is looked at on every day."""
        debtors = range(len(self.family.debtors))
        self.events += [(day, _LOOK, at, 0) for day in range(self.first + 1, self.last + 1) for at in debtors]
        self.events.sort()

    # --- the pass --------------------------------------------------------------------------------------------------------
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

    def _take(self, event: tuple[Day, int, int, int]) -> int:
        """Lets one thing happen; gives the place of the debtor it happens to."""
        _, what, at, place = event
        family = self.family
        if what == _WORTH:
            worth = family.lines[at].worth[place]
            self.line_sums[at].change(at, worth.value, worth.disputed)
            return self.debtor_of[family.lines[at].customer]
        if what == _LATE:
            self.line_sums[at].turn_late(at)
            return self.debtor_of[family.lines[at].customer]
        if what == _LOOK:
            return at
        if what == _LIMIT:
            for group in self.by_figures:
                for member in family.debtors[at].members:
                    group.limits.pop(member.customer, None)
            return at
        debtor = self.debtor_of[family.orders[at].customer]
        if what == _CLOSED:
            self.open_orders[debtor].pop(at, None)
        else:
            self.open_orders[debtor][at] = place
        return debtor

    def _concluded(self, day: Day, turned: set[int]) -> Iterator[Turn]:
        on = dt.date.fromordinal(day)
        family = self.family.debtors
        if len(family) > 1:
            # Whoever shares a limit with somebody for whom something turned.
            heads = {a for d in turned for a in (d, *family[d].above)}
            turned = turned | {one for head in heads for one in family[head].below}
        wanted = sorted(turned)
        by_place: list[dict[int, tuple[Decision, tuple[OrderDecision, ...]]]] = [{}] * len(self.rules)
        for group in self.by_figures:
            positions, nodes = self._of_family(group, on, turned)
            for at in wanted:
                self._look_again(at, day, positions[at].undisputed_overdue_days)
            chains = {at: [a for a in (at, *family[at].above) if a in nodes] if nodes else [] for at in wanted}
            wants = {
                at: self._orders(group, at, positions[at].currency, chains[at], nodes, on)
                if self.open_orders[at]
                else ()
                for at in wanted
            }
            for place in group.places:
                by_place[place] = self._judged(group, place, on, wanted, positions, nodes, chains, wants)
        for at in wanted:
            mine = [found[at] for found in by_place]
            orders = tuple(sorted(self.open_orders[at])) if self.open_orders[at] else ()
            yield Turn(day, at, orders, tuple([d for d, _ in mine]), tuple([checks for _, checks in mine]))

    def _judged(
        self,
        group: _Figures,
        place: int,
        on: dt.date,
        wanted: Sequence[int],
        positions: Mapping[int, Position],
        nodes: Mapping[int, Node],
        chains: Mapping[int, Sequence[int]],
        wants: Mapping[int, Sequence[_Wants]],
    ) -> dict[int, tuple[Decision, tuple[OrderDecision, ...]]]:
        """The conclusions of one policy; orders of those who share a limit compete with each other."""
        whole, decisions, contenders = self.rules[place].policy, {}, list[Contender]()
        passed, states = self.passed[place], self.states[place]
        for at in wanted:
            made, debtor, policy = positions[at], self.family.debtors[at], self.policies[at][place]
            above: Sequence[Node] = ()
            if chains[at]:
                above = [nodes[a].seen_from(made.currency, group.rates, on) for a in chains[at]]
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
        """Keeps where the warnings stand. Tomorrow is looked at again where that has changed, because tomorrow begins from
        there, and where one is on its way down, because days are counted."""
        stands = {one.name: one.state for one in decision.warned if one.state.level != "green"}
        if stands:
            self.states[place][at] = stands
        else:
            self.states[place].pop(at, None)
        changed = {name: s.level for name, s in stands.items()} != {name: s.level for name, s in stood.items()}
        if changed or any(state.clear for state in stands.values()):
            heappush(self.looks, (on.toordinal() + 1, at))

    def _look_again(self, at: int, day: Day, days: int) -> None:
        """Makes sure that the debtor is looked at when its oldest debt gets too old."""
        if not days:
            return
        steps = self.overdue_days[at]
        place = bisect_right(steps, days)
        if place < len(steps):
            heappush(self.looks, (day + steps[place] - days, at))

    # --- figures ---------------------------------------------------------------------------------------------------------
    def _of_family(self, group: _Figures, on: dt.date, turned: set[int]) -> tuple[dict[int, Position], dict[int, Node]]:
        """The positions of those for whom something turned, and the nodes above them."""
        family = self.family.debtors
        rows: dict[int, list[list[Totals]]] = {}
        positions: dict[int, Position] = {}
        for at in turned:
            rows[at] = self._rows(group, at, on)
            positions[at] = self._position(group, at, rows[at], on)
        if len(family) == 1:
            return positions, _NO_NODES
        heads = {a for at in turned for a in (at, *family[at].above) if family[a].below}
        nodes: dict[int, Node] = {}
        for head in heads:
            for one in family[head].below:
                if one not in rows:
                    rows[one] = self._rows(group, one, on)
            own = positions.get(head) or self._position(group, head, rows[head], on)
            whole = [row for one in family[head].below for part in rows[one] for row in part]
            debtor = family[head]
            # Judged in its limit's own currency: a limit is never changed by a rate.
            currency = own.limit.currency or own.currency
            made = self._figures(group, debtor.members[0].customer, currency, whole, own.limit, on)
            nodes[head] = node_of(made, debtor.ref, debtor.name)
        return positions, nodes

    def _rows(self, group: _Figures, at: int, on: dt.date) -> list[list[Totals]]:
        """The rows of each member of a debtor."""
        policy, buckets, placement = group.policy, group.buckets, group.placement
        ordered: dict[tuple[int, str], tuple[int, int]] = {}
        for one, place in self.open_orders[at].items():
            order = self.family.orders[one]
            delivered, inside = _inside(order.rests[place], policy, on)
            before = ordered.get((order.customer, order.currency), (0, 0))
            ordered[order.customer, order.currency] = before[0] + delivered, before[1] + inside
        found = []
        for member in self.family.debtors[at].members:
            rows = []
            for sums in self.of_member[member.customer]:
                pair = ordered.pop((member.customer, sums.currency), None)
                if sums.is_empty and pair is None:
                    continue
                rows.append(row := sums.totals(buckets, placement))
                if pair is not None:
                    row.delivered_not_invoiced, row.ordered_not_delivered = _minor(pair, sums.currency)
            for (customer, currency), pair in ordered.items():
                if customer == member.customer and any(pair):
                    rows.append(row := Totals(customer, currency, (0,) * buckets))
                    row.delivered_not_invoiced, row.ordered_not_delivered = _minor(pair, currency)
            found.append(rows)
        return found

    def _position(self, group: _Figures, at: int, rows: Sequence[Sequence[Totals]], on: dt.date) -> Position:
        debtor = self.family.debtors[at]
        granted = [self._limit(group, at, m, own, on) for m, own in zip(debtor.members, rows, strict=True)]
        first = debtor.members[0]
        if len(debtor.members) == 1:
            return self._figures(group, first.customer, first.currency, rows[0], granted[0], on)
        everything = [row for own in rows for row in own]
        limit = added(granted, on, group.rates.convert)
        return self._figures(group, first.customer, first.currency, everything, limit, on)

    def _figures(
        self, group: _Figures, customer: int, currency: str, rows: Sequence[Totals], limit: Effective, on: dt.date
    ) -> Position:
        return position(customer, currency, rows, limit, group.rates, on, group.policy)

    def _limit(self, group: _Figures, at: int, member: Member, rows: Sequence[Totals], on: dt.date) -> Effective:
        kept = group.limits
        found = kept.get(member.customer)
        if found is not None:
            return found
        pieces, convert = member.limits, group.rates.convert
        found = effective(pieces, on, None, convert, currency=member.currency)
        staged = [piece for piece in pieces if piece.kind == "stage"]
        if staged:
            released = group.released[at]
            own = self._figures(group, member.customer, member.currency, rows, found, on)
            behaviour = Behaviour(
                late_days=own.undisputed_overdue_days,
                released=frozenset(released),
                paid_of=self._paid(group, member, released, on),
            )
            found = effective(pieces, on, behaviour, convert, currency=member.currency)
            for ref in found.released if self.keeps else ():
                released.setdefault(ref, on)  # a release is an event that stays
        elif all(piece.currency in (None, member.currency) for piece in pieces):
            kept[member.customer] = found  # stands until the next day of its pieces
        return found

    def _paid(self, group: _Figures, member: Member, released: dict[str, dt.date], on: dt.date) -> dict[str, Decimal]:
        """The paid share of what was invoiced under each tranche, as `Behaviour.paid_of` wants it."""
        staged = [piece for piece in member.limits if piece.kind == "stage"]
        found = {}
        day = on.toordinal()
        for ref, (since, until) in begun_on(staged, released).items():
            invoiced = left = ZERO
            for sale in self.family.sales:
                issued = dt.date.fromordinal(sale.issued)
                gone = sale.voided is not None and sale.voided <= day
                outside = issued < since or (until is not None and issued >= until) or sale.issued > day
                if sale.customer != member.customer or gone or outside:
                    continue
                quote = group.rates.quote(sale.currency, member.currency, on)
                if quote is None:
                    break
                open_now = sum(max(self.state.value[at], 0) for at in sale.lines)
                invoiced += quote.convert(from_minor(sale.amount, sale.currency))
                left += quote.convert(from_minor(open_now, sale.currency))
            else:
                if invoiced > 0:
                    found[ref] = 1 - left / invoiced
        return found

    def _orders(
        self,
        group: _Figures,
        at: int,
        currency: str,
        chain: Sequence[int],
        nodes: Mapping[int, Node],
        on: dt.date,
    ) -> list[_Wants]:
        """The open orders of a debtor: what each adds, and its part in the exposure of the debtor and of each node."""
        policy, rates = group.policy, group.rates
        counting = policy.exposure
        found = []
        for one, place in sorted(self.open_orders[at].items()):
            order = self.family.orders[one]
            rest = order.rests[place]
            delivered, inside = _inside(rest, policy, on)
            leaves = _amount(inside) if counting.ordered_not_delivered else ZERO
            stands = (_amount(delivered) if counting.delivered_not_invoiced else ZERO) + leaves
            total, invoiced = _amount(order.total), _amount(rest.invoiced)
            ship_on = dt.date.fromordinal(order.ship) if order.ship is not None else None
            own = (order.terms, total, order.currency)
            quote = None if order.currency == currency else rates.quote(order.currency, currency, on)
            if order.currency == currency:
                made = OrderAmounts(order.ref, order.number, total, stands, ship_on, True, invoiced, *own)
            elif quote is None:
                numbers = {"from": order.currency, "to": currency, "on": str(on)}
                text = ORDER_NO_RATE.fill(frm=order.currency, to=currency, on=on)
                unclear = (Reason("no_rate", text, numbers, (order.ref,)),)
                made = OrderAmounts(order.ref, order.number, ZERO, ZERO, ship_on, False, ZERO, *own, unclear)
            else:
                value, done = quote.convert(stands), quote.convert(invoiced)
                made = OrderAmounts(order.ref, order.number, quote.convert(total), value, ship_on, True, done, *own)

            def share(to: str) -> Share:
                if made.unclear:  # noqa: B023 - called at once
                    return _NOTHING
                if to == order.currency:  # noqa: B023
                    return Share(stands, leaves)  # noqa: B023
                # Without a rate it is not in the exposure either.
                return Share(
                    rates.convert(stands, order.currency, to, on) or ZERO,  # noqa: B023
                    rates.convert(leaves, order.currency, to, on) or ZERO,  # noqa: B023
                )

            found.append((one, made, share(currency), tuple([(a, share(nodes[a].currency)) for a in chain])))
        return found


def _same_figures(one: Policy, other: Policy) -> bool:
    return (one.ageing, one.exposure, one.currency) == (other.ageing, other.exposure, other.currency)


def _buckets(policy: Policy) -> int:
    edges = policy.ageing.edges()
    return {"due": 2, "issue": 1}[policy.ageing.basis] + len(edges) if edges else 6


def _inside(rest: Rest, policy: Policy, on: dt.date) -> tuple[int, int]:
    """Of what is not invoiced: delivered, and to be delivered inside the horizon."""
    horizon = policy.exposure.order_horizon_days
    if horizon is None:
        return rest.delivered, sum(units for _, units in rest.waiting)
    until = on.toordinal() + horizon
    return rest.delivered, sum([units for ship, units in rest.waiting if ship is None or ship <= until])


def _amount(units: int) -> Decimal:
    return Decimal(units).scaleb(-UNIT_DIGITS, EXACT) if units else ZERO


_NOTHING = Share()
UNWARNED: Mapping[str, WarningState] = {}
_NO_NODES: dict[int, Node] = {}


def _minor(pair: Iterable[int], currency: str) -> tuple[Decimal, Decimal]:
    places = exponent(currency)
    delivered, ordered = (Decimal(units).scaleb(-UNIT_DIGITS, EXACT).scaleb(places, EXACT) for units in pair)
    return delivered, ordered


__all__ = ["Debtor", "Family", "Placed", "Rules", "Turn", "turns"]
