"""A desk where limits are decided on, for the tests of limits: a small ledger, four people, days that go by."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from connector.config import Config, LimitSettings, System
from connector.config_people import PersonSettings, acting
from connector.credit.granting import Request, State, standing
from connector.credit.limit import Effective
from connector.model import Customer, Limit
from connector.money import to_minor
from connector.policy import Policy, load
from connector.store import audit, customers, decisions, limits, links
from connector.store.audit import Line
from connector.store.customers import CustomerRow
from connector.store.db import Store
from jobs import grant, grant_ask
from jobs.evaluate import evaluate
from jobs.grant import Desk, Outcome
from jobs.propose import run_proposals
from jobs.run import Run
from tests.jobs.ledger import Books

PEOPLE = (
    PersonSettings(id="li.wei", name="李伟", roles=("credit_controller",)),
    PersonSettings(id="wang.fang", name="王芳", roles=("approver",)),
    PersonSettings(id="zhao.min", name="赵敏", roles=("approver",), approve_up_to=800_000),
    PersonSettings(id="chen.jie", name="陈洁", roles=("sales",), ids={"books": "S7"}),
)
POLICY = load("[data]\nstale_after_hours = 8784\n[hold.oldest_overdue]\ngrace_days = 5\n")


def config(master: str | None = "here", people: tuple[PersonSettings, ...] = PEOPLE) -> Config:
    books = System(name="books", adapter="files", roles=("erp",), settings={"path": "book"})
    return Config(systems=(books,), people=people, limits=LimitSettings(master=master))


class LimitDesk(Books):
    """The ledger, and what people do with the limits of its customers C1 and C2."""

    def __init__(
        self, store: Store, policy: Policy = POLICY, master: str | None = "here", people: tuple[Any, ...] = PEOPLE
    ) -> None:
        super().__init__(store)
        self.policy = policy
        self.config = config(master, people)

    @property
    def desk(self) -> Desk:
        return Desk(self.config, self.policy, self.clock)

    def customer(self, ref: str = "C1", **more: Any) -> None:
        self.say(
            "customers", Customer(id=ref, name=more.pop("name", ref), currency=more.pop("currency", "CNY"), **more)
        )

    def limit_said(self, yuan: int, customer: str = "C1", **more: Any) -> None:
        """The ledger's own base limit of a customer."""
        self.say(
            "limits",
            Limit(id=f"L-{customer}", customer_id=customer, kind="base", amount=yuan * 100, currency="CNY", **more),
        )

    def row(self, ref: str = "C1") -> CustomerRow:
        with self.store.reading() as tx:
            return next(r for r in customers.customers(tx) if r.ref == ref)

    def evaluate(self) -> Run:
        self.pull()
        with self.store.writing() as tx:
            links.ensure_debtors(tx, [row.key for row in customers.customers(tx)])
        done = evaluate(self.store, self.config, self.policy, self.clock)
        assert done.failed is None, done.failed
        return done

    def propose(self, whom: Any = "due", **more: Any) -> Run:
        done = run_proposals(self.store, self.config, self.policy, self.clock, whom, **more)
        assert done.failed is None, done.failed
        return done

    def ask(self, kind: Any, yuan: int | str | None, who: str = "chen.jie", customer: str = "C1", **more: Any) -> int:
        """Somebody asks for a limit; its number."""
        amount = None if yuan is None else to_minor(Decimal(yuan), "CNY")
        request = Request(
            kind=kind, amount_minor=amount, currency="CNY", requested_by=f"person:{who}",
            valid_from=more.pop("valid_from", self.today), **more,
        )  # fmt: skip
        with self.store.writing() as tx:
            return grant_ask.ask(tx, self.desk, self.row(customer), request).number

    def approve(self, number: int, who: str, yuan: int | str | None = None, why: str = "") -> Outcome:
        person = acting(self.config.people, who)
        with self.store.writing() as tx:
            return grant.approve(tx, self.desk, number, person, None if yuan is None else Decimal(yuan), why)

    def reject(self, number: int, who: str, why: str = "no") -> Outcome:
        with self.store.writing() as tx:
            return grant.reject(tx, self.desk, number, acting(self.config.people, who), why)

    def effective(self, on: dt.date | None = None, customer: str = "C1") -> Effective:
        with self.store.reading() as tx:
            return grant.limit_of(tx, self.desk, self.row(customer), on)

    def decided(self, customer: str = "C1") -> Decimal | None:
        """The limit of the newest decision."""
        debtor = self.row(customer).debtor
        with self.store.reading() as tx:
            body = decisions.latest(tx, [debtor or 0])[debtor or 0].body
        amount = body["limit"]["amount"]
        return None if amount is None else Decimal(amount)

    def states(self, customer: str = "C1") -> list[tuple[int, State, Decimal | None]]:
        """What stands of every request of a customer: number, state, amount."""
        with self.store.reading() as tx:
            found = limits.requests(tx, keys=[self.row(customer).key])
        stands = [(one, standing(one.request, one.events)) for one in found]
        return [
            (one.number, s.state, None if s.amount_minor is None else one.request.decimal(s.amount_minor))
            for one, s in stands
        ]

    def requests(self, customer: str = "C1") -> list[limits.Asked]:
        with self.store.reading() as tx:
            return limits.requests(tx, keys=[self.row(customer).key])

    def trail(self, action: str = "limit") -> list[Line]:
        """What the audit trail tells of limits, oldest first."""
        with self.store.reading() as tx:
            return list(reversed(audit.listing(tx, action=action)))

    def days(self, count: int) -> None:
        self.clock.sleep(count * 86_400)
