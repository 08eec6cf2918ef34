"""Remedies: the smallest change that would release a held order; each is tried with the same check before it is told.

Paying is counted against the oldest undisputed debts first, which is what cures overdue and lowers exposure at once. Where
nothing that money or credit can do would release it (a manual hold, a status, a paper that is missing), only a person can.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import accumulate
from typing import Literal

from connector.credit.circumstances import Circumstances
from connector.credit.decide import Decision, Room, check_order, decide, may_hold
from connector.credit.group import Node
from connector.credit.hold import OrderAmounts
from connector.credit.limit import Effective
from connector.credit.position import Position, share
from connector.credit.reason import Reason, money
from connector.credit.warn_state import State
from connector.money import exponent, rounded
from connector.policy import Policy
from connector.text import Text, joined

ZERO = Decimal(0)
# What neither a smaller order nor more credit changes.
_LASTS = frozenset({"manual", "oldest_overdue", "stale_data", "status"})
# The warnings that are read off the position itself.
_READ_OFF = frozenset({"overdue_ratio", "oldest_overdue", "utilisation"})
Kind = Literal["pay_items", "pay_amount", "ship_part", "more_limit", "pay_and_limit"]


@dataclass(frozen=True, slots=True)
class Debt:
    """An open item in the customer's currency: what of it is open and undisputed. `level` is how far it has been dunned."""

    ref: str
    number: str | None
    due_on: dt.date | None
    issued_on: dt.date
    amount: Decimal
    level: int = 0

    def days(self, as_of: dt.date) -> int:
        """Days past due, 0 where it is not overdue."""
        return max((as_of - (self.due_on or self.issued_on)).days, 0)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out: `amount` in the customer's currency (what is paid, may be shipped, or the limit is raised by); `items`
    are the debts to be paid whole. `limit` is the rise that goes with the payment of `pay_and_limit`."""

    kind: Kind
    amount: Decimal
    currency: str
    items: tuple[Debt, ...] = ()
    limit: Decimal = ZERO

    @property
    def text(self) -> Text:
        """The remedy as a sentence."""
        names = joined([Text(d.number or d.ref, d.number or d.ref) for d in self.items], ", ", "、")
        return _WORDS[self.kind].fill(
            amount=money(self.amount, self.currency), limit=money(self.limit, self.currency), items=names
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A held order with all that a check of it needs, and the debts of its customer. `status`, `stale`: as they were told
    to `decide`."""

    decision: Decision
    order: OrderAmounts
    policy: Policy
    room: Room
    debts: tuple[Debt, ...] = ()
    status: str = "active"
    queue: Queue = field(init=False, repr=False, compare=False)
    warns: bool = field(init=False, repr=False, compare=False)
    states: Mapping[str, State] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "queue", Queue(self.debts, self.decision.as_of))
        # What only warns need not be looked at again and again; a release ends at a warning.
        object.__setattr__(self, "warns", self.room.release is not None or may_hold(self.policy))
        # A warning falls step by step, whatever is paid today; what was read beside the ledger stands.
        stood = {w.name: w.before if w.name in _READ_OFF else w.state for w in self.decision.warned}
        object.__setattr__(self, "states", stood)

    def held_after(
        self,
        paid: Decimal = ZERO,
        limit: Decimal = ZERO,
        part: Decimal | None = None,
        items: Sequence[Debt] | None = None,
    ) -> bool:
        """Whether the order is held when so much is paid on the oldest debts (`items`: these, whole), the limit (and that
        of each group above) is raised by so much, and only a part of the order is confirmed."""
        if items is not None:
            # All of each of them is paid, and nothing else.
            return self.held_leaving(sum((d.amount for d in items), ZERO), self.queue.without(items))
        decision = self.decided_after(paid, limit)
        order = self.order if part is None else self.cut(part)
        return check_order(decision, order, self.policy, self.room).hold

    def held_leaving(self, paid: Decimal, left: Left) -> bool:
        """Whether the order is held when so much is paid, and it leaves what `Queue.after` tells."""
        return check_order(self.decided_after(paid, left=left), self.order, self.policy, self.room).hold

    def decided_after(self, paid: Decimal = ZERO, limit: Decimal = ZERO, left: Left | None = None) -> Decision:
        """What is concluded of the customer then; a payment is counted against the oldest debts (`left`: it leaves this)."""
        before = self.decision
        cured, days, level = left or self.queue.after(paid)
        position = before.position if not paid else _settled(before.position, paid, cured, days)
        position = _raised(position, limit)
        nodes = [_eased(node, paid, limit) for node in before.ancestors]
        # Whether the data are too old is no question of money: those reasons stand.
        stale = tuple(r for r in (*before.reasons, *before.set_aside) if r.rule == "stale_data")
        return decide(
            position,
            nodes,
            self.policy,
            status=self.status,
            stale=stale,
            about=_about(before, level) if paid and self.queue.dunned else before.about,
            segment=before.segment,
            whole=before.whole,
            states=self.states,
            warns=self.warns,
        )

    def cut(self, part: Decimal) -> OrderAmounts:
        """The order with this gross total."""
        own = part * self.order.own_total / self.order.total if self.order.total else ZERO
        return replace(self.order, total=part, own_total=own)


