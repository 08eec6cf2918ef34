"""The desk of whoever watches customers: a small ledger with events, orders and promises, judged day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector.model import Event, Limit, Order, Promise
from connector.policy import Policy, default_policy
from connector.store import alerts, audit, customers, decisions
from connector.store.alerts import Alert
from connector.store.db import Store
from jobs.evaluate import evaluate
from jobs.run import Run
from tests.jobs import ledger
from tests.jobs.ledger import CONFIG, Books
from tests.store.books import save


class WarningDesk(Books):
    """What stands, what is told, what the trail says."""

    def __init__(self, store: Store, policy: Policy | None = None) -> None:
        self.policy = policy or default_policy()
        self.seen: dict[str, Any] = {"events": {}, "financials": {}}
        super().__init__(store)

    def say(self, stream: str, fact: Any) -> None:
        (self.seen if stream in self.seen else self.facts)[stream][fact.ref] = fact

    def pull(self) -> None:
        super().pull()
        with self.store.writing(durable=False) as tx:
            for stream, facts in self.seen.items():
                save(tx, stream, list(facts.values()), full=True, now=self.clock.now(), ledger_currency="CNY")

    # --- what happens ----------------------------------------------------------------------------------------------------
    def event(self, name: str, kind: str, customer: str = "C1", **more: Any) -> None:
        on = more.pop("on", self.today)
        source = more.pop("source", "qichacha")
        self.say("events", Event(id=name, customer_id=customer, on=on, kind=kind, source=source, **more))

    def promise(self, name: str, due_on: dt.date, yuan: int, customer: str = "C1") -> None:
        made: dict[str, Any] = {"made_on": self.today, "due_on": due_on, "amount": yuan * 100, "currency": "CNY"}
        self.say("promises", Promise(id=name, customer_id=customer, **made))

    def order(self, name: str, days_ago: int, yuan: int, customer: str = "C1") -> None:
        made: dict[str, Any] = {"currency": "CNY", "amount": yuan * 100, "invoiced_amount": yuan * 100}
        made["delivered_amount"], made["status"] = yuan * 100, "closed"
        on = self.today - dt.timedelta(days=days_ago)
        self.say("orders", Order(id=name, customer_id=customer, ordered_on=on, **made))

    def limit(self, yuan: int, kind: Any = "base", customer: str = "C1", **more: Any) -> None:
        fact = Limit(customer_id=customer, kind=kind, amount=yuan * 100, currency="CNY", **more)
        self.say("limits", fact)

    # --- the days --------------------------------------------------------------------------------------------------------
    def run(self, pull: bool = True, full: bool = False) -> Run:
        """One run, now."""
        if pull:
            self.pull()
        done = evaluate(self.store, CONFIG, self.policy, self.clock, full=full)
        assert done.failed is None, done.failed
        return done

    def next_day(self, days: int = 1, **more: Any) -> Run:
        """So many days later, a run on each."""
        for _ in range(days):
            self.clock.sleep(86_400)
            done = self.run(**more)
        return done

    # --- what is to be seen ----------------------------------------------------------------------------------------------
    def debtor(self, customer: str = "C1") -> int:
        with self.store.reading() as tx:
            found = next(r.debtor for r in customers.customers(tx) if r.ref == customer)
        assert found is not None
        return found

    def stands(self, customer: str = "C1") -> dict[str, str]:
        """The open warnings of a customer with their levels."""
        debtor = self.debtor(customer)
        with self.store.reading() as tx:
            return {name: one.state.level for name, one in alerts.standing(tx, [debtor]).get(debtor, {}).items()}

    def alert(self, indicator: str, customer: str = "C1") -> Alert:
        debtor = self.debtor(customer)
        with self.store.reading() as tx:
            return alerts.standing(tx, [debtor])[debtor][indicator]

    def ended(self, customer: str = "C1") -> list[Alert]:
        debtor = self.debtor(customer)
        with self.store.reading() as tx:
            return [one for one in alerts.history(tx, debtor) if one.closed_on is not None]

    def body(self, customer: str = "C1") -> Any:
        """The newest decision."""
        debtor = self.debtor(customer)
        with self.store.reading() as tx:
            return decisions.latest(tx, [debtor])[debtor].body

    def sentences(self, customer: str = "C1") -> list[tuple[str, str, str]]:
        """The warnings of the newest decision: level and both sentences."""
        return [(w["level"], w["en"], w["zh"]) for w in self.body(customer)["warnings"]]

    def trail(self, customer: str = "C1") -> list[tuple[str, str, str]]:
        """What the audit trail says of warnings, oldest first: action, indicator, level."""
        with self.store.reading() as tx:
            lines = list(audit.listing(tx))
        mine = [
            line.entry
            for line in sorted(lines, key=lambda line: line.number)
            if line.entry.action.startswith("warning.") and line.entry.subject == f"customer:books/{customer}"
        ]
        return [(entry.action, entry.after["indicator"], entry.after["level"]) for entry in mine]


DAY0 = ledger.DAY0
