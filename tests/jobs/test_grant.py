"""Limits as people decide on them, on both databases: whatever is asked, approved and refused in whatever order.

The model keeps a list of what was approved, in the order of approval, and reckons by it in a few plain lines. It knows
nothing of pieces, of events, or of how the store keeps them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from connector.config_people import PersonSettings
from connector.errors import ConfigError
from connector.policy import load
from connector.store import audit
from connector.store.db import Store
from tests.jobs.limit_desk import LimitDesk
from tests.store.conftest import shared_store as shared_store
from tests.store.conftest import store as store

POLICY = load(
    """
[data]
stale_after_hours = 8784
[dunning]
on = false
[warning.actions]
red = []
[[approval.row]]
matter = "limit"
up_to_amount = 100000
role = "credit_controller"
[[approval.row]]
matter = "limit"
up_to_amount = 1000000
role = "approver"
[[approval.row]]
matter = "limit"
role = "approver"
people = 2
"""
)
PEOPLE = (
    PersonSettings(id="li", roles=("credit_controller",)),
    PersonSettings(id="wang", roles=("approver",)),
    PersonSettings(id="zhao", roles=("approver",), approve_up_to=500_000),
    PersonSettings(id="sun", roles=("approver", "credit_controller")),
    PersonSettings(id="chen", roles=("sales",)),
    PersonSettings(id="qian", roles=("approver",), ids={"books": "S7"}),  # sells to C1 himself
    PersonSettings(id="root", roles=("admin", "auditor", "viewer")),
)
NAMES = tuple(p.id for p in PEOPLE)
KINDS = ("base", "base", "override", "additive", "guarantee", "stage")
ZERO = Decimal(0)
LATE = "late<=15 suspend:late>30"


@dataclass
class Asked:
    """A request as the model sees it."""

    kind: str
    amount: Decimal
    by: str
    begins: dt.date
    ends: dt.date | None
    approved: list[str] = field(default_factory=list)
    state: str = "open"


@dataclass(eq=False)
class Granted:
    """Something that was approved, with the day of its approval. Two of the same amount and days are two."""

    kind: str
    amount: Decimal
    begins: dt.date
    ends: dt.date | None
    on: dt.date
    tranche_on: dt.date | None = None
    released: bool = False

    def holds(self, day: dt.date) -> bool:
        return self.begins <= day and (self.ends is None or day <= self.ends)


class Limits(RuleBasedStateMachine):
    """People ask, approve, change and reject; days pass; an invoice becomes late and is paid; the ledger talks too."""

    store: Store

    @initialize(said=st.sampled_from([None, 40_000, 250_000]))
    def begin(self, said: int | None) -> None:
        self.desk = LimitDesk(self.store, POLICY, people=PEOPLE)
        self.desk.customer(owner="S7")
        self.said = Decimal(said) if said else None
        if said:
            self.desk.limit_said(said)
        self.desk.evaluate()
        self.asked: dict[int, Asked] = {}
        self.log: list[Granted] = []
        self.first_here: dt.date | None = None
        self.late_since: dt.date | None = None
        self.count = 0

    # --- the model's own reckoning
    def main(self, day: dt.date) -> Granted | None:
        """The main limit of a day: the last one approved of those that have begun, where it has not ended."""
        mains = [g for g in self.log if g.kind in ("base", "stage") and g.begins <= day and g.on <= day]
        return mains[-1] if mains and mains[-1].holds(day) else None

    def expected(self, day: dt.date) -> Decimal | None:
        """The limit of a day; None: there is none, and never was one."""
        log = [g for g in self.log if g.on <= day]
        if not log or (self.said is not None and self.first_here is not None and day < self.first_here):
            return self.said
        total = ZERO
        replacing = None
        for one in log:  # of several, the one approved last; of the same day, the last of them
            if one.kind == "override" and one.holds(day) and not self._replaced(one, day):
                key = (one.on, one.begins, -one.amount)
                if replacing is None or key >= (replacing.on, replacing.begins, -replacing.amount):
                    replacing = one
        main = self.main(day)
        if replacing is not None:
            total = replacing.amount
        elif main is not None:
            total = main.amount if main.kind == "base" else self._staged(main)
        extra = [g for g in log if g.kind in ("additive", "guarantee") and g.holds(day)]
        total += sum((g.amount * (Decimal("0.5") if g.kind == "guarantee" else 1) for g in extra), ZERO)
        if main is None and replacing is None and not extra:
            # Nothing counts today: no credit where something was granted and is over, no limit where nothing ever began.
            lasting = any(g.kind in ("base", "stage") for g in log)
            over = any(g.kind not in ("base", "stage") and self._over(g, log, day) for g in log)
            return ZERO if lasting or over else None
        return total

    def _over(self, one: Granted, log: list[Granted], day: dt.date) -> bool:
        """Whether something for a time had begun and is over."""
        ends = [one.ends] if one.ends else []
        if one.kind == "override":
            later = log[log.index(one) + 1 :]
            ends += [
                o.begins - dt.timedelta(days=1)
                for o in later
                if o.kind == "override" and o.on == one.on and self._both(one, o)
            ]
        return bool(ends) and one.begins <= min(ends) < day

    def _replaced(self, one: Granted, day: dt.date) -> bool:
        """Whether a later override of the same day took its place."""
        later = self.log[self.log.index(one) + 1 :]
        return any(o.kind == "override" and o.on == one.on and self._both(one, o) and o.begins <= day for o in later)

    @staticmethod
    def _both(one: Granted, other: Granted) -> bool:
        first = max(one.begins, other.begins)
        return one.holds(first) and other.holds(first)

    def _staged(self, main: Granted) -> Decimal:
        late = 0 if self.late_since is None else (self.desk.today - self.late_since).days
        second = main.released and late <= 30
        return main.amount if second else main.amount * 4 / 10

    # --- what people do
    @rule(
        kind=st.sampled_from(KINDS),
        yuan=st.sampled_from([0, 30_000, 100_000, 100_001, 400_000, 1_000_000, 1_200_000]),
        who=st.sampled_from(NAMES),
        begins=st.sampled_from([0, 0, 0, 3, 10]),
        lasts=st.sampled_from([None, 0, 5, 20]),
    )
    def ask(self, kind: str, yuan: int, who: str, begins: int, lasts: int | None) -> None:
        since = self.desk.today + dt.timedelta(days=begins)
        until = None if lasts is None else since + dt.timedelta(days=lasts)
        more: dict[str, Any] = {"valid_from": since, "valid_to": until}
        if kind == "stage":
            share = Decimal(yuan) * 4 / 10
            more["parts"] = ((share, ""), (Decimal(yuan) - share, f"from:{since + dt.timedelta(days=5)} {LATE}"))
        if kind == "guarantee":
            more["percent"] = Decimal("0.5")
        number = self.desk.ask(kind, yuan, who, **more)
        for other in self.asked.values():
            same = other.kind == kind or {other.kind, kind} <= {"base", "stage"}
            if other.state == "open" and same:
                other.state = "superseded"
        self.asked[number] = Asked(kind, Decimal(yuan), who, since, until)

    @rule(
        at=st.integers(0, 9),
        who=st.sampled_from(NAMES),
        other=st.sampled_from([None, None, None, 50_000, 900_000, 1_500_000]),
    )
    def approve(self, at: int, who: str, other: int | None) -> None:
        number, one = self._chosen(at)
        if one is None:
            return
        # What a tranche comes to is known after a night only.
        shown = self.desk.effective().amount
        before = shown if any(g.kind == "stage" for g in self.log) else self.expected(self.desk.today)
        main_before = self._main_before()
        try:
            done = self.desk.approve(number, who, other)
        except ConfigError:
            assert self.desk.effective().amount == shown, "a refusal changes nothing"
            assert not self._may(one, who, other, main_before, before), (one, who, other)
            return
        assert one.state == "open"
        if other is not None and Decimal(other) != one.amount:
            if Decimal(other) > one.amount:
                one.by = who
            one.amount, one.approved = Decimal(other), []
        if done.stands.approvers:
            one.approved.append(who)
        if done.stands.state == "open":
            return
        self._check_authority(one, main_before, before)
        one.state = "in_force"
        tranche = one.begins + dt.timedelta(days=5) if one.kind == "stage" else None
        if self.first_here is None:
            self.first_here = self.desk.today if self.said is not None else one.begins
            if self.said is not None:
                self.log.append(Granted("base", self.said, self.desk.today, None, self.desk.today))
        self.first_here = min(self.first_here, one.begins)
        self.log.append(Granted(one.kind, one.amount, one.begins, one.ends, self.desk.today, tranche))

    @rule(
        kind=st.sampled_from(KINDS),
        yuan=st.sampled_from([0, 30_000, 100_000, 400_000, 400_000, 1_200_000]),
        begins=st.sampled_from([0, 0, 3]),
        lasts=st.sampled_from([None, 5, 20]),
        by=st.sampled_from(["chen", "chen", "sun"]),
        approvers=st.lists(st.sampled_from(["li", "wang", "wang", "sun", "zhao", "qian"]), min_size=1, max_size=3),
        days=st.sampled_from([0, 0, 1, 4, 16]),
        nightly=st.booleans(),
    )
    def a_whole_story(
        self,
        kind: str,
        yuan: int,
        begins: int,
        lasts: int | None,
        by: str,
        approvers: list[str],
        days: int,
        nightly: bool,
    ) -> None:
        """Somebody asks, some approve one after the other, some days go by, a night perhaps."""
        self.ask(kind, yuan, by, begins, lasts)
        for who in approvers:
            self.approve(min(len(self.asked), 4) - 1, who, None)
        self.days_pass(days)
        if nightly:
            self.night()

    def _chosen(self, at: int) -> tuple[int, Asked | None]:
        numbers = sorted(self.asked)[-4:]
        if not numbers:
            return 0, None
        number = numbers[at % len(numbers)]
        return number, self.asked[number]

    def _main_before(self) -> Decimal | None:
        """What the main limit amounts to, for the question whether something is a cut."""
        today = self.desk.today
        if self.first_here is None or (self.said is not None and today < self.first_here):
            return self.said
        main = self.main(today)
        return None if main is None else main.amount

    def _resulting(self, one: Asked, amount: Decimal, before: Decimal | None) -> Decimal:
        if one.kind == "additive":
            return amount + (before or ZERO)
        return amount / 2 + (before or ZERO) if one.kind == "guarantee" else amount

    def _may(self, one: Asked, who: str, other: int | None, main: Decimal | None, before: Decimal | None) -> bool:
        """Whether a person could have approved: by the plain rule, not by the matrix."""
        if one.state != "open" or who in ("chen", "root", "qian"):
            return False
        amount = one.amount if other is None else Decimal(other)
        result = self._resulting(one, amount, before)
        by = who if amount > one.amount else one.by
        again = who in one.approved and amount == one.amount
        if again or (who == "zhao" and result > 500_000) or (who == "li" and result > 100_000):
            return False
        return by != who

    def _check_authority(self, one: Asked, main: Decimal | None, before: Decimal | None) -> None:
        """Nobody without authority has ever changed a limit."""
        result = self._resulting(one, one.amount, before)
        others = [who for who in set(one.approved) if who != one.by]
        if result <= 100_000:
            fit = [w for w in others if w in ("li", "wang", "zhao", "sun")]
            assert fit
        elif result <= 1_000_000:
            fit = [w for w in others if w in ("wang", "sun") or (w == "zhao" and result <= 500_000)]
            assert fit
        else:
            assert {"wang", "sun"} <= set(others)

    @rule(at=st.integers(0, 9), who=st.sampled_from(NAMES))
    def reject(self, at: int, who: str) -> None:
        number, one = self._chosen(at)
        if one is None:
            return
        try:
            self.desk.reject(number, who)
        except ConfigError:
            assert one.state != "open" or (who in ("chen", "root") and one.by != who)
            return
        assert one.state == "open"
        assert who not in ("chen", "root") or one.by == who
        one.state = "rejected"

    @rule(yuan=st.sampled_from([10_000, 777_000]))
    def the_ledger_says_another(self, yuan: int) -> None:
        """Once limits are kept here, what the ledger says moves only the days before."""
        if self.said is None:
            return
        self.desk.limit_said(yuan)
        self.said = Decimal(yuan)
        self.desk.pull()

    @rule()
    def an_invoice_is_late_or_paid(self) -> None:
        self.count += 1
        if self.late_since is None:
            self.desk.invoice(f"I{self.count}", "C1", 0, 1_000)
            self.late, self.late_since = f"I{self.count}", self.desk.today
        else:
            self.desk.pay(f"P{self.count}", 100_000, self.late)
            self.late_since = None

    @rule(days=st.sampled_from([1, 4, 16, 31]))
    def days_pass(self, days: int) -> None:
        self.desk.days(days)

    @rule()
    def night(self) -> None:
        """A decision is made: what is released is kept as an event."""
        self.desk.evaluate()
        today = self.desk.today
        late = 0 if self.late_since is None else (today - self.late_since).days
        main = self.main(today)
        if main is not None and main.tranche_on is not None and main.tranche_on <= today and late <= 15:
            main.released = main.released or self._counts(main, today)
        decided = self.desk.decided()
        wanted = self.expected(today)
        assert decided == wanted or (decided is None and wanted is None), (decided, wanted, self.log)
        self.check()

    def _counts(self, main: Granted, day: dt.date) -> bool:
        """A tranche is looked at only while nothing stands in place of the main limit."""
        return not any(g.kind == "override" and g.holds(day) and not self._replaced(g, day) for g in self.log)

    def check(self) -> None:
        staged = any(g.kind == "stage" for g in self.log)
        for days in (-40, -1, 0, 1, 6, 25):
            day = self.desk.today + dt.timedelta(days=days)
            if staged and days != 0:
                continue  # how it pays is known for today only
            found = self.desk.effective(day)
            assert found.amount == self.expected(day), (day, found, self.log)
        total = sum((g.amount for g in self.log if g.holds(self.desk.today)), ZERO)
        now = self.desk.effective().amount or ZERO
        assert self.first_here is None or now <= total, "more than was ever approved"
        states = {number: state for number, state, _ in self.desk.states()}
        assert states == {number: one.state for number, one in self.asked.items()}
        self._check_trail()

    def _check_trail(self) -> None:
        """The audit trail tells of every grant: who, what, and the limit before and after."""
        with self.store.reading() as tx:
            assert audit.verify(tx) == []
        told = self.desk.trail("limit.approve")
        granted = [number for number, one in self.asked.items() if one.state == "in_force"]
        assert sorted(line.entry.after["request"] for line in told) == granted
        for line in told:
            one = self.asked[line.entry.after["request"]]
            assert line.entry.after["amount"] == one.amount
            assert line.entry.actor == f"person:{one.approved[-1]}"
        rejected = self.desk.trail("limit.reject")
        assert len(rejected) == sum(one.state == "rejected" for one in self.asked.values())


def machine(store: Store, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Here", (Limits,), {"store": store}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            report_multiple_bugs=False,
            derandomize=examples < 50,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_limits_hold_their_rules_whatever_happens(shared_store: Store) -> None:
    machine(shared_store, 20 if shared_store.engine.dialect.name == "sqlite" else 6, 20)


@pytest.mark.slow
def test_limits_hold_their_rules_in_ten_thousand_steps(shared_store: Store) -> None:
    machine(shared_store, 400, 25)