def remedies(case: Case) -> list[Remedy]:
    """All the ways out that release the order by themselves, the cheapest payment first; empty: only a person can."""
    found = []
    currency = case.decision.position.currency
    step = Decimal(1).scaleb(-exponent(currency))
    owed = sum((d.amount for d in case.debts), ZERO)
    reasons = check_order(case.decision, case.order, case.policy, case.room).reasons
    over = _over(reasons)
    # Then neither need be tried. (A release may cover it where it does not cover the whole order.)
    lasts = case.room.release is None and any(reason.rule in _LASTS for reason in reasons)
    likely = _likely(case, over)
    amount = _least(lambda x: not case.held_after(paid=x), owed, step, likely) if owed else None
    if amount is not None and amount > 0:
        items = _items(case, amount)
        if items:
            found.append(Remedy("pay_items", sum((d.amount for d in items), ZERO), currency, items))
        if not items or sum((d.amount for d in items), ZERO) != amount:
            found.append(Remedy("pay_amount", amount, currency))
    total = rounded(case.order.total, currency)
    part = None if lasts else _most(lambda x: not case.held_after(part=x), total, step, [total - over])
    if part is not None and part < total:
        found.append(Remedy("ship_part", part, currency))
    most = _ceiling(case)
    rise = None if lasts else _least(lambda x: not case.held_after(limit=x), most, step, [over])
    if rise is not None and rise > 0:
        found.append(Remedy("more_limit", rise, currency))
    elif rise is None and owed:
        # What is overdue has to be paid in any case; the rest may be covered by more credit.
        # Worth a word only where it is less than paying alone would have to be.
        if amount is not None and (amount < step or case.held_after(paid=amount - step, limit=most)):
            return found
        cure = _least(lambda x: not case.held_after(paid=x, limit=most), owed, step, likely)
        if cure is not None and cure > 0 and (amount is None or cure < amount):
            more = _least(lambda x: not case.held_after(paid=cure, limit=x), most, step, [over - cure])
            if more is not None and more > 0:
                found.append(Remedy("pay_and_limit", cure, currency, limit=more))
    return found


def held_with(case: Case, remedy: Remedy) -> bool:
    """Whether the order is still held after a remedy, asked once more from the start."""
    if remedy.kind == "ship_part":
        return case.held_after(part=remedy.amount)
    if remedy.kind == "more_limit":
        return case.held_after(limit=remedy.amount)
    if remedy.kind == "pay_and_limit":
        return case.held_after(paid=remedy.amount, limit=remedy.limit)
    if remedy.kind == "pay_amount":
        return case.held_after(paid=remedy.amount)
    return case.held_after(items=remedy.items)


# --- the position after a change -------------------------------------------------------------------------------------
def _oldest(debts: Sequence[Debt]) -> list[Debt]:
    return sorted(debts, key=lambda d: (d.due_on or d.issued_on, d.issued_on, d.ref))


class Queue:
    """Debts, the oldest due first, and what a payment that is counted against them in this order leaves."""

    def __init__(self, debts: Sequence[Debt], as_of: dt.date) -> None:
        self.debts = _oldest(debts)
        self.days = [debt.days(as_of) for debt in self.debts]
        self.upto = list(accumulate(debt.amount for debt in self.debts))
        self.late = sum((debt.amount for debt, days in zip(self.debts, self.days, strict=True) if days), ZERO)
        # The highest level of each debt and all that are younger.
        self.levels = list(accumulate((debt.level for debt in reversed(self.debts)), max))[::-1]
        self.dunned = any(debt.level for debt in self.debts)

    def after(self, paid: Decimal) -> Left:
        """What so much leaves: overdue that is cured, days past due of the oldest that is left, the highest level."""
        place = bisect_right(self.upto, paid)
        days, level = (self.days[place], self.levels[place]) if place < len(self.debts) else (0, 0)
        return min(paid, self.late), days, level

    def without(self, items: Sequence[Debt]) -> Left:
        """The same when these are paid, whole."""
        gone = set(items)
        left = [(days, debt.level) for debt, days in zip(self.debts, self.days, strict=True) if debt not in gone]
        cured = sum((d.amount for d, days in zip(self.debts, self.days, strict=True) if days and d in gone), ZERO)
        return cured, max((days for days, _ in left), default=0), max((level for _, level in left), default=0)


