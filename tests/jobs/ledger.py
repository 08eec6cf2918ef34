"""A small ledger that is pulled whole and dunned day by day, for the tests of dunning."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from connector.clock import FixedClock
from connector.config import Config, System
from connector.model import Application, Customer, Document, Fact, Payment
from connector.policy import load
from connector.store import audit, dunning, links, marks
from connector.store import customers as all_customers
from connector.store.db import Store
from jobs.dun import dun
from tests.store.books import save
from tests.store.conftest import emptied

START = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)
DAY0 = START.date()
POLICY = load("[dunning.interest]\non = true")
RULES = POLICY.dunning
CONFIG = Config(systems=(System(name="books", adapter="files", roles=("erp",), settings={"path": "book"}),))
STREAMS = ("customers", "documents", "instalments", "payments", "applications", "orders", "order_lines", "limits",
           "promises")  # fmt: skip


class Books:
    """A ledger that is pulled whole whenever it is asked: every fact one record of its stream."""

    def __init__(self, store: Store) -> None:
        emptied(store)
        self.store = store
        self.clock = FixedClock(START)
        self.facts: dict[str, dict[str, Fact]] = {name: {} for name in STREAMS}
        for ref in ("C1", "C2"):
            self.say("customers", Customer(id=ref, name=ref, currency="CNY"))
        self.pull()
        with store.writing() as tx:
            links.ensure_debtors(tx, [row.key for row in all_customers.customers(tx)])

    @property
    def today(self) -> dt.date:
        return self.clock.now().astimezone(dt.timezone(dt.timedelta(hours=8))).date()

    def say(self, stream: str, fact: Any) -> None:
        self.facts[stream][fact.ref] = fact

    def invoice(self, name: str, customer: str, days: int, yuan: int, **more: Any) -> None:
        """An invoice that has been due for so many days."""
        due_on = self.today - dt.timedelta(days=days)
        made: dict[str, Any] = {"issued_on": min(due_on, self.today) - dt.timedelta(days=30), "currency": "CNY"}
        fact = Document(id=name, customer_id=customer, kind="invoice", due_on=due_on, amount=yuan * 100, **made, **more)
        self.say("documents", fact)

    def pay(self, name: str, fen: int, to: str) -> None:
        document: Any = self.facts["documents"][to]
        who = document.customer_id
        self.say("payments", Payment(id=name, customer_id=who, received_on=self.today, currency="CNY", amount=fen))
        amount = Decimal(fen) / 100
        self.say("applications", Application(id=name, from_id=name, to_id=to, amount=amount, applied_on=self.today))

    def pull(self) -> None:
        with self.store.writing(durable=False) as tx:
            for stream in STREAMS:
                said = list(self.facts[stream].values())
                save(tx, stream, said, full=True, now=self.clock.now(), ledger_currency="CNY")

    def dun(self, **more: Any) -> Any:
        done = dun(self.store, CONFIG, more.pop("policy", POLICY), self.clock, **more)
        assert done.failed is None
        return done

    def everything(self) -> tuple[int, ...]:
        """How much there is of all that a run may add."""
        with self.store.reading() as tx:
            return (
                len(dunning.steps(tx)),
                len(dunning.letters(tx)),
                len(dunning.charges(tx)),
                len(audit.listing(tx)),
                len(marks.marks(tx)),
            )

    def levels(self) -> dict[str, int]:
        with self.store.reading() as tx:
            refs = {row.debtor: row.ref for row in all_customers.customers(tx)}
            return {refs[debtor]: level for debtor, level in dunning.levels(tx).items()}

    def nights(self, count: int) -> None:
        """So many nights: pull, dun, and a day goes by."""
        for _ in range(count):
            self.pull()
            self.dun()
            self.clock.sleep(86_400)
