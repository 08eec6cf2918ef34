"""What a replay means: orders held and for how long, sales delayed, overdue and losses met or missed, work for people.

A sale is stopped where its order was held on the evening before it was in fact invoiced, or where there was no order
before that day and the customer was held on it. What then became of its invoice says whether that was right: open more
than so many days after the due day, written off, or paid. All amounts are in the reporting currency, at the rate of the
day of the order or invoice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit.authority import Request, needed
from connector.credit.decide import Decision, OrderDecision
from connector.credit.replay import Rules, Turn
from connector.credit.replay_history import DOCUMENT, UNIT_DIGITS, Day, Family, Sale
from connector.money import EXACT, from_minor
from connector.policy import Policy
from connector.policy_dunning import DEMANDS

ZERO = Decimal(0)
# So many of the orders that were held are told one by one: those with the most value times days.
_TOLD = 50

# The kinds of work, and the role whose work it is; releases are whose the approval matrix says.
WORK = {
    "holds": "credit_controller",
    "reviews": "credit_controller",
    "calls": "credit_controller",
    "letters": "credit_controller",
    "final_demands": "approver",
    "legal": "approver",
}
RELEASES = "releases"

# Figures of one policy in one month, by name; counts and amounts alike.
Figures = dict[str, Decimal]


@dataclass(slots=True)
class HeldOrder:
    """One order that would have been held. `days` in all, `value` what was not invoiced of it when it was first held.

    `stopped`: still held when it was in fact invoiced. `late` and `lost` are of its invoices.
    """

    customer: str
    name: str
    order: str
    number: str | None
    since: dt.date
    value: Decimal
    rules: tuple[str, ...]
    days: int = 0
    stopped: bool = False
    late: Decimal = ZERO
    lost: Decimal = ZERO

    @property
    def weight(self) -> Decimal:
        """Value times days: how much sales were delayed."""
        return self.value * self.days


@dataclass
class Outcome:
    """What one policy would have done: figures by month (its first day), and the weightiest held orders.

    `unconverted` counts orders and invoices that are not in the amounts, for want of a rate.
    """

    months: dict[dt.date, Figures] = field(default_factory=dict)
    orders: list[HeldOrder] = field(default_factory=list)
    unconverted: int = 0

    def add(self, day: Day, name: str, more: Decimal | int = 1) -> None:
        """Adds to a figure of the month of a day."""
        month = dt.date.fromordinal(day).replace(day=1)
        figures = self.months.get(month)
        if figures is None:
            figures = self.months[month] = defaultdict(Decimal)
        figures[name] += more

    @property
    def total(self) -> Figures:
        """The figures of all months together."""
        found: Figures = defaultdict(Decimal)
        for figures in self.months.values():
            for name, value in figures.items():
                found[name] += value
        return found

    def take_in(self, other: Outcome) -> None:
        """Adds what another part of the customers has come to."""
        for month, figures in other.months.items():
            mine = self.months.setdefault(month, defaultdict(Decimal))
            for name, value in figures.items():
                mine[name] += value
        self.orders = heaviest([*self.orders, *other.orders])
        self.unconverted += other.unconverted


def heaviest(orders: Iterable[HeldOrder]) -> list[HeldOrder]:
    """The orders that weigh most, the weightiest first."""
    return sorted(orders, key=lambda o: (-o.weight, -o.value, o.since, o.customer, o.order))[:_TOLD]


class Tally:
    """Turns the conclusions of one family into outcomes, one for each policy."""

    def __init__(
        self,
        family: Family,
        rules: Sequence[Rules],
        outcomes: Sequence[Outcome],
        first: dt.date,
        last: dt.date,
        known_until: dt.date,
        late_days: int,
    ) -> None:
        self.family, self.rules, self.outcomes = family, rules, outcomes
        self.first, self.last = first.toordinal(), last.toordinal()
        self.known_until, self.late_days = known_until.toordinal(), late_days
        debtor_of = {m.customer: at for at, d in enumerate(family.debtors) for m in d.members}
        self.debtor_of = debtor_of
        self.sales: list[dict[Day, list[Sale]]] = [defaultdict(list) for _ in family.debtors]
        for sale in family.sales:
            if self.first <= sale.issued <= self.last:
                self.sales[debtor_of[sale.customer]][sale.issued].append(sale)
        count = len(rules)
        # By policy: orders held at the moment, since when; and all that ever were, with what is told of them.
        self.held: list[dict[int, Day]] = [{} for _ in range(count)]
        self.told: list[dict[int, HeldOrder]] = [{} for _ in range(count)]
        self.customers: list[dict[int, tuple[bool, bool]]] = [{} for _ in range(count)]

    def take(self, turn: Turn) -> None:
        """One conclusion; they come in the order of days."""
        for place, (decision, checks) in enumerate(zip(turn.decisions, turn.checks, strict=True)):
            sales = self.sales[turn.debtor].get(turn.day)
            if sales:
                for sale in sales:
                    self._sale(place, turn, decision, checks, sale)
            self._orders(place, turn, checks)
            self._customer(place, turn, decision)

    def close(self) -> None:
        """Ends what is still held on the last day, and adds the work of dunning."""
        for place, outcome in enumerate(self.outcomes):
            for at, since in self.held[place].items():
                self._ended(place, at, since, self.last + 1)
            outcome.orders = heaviest([*outcome.orders, *self.told[place].values()])
            self._dunning(place)

    # --- orders and customers --------------------------------------------------------------------------------------------
    def _orders(self, place: int, turn: Turn, checks: Sequence[OrderDecision]) -> None:
        held, outcome = self.held[place], self.outcomes[place]
        for at, check in zip(turn.orders, checks, strict=True):
            order = self.family.orders[at]
            if order.placed == turn.day:
                outcome.add(turn.day, "orders")
            if check.hold and at not in held:
                held[at] = turn.day
                outcome.add(turn.day, "work_holds")
                if at not in self.told[place]:
                    self._first_held(place, turn, at, check)
            elif not check.hold and at in held:
                self._ended(place, at, held.pop(at), turn.day)
        if held:
            mine = set(turn.orders)
            for at in [one for one in held if one not in mine and self._is_of(one, turn.debtor)]:
                self._ended(place, at, held.pop(at), turn.day)

    def _is_of(self, order: int, debtor: int) -> bool:
        return self.debtor_of[self.family.orders[order].customer] == debtor

    def _first_held(self, place: int, turn: Turn, at: int, check: OrderDecision) -> None:
        order, debtor = self.family.orders[at], self.family.debtors[turn.debtor]
        rest = next(r for r in reversed(order.rests) if r.day <= turn.day)
        units = rest.delivered + sum(units for _, units in rest.waiting)
        value = self._home(place, Decimal(units).scaleb(-UNIT_DIGITS, EXACT), order.currency, turn.day)
        rules = tuple(dict.fromkeys(reason.rule for reason in check.reasons))
        day = dt.date.fromordinal(turn.day)
        self.told[place][at] = HeldOrder(debtor.ref, debtor.name, order.ref, order.number, day, value, rules)
        self.outcomes[place].add(turn.day, "orders_held")
        self.outcomes[place].add(turn.day, "held_value", value)

    def _ended(self, place: int, at: int, since: Day, day: Day) -> None:
        told, days = self.told[place][at], day - since
        told.days += days
        self.outcomes[place].add(since, "days_held", days)
        self.outcomes[place].add(since, "value_days", told.value * days)

    def _customer(self, place: int, turn: Turn, decision: Decision) -> None:
        before = self.customers[place].get(turn.debtor)
        now = decision.hold, "review" in decision.actions
        self.customers[place][turn.debtor] = now
        if before is None:
            # How it stands on the first day is nobody's work of that day.
            if now[0]:
                self.outcomes[place].add(turn.day, "held_at_first")
            return
        if now[0] and not before[0]:
            self.outcomes[place].add(turn.day, "customers_held")
        if now[1] and not before[1]:
            self.outcomes[place].add(turn.day, "work_reviews")

    # --- sales -----------------------------------------------------------------------------------------------------------
    def _sale(self, place: int, turn: Turn, decision: Decision, checks: Sequence[OrderDecision], sale: Sale) -> None:
        outcome = self.outcomes[place]
        order = self.family.orders[sale.order] if sale.order is not None else None
        if order is not None and sale.order is not None and order.placed < turn.day:
            stopped = sale.order in self.held[place]
        elif sale.order in turn.orders:
            stopped = checks[turn.orders.index(sale.order)].hold
        else:
            stopped = decision.hold
        amount = self._home(place, from_minor(sale.amount, sale.currency), sale.currency, turn.day)
        late, known = self._late(sale)
        overdue = self._home(place, from_minor(late, sale.currency), sale.currency, turn.day)
        lost = self._home(place, from_minor(sale.lost, sale.currency), sale.currency, turn.day)
        outcome.add(turn.day, "sales")
        outcome.add(turn.day, "sales_value", amount)
        if sale.voided is not None:
            return
        side = "met" if stopped else "missed"
        if late:
            outcome.add(turn.day, f"late_{side}", overdue)
        if lost:
            outcome.add(turn.day, f"lost_{side}", lost)
        if not known:
            outcome.add(turn.day, "unknown_value", amount)
        if not stopped:
            return
        outcome.add(turn.day, "stopped")
        outcome.add(turn.day, "stopped_value", amount)
        if known and not late and not lost:
            outcome.add(turn.day, "stopped_good", amount)
        for role in self._releasing(place, turn, decision, checks, sale):
            outcome.add(turn.day, f"work_{RELEASES}_{role}")
        told = self.told[place].get(sale.order) if sale.order is not None else None
        if told is not None:
            told.stopped = True
            told.late += overdue
            told.lost += lost

    def _late(self, sale: Sale) -> tuple[int, bool]:
        """What was open of a sale so many days after its due day, and whether that is known yet."""
        late, known = 0, True
        for at in sale.lines:
            line = self.family.lines[at]
            if not line.dated:
                continue
            day = line.due + self.late_days
            if day > self.known_until:
                known = known and line.open_at(self.known_until) <= 0
            else:
                late += max(line.open_at(day), 0)
        return late, known

    def _releasing(
        self, place: int, turn: Turn, decision: Decision, checks: Sequence[OrderDecision], sale: Sale
    ) -> list[str]:
        """The roles whose people would have had to release it, by the approval matrix; one entry a person."""
        policy = self.rules[place].policy.of(self.family.debtors[turn.debtor].segment)
        found = decision.position
        limit, after = found.limit_amount, found.exposure.total
        over = max(after - limit, ZERO) if limit is not None else ZERO
        excess = over / found.unit if found.unit else over
        share = over * 100 / limit if limit else None
        need = needed(policy, Request("release", excess, share, decision.grade, decision.level))
        return ["approver"] if need is None else [need.role] * need.people

    def _home(self, place: int, amount: Decimal, currency: str, day: Day) -> Decimal:
        rates = self.rules[place].rates
        if currency == rates.base or not amount:
            return amount
        converted = rates.convert(amount, currency, rates.base, dt.date.fromordinal(day))
        if converted is None:
            self.outcomes[place].unconverted += 1
            return ZERO
        return converted

    # --- dunning ---------------------------------------------------------------------------------------------------------
    def _dunning(self, place: int) -> None:
        """The steps of the ladder that would have come due: an item still open on the day of a rung takes it."""
        rates, outcome = self.rules[place].rates, self.outcomes[place]
        letters: dict[int, set[Day]] = defaultdict(set)
        policies: list[Policy] = [self.rules[place].policy.of(d.segment) for d in self.family.debtors]
        for line in self.family.lines:
            if line.sort != DOCUMENT or not line.dated or not line.worth:
                continue
            rules = policies[self.debtor_of[line.customer]].dunning
            if not rules.on:
                continue
            for step in rules.step:
                day = line.due + step.days
                if step.level < 1 or not self.first <= day <= self.last:
                    continue
                worth = next((w for w in reversed(line.worth) if w.day <= day), None)
                if worth is None or worth.value <= 0:
                    continue
                asked = worth.value - (worth.disputed if rules.skip_disputed else 0)
                home = rates.convert(
                    from_minor(asked, line.currency), line.currency, rates.base, dt.date.fromordinal(day)
                )
                if asked <= 0 or home is None or home < rules.minimum_amount:
                    continue
                if step.channel == "phone":
                    outcome.add(day, "work_calls")
                elif step.channel == "legal":
                    outcome.add(day, "work_legal")
                elif step.channel in DEMANDS:
                    letters[line.customer].add(day)
                    if step.channel == "final_demand":
                        outcome.add(day, "work_final_demands")
        for customer, days in letters.items():
            interval = policies[self.debtor_of[customer]].dunning.letter_interval_days
            before: Day | None = None
            for day in sorted(days):
                if before is None or day - before >= interval:
                    outcome.add(day, "work_letters")
                    before = day


__all__ = ["RELEASES", "WORK", "Figures", "HeldOrder", "Outcome", "Tally", "heaviest"]
