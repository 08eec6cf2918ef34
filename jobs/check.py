"""The order check of orders that are not in the store yet: many questions at once, judged in one transaction.

Each is judged as if its order stood in the store as a quote that is being confirmed, beside all others of its customer
and group: by the same rules, in the same competition for credit. An order that is there already is checked where it is
(`jobs.check_there`). What was asked is told in the audit trail, one append for all; a question that comes again under its
key gets the very answer it got before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connector.clock import Clock, day_in, stopped
from connector.config import Config
from connector.connect import Connected
from connector.errors import ConfigError, HoldfastError, TransientError
from connector.policy import Policy
from connector.store import Connection, audit, marks, order_credit, reservations
from connector.store import asked as questions
from connector.store.audit import Entry
from connector.store.bulk import is_sqlite
from connector.store.concerns import Concern
from connector.store.db import Store, Taken
from connector.store.order_credit import OrderAt
from jobs import check_words as say
from jobs.check_answer import Answer, remedy_told, text_of
from jobs.check_asked import Asked
from jobs.check_bench import Bench, Case, Verdict
from jobs.check_find import Finder, orders_there
from jobs.check_kept import Kept, PolicyOf
from jobs.check_there import Refusal, check_there, replayed
from jobs.frame import frame
from jobs.order_remedy import remedies_with
from jobs.unhurried import unhurried


class _Again(Exception):
    """Somebody else was quicker with a key, or a group is another one than it was before its lock."""


Found = list[Answer | HoldfastError | None]


def check_all(
    store: Store,
    config: Config,
    policy: Policy | PolicyOf,
    clock: Clock,
    asked: Sequence[Asked],
    systems: Sequence[Connected] = (),
    kept: Kept | None = None,
    at_once: bool = False,
) -> list[Answer | HoldfastError]:
    """The answers to some questions, in their order; of one that cannot be answered the error that says why.

    `policy` may be asked for within the transaction. `kept` is what earlier calls have read, one call at a time. `at_once`:
    nobody else is waited for; raises Taken, and has done nothing, where somebody writes now.
    """
    if not asked:
        return []
    kept = kept or Kept()
    for _ in range(5):
        found: Found = [None] * len(asked)
        round_ = _Round(store, config, policy, clock, asked, found, kept, at_once)
        try:
            there = round_.go()
            break
        except Taken:
            raise  # before anything was read
        except _Again:
            kept.clear()
        except BaseException:
            kept.clear()
            raise
    else:
        return [TransientError(say.CROWDED, retry_after=1.0)] * len(asked)
    for at, order in there:
        try:
            found[at] = check_there(store, config, round_.policy, clock, asked[at], order, systems)
        except HoldfastError as wrong:
            found[at] = wrong
    return [one for one in found if one is not None]


class _Round:
    """Some questions in one transaction."""

    policy: Policy

    def __init__(
        self,
        store: Store,
        config: Config,
        policy: Policy | PolicyOf,
        clock: Clock,
        asked: Sequence[Asked],
        found: Found,
        kept: Kept,
        at_once: bool,
    ) -> None:
        self.at_once = at_once
        self.store, self.config, self.by, self.clock = kept.seat or store, config, policy, stopped(clock)
        self.cases = [Case(at, one) for at, one in enumerate(asked)]
        self.found, self.kept = found, kept
        self.now = self.clock.now()
        self.today = day_in(self.now, config.business.time_zone)
        self.new: list[Case] = []
        self.twins: list[tuple[Case, Case]] = []
        self.there: list[tuple[int, OrderAt]] = []
        self.concluded = False

    def go(self) -> list[tuple[int, OrderAt]]:
        """Answers all that can be answered here; gives those whose order is in the store already."""
        with unhurried():
            self._answer()
        there = self.there
        gone = {at for at, _ in there}
        for case, first in self.twins:
            if first.at in gone:
                there.append((case.at, next(order for at, order in there if at == first.at)))
                continue
            given = self.found[first.at]
            self.found[case.at] = replace(given, replayed=True) if isinstance(given, Answer) else given
        return there

    def _answer(self) -> None:
        asked = [case.asked for case in self.cases]
        if all(one.simulate for one in asked):
            with self.store.reading() as tx:
                self._conclude(tx)
        else:
            # Who takes no credit is answered by what is committed, and judged while somebody else still writes.
            plain = not any(one.minutes for one in asked)
            # What was answered survives a power cut, and its line in the trail with it, whether it has a key or not.
            ahead = self._ahead if plain and not self.at_once else None
            concern = Concern()
            with self.store.writing(meanwhile=ahead, at_once=self.at_once, concern=concern) as tx:
                if not self.concluded:
                    self._conclude(tx)
                self._keep(tx, [case for case in self.new if not case.asked.simulate])
            self.kept.wrote(concern)
        for case in self.new:
            self.found[case.at] = Answer(text_of(case.body))

    def _ahead(self) -> None:
        with self.store.reading() as tx:
            self._conclude(tx)

    def _conclude(self, tx: Connection) -> None:
        """Finds out and judges; nothing is written."""
        self._look(tx)
        new, self.twins = self._unanswered(tx)
        self.new, self.there = self._placed(tx, new)
        if self.new:
            self._judge(tx, self.new)
        self.concluded = True

    def _look(self, tx: Connection) -> None:
        self.policy = self.kept.look(tx, self.config, self.by, self.clock, self.today)

    # --- what was asked before ----------------------------------------------------------------------------------------
    def _unanswered(self, tx: Connection) -> tuple[list[Case], list[tuple[Case, Case]]]:
        """The questions that are new here, and those that came twice in this very round, each with its first."""
        keyed = [(case.asked.caller, case.asked.key) for case in self.cases if case.asked.key is not None]
        known = questions.answered(tx, keyed) if keyed else {}
        first: dict[tuple[str, str], Case] = {}
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
    def _placed(self, tx: Connection, cases: Sequence[Case]) -> tuple[list[Case], list[tuple[int, OrderAt]]]:
        """The questions whose customer is known and whose order is new; and the orders that are in the store already."""
        if not cases:
            return [], []
        known = self.kept.whose
        unknown = [case.asked for case in cases if case.asked.customer not in known]
        finder = Finder(tx, self.config, unknown) if unknown else None
        placed = []
        for case in cases:
            word = case.asked.customer
            if word not in known and finder is not None:
                try:
                    known[word] = finder.whose(word)
                except HoldfastError as wrong:
                    self.found[case.at] = wrong
                    continue
            whose = known[word]
            case.debtor, case.customer = whose.debtor or 0, whose.key
            placed.append(case)
        named = [(case.debtor, case.asked.order) for case in placed if case.asked.order is not None]
        standing = orders_there(tx, named)
        new, there = [], []
        for case in placed:
            order = standing.get((case.debtor, case.asked.order)) if case.asked.order is not None else None
            if order is not None:
                there.append((case.at, order))
            elif case.asked.amount is None:
                self.found[case.at] = ConfigError(say.MISSING.fill(field="amount", what=say.WHAT_AMOUNT))
            else:
                new.append(case)
        return new, there

    # --- judging ------------------------------------------------------------------------------------------------------
    def _judge(self, tx: Connection, cases: list[Case]) -> None:
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
            self._look(tx)
        benches = self._benches(tx, debtors)
        if locked is not None and {one for debtor in taking for one in benches[debtor].base.family([debtor])} != locked:
            raise _Again
        held: dict[Bench, list[Verdict]] = {}
        for case in list(cases):
            bench = benches[case.debtor]
            try:
                verdict = bench.judge(case, self.now)
            except HoldfastError as wrong:
                self.found[case.at] = wrong
                cases.remove(case)
                continue
            if case.reservation is not None:
                self.kept.drop(bench, case.debtor)
            if verdict.result == "hold":
                held.setdefault(bench, []).append(verdict)
        for bench, verdicts in held.items():
            bench.owed(tx, [verdict.judged.debtor for verdict in verdicts])
            for case, judged, row, room, _ in verdicts:
                remedies = remedies_with(bench.base, judged, row, bench.debts[judged.debtor], room)
                case.body["remedies"] = [remedy_told(one) for one in remedies]

    def _benches(self, tx: Connection, debtors: Sequence[int]) -> dict[int, Bench]:
        """Where each of these debtors is judged: those that are not known yet together."""
        found = {debtor: bench for debtor in debtors if (bench := self.kept.known(debtor)) is not None}
        unknown = [debtor for debtor in debtors if debtor not in found]
        if unknown:
            # What was disturbed while it was read is read again, and all of it then.
            known = iter([self.kept.ground])

            def read() -> Bench:
                return Bench(tx, self.config, self.policy, self.clock, self.today, unknown, next(known, None))

            made = marks.undisturbed(tx, read)
            self.kept.add(made, self.now)
            found |= dict.fromkeys(unknown, made)
        return found

    # --- what is kept -------------------------------------------------------------------------------------------------
    def _keep(self, tx: Connection, cases: Sequence[Case]) -> None:
        """Keeps reservations, the lines of the audit trail, and the answers that have keys; in that order, because others
        wait for the trail."""
        if not cases:
            return
        reserving = [case for case in cases if case.reservation is not None]
        numbers = reservations.keep(tx, [case.reservation for case in reserving if case.reservation is not None])
        for case, number in zip(reserving, numbers, strict=True):
            case.body["reservation"]["id"] = number
        keyed = [case for case in cases if case.asked.key is not None]
        entries = [_entry(case) for case in cases]
        numbers = audit.append(tx, entries, self.now, ends=not reserving and not keyed)
        for case, number in zip(cases, numbers, strict=True):
            case.body["audit"] = number
        answers = [(case.asked.caller, case.asked.key or "", case.asked.sha, text_of(case.body)) for case in keyed]
        if answers and not questions.remember(tx, answers, self.now):
            raise _Again


def _entry(case: Case) -> Entry:
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