Left = tuple[Decimal, int, int]


def _about(before: Decision, level: int) -> Circumstances:
    """The circumstances then: dunning goes no further than what is still open."""
    if not before.about.dunning_level:
        return before.about
    return replace(before.about, dunning_level=level)


def _settled(position: Position, paid: Decimal, cured: Decimal, days: int) -> Position:
    exposure = replace(
        position.exposure,
        open_receivables=position.exposure.open_receivables - paid,
        total=position.exposure.total - paid,
    )
    limit = position.limit_amount
    overdue = max(position.undisputed_overdue - cured, ZERO)
    return replace(
        position,
        exposure=exposure,
        balance=position.balance - paid,
        open_total=position.open_total - paid,
        overdue=max(position.overdue - cured, ZERO),
        undisputed_overdue=overdue,
        undisputed_overdue_days=days if overdue else 0,
        available=None if position.available is None else position.available + paid,
        utilisation=None if position.utilisation is None else share(exposure.total, limit),
    )


def _raised(position: Position, rise: Decimal) -> Position:
    """The position with so much more limit, by a temporary limit or a guarantee: what had expired is in force again."""
    if not rise or position.limit.kind == "unlimited":
        return position
    amount = (position.limit_amount or ZERO) + rise
    return replace(
        position,
        limit=Effective("amount", amount, position.currency),
        limit_amount=amount,
        available=amount - position.exposure.total,
        utilisation=share(position.exposure.total, amount),
    )


def _eased(node: Node, paid: Decimal, rise: Decimal) -> Node:
    """A group above, in its own currency, when one of its members pays and more credit is given."""
    change = paid + rise
    if not change or node.limit is None:
        return node
    if node.quote is not None:
        one = node.quote.convert(Decimal(1))
        change = change / one if one else ZERO
    return replace(node, exposure=node.exposure - change)


def _ceiling(case: Case) -> Decimal:
    """More limit than any test could ask for."""
    over = [case.decision.position.exposure.total, case.order.total]
    rooms = [-room for node in case.decision.ancestors if (room := node.room) is not None]
    whole = sum((abs(x) for x in (*over, *rooms)), ZERO) + abs(case.room.spare)
    share_of = case.policy.hold.used_share.above_percent if case.policy.hold.used_share.on else Decimal(100)
    percent = case.policy.hold.overdue_amount.above_percent_of_limit if case.policy.hold.overdue_amount.on else ZERO
    factor = Decimal(100) / min(x for x in (share_of, percent, Decimal(100)) if x > 0)
    return rounded(whole * factor + 1, case.decision.position.currency)


# --- searching -------------------------------------------------------------------------------------------------------
def _over(reasons: Sequence[Reason]) -> Decimal:
    """By how much the order exceeds what is allowed, by the reasons that say so: where a search most likely ends."""
    found = [reason.numbers for reason in reasons if reason.rule in ("limit_exceeded", "group_limit_exceeded")]
    return max((Decimal(n["over_by"]) - Decimal(n["tolerance"]) for n in found), default=ZERO)


def _likely(case: Case, over: Decimal) -> list[Decimal]:
    """Payments with which a search most likely ends: what is over the limit, or all that is too long overdue."""
    grace, so_far = case.policy.hold.oldest_overdue.grace_days, ZERO
    for debt, days in zip(case.queue.debts, case.queue.days, strict=True):
        if days <= grace:
            break
        so_far += debt.amount
    return [max(over, so_far), so_far, over]


def _least(
    passes: Callable[[Decimal], bool], most: Decimal, step: Decimal, likely: Sequence[Decimal] = ()
) -> Decimal | None:
    """The least amount, in whole steps, that passes; None where even the most does not. More never does harm."""
    if most < 0:
        return None
    top, guesses = int(most / step), [int(x / step) for x in likely]
    # Mostly the first guess is right, and the most need not be tried.
    first = next(iter(guesses), top)
    if 0 <= first < top and passes(first * step):
        top = first
    elif not passes(most):
        return None
    return _between(lambda n: passes(n * step), -1, top, guesses) * step


def _most(
    passes: Callable[[Decimal], bool], most: Decimal, step: Decimal, likely: Sequence[Decimal] = ()
) -> Decimal | None:
    """The greatest amount above nothing that passes; None where not even the smallest does. Less never does harm."""
    if most < step:
        return None
    low, likely_over = 1, [int(x / step) + 1 for x in likely]
    first = next(iter(likely_over), 1) - 1
    if 1 < first <= int(most / step) and passes(first * step):
        low = first
    elif not passes(step):
        return None
    return (_between(lambda n: not passes(n * step), low, int(most / step) + 1, likely_over) - 1) * step


