"""Dunning as a job, on both databases: whatever happens in whatever order, the rules of domain 11 hold."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection

from connector.credit.interest import late_interest
from connector.model import Application, Customer, Document, Instalment, Payment, Promise
from connector.money import rounded
from connector.policy import load
from connector.store import audit, contacts, dunning, links, promises
from connector.store import customers as all_customers
from connector.store.db import Store
from jobs.dun import dun
from jobs.timeline import timeline
from tests.jobs.ledger import CONFIG, DAY0, POLICY, RULES, Books
from tests.store.books import save
from tests.store.conftest import shared_store as shared_store
from tests.store.conftest import store as store


@dataclass
class Item:
    """What the model knows of an invoice: written down independently of the job."""

    name: str
    customer: str
    due_on: dt.date
    value: int  # fen
    open: int
    disputed: int = 0
    promised_until: dt.date | None = None
    reached: int = 0
    closed_at: int | None = None  # its value when a run found nothing open
    tracked: bool = False
    payments: list[str] = field(default_factory=list)
    course: list[tuple[dt.date, Decimal]] = field(default_factory=list)


class Dunning(RuleBasedStateMachine):
    """Invoices come, are paid in part and in full, disputed, promised and paid back; days pass; runs are made."""

    store: Store

    @initialize(ages=st.lists(st.integers(-4, 90), min_size=1, max_size=3))
    def begin(self, ages: list[int]) -> None:
        self.books = Books(self.store)
        self.items: dict[str, Item] = {}
        self.count = 0
        self.last_demand: dict[str, dt.date] = {}
        for days in ages:
            self.invoice("C1", days, 9_000)

    # --- what happens in the ledger
    @rule(customer=st.sampled_from(["C1", "C2"]), days=st.integers(-12, 100), yuan=st.sampled_from([50, 400, 9_000]))
    def invoice(self, customer: str, days: int, yuan: int) -> None:
        if len(self.items) >= 6:
            return
        self.count += 1
        name = f"I{self.count}"
        self.books.invoice(name, customer, days, yuan)
        due_on = self.books.today - dt.timedelta(days=days)
        self.items[name] = Item(name, customer, due_on, yuan * 100, yuan * 100)
        self.items[name].course.append((dt.date.min, Decimal(yuan)))

    def chosen(self, at: int) -> Item | None:
        return list(self.items.values())[at % len(self.items)] if self.items else None

    @rule(at=st.integers(0, 9), part=st.booleans())
    def pay(self, at: int, part: bool) -> None:
        item = self.chosen(at)
        if item is None or item.open <= 0:
            return
        amount = max(1, item.open // 3) if part else item.open
        self.count += 1
        name = f"P{self.count}"
        self.books.pay(name, amount, item.name)
        item.payments.append(name)
        item.open -= amount
        item.disputed = min(item.disputed, item.open)
        item.course.append((self.books.today, Decimal(item.open) / 100))

    @rule(at=st.integers(0, 9))
    def reverse(self, at: int) -> None:
        """The last payment of an item bounces."""
        item = self.chosen(at)
        if item is None or not item.payments:
            return
        name = item.payments.pop()
        paid: Any = self.books.facts["applications"][name]
        values = {f: getattr(paid, f) for f in ("id", "from_id", "to_id", "amount", "applied_on")}
        self.books.say("applications", Application(**values, reversed_on=self.books.today))
        item.open += int(paid.amount * 100)
        item.course.append((self.books.today, Decimal(item.open) / 100))

    @rule(at=st.integers(0, 9), share=st.sampled_from([0, 1, 2, 2]), weeks=st.integers(0, 2))
    def dispute(self, at: int, share: int, weeks: int) -> None:
        """Nothing, half or all of an item is in dispute, and some weeks go by."""
        item = self.chosen(at)
        if item is not None:
            self._again(item, disputed_amount=item.value * share // 2)
            self.nights_pass([7] * weeks)

    @rule(at=st.integers(0, 9))
    def grow(self, at: int) -> None:
        """The document itself becomes larger: interest is then that of the new amount from the first day on."""
        item = self.chosen(at)
        if item is None or item.closed_at is None or item.open:
            return
        item.value += 50_000
        item.open += 50_000
        item.course = [(day, balance + 500) for day, balance in item.course]
        self._again(item)

    @rule(at=st.integers(0, 9), fate=st.sampled_from(["stays", "bounces", "bounces", "grows"]), days=st.integers(1, 9))
    def settle(self, at: int, fate: str, days: int) -> None:
        """Paid in full, found so by a run, and then perhaps it bounces, or the document is corrected upwards."""
        self.pay(at, False)
        self.run_twice()
        self.days_pass(days)
        if fate == "bounces":
            self.reverse(at)
        elif fate == "grows":
            self.grow(at)
        self.run_twice()

    def _again(self, item: Item, **more: Any) -> None:
        fact: Any = self.books.facts["documents"][item.name]
        disputed = more.get("disputed_amount", fact.disputed_amount)
        kept = {f: getattr(fact, f) for f in ("id", "customer_id", "kind", "issued_on", "due_on", "currency")}
        self.books.say("documents", Document(**kept, amount=item.value, disputed_amount=disputed))

    def disputed(self, item: Item) -> int:
        fact: Any = self.books.facts["documents"][item.name]
        return min(fact.disputed_amount or 0, max(item.open, 0))

    @rule(at=st.integers(0, 9), days=st.integers(0, 12), nights=st.lists(st.sampled_from([1, 5]), max_size=3))
    def promise(self, at: int, days: int, nights: list[int]) -> None:
        item = self.chosen(at)
        if item is None:
            return
        self.count += 1
        due_on = self.books.today + dt.timedelta(days=days)
        self.books.say(
            "promises",
            Promise(id=f"W{self.count}", customer_id=item.customer, document_id=item.name, made_on=self.books.today,
                    due_on=due_on, amount=100, currency="CNY"),
        )  # fmt: skip
        until = due_on + dt.timedelta(days=RULES.promise_grace_days)
        item.promised_until = max(until, item.promised_until or until)
        self.nights_pass(nights)

    @rule(days=st.sampled_from([1, 2, 15]))
    def days_pass(self, days: int) -> None:
        self.books.clock.sleep(days * 86_400)

    @rule(nights=st.lists(st.sampled_from([1, 2, 5, 6, 8]), min_size=1, max_size=6))
    def nights_pass(self, nights: list[int]) -> None:
        """Runs some days apart, with nothing else in between."""
        for days in nights:
            self.days_pass(days)
            self.run_twice()

    # --- what the job does
    @rule()
    def stale(self) -> None:
        """Payments that are too old: nothing is done, however much is due."""
        self.books.pull()
        self.books.clock.sleep((RULES.payments_within_hours + 1) * 3600)
        before = self.books.everything()
        done = self.books.dun()
        assert [p.code for p in done.problems] == ["dunning_paused"]
        assert self.books.everything() == before

    @rule()
    def run_twice(self) -> None:
        self.books.pull()
        with self.store.reading() as tx:
            steps_before, letters_before = len(dunning.steps(tx)), {row.id for row in dunning.letters(tx)}
        self._expect_turns()
        done = self.books.dun()
        assert not done.problems
        with self.store.reading() as tx:
            new = dunning.steps(tx)[steps_before:]
            letters = [row for row in dunning.letters(tx) if row.id not in letters_before]
            refs = {row.key: row.ref for row in all_customers.customers(tx)}
        self._check_steps([s for s in new if s.what == "step"])
        self._check_letters(letters, refs)
        self._check_interest()
        # A second run on the same day adds nothing.
        before = self.books.everything()
        self.books.dun()
        assert self.books.everything() == before
        self._check_levels()

    def _expect_turns(self) -> None:
        """What a run makes of payments: settled items keep what they had reached for the day on which they come back."""
        for item in self.items.values():
            if item.closed_at is not None and item.open > 0:
                if item.value > item.closed_at:
                    item.reached, item.tracked = 0, False
                item.closed_at = None
            elif item.closed_at is None and item.open == 0 and item.tracked:
                item.closed_at = item.value

    def _check_steps(self, new: list[dunning.PastStep]) -> None:
        today = self.books.today
        seen = set()
        for step in new:
            item = self.items[step.document]
            assert step.document not in seen, "two steps of one item in one run"
            seen.add(step.document)
            assert item.open > 0
            assert item.open - self.disputed(item) >= int(RULES.minimum_amount * 100)
            assert item.promised_until is None or item.promised_until < today
            assert step.level == item.reached + 1, "a level was skipped"
            rung = RULES.rung(step.level)
            assert rung is not None
            assert (today - item.due_on).days >= rung.days
            assert step.open == Decimal(item.open) / 100
            item.reached = step.level
            item.tracked = True
        for item in self.items.values():
            if item.open > 0 and RULES.notice and 0 >= (today - item.due_on).days >= RULES.notice.days:
                item.tracked = item.tracked or self._noticed(item)

    def _noticed(self, item: Item) -> bool:
        with self.store.reading() as tx:
            return any(s.document == item.name and s.what == "notice" for s in dunning.steps(tx))

    def _check_letters(self, letters: list[dunning.LetterRow], refs: dict[int, str]) -> None:
        today = self.books.today
        assert len({row.customer for row in letters}) == len(letters), "two letters to one customer in one run"
        for row in letters:
            customer = refs[row.customer]
            if not row.counted:
                continue
            last = self.last_demand.get(customer)
            assert last is None or (today - last).days >= RULES.letter_interval_days
            self.last_demand[customer] = today
            overdue = {
                i.name for i in self.items.values() if i.customer == customer and i.open > 0 and i.due_on < today
            }
            assert {line["document"] for line in row.payload["items"] if line["days_overdue"] > 0} == overdue
            asked = [
                i for i in self.items.values()
                if i.name in overdue and i.open > self.disputed(i)
                and not (i.promised_until is not None and i.promised_until >= today)
            ]  # fmt: skip
            assert row.level == max(i.reached for i in asked)
            total = sum(i.open - self.disputed(i) for i in asked)
            assert Decimal(row.payload["totals"][0]["demanded"]) == Decimal(total) / 100

    def _check_interest(self) -> None:
        """What was claimed of a settled item is, to the cent, what its balances bore."""
        with self.store.reading() as tx:
            claimed: dict[str, Decimal] = {}
            for one in dunning.charges(tx):
                claimed[one.document] = claimed.get(one.document, Decimal(0)) + one.amount
        for item in self.items.values():
            if item.closed_at is None or item.reached < RULES.interest.from_level:
                continue
            first = item.due_on + dt.timedelta(days=1)
            total = late_interest(self._course(item), RULES.interest.rate_per_day, first, self.books.today)
            assert claimed.get(item.name, Decimal(0)) == rounded(total, "CNY")

    def _course(self, item: Item) -> list[tuple[dt.date, Decimal]]:
        by_day: dict[dt.date, Decimal] = {}
        for day, balance in item.course:
            by_day[day] = balance
        return sorted(by_day.items())

    @precondition(lambda self: hasattr(self, "items") and all(i.closed_at is None for i in self.items.values()))
    @rule()
    def levels_follow_payments_without_a_run(self) -> None:
        self.books.pull()
        self._check_levels()

    def _check_levels(self) -> None:
        wanted: dict[str, int] = {}
        for item in self.items.values():
            if item.open > self.disputed(item) and item.reached:
                wanted[item.customer] = max(item.reached, wanted.get(item.customer, 0))
        assert self.books.levels() == wanted


def machine(store: Store, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        type("Here", (Dunning,), {"store": store}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=examples < 50,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_rules_of_dunning_hold_whatever_happens(shared_store: Store) -> None:
    # Some steps only, the others are slow; PostgreSQL is asked less, for there every example begins with emptying all tables.
    machine(shared_store, 8 if shared_store.engine.dialect.name == "sqlite" else 4, 20)


@pytest.mark.slow
def test_the_rules_of_dunning_hold_in_ten_thousand_steps(shared_store: Store) -> None:
    machine(shared_store, 400, 25)


# --- stories -----------------------------------------------------------------------------------------------------------
def told(store: Store) -> list[tuple[str, dt.date, str, int, str | None]]:
    with store.reading() as tx:
        return [(s.document, s.as_of, s.what, s.level, s.channel) for s in dunning.steps(tx)]


def test_an_invoice_from_the_notice_to_the_court_and_back(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", -5, 100_000)
    for _ in range(96):
        books.pull()
        books.dun()
        books.clock.sleep(86_400)
    due = DAY0 + dt.timedelta(days=5)
    ladder = [(rung.level, rung.days, rung.channel) for rung in RULES.step]
    assert told(store) == [
        ("I1", due + dt.timedelta(days=days), "step" if level else "notice", level, channel)
        for level, days, channel in ladder
    ]
    assert books.levels() == {"C1": 6}
    books.pay("P1", 10_000_000, "I1")
    books.pull()
    assert books.levels() == {}, "a payment counts at once, not only after the next run"
    books.dun()
    assert told(store)[-1][2:4] == ("settled", 0)
    with store.reading() as tx:
        then = [dunning.levels_on(tx, None, due + dt.timedelta(days=days)) for days in (2, 3, 44, 45)]
        assert [list(one.values()) for one in then] == [[], [1], [3], [4]]
        assert dunning.levels_on(tx, None, books.today) == {}
    with store.reading() as tx:
        total = sum(one.amount for one in dunning.charges(tx))
    assert total == Decimal(100_000) * (books.today - due - dt.timedelta(days=1)).days * Decimal("0.0005")


def test_a_run_that_dies_in_the_middle_is_made_up_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books(store)
    for number in range(6):
        books.say("customers", Customer(id=f"K{number}", name=f"K{number}", currency="CNY"))
        books.invoice(f"I{number}", f"K{number}", 20, 1_000)
    books.pull()
    with store.writing() as tx:
        links.ensure_debtors(tx, [row.key for row in all_customers.customers(tx)])
    monkeypatch.setattr("jobs.dun._TOGETHER", 2)
    real, calls = audit.append, []

    def dies(tx: Connection, entries: Any, at: dt.datetime) -> list[int]:
        calls.append(len(entries))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(tx, entries, at)

    monkeypatch.setattr("connector.store.audit.append", dies)
    with pytest.raises(KeyboardInterrupt):
        books.dun()
    assert len(told(store)) == 2, "what was committed before stays, the rest is as if it had never been begun"
    assert books.dun().counts["steps"] == 4
    assert sorted(told(store)) == [(f"I{n}", books.today, "step", 1, "phone") for n in range(6)]
    with store.reading() as tx:
        assert len(audit.listing(tx, action="dunning")) == 6


def test_instalments_are_dunned_one_by_one(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 0, 900)
    for number, days in (("1", 40), ("2", 12), ("3", -60)):
        due_on = books.today - dt.timedelta(days=days)
        books.say("instalments", Instalment(document_id="I1", number=number, due_on=due_on, amount=Decimal(300)))
    books.pull()
    books.dun()
    with store.reading() as tx:
        assert [(s.part, s.level, s.open) for s in dunning.steps(tx)] == [
            ("1", 1, Decimal(300)),
            ("2", 1, Decimal(300)),
        ]
    assert books.levels() == {"C1": 1}
    books.pay("P1", 60_000, "I1")
    books.pull()
    assert books.levels() == {}


def test_what_is_disputed_altogether_has_left_dunning(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.nights(1)
    assert books.levels() == {"C1": 1}
    books.invoice("I1", "C1", 21, 900, disputed_amount=90_000)
    books.pull()
    assert books.levels() == {}
    with store.reading() as tx:
        assert list(dunning.levels(tx, skip_disputed=False).values()) == [1]
    books.invoice("I1", "C1", 21, 900, disputed_amount=89_999)
    books.pull()
    assert books.levels() == {"C1": 1}


def test_a_customer_in_two_accounts_gets_one_letter(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.invoice("I2", "C2", 50, 900)
    with store.writing() as tx:
        keys = {row.ref: row.key for row in all_customers.customers(tx)}
        links.join(tx, keys["C2"], keys["C1"])
    for _ in range(7):
        books.pull()
        books.dun()
        books.clock.sleep(86_400)
    with store.reading() as tx:
        (letter,) = dunning.letters(tx)
    assert [(line["document"], line["level"]) for line in letter.payload["items"]] == [("I2", 2), ("I1", 2)]


def test_a_document_that_vanishes_is_settled_and_keeps_its_level(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.pull()
    books.dun()
    kept = books.facts["documents"].pop("I1")
    books.pull()
    assert books.levels() == {}
    books.dun()
    assert told(store)[-1] == ("I1", books.today, "settled", 0, None)
    books.say("documents", kept)
    books.pull()
    books.dun()
    assert told(store)[-1] == ("I1", books.today, "reopened", 1, None)
    assert books.levels() == {"C1": 1}


def test_nothing_goes_out_while_payments_were_never_read(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.pull()
    with store.writing() as tx:
        save(tx, "payments", [], last=False, now=books.clock.now())
        tx.exec_driver_sql("UPDATE stream SET complete_at = NULL WHERE name = 'payments'")
    (problem,) = books.dun().problems
    assert problem.what.en.startswith("Nobody is dunned for debts in books: its payments have never been read")
    assert problem.what.zh == "books 的客户暂不催收：其收款数据从未完整拉取。"
    assert told(store) == []


def test_a_promise_taken_down_by_telephone_pauses_dunning(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.pull()
    with store.writing() as tx:
        (key,) = [row.key for row in all_customers.customers(tx) if row.ref == "C1"]
        promise_on = books.today + dt.timedelta(days=1)
        one = contacts.Contact(
            customer=key, on=books.today, kind="phone", actor="person:li.wei", promise_on=promise_on,
            amount=Decimal(900), currency="CNY",
        )  # fmt: skip
        contacts.add(tx, one, books.clock.now())
    for _ in range(6):
        books.pull()
        books.dun()
        books.clock.sleep(86_400)
    assert told(store) == [("I1", promise_on + dt.timedelta(days=4), "step", 1, "phone")]


def test_fees_are_claimed_once_a_level_in_the_currency_of_the_customer(store: Store) -> None:
    books = Books(store)
    policy = load(
        "[[dunning.step]]\nlevel = 1\ndays = 1\nchannel = 'letter'\nfee = 40\n"
        "[[dunning.step]]\nlevel = 2\ndays = 9\nchannel = 'final_demand'\nfee = 100\n"
    )
    books.invoice("I1", "C1", 20, 900)
    books.invoice("I2", "C1", 30, 900)
    for _ in range(9):
        books.pull()
        books.dun(policy=policy)
        books.clock.sleep(86_400)
    with store.reading() as tx:
        assert [(c.kind, c.level, c.currency, c.amount) for c in dunning.charges(tx)] == [
            ("fee", 1, "CNY", Decimal(40)),
            ("fee", 2, "CNY", Decimal(100)),
        ]
        final = dunning.letters(tx)[0].payload
    assert final["title"]["zh"] == "律师函（最后催告）"
    assert final["totals"][0]["total"] == "1940.00"


@pytest.mark.parametrize("change", ["corrected", "bounced"])
def test_what_changes_of_a_settled_item_and_is_paid_before_the_next_run_bears_its_interest(
    store: Store, change: str
) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 60, 9_000)
    for _ in range(60):
        books.pull()
        books.dun()
        books.clock.sleep(86_400)
    books.pay("P1", 900_000, "I1")
    books.pull()
    books.dun()
    paid_on, first = books.today, DAY0 - dt.timedelta(days=59)
    rate = RULES.interest.rate_per_day

    def claimed() -> Decimal:
        with store.reading() as tx:
            return sum((c.amount for c in dunning.charges(tx)), Decimal(0))

    # From the day after it was due to the day before it was paid: 9,000 x 0.05 % x 119 days.
    assert claimed() == rounded(9000 * rate * (paid_on - first).days, "CNY") == Decimal("535.50")
    books.clock.sleep(4 * 86_400)
    books.pull()
    if change == "corrected":
        document: Any = books.facts["documents"]["I1"]
        books.say("documents", dataclasses.replace(document, amount=950_000))
        books.pay("P2", 50_000, "I1")
        more = 500 * rate * (books.today - first).days
    else:
        # Taken back by the bank the day after, and paid once more today.
        use: Any = books.facts["applications"]["P1"]
        books.say("applications", dataclasses.replace(use, reversed_on=paid_on + dt.timedelta(days=1)))
        books.pay("P2", 900_000, "I1")
        more = 9000 * rate * 3
    books.pull()
    books.dun()
    assert claimed() == Decimal("535.50") + rounded(more, "CNY")
    books.dun()
    assert claimed() == Decimal("535.50") + rounded(more, "CNY"), "once"


def test_proof_of_delivery_makes_the_limitation_run_anew(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    for _ in range(7):
        books.pull()
        books.dun()
        books.clock.sleep(86_400)
    with store.writing() as tx:
        (letter,) = dunning.letters(tx)
        bare = contacts.Contact(customer=letter.customer, on=books.today, kind="delivery", actor="a", letter=letter.id)
        contacts.add(tx, bare, books.clock.now())
        ((document, restart),) = contacts.restarts(tx, [letter.customer])[letter.customer]
        assert (document, restart.counts) == ("I1", False)
        contacts.add(tx, replace(bare, file_name="ems.pdf", file_sha="a" * 64, file_size=1), books.clock.now())
        assert [r.counts for _, r in contacts.restarts(tx, [letter.customer])[letter.customer]] == [False, True]


def test_promises_are_kept_or_broken(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.invoice("I2", "C2", 20, 900)
    due_on = books.today + dt.timedelta(days=2)
    made: dict[str, Any] = {"made_on": books.today, "due_on": due_on, "currency": "CNY"}
    books.say("promises", Promise(id="W1", customer_id="C1", document_id="I1", amount=90_000, **made))
    books.say("promises", Promise(id="W2", customer_id="C2", amount=50_000, **made))
    books.clock.sleep(86_400)
    books.pay("P1", 89_999, "I1")
    books.pay("P2", 50_000, "I2")
    books.clock.sleep(5 * 86_400)
    books.pull()
    with store.reading() as tx:
        still = promises.outcomes(tx, None, due_on + dt.timedelta(days=3), grace_days=3)
        found = promises.outcomes(tx, None, due_on + dt.timedelta(days=4), grace_days=3)
    assert still == []
    assert {row.promise.id: (row.outcome.paid, row.kept) for row in found} == {
        "W1": (Decimal("899.99"), False),
        "W2": (Decimal(500), True),
    }


def test_money_that_came_in_time_keeps_a_promise_and_a_credited_invoice_ends_one(store: Store) -> None:
    """C1's money came on the day and was entered a week later; C2's invoice was credited, half of C3's was; C4's was
    written off."""
    books = Books(store)
    today, due_on = books.today, books.today + dt.timedelta(days=2)
    for ref in ("C1", "C2", "C3", "C4"):
        books.say("customers", Customer(id=ref, name=ref, currency="CNY"))
        books.invoice(f"I-{ref}", ref, 20, 900)
        made: dict[str, Any] = {"made_on": today, "due_on": due_on, "currency": "CNY", "amount": 90_000}
        books.say("promises", Promise(id=ref, customer_id=ref, document_id=f"I-{ref}", **made))

    def use(ref: str, amount: int, applied_on: dt.date) -> None:
        said = Application(id=ref, from_id=ref, to_id=f"I-{ref}", amount=Decimal(amount), applied_on=applied_on)
        books.say("applications", said)

    books.say("payments", Payment(id="C1", customer_id="C1", received_on=due_on, currency="CNY", amount=90_000))
    use("C1", 900, today + dt.timedelta(days=9))
    for ref, amount in (("C2", 900), ("C3", 450)):
        books.say(
            "documents",
            Document(
                id=ref, customer_id=ref, kind="credit_note", issued_on=due_on, currency="CNY", amount=amount * 100
            ),
        )
        use(ref, amount, due_on)
    gone: dict[str, Any] = {"customer_id": "C4", "kind": "write_off", "received_on": due_on, "currency": "CNY"}
    books.say("payments", Payment(id="C4", amount=90_000, **gone))
    use("C4", 900, due_on)
    books.clock.sleep(10 * 86_400)
    books.pull()
    with store.writing() as tx:
        links.ensure_debtors(tx, [row.key for row in all_customers.customers(tx)])
        before = promises.outcomes(tx, None, today + dt.timedelta(days=8), grace_days=3)
        found = promises.outcomes(tx, None, today + dt.timedelta(days=9), grace_days=3)
    assert {row.promise.id: row.kept for row in before} == {"C1": False, "C3": False, "C4": False}
    assert {row.promise.id: row.kept for row in found} == {"C1": True, "C3": False, "C4": False}


def test_two_processes_at_once_take_every_step_once(store: Store) -> None:
    books = Books(store)
    for number in range(30):
        books.say("customers", Customer(id=f"K{number}", name=f"K{number}", currency="CNY"))
        books.invoice(f"I{number}", f"K{number}", 20, 1_000)
    books.pull()
    with store.writing() as tx:
        links.ensure_debtors(tx, [row.key for row in all_customers.customers(tx)])
    url = store.engine.url.render_as_string(hide_password=False)
    others = [Store.open(url) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda other: dun(other, CONFIG, POLICY, books.clock), others))
    finally:
        for other in others:
            other.close()
    assert [run.failed for run in done] == [None] * 4
    assert sum(run.counts["steps"] for run in done) == 30
    assert sorted(told(store)) == sorted((f"I{n}", books.today, "step", 1, "phone") for n in range(30))


def test_a_level_goes_with_a_document_that_gets_another_customer(store: Store) -> None:
    books = Books(store)
    books.invoice("I1", "C1", 20, 900)
    books.pull()
    books.nights(1)
    before = books.levels()
    assert set(before) == {"C1"}
    books.say("documents", replace(books.facts["documents"]["I1"], customer_id="C2"))
    books.pull()
    with books.store.reading() as tx:
        debtors = {row.ref: row.debtor for row in all_customers.customers(tx)}
        for some in (None, [debtors["C2"]], [debtors["C1"], debtors["C2"]]):
            assert dunning.levels(tx, some) == {debtors["C2"]: before["C1"]}
        assert dunning.levels(tx, [debtors["C1"]]) == {}
    books.dun()
    assert books.levels() == {"C2": before["C1"]}


def test_the_credit_file_calls_documents_as_people_do(store: Store) -> None:
    books = Books(store)
    books.invoice("4711", "C1", 20, 900, number="INV-2026-0007")
    books.invoice("4712", "C1", 20, 100)
    books.nights(1)
    with store.reading() as tx:
        row = next(r for r in all_customers.customers(tx) if r.ref == "C1")
        told = [m.text.zh for m in timeline(tx, row.debtor or 0, "Asia/Shanghai") if m.kind == "dunning"]
    assert "INV-2026-0007：催收，1 级，未清 CNY 900.00" in told
    assert "4712：催收，1 级，未清 CNY 100.00" in told, "without a number by its id"
