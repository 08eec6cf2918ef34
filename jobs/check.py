"""The order check of orders that are not in the store yet: many questions at once, judged in one transaction.

Each is judged as if its order stood in the store as a quote that is being confirmed, beside all others of its customer
and group: by the same rules, in the same competition for credit. An order that is there already is checked where it is
(`jobs.check_there`). What was asked is told in the audit trail, one append for all; a question that comes again under its
key gets the very answer it got before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.credit.decide import Room
from connector.credit.group import headroom
from connector.errors import ConfigError, HoldfastError, TransientError
from connector.money import rounded
from connector.policy import Policy
from connector.store import Connection, audit, marks, order_credit, reservations
from connector.store import asked as questions
from connector.store.audit import Entry
from connector.store.bulk import is_sqlite
from connector.store.db import Store
from connector.store.order_credit import OrderAt
from connector.store.positions import OrderRow
from connector.store.reservations import Reservation
from jobs import check_words as say
from jobs.check_answer import Answer, Result, answer, instant, remedy_told, result_of, text_of
from jobs.check_asked import Asked
from jobs.check_find import Finder, order_names, orders_there
from jobs.check_there import Refusal, check_there, replayed
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.judge_orders import BINDING, OrderBook, above, check_beside, order_book, taken_by
from jobs.order_remedy import debts_of, remedies_with
from jobs.unhurried import unhurried

ZERO = Decimal(0)


class _Again(Exception):
    """Somebody else was quicker with a key, or a group is another one than it was before its lock."""


@dataclass(slots=True)
class _Case:
    """One question on its way."""

    at: int
    asked: Asked
    debtor: int = 0
    customer: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    entry: Entry | None = None
    reservation: Reservation | None = None


Found = list[Answer | HoldfastError | None]


def check_all(
    store: Store,
    config: Config,
    policy: Policy,
    clock: Clock,
    asked: Sequence[Asked],
    systems: Sequence[Connected] = (),
) -> list[Answer | HoldfastError]:
    """The answers to some questions, in their order; of one that cannot be answered the error that says why."""
    for _ in range(5):
        found: Found = [None] * len(asked)
        try:
            there = _Round(store, config, policy, clock, asked, found).go() if asked else []
            break
        except _Again:
            continue
    else:
        return [TransientError(say.CROWDED, retry_after=1.0)] * len(asked)
    for at, order in there:
        try:
            found[at] = check_there(store, config, policy, clock, asked[at], order, systems)
        except HoldfastError as wrong:
            found[at] = wrong
    return [one for one in found if one is not None]


class _Round:
    """Some questions in one transaction."""

    def __init__(
        self, store: Store, config: Config, policy: Policy, clock: Clock, asked: Sequence[Asked], found: Found
    ) -> None:
        self.store, self.config, self.policy, self.clock = store, config, policy, stopped(clock)
        self.cases = [_Case(at, one) for at, one in enumerate(asked)]
        self.found = found
        self.now = self.clock.now()
        self.today = day_in(self.now, config.business.time_zone)

    def go(self) -> list[tuple[int, OrderAt]]:
        """Answers all that can be answered here; gives those whose order is in the store already."""
        # What is promised has to survive a power cut; of plain questions it may take the last moment's lines.
        lasting = any(case.asked.minutes or case.asked.key for case in self.cases)
        only_simulated = all(case.asked.simulate for case in self.cases)
        with self.store.reading() if only_simulated else self.store.writing(durable=lasting) as tx, unhurried():
            new, twins = self._unanswered(tx)
            new, there = self._placed(tx, new)
            if new:
                self._judge(tx, new)
                self._keep(tx, [case for case in new if not case.asked.simulate])
                for case in new:
                    self.found[case.at] = Answer(text_of(case.body))
        gone = {at for at, _ in there}
        for case, first in twins:
            if first.at in gone:
                there.append((case.at, next(order for at, order in there if at == first.at)))
                continue
            given = self.found[first.at]
            self.found[case.at] = replace(given, replayed=True) if isinstance(given, Answer) else given
        return there

    # --- what was asked before ----------------------------------------------------------------------------------------
    def _unanswered(self, tx: Connection) -> tuple[list[_Case], list[tuple[_Case, _Case]]]:
        """The questions that are new here, and those that came twice in this very round, each with its first."""
        keyed = [(case.asked.caller, case.asked.key) for case in self.cases if case.asked.key is not None]
        known = questions.answered(tx, keyed) if keyed else {}
        first: dict[tuple[str, str], _Case] = {}
        new, twins = [], []
        for case in self.cases:
            one = case.asked
            if one.key is None:
                new.append(case)
                continue
            mark = (one.caller, one.key)
            if mark in known and not (known[mark].state != "answered" and one.order):
                self.found[case.at] = replayed(known[mark], one)
            elif mark not in first:
                first[mark] = case
                new.append(case)
            elif first[mark].asked.sha != one.sha:
                self.found[case.at] = Refusal(say.OTHER_BODY.fill(key=one.key))
            else:
                twins.append((case, first[mark]))
        return new, twins

    # --- whose it is --------------------------------------------------------------------------------------------------
    def _placed(self, tx: Connection, cases: Sequence[_Case]) -> tuple[list[_Case], list[tuple[int, OrderAt]]]:
        """The questions whose customer is known and whose order is new; and the orders that are in the store already."""
        if not cases:
            return [], []
        finder = Finder(tx, self.config, [case.asked for case in cases])
        placed = []
        for case in cases:
            try:
                whose = finder.whose(case.asked.customer)
            except HoldfastError as wrong:
                self.found[case.at] = wrong
                continue
            case.debtor, case.customer = whose.debtor or 0, whose.key
            placed.append(case)
        named = [(case.debtor, case.asked.order) for case in placed if case.asked.order is not None]
        known = orders_there(tx, named)
        new, there = [], []
        for case in placed:
            order = known.get((case.debtor, case.asked.order)) if case.asked.order is not None else None
            if order is not None:
                there.append((case.at, order))
            elif case.asked.amount is None:
                self.found[case.at] = ConfigError(say.MISSING.fill(field="amount", what=say.WHAT_AMOUNT))
            else:
                new.append(case)
        return new, there

    # --- judging ------------------------------------------------------------------------------------------------------
    def _judge(self, tx: Connection, cases: list[_Case]) -> None:
        """Judges the questions one after the other: what one reserves the next one has not. Those that take credit do so
        under the lock of their groups; the others are answered by what is committed, and wait for nobody."""
        debtors = sorted({case.debtor for case in cases})
        locked: set[int] | None = None
        taking = sorted({case.debtor for case in cases if case.asked.minutes is not None})
        if taking and not is_sqlite(tx):
            # (SQLite has one writer anyway.)
            near = frame(tx, self.config, self.policy, self.clock, self.today, debtors=taking, near=True)
            locked = near.family(taking)
            order_credit.lock(tx, locked)
        bench = marks.undisturbed(tx, lambda: _Bench(tx, self, debtors))
        if locked is not None and bench.base.family(taking) != locked:
            raise _Again
        held = []
        for case in list(cases):
            try:
                verdict = bench.judge(case)
            except HoldfastError as wrong:
                self.found[case.at] = wrong
                cases.remove(case)
                continue
            if verdict.result == "hold":
                held.append(verdict)
        if held:
            debts = debts_of(tx, bench.base, list({v.judged.debtor: v.judged for v in held}.values()))
            for verdict in held:
                remedies = remedies_with(
                    bench.base, verdict.judged, verdict.row, debts.get(verdict.judged.debtor, ()), verdict.room
                )
                verdict.case.body["remedies"] = [remedy_told(one) for one in remedies]

    # --- what is kept -------------------------------------------------------------------------------------------------
    def _keep(self, tx: Connection, cases: Sequence[_Case]) -> None:
        """Keeps reservations, the lines of the audit trail, and the answers that have keys; in that order, because others
        wait for the trail."""
        reserving = [case for case in cases if case.reservation is not None]
        numbers = reservations.keep(tx, [case.reservation for case in reserving if case.reservation is not None])
        for case, number in zip(reserving, numbers, strict=True):
            case.body["reservation"]["id"] = number
        entries = [_entry(case) for case in cases]
        for case, number in zip(cases, audit.append(tx, entries, self.now), strict=True):
            case.body["audit"] = number
        keyed = [
            (case.asked.caller, case.asked.key, case.asked.sha, text_of(case.body))
            for case in cases
            if case.asked.key is not None
        ]
        if keyed and not questions.remember(tx, keyed, self.now):
            raise _Again


class _Verdict(NamedTuple):
    case: _Case
    judged: Judged
    row: OrderRow
    room: Room
    result: Result


class _Bench:
    """The customers of a round and their groups, judged; asked about one order after the other."""

    def __init__(self, tx: Connection, round_: _Round, debtors: Sequence[int]) -> None:
        self.now, self.today = round_.now, round_.today
        self.base = base = frame(
            tx, round_.config, round_.policy, round_.clock, round_.today, debtors=debtors, near=True
        )
        family = sorted(base.family(debtors))
        keys = [key for debtor in family for key in base.members.get(debtor, ())]
        self.book = order_book(tx, base, keys, family)
        self.judged = {judged.debtor: judged for judged in judge(tx, base, debtors, book=self.book)}
        zone = ZoneInfo(round_.config.business.time_zone)
        self.midnight = dt.datetime.combine(self.today + dt.timedelta(days=1), dt.time(), zone)

    def family(self, debtor: int) -> list[Judged]:
        """A debtor and whoever is judged together with it."""
        if self.base.alone(debtor):
            return [self.judged[debtor]]
        return [self.judged[d] for d in sorted(self.base.family([debtor])) if d in self.judged]

    def judge(self, case: _Case) -> _Verdict:
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
            available=available(self.base, judged, family, self.book),
            remedies=(),
            at=self.now,
            as_of=self.today,
            valid_until=self.midnight,
            policy=self.base.policy_version,
            simulated=asked.simulate,
        )
        if asked.minutes is not None and result != "hold":
            self._reserve(case, row)
        return _Verdict(case, judged, row, room, result)

    def _row(self, case: _Case, judged: Judged) -> OrderRow:
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
            self.today,
            asked.ship_on,
            asked.terms,
        )

    def _reserve(self, case: _Case, row: OrderRow) -> None:
        asked = case.asked
        until = self.now + dt.timedelta(minutes=asked.minutes or 0)
        name = None if asked.order is None else order_names(asked.order)[-1]
        case.reservation = Reservation(
            0, case.customer, name, row.total, row.currency, row.terms, row.ship_on, asked.caller, self.today, self.now,
            until,
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


def _entry(case: _Case) -> Entry:
    """The line of the audit trail."""
    body = case.body
    after: dict[str, Any] = {
        "result": body["result"],
        "point": body["point"],
        "amount": body["amount"],
        "currency": body["currency"],
        "policy": body["policy"],
        "as_of": body["as_of"],
        "credit": body["credit"],
    }
    for name in ("order", "terms", "ship_date", "reservation"):
        if body[name] is not None:
            after[name] = body[name]
    for name in ("reasons", "warnings", "set_aside"):
        if body[name]:
            after[name] = body[name]
    if case.asked.key is not None:
        after["key"] = case.asked.key
    whose = body["customer"]
    return Entry("order.asked", f"customer:{whose['system']}/{whose['id']}", case.asked.caller, after=after)