def _between(good: Callable[[int], bool], low: int, high: int, likely: Sequence[int]) -> int:
    """The least number above `low` that is good, where `high` is and whatever is above a good one. The likely ones are
    tried first, each with the one below it: mostly that is all."""
    for guess in likely:
        for n in (guess, guess - 1):
            if low < n < high:
                if good(n):
                    high = n
                else:
                    low = n
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle):
            high = middle
        else:
            low = middle
    return high


def _items(case: Case, amount: Decimal) -> tuple[Debt, ...]:
    """The debts that the least payment touches, without those that are not needed whole."""
    chosen = _Chosen(case, amount)
    for place in sorted(range(chosen.count), key=lambda n: -case.queue.debts[n].amount):
        if chosen.may_go(place) and chosen.more_than_one():
            chosen.drop(place)
    items = [debt for place, debt in enumerate(case.queue.debts) if place in chosen.places]
    return () if case.held_after(items=items) else tuple(items)


class _Chosen:
    """Debts that are to be paid whole: at first all that a payment counted against the oldest touches."""

    def __init__(self, case: Case, amount: Decimal) -> None:
        queue = case.queue
        self.case, self.queue = case, queue
        self.count = min(bisect_left(queue.upto, amount) + 1, len(queue.debts))
        self.places = set(range(self.count))
        self.whole = queue.upto[self.count - 1]
        # What stays open.
        self.cured, self.days, self.level = queue.after(self.whole)
        # Less does not do, whatever it is counted against.
        self.enough = amount if not queue.dunned else self._enough_at_best(amount)
        # No debt is smaller.
        self._least = min(debt.amount for debt in queue.debts[: self.count])
        # By level, the days past due of a single debt that may stay open, and those of one that may not, as far as tried.
        self._known: dict[int, tuple[int, int | None]] = {}

    def may_go(self, place: int) -> bool:
        """Whether the order is released although this one stays open, too."""
        debt, days = self.queue.debts[place], self.queue.days[place]
        paid = self.whole - debt.amount
        if paid < self.enough:
            return False
        return not self._is_too_old(days, debt.level) and not self.case.held_leaving(paid, self._without(place))

    def drop(self, place: int) -> None:
        """Leaves it open."""
        left = self._without(place)
        self.places.remove(place)
        self.whole -= self.queue.debts[place].amount
        self.cured, self.days, self.level = left
        self._known = {level: (-1, bad) for level, (_, bad) in self._known.items()}

    def more_than_one(self) -> bool:
        """Whether any is left when one goes."""
        return len(self.places) > 1

    def _enough_at_best(self, amount: Decimal) -> Decimal:
        """The least payment that does where nothing that is left has been dunned; counted against the oldest it is
        `amount`."""

        def passes(paid: Decimal) -> bool:
            cured, days, _ = self.queue.after(paid)
            return not self.case.held_leaving(paid, (cured, days, 0))

        step = Decimal(1).scaleb(-exponent(self.case.decision.position.currency))
        found = _least(passes, amount, step, [amount])
        return amount if found is None else found

    def _without(self, place: int) -> Left:
        debt, days = self.queue.debts[place], self.queue.days[place]
        return self.cured - (debt.amount if days else ZERO), max(self.days, days), max(self.level, debt.level)

    def _is_too_old(self, days: int, level: int) -> bool:
        """Whether the order is held for a debt so old, or dunned so far, even if it were the smallest of all: of thousands of
        old debts each is needed, and that shall not be tried of each."""
        if days <= self.days and level <= self.level:
            return False  # what is left open already is no better
        fine, bad = self._known.get(level, (-1, None))
        if bad is not None and days >= bad:
            return True
        if days <= fine:
            return False
        left = (self.cured - (self._least if days else ZERO), max(self.days, days), max(self.level, level))
        held = self.case.held_leaving(self.whole - self._least, left)
        self._known[level] = (fine, days) if held else (days, bad)
        return held


_WORDS: dict[Kind, Text] = {
    "pay_items": Text("the customer pays {items}, {amount} in all", "客户付清 {items}，合计 {amount}"),
    "pay_amount": Text(
        "the customer pays {amount}, counted against the oldest items first",
        "客户支付 {amount}，按最早到期的款项依次冲抵",
    ),
    "ship_part": Text("only a part of the order is confirmed, up to {amount}", "仅确认部分订单，金额不超过 {amount}"),
    "more_limit": Text("a temporary limit or a guarantee covers {amount} more", "增加 {amount} 的临时额度或担保"),
    "pay_and_limit": Text(
        "the customer pays {amount}, oldest items first, and a temporary limit or a guarantee covers {limit} more",
        "客户支付 {amount}（按最早到期的款项依次冲抵），并增加 {limit} 的临时额度或担保",
    ),
}
